//! Buttons and forms.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use commands::ids::{ChannelId, DeliveryId, TeamId, UserId};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Heard, Kind, Shared, Who};
use crate::secret::Secret;
use crate::slack::render::{self, FIELD_ACTION};

#[derive(Deserialize)]
struct Form {
    payload: String,
}

/// What this version reads of Slack's payloads. Whatever may be missing or null anywhere may be so here; everything else is not looked at.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    api_app_id: Option<String>,
    enterprise: Option<Id>,
    team: Option<Id>,
    user: User,
    channel: Option<Id>,
    container: Option<Container>,
    message: Option<MessageRef>,
    trigger_id: Option<String>,
    response_url: Option<String>,
    #[serde(default)]
    actions: Vec<Action>,
    view: Option<View>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct Container {
    message_ts: Option<String>,
    thread_ts: Option<String>,
    channel_id: Option<String>,
}

#[derive(Deserialize)]
struct MessageRef {
    ts: Option<String>,
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    action_id: Option<String>,
    action_ts: Option<String>,
    value: Option<String>,
    selected_option: Option<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    value: Option<String>,
}

#[derive(Deserialize)]
struct View {
    id: String,
    hash: Option<String>,
    callback_id: Option<String>,
    private_metadata: Option<String>,
    state: Option<ViewState>,
    app_installed_team_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ViewState {
    values: BTreeMap<String, BTreeMap<String, Value>>,
}

pub(super) async fn receive(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let Ok(form) = serde_urlencoded::from_bytes::<Form>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(heard) = serde_json::from_str::<Payload>(&form.payload).ok().and_then(read) else {
        // A kind of payload that this version does not know, or one of ours without a part it needs: nothing a retry could mend.
        tracing::debug!("an interaction was not understood");
        return StatusCode::OK.into_response();
    };
    match shared.http.bot.hear(heard).await {
        Answer::FormErrors(errors) => {
            axum::Json(json!({"response_action": "errors", "errors": errors})).into_response()
        }
        Answer::CloseForms => axum::Json(json!({"response_action": "clear"})).into_response(),
        Answer::Empty => StatusCode::OK.into_response(),
        Answer::Private(_) | Answer::Public(_) | Answer::Drawn(_) => {
            tracing::error!("an interaction cannot be answered with a message; it was dropped");
            StatusCode::OK.into_response()
        }
    }
}

fn read(mut payload: Payload) -> Option<Heard> {
    let (kind, seed) = kind(&mut payload)?;
    let container = payload.container.as_ref();
    let message = payload.message.as_ref();
    let thread_ts = message
        .and_then(|message| message.thread_ts.clone())
        .or_else(|| container?.thread_ts.clone());
    let channel = payload
        .channel
        .map(|channel| channel.id)
        .or_else(|| container?.channel_id.clone());
    let team = |id: Option<String>| id.and_then(|id| TeamId::parse(&id).ok());
    // A form opened from a shared channel names the workspace it belongs to by itself.
    let installed = payload.view.and_then(|view| view.app_installed_team_id);
    Some(Heard {
        who: Who {
            app: payload.api_app_id,
            enterprise: team(payload.enterprise.map(|id| id.id)),
            team: team(installed).or_else(|| team(payload.team.map(|id| id.id))),
            user: UserId::parse(&payload.user.id).ok()?,
            user_team: team(payload.user.team_id),
        },
        channel: channel.and_then(|id| ChannelId::parse(&id).ok()),
        thread_ts,
        delivery: DeliveryId::parse(&format!("{}/{}", payload.kind, commands::digest::full(seed.as_bytes()))).ok()?,
        trigger_id: payload.trigger_id,
        response_url: payload.response_url.filter(|url| !url.is_empty()).map(Secret::new),
        kind,
    })
}

/// What was done, and what makes this delivery the only one of its kind.
fn kind(payload: &mut Payload) -> Option<(Kind, String)> {
    match payload.kind.as_str() {
        "block_actions" => press(payload),
        "view_submission" | "view_closed" => form(payload),
        _ => None,
    }
}

fn press(payload: &mut Payload) -> Option<(Kind, String)> {
    let action = payload.actions.drain(..).next()?;
    let name = render::action(&action.action_id?).to_owned();
    let chosen = action.selected_option.and_then(|choice| choice.value);
    let value = action.value.or(chosen).unwrap_or_default();
    let stamp = action.action_ts?;
    let seed = format!("{stamp} {} {name} {value}", payload.user.id);
    let message_ts = payload
        .message
        .as_ref()
        .and_then(|message| message.ts.clone())
        .or_else(|| payload.container.as_ref()?.message_ts.clone());
    let kind = Kind::Press {
        action: name,
        value,
        message_ts,
    };
    Some((kind, seed))
}

fn form(payload: &mut Payload) -> Option<(Kind, String)> {
    let closed = payload.kind == "view_closed";
    let view = payload.view.as_mut()?;
    let seed = format!("{} {} {}", view.id, view.hash.as_deref().unwrap_or(""), payload.user.id);
    let form = view.callback_id.take()?;
    let about = view.private_metadata.take().unwrap_or_default();
    if closed {
        return Some((Kind::FormClosed { form, about }, seed));
    }
    let values = view.state.take().unwrap_or_default().values;
    let fields: BTreeMap<String, String> = values
        .into_iter()
        .map(|(name, mut elements)| {
            let value = elements
                .remove(FIELD_ACTION)
                .map(|element| field(&element))
                .unwrap_or_default();
            (name, value)
        })
        .collect();
    // The hash of a view does not change between two tries at the same form: what was filled in does.
    let seed = format!("{seed} {fields:?}");
    Some((Kind::Form { form, about, fields }, seed))
}

fn field(element: &Value) -> String {
    let direct = element.get("value").and_then(Value::as_str);
    let chosen = || element.get("selected_option")?.get("value")?.as_str();
    direct.or_else(chosen).unwrap_or_default().to_owned()
}
