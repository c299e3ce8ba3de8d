//! `skip <env> [run] <reason>`: leaves the step out that a runbook's run is stuck at or asks about.

use super::steer::{Aim, aloud, form, reason};
use super::{Spec, Verb, nothing};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::operation::{Event, Operation, Status, StepState, advance};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::runbook::Step;
use crate::step::Conduct;
use crate::view::{self, Inline, text};

/// A wish to leave a step out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Of which run.
    pub aim: Aim,
    /// Why.
    pub reason: String,
}

impl Verb for Skip {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "skip",
        usage: "<env> [run] <reason>",
        summary: "Leave out the step that a runbook is stuck at or asks about",
        detail: "An approval cannot be skipped. What the step may have done stays done.",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, aim) = Aim::parse(args, scope)?;
        let reason = reason(args)?;
        Ok((service, Self { aim, reason }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.aim.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let operation = match self.aim.permitted(facts, speaker, Act::Operate) {
            Ok(operation) => operation,
            Err(told) => return Ok(*told),
        };
        let Some((step, _)) = skippable(operation, &self.aim) else {
            return Ok(nothing(if asks_approvers(operation) {
                "an approval cannot be left out: those who may say yes are on the card"
            } else {
                "no step of this run can be left out just now"
            }));
        };
        if self.reason.trim().is_empty() {
            return Ok(form(
                speaker,
                view::skip_form(operation, step),
                "Say why: it becomes part of the record.",
            ));
        }
        let mut plan = Plan::new(facts);
        let skipped = Event::StepSkipped {
            step: step.name.clone(),
            by: Some(speaker.user.clone()),
            reason: self.reason.clone(),
        };
        plan.tell_operation(&operation.id, skipped, Reason::Skipped)?;
        if operation.status == Status::Stopped {
            plan.tell_operation(&operation.id, Event::Resumed, Reason::Progress)?;
        }
        advance::advance(&mut plan, &operation.id)?;
        let said = format!(" leaves out “{}”: {}", operation.title(step), self.reason);
        Ok(plan.finish(aloud(vec![Inline::Mention(speaker.user.clone()), text(said)])))
    }
}

/// Whether it waits for approvers, or did until it was too late.
fn asks_approvers(operation: &Operation) -> bool {
    operation.all().any(|(step, state)| {
        matches!(step.action.conduct(), Conduct::Votes(_)) && (state.phase.is_stuck() || state.phase.is_asking())
    })
}

/// The step that is meant, if it may be left out.
fn skippable<'o>(operation: &'o Operation, aim: &Aim) -> Option<(&'o Step, &'o StepState)> {
    let open = |(step, state): &(&Step, &StepState)| state.may_be_left_out(step);
    match &aim.seen {
        Some((step, _)) => operation.step(step).filter(open),
        None => operation.all().find(open),
    }
}
