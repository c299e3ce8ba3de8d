//! What the page's controls do, as JSON over HTTP: tests drive the same calls. Every shape is in `docs/sandbox.md`.

mod aws;
mod dns;
mod github;
mod services;
mod slack;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::faults::Fault;
use crate::world::{Change, World};

/// A control that cannot do what it was asked to.
#[derive(Debug)]
pub(crate) struct ControlError {
    status: StatusCode,
    code: String,
    message: String,
}

impl ControlError {
    /// A refusal with a stable code and a sentence for a person.
    pub(crate) fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.code, "message": self.message}))).into_response()
    }
}

/// What a control answers.
pub(crate) type Controlled = Result<Json<Value>, ControlError>;

/// A JSON body, whatever its content type says; a body that does not fit is refused in the control's own form.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        let parsed: Result<Json<T>, JsonRejection> = Json::from_request(Request::from_parts(parts, body), state).await;
        let Json(body) =
            parsed.map_err(|wrong| ControlError::new(StatusCode::BAD_REQUEST, "bad_request", wrong.body_text()))?;
        Ok(Self(body))
    }
}

/// The routes under `/control`.
pub(crate) fn routes(world: &Arc<World>) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/changes", get(changes))
        .route("/log", get(log))
        .route("/faults", get(faults).post(set_fault).delete(clear_faults))
        .route("/faults/{id}", axum::routing::delete(clear_fault))
        .route("/faults/release", post(release))
        .route("/clock/jump", post(jump))
        .route("/host/restart", post(restart))
        .route("/host/journal", get(journal))
        .route("/host/commands", get(commands))
        .merge(slack::routes())
        .merge(aws::routes())
        .merge(github::routes())
        .merge(services::routes())
        .merge(dns::routes())
        .with_state(Arc::clone(world))
}

async fn state(State(world): State<Arc<World>>) -> Json<Value> {
    let slack = world.slack().snapshot();
    let aws = crate::aws::snapshot(&world.aws());
    let github = crate::github::snapshot(&world.github());
    let services = crate::services::snapshot(&world.services());
    let available = world.host().is_some();
    Json(json!({
        "now_ms": world.clock.now_ms(),
        "frozen": world.clock.is_frozen(),
        "slack": slack,
        "aws": aws,
        "github": github,
        "services": services,
        "faults": world.faults.list(),
        "held": world.faults.held(),
        "host": {"available": available, "reason": if available { "" } else { NO_HOST }},
    }))
}

/// Changes as they come. A listener that was too slow is told of everything, for it no longer knows what it missed.
async fn changes(State(world): State<Arc<World>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = futures::stream::unfold((world.listen(), Vec::new()), |(mut listener, mut missed)| async move {
        if missed.is_empty() {
            match listener.recv().await {
                Ok(change) => missed.push(change),
                Err(RecvError::Lagged(_)) => missed.extend(Change::ALL),
                Err(RecvError::Closed) => return None,
            }
        }
        let change = missed.pop()?;
        let event = Event::default().data(json!(change).to_string());
        Some((Ok(event), (listener, missed)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn log(State(world): State<Arc<World>>, Query(Since { since }): Query<Since>) -> Json<Value> {
    let entries = world.log.since(since);
    let last = entries.last().map_or(since, |entry| entry.seq);
    Json(json!({"entries": entries, "last": last}))
}

async fn faults(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({"faults": world.faults.list(), "held": world.faults.held()}))
}

async fn set_fault(State(world): State<Arc<World>>, Body(fault): Body<Fault>) -> Json<Value> {
    let id = world.faults.set(fault);
    world.changed(Change::Faults);
    Json(json!({"id": id}))
}

async fn clear_faults(State(world): State<Arc<World>>) -> Json<Value> {
    world.faults.clear(None);
    world.changed(Change::Faults);
    Json(json!({}))
}

async fn clear_fault(State(world): State<Arc<World>>, Path(id): Path<u64>) -> Json<Value> {
    world.faults.clear(Some(id));
    world.changed(Change::Faults);
    Json(json!({}))
}

async fn release(State(world): State<Arc<World>>) -> Json<Value> {
    world.faults.release();
    world.changed(Change::Faults);
    Json(json!({}))
}

#[derive(Deserialize)]
struct Jump {
    seconds: f64,
}

async fn jump(State(world): State<Arc<World>>, Body(Jump { seconds }): Body<Jump>) -> Controlled {
    // A century either way is more than anything here lasts, and far below what milliseconds can count.
    if !(-3.2e9..=3.2e9).contains(&seconds) {
        return Err(ControlError::new(
            StatusCode::BAD_REQUEST,
            "too_far",
            "a jump is at most a century",
        ));
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
    world.clock.jump((seconds * 1000.0) as i64);
    world.changed(Change::Clock);
    Ok(Json(json!({"now_ms": world.clock.now_ms()})))
}

const NO_HOST: &str = "the sandbox was started by itself";

fn host(world: &World) -> Result<Arc<dyn crate::host::Host>, ControlError> {
    world
        .host()
        .ok_or_else(|| ControlError::new(StatusCode::CONFLICT, "no_host", NO_HOST))
}

fn host_failed(error: &anyhow::Error) -> ControlError {
    ControlError::new(StatusCode::BAD_GATEWAY, "host_failed", format!("{error:#}"))
}

async fn restart(State(world): State<Arc<World>>) -> Controlled {
    host(&world)?
        .kill_and_restart()
        .await
        .map_err(|error| host_failed(&error))?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Limit {
    limit: Option<usize>,
}

async fn journal(State(world): State<Arc<World>>, Query(Limit { limit }): Query<Limit>) -> Controlled {
    let rows = host(&world)?
        .journal(limit.unwrap_or(100))
        .await
        .map_err(|error| host_failed(&error))?;
    Ok(Json(json!({"rows": rows})))
}

async fn commands(State(world): State<Arc<World>>) -> Json<Value> {
    let bare = |command: &&str| json!({"command": command, "usage": "", "summary": ""});
    let commands = match world.host() {
        Some(host) => host.commands(),
        None => crate::slack::act::COMMANDS.iter().map(bare).collect(),
    };
    Json(json!({"commands": commands}))
}
