//! `abort <env> [run] <reason>`: ends a runbook's run and undoes what it did, in reverse.

use super::steer::{Aim, aloud, form, reason};
use super::{Spec, Verb, nothing};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::operation::{Event, Status, advance};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::view::{self, Inline, text};

/// A wish to undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abort {
    /// Which run.
    pub aim: Aim,
    /// Why.
    pub reason: String,
}

impl Verb for Abort {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "abort",
        usage: "<env> [run] <reason>",
        summary: "End a runbook's run and undo what it did, in reverse",
        detail: "What cannot be undone is named. `stop` ends it and leaves everything as it is.",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, aim) = Aim::parse(args, scope)?;
        let reason = reason(args)?;
        Ok((service, Self { aim, reason }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.aim.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let operation = match self.aim.permitted(facts, speaker, Act::Operate) {
            Ok(operation) => operation,
            Err(told) => return Ok(*told),
        };
        match operation.status {
            Status::Ended { .. } => return Ok(nothing("this run is over")),
            _ if operation.undone_by.is_some() => return Ok(nothing("this run is being undone already")),
            _ => {}
        }
        if self.reason.trim().is_empty() {
            return Ok(form(
                speaker,
                view::abort_form(operation),
                "Say why: it becomes part of the record.",
            ));
        }
        let mut plan = Plan::new(facts);
        let asked = Event::UndoAsked {
            by: Some(speaker.user.clone()),
            reason: self.reason.clone(),
        };
        plan.tell_operation(&operation.id, asked, Reason::Asked)?;
        advance::advance(&mut plan, &operation.id)?;
        let said = format!(
            " aborts {}, which is undone in reverse: {}",
            operation.pinned.runbook, self.reason
        );
        Ok(plan.finish(aloud(vec![Inline::Mention(speaker.user.clone()), text(said)])))
    }
}
