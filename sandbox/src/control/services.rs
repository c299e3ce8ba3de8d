//! Controls of the other services: what people do in them.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{Body, Controlled};
use crate::services::Deed;
use crate::world::{Change, World};

/// The routes under `/control` that concern the other services.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/services/deed", post(deed))
}

/// One deed, or several in their order.
#[derive(Deserialize)]
#[serde(untagged)]
enum Deeds {
    Many(Vec<Deed>),
    One(Deed),
}

async fn deed(State(world): State<Arc<World>>, Body(deeds): Body<Deeds>) -> Controlled {
    let deeds = match deeds {
        Deeds::Many(deeds) => deeds,
        Deeds::One(deed) => vec![deed],
    };
    let now_ms = world.clock.now_ms();
    for deed in deeds {
        world.services().act(deed, now_ms);
    }
    world.changed(Change::Services);
    Ok(Json(json!({})))
}
