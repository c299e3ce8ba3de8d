//! `response_url`s: how an app answers somebody who pressed a button or typed a command, without a token.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::Workspace;
use super::api::draft::Draft;
use super::api::{Args, Refusal, Slack};
use super::model::Message;
use super::tables::{Original, ResponseUrl};
use crate::faults_http::{Answer, Call, guarded};
use crate::world::{Change, World};

/// The route under `/slack`.
pub(super) fn routes(world: &Arc<World>) -> Router {
    Router::new()
        .route("/response/{token}", post(respond))
        .with_state(Arc::clone(world))
}

async fn respond(State(world): State<Arc<World>>, Path(token): Path<String>, body: Bytes) -> Response {
    let parsed: Option<Value> = serde_json::from_slice(&body).ok();
    let call = Call {
        name: "slack.response_url".to_owned(),
        arguments: parsed.clone().unwrap_or_default(),
    };
    let work_world = Arc::clone(&world);
    guarded(&world, call, Slack, move || {
        let now_ms = work_world.clock.now_ms();
        let outcome = match parsed.and_then(Args::from_json) {
            Some(args) => {
                let mut workspace = work_world.slack();
                workspace.note_body("response_url", &args.to_json());
                answer(&mut workspace, &token, &args, now_ms)
            }
            None => Err((StatusCode::BAD_REQUEST, "invalid_payload".into())),
        };
        super::deliver_events(&work_world);
        work_world.changed(Change::Slack);
        match outcome {
            Ok(()) => Answer::done("ok".into_response()),
            Err((status, refusal)) => {
                let body =
                    json!({"ok": false, "error": refusal.code, "response_metadata": {"messages": refusal.messages}});
                Answer::refused((status, axum::Json(body)).into_response(), refusal.code)
            }
        }
    })
    .await
}

fn answer(workspace: &mut Workspace, token: &str, args: &Args, now_ms: i64) -> Result<(), (StatusCode, Refusal)> {
    let url = workspace
        .tables
        .answer(token, now_ms)
        .map_err(|code| (StatusCode::NOT_FOUND, code.into()))?;
    let posted = apply(workspace, &url, args, now_ms).map_err(|refusal| (StatusCode::BAD_REQUEST, refusal))?;
    if let Some(posted) = posted {
        workspace.tables.answered_with(token, posted);
    }
    Ok(())
}

/// Does what an answer asks for; the message that it posted, if it posted one.
pub(super) fn apply(
    workspace: &mut Workspace,
    url: &ResponseUrl,
    args: &Args,
    now_ms: i64,
) -> Result<Option<Original>, Refusal> {
    if args.flag("delete_original") {
        match url.original.as_ref().ok_or("message_not_found")? {
            Original::Message(ts) => drop(workspace.delete(&url.channel, ts)),
            Original::Ephemeral(ts) => workspace.ephemerals.retain(|ephemeral| ephemeral.message.ts != *ts),
        }
        return Ok(None);
    }
    let draft = Draft::read(args)?;
    if args.flag("replace_original")
        && let Some(original) = &url.original
    {
        replace(workspace, url, original, (draft, now_ms))?;
        return Ok(None);
    }
    let thread_ts = Some(args.text("thread_ts").to_owned()).filter(|ts| !ts.is_empty());
    let message: Message = draft.into_message(thread_ts);
    if args.text("response_type") == "in_channel" {
        let ts = workspace
            .put(&url.channel, message, now_ms)
            .ok_or("channel_not_found")?;
        super::api::mark_parent(workspace, &url.channel, &ts);
        return Ok(Some(Original::Message(ts)));
    }
    Ok(Some(Original::Ephemeral(workspace.whisper(
        &url.user,
        &url.channel,
        message,
        now_ms,
    ))))
}

fn replace(
    workspace: &mut Workspace,
    url: &ResponseUrl,
    original: &Original,
    (draft, now_ms): (Draft, i64),
) -> Result<(), Refusal> {
    match original {
        Original::Message(ts) => workspace
            .edit(&url.channel, ts, draft, now_ms)
            .map(drop)
            .ok_or_else(|| "message_not_found".into()),
        Original::Ephemeral(ts) => {
            let at = workspace.next_ts(now_ms);
            let found = workspace
                .ephemerals
                .iter_mut()
                .find(|ephemeral| ephemeral.message.ts == *ts);
            let message = &mut found.ok_or("message_not_found")?.message;
            draft.replace(message, at);
            Ok(())
        }
    }
}
