//! `status [env]`: what waits, what is live, what is in the way.

use super::{Spec, Verb};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::run::Illegal;
use crate::view;

/// A look at a service, or at one environment of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which; `None`: all.
    pub environment: Option<EnvironmentId>,
}

impl Verb for Status {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "status",
        usage: "[env]",
        summary: "What waits, what is live, what is in the way",
        detail: "Without an environment: everything that is at home in this channel.",
        flags: &[],
        act: Act::Read,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = args.optional_environment(scope)?;
        args.end()?;
        Ok((service.clone(), Self { environment }))
    }

    fn needs(&self, _: &crate::catalog::Service) -> Needs {
        Needs {
            every_open: self.environment.is_none(),
            open_in: self.environment.iter().cloned().collect(),
            ..Needs::default()
        }
    }

    fn decide(&self, facts: &Facts<'_>, _: &Speaker) -> Result<Decision, Illegal> {
        Ok(Decision::say(view::status(facts, self.environment.as_ref())))
    }
}
