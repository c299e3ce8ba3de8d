//! Presses of buttons and choices in selects, in messages and in modals.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Denied, channel_of, living};
use crate::slack::Workspace;
use crate::slack::deliver::{Delivery, Endpoint, send};
use crate::slack::kit::interactive;
use crate::slack::model::{APP, Message};
use crate::slack::payload::{channel_name, elements, filled, initial_state, team, user};
use crate::slack::tables::Original;
use crate::world::{Change, World};

/// What was pressed, and by whom.
#[derive(Debug, Deserialize)]
pub(crate) struct Click {
    user: String,
    action_id: String,
    block_id: Option<String>,
    /// What was chosen, in a select.
    value: Option<Value>,
    channel: Option<String>,
    ts: Option<String>,
    view_id: Option<String>,
}

/// Sends what was pressed; what the control API says of it.
pub(crate) async fn click(world: &Arc<World>, click: Click) -> Result<Value, Denied> {
    let delivery = {
        let mut workspace = world.slack();
        let now_ms = world.clock.now_ms();
        living(&workspace, &click.user)?;
        let mut payload = match &click.view_id {
            Some(view_id) => in_view(&mut workspace, &click, view_id, now_ms)?,
            None => in_message(&mut workspace, &click, now_ms)?,
        };
        let person = living(&workspace, &click.user)?;
        payload["type"] = json!("block_actions");
        payload["user"] = user(person);
        payload["team"] = team();
        payload["api_app_id"] = json!(APP);
        payload["enterprise"] = Value::Null;
        payload["is_enterprise_install"] = json!(false);
        let log = json!({
            "type": "block_actions", "user": click.user, "channel": click.channel, "ts": click.ts, "view": click.view_id,
            "action_id": click.action_id, "value": payload["actions"][0]["value"],
        });
        Delivery {
            endpoint: Endpoint::Interactions,
            body: form(&payload),
            log,
        }
    };
    let sent = send(world, &delivery, None).await;
    world.changed(Change::Slack);
    Ok(json!({"seq": sent.seq, "status": sent.status, "error": sent.error}))
}

/// The one form field of an interaction.
pub(super) fn form(payload: &Value) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish()
}

/// The message, if this person sees it; and whether only they do.
fn visible<'a>(workspace: &'a Workspace, click: &'a Click) -> Result<(&'a Message, bool), Denied> {
    let gone = || Denied::missing("message_not_found", "such message before this person");
    let channel = click.channel.as_deref().unwrap_or_default();
    let ts = click.ts.as_deref().unwrap_or_default();
    channel_of(workspace, &click.user, channel)?;
    if let Some(message) = workspace
        .ephemerals_for(&click.user, channel)
        .find(|message| message.ts == ts)
    {
        return Ok((message, true));
    }
    workspace
        .message(channel, ts)
        .map(|message| (message, false))
        .ok_or_else(gone)
}

fn in_message(workspace: &mut Workspace, click: &Click, now_ms: i64) -> Result<Value, Denied> {
    let (message, is_ephemeral) = visible(workspace, click)?;
    let channel = channel_of(workspace, &click.user, click.channel.as_deref().unwrap_or_default())?;
    if channel.is_archived {
        return Err(Denied::new(403, "is_archived", "the channel is archived"));
    }
    let mut container = json!({
        "type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": is_ephemeral,
    });
    if let Some(thread_ts) = &message.thread_ts {
        container["thread_ts"] = json!(thread_ts);
    }
    let mut payload = json!({
        "container": container,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": initial_state(&message.blocks)},
        "actions": [action(&message.blocks, click, now_ms)?],
    });
    // Slack keeps no ephemeral messages, so it cannot show one again.
    if !is_ephemeral {
        payload["message"] = message.to_slack(true);
    }
    let ts = message.ts.clone();
    let original = if is_ephemeral {
        Original::Ephemeral(ts)
    } else {
        Original::Message(ts)
    };
    let channel = channel.id.clone();
    let token = workspace
        .tables
        .response_url(&click.user, &channel, Some(original), now_ms);
    payload["response_url"] = json!(format!("{}/slack/response/{token}", workspace.link.own_url));
    payload["trigger_id"] = json!(workspace.tables.trigger(&click.user, None, now_ms));
    Ok(payload)
}

fn in_view(workspace: &mut Workspace, click: &Click, view_id: &str, now_ms: i64) -> Result<Value, Denied> {
    let gone = || Denied::missing("view_not_found", "such modal before this person");
    let view = workspace
        .modals_of(&click.user)
        .iter()
        .find(|view| view.id == view_id)
        .ok_or_else(gone)?;
    let payload_view = view.to_slack(&initial_state(view.blocks()));
    let actions = [action(view.blocks(), click, now_ms)?];
    let trigger = workspace.tables.trigger(&click.user, Some(view_id.to_owned()), now_ms);
    Ok(json!({
        "container": {"type": "view", "view_id": view_id}, "view": payload_view, "actions": actions, "trigger_id": trigger,
    }))
}

/// The action object of the element that was pressed.
fn action(blocks: &[Value], click: &Click, now_ms: i64) -> Result<Value, Denied> {
    let missing = || Denied::missing("no_such_button", "such button in what this person sees");
    let in_block = |block: &&Value| click.block_id.as_ref().is_none_or(|id| block["block_id"] == **id);
    let mut pairs = blocks
        .iter()
        .filter(in_block)
        .flat_map(|block| elements(block).into_iter().map(move |e| (block, e)));
    let (block, element) = pairs
        .find(|(_, element)| element["action_id"] == *click.action_id)
        .ok_or_else(missing)?;
    let kind = element["type"].as_str().unwrap_or_default();
    if !interactive(kind) && block["dispatch_action"] != true {
        return Err(missing());
    }
    let mut action = if kind == "button" {
        json!({"type": kind, "text": element["text"]})
    } else {
        filled(element, click.value.as_ref())
            .map_err(|code| Denied::new(404, code, "the element has no such option"))?
    };
    for key in ["value", "style", "placeholder", "confirm"] {
        if let Some(value) = element.get(key).filter(|_| kind == "button" || key != "value") {
            action[key] = value.clone();
        }
    }
    action["action_id"] = json!(click.action_id);
    action["block_id"] = block["block_id"].clone();
    action["action_ts"] = json!(format!("{}.{:06}", now_ms / 1000, rand::random_range(0..1_000_000)));
    Ok(action)
}
