//! What is red and may be so because of maintenance mode: whether it is on is read there and then. That it was turned on from here is not enough, for
//! others turn it off as well.

use super::super::At;
use super::truth::{Truth, maintenance_truth};
use crate::checks::Ask;

/// What maintenance mode has to do with something that is red.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Red {
    /// It is read to be on, with the words for it: red is as it should be.
    Excused(String),
    /// Nothing is configured that tells whether it is on.
    Untold,
    /// It is off, or cannot be read, with the words for it: red counts.
    Counts(String),
}

/// Reads it for a check whose verdict is red.
pub(crate) async fn red(ask: &Ask<'_>) -> Red {
    let Some(mode) = &ask.environment.maintenance else {
        return Red::Untold;
    };
    match maintenance_truth(ask, mode).await {
        Ok(Truth::On(words)) => Red::Excused(format!("red while maintenance is on ({words})")),
        Ok(Truth::Unread) => Red::Untold,
        Ok(Truth::Off(words)) => Red::Counts(format!("maintenance is not why: {words}")),
        Err(_) => Red::Counts("whether maintenance is why cannot be read just now".to_owned()),
    }
}

/// The same for a step whose look is red.
pub(in crate::steps) async fn red_step(at: At<'_>) -> Red {
    let Some(environment) = at.service.environment(&at.call.environment) else {
        return Red::Untold;
    };
    red(&Ask {
        service: at.service,
        environment,
        change: None,
        run: &at.call.run,
        turned_on: false,
        engine: at.engine,
        now: at.now,
        lease: at.lease,
    })
    .await
}
