//! `why <env>`: why can't I? Every gate, privately.

use super::pick::{Pick, Picked};
use super::{Spec, Verb};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::run::{Illegal, Run};
use crate::view;

/// A question about one's own rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// About which run.
    pub pick: Pick,
}

impl Verb for Why {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "why",
        usage: "<env>",
        summary: "Why can't I? Every gate, who can, until when, and what to type",
        detail: "Only you see the answer.",
        flags: &[],
        act: Act::Read,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, pick) = Pick::parse(args, scope)?;
        args.end()?;
        Ok((service, Self { pick }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.pick.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let run: Option<&Run> = match self.pick.find(facts, speaker) {
            Picked::This(run) => Some(run),
            Picked::Confirm(runs) => runs.first().copied(),
            Picked::Nothing(_) => None,
        };
        let home = match &self.pick {
            Pick::In { environment, .. } => Some(environment),
            Pick::Run(_) => run.map(Run::home),
        };
        let environment = home.and_then(|home| facts.service.environment(home));
        Ok(environment.map_or_else(
            || {
                Decision::say(view::Message::sentence(
                    "That run is not known any more; `/deploy status` shows what is there.",
                ))
            },
            |environment| Decision::say(view::why(facts, speaker, environment, run)),
        ))
    }
}
