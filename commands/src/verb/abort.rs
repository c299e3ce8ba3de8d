//! `abort <env> [run] <reason>`: ends a runbook's run and undoes what it did, in reverse.

use super::run::Run;
use super::steer::{Aim, aloud, form, reason};
use super::{Spec, Verb, nothing, refused};
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::operation::{Event, Mode, Status, advance};
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
    /// What stands for it where none is under way.
    pub instead: Instead,
}

/// What is done where no run is under way that could be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// Nothing.
    Nothing,
    /// Nothing, but a runbook could be kept under this command.
    Unkept(&'static str),
    /// This is started, or planned.
    Start(Run),
}

impl Abort {
    /// The end of a run, and of nothing else.
    #[must_use]
    pub const fn of(aim: Aim, reason: String) -> Self {
        Self {
            aim,
            reason,
            instead: Instead::Nothing,
        }
    }

    /// What is answered where the word means something else than to undo a run. `None`: it means that.
    fn otherwise(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Option<Decision>, Illegal> {
        let open = self.aim.open(facts);
        Ok(match (&self.instead, open.first()) {
            (Instead::Start(run), None) => Some(run.decide(facts, speaker)?),
            (Instead::Start(run), Some(open)) if run.mode == Mode::Plan => Some(nothing(&format!(
                "{} is under way, and a plan is of what gives a migration up that is over. `/migrate abort {} <reason>` ends this one and undoes what its card ticks, in reverse",
                open.id.short(),
                self.aim.environment
            ))),
            (Instead::Unkept(kept), None) => {
                let refusals = self.aim.judge(facts, speaker, Act::Operate);
                let unkept = || {
                    nothing(&format!(
                        "no migration is under way on {}. To give one up that is over, write `command = \"{kept}\"` into the runbook that takes down what it left; `/deploy run` lists all of them",
                        self.aim.environment
                    ))
                };
                Some(if refusals.is_empty() {
                    unkept()
                } else {
                    refused(refusals)
                })
            }
            _ => None,
        })
    }
}

impl Verb for Abort {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "abort",
        usage: "<env> [run] <reason>",
        summary: "End a runbook's run and undo what it did, in reverse",
        detail: "What cannot be undone is named; where it is under way, its end is waited for. `stop` ends the run and leaves everything as it is.",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, aim) = Aim::parse(args, scope)?;
        let reason = reason(args)?;
        Ok((service, Self::of(aim, reason)))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        let mut needs = self.aim.needs(service);
        if let Instead::Start(run) = &self.instead {
            needs.groups.extend(run.needs(service).groups);
        }
        needs
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        if let Some(otherwise) = self.otherwise(facts, speaker)? {
            return Ok(otherwise);
        }
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
