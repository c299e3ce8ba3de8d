//! `remedy <env> [run]`: does what the runbook knows to help against a failure, then tries the step again.

use super::retry::again;
use super::steer::{Aim, aloud};
use super::{Spec, Verb, nothing};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{ServiceId, StepName};
use crate::operation::{Event, Operation, Phase, Status, StepState, advance};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::runbook::{Expected, Step, Then};
use crate::view::{Inline, text};

/// A wish for the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// Of which run.
    pub aim: Aim,
    /// Whether the stuck step is simply tried again where no remedy is known.
    pub or_again: bool,
}

impl Verb for Remedy {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "remedy",
        usage: "<env> [run]",
        summary: "Do what the runbook knows to help against a failure, then try again",
        detail: "Only failures that the runbook lists under `expect` or `known` have one.",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, aim) = Aim::parse(args, scope)?;
        args.end()?;
        Ok((service, Self { aim, or_again: false }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.aim.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let operation = match self.aim.permitted(facts, speaker, Act::Operate) {
            Ok(operation) => operation,
            Err(told) => return Ok(*told),
        };
        let stopped = operation.status == Status::Stopped;
        let known = operation
            .all()
            .find_map(|(step, state)| Some((step, known(step, state)?.1)));
        let Some((step, remedy)) = known.filter(|_| stopped) else {
            if self.or_again {
                return again(facts, speaker, operation);
            }
            return Ok(nothing("the runbook knows no remedy for how this run stands"));
        };
        let mut plan = Plan::new(facts);
        let id = &operation.id;
        restart(&mut plan, operation, remedy)?;
        let chosen = Event::RemedyChosen {
            step: step.name.clone(),
            remedy: remedy.clone(),
            by: speaker.user.clone(),
        };
        plan.tell_operation(id, chosen, Reason::Asked)?;
        plan.tell_operation(id, Event::Resumed, Reason::Progress)?;
        advance::advance(&mut plan, id)?;
        let title = operation
            .step(remedy)
            .map_or_else(String::new, |(step, _)| operation.title(step));
        let said = format!(" tries “{title}”, then “{}” again", operation.title(step));
        Ok(plan.finish(aloud(vec![Inline::Mention(speaker.user.clone()), text(said)])))
    }
}

/// What a failed step's failure is known as, and its remedy.
#[must_use]
pub(crate) fn known<'o>(step: &'o Step, state: &StepState) -> Option<(&'o Expected, &'o StepName)> {
    let failure = state.failure.as_ref().filter(|_| state.phase == Phase::Failed)?.words();
    let expected = step.expect.iter().find(|expected| expected.fits(&failure))?;
    match &expected.then {
        Then::Remedy(remedy) => Some((expected, remedy)),
        Then::GoOn | Then::Ask => None,
    }
}

/// A remedy that was tried before is tried anew.
fn restart(plan: &mut Plan<'_>, operation: &Operation, remedy: &StepName) -> Result<(), Illegal> {
    let Some((_, tried)) = operation.step(remedy) else {
        return Ok(());
    };
    if tried.phase == Phase::Ahead {
        return Ok(());
    }
    let again = Event::StepRetried {
        step: remedy.clone(),
        by: None,
    };
    plan.tell_operation(&operation.id, again, Reason::Progress)
}
