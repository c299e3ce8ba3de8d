//! Step `follow`: the execution is followed to its end, and those who wait for it are told.

use std::collections::BTreeSet;

use crate::desk::{self, Finished};
use crate::effect::{Effect, Recipient};
use crate::ids::{RecordId, UserId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Ballot, Event, Illegal, Live, Run};
use crate::view;

/// Ends a run: frees what it held, writes it into the desk, tells who waits for it.
///
/// # Errors
/// When it is over already: the program is wrong.
pub(crate) fn end(plan: &mut Plan<'_>, id: &RecordId, reason: Reason) -> Result<(), Illegal> {
    plan.tell(id, Event::Ended { reason }, reason)?;
    plan.free(id);
    let Some(run) = plan.run(id).cloned() else {
        return Ok(());
    };
    let now = plan.facts.now;
    for environment in run.environments() {
        if reason == Reason::Succeeded {
            let live = Live {
                revision: run.pinned.revision.clone(),
                execution: run.pinned.round.execution.clone(),
                since: now,
            };
            plan.tell_desk(
                desk::Event::LiveSeen {
                    environment: environment.clone(),
                    live,
                },
                reason,
            );
        }
        plan.tell_desk(
            desk::Event::RunEnded {
                environment: environment.clone(),
                finished: finished(&run, reason, now),
            },
            reason,
        );
    }
    for environment in run.environments() {
        if let Some(message) = view::still_on_note(plan.facts, environment) {
            plan.owe(Effect::PostInThread {
                run: run.id.clone(),
                name: format!("maintenance/{environment}/{}", run.retries),
                message,
            });
        }
    }
    for user in who_is_told(&run) {
        let marker = format!("{}/end{}/{user}", run.id, run.retries);
        let message = view::ended_note(&run, plan.facts);
        plan.owe(Effect::Post {
            to: Recipient::User(user),
            marker,
            message,
        });
    }
    Ok(())
}

fn finished(run: &Run, reason: Reason, now: crate::time::Timestamp) -> Finished {
    let approved = run.answer.as_ref().filter(|answer| answer.ballot == Ballot::Approve);
    Finished {
        run: run.id.clone(),
        reason,
        at: now,
        revision: run.pinned.revision.clone(),
        execution: run.pinned.round.execution.clone(),
        by: run
            .decision
            .as_ref()
            .map(|decision| decision.by.clone())
            .unwrap_or_default(),
        took: approved.map(|answer| now - answer.at),
        overridden: run.decision.as_ref().is_some_and(|decision| decision.overridden),
        card: run.card.as_ref().map(|card| (card.channel.clone(), card.ts.clone())),
    }
}

/// Who asked for the run: its starter, else those whose commits would ship.
fn who_is_told(run: &Run) -> BTreeSet<UserId> {
    match &run.pinned.starter.user {
        Some(user) => BTreeSet::from([user.clone()]),
        None => run
            .change
            .as_ref()
            .map(|change| change.authors().into_iter().cloned().collect())
            .unwrap_or_default(),
    }
}
