//! What monitors ask: alive, ready, and the numbers.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::Shared;

/// Tells whether the bot can work.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// Asks the store, and tells what is known of the others.
    async fn ready(&self) -> Readiness;
}

/// Whether the bot can work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether the store answers: this alone makes the bot ready.
    pub store: bool,
    /// What the store is, or why it does not answer.
    pub store_detail: String,
    /// Whether the last call to Slack was answered; nothing when none was made yet. An outage of Slack's does not take the bot out of service.
    pub slack: Option<bool>,
    /// Whether the last read of AWS was answered; nothing when none was made yet.
    pub aws: Option<bool>,
}

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let readiness = shared.http.probe.ready().await;
    let status = if readiness.store {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(readiness)).into_response()
}

pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    match &shared.http.metrics {
        Some(handle) => (
            [(http::header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
            handle.render(),
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
