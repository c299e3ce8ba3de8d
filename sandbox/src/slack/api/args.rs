//! Arguments of a Web API call, whichever way they came.

use serde_json::{Map, Value, json};

/// Arguments that are JSON inside a form field.
const JSON_ARGUMENTS: &[&str] = &["blocks", "attachments", "metadata", "view", "files"];
/// Arguments that are true or false.
const FLAGS: &[&str] = &[
    "include_all_metadata",
    "include_count",
    "include_disabled",
    "include_users",
    "include_locale",
    "include_num_members",
    "inclusive",
    "link_names",
    "mrkdwn",
    "reply_broadcast",
    "return_im",
    "prevent_creation",
    "unfurl_links",
    "unfurl_media",
    "exclude_archived",
    "as_user",
];
/// Arguments that are numbers.
const NUMBERS: &[&str] = &["limit", "length"];

/// The arguments, with JSON, flags and numbers already understood.
#[derive(Debug, Clone, Default)]
pub(in crate::slack) struct Args(Map<String, Value>);

impl Args {
    /// From form fields or a query string.
    pub(in crate::slack) fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, text)| (key.clone(), typed(&key, text)))
                .collect(),
        )
    }

    /// From a JSON object; `None` for other JSON.
    pub(in crate::slack) fn from_json(body: Value) -> Option<Self> {
        let Value::Object(mut object) = body else { return None };
        // Slack also takes these as strings inside JSON.
        for key in JSON_ARGUMENTS {
            if let Some(Value::String(text)) = object.get(*key) {
                let value = typed(key, text.clone());
                object.insert((*key).to_owned(), value);
            }
        }
        object.retain(|_, value| !value.is_null());
        Some(Self(object))
    }

    /// Adds what the other has and this has not.
    pub(in crate::slack) fn or(mut self, other: Self) -> Self {
        for (key, value) in other.0 {
            self.0.entry(key).or_insert(value);
        }
        self
    }

    /// Takes the token out: it goes no further than the check of it.
    pub(in crate::slack) fn take_token(&mut self) -> Option<String> {
        self.0
            .remove("token")
            .and_then(|token| token.as_str().map(str::to_owned))
    }

    /// As JSON, for logs and recordings.
    pub(in crate::slack) fn to_json(&self) -> Value {
        json!(self.0)
    }

    /// An argument of any kind.
    pub(in crate::slack) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// A string; empty when it is missing.
    pub(in crate::slack) fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A flag; false when it is missing.
    pub(in crate::slack) fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A count between 1 and `max`.
    pub(in crate::slack) fn limit(&self, default: usize, max: usize) -> usize {
        let given = self
            .0
            .get("limit")
            .and_then(Value::as_u64)
            .and_then(|limit| usize::try_from(limit).ok());
        given.filter(|limit| *limit > 0).unwrap_or(default).min(max)
    }

    /// How many items earlier pages had; `None` for a cursor that was never given out.
    pub(in crate::slack) fn cursor(&self) -> Option<usize> {
        match self.text("cursor") {
            "" => Some(0),
            cursor => String::from_utf8(hex::decode(cursor).ok()?)
                .ok()?
                .strip_prefix("next:")?
                .parse()
                .ok(),
        }
    }
}

/// The cursor of the page that begins after `seen` items.
pub(super) fn cursor_after(seen: usize) -> String {
    hex::encode(format!("next:{seen}"))
}

fn typed(key: &str, text: String) -> Value {
    if JSON_ARGUMENTS.contains(&key) {
        return serde_json::from_str(&text).unwrap_or(Value::String(text));
    }
    if FLAGS.contains(&key) {
        match text.as_str() {
            "1" | "true" | "True" => return Value::Bool(true),
            "0" | "false" | "False" => return Value::Bool(false),
            _ => {}
        }
    }
    if NUMBERS.contains(&key)
        && let Ok(number) = text.parse::<u64>()
    {
        return Value::from(number);
    }
    Value::String(text)
}
