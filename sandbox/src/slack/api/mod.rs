//! The Web API: one table of methods, one door for all.

mod args;
mod chat;
mod conversations;
pub(super) mod draft;
pub(super) mod files;
mod people;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::limits::Tier;
use super::{BOT_TOKEN, Workspace};
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::{Change, World};

pub(super) use args::Args;
pub(super) use chat::mark_parent;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Slack's code.
    pub(super) code: String,
    /// `response_metadata.messages`.
    pub(super) messages: Vec<String>,
    /// Seconds, when the caller is too fast.
    retry_after: Option<u64>,
}

impl From<&str> for Refusal {
    fn from(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            messages: Vec::new(),
            retry_after: None,
        }
    }
}

impl Refusal {
    /// A refusal that says what is wrong where.
    pub(super) fn because(code: &str, messages: Vec<String>) -> Self {
        Self {
            messages,
            ..Self::from(code)
        }
    }

    fn to_json(&self) -> Value {
        let mut body = json!({"ok": false, "error": self.code});
        if !self.messages.is_empty() {
            body["response_metadata"] = json!({"messages": self.messages});
            if self.code == "invalid_blocks" {
                let errors = self
                    .messages
                    .iter()
                    .map(|message| message.trim_start_matches("[ERROR] "));
                body["errors"] = errors.collect();
            }
        }
        body
    }
}

/// What a method gives back: the fields beside `ok`.
pub(super) type Outcome = Result<Value, Refusal>;

/// One call on its way through.
struct Request<'a> {
    workspace: &'a mut Workspace,
    args: &'a Args,
    now_ms: i64,
}

/// A method of the Web API.
struct Method {
    name: &'static str,
    tier: Tier,
    /// Whether it reads a JSON body; the methods that only read do not.
    json: bool,
    required: &'static [&'static str],
    run: fn(&mut Request<'_>) -> Outcome,
}

const fn reading(
    name: &'static str,
    tier: Tier,
    required: &'static [&'static str],
    run: fn(&mut Request<'_>) -> Outcome,
) -> Method {
    Method {
        name,
        tier,
        json: false,
        required,
        run,
    }
}

const fn writing(
    name: &'static str,
    tier: Tier,
    required: &'static [&'static str],
    run: fn(&mut Request<'_>) -> Outcome,
) -> Method {
    Method {
        name,
        tier,
        json: true,
        required,
        run,
    }
}

/// Every method there is; any other answers `unknown_method`, `apps.connections.open` too, for there is no Socket Mode here.
const METHODS: &[Method] = &[
    writing("api.test", Tier::Special, &[], people::api_test),
    writing("auth.test", Tier::Special, &[], people::auth_test),
    reading("bots.info", Tier::Three, &[], people::bots_info),
    writing("chat.delete", Tier::Three, &["channel", "ts"], chat::delete),
    reading(
        "chat.getPermalink",
        Tier::Special,
        &["channel", "message_ts"],
        chat::permalink,
    ),
    writing(
        "chat.postEphemeral",
        Tier::Four,
        &["channel", "user"],
        chat::post_ephemeral,
    ),
    writing("chat.postMessage", Tier::PerChannel, &["channel"], chat::post_message),
    writing("chat.update", Tier::Three, &["channel", "ts"], chat::update),
    writing(
        "conversations.history",
        Tier::Three,
        &["channel"],
        conversations::history,
    ),
    reading("conversations.info", Tier::Three, &["channel"], conversations::info),
    writing("conversations.join", Tier::Three, &["channel"], conversations::join),
    reading("conversations.list", Tier::Two, &[], conversations::list),
    reading(
        "conversations.members",
        Tier::Four,
        &["channel"],
        conversations::members,
    ),
    writing("conversations.open", Tier::Three, &[], conversations::open),
    reading(
        "conversations.replies",
        Tier::Three,
        &["channel", "ts"],
        conversations::replies,
    ),
    writing("files.completeUploadExternal", Tier::Four, &["files"], files::complete),
    reading(
        "files.getUploadURLExternal",
        Tier::Four,
        &["filename", "length"],
        files::upload_url,
    ),
    writing(
        "reactions.add",
        Tier::Three,
        &["channel", "name", "timestamp"],
        chat::react,
    ),
    writing("team.info", Tier::Three, &[], people::team_info),
    reading("usergroups.list", Tier::Two, &[], people::groups),
    reading("usergroups.users.list", Tier::Two, &["usergroup"], people::group_users),
    reading("users.info", Tier::Four, &["user"], people::user_info),
    reading("users.list", Tier::Two, &[], people::users),
    reading("users.lookupByEmail", Tier::Three, &["email"], people::by_email),
    writing("views.open", Tier::Four, &["view"], views::open),
    writing("views.publish", Tier::Four, &["user_id", "view"], views::publish),
    writing("views.push", Tier::Four, &["view"], views::push),
    writing("views.update", Tier::Four, &["view"], views::update),
];

/// The routes under `/slack`.
pub(super) fn routes(world: &Arc<World>) -> Router {
    Router::new()
        .route("/api/{method}", any(call))
        .route("/upload/{file}", post(files::receive))
        .with_state(Arc::clone(world))
}

/// Slack's own failures.
pub(super) struct Slack;

impl Vendor for Slack {
    fn throttled(&self, retry_after: u64) -> Response {
        let body = axum::Json(json!({"ok": false, "error": "ratelimited"}));
        (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, retry_after.to_string())],
            body,
        )
            .into_response()
    }

    fn failed(&self) -> Response {
        let body = axum::Json(json!({"ok": false, "error": "internal_error"}));
        (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
    }

    fn refused(&self, error: &str) -> Response {
        axum::Json(Refusal::from(error).to_json()).into_response()
    }
}

async fn call(
    State(world): State<Arc<World>>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let known = METHODS.iter().find(|known| known.name == method);
    let mut args = arguments(
        known.is_none_or(|method| method.json),
        query.as_deref(),
        &headers,
        &body,
    );
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = args.take_token();
    let token = bearer.map(str::to_owned).or(token);
    let call = Call {
        name: format!("slack.{method}"),
        arguments: args.to_json(),
    };
    let work_world = Arc::clone(&world);
    guarded(&world, call, Slack, move || {
        let outcome = authorized(token.as_deref()).and_then(|()| match known {
            Some(method) => run(&work_world, method, &args),
            None => Err(Refusal::from("unknown_method")),
        });
        answer(&work_world, outcome)
    })
    .await
}

fn authorized(token: Option<&str>) -> Result<(), Refusal> {
    match token {
        Some(BOT_TOKEN) => Ok(()),
        Some(_) => Err(Refusal::from("invalid_auth")),
        None => Err(Refusal::from("not_authed")),
    }
}

fn arguments(takes_json: bool, query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Args {
    let pairs = |text: &[u8]| Args::from_pairs(serde_urlencoded::from_bytes(text).unwrap_or_default());
    let from_query = pairs(query.unwrap_or_default().as_bytes());
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let from_body = if content_type.starts_with("application/json") {
        let object = serde_json::from_slice(body)
            .ok()
            .and_then(Args::from_json)
            .unwrap_or_default();
        // A method that only reads looks past a JSON body, as Slack's do, and then misses its arguments.
        if takes_json { object } else { Args::default() }
    } else {
        pairs(body)
    };
    from_body.or(from_query)
}

/// Checks what all methods check, runs the method, and lets go of the events that it raised.
fn run(world: &Arc<World>, method: &Method, args: &Args) -> Outcome {
    let now_ms = world.clock.now_ms();
    let outcome = {
        let mut workspace = world.slack();
        workspace.note_body(method.name, &args.to_json());
        let missing = method.required.iter().filter(|key| args.get(key).is_none());
        let missing: Vec<String> = missing
            .map(|key| format!("[ERROR] missing required field: {key}"))
            .collect();
        if missing.is_empty() {
            limited(&mut workspace, method, args, now_ms).and_then(|()| {
                (method.run)(&mut Request {
                    workspace: &mut workspace,
                    args,
                    now_ms,
                })
            })
        } else {
            Err(Refusal::because("invalid_arguments", missing))
        }
    };
    super::deliver_events(world);
    if outcome.is_ok() && method.json {
        world.changed(Change::Slack);
    }
    outcome
}

fn limited(workspace: &mut Workspace, method: &Method, args: &Args, now_ms: i64) -> Result<(), Refusal> {
    if !workspace.rate_limits {
        return Ok(());
    }
    let key = match method.tier {
        Tier::PerChannel => format!("{} {}", method.name, args.text("channel")),
        _ => method.name.to_owned(),
    };
    workspace
        .limiter
        .take(key, method.tier, now_ms)
        .map_err(|seconds| Refusal {
            retry_after: Some(seconds),
            ..Refusal::from("ratelimited")
        })
}

fn answer(world: &World, outcome: Outcome) -> Answer {
    let mut answer = match outcome {
        Ok(fields) => {
            let mut body = json!({"ok": true});
            for (key, value) in fields.as_object().into_iter().flatten() {
                body[key] = value.clone();
            }
            Answer::done(axum::Json(body).into_response())
        }
        Err(Refusal {
            retry_after: Some(seconds),
            code,
            ..
        }) => Answer::refused(Slack.throttled(seconds), code),
        Err(refusal) => Answer::refused(axum::Json(refusal.to_json()).into_response(), refusal.code),
    };
    if let Ok(scopes) = world.slack().scopes.parse() {
        answer.response.headers_mut().insert("x-oauth-scopes", scopes);
    }
    answer
}
