//! What Slack makes of blocks when it stores them.

use serde_json::{Value, json};

/// The blocks as they come back: Slack names what has no name (`block_id`, `action_id`) and fills in `emoji` and `verbatim`.
pub(crate) fn stored(blocks: &[Value], mut new_id: impl FnMut() -> String) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    for block in &mut blocks {
        if block["block_id"].as_str().is_none_or(str::is_empty) {
            block["block_id"] = json!(new_id());
        }
        for key in ["accessory", "element"] {
            if let Some(element) = block.get_mut(key) {
                name(element, &mut new_id);
            }
        }
        if block["type"] == "actions" || block["type"] == "context_actions" {
            for element in block["elements"].as_array_mut().into_iter().flatten() {
                name(element, &mut new_id);
            }
        }
        if block["type"] != "rich_text" {
            fill_texts(block);
        }
    }
    blocks
}

fn name(element: &mut Value, new_id: &mut impl FnMut() -> String) {
    let Some(element) = element.as_object_mut() else { return };
    let named = element
        .get("action_id")
        .and_then(Value::as_str)
        .is_some_and(|id| !id.is_empty());
    if !named && element.get("type").is_none_or(|kind| kind != "image") {
        element.insert("action_id".to_owned(), json!(new_id()));
    }
}

fn fill_texts(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let default = match object.get("type").and_then(Value::as_str) {
                Some("plain_text") => Some(("emoji", true)),
                Some("mrkdwn") => Some(("verbatim", false)),
                _ => None,
            };
            if let Some((key, value)) = default.filter(|_| object.contains_key("text")) {
                object.entry(key).or_insert(json!(value));
            }
            object.values_mut().for_each(fill_texts);
        }
        Value::Array(items) => items.iter_mut().for_each(fill_texts),
        _ => {}
    }
}
