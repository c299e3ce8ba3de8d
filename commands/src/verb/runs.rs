//! `runs`: the runs that are under way.

use super::{Spec, Verb};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::run::Illegal;
use crate::view;

/// A look at the open runs of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs;

impl Verb for Runs {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "runs",
        usage: "[service]",
        summary: "The runs that are under way, and what each waits for",
        detail: "Finished runs are in `history`.",
        flags: &[],
        act: Act::Read,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, _) = args.optional_environment(scope)?;
        args.end()?;
        Ok((service.clone(), Self))
    }

    fn needs(&self, _: &crate::catalog::Service) -> Needs {
        Needs {
            every_open: true,
            ..Needs::default()
        }
    }

    fn decide(&self, facts: &Facts<'_>, _: &Speaker) -> Result<Decision, Illegal> {
        Ok(Decision::say(view::runs(facts)))
    }
}
