//! Controls of the resolvers.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Body, ControlError, Controlled};
use crate::world::World;

/// The routes under `/control` that concern the resolvers.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/dns/keep", post(keep))
}

#[derive(Deserialize)]
struct Keep {
    resolver: usize,
    seconds: i64,
}

/// A resolver keeps answers for so long from now on.
async fn keep(State(world): State<Arc<World>>, Body(Keep { resolver, seconds }): Body<Keep>) -> Controlled {
    let mut resolvers = world.resolvers();
    let missing = || {
        ControlError::new(
            StatusCode::NOT_FOUND,
            "no_resolver",
            "there is no resolver of this number",
        )
    };
    resolvers.get_mut(resolver).ok_or_else(missing)?.keeps = seconds;
    Ok(Json(json!({})))
}
