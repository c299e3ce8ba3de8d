//! The parts that interaction payloads share.

use serde_json::{Value, json};

use super::model::{Channel, DOMAIN, Person, TEAM};

/// Who acted: a stranger carries their own workspace.
pub(super) fn user(person: &Person) -> Value {
    json!({"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id})
}

/// The workspace in which the app is installed.
pub(super) fn team() -> Value {
    json!({"id": TEAM, "domain": DOMAIN})
}

/// What `channel_name` says: a direct message has no name of its own.
pub(super) fn channel_name(channel: &Channel) -> &str {
    if channel.im_with.is_some() {
        "directmessage"
    } else {
        &channel.name
    }
}

/// The interactive elements of a block, wherever it keeps them.
pub(super) fn elements(block: &Value) -> Vec<&Value> {
    let several = block["elements"].as_array().into_iter().flatten();
    let single = ["accessory", "element"].into_iter().filter_map(|key| block.get(key));
    several
        .chain(single)
        .filter(|element| element.get("action_id").is_some())
        .collect()
}

/// What an element holds, in the shape of `state.values`: what was given, else what it started with.
///
/// # Errors
/// When an option is named that the element has not.
pub(super) fn filled(element: &Value, given: Option<&Value>) -> Result<Value, &'static str> {
    let kind = element["type"].as_str().unwrap_or_default();
    let (key, initial) = match kind {
        "static_select" | "radio_buttons" | "external_select" | "overflow" => ("selected_option", "initial_option"),
        "checkboxes" | "multi_static_select" | "multi_external_select" => ("selected_options", "initial_options"),
        "datepicker" => ("selected_date", "initial_date"),
        "timepicker" => ("selected_time", "initial_time"),
        "datetimepicker" => ("selected_date_time", "initial_date_time"),
        "users_select" => ("selected_user", "initial_user"),
        "channels_select" => ("selected_channel", "initial_channel"),
        "conversations_select" => ("selected_conversation", "initial_conversation"),
        "multi_users_select" => ("selected_users", "initial_users"),
        "multi_channels_select" => ("selected_channels", "initial_channels"),
        "multi_conversations_select" => ("selected_conversations", "initial_conversations"),
        "rich_text_input" => ("rich_text_value", "initial_value"),
        _ => ("value", "initial_value"),
    };
    let value = match given.filter(|given| !given.is_null()) {
        None => element
            .get(initial)
            .cloned()
            .unwrap_or_else(|| if key.ends_with('s') { json!([]) } else { Value::Null }),
        Some(given) if key == "selected_option" => option(element, given)?,
        Some(given) if key == "selected_options" => {
            let chosen = given.as_array().ok_or("no_such_option")?;
            chosen
                .iter()
                .map(|given| option(element, given))
                .collect::<Result<Value, _>>()?
        }
        // An empty box is no value.
        Some(given) if key == "value" && given == "" => Value::Null,
        Some(given) => given.clone(),
    };
    let mut filled = json!({"type": kind});
    filled[key] = value;
    Ok(filled)
}

/// The option with this `value`.
fn option(element: &Value, value: &Value) -> Result<Value, &'static str> {
    let grouped = element["option_groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group["options"].as_array());
    let mut options = element["options"].as_array().into_iter().chain(grouped).flatten();
    options
        .find(|option| option["value"] == *value)
        .cloned()
        .ok_or("no_such_option")
}

/// `state.values` of blocks to which nothing was given.
pub(super) fn initial_state(blocks: &[Value]) -> Value {
    let mut values = json!({});
    for block in blocks {
        for element in elements(block) {
            let kind = element["type"].as_str().unwrap_or_default();
            let block_id = block["block_id"].as_str().unwrap_or_default();
            if super::kit::is_input(kind)
                && let (Ok(filled), Some(action_id)) = (filled(element, None), element["action_id"].as_str())
            {
                values[block_id][action_id] = filled;
            }
        }
    }
    values
}
