//! Controls of the AWS account: what people and jobs do there, without AWS's API.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, ControlError, Controlled};
use crate::aws::{Account, AwsError, Directed, Failing, Place, Push, Trigger};
use crate::world::{Change, World};

/// `/aws/push`, `/aws/start`, … to be joined below `/control`.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/aws/push", post(push))
        .route("/aws/start", post(start))
        .route("/aws/fail", post(fail))
        .route("/aws/alarm", post(alarm))
        .route("/aws/decide", post(decide))
        .route("/aws/expire", post(expire))
        .route("/aws/duration", post(duration))
        .route("/aws/hold", post(hold))
        .route("/aws/transition", post(transition))
        .route("/aws/stop", post(stop))
        .route("/aws/retry", post(retry))
        .route("/aws/duplicate_events", post(duplicate_events))
        .route("/aws/expire_sessions", post(expire_sessions))
        .route("/aws/deed", post(deeds))
}

fn refused(error: AwsError) -> ControlError {
    let missing = error.code.ends_with("NotFoundException") || error.code.ends_with("DoesNotExist");
    let status = if missing {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::CONFLICT
    };
    ControlError::new(status, error.code, error.message)
}

/// Does something with the account at the sandbox's present, and tells the page.
fn deed(world: &World, act: impl FnOnce(&mut Account) -> Result<Value, AwsError>) -> Controlled {
    let answer = {
        let mut account = world.aws();
        account.advance(world.clock.now_ms());
        act(&mut account)
    };
    world.changed(Change::Aws);
    answer.map(Json).map_err(refused)
}

async fn push(State(world): State<Arc<World>>, Body(body): Body<Push>) -> Controlled {
    let pushed = crate::aws::push(&world, &body).map_err(refused)?;
    Ok(Json(json!(pushed)))
}

/// One deed, or several that are done in their order until one cannot be.
async fn deeds(State(world): State<Arc<World>>, Body(body): Body<Value>) -> Controlled {
    let several = match body {
        Value::Array(deeds) => deeds,
        one => vec![one],
    };
    let bad = |error: serde_json::Error| ControlError::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string());
    let parsed: Result<Vec<Directed>, _> = several.into_iter().map(serde_json::from_value).collect();
    let parsed = parsed.map_err(bad)?;
    deed(&world, |account| {
        for directed in &parsed {
            account.act(&Place::home(), directed)?;
        }
        // What a deed makes due is done before its sender looks.
        account.advance(account.now_ms);
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    pipeline: String,
    #[serde(default)]
    user: Option<String>,
}

async fn start(State(world): State<Arc<World>>, Body(body): Body<Start>) -> Controlled {
    let user = body.user.as_deref().unwrap_or("dana");
    let detail = format!("arn:aws:iam::{}:user/{user}", crate::aws::ACCOUNT);
    let trigger = Trigger {
        kind: "StartPipelineExecution".to_owned(),
        detail,
    };
    deed(&world, |account| {
        Ok(json!({"execution": account.start_execution(&body.pipeline, trigger)?}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    pipeline: String,
    stage: String,
    #[serde(default)]
    message: Option<String>,
}

async fn fail(State(world): State<Arc<World>>, Body(body): Body<Fail>) -> Controlled {
    let message = body.message.as_deref().unwrap_or("Build terminated with state: FAILED");
    deed(&world, |account| {
        let failing = account.fail_stage(&body.pipeline, &body.stage, message)?;
        Ok(json!({"fails": if failing == Failing::Now { "now" } else { "next" }}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alarm {
    name: String,
    state: String,
    #[serde(default)]
    reason: Option<String>,
}

async fn alarm(State(world): State<Arc<World>>, Body(body): Body<Alarm>) -> Controlled {
    if !["OK", "ALARM", "INSUFFICIENT_DATA"].contains(&body.state.as_str()) {
        let message = "state must be OK, ALARM or INSUFFICIENT_DATA";
        return Err(ControlError::new(StatusCode::BAD_REQUEST, "bad_state", message));
    }
    let reason = body.reason.as_deref().unwrap_or("set by hand");
    deed(&world, |account| {
        account.set_alarm(&body.name, &body.state, reason);
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    pipeline: String,
    #[serde(default)]
    execution: Option<String>,
    status: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    summary: String,
}

async fn decide(State(world): State<Arc<World>>, Body(body): Body<Decide>) -> Controlled {
    let approved = match body.status.as_str() {
        "Approved" => true,
        "Rejected" => false,
        _ => {
            return Err(ControlError::new(
                StatusCode::BAD_REQUEST,
                "bad_status",
                "status must be Approved or Rejected",
            ));
        }
    };
    let user = body.user.as_deref().unwrap_or("bruno");
    deed(&world, |account| {
        let word = (approved, user, body.summary.as_str());
        Ok(json!({"execution": account.decide_in_console(&body.pipeline, body.execution.as_deref(), word)?}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    pipeline: String,
}

async fn expire(State(world): State<Arc<World>>, Body(body): Body<Expire>) -> Controlled {
    deed(&world, |account| {
        Ok(json!({"execution": account.expire(&body.pipeline)?}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Duration {
    pipeline: String,
    stage: String,
    seconds: f64,
}

async fn duration(State(world): State<Arc<World>>, Body(body): Body<Duration>) -> Controlled {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a day")]
    let action_ms = (body.seconds.clamp(0.0, 86_400.0) * 1000.0) as i64;
    deed(&world, |account| {
        account.set_duration(&body.pipeline, &body.stage, action_ms)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    pipeline: String,
    stage: String,
    held: bool,
}

async fn hold(State(world): State<Arc<World>>, Body(body): Body<Hold>) -> Controlled {
    deed(&world, |account| {
        account.hold(&body.pipeline, &body.stage, body.held)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransitionOf {
    pipeline: String,
    stage: String,
    enabled: bool,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    user: Option<String>,
}

async fn transition(State(world): State<Arc<World>>, Body(body): Body<TransitionOf>) -> Controlled {
    let reason = (!body.enabled).then(|| body.reason.as_deref().unwrap_or("Closed by hand"));
    let user = body.user.as_deref().unwrap_or("bruno");
    deed(&world, |account| {
        account.switch_door(&body.pipeline, &body.stage, reason, user)?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    pipeline: String,
    execution: String,
    #[serde(default)]
    abandon: bool,
    #[serde(default)]
    reason: Option<String>,
}

async fn stop(State(world): State<Arc<World>>, Body(body): Body<Stop>) -> Controlled {
    deed(&world, |account| {
        account.stop_execution(&body.pipeline, &body.execution, (body.abandon, body.reason.as_deref()))?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    pipeline: String,
    stage: String,
    execution: String,
    #[serde(default)]
    all: bool,
}

async fn retry(State(world): State<Arc<World>>, Body(body): Body<Retry>) -> Controlled {
    deed(&world, |account| {
        account.retry_stage(&body.pipeline, &body.stage, (&body.execution, body.all))?;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Copies {
    copies: u32,
}

async fn duplicate_events(State(world): State<Arc<World>>, Body(body): Body<Copies>) -> Controlled {
    deed(&world, |account| {
        account.duplicate_events(body.copies);
        Ok(json!({}))
    })
}

async fn expire_sessions(State(world): State<Arc<World>>) -> Controlled {
    deed(&world, |account| {
        account.expire_sessions();
        Ok(json!({}))
    })
}
