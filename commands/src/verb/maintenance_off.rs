//! `/maintenance off <env> [reason]`: turns maintenance mode off.

use super::{Spec, Verb, maintain, operating_needs};
use crate::decision::{Decision, Reply};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::operation::maintenance::{Wish, turn};
use crate::plan::Plan;
use crate::run::Illegal;
use crate::view;

/// A wish for the end of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceOff {
    /// Where.
    pub environment: EnvironmentId,
    /// Why; may be empty.
    pub reason: String,
}

impl Verb for MaintenanceOff {
    const SPEC: Spec = Spec {
        command: "/maintenance",
        name: "off",
        usage: "<env> [reason]",
        summary: "Turn maintenance mode off",
        detail: "",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = maintain::environment(args, scope)?;
        let reason = args.rest();
        Ok((service, Self { environment, reason }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        operating_needs(service, Some(&self.environment))
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        // Who turned it on may turn it off, also where approving is all that they may do besides.
        let standing = facts.desk.maintenance.get(&self.environment);
        let theirs = standing.is_some_and(|standing| standing.by == speaker.user);
        let known = match maintain::permitted(facts, speaker, (&self.environment, theirs)) {
            Ok(known) => known,
            Err(told) => return Ok(*told),
        };
        let mut plan = Plan::new(facts);
        let wish = Wish {
            on: false,
            until: None,
            off_after: false,
            reason: &self.reason,
            by_itself: false,
            then: None,
        };
        turn(
            &mut plan,
            known,
            wish,
            (&speaker.user, speaker.delivery.as_str().as_bytes()),
        )?;
        let message = view::maintenance_recorded(&self.environment, false, (None, false));
        Ok(plan.finish(Reply::Private(message)))
    }
}
