//! What time does to an operation: pauses end, deadlines pass, steps take longer than usual.

use std::collections::BTreeMap;

use super::advance::advance;
use super::backward::is_followed;
use super::{Event, Failure, Illegal, Operation, Phase, Status, StepState};
use crate::effect::Effect;
use crate::facts::Facts;
use crate::ids::RecordId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::runbook::Step;
use crate::step::Conduct;
use crate::time::{Span, Timestamp};
use crate::view;

/// The code of a step that took too long.
pub const DEADLINE_PASSED: &str = "deadline";
/// How soon an open operation is looked at if nothing else wakes it.
const HEARTBEAT: Span = Span::hours(1);

/// An operation looks at itself.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn wake(plan: &mut Plan<'_>, id: &RecordId) -> Result<(), Illegal> {
    let Some(operation) = plan.operation(id).cloned() else {
        return Ok(());
    };
    let now = plan.facts.now;
    plan.touch_operation(id);
    for (step, state) in operation.all().filter(|(step, state)| counts(&operation, step, state)) {
        if timer_end(step, state).is_some_and(|end| end <= now) {
            let done = Event::StepDone {
                step: step.name.clone(),
                outputs: BTreeMap::new(),
                evidence: Vec::new(),
            };
            plan.tell_operation(id, done, Reason::Progress)?;
        } else if deadline(step, state).is_some_and(|end| end <= now) {
            let (event, reason) = too_late(plan.facts, &operation, step, state);
            plan.tell_operation(id, event, reason)?;
        } else if overrun(step, state).is_some_and(|end| end <= now) {
            plan.tell_operation(
                id,
                Event::StepOverran {
                    step: step.name.clone(),
                },
                Reason::Progress,
            )?;
            plan.owe(Effect::PostInThread {
                run: id.clone(),
                name: format!("overran/{}/{}", step.name, state.number),
                message: view::overran_note(&operation, step),
            });
        }
    }
    advance(plan, id)
}

/// Whether a step's time counts: while the run goes on, and while an abort waits for what has no way back.
fn counts(operation: &Operation, step: &Step, state: &StepState) -> bool {
    match operation.status {
        Status::Running => true,
        Status::Undoing => is_followed(step, state),
        Status::Stopped | Status::Ended { .. } => false,
    }
}

/// A step that took too long has failed; but a server that maintenance makes red answers as it should while that is on, as far as anybody was told.
fn too_late(facts: &Facts<'_>, operation: &Operation, step: &Step, state: &StepState) -> (Event, Reason) {
    let seen = state.progress.as_ref().map(|progress| progress.words.as_str());
    let excuse = super::maintenance::excuse(facts, operation);
    match excuse.filter(|_| state.progress.as_ref().is_some_and(|progress| progress.untold)) {
        Some(excuse) => {
            let seen = seen.map_or_else(String::new, |words| format!(": {words}"));
            let done = Event::StepDone {
                step: step.name.clone(),
                outputs: BTreeMap::new(),
                evidence: vec![format!("{excuse}{seen}")],
            };
            (done, Reason::Progress)
        }
        // What was begun goes on whether it can be seen or not: that time is up does not make it a failure.
        None if state.acted && state.progress.as_ref().is_some_and(|progress| progress.blind) => {
            let seen = seen.unwrap_or_default();
            let why = format!("it was not seen to be done within {}; it {seen}", step.deadline);
            let unknown = Event::StepUnknown {
                step: step.name.clone(),
                why,
            };
            (unknown, Reason::Unknown)
        }
        None => {
            // What was seen last is why: what is still missing, or what nobody can tell.
            let seen = seen.map_or_else(String::new, |words| format!("; seen last: {words}"));
            let why = if state.phase.is_asking() {
                format!("nobody answered within {}", step.deadline)
            } else {
                format!("it was not done within {}{seen}", step.deadline)
            };
            let failure = Failure::new(DEADLINE_PASSED, why);
            let failed = Event::StepFailed {
                step: step.name.clone(),
                failure,
            };
            (failed, Reason::Failed)
        }
    }
}

/// When an operation wants to be looked at again; `None` when it is over.
#[must_use]
pub fn next_wake(operation: &Operation, now: Timestamp) -> Option<Timestamp> {
    if operation.ended().is_some() {
        return None;
    }
    let ends = operation
        .all()
        .filter(|(step, state)| counts(operation, step, state))
        .flat_map(|(step, state)| [timer_end(step, state), deadline(step, state), overrun(step, state)])
        .flatten()
        .min();
    let soonest = ends.unwrap_or(now + HEARTBEAT).min(now + HEARTBEAT);
    // A wake that has passed already would be due at once, again and again.
    Some(soonest.max(now + Span::seconds(1)))
}

fn timer_end(step: &Step, state: &StepState) -> Option<Timestamp> {
    match step.action.conduct() {
        Conduct::Timer(span) if state.phase == Phase::Watching => Some(state.began? + span),
        _ => None,
    }
}

/// A call that may be changing something is heard of before it is given up; a pause ends by itself.
fn deadline(step: &Step, state: &StepState) -> Option<Timestamp> {
    let timer = matches!(step.action.conduct(), Conduct::Timer(_));
    let open = state.phase.is_asking() || matches!(state.phase, Phase::Preparing | Phase::Watching);
    (open && !timer).then_some(state.began? + step.deadline)
}

fn overrun(step: &Step, state: &StepState) -> Option<Timestamp> {
    let open = matches!(state.phase, Phase::Preparing | Phase::Acting | Phase::Watching);
    (open && !state.overran).then_some(state.began? + step.usual?)
}
