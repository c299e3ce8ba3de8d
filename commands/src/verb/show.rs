//! `show <env> [run]`: a run's card as it stands, for whoever asks: also one that is over, and a plan.

use super::retry::Target;
use super::{Spec, Verb, nothing};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, RecordId, ServiceId};
use crate::run::Illegal;
use crate::view::{self, Message};

/// A wish to see a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Show {
    /// Which.
    pub target: Target,
}

impl Verb for Show {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "show",
        usage: "<env> [run]",
        summary: "See a run's card as it stands, wherever you are",
        detail: "A run that is over and a plan are named by their ids, which `runs`, `history` and the card have. Without one: what is under way, else what ended last.",
        flags: &[],
        act: Act::Read,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, target) = Target::parse(args, scope)?;
        args.end()?;
        Ok((service, Self { target }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.target.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, _: &Speaker) -> Result<Decision, Illegal> {
        let id = match &self.target {
            Target::Run(id) => Some(id.clone()),
            Target::Newest(environment) => newest(facts, environment),
        };
        Ok(match (id.and_then(|id| card(facts, &id)), &self.target) {
            (Some(card), _) => Decision::say(card),
            (None, Target::Run(_)) => nothing("there is no such run"),
            (None, Target::Newest(environment)) => nothing(&format!("there was no run on {environment} yet")),
        })
    }
}

fn card(facts: &Facts<'_>, id: &RecordId) -> Option<Message> {
    let run = || facts.runs.get(id).map(|run| view::card(run, facts));
    let operation = facts.operations.get(id);
    operation
        .map(|operation| view::operation_card(operation, facts))
        .or_else(run)
}

/// What is under way there, a runbook's run before a release; else what ended last.
fn newest(facts: &Facts<'_>, environment: &EnvironmentId) -> Option<RecordId> {
    let target = Target::Newest(environment.clone());
    let open = facts
        .runs
        .values()
        .filter(|run| run.ended().is_none() && run.environments().any(|one| one == environment));
    let operation = target.operation(facts).map(|operation| operation.id.clone());
    let open = || {
        open.max_by_key(|run| run.pinned.waiting_since)
            .map(|run| run.id.clone())
    };
    let ended = || facts.desk.newest(environment).next().cloned();
    operation.or_else(open).or_else(ended)
}
