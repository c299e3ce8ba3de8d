//! `stop <run|env> [reason]`: stops an execution.

use super::retry::Target;
use super::{Spec, Verb, nothing, refused};
use crate::decision::{Decision, Reply};
use crate::effect::Effect;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::operation::{self, Operation, Phase, advance};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Event, Illegal, Note, Request, Status};
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
        summary: "Stop an execution that has been approved, or a runbook's run, as it is",
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
        if let Some(operation) = self.target.operation(facts) {
            return self.leave(facts, speaker, operation);
        }
        let run = match self.target.permitted(facts, speaker) {
            Ok(run) => run,
            Err(refusals) if refusals.is_empty() => return Ok(nothing("there is no run to stop")),
            Err(refusals) => return Ok(refused(refusals)),
        };
        if let Some(why) = not_yet(run.status) {
            return Ok(nothing(why));
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

/// Why a run in this state cannot be stopped.
const fn not_yet(status: Status) -> Option<&'static str> {
    match status {
        Status::Following => None,
        Status::Waiting => Some("this run still waits for a decision; `reject` ends it"),
        Status::Answering => Some("CodePipeline is just being told; try again when it has confirmed"),
        Status::Ended { .. } => Some("this run is over"),
    }
}

impl Stop {
    /// Ends a runbook's run and leaves everything as it is.
    fn leave(&self, facts: &Facts<'_>, speaker: &Speaker, operation: &Operation) -> Result<Decision, Illegal> {
        let refusals = super::may_operate(facts, speaker, Some(operation.environment()));
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        if operation.ended().is_some() {
            return Ok(nothing("this run is over"));
        }
        // What is on its way would still be done after the end, and nobody would read of it.
        let acting = |phase| matches!(phase, Phase::Acting | Phase::Undoing);
        if operation.steps.iter().any(|state| acting(state.phase)) {
            return Ok(nothing("a call is under way just now; try again in a moment"));
        }
        let mut plan = Plan::new(facts);
        let note = Note {
            user: speaker.user.clone(),
            at: facts.now,
            text: self.reason.clone(),
        };
        if !note.text.is_empty() {
            plan.tell_operation(&operation.id, operation::Event::Noted { note }, Reason::Note)?;
        }
        advance::end(&mut plan, operation, Reason::Stopped)?;
        let why = if self.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", self.reason)
        };
        let said = format!(
            " stops {}{why}. What it has changed so far stays changed.",
            operation.pinned.runbook
        );
        Ok(plan.finish(super::steer::aloud(vec![
            Inline::Mention(speaker.user.clone()),
            text(said),
        ])))
    }
}
