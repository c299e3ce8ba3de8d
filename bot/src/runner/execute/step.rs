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
/// After so many looks at something that is under way people see that it cannot be seen; looking goes on. A step's own patience with what it reads
/// beside, such as the log of what has failed, ends before.
const LOOKS: u32 = 5;

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
        Err(StepError::Later(why)) if call.phase == CallPhase::Watch && this.attempt >= LOOKS => {
            let came = steps::blind(call.memo.clone(), &why);
            Done::Outcome(Outcome::Step { came })
        }
        Err(StepError::Later(why)) if this.attempt < TRIES => Done::later(why),
        // It may have been done by a try whose answer was lost.
        Err(StepError::Later(why)) if call.phase == CallPhase::Act => Done::Outcome(Outcome::Unknown { why }),
        Err(StepError::Later(why)) => Done::Outcome(Outcome::Refused {
            code: "no_answer".to_owned(),
            message: why,
        }),
    }
}
