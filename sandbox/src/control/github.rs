//! Controls of GitHub: somebody pushes, and no pipeline follows.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;

use super::{Body, Controlled};
use crate::github::CommitSeed;
use crate::world::{Change, World};

/// The routes under `/control` that concern GitHub.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/github/commit", post(commit))
}

async fn commit(State(world): State<Arc<World>>, Body(seed): Body<CommitSeed>) -> Controlled {
    let now_ms = world.clock.now_ms();
    let sha = world.github().plant(&seed, now_ms);
    world.changed(Change::GitHub);
    Ok(Json(json!({ "sha": sha })))
}
