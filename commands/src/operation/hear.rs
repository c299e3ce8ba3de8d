//! What comes back from a step's calls.

use std::collections::BTreeMap;

use super::advance::{advance, ask};
use super::backward::is_followed;
use super::calls::{calls, owe, owe_unseen};
use super::failure::UNKNOWN;
use super::{Event, Failure, Illegal, Operation, Phase, StepState};
use crate::effect::{CallPhase, Outcome, StepCall, StepOutcome};
use crate::ids::RecordId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::runbook::Step;
use crate::step::{Calls, RINGS, RINGS_UNTOLD, WRONG_ORDER};
use crate::time::Span;

/// How long a start may be on its way at a server that knows no key of ours, before a look that finds nothing is believed. A call is given up after ten
/// seconds; what a busy server does with it afterwards takes it some more.
const UNSEEN: Span = Span::minutes(1);

/// Takes in what came back from a call. What an earlier try brings, or one that was given up meanwhile, is not listened to.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn hear(plan: &mut Plan<'_>, call: &StepCall, outcome: &Outcome) -> Result<(), Illegal> {
    let Some(operation) = plan.operation(&call.run).cloned() else {
        return Ok(());
    };
    let Some((step, state)) = operation.step(&call.step) else {
        return Ok(());
    };
    let awaited = match call.phase {
        CallPhase::Prepare => Phase::Preparing,
        CallPhase::Act => Phase::Acting,
        CallPhase::Watch => Phase::Watching,
        CallPhase::Undo => Phase::Undoing,
        CallPhase::UndoWatch => Phase::UndoWatching,
    };
    if state.phase != awaited || state.number != call.number {
        return Ok(());
    }
    let Some(calls) = calls(step) else { return Ok(()) };
    if operation.ended().is_some() {
        return Ok(());
    }
    // An undo that was asked for ends reading and watching: nothing more is wanted of the step, unless it has no way back.
    let looks = matches!(call.phase, CallPhase::Prepare | CallPhase::Watch);
    if looks && operation.undone_by.is_some() && !is_followed(step, state) {
        return advance(plan, &call.run);
    }
    let heard = Heard {
        operation: &operation,
        step,
        state,
        calls,
    };
    match outcome {
        Outcome::Step { came } => heard.came(plan, call, came)?,
        Outcome::Unknown { why } if call.phase == CallPhase::Act => {
            let unknown = Event::StepUnknown {
                step: step.name.clone(),
                why: why.clone(),
            };
            plan.tell_operation(&call.run, unknown, Reason::Unknown)?;
        }
        Outcome::Unknown { why } => heard.failed(plan, call, Failure::new(UNKNOWN, why))?,
        Outcome::Refused { code, message } => heard.failed(plan, call, Failure::new(code, message))?,
        Outcome::Undeliverable { error } => {
            heard.failed(plan, call, Failure::new(error, "Slack does not take the message"))?
        }
        _ => return Ok(()),
    }
    advance(plan, &call.run)
}

struct Heard<'a> {
    operation: &'a Operation,
    step: &'a Step,
    state: &'a StepState,
    calls: Calls,
}

impl Heard<'_> {
    fn came(&self, plan: &mut Plan<'_>, call: &StepCall, came: &StepOutcome) -> Result<(), Illegal> {
        match (call.phase, came) {
            (
                CallPhase::Prepare,
                StepOutcome::Prepared {
                    memo,
                    outputs,
                    evidence,
                    done,
                },
            ) => self.prepared(plan, (memo, outputs, evidence, *done)),
            (CallPhase::Act, StepOutcome::Acted { memo }) => self.acted(plan, memo),
            (CallPhase::Act, StepOutcome::Pending { memo, progress }) => self.goes_on(plan, memo, progress),
            (CallPhase::Act, StepOutcome::Unseen) => self.unseen(plan),
            (CallPhase::Watch, StepOutcome::Pending { memo, progress }) => {
                if state_differs(self.state, memo, progress) {
                    let seen = Event::StepSeen {
                        step: self.step.name.clone(),
                        memo: memo.clone(),
                        progress: progress.clone(),
                    };
                    plan.tell_operation(self.id(), seen, Reason::Progress)?;
                } else {
                    plan.touch_operation(self.id());
                }
                self.look_again(plan, CallPhase::Watch);
                Ok(())
            }
            (CallPhase::Act | CallPhase::Watch, StepOutcome::Finished { outputs, evidence }) => {
                self.done(plan, outputs, evidence)
            }
            _ => self.undo_came(plan, call, came),
        }
    }

    fn undo_came(&self, plan: &mut Plan<'_>, call: &StepCall, came: &StepOutcome) -> Result<(), Illegal> {
        match (call.phase, came) {
            (CallPhase::Undo, StepOutcome::Acted { memo }) if self.calls.watch.is_some() => {
                let seen = Event::UndoSeen {
                    step: self.step.name.clone(),
                    memo: memo.clone(),
                    progress: None,
                };
                plan.tell_operation(self.id(), seen, Reason::Undone)?;
                owe(plan, self.id(), &self.step.name, CallPhase::UndoWatch, plan.facts.now);
                Ok(())
            }
            (CallPhase::Undo, StepOutcome::Acted { .. }) => self.undone(plan, &[]),
            (CallPhase::Undo, StepOutcome::Pending { memo, .. }) => {
                let goes_on = Event::UndoGoesOn {
                    step: self.step.name.clone(),
                    memo: memo.clone(),
                };
                plan.tell_operation(self.id(), goes_on, Reason::Undone)?;
                owe(plan, self.id(), &self.step.name, CallPhase::Undo, plan.facts.now);
                Ok(())
            }
            (CallPhase::UndoWatch, StepOutcome::Pending { memo, progress }) => {
                if state_differs(self.state, memo, progress) {
                    let seen = Event::UndoSeen {
                        step: self.step.name.clone(),
                        memo: memo.clone(),
                        progress: Some(progress.clone()),
                    };
                    plan.tell_operation(self.id(), seen, Reason::Undone)?;
                } else {
                    plan.touch_operation(self.id());
                }
                self.look_again(plan, CallPhase::UndoWatch);
                Ok(())
            }
            (CallPhase::Undo | CallPhase::UndoWatch, StepOutcome::Finished { evidence, .. }) => {
                self.undone(plan, evidence)
            }
            // An executor that answers a phase with what belongs to another is wrong; people see it.
            (phase, _) => self.failed(
                plan,
                call,
                Failure::new("bug", format!("an answer that does not belong to {phase:?}")),
            ),
        }
    }

    const fn id(&self) -> &RecordId {
        &self.operation.id
    }

    fn prepared(
        &self,
        plan: &mut Plan<'_>,
        (memo, outputs, evidence, done): (&serde_json::Value, &BTreeMap<String, String>, &[String], bool),
    ) -> Result<(), Illegal> {
        let name = &self.step.name;
        if self.operation.is_plan() {
            let met = done && self.calls.act.is_none();
            // What a look has found says what was looked for.
            let found = met && !evidence.is_empty();
            let mut lines = if found { Vec::new() } else { self.planned() };
            lines.extend(evidence.iter().cloned());
            let planned = Event::StepPlanned {
                step: name.clone(),
                outputs: outputs.clone(),
                evidence: lines,
                unknown: None,
                met,
            };
            return plan.tell_operation(self.id(), planned, Reason::Evidence);
        }
        if done || (self.calls.act.is_none() && self.calls.watch.is_none()) {
            return self.done(plan, outputs, evidence);
        }
        let acts = self.calls.act.is_some();
        if acts
            && self
                .operation
                .action(self.step)
                .is_ok_and(|action| action.typed().is_some())
        {
            let shown = Event::StepShown {
                step: name.clone(),
                memo: memo.clone(),
                outputs: outputs.clone(),
                evidence: evidence.to_vec(),
            };
            plan.tell_operation(self.id(), shown, Reason::Asked)?;
            ask(plan, self.operation, self.step);
            return Ok(());
        }
        let prepared = Event::StepPrepared {
            step: name.clone(),
            memo: memo.clone(),
            outputs: outputs.clone(),
            // What is only watched changes with every look: what was seen before the first would soon be wrong.
            evidence: if acts { evidence.to_vec() } else { Vec::new() },
            acts,
        };
        plan.tell_operation(self.id(), prepared, Reason::Progress)?;
        let phase = if acts { CallPhase::Act } else { CallPhase::Watch };
        owe(plan, self.id(), name, phase, plan.facts.now);
        Ok(())
    }

    /// What the step would do, with every value that is known.
    fn planned(&self) -> Vec<String> {
        self.operation
            .action(self.step)
            .map_or_else(|_| self.step.plan(&self.step.action), |action| self.step.plan(&action))
    }

    fn acted(&self, plan: &mut Plan<'_>, memo: &serde_json::Value) -> Result<(), Illegal> {
        if self.calls.watch.is_none() {
            return self.done(plan, &BTreeMap::new(), &[]);
        }
        let acted = Event::StepActed {
            step: self.step.name.clone(),
            memo: memo.clone(),
        };
        plan.tell_operation(self.id(), acted, Reason::Progress)?;
        owe(plan, self.id(), &self.step.name, CallPhase::Watch, plan.facts.now);
        Ok(())
    }

    /// A part of it was done: the rest follows under a new lease, unless an undo was asked for meanwhile.
    fn goes_on(
        &self,
        plan: &mut Plan<'_>,
        memo: &serde_json::Value,
        progress: &super::Progress,
    ) -> Result<(), Illegal> {
        // What takes too long is given up between two parts, and so is what was aborted and has no undo.
        let late = self.late(plan);
        let aborted = self.operation.undone_by.is_some();
        let step = self.step.name.clone();
        if aborted && self.calls.undo && !late {
            let memo = memo.clone();
            return plan.tell_operation(self.id(), Event::StepActed { step, memo }, Reason::Progress);
        }
        let seen = Event::StepSeen {
            step: step.clone(),
            memo: memo.clone(),
            progress: progress.clone(),
        };
        plan.tell_operation(self.id(), seen, Reason::Progress)?;
        if late || aborted {
            let code = if late { super::clock::DEADLINE_PASSED } else { "aborted" };
            let failure = Failure::new(code, format!("it was given up on the way: {}", progress.words));
            return plan.tell_operation(self.id(), Event::StepFailed { step, failure }, Reason::Failed);
        }
        owe(plan, self.id(), &self.step.name, CallPhase::Act, plan.facts.now);
        Ok(())
    }

    /// No trace of an earlier try is seen yet. That it was not made is believed only when a look after a while sees none either.
    fn unseen(&self, plan: &mut Plan<'_>) -> Result<(), Illegal> {
        let step = self.step.name.clone();
        if self.late(plan) || self.operation.undone_by.is_some() {
            let why = "an earlier try was not answered, and no trace of it was seen in time".to_owned();
            return plan.tell_operation(self.id(), Event::StepUnknown { step, why }, Reason::Unknown);
        }
        let seen = Event::StepSeen {
            step,
            memo: self.state.memo.clone(),
            progress: super::Progress {
                words: format!(
                    "an earlier try was not answered, and no trace of it is seen: looked for again after {UNSEEN}, and only then done anew"
                ),
                ..super::Progress::default()
            },
        };
        plan.tell_operation(self.id(), seen, Reason::Progress)?;
        owe_unseen(plan, self.id(), &self.step.name, plan.facts.now + UNSEEN);
        Ok(())
    }

    fn late(&self, plan: &Plan<'_>) -> bool {
        let began = self.state.began;
        began.is_some_and(|began| began + self.step.deadline <= plan.facts.now)
    }

    fn done(
        &self,
        plan: &mut Plan<'_>,
        outputs: &BTreeMap<String, String>,
        evidence: &[String],
    ) -> Result<(), Illegal> {
        let done = Event::StepDone {
            step: self.step.name.clone(),
            outputs: outputs.clone(),
            evidence: evidence.to_vec(),
        };
        plan.tell_operation(self.id(), done, Reason::Progress)
    }

    fn undone(&self, plan: &mut Plan<'_>, evidence: &[String]) -> Result<(), Illegal> {
        let undone = Event::UndoFinished {
            step: self.step.name.clone(),
            evidence: evidence.to_vec(),
        };
        plan.tell_operation(self.id(), undone, Reason::Undone)
    }

    fn failed(&self, plan: &mut Plan<'_>, call: &StepCall, mut failure: Failure) -> Result<(), Illegal> {
        let step = self.step.name.clone();
        if self.operation.is_plan() {
            // What cannot be read may be made by an earlier step: the plan goes on, and shows it as unknown.
            let planned = Event::StepPlanned {
                step,
                outputs: BTreeMap::new(),
                evidence: self.planned(),
                unknown: Some(self.in_a_plan(failure)),
                met: false,
            };
            return plan.tell_operation(self.id(), planned, Reason::Evidence);
        }
        if failure.code == RINGS_UNTOLD {
            if let Some(excuse) = super::maintenance::excuse(plan.facts, self.operation) {
                return self.done(plan, &BTreeMap::new(), &[format!("{excuse}: {}", failure.message)]);
            }
            failure = Failure::new(RINGS, failure.message);
        }
        let event = match call.phase {
            CallPhase::Undo | CallPhase::UndoWatch => Event::UndoFailed { step, failure },
            CallPhase::Prepare | CallPhase::Act | CallPhase::Watch => Event::StepFailed { step, failure },
        };
        plan.tell_operation(self.id(), event, Reason::Failed)
    }

    /// What is in the wrong order now may be in the right one when the steps above have done something.
    fn in_a_plan(&self, failure: Failure) -> Failure {
        let above = self
            .operation
            .sequence()
            .take_while(|(step, _)| step.name != self.step.name);
        let acts = |(step, _): (&Step, &StepState)| calls(step).is_some_and(|calls| calls.act.is_some());
        if failure.code == WRONG_ORDER && above.into_iter().any(acts) {
            return Failure::new(
                "later",
                format!("known only when the steps above are done; now {}", failure.message),
            );
        }
        failure
    }

    fn look_again(&self, plan: &mut Plan<'_>, phase: CallPhase) {
        let Some(pause) = self.calls.watch else { return };
        owe(plan, self.id(), &self.step.name, phase, plan.facts.now + pause);
    }
}

/// Whether there is news: a row in the journal and an edit of the card are for changes, not for looks.
fn state_differs(state: &StepState, memo: &serde_json::Value, progress: &super::Progress) -> bool {
    state.progress.as_ref() != Some(progress) || state.memo != *memo
}
