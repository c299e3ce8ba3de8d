//! `views.*`.

use serde_json::{Value, json};

use super::{Outcome, Refusal, Request};
use crate::slack::View;
use crate::slack::kit::{Surface, ViewProblem, check_view};

/// How many modals lie on one another.
const STACK_MAX: usize = 3;

impl From<ViewProblem> for Refusal {
    fn from(problem: ViewProblem) -> Self {
        match problem {
            ViewProblem::TooLarge => Self::from("view_too_large"),
            ViewProblem::Wrong(messages) => Self::because("invalid_arguments", messages),
        }
    }
}

/// Refuses a name that another open view has.
fn unused_external_id(request: &Request<'_>, except: &str) -> Result<(), Refusal> {
    let wanted = request
        .args
        .get("view")
        .and_then(|view| view["external_id"].as_str())
        .unwrap_or_default();
    let open = request.workspace.views.values().flatten();
    let taken = open
        .into_iter()
        .any(|view| !wanted.is_empty() && view.external_id() == wanted && view.id != except);
    if taken {
        Err("duplicate_external_id".into())
    } else {
        Ok(())
    }
}

fn trigger(request: &mut Request<'_>) -> Result<crate::slack::tables::Trigger, Refusal> {
    let id = request.args.text("trigger_id");
    if id.is_empty() {
        return Err(Refusal::because(
            "invalid_arguments",
            vec!["[ERROR] missing required field: trigger_id".to_owned()],
        ));
    }
    Ok(request.workspace.tables.spend(id, request.now_ms)?)
}

fn shown(view: &View) -> Value {
    json!({"view": view.to_slack(&json!({}))})
}

pub(super) fn open(request: &mut Request<'_>) -> Outcome {
    let body = request.args.get("view").cloned().unwrap_or_default();
    check_view(&body, Surface::Modal)?;
    unused_external_id(request, "")?;
    let trigger = trigger(request)?;
    let view = View::new(&body, None, request.now_ms);
    let answer = shown(&view);
    request.workspace.views.insert(trigger.user, vec![view]);
    Ok(answer)
}

pub(super) fn push(request: &mut Request<'_>) -> Outcome {
    let body = request.args.get("view").cloned().unwrap_or_default();
    check_view(&body, Surface::Modal)?;
    unused_external_id(request, "")?;
    let trigger = trigger(request)?;
    let stack = request.workspace.views.entry(trigger.user).or_default();
    if trigger.view.is_none() || stack.is_empty() {
        return Err("not_found".into());
    }
    if stack.len() >= STACK_MAX {
        return Err("push_limit_reached".into());
    }
    let view = View::new(&body, stack.last(), request.now_ms);
    let answer = shown(&view);
    stack.push(view);
    Ok(answer)
}

pub(super) fn update(request: &mut Request<'_>) -> Outcome {
    let body = request.args.get("view").cloned().unwrap_or_default();
    check_view(&body, Surface::Modal)?;
    let (id, external_id) = (request.args.text("view_id"), request.args.text("external_id"));
    if id.is_empty() && external_id.is_empty() {
        return Err(Refusal::because(
            "invalid_arguments",
            vec!["[ERROR] missing required field: view_id".to_owned()],
        ));
    }
    let named = |view: &&View| {
        if id.is_empty() {
            view.external_id() == external_id
        } else {
            view.id == id
        }
    };
    let found = request
        .workspace
        .views
        .values()
        .flatten()
        .find(named)
        .map(|view| view.id.clone())
        .ok_or("not_found")?;
    unused_external_id(request, &found)?;
    let hash = request.args.text("hash");
    let view = request
        .workspace
        .views
        .values_mut()
        .flatten()
        .find(|view| view.id == found)
        .ok_or("not_found")?;
    if !hash.is_empty() && hash != view.hash {
        return Err("hash_conflict".into());
    }
    view.replace(&body, request.now_ms);
    Ok(shown(view))
}

pub(super) fn publish(request: &mut Request<'_>) -> Outcome {
    let body = request.args.get("view").cloned().unwrap_or_default();
    check_view(&body, Surface::Home)?;
    let user = request.args.text("user_id");
    request.workspace.person(user).ok_or_else(|| {
        Refusal::because(
            "invalid_arguments",
            vec!["[ERROR] failed to match all allowed schemas [json-pointer:/user_id]".to_owned()],
        )
    })?;
    let hash = request.args.text("hash");
    let home = request.workspace.homes.get_mut(user);
    let view = match home {
        Some(home) if !hash.is_empty() && home.hash != hash => return Err("hash_conflict".into()),
        Some(home) => {
            home.replace(&body, request.now_ms);
            home.clone()
        }
        None => View::new(&body, None, request.now_ms),
    };
    let answer = shown(&view);
    request.workspace.homes.insert(user.to_owned(), view);
    Ok(answer)
}
