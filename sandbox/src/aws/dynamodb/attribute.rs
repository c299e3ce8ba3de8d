//! Attribute values: `{"S": "text"}` and so on. They stay as they came, apart from numbers and sets, which have one way to be written.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::number::Number;
use super::{Item, KeyPart, invalid};
use crate::aws::error::AwsError;

/// The type and the content of a value.
pub(super) fn parts(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object()?;
    let (kind, content) = object.iter().next()?;
    (object.len() == 1).then_some((kind.as_str(), content))
}

/// A value as it is stored, or the service's refusal.
pub(super) fn normalized(value: &Value) -> Result<Value, AwsError> {
    let Some(object) = value.as_object() else {
        return Err(AwsError::new(
            "SerializationException",
            "Unexpected value type in payload",
        ));
    };
    let Some((kind, content)) = parts(value) else {
        let what = if object.is_empty() {
            "is empty, must contain exactly one of the supported datatypes"
        } else {
            "has more than one datatypes set, must contain exactly one of the supported datatypes"
        };
        return Err(invalid(format!("Supplied AttributeValue {what}")));
    };
    let wrong = || {
        AwsError::new(
            "SerializationException",
            format!("Unexpected value type in payload: {kind}"),
        )
    };
    let content = match kind {
        "S" if content.is_string() => content.clone(),
        "BOOL" if content.is_boolean() => content.clone(),
        "NULL" if content == true => content.clone(),
        "N" => json!(number(content.as_str().ok_or_else(wrong)?)?.to_string()),
        "B" => json!(STANDARD.encode(bytes(content).ok_or_else(wrong)?)),
        "L" => Value::Array(
            content
                .as_array()
                .ok_or_else(wrong)?
                .iter()
                .map(normalized)
                .collect::<Result<_, _>>()?,
        ),
        "M" => Value::Object(normalized_item(content.as_object().ok_or_else(wrong)?)?),
        "SS" | "NS" | "BS" => set(kind, content.as_array().ok_or_else(wrong)?)?,
        _ => return Err(wrong()),
    };
    Ok(json!({ kind: content }))
}

/// All attributes of an item as they are stored.
pub(super) fn normalized_item(item: &Map<String, Value>) -> Result<Item, AwsError> {
    item.iter()
        .map(|(name, value)| Ok((name.clone(), normalized(value)?)))
        .collect()
}

fn number(text: &str) -> Result<Number, AwsError> {
    Number::parse(text).map_err(invalid)
}

fn bytes(content: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(content.as_str()?).ok()
}

/// A set, sorted: two sets with the same members are then the same value.
fn set(kind: &str, members: &[Value]) -> Result<Value, AwsError> {
    if members.is_empty() {
        let name = match kind {
            "SS" => "string",
            "NS" => "number",
            _ => "binary",
        };
        return Err(invalid(format!(
            "One or more parameter values were invalid: An {name} set  may not be empty"
        )));
    }
    let member = &kind[..1];
    let mut sorted = Vec::new();
    for content in members {
        let value = normalized(&json!({ member: content }))?;
        sorted.push(value[member].clone());
    }
    sorted.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
    let before = sorted.len();
    sorted.dedup();
    if sorted.len() < before {
        let shown: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
        return Err(invalid(format!(
            "One or more parameter values were invalid: Input collection [{}] contains duplicates.",
            shown.join(", ")
        )));
    }
    Ok(Value::Array(sorted))
}

/// How two values of one type are ordered; `None` when the types differ or have no order.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let ((left_kind, left), (right_kind, right)) = (parts(left)?, parts(right)?);
    if left_kind != right_kind {
        return None;
    }
    match left_kind {
        "S" => Some(left.as_str()?.as_bytes().cmp(right.as_str()?.as_bytes())),
        "N" => Some(
            Number::parse(left.as_str()?)
                .ok()?
                .cmp(&Number::parse(right.as_str()?).ok()?),
        ),
        "B" => Some(bytes(left)?.cmp(&bytes(right)?)),
        _ => None,
    }
}

/// What `size` says of a value: characters, bytes or members.
pub(super) fn size(value: &Value) -> Option<usize> {
    let (kind, content) = parts(value)?;
    match kind {
        "S" => Some(content.as_str()?.len()),
        "B" => Some(bytes(content)?.len()),
        "SS" | "NS" | "BS" | "L" => Some(content.as_array()?.len()),
        "M" => Some(content.as_object()?.len()),
        _ => None,
    }
}

/// Roughly how many bytes an item takes: what pages are measured by.
pub(super) fn weight(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value.to_string().len())
        .sum()
}

/// A part of a key, in the order in which items are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    None,
    Number(Number),
    Bytes(Vec<u8>),
}

/// What an item is kept by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) hash: Part,
    pub(crate) range: Part,
}

/// A part of a key out of an item.
pub(super) fn key_part(item: &Item, part: &KeyPart) -> Result<Part, AwsError> {
    let value = item.get(&part.name).ok_or_else(|| {
        invalid(format!(
            "One or more parameter values were invalid: Missing the key {} in the item",
            part.name
        ))
    })?;
    let (kind, content) = parts(value).unwrap_or(("", value));
    if kind != part.kind {
        return Err(invalid(format!(
            "One or more parameter values were invalid: Type mismatch for key {} expected: {} actual: {kind}",
            part.name, part.kind
        )));
    }
    let text = content.as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(invalid(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {}",
            part.name
        )));
    }
    Ok(match kind {
        "N" => Part::Number(number(text)?),
        "B" => Part::Bytes(bytes(content).unwrap_or_default()),
        _ => Part::Bytes(text.as_bytes().to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_type() {
        for value in [
            json!({"S": "true"}),
            json!({"BOOL": true}),
            json!({"N": "1.5"}),
            json!({"NULL": true}),
            json!({"SS": ["a", "b"]}),
            json!({"M": {"list": {"L": [{"B": "AQI="}]}}}),
        ] {
            assert_eq!(normalized(&value).unwrap(), value);
        }
        assert_eq!(normalized(&json!({"N": "1.50"})).unwrap(), json!({"N": "1.5"}));
        assert_eq!(
            normalized(&json!({"SS": ["b", "a"]})).unwrap(),
            json!({"SS": ["a", "b"]})
        );
    }

    #[test]
    fn values_that_are_none_are_refused() {
        for bad in [
            json!({}),
            json!({"S": "a", "N": "1"}),
            json!({"N": "x"}),
            json!({"SS": []}),
            json!({"NS": ["1", "1.0"]}),
        ] {
            assert_eq!(normalized(&bad).unwrap_err().code, "ValidationException", "{bad}");
        }
        for bad in [json!("plain"), json!({"S": 1}), json!({"X": "1"})] {
            assert_eq!(normalized(&bad).unwrap_err().code, "SerializationException", "{bad}");
        }
    }
}
