//! `freeze <env|all> [until …] [reason]`: nobody releases.

use super::{Spec, Verb, refused};
use crate::decision::{Decision, Reply};
use crate::desk::{Event, Freeze as Held};
use crate::effect::Effect;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::time::{Span, Timestamp};
use crate::view::{self, DateStyle, Inline, Line, Message, text};
use chrono::{Days, NaiveDate, NaiveTime, TimeZone};

/// A wish for quiet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Where; `None`: every service.
    pub environment: Option<EnvironmentId>,
    /// Until when; `None`: until it is taken off.
    pub until: Option<Until>,
    /// Why; may be empty.
    pub reason: String,
}

/// An end, as somebody typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// `for 2h`.
    After(Span),
    /// `until 18:00`: the next time the wall clock of the service's zone shows this.
    Time(NaiveTime),
    /// `until 2026-11-23` (its end) or `until 2026-11-23 08:00`.
    Date(NaiveDate, Option<NaiveTime>),
}

impl Until {
    /// The instant, in a zone; `None` when the zone has no such local time or it has passed.
    #[must_use]
    pub fn instant(self, now: Timestamp, zone: chrono_tz::Tz) -> Option<Timestamp> {
        let today = zone.from_utc_datetime(&now.utc().naive_utc());
        let local = match self {
            Self::After(span) => return Some(now + span),
            Self::Time(time) => {
                let day = today.date_naive();
                if day.and_time(time) > today.naive_local() {
                    day.and_time(time)
                } else {
                    day.checked_add_days(Days::new(1))?.and_time(time)
                }
            }
            Self::Date(day, Some(time)) => day.and_time(time),
            Self::Date(day, None) => day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN),
        };
        zone.from_local_datetime(&local)
            .earliest()
            .map(|at| Timestamp(at.timestamp_millis()))
            .filter(|at| now < *at)
    }
}

impl Verb for Freeze {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "freeze",
        usage: "<env|all> [for 2h | until …] [reason]",
        summary: "Stop releases, for example while an emergency release is under way",
        detail: "`until 18:00`, `until 2026-11-23` and `until 2026-11-23 08:00` are in the service's own time zone. `all` freezes every service; each channel is told.",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = super::environment_or_all(args, scope)?;
        let until = take_until(args)?;
        Ok((
            service,
            Self {
                environment,
                until,
                reason: args.rest(),
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        super::operating_needs(service, self.environment.as_ref())
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let refusals = super::may_operate(facts, speaker, self.environment.as_ref());
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        let until = match self.until.map(|until| until.instant(facts.now, facts.service.timezone)) {
            None => None,
            Some(Some(until)) => Some(until),
            Some(None) => {
                return Ok(Decision::say(Message::sentence(
                    "That end is in the past, or is no local time of the service's zone. Nothing was done.",
                )));
            }
        };
        let everywhere = self.environment.is_none();
        let freeze = Held {
            environment: self.environment.clone(),
            everywhere,
            by: speaker.user.clone(),
            reason: self.reason.clone(),
            since: facts.now,
            until,
        };
        let mut plan = Plan::new(facts);
        plan.tell_desk(Event::Frozen { freeze: freeze.clone() }, Reason::Standing);
        super::redraw_waiting(&mut plan);
        let mut line: Line = vec![
            Inline::Sign(view::Sign::Frozen),
            text(" "),
            Inline::Mention(speaker.user.clone()),
            text(" froze "),
        ];
        line.push(text(
            self.environment
                .as_ref()
                .map_or_else(|| "every service".to_owned(), ToString::to_string),
        ));
        if let Some(until) = until {
            line.extend([
                text(" until "),
                Inline::Date {
                    at: until,
                    style: DateStyle::DayTime,
                },
            ]);
        }
        if !self.reason.is_empty() {
            line.push(text(format!(": {}", self.reason)));
        }
        if everywhere {
            line.push(text(spread(&mut plan, Some(&freeze), speaker)));
        }
        Ok(plan.finish(Reply::Public(Message::line(line))))
    }
}

/// Owes the freeze (or its end) to every other service, and says which have it.
pub(super) fn spread(plan: &mut Plan<'_>, freeze: Option<&Held>, speaker: &Speaker) -> String {
    let facts = plan.facts;
    let others: Vec<_> = facts
        .services
        .values()
        .filter(|service| service.id != facts.service.id)
        .collect();
    for service in &others {
        plan.owe(Effect::SpreadFreeze {
            service: service.id.clone(),
            freeze: freeze.cloned(),
            by: speaker.user.clone(),
            channel: service.channel.clone(),
        });
    }
    let names: Vec<&str> = others.iter().map(|service| service.id.as_str()).collect();
    if names.is_empty() {
        return format!(". {} has it", facts.service.id);
    }
    format!(
        ". {} has it already; {} follows and says so in its own channel",
        facts.service.id,
        names.join(", ")
    )
}

fn take_until(args: &mut Args<'_>) -> Result<Option<Until>, ParseError> {
    if !args.take("until") {
        return Ok(args.take_for()?.map(Until::After));
    }
    let time = |word: &str| NaiveTime::parse_from_str(word, "%H:%M").ok();
    let word = args.peek().unwrap_or_default();
    if let Some(at) = time(word) {
        args.next();
        return Ok(Some(Until::Time(at)));
    }
    let Ok(day) = word.parse::<NaiveDate>() else {
        return Err(args.error("this is no end: write `until 18:00`, `until 2026-11-23` or `until 2026-11-23 08:00`"));
    };
    args.next();
    let at = args.peek().and_then(time);
    if at.is_some() {
        args.next();
    }
    Ok(Some(Until::Date(day, at)))
}

/// What putting a freeze on one service's desk means, for the worker that spreads it.
#[must_use]
pub fn apply_spread(facts: &Facts<'_>, freeze: Option<&Held>, by: &crate::ids::UserId) -> Decision {
    let mut plan = Plan::new(facts);
    let channel = crate::effect::Recipient::Channel(facts.service.channel.clone());
    let (event, words) = match freeze {
        Some(freeze) => (Event::Frozen { freeze: freeze.clone() }, "froze every service"),
        None => (
            Event::Unfrozen {
                environment: None,
                everywhere: true,
                by: Some(by.clone()),
            },
            "took the freeze of every service off",
        ),
    };
    plan.tell_desk(event, Reason::Standing);
    super::redraw_waiting(&mut plan);
    let reason = freeze
        .filter(|freeze| !freeze.reason.is_empty())
        .map(|freeze| format!(": {}", freeze.reason))
        .unwrap_or_default();
    let message = Message::line(vec![
        Inline::Sign(view::Sign::Frozen),
        text(" "),
        Inline::Mention(by.clone()),
        text(format!(" {words}, {} too{reason}", facts.service.id)),
    ]);
    plan.owe(Effect::Post {
        to: channel,
        marker: format!("freeze/{}/{}", facts.service.id, facts.now.0),
        message,
    });
    plan.finish(Reply::None)
}

/// For [`super::unfreeze`]: the gates of an operation over several environments.
pub(super) fn gates(
    facts: &Facts<'_>,
    speaker: &Speaker,
    environment: &crate::catalog::Environment,
) -> Vec<crate::decision::Refusal> {
    gate::evaluate(&Question {
        facts,
        speaker: Some(speaker),
        act: Act::Operate,
        environment,
        run: None,
    })
}
