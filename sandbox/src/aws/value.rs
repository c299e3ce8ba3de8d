//! Answers as JSON values, with three additions: an instant, which each protocol writes in its own way; a list whose entries have a name in
//! XML; and a whole HTTP answer, for operations whose result is not a structure.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::events::iso;

const TIMESTAMP: &str = "$timestamp";
const RAW: &str = "$raw";

/// An instant (Unix milliseconds) within an answer.
pub(crate) fn timestamp(at_ms: i64) -> Value {
    json!({ TIMESTAMP: at_ms })
}

/// The instant that a value stands for, if it is one.
pub(crate) fn as_timestamp(value: &Value) -> Option<i64> {
    let object = value.as_object()?;
    (object.len() == 1).then(|| object.get(TIMESTAMP)?.as_i64()).flatten()
}

/// A list that XML writes as `<name>…</name>` each, within an element of its own: `{"$name": […]}`. As a member of a larger structure
/// such a key makes a list without an element around it.
pub(crate) fn items(name: &str, list: Vec<Value>) -> Value {
    json!({ format!("${name}"): list })
}

/// An HTTP answer as it is: status, headers and body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// An answer that is not a structure.
pub(crate) fn raw(status: StatusCode, headers: &[(&str, &str)], body: &str) -> Value {
    json!({ RAW: {"status": status.as_u16(), "headers": headers, "body": body} })
}

/// The HTTP answer that a value stands for, if it is one.
pub(crate) fn as_raw(value: &Value) -> Option<Raw> {
    let raw = value.get(RAW)?;
    Some(Raw {
        status: StatusCode::from_u16(u16::try_from(raw["status"].as_u64()?).ok()?).ok()?,
        headers: serde_json::from_value(raw["headers"].clone()).ok()?,
        body: raw["body"].as_str()?.to_owned(),
    })
}

/// Seconds with a fraction, as JSON and CBOR carry instants.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of any real date fit a double exactly"
)]
pub(crate) fn seconds(at_ms: i64) -> f64 {
    at_ms as f64 / 1000.0
}

/// The answer as awsJson writes it.
pub(crate) fn to_json(value: Value) -> Value {
    rewrite(value, &|at_ms| json!(seconds(at_ms)))
}

/// The answer as the wire log and XML write it.
pub(crate) fn to_text(value: Value) -> Value {
    rewrite(value, &|at_ms| json!(iso(at_ms)))
}

fn rewrite(value: Value, instant: &dyn Fn(i64) -> Value) -> Value {
    if let Some(at_ms) = as_timestamp(&value) {
        return instant(at_ms);
    }
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (key, rewrite(value, instant)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| rewrite(item, instant)).collect()),
        other => other,
    }
}

/// A structure without the members that have no value: the services leave those out rather than send null.
pub(crate) fn structure<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let known = members
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(known.collect::<Map<_, _>>())
}
