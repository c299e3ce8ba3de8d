//! `reject <env> [revision] <reason>`: votes no. One no is enough.

use super::pick::{Pick, Picked};
use super::{Spec, Verb, nothing, refused};
use crate::approval;
use crate::decision::{Decision, Reply};
use crate::facts::{Facts, Needs, Speaker, Via};
use crate::gate::{self, Act};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Ballot, Event, Illegal, Run, Vote};
use crate::view;

/// A vote for no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// On which run.
    pub pick: Pick,
    /// Why; empty asks for it in a form.
    pub reason: String,
    /// Whether it makes room for the newest run that waits behind.
    pub for_newest: bool,
}

impl Verb for Reject {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "reject",
        usage: "<env> [revision] <reason>",
        summary: "Vote no on what waits for a decision",
        detail: "One no is enough, and a freeze or a lock does not hold it up. A newer run that waits behind this one comes next.",
        flags: &[],
        act: Act::Reject,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, pick) = Pick::parse(args, scope)?;
        let reason = args.rest();
        if reason.is_empty() {
            return Err(args.error("say why: those who wait for it will read it"));
        }
        Ok((
            service,
            Self {
                pick,
                reason,
                for_newest: false,
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.pick.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let run = match self.pick.find(facts, speaker) {
            Picked::This(run) => run,
            Picked::Confirm(runs) => return Ok(Decision::say(view::pick_one(&runs, facts))),
            Picked::Nothing(why) => return Ok(nothing(&why)),
        };
        let refusals = gate::evaluate_run(facts, Some(speaker), Act::Reject, run);
        if refusals.iter().any(|refusal| refusal.reason == Reason::AlreadyDecided) {
            return Ok(Decision {
                refusals,
                ..Decision::say(view::lost_race(run, facts, &speaker.user))
            });
        }
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        let reason = self.pick.reason(run, &self.reason);
        if reason.is_empty() {
            return Ok(Decision {
                reply: ask_why(run, self.for_newest, &speaker.via),
                ..Decision::default()
            });
        }
        let mut plan = Plan::new(facts);
        let vote = Vote {
            user: speaker.user.clone(),
            ballot: Ballot::Reject,
            at: facts.now,
            reason: reason.to_owned(),
            os_user: speaker.os_user().map(str::to_owned),
        };
        plan.tell(&run.id, Event::Voted { vote }, Reason::Voted)?;
        approval::advance(&mut plan, &run.id, None)?;
        let reply = plan.run(&run.id).map(|run| view::rejected(run, self.for_newest));
        Ok(plan.finish(reply.map_or(Reply::None, Reply::Private)))
    }
}

/// The form; or, when it comes back with blanks, what Slack's own check lets through, what is missing in it.
fn ask_why(run: &Run, for_newest: bool, via: &Via) -> Reply {
    if *via == Via::Form {
        let missing = "Say why: those who wait for it will read this.";
        return Reply::FormErrors([("reason".to_owned(), missing.to_owned())].into());
    }
    Reply::Form(view::reject_form(run, for_newest))
}
