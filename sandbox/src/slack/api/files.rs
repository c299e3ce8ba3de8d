//! Uploads in three steps: ask for a URL, send the bytes there, say where the file belongs.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::chat::mark_parent;
use super::{Outcome, Request, Slack};
use crate::faults_http::{Answer, Call, guarded};
use crate::slack::model::{BOT_USER, Message};
use crate::slack::view::short_id;
use crate::world::World;

/// A file on its way in.
#[derive(Debug, Clone)]
pub(in crate::slack) struct Upload {
    name: String,
    length: u64,
    bytes: Option<Bytes>,
}

pub(super) fn upload_url(request: &mut Request<'_>) -> Outcome {
    let length = request
        .args
        .get("length")
        .and_then(Value::as_u64)
        .filter(|length| *length > 0);
    let upload = Upload {
        name: request.args.text("filename").to_owned(),
        length: length.ok_or("invalid_arguments")?,
        bytes: None,
    };
    let id = format!("F0{}", short_id().to_uppercase());
    let url = format!("{}/slack/upload/{id}", request.workspace.link.own_url);
    request.workspace.files.insert(id.clone(), upload);
    Ok(json!({"upload_url": url, "file_id": id}))
}

/// Takes the bytes of a file, raw or as the one part of a form.
pub(super) async fn receive(State(world): State<Arc<World>>, Path(id): Path<String>, body: Bytes) -> Response {
    let call = Call {
        name: "slack.upload".to_owned(),
        arguments: json!({"file": id, "bytes": body.len()}),
    };
    let work_world = Arc::clone(&world);
    guarded(&world, call, Slack, move || {
        let mut workspace = work_world.slack();
        let Some(upload) = workspace.files.get_mut(&id) else {
            return Answer::refused(StatusCode::NOT_FOUND.into_response(), "file_not_found");
        };
        let length = body.len();
        upload.bytes = Some(body);
        Answer::done(format!("OK - {length}").into_response())
    })
    .await
}

pub(super) fn complete(request: &mut Request<'_>) -> Outcome {
    let files = request
        .args
        .get("files")
        .and_then(Value::as_array)
        .ok_or("invalid_arguments")?;
    let mut done = Vec::new();
    for file in files {
        let id = file["id"].as_str().unwrap_or_default();
        let upload = request
            .workspace
            .files
            .get(id)
            .filter(|upload| upload.bytes.is_some())
            .ok_or("file_not_found")?;
        let title = file["title"].as_str().unwrap_or(&upload.name);
        done.push(json!({"id": id, "title": title, "name": upload.name, "size": upload.length, "mode": "hosted"}));
    }
    let channel = request.args.text("channel_id");
    if !channel.is_empty() {
        let found = request.workspace.channel(channel).ok_or("channel_not_found")?;
        if !found.has(BOT_USER) {
            return Err("not_in_channel".into());
        }
        let thread_ts = Some(request.args.text("thread_ts").to_owned()).filter(|ts| !ts.is_empty());
        let message = Message {
            user: BOT_USER.to_owned(),
            text: request.args.text("initial_comment").to_owned(),
            files: done.clone(),
            thread_ts,
            ..Message::default()
        };
        let ts = request
            .workspace
            .put(channel, message, request.now_ms)
            .ok_or("channel_not_found")?;
        mark_parent(request.workspace, channel, &ts);
    }
    Ok(json!({"files": done}))
}
