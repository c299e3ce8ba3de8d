//! Slash commands.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use commands::ids::{ChannelId, DeliveryId, TeamId, UserId};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::{Answer, Heard, Kind, Shared, Who, unescape};
use crate::secret::Secret;
use crate::slack::render;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Deserialize, Default)]
#[serde(default)]
struct Form {
    ssl_check: String,
    api_app_id: Option<String>,
    enterprise_id: Option<String>,
    team_id: Option<String>,
    user_id: String,
    channel_id: String,
    command: String,
    text: String,
    trigger_id: String,
    response_url: String,
}

pub(super) async fn receive(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let Ok(form) = serde_urlencoded::from_bytes::<Form>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Slack's probe of our certificate.
    if form.ssl_check == "1" {
        return StatusCode::OK.into_response();
    }
    let Some(heard) = read(form) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match shared.http.bot.hear(heard).await {
        Answer::Private(message) => axum::Json(render::reply(&message, false)).into_response(),
        Answer::Public(message) => axum::Json(render::reply(&message, true)).into_response(),
        Answer::Drawn(body) => ([(CONTENT_TYPE, JSON)], body).into_response(),
        Answer::Empty | Answer::FormErrors(_) | Answer::CloseForms => StatusCode::OK.into_response(),
    }
}

fn read(form: Form) -> Option<Heard> {
    let team = |id: Option<String>| id.and_then(|id| TeamId::parse(&id).ok());
    let team_id = team(form.team_id);
    Some(Heard {
        who: Who {
            app: form.api_app_id,
            enterprise: team(form.enterprise_id),
            team: team_id,
            user: UserId::parse(&form.user_id).ok()?,
            user_team: None,
        },
        channel: ChannelId::parse(&form.channel_id).ok(),
        thread_ts: None,
        delivery: DeliveryId::parse(&format!("command/{}", form.trigger_id))
            .ok()
            .filter(|_| !form.trigger_id.is_empty())?,
        trigger_id: Some(form.trigger_id),
        response_url: Some(form.response_url).filter(|url| !url.is_empty()).map(Secret::new),
        kind: Kind::Command {
            command: form.command,
            text: unescape(form.text.trim()),
        },
    })
}
