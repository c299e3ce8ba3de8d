//! What a record does when its time comes.

use crate::decision::{Change, Decision, Reply};
use crate::desk;
use crate::effect::{Effect, Recipient};
use crate::facts::Facts;
use crate::ids::{EnvironmentId, RecordId};
use crate::operation;
use crate::plan::{Plan, refresh_at};
use crate::reason::Reason;
use crate::run::{DECISION_STANDS, Event, Illegal, Run, Status};
use crate::time::Span;
use crate::view;
use crate::watch::{self, Watch};

/// A run looks at itself: its card is drawn again, evidence that grows old is gathered again, a decision that could not be carried out lapses.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn run(facts: &Facts<'_>, id: &RecordId) -> Result<Decision, Illegal> {
    let mut plan = Plan::new(facts);
    if id.is_operation() {
        operation::clock::wake(&mut plan, id)?;
        return Ok(plan.finish(Reply::None));
    }
    let Some(run) = plan.run(id).cloned() else {
        return Ok(Decision::default());
    };
    plan.touch(id);
    plan.draw(id);
    match run.status {
        Status::Waiting => {
            if refresh_at(&run, facts.now).is_some_and(|at| at <= facts.now) {
                for effect in watch::gather_checks(facts, id, run.environments()) {
                    plan.owe(effect);
                }
            }
        }
        Status::Answering => lapse(&mut plan, &run)?,
        Status::Following | Status::Ended { .. } => {}
    }
    Ok(plan.finish(Reply::None))
}

/// A decision that AWS certainly refused goes back to people when it has stood long enough. One whose outcome is unknown does not: it may have been taken.
fn lapse(plan: &mut Plan<'_>, run: &Run) -> Result<(), Illegal> {
    let refused = run
        .trouble
        .as_ref()
        .is_some_and(|trouble| trouble.reason == Reason::AwsRefused);
    let old = run
        .decision
        .as_ref()
        .is_some_and(|decision| decision.at + DECISION_STANDS <= plan.facts.now);
    if refused && old {
        plan.tell(&run.id, Event::Lapsed, Reason::Lapsed)?;
        plan.free(&run.id);
    }
    Ok(())
}

/// The desk looks at itself: locks and freezes that ran out come off, who waited is told, and levels that were left for a while go back.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn desk(facts: &Facts<'_>) -> Result<Decision, Illegal> {
    let mut plan = Plan::new(facts);
    let now = facts.now;
    plan.touch_desk();
    let over = |until: Option<crate::time::Timestamp>| until.is_some_and(|until| until <= now);
    for (environment, lock) in &facts.desk.locks {
        if over(lock.until) {
            plan.tell_desk(
                desk::Event::Unlocked {
                    environment: environment.clone(),
                    by: None,
                },
                Reason::Standing,
            );
            tell_waiters(&mut plan, environment);
        }
    }
    for freeze in &facts.desk.freezes {
        if over(freeze.until) {
            let event = desk::Event::Unfrozen {
                environment: freeze.environment.clone(),
                everywhere: freeze.everywhere,
                by: None,
            };
            plan.tell_desk(event, Reason::Standing);
        }
    }
    for (id, run) in facts.runs {
        if run.status == Status::Waiting {
            plan.draw(id);
        }
    }
    operation::levels::put_back(&mut plan)?;
    operation::maintenance::look(&mut plan)?;
    Ok(plan.finish(Reply::None))
}

/// Tells everyone who asked to be told that an environment is free.
pub(crate) fn tell_waiters(plan: &mut Plan<'_>, environment: &EnvironmentId) {
    let waiters = plan.facts.desk.waiters.get(environment).cloned().unwrap_or_default();
    if waiters.is_empty() {
        return;
    }
    for user in waiters {
        let marker = format!(
            "free/{}/{environment}/{user}/{}",
            plan.facts.service.id, plan.facts.now.0
        );
        plan.owe(Effect::Post {
            to: Recipient::User(user),
            marker,
            message: view::free_note(environment),
        });
    }
    plan.tell_desk(
        desk::Event::Told {
            environment: environment.clone(),
        },
        Reason::Standing,
    );
}

/// How long a watch waits that no environment of this configuration uses.
const NOT_OURS: Span = Span::minutes(1);

/// A watch looks at its pipeline. It sets its next wake at once, so that a read that fails is followed by another.
#[must_use]
pub fn watch(facts: &Facts<'_>, watch: &Watch, pace: watch::Pace) -> Decision {
    let mut plan = Plan::new(facts);
    let effect = look(facts, watch);
    // A replica with another configuration may know a pipeline that this one does not: its watch is put off, not closed.
    let next = effect.as_ref().map_or(NOT_OURS, |_| pace.idle);
    effect.into_iter().for_each(|effect| plan.owe(effect));
    plan.watch(Change::Watch {
        id: watch.id(),
        watch: watch.clone(),
        events: Vec::new(),
        next_wake: Some(facts.now + next),
    });
    plan.finish(Reply::None)
}

/// The effect that reads a watch's pipeline; `None` when no environment uses it any more.
#[must_use]
pub fn look(facts: &Facts<'_>, watch: &Watch) -> Option<Effect> {
    let pipelines = facts.service.pipelines();
    let aws = pipelines.get(&watch.site)?;
    let following = facts
        .runs
        .values()
        .filter(|run| run.ended().is_none() && run.pinned.site().as_ref() == Some(&watch.site));
    let mut following: Vec<String> = following.map(|run| run.pinned.round.execution.clone()).collect();
    following.sort();
    following.dedup();
    Some(Effect::ReadPipeline {
        watch: watch.id(),
        pipeline: watch.site.pipeline.clone(),
        aws: (*aws).clone(),
        following,
        prime: !watch.primed,
    })
}
