//! `/maintenance on <env> [for 30m] [--off-after] [reason]`: turns maintenance mode on.

use super::approve::already_voted;
use super::{Spec, Verb, maintain, nothing, operating_needs, refused};
use crate::decision::{Decision, Refusal, Reply};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, RecordId, ServiceId};
use crate::operation::Then;
use crate::operation::maintenance::{Wish, turn};
use crate::plan::Plan;
use crate::run::{Illegal, Run};
use crate::time::Span;
use crate::view;

/// A wish for maintenance mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceOn {
    /// Where.
    pub environment: EnvironmentId,
    /// For how long; `None`: until somebody turns it off.
    pub span: Option<Span>,
    /// Whether it is turned off by itself then.
    pub off_after: bool,
    /// Why; may be empty.
    pub reason: String,
    /// The run that they approve when it is on.
    pub then: Option<RecordId>,
}

impl MaintenanceOn {
    /// What the card of a run asks for: maintenance first, then the approval.
    #[must_use]
    pub fn before(run: RecordId) -> Option<Self> {
        Some(Self {
            environment: EnvironmentId::parse(run.as_str().split('/').nth(1)?).ok()?,
            span: None,
            off_after: false,
            reason: String::new(),
            then: Some(run),
        })
    }

    /// Why the approval that is to follow would be refused already.
    fn in_the_way(facts: &Facts<'_>, speaker: &Speaker, run: &Run) -> Vec<Refusal> {
        let mut refusals = gate::evaluate_run(facts, Some(speaker), Act::Approve, run);
        refusals.extend(already_voted(run, speaker));
        refusals
    }
}

impl Verb for MaintenanceOn {
    const SPEC: Spec = Spec {
        command: "/maintenance",
        name: "on",
        usage: "<env> [for 30m] [--off-after] [reason]",
        summary: "Turn maintenance mode on",
        detail: "The channel is reminded five minutes before the end, and every half hour when it is still on after it, or when no end was said. \
                 It goes off by itself only with `--off-after`. Saying it again changes reason and end.",
        flags: &["--off-after"],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let off_after = args.take_flag("--off-after");
        let (service, environment) = maintain::environment(args, scope)?;
        let at = args.clone();
        let span = args.take_for()?;
        if off_after && span.is_none() {
            return Err(at.error("say after how long it goes off by itself: `for 30m --off-after`"));
        }
        let reason = args.rest();
        Ok((
            service,
            Self {
                environment,
                span,
                off_after,
                reason,
                then: None,
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        let mut needs = operating_needs(service, Some(&self.environment));
        needs.runs.extend(self.then.clone());
        needs
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let run = self.then.as_ref().and_then(|id| facts.runs.get(id));
        if let (Some(_), None) = (&self.then, run) {
            return Ok(nothing("this run is not known any more"));
        }
        let refusals = run.map_or_else(Vec::new, |run| Self::in_the_way(facts, speaker, run));
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        // Maintenance before an approval is the approvers' to decide, and they were judged just now.
        let known = match maintain::permitted(facts, speaker, (&self.environment, run.is_some())) {
            Ok(known) => known,
            Err(told) => return Ok(*told),
        };
        let then = self.then.clone().map(|run| Then {
            run,
            team: speaker.team.clone(),
            channel: speaker.channel.clone(),
        });
        let mut plan = Plan::new(facts);
        let wish = Wish {
            on: true,
            until: self.span.map(|span| facts.now + span),
            off_after: self.off_after,
            reason: &self.reason,
            by_itself: false,
            then,
        };
        let message = match run {
            Some(run) => view::maintenance_before_recorded(run),
            None => view::maintenance_recorded(&self.environment, true, (wish.until, self.off_after)),
        };
        turn(
            &mut plan,
            known,
            wish,
            (&speaker.user, speaker.delivery.as_str().as_bytes()),
        )?;
        Ok(plan.finish(Reply::Private(message)))
    }
}
