//! Controls of the workspace: what people do there.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Body, ControlError, Controlled};
use crate::slack::Workspace;
use crate::slack::act::{self, Denied};
use crate::world::{Change, World};

impl From<Denied> for ControlError {
    fn from(denied: Denied) -> Self {
        let status = StatusCode::from_u16(denied.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, denied.code, denied.message)
    }
}

/// The routes under `/control` that concern the workspace.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/messages", get(messages))
        .route("/slack/command", post(command))
        .route("/slack/message", post(message))
        .route("/slack/click", post(click))
        .route("/slack/submit", post(submit))
        .route("/slack/close", post(close))
        .route("/slack/deliver", post(deliver))
        .route("/slack/archive", post(archive))
        .route("/slack/rename", post(rename))
        .route("/slack/delete_message", post(delete_message))
        .route("/slack/group", post(group))
        .route("/slack/person", post(person))
}

#[derive(Deserialize)]
struct Look {
    channel: String,
    user: String,
}

async fn messages(State(world): State<Arc<World>>, Query(look): Query<Look>) -> Controlled {
    let workspace = world.slack();
    let channel = act::channel_of(&workspace, &look.user, &look.channel)?;
    let messages = workspace.seen_by(&look.user, channel);
    Ok(Json(
        json!({"channel": look.channel, "user": look.user, "messages": messages}),
    ))
}

async fn command(State(world): State<Arc<World>>, Body(typed): Body<act::Typed>) -> Controlled {
    Ok(Json(act::command(&world, typed).await?))
}

async fn message(State(world): State<Arc<World>>, Body(said): Body<act::Said>) -> Controlled {
    Ok(Json(act::message(&world, said).await?))
}

async fn click(State(world): State<Arc<World>>, Body(click): Body<act::Click>) -> Controlled {
    Ok(Json(act::click(&world, click).await?))
}

async fn submit(State(world): State<Arc<World>>, Body(submit): Body<act::Submit>) -> Controlled {
    Ok(Json(act::submit(&world, submit).await?))
}

async fn close(State(world): State<Arc<World>>, Body(close): Body<act::Close>) -> Controlled {
    Ok(Json(act::close(&world, close).await?))
}

async fn deliver(State(world): State<Arc<World>>, Body(again): Body<act::Again>) -> Controlled {
    Ok(Json(act::redeliver(&world, again).await?))
}

/// Changes the workspace, lets the bot hear of it, and says so.
fn change(world: &Arc<World>, change: impl FnOnce(&mut Workspace, i64) -> Result<(), Denied>) -> Controlled {
    let now_ms = world.clock.now_ms();
    change(&mut world.slack(), now_ms)?;
    crate::slack::deliver_events(world);
    world.changed(Change::Slack);
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Archive {
    channel: String,
    #[serde(default = "yes")]
    archived: bool,
}

const fn yes() -> bool {
    true
}

async fn archive(State(world): State<Arc<World>>, Body(Archive { channel, archived }): Body<Archive>) -> Controlled {
    change(&world, |workspace, now_ms| {
        workspace.archive(&channel, archived, now_ms)
    })
}

#[derive(Deserialize)]
struct Rename {
    channel: String,
    name: String,
}

async fn rename(State(world): State<Arc<World>>, Body(Rename { channel, name }): Body<Rename>) -> Controlled {
    change(&world, |workspace, now_ms| workspace.rename(&channel, &name, now_ms))
}

#[derive(Deserialize)]
struct DeleteMessage {
    channel: String,
    ts: String,
}

async fn delete_message(State(world): State<Arc<World>>, Body(named): Body<DeleteMessage>) -> Controlled {
    change(&world, |workspace, _| {
        let deleted = workspace.delete(&named.channel, &named.ts);
        if deleted {
            Ok(())
        } else {
            Err(Denied::new(404, "message_not_found", "there is no such message"))
        }
    })
}

#[derive(Deserialize)]
struct GroupMembers {
    group: String,
    users: Vec<String>,
}

async fn group(State(world): State<Arc<World>>, Body(GroupMembers { group, users }): Body<GroupMembers>) -> Controlled {
    change(&world, |workspace, now_ms| workspace.set_group(&group, users, now_ms))
}

#[derive(Deserialize)]
struct PersonChange {
    user: String,
    deleted: Option<bool>,
    is_restricted: Option<bool>,
}

async fn person(State(world): State<Arc<World>>, Body(wanted): Body<PersonChange>) -> Controlled {
    change(&world, |workspace, _| {
        let found = workspace.people.iter_mut().find(|person| person.id == wanted.user);
        let person = found.ok_or_else(|| Denied::new(404, "user_not_found", "there is no such person"))?;
        person.deleted = wanted.deleted.unwrap_or(person.deleted);
        person.is_restricted = wanted.is_restricted.unwrap_or(person.is_restricted);
        Ok(())
    })
}
