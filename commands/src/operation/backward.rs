//! The way back: steps are undone one by one, in reverse, and what has no way back is waited for.

use super::advance::{end, stop};
use super::calls::{calls, owe};
use super::{Event, Illegal, Operation, Phase, StepState};
use crate::effect::CallPhase;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::runbook::Step;

/// One move backward. Says whether there was one.
pub(super) fn backward(plan: &mut Plan<'_>, operation: &Operation) -> Result<bool, Illegal> {
    let busy = |phase: Phase| matches!(phase, Phase::Acting | Phase::Undoing | Phase::UndoWatching);
    // What is being done is heard of first: it may or may not have to be undone.
    if operation
        .all()
        .any(|(step, state)| busy(state.phase) || is_followed(step, state))
    {
        return Ok(false);
    }
    let failed = operation.all().filter(|(_, state)| state.phase == Phase::UndoFailed);
    let held: Vec<Option<&String>> = failed.map(|(step, _)| step.group.as_ref()).collect();
    // What was under way together does not rest on each other: all of a group is tried before people are asked about what failed in it.
    let beside = |step: &Step| held.is_empty() || (step.group.is_some() && held.contains(&step.group.as_ref()));
    let mut open = operation.all().rev();
    let Some((step, _)) = open.find(|(step, state)| is_to_be_undone(step, state) && beside(step)) else {
        if held.is_empty() {
            end(plan, operation, Reason::Undone)?;
        } else {
            stop(plan, operation)?;
        }
        return Ok(false);
    };
    plan.tell_operation(
        &operation.id,
        Event::UndoStarted {
            step: step.name.clone(),
        },
        Reason::Undone,
    )?;
    owe(plan, &operation.id, &step.name, CallPhase::Undo, plan.facts.now);
    Ok(true)
}

/// Whether a step has changed something that can be taken back.
#[must_use]
pub fn is_to_be_undone(step: &Step, state: &StepState) -> bool {
    let after = match state.phase {
        Phase::Done | Phase::Watching | Phase::Failed | Phase::Unknown => true,
        // What a person left out is theirs; what failed in a way that counts as success has changed something.
        Phase::Skipped => state.by.is_none(),
        _ => false,
    };
    after && state.acted && !step.keep && calls(step).is_some_and(|calls| calls.undo)
}

/// Whether a step is under way and has no way back: an abort waits for its end. A build that nobody follows would go on beside whatever comes next.
#[must_use]
pub fn is_followed(step: &Step, state: &StepState) -> bool {
    let acts = calls(step).is_some_and(|calls| calls.act.is_some());
    state.phase == Phase::Watching && state.acted && acts && !is_to_be_undone(step, state)
}

/// Whether a person aborted it, and no step was undone: nothing had been done by then, or nothing that could be taken back.
#[must_use]
pub fn is_aborted(operation: &Operation) -> bool {
    let by_person = matches!(operation.undone_by, Some((Some(_), _)));
    by_person && operation.steps.iter().all(|state| state.phase != Phase::Undone)
}
