//! `lock <env> [for 2h] [reason]`: holds an environment for oneself.

use super::{Spec, Verb, refused};
use crate::catalog::Environment;
use crate::decision::{Decision, Refusal, Reply};
use crate::desk::{Event, Lock as Held};
use crate::effect::{Effect, Recipient};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId, UserId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::time::Span;
use crate::view::{self, DateStyle, Inline, Line, Message, text};

/// A wish to hold an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// Which.
    pub environment: EnvironmentId,
    /// For how long; `None`: until it is unlocked.
    pub span: Option<Span>,
    /// Why; may be empty.
    pub reason: String,
    /// Whether to take it from whoever holds it.
    pub steal: bool,
}

impl Verb for Lock {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "lock",
        usage: "<env> [for 2h] [reason]",
        summary: "Hold an environment: only you can release to it",
        detail: "Locking again changes the reason and the end. `--steal <reason>` takes it from its owner, who is told.",
        flags: &["--steal"],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let steal = args.take_flag("--steal");
        let (service, environment) = args.environment(scope)?;
        let span = args.take_for()?;
        let reason = args.rest();
        if steal && reason.is_empty() {
            return Err(args.error("taking a lock over needs a reason: `--steal <reason>`"));
        }
        Ok((
            service,
            Self {
                environment,
                span,
                reason,
                steal,
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        super::operating_needs(service, Some(&self.environment))
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let Some(environment) = facts.service.environment(&self.environment) else {
            return Ok(Decision::default());
        };
        let mut refusals = gate::evaluate(&Question {
            facts,
            speaker: Some(speaker),
            act: Act::Operate,
            environment,
            run: None,
        });
        let held = facts
            .desk
            .lock(&self.environment, facts.now)
            .filter(|lock| lock.owner != speaker.user);
        if let (Some(lock), false) = (held, self.steal) {
            refusals.push(taken(environment, lock));
        }
        if !refusals.is_empty() {
            return Ok(with_tell_me(
                refused(refusals),
                facts,
                &self.environment,
                held.is_some(),
            ));
        }
        Ok(self.take(facts, speaker, held))
    }
}

impl Lock {
    /// Takes the environment; from its owner, when somebody else holds it.
    fn take(&self, facts: &Facts<'_>, speaker: &Speaker, held: Option<&Held>) -> Decision {
        let mine = facts
            .desk
            .lock(&self.environment, facts.now)
            .filter(|lock| lock.owner == speaker.user);
        let lock = Held {
            owner: speaker.user.clone(),
            reason: self.reason.clone(),
            since: mine.map_or(facts.now, |lock| lock.since),
            until: self.span.map(|span| facts.now + span),
        };
        let mut plan = Plan::new(facts);
        let stolen_from = held.map(|lock| lock.owner.clone());
        if let Some(owner) = &stolen_from {
            plan.owe(Effect::Post {
                to: Recipient::User(owner.clone()),
                marker: format!("stolen/{}/{}/{}", facts.service.id, self.environment, facts.now.0),
                message: view::lock_stolen_note(&self.environment, &speaker.user, &self.reason),
            });
        }
        let line = announced(&self.environment, &lock, stolen_from.as_ref());
        plan.tell_desk(
            Event::Locked {
                environment: self.environment.clone(),
                lock,
                stolen_from,
            },
            Reason::Standing,
        );
        super::redraw_waiting(&mut plan);
        plan.finish(Reply::Public(Message::line(line)))
    }
}

/// What the channel reads.
fn announced(environment: &EnvironmentId, lock: &Held, stolen_from: Option<&UserId>) -> Line {
    let owner = Inline::Mention(lock.owner.clone());
    let mut line: Line = vec![
        Inline::Sign(view::Sign::Locked),
        text(" "),
        owner,
        text(format!(" locked {environment}")),
    ];
    if let Some(from) = stolen_from {
        line.extend([text(", taking it from "), Inline::Mention(from.clone())]);
    }
    if let Some(until) = lock.until {
        line.extend([
            text(" until "),
            Inline::Date {
                at: until,
                style: DateStyle::DayTime,
            },
        ]);
    }
    if !lock.reason.is_empty() {
        line.push(text(format!(": {}", lock.reason)));
    }
    line
}

fn taken(environment: &Environment, lock: &Held) -> Refusal {
    Refusal {
        reason: Reason::Locked,
        message: gate::held(&environment.id, lock),
        about: None,
        passable: false,
    }
}

/// Offers to be told when the environment is free.
fn with_tell_me(mut decision: Decision, facts: &Facts<'_>, environment: &EnvironmentId, held: bool) -> Decision {
    if let (Reply::Private(message), true) = (&mut decision.reply, held) {
        message
            .blocks
            .push(view::tell_me_button(&facts.service.id, environment));
    }
    decision
}
