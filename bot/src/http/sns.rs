//! What SNS delivers: see [`crate::aws::sns`].

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use metrics::counter;

use super::Shared;
use crate::aws::sns::{Told, Unheard};

pub(super) async fn receive(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let Ok(_room) = shared.room.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let Some(topics) = &shared.http.topics else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let why = match topics.hear(&body).await {
        Ok(Told::Hint(hint)) => {
            shared.http.bot.hint(hint).await;
            return StatusCode::OK.into_response();
        }
        Ok(Told::Subscribed | Told::Nothing) => return StatusCode::OK.into_response(),
        Err(why) => why,
    };
    tracing::warn!(%why, "a message to /aws/sns was not heard");
    counter!("signalbox_deliveries_refused_total", "why" => why.name()).increment(1);
    let status = match why {
        // SNS sends it again.
        Unheard::NotNow(_) => StatusCode::SERVICE_UNAVAILABLE,
        Unheard::Shape => StatusCode::BAD_REQUEST,
        Unheard::Topic | Unheard::Certificate | Unheard::Signature => StatusCode::FORBIDDEN,
    };
    status.into_response()
}
