//! `flag`: one value in DynamoDB or SSM, its type kept, set only over what was read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{Flag, FlagType};
use serde_json::{Map, Value, json};

use super::{Answer, At, Executor, Probe, StepError, already, finished};
use crate::aws::AwsError;
use crate::aws::api::{DYNAMODB, SSM};
use crate::aws::signed::Ask;

#[async_trait]
impl Executor for Flag {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let old = read(self, at).await?;
        let now = words(old.as_ref());
        let outputs = outputs(self, now.as_deref());
        let standing = standing(self, old.as_ref(), outputs.get("other"));
        let Some(wanted) = &self.value else {
            return match outputs.get("value") {
                Some(_) => Ok(already(outputs, standing)),
                None => Err(StepError::failed(
                    "no_flag",
                    format!("{standing}, and the runbook does not say what that means"),
                )),
            };
        };
        if now.as_ref() == Some(wanted) {
            return Ok(already(outputs, format!("{standing} already")));
        }
        let before = now.as_ref().or(self.missing.as_ref());
        if self.expected.is_some() && self.expected.as_ref() != before {
            let expected = self.expected.as_deref().unwrap_or_default();
            return Err(StepError::failed(
                "not_as_expected",
                format!("{standing}, but {expected} was expected"),
            ));
        }
        let new = typed(self, old.as_ref(), wanted)?;
        Ok(StepOutcome::Prepared {
            memo: json!({ "old": old, "new": new }),
            outputs,
            evidence: vec![standing],
            done: false,
        })
    }

    async fn act(&self, at: At<'_>) -> Answer {
        set(self, at, ("old", "new")).await?;
        Ok(finished(became(self, at)))
    }

    /// Setting is guarded by the old value, so only what is there already has to be looked at.
    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let now = read(self, at).await?;
        Ok(if now == value(at, "new") {
            Probe::Done(finished(became(self, at)))
        } else {
            Probe::NotDone
        })
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        set(self, at, ("new", "old")).await?;
        let old = typed_words(value(at, "old").as_ref());
        Ok(finished(match old {
            Some(old) => format!("{} is {old} again", self.place()),
            None => format!("{} is gone again, as it was", self.place()),
        }))
    }
}

/// What it became, and what it was: what the card shows of a change.
fn became(flag: &Flag, at: At<'_>) -> String {
    let new = typed_words(value(at, "new").as_ref()).unwrap_or_default();
    match typed_words(value(at, "old").as_ref()) {
        Some(old) => format!("{} is {new} now; it was {old}", flag.place()),
        None => format!("{} is {new} now; it did not exist", flag.place()),
    }
}

/// What the memo holds under a name; nothing: the flag does not exist.
fn value(at: At<'_>, name: &str) -> Option<Value> {
    at.call.memo.get(name).filter(|value| !value.is_null()).cloned()
}

fn outputs(flag: &Flag, now: Option<&str>) -> BTreeMap<String, String> {
    let Some(value) = now.or(flag.missing.as_deref()) else {
        return BTreeMap::new();
    };
    let mut outputs = BTreeMap::from([("value".to_owned(), value.to_owned())]);
    if let [one, two] = flag.choices.as_slice() {
        let other = if value == one { two } else { one };
        outputs.insert("other".to_owned(), other.clone());
    }
    outputs
}

/// How it stands, with its type, which its readers look at, and with what is derived from it.
fn standing(flag: &Flag, old: Option<&Value>, other: Option<&String>) -> String {
    let mut standing = match (typed_words(old), &flag.missing) {
        (Some(now), _) => format!("{} is {now}", flag.place()),
        (None, Some(missing)) => format!("{} does not exist, which means {missing}", flag.place()),
        (None, None) => format!("{} does not exist", flag.place()),
    };
    if let Some(other) = other {
        standing.push_str(&format!("; the other is {other}"));
    }
    standing
}

/// A stored value with the name of its type: `true (string)`.
pub(super) fn typed_words(value: Option<&Value>) -> Option<String> {
    let (kind, _) = value?.as_object()?.iter().next()?;
    let kind = match kind.as_str() {
        "S" | "String" => "string",
        "BOOL" => "boolean",
        "N" => "number",
        "M" => "map",
        "L" | "StringList" => "list",
        // `{"NULL": true}`: a null is no value, and least of all true.
        "NULL" => return Some("null".to_owned()),
        other => other,
    };
    Some(format!("{} ({kind})", words(value)?))
}

/// A stored value as people write it.
fn words(value: Option<&Value>) -> Option<String> {
    let (_, inner) = value?.as_object()?.iter().next()?;
    Some(match inner {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// A value as it is stored: with the type of what is there, or of the runbook. SSM's types are DynamoDB's `S` with another name.
fn typed(flag: &Flag, old: Option<&Value>, text: &str) -> Result<Value, StepError> {
    let kept = old
        .and_then(Value::as_object)
        .and_then(|object| object.keys().next().cloned());
    let kind = match (kept, flag.kind, &flag.parameter) {
        (Some(kept), _, _) => kept,
        (None, _, Some(_)) => "String".to_owned(),
        (None, Some(FlagType::String), None) => "S".to_owned(),
        (None, Some(FlagType::Boolean), None) => "BOOL".to_owned(),
        (None, Some(FlagType::Number), None) => "N".to_owned(),
        (None, None, None) => {
            let why = format!(
                "{} does not exist: say `type` in the runbook, so that its readers understand it",
                flag.place()
            );
            return Err(StepError::failed("no_type", why));
        }
    };
    let value = match kind.as_str() {
        "BOOL" => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => {
                return Err(StepError::failed(
                    "wrong_type",
                    format!("{} is a boolean, and {text} is none", flag.place()),
                ));
            }
        },
        "N" if text.parse::<f64>().is_err() => {
            return Err(StepError::failed(
                "wrong_type",
                format!("{} is a number, and {text} is none", flag.place()),
            ));
        }
        _ => Value::String(text.to_owned()),
    };
    Ok(json!({ kind: value }))
}

/// What was read, unless no flag is of its type: then it counts neither as a value nor as missing, for nobody knows what its readers take it for.
fn flag_only(flag: &Flag, value: Option<Value>) -> Result<Option<Value>, StepError> {
    let kind = value
        .as_ref()
        .and_then(Value::as_object)
        .and_then(|object| object.keys().next());
    const MAKE: &str = "make it a string, a boolean or a number";
    let (is, todo) = match kind.map(String::as_str) {
        None | Some("S" | "N" | "BOOL" | "String" | "StringList") => return Ok(value),
        Some("NULL") => ("null".to_owned(), MAKE),
        // To set one is to encrypt it under another key than its own.
        Some("SecureString") => (
            "a SecureString".to_owned(),
            "it is neither decrypted nor encrypted anew. Keep the flag in a parameter of type String",
        ),
        Some(other) => (format!("of type {other}"), MAKE),
    };
    let why = format!("{} is {is}, which no flag is: {todo}, and try again", flag.place());
    Err(StepError::failed("wrong_type", why))
}

/// The value as it is stored, with its type: `{"S": "blue"}`, `{"String": "blue"}`; `None`: it does not exist.
async fn read(flag: &Flag, at: At<'_>) -> Result<Option<Value>, StepError> {
    if let Some(parameter) = &flag.parameter {
        let ask = Ask::target("GetParameter", json!({ "Name": parameter }));
        return match at.aws(SSM, ask).await {
            Ok(told) => {
                let parameter = &told.body["Parameter"];
                let kind = parameter["Type"].as_str().unwrap_or("String");
                flag_only(flag, Some(json!({ kind: parameter["Value"] })))
            }
            Err(error) if error.code() == Some("ParameterNotFound") => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    let ask = json!({ "TableName": flag.table, "Key": key(flag), "ConsistentRead": true });
    let told = at.aws(DYNAMODB, Ask::target("GetItem", ask)).await?;
    let attribute = flag.attribute.as_deref().unwrap_or_default();
    let value = told.body.pointer("/Item").and_then(|item| item.get(attribute));
    flag_only(flag, value.cloned())
}

fn key(flag: &Flag) -> Value {
    let key: Map<String, Value> = flag
        .key
        .iter()
        .map(|(name, value)| (name.clone(), json!({ "S": value })))
        .collect();
    Value::Object(key)
}

/// Sets the flag from what the memo holds under one name to what it holds under the other.
async fn set(flag: &Flag, at: At<'_>, (from, to): (&str, &str)) -> Result<(), StepError> {
    let (from, to) = (value(at, from), value(at, to));
    let result = match &flag.parameter {
        Some(parameter) => {
            // SSM has no compare-and-set: what is there is read as late as can be.
            let now = read(flag, at).await?;
            if now == to {
                return Ok(());
            }
            if now != from {
                return Err(changed(flag, now.as_ref()));
            }
            put(at, parameter, to.as_ref()).await
        }
        None => update(flag, at, (from.as_ref(), to.as_ref())).await,
    };
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
            let now = read(flag, at).await?;
            if now == to {
                Ok(())
            } else {
                Err(changed(flag, now.as_ref()))
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn changed(flag: &Flag, now: Option<&Value>) -> StepError {
    let now = words(now).unwrap_or_else(|| "gone".to_owned());
    StepError::failed(
        "changed_since",
        format!("{} is {now}: somebody changed it since it was read", flag.place()),
    )
}

async fn put(at: At<'_>, parameter: &str, to: Option<&Value>) -> Result<(), AwsError> {
    let ask = match to.and_then(Value::as_object).and_then(|object| object.iter().next()) {
        Some((kind, value)) => Ask::target(
            "PutParameter",
            json!({ "Name": parameter, "Value": value, "Type": kind, "Overwrite": true }),
        ),
        None => Ask::target("DeleteParameter", json!({ "Name": parameter })),
    };
    at.aws(SSM, ask).await.map(drop)
}

async fn update(flag: &Flag, at: At<'_>, (from, to): (Option<&Value>, Option<&Value>)) -> Result<(), AwsError> {
    let mut values = Map::new();
    let condition = match from {
        Some(from) => {
            values.insert(":from".to_owned(), from.clone());
            "#a = :from"
        }
        None => "attribute_not_exists(#a)",
    };
    let change = match to {
        Some(to) => {
            values.insert(":to".to_owned(), to.clone());
            "SET #a = :to"
        }
        None => "REMOVE #a",
    };
    let mut ask = json!({
        "TableName": flag.table,
        "Key": key(flag),
        "UpdateExpression": change,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": { "#a": flag.attribute },
    });
    if !values.is_empty() {
        ask["ExpressionAttributeValues"] = Value::Object(values);
    }
    at.aws(DYNAMODB, Ask::target("UpdateItem", ask)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(kind: Option<&str>) -> Flag {
        serde_json::from_value(json!({ "table": "t", "key": { "pk": "migrate" }, "attribute": "current", "type": kind, "choices": ["true", "false"] })).unwrap()
    }

    #[test]
    fn a_flag_keeps_the_type_that_is_there() {
        let typed = |kind, old: Option<Value>, text| typed(&flag(kind), old.as_ref(), text);
        assert_eq!(
            typed(None, Some(json!({ "S": "false" })), "true").unwrap(),
            json!({ "S": "true" })
        );
        assert_eq!(
            typed(Some("string"), Some(json!({ "BOOL": false })), "true").unwrap(),
            json!({ "BOOL": true })
        );
        assert_eq!(typed(Some("boolean"), None, "true").unwrap(), json!({ "BOOL": true }));
        for (kind, old, text) in [
            (None, None, "true"),
            (None, Some(json!({ "BOOL": true })), "yes"),
            (None, Some(json!({ "N": "1" })), "one"),
        ] {
            assert!(typed(kind, old.clone(), text).is_err(), "{old:?} {text}");
        }
    }

    #[test]
    fn a_null_is_neither_true_nor_missing() {
        assert_eq!(typed_words(Some(&json!({ "NULL": true }))).unwrap(), "null");
        let read = |value: Option<Value>| flag_only(&flag(None), value);
        for value in [None, Some(json!({ "S": "" })), Some(json!({ "BOOL": true }))] {
            assert_eq!(read(value.clone()).unwrap(), value);
        }
        for value in [
            json!({ "NULL": true }),
            json!({ "M": {} }),
            json!({ "L": [] }),
            json!({ "SS": ["true"] }),
            json!({ "B": "dHJ1ZQ==" }),
            json!({ "SecureString": "AQICAH" }),
        ] {
            assert!(read(Some(value.clone())).is_err(), "{value}");
        }
    }

    #[test]
    fn outputs_name_the_other_of_two_choices() {
        let outputs = outputs(&flag(None), words(Some(&json!({ "BOOL": true }))).as_deref());
        assert_eq!(
            (outputs["value"].as_str(), outputs["other"].as_str()),
            ("true", "false")
        );
    }
}
