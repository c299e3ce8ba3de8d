//! The only place that begins, retries and undoes steps. Everything that changes an operation ends here.

use std::collections::BTreeMap;

use super::backward::backward;
use super::calls::owe;
use super::protection::{NO_SNAPSHOT, unprotected};
use super::{Event, Failure, Illegal, Matter, Operation, Phase, Status};
use crate::effect::{CallPhase, Effect};
use crate::ids::RecordId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::runbook::{OnFailure, Step, Then};
use crate::step::{Action, Conduct, NO_FUNCTION, WRONG_ORDER};
use crate::time::Span;
use crate::view;

/// The code of a step for whose placeholders nothing is known.
const NO_VALUE: &str = "no_value";
/// How long a step that is tried again by itself waits, times the number of tries.
const RETRY_PAUSE: Span = Span::seconds(10);

/// Goes as far as can be gone without hearing from the outside.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn advance(plan: &mut Plan<'_>, id: &RecordId) -> Result<(), Illegal> {
    loop {
        let Some(operation) = plan.operation(id).cloned() else {
            return Ok(());
        };
        let moved = match operation.status {
            Status::Running => forward(plan, &operation)?,
            Status::Undoing => backward(plan, &operation)?,
            Status::Stopped | Status::Ended { .. } => false,
        };
        if !moved {
            return Ok(());
        }
    }
}

/// One move forward. Says whether there was one.
fn forward(plan: &mut Plan<'_>, operation: &Operation) -> Result<bool, Illegal> {
    if let Some(moved) = remedies(plan, operation)? {
        return Ok(moved);
    }
    let frontier = operation.frontier();
    if frontier.is_empty() {
        let reason = if operation.is_plan() {
            Reason::Planned
        } else {
            Reason::Succeeded
        };
        end(plan, operation, reason)?;
        return Ok(false);
    }
    if let Some((step, _)) = frontier.iter().find(|(_, state)| state.phase == Phase::Ahead) {
        begin(plan, operation, step)?;
        return Ok(true);
    }
    let stuck: Vec<_> = frontier.iter().filter(|(_, state)| state.phase.is_stuck()).collect();
    let calling = frontier.iter().any(|(_, state)| state.phase.is_calling());
    if stuck.is_empty() || calling {
        return Ok(false);
    }
    for (step, state) in stuck {
        if mend(plan, operation, step, state)? {
            return Ok(true);
        }
    }
    give_up(plan, operation)
}

/// Remedies that a person chose: begun, and when they are done the failed step is tried again. `None`: none is chosen.
fn remedies(plan: &mut Plan<'_>, operation: &Operation) -> Result<Option<bool>, Illegal> {
    let chosen = operation
        .sequence()
        .find_map(|(step, state)| Some((step, state.remedy.as_ref().filter(|_| state.phase == Phase::Failed)?)));
    let Some((failed, remedy)) = chosen else {
        return Ok(None);
    };
    let Some((step, state)) = operation.step(remedy) else {
        return Ok(None);
    };
    let id = &operation.id;
    match state.phase {
        Phase::Ahead => begin(plan, operation, step)?,
        phase if phase.is_settled() => {
            let again = Event::StepRetried {
                step: failed.name.clone(),
                by: None,
            };
            plan.tell_operation(id, again, Reason::Progress)?;
        }
        phase if phase.is_stuck() => {
            stop(plan, operation)?;
            return Ok(Some(false));
        }
        _ => return Ok(Some(false)),
    }
    Ok(Some(true))
}

/// Begins a step.
fn begin(plan: &mut Plan<'_>, operation: &Operation, step: &Step) -> Result<(), Illegal> {
    let (id, name) = (&operation.id, step.name.clone());
    let action = match filled(operation, step) {
        Ok(Ok(action)) => action,
        Ok(Err(reason)) => {
            let skipped = Event::StepSkipped {
                step: name,
                by: None,
                reason,
            };
            return plan.tell_operation(id, skipped, Reason::Skipped);
        }
        Err(missing) => return unfilled(plan, operation, step, &missing),
    };
    let conduct = action.conduct();
    if let (true, false) = (operation.is_plan(), matches!(conduct, Conduct::Calls(_))) {
        let planned = Event::StepPlanned {
            step: name,
            outputs: BTreeMap::new(),
            evidence: step.plan(&action),
            unknown: None,
            met: false,
        };
        return plan.tell_operation(id, planned, Reason::Evidence);
    }
    let asks = step.asks && !operation.is_plan() && !operation.step(&name).is_some_and(|(_, state)| state.cleared);
    if let (false, Some(failure)) = (
        asks || operation.is_plan(),
        unprotected(operation, step, plan.facts.now),
    ) {
        return plan.tell_operation(id, Event::StepFailed { step: name, failure }, Reason::Failed);
    }
    match conduct {
        Conduct::Timer(_) if !asks => plan.tell_operation(
            id,
            Event::StepBegan {
                step: name,
                reads: false,
            },
            Reason::Progress,
        ),
        Conduct::Calls(_) if !asks => {
            plan.tell_operation(
                id,
                Event::StepBegan {
                    step: name.clone(),
                    reads: true,
                },
                Reason::Progress,
            )?;
            let tries = operation.step(&name).map_or(0, |(_, state)| state.number);
            let pause = Span(RETRY_PAUSE.0 * i64::from(tries.min(6)));
            owe(plan, id, &name, CallPhase::Prepare, plan.facts.now + pause);
            Ok(())
        }
        _ => {
            plan.tell_operation(id, Event::StepAsked { step: name.clone() }, Reason::Asked)?;
            ask(plan, operation, step);
            Ok(())
        }
    }
}

/// A step's action with every value that is known by now, or the placeholder that has none; why it is left out when its condition does not hold: what is
/// left out may name what nobody knows.
fn filled(operation: &Operation, step: &Step) -> Result<Result<Action, String>, String> {
    let outputs = operation.outputs();
    let values = operation.values(&outputs);
    let fill = |text: &str| values.fill(text);
    let when = step.when.as_ref().map(|when| when.fill(fill)).transpose()?;
    if let Some(when) = when.filter(|when| !when.holds()) {
        let what = step.when.as_ref().and_then(|written| operation.called(&written.value));
        return Ok(Err(when.why_not(what.as_deref().unwrap_or("it"))));
    }
    step.action.fill(fill).map(Ok)
}

/// A placeholder without a value: a plan says so and goes on, a run has failed.
fn unfilled(plan: &mut Plan<'_>, operation: &Operation, step: &Step, missing: &str) -> Result<(), Illegal> {
    let (id, name) = (&operation.id, step.name.clone());
    if operation.is_plan() {
        let evidence = step.plan(&step.action);
        let why = format!("{missing} is known only when that step is done");
        return plan.tell_operation(
            id,
            Event::StepPlanned {
                step: name,
                outputs: BTreeMap::new(),
                evidence,
                unknown: Some(Failure::new("later", why)),
                met: false,
            },
            Reason::Evidence,
        );
    }
    let failure = Failure::new(NO_VALUE, format!("nothing is known for {missing}"));
    plan.tell_operation(id, Event::StepFailed { step: name, failure }, Reason::Failed)
}

/// Tells people, in the thread, that one of them is asked.
pub(super) fn ask(plan: &mut Plan<'_>, operation: &Operation, step: &Step) {
    plan.owe(Effect::PostInThread {
        run: operation.id.clone(),
        name: format!(
            "ask/{}/{}",
            step.name,
            operation.step(&step.name).map_or(0, |(_, state)| state.number)
        ),
        message: view::step_asked_note(plan.facts, operation, step),
    });
}

/// What can be done about a failure without a person. Says whether something was. What failed before it began, or because time was up, would fail again
/// at once, and so would what is in the wrong order.
fn mend(plan: &mut Plan<'_>, operation: &Operation, step: &Step, state: &super::StepState) -> Result<bool, Illegal> {
    let Some(failure) = state.failure.as_ref().filter(|_| state.phase == Phase::Failed) else {
        return Ok(false);
    };
    let words = failure.words();
    let expected = step.known(&words).map(|(expected, _)| expected);
    if let Some(expected) = expected.filter(|expected| expected.then == Then::GoOn) {
        let skipped = Event::StepSkipped {
            step: step.name.clone(),
            by: None,
            reason: format!("known and harmless: {}", expected.name),
        };
        plan.tell_operation(&operation.id, skipped, Reason::Skipped)?;
        return Ok(true);
    }
    let hopeless = [super::clock::DEADLINE_PASSED, NO_SNAPSHOT, NO_VALUE, WRONG_ORDER].contains(&failure.code.as_str());
    if expected.is_none() && state.number <= step.retries && !hopeless {
        let again = Event::StepRetried {
            step: step.name.clone(),
            by: None,
        };
        plan.tell_operation(&operation.id, again, Reason::Progress)?;
        return Ok(true);
    }
    Ok(false)
}

/// Whether it failed in a way that the runbook knows.
fn is_known(step: &Step, state: &super::StepState) -> bool {
    let failure = state.failure.as_ref().filter(|_| state.phase == Phase::Failed);
    failure.is_some_and(|failure| step.known(&failure.words()).is_some())
}

/// A step has failed for good.
fn give_up(plan: &mut Plan<'_>, operation: &Operation) -> Result<bool, Illegal> {
    let unknown = operation.all().any(|(_, state)| state.phase == Phase::Unknown);
    // What is known has a remedy, or somebody who can mend it: that is theirs to choose before anything is undone.
    let known = operation.all().any(|(step, state)| is_known(step, state));
    if operation.pinned.on_failure == OnFailure::Undo && !unknown && !known && !operation.is_plan() {
        let shown = operation.shown();
        let reason = shown
            .all()
            .find_map(|(step, state)| {
                Some(format!(
                    "“{}” failed: {}",
                    operation.title(step),
                    state.failure.as_ref()?.words()
                ))
            })
            .unwrap_or_default();
        plan.tell_operation(&operation.id, Event::UndoAsked { by: None, reason }, Reason::Failed)?;
        return Ok(true);
    }
    if operation.is_plan() {
        end(plan, operation, Reason::Failed)?;
        return Ok(false);
    }
    if is_mistyped(operation) {
        end(plan, operation, Reason::Failed)?;
        return Ok(false);
    }
    stop(plan, operation)?;
    Ok(false)
}

/// Whether somebody asked for a function that is not there: nothing was done, trying again would not help, and a run that waits would be in the way of
/// whoever types the right name.
fn is_mistyped(operation: &Operation) -> bool {
    let errand = operation.pinned.errand.as_ref().filter(|errand| !errand.by_itself);
    let failures = || operation.all().filter_map(|(_, state)| state.failure.as_ref());
    errand.is_some_and(|errand| errand.matter == Matter::LogLevels)
        && operation.steps.iter().all(|state| !state.acted)
        && failures().all(|failure| failure.code == NO_FUNCTION)
}

/// A person has to decide; they are told.
pub(super) fn stop(plan: &mut Plan<'_>, operation: &Operation) -> Result<(), Illegal> {
    plan.tell_operation(&operation.id, Event::Stopped, Reason::Stopped)?;
    let tries: u32 = operation.steps.iter().map(|state| state.number).sum();
    if let Some(stopped) = plan.operation(&operation.id).cloned() {
        plan.owe(Effect::PostInThread {
            run: operation.id.clone(),
            name: format!("stopped/{tries}"),
            message: view::operation_stopped_note(plan.facts, &stopped),
        });
    }
    Ok(())
}

/// It is over: the environment is free, and whoever started it is told.
pub(crate) fn end(plan: &mut Plan<'_>, operation: &Operation, reason: Reason) -> Result<(), Illegal> {
    plan.tell_operation(&operation.id, Event::Ended { reason }, reason)?;
    plan.free_operation(&operation.id);
    if let Some(ended) = plan.operation(&operation.id).cloned() {
        super::standing::settle(plan, &ended);
        plan.owe(Effect::PostInThread {
            run: operation.id.clone(),
            name: "ended".to_owned(),
            message: view::operation_ended_note(plan.facts, &ended),
        });
    }
    Ok(())
}
