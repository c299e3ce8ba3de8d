//! Tells CodePipeline what was decided.

use std::sync::Arc;

use commands::effect::{Effect, Outcome};

use super::{Done, Try};
use crate::aws::AwsError;
use crate::aws::codepipeline::ApprovalAnswer;
use crate::runner::engine::Engine;

pub(super) async fn answer(engine: &Arc<Engine>, effect: &Effect, this: Try<'_>) -> Done {
    let Effect::AnswerApproval {
        round,
        aws,
        actor,
        ballot,
        summary,
        marker,
        good_until,
        revision,
        ..
    } = effect
    else {
        return Done::later("not an answer");
    };
    let answer = ApprovalAnswer {
        round,
        aws,
        actor,
        ballot: *ballot,
        summary,
        marker,
        good_until: *good_until,
        revision,
        attempt: this.attempt,
        lease: this.lease,
    };
    match engine.pipelines.answer_approval(&answer).await {
        Ok(outcome) => Done::Outcome(outcome),
        Err(AwsError::Fatal { code, message }) => Done::Outcome(Outcome::Refused { code, message }),
        Err(error) => Done::later(error.to_string()),
    }
}
