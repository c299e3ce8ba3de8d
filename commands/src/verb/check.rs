//! `check <env>`: gathers the evidence again.

use super::pick::{Pick, Picked};
use super::{Spec, Verb, nothing};
use crate::decision::{Decision, Reply};
use crate::effect::Effect;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::plan::Plan;
use crate::run::{Illegal, Run};
use crate::view::Message;

/// A wish for fresh evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// On which run.
    pub pick: Pick,
}

impl Verb for Check {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "check",
        usage: "<env>",
        summary: "Look at the evidence again: what would go out, and every check",
        detail: "Answers at once; the card fills in as the evidence comes.",
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
        let runs: Vec<&Run> = match self.pick.find(facts, speaker) {
            Picked::This(run) => vec![run],
            Picked::Confirm(runs) => runs,
            Picked::Nothing(why) => return Ok(nothing(&why)),
        };
        let mut plan = Plan::new(facts);
        for run in &runs {
            let live = run
                .pinned
                .environments
                .first()
                .and_then(|target| target.live.as_ref()?.revision.commit.clone());
            plan.owe(Effect::GatherChange {
                run: run.id.clone(),
                base: live,
                head: run.pinned.revision.commit.clone(),
            });
        }
        let names: Vec<String> = runs.iter().map(|run| run.pinned.revision.short()).collect();
        Ok(plan.finish(Reply::Private(Message::sentence(format!(
            "Looking at {} again. The card fills in as the evidence comes.",
            names.join(", ")
        )))))
    }
}
