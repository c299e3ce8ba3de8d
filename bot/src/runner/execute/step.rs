//! Makes the calls of steps, and says what a failure means for the step: another try, a failure, or a question to people.

use std::sync::Arc;

use commands::catalog::Service;
use commands::effect::{CallPhase, Outcome, StepCall};

use super::{Done, Try};
use crate::aws::Actor;
use crate::runner::engine::Engine;
use crate::steps::{self, At, StepError};

/// After so many tries people have to look.
const TRIES: u32 = 8;

pub(super) async fn call(engine: &Arc<Engine>, service: &Service, call: &StepCall, this: Try<'_>) -> Done {
    let actor = if call.by_itself {
        Actor::Bot
    } else {
        Actor::Person(call.actor.clone())
    };
    let at = At {
        engine,
        service,
        call,
        lease: this.lease,
        actor: &actor,
        now: engine.clock.now(),
        attempt: this.attempt,
    };
    match steps::make(at).await {
        Ok(outcome) => Done::Outcome(outcome),
        Err(StepError::Failed { code, message }) => Done::Outcome(Outcome::Refused { code, message }),
        Err(StepError::Later(why)) if this.attempt < TRIES => Done::later(why),
        // It may have been done by a try whose answer was lost.
        Err(StepError::Later(why)) if call.phase == CallPhase::Act => Done::Outcome(Outcome::Unknown { why }),
        Err(StepError::Later(why)) => Done::Outcome(Outcome::Refused {
            code: "no_answer".to_owned(),
            message: why,
        }),
    }
}
