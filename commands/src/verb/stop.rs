//! `stop <run|env> [reason]`: stops an execution.

use super::retry::Target;
use super::{Spec, Verb, nothing, refused};
use crate::decision::{Decision, Reply};
use crate::effect::Effect;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Event, Illegal, Request, Status};
use crate::view::{Inline, Message, text};

/// What CodePipeline keeps of a reason.
const REASON_LIMIT: usize = 200;

/// A wish to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Which run.
    pub target: Target,
    /// Why; may be empty.
    pub reason: String,
}

impl Verb for Stop {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "stop",
        usage: "<env> [run] [reason]",
        summary: "Stop an execution that has been approved",
        detail: "Actions under way are abandoned: what they have changed so far stays changed. A run that still waits is ended with `reject`.",
        flags: &[],
        act: Act::Intervene,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, target) = Target::parse(args, scope)?;
        Ok((
            service,
            Self {
                target,
                reason: args.rest(),
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.target.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let run = match self.target.permitted(facts, speaker) {
            Ok(run) => run,
            Err(refusals) if refusals.is_empty() => return Ok(nothing("there is no run to stop")),
            Err(refusals) => return Ok(refused(refusals)),
        };
        match run.status {
            Status::Following => {}
            Status::Waiting => return Ok(nothing("this run still waits for a decision; `reject` ends it")),
            Status::Answering => {
                return Ok(nothing(
                    "CodePipeline is just being told; try again when it has confirmed",
                ));
            }
            Status::Ended { .. } => return Ok(nothing("this run is over")),
        }
        let mut plan = Plan::new(facts);
        plan.tell(
            &run.id,
            Event::Asked {
                user: speaker.user.clone(),
                what: Request::Stop,
                reason: self.reason.clone(),
            },
            Reason::Asked,
        )?;
        let name = facts.people.get(&speaker.user).map_or_else(
            || speaker.user.to_string(),
            |person| format!("{} ({})", person.name, speaker.user),
        );
        let why = if self.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", self.reason)
        };
        plan.owe(Effect::StopExecution {
            run: run.id.clone(),
            pipeline: run.pinned.round.gate.name.clone(),
            execution: run.pinned.round.execution.clone(),
            aws: run
                .pinned
                .environments
                .first()
                .map(|target| target.aws.clone())
                .unwrap_or_default(),
            actor: speaker.user.clone(),
            reason: format!("Stopped by {name} in Slack{why}")
                .chars()
                .take(REASON_LIMIT)
                .collect(),
        });
        let line = vec![
            Inline::Mention(speaker.user.clone()),
            text(format!(
                " stops {}{why}. What it has changed so far stays changed.",
                run.pinned.revision.short()
            )),
        ];
        Ok(plan.finish(Reply::Public(Message::line(line))))
    }
}
