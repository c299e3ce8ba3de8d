//! The calls that steps owe to the outside.

use super::Operation;
use crate::effect::{CallPhase, Effect, StepCall};
use crate::ids::{RecordId, StepName};
use crate::plan::Plan;
use crate::runbook::Step;
use crate::step::{Calls, Conduct};
use crate::time::Timestamp;

/// Owes a call for a step as it stands now.
pub(crate) fn owe(plan: &mut Plan<'_>, id: &RecordId, name: &StepName, phase: CallPhase, due: Timestamp) {
    let call = plan.operation(id).and_then(|operation| call(operation, name, phase));
    if let Some(call) = call {
        plan.owe_at(Effect::Step(Box::new(call)), due);
    }
}

/// Owes a step's act again, behind a look for the earlier try that may have been made.
pub(super) fn owe_unseen(plan: &mut Plan<'_>, id: &RecordId, name: &StepName, due: Timestamp) {
    let call = plan
        .operation(id)
        .and_then(|operation| call(operation, name, CallPhase::Act));
    if let Some(call) = call {
        plan.owe_at(Effect::Step(Box::new(StepCall { unseen: true, ..call })), due);
    }
}

fn call(operation: &Operation, name: &StepName, phase: CallPhase) -> Option<StepCall> {
    let (step, state) = operation.step(name)?;
    // What could be filled when the step began can be filled now: outputs are never taken back.
    let action = operation.action(step).ok()?;
    let mut aws = operation.pinned.target.aws.clone();
    if let Some(region) = &step.region {
        aws.region.clone_from(region);
    }
    Some(StepCall {
        run: operation.id.clone(),
        step: name.clone(),
        phase,
        number: state.number,
        action,
        memo: state.memo.clone(),
        unseen: state.unseen && phase == CallPhase::Prepare,
        environment: operation.environment().clone(),
        aws,
        actor: operation.pinned.starter.clone(),
        run_began: operation.pinned.started_at,
        by_itself: operation.pinned.errand.as_ref().is_some_and(|errand| errand.by_itself),
        then: operation.then().map(|then| then.run.clone()),
        known: known_words(step, phase),
    })
}

/// What the step's known failures are told by, for calls that may fail with a log to look into.
fn known_words(step: &Step, phase: CallPhase) -> Vec<Vec<String>> {
    match phase {
        CallPhase::Act | CallPhase::Watch => step.expect.iter().map(|expected| expected.words.clone()).collect(),
        CallPhase::Prepare | CallPhase::Undo | CallPhase::UndoWatch => Vec::new(),
    }
}

/// The calls of a step; none when it is conducted otherwise.
#[must_use]
pub fn calls(step: &Step) -> Option<Calls> {
    match step.action.conduct() {
        Conduct::Calls(calls) => Some(calls),
        _ => None,
    }
}
