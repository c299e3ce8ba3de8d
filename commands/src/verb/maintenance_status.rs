//! `/maintenance status [env]`: whether maintenance mode is on, by what is there, and who turned it on.

use super::{Spec, Verb, maintain, nothing, operating_needs};
use crate::decision::{Decision, Reply};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::operation::maintenance::read;
use crate::plan::Plan;
use crate::run::Illegal;
use crate::view;

/// A look at one environment, or at all that have a maintenance mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceStatus {
    /// Which; `None`: all.
    pub environment: Option<EnvironmentId>,
}

impl Verb for MaintenanceStatus {
    const SPEC: Spec = Spec {
        command: "/maintenance",
        name: "status",
        usage: "[env]",
        summary: "See whether maintenance mode is on, and who turned it on",
        detail: "It is read where it takes effect: a card fills in. What cannot be read is unknown, and not off.",
        flags: &[],
        act: Act::Read,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        if args.peek().is_none() {
            let (service, environment) = args.optional_environment(scope)?;
            return Ok((service.clone(), Self { environment }));
        }
        let (service, environment) = maintain::environment(args, scope)?;
        args.end()?;
        Ok((
            service,
            Self {
                environment: Some(environment),
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        operating_needs(service, self.environment.as_ref())
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let wanted = |id: &EnvironmentId| self.environment.as_ref().is_none_or(|one| one == id);
        let known: Vec<_> = facts
            .service
            .environments
            .iter()
            .filter(|one| wanted(&one.id))
            .filter_map(|one| Some((one, one.maintenance.as_ref()?)))
            .collect();
        if known.is_empty() {
            return Ok(nothing(
                "no environment here has a maintenance mode: add `maintenance = { … }` to one",
            ));
        }
        let mut plan = Plan::new(facts);
        for (environment, mode) in &known {
            let seed = format!("{}/{}", speaker.delivery, environment.id);
            read(&mut plan, (environment, mode), (&speaker.user, seed.as_bytes()))?;
        }
        let ids: Vec<&EnvironmentId> = known.iter().map(|(environment, _)| &environment.id).collect();
        let listed = view::anywhere_else(view::maintenance_listed(facts, &ids), facts, plan.begun());
        Ok(plan.finish(Reply::Private(listed)))
    }
}
