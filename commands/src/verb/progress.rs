//! `/migrate status <env>`: how a run of a runbook stands, for whoever asks.

use super::steer::Aim;
use super::{Spec, Verb, nothing, shortcut};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::run::Illegal;
use crate::view;

/// A wish to see how far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Of which run.
    pub aim: Aim,
}

impl Verb for Progress {
    const SPEC: Spec = Spec {
        command: "/migrate",
        name: "status",
        usage: "<env>",
        summary: "See how far the migration is",
        detail: "Its card as it stands, with its buttons, for you alone.",
        flags: &[],
        act: Act::Read,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, aim) = shortcut::aim(Self::SPEC.command, args, scope)?;
        args.end()?;
        Ok((service, Self { aim }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.aim.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, _: &Speaker) -> Result<Decision, Illegal> {
        Ok(match self.aim.find(facts) {
            Ok(operation) => Decision::say(view::operation_card(operation, facts)),
            Err(why) => nothing(&why),
        })
    }
}
