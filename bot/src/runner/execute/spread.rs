//! Puts a freeze of all services on one of them: a commit in that service's own slot, named after the effect, so that it happens once.

use std::collections::BTreeSet;
use std::sync::Arc;

use commands::desk::Freeze;
use commands::effect::Outcome;
use commands::facts::Needs;
use commands::ids::{ServiceId, UserId};
use commands::verb;

use super::{Done, Try};
use crate::runner::commit::{Cause, REMEMBER_DELIVERY};
use crate::runner::decide::{Matter, Trouble};
use crate::runner::engine::Engine;

pub(super) async fn spread(
    engine: &Arc<Engine>,
    slot: &ServiceId,
    (freeze, by): (Option<&Freeze>, &UserId),
    this: Try<'_>,
) -> Done {
    let Some(service) = engine.catalog.services.get(slot) else {
        return Done::Outcome(Outcome::Refused {
            code: "unknown_service".to_owned(),
            message: format!("{slot} is no longer configured"),
        });
    };
    let what = freeze.map_or_else(|| format!("off/{}", this.key), |freeze| freeze.since.0.to_string());
    let matter = Matter {
        service,
        needs: Needs {
            every_open: true,
            ..Needs::default()
        },
        records: Vec::new(),
        delivery: None,
        people: BTreeSet::new(),
        cause: Cause {
            id: format!("spread:{slot}:{what}"),
            actor: by.as_str(),
            channel: service.channel.as_str(),
            remember: REMEMBER_DELIVERY,
        },
        finish: None,
    };
    let boxed = Box::pin(engine.settle(matter, |_| {}, |facts, _| Ok(verb::apply_spread(facts, freeze, by))));
    match boxed.await {
        Ok(_) => Done::Outcome(Outcome::Done),
        Err(Trouble::NotRecorded(why) | Trouble::Fault(why)) => Done::later(why),
        Err(Trouble::Unknown(_)) => Done::later("the store did not answer"),
    }
}
