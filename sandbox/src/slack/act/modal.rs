//! Modals that people submit and close.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::click::form;
use super::{Denied, living};
use crate::slack::deliver::{Delivery, Endpoint, send};
use crate::slack::kit::{Surface, check_view};
use crate::slack::model::APP;
use crate::slack::payload::{elements, filled, initial_state, team, user};
use crate::slack::{View, Workspace};
use crate::world::{Change, World};

/// A modal that is submitted.
#[derive(Debug, Deserialize)]
pub(crate) struct Submit {
    user: String,
    view_id: String,
    #[serde(default)]
    values: Map<String, Value>,
}

/// A modal that is closed.
#[derive(Debug, Deserialize)]
pub(crate) struct Close {
    user: String,
    view_id: String,
    #[serde(default)]
    all: bool,
}

fn top<'a>(workspace: &'a Workspace, user: &str, view_id: &str) -> Result<&'a View, Denied> {
    living(workspace, user)?;
    let top = workspace.modals_of(user).last();
    top.filter(|view| view.id == view_id)
        .ok_or_else(|| Denied::missing("view_not_found", "such modal on top before this person"))
}

/// Fills the modal in and, if Slack's own checks pass, sends it and does what the answer says.
pub(crate) async fn submit(world: &Arc<World>, submit: Submit) -> Result<Value, Denied> {
    let delivery = {
        let mut workspace = world.slack();
        let view = top(&workspace, &submit.user, &submit.view_id)?;
        let (values, errors) = fill(view, &submit.values)?;
        let shown = view.to_slack(&values);
        keep_errors(&mut workspace, &submit, &errors);
        if !errors.is_empty() {
            world.changed(Change::Slack);
            return Ok(json!({"seq": 0, "status": 0, "error": null, "response_action": "errors", "errors": errors}));
        }
        let trigger = workspace
            .tables
            .trigger(&submit.user, Some(submit.view_id.clone()), world.clock.now_ms());
        let payload = json!({
            "type": "view_submission", "team": team(), "user": user(living(&workspace, &submit.user)?), "api_app_id": APP,
            "trigger_id": trigger, "view": shown, "response_urls": [], "is_enterprise_install": false, "enterprise": null,
        });
        let log = json!({
            "type": "view_submission", "user": submit.user, "view": submit.view_id,
            "callback_id": shown["callback_id"], "values": submit.values,
        });
        Delivery {
            endpoint: Endpoint::Interactions,
            body: form(&payload),
            log,
        }
    };
    let sent = send(world, &delivery, None).await;
    let outcome = match sent.error {
        Some(error) => Err(error),
        None => obey(&mut world.slack(), &submit, &sent.body, world.clock.now_ms()),
    };
    world.changed(Change::Slack);
    let (action, errors, error) = match outcome {
        Ok((action, errors)) => (action, errors, Value::Null),
        Err(error) => (Value::Null, json!({}), json!(error)),
    };
    Ok(json!({"seq": sent.seq, "status": sent.status, "error": error, "response_action": action, "errors": errors}))
}

fn keep_errors(workspace: &mut Workspace, submit: &Submit, errors: &Map<String, Value>) {
    let stack = workspace.views.get_mut(&submit.user);
    if let Some(view) = stack.and_then(|stack| stack.iter_mut().find(|view| view.id == submit.view_id)) {
        view.errors.clone_from(errors);
    }
}

/// `state.values`, and what Slack itself finds wrong with them.
fn fill(view: &View, given: &Map<String, Value>) -> Result<(Value, Map<String, Value>), Denied> {
    let mut values = initial_state(view.blocks());
    let mut errors = Map::new();
    for block in view.blocks() {
        let block_id = block["block_id"].as_str().unwrap_or_default();
        for element in elements(block) {
            let Some(action_id) = element["action_id"].as_str() else {
                continue;
            };
            let typed = given.get(block_id).and_then(|block| block.get(action_id));
            if typed.is_none() && block["type"] != "input" {
                continue;
            }
            let filled =
                filled(element, typed).map_err(|code| Denied::new(404, code, "the element has no such option"))?;
            if let Some(problem) = wrong(block, element, &filled) {
                errors.insert(block_id.to_owned(), json!(problem));
            }
            values[block_id][action_id] = filled;
        }
    }
    for block_id in given.keys() {
        if !view.blocks().iter().any(|block| block["block_id"] == **block_id) {
            return Err(Denied::missing("no_such_block", "such block in this modal"));
        }
    }
    Ok((values, errors))
}

/// What Slack's client says before anything is sent.
fn wrong(block: &Value, element: &Value, filled: &Value) -> Option<String> {
    let held = filled
        .as_object()?
        .iter()
        .find(|(key, _)| *key != "type")
        .map(|(_, value)| value)?;
    let empty = held.is_null() || held.as_array().is_some_and(Vec::is_empty);
    if block["type"] == "input" && block["optional"] != true && empty {
        return Some("Please complete this required field.".to_owned());
    }
    let length = held.as_str()?.chars().count() as u64;
    let (min, max) = (element["min_length"].as_u64(), element["max_length"].as_u64());
    if let Some(min) = min.filter(|min| length < *min) {
        return Some(format!("This entry must be at least {min} characters."));
    }
    let max = max.filter(|max| length > *max)?;
    Some(format!("This entry must be at most {max} characters."))
}

/// Does what the app answered to a submission; the action's name and the errors it showed.
fn obey(workspace: &mut Workspace, submit: &Submit, body: &str, now_ms: i64) -> Result<(Value, Value), &'static str> {
    let answer: Value = match body.trim() {
        "" => json!({}),
        text => serde_json::from_str(text).map_err(|_| "invalid_response")?,
    };
    if answer.as_object().is_some_and(|answer| !answer.is_empty()) {
        workspace.note_body("view_answer", &answer);
    }
    let stack = workspace.views.entry(submit.user.clone()).or_default();
    let place = stack.iter().position(|view| view.id == submit.view_id);
    let action = answer["response_action"].as_str();
    match action {
        None => stack.truncate(place.unwrap_or(stack.len())),
        Some("clear") => stack.clear(),
        Some("errors") => {
            let errors = answer["errors"]
                .as_object()
                .filter(|errors| !errors.is_empty())
                .ok_or("invalid_response")?;
            let view = place.and_then(|place| stack.get_mut(place)).ok_or("invalid_response")?;
            let input = |id: &String| {
                view.blocks()
                    .iter()
                    .any(|block| block["type"] == "input" && block["block_id"] == **id)
            };
            if !errors.keys().all(input) {
                return Err("invalid_response");
            }
            view.errors = errors.clone();
        }
        Some(kind @ ("update" | "push")) => {
            check_view(&answer["view"], Surface::Modal).map_err(|_| "invalid_response")?;
            let room = stack.len() < 3;
            let view = place.and_then(|place| stack.get_mut(place)).ok_or("invalid_response")?;
            if kind == "update" {
                view.replace(&answer["view"], now_ms);
            } else if room {
                let pushed = View::new(&answer["view"], Some(view), now_ms);
                stack.push(pushed);
            } else {
                return Err("invalid_response");
            }
        }
        Some(_) => return Err("invalid_response"),
    }
    Ok((
        json!(action),
        answer.get("errors").cloned().unwrap_or_else(|| json!({})),
    ))
}

/// Closes a modal and tells the app if it asked for that.
pub(crate) async fn close(world: &Arc<World>, close: Close) -> Result<Value, Denied> {
    let (delivery, changed) = {
        let mut workspace = world.slack();
        let view = top(&workspace, &close.user, &close.view_id)?.clone();
        let clears = close.all || view.body.get("clear_on_close") == Some(&Value::Bool(true));
        let stack = workspace.views.entry(close.user.clone()).or_default();
        if clears {
            stack.clear();
        } else {
            stack.pop();
        }
        let payload = json!({
            "type": "view_closed", "team": team(), "user": user(living(&workspace, &close.user)?), "api_app_id": APP,
            "view": view.to_slack(&initial_state(view.blocks())), "is_cleared": clears, "is_enterprise_install": false,
            "enterprise": null,
        });
        let log = json!({"type": "view_closed", "user": close.user, "view": close.view_id});
        (
            view.notifies_on_close().then(|| Delivery {
                endpoint: Endpoint::Interactions,
                body: form(&payload),
                log,
            }),
            Change::Slack,
        )
    };
    world.changed(changed);
    let Some(delivery) = delivery else {
        return Ok(json!({"seq": 0, "status": 0, "delivered": false}));
    };
    let sent = send(world, &delivery, None).await;
    Ok(json!({"seq": sent.seq, "status": sent.status, "delivered": sent.error.is_none()}))
}
