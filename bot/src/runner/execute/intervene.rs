//! Changes what is running: retries a failed stage, stops an execution.

use std::sync::Arc;

use commands::effect::{Effect, Outcome};

use super::{Done, Try};
use crate::aws::AwsError;
use crate::aws::codepipeline::{RetryRequest, StopRequest};
use crate::runner::engine::Engine;

/// After so many tries people have to look.
const TRIES: u32 = 8;

pub(super) async fn retry(engine: &Arc<Engine>, effect: &Effect, this: Try<'_>) -> Done {
    let Effect::RetryStage {
        pipeline,
        stage,
        execution,
        aws,
        actor,
        ..
    } = effect
    else {
        return Done::later("not a retry");
    };
    let request = RetryRequest {
        pipeline,
        stage,
        execution,
        aws,
        actor,
        lease: this.lease,
    };
    came_back(engine.pipelines.retry_stage(&request).await, this)
}

pub(super) async fn stop(engine: &Arc<Engine>, effect: &Effect, this: Try<'_>) -> Done {
    let Effect::StopExecution {
        pipeline,
        execution,
        aws,
        actor,
        reason,
        ..
    } = effect
    else {
        return Done::later("not a stop");
    };
    let request = StopRequest {
        pipeline,
        execution,
        aws,
        actor,
        reason,
        lease: this.lease,
    };
    came_back(engine.pipelines.stop_execution(&request).await, this)
}

fn came_back(answer: Result<Outcome, AwsError>, this: Try<'_>) -> Done {
    match answer {
        Ok(outcome) => Done::Outcome(outcome),
        Err(AwsError::Fatal { code, message }) => Done::Outcome(Outcome::Refused { code, message }),
        Err(AwsError::Unknown { why }) if this.attempt >= TRIES => Done::Outcome(Outcome::Unknown { why }),
        Err(AwsError::Retryable { code, message }) if this.attempt >= TRIES => {
            Done::Outcome(Outcome::Refused { code, message })
        }
        Err(error) => Done::later(error.to_string()),
    }
}
