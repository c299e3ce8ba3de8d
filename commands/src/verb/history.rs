//! `history [env]`: the last finished runs.

use super::{Spec, Verb};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::run::Illegal;
use crate::view;

/// A look back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Where; `None`: in the first environment that is production, else the last one.
    pub environment: Option<EnvironmentId>,
}

impl Verb for History {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "history",
        usage: "[env]",
        summary: "The last finished runs: what, who, how long",
        detail: "Everything, with who said what when, is in `signalbox audit export`.",
        flags: &[],
        act: Act::Read,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = args.optional_environment(scope)?;
        args.end()?;
        Ok((service.clone(), Self { environment }))
    }

    fn needs(&self, _: &crate::catalog::Service) -> Needs {
        Needs::default()
    }

    fn decide(&self, facts: &Facts<'_>, _: &Speaker) -> Result<Decision, Illegal> {
        let all = &facts.service.environments;
        let production = all
            .iter()
            .find(|environment| environment.tier == crate::catalog::Tier::Production);
        let environment = self
            .environment
            .as_ref()
            .or_else(|| production.or(all.last()).map(|environment| &environment.id));
        Ok(environment.map_or_else(Decision::default, |environment| {
            Decision::say(view::history(facts, environment))
        }))
    }
}
