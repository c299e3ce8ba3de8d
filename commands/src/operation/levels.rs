//! The errands about log levels: to list them, to set some, and to put back what somebody left for a while.

use super::Mode;
use super::errand::{Errand, Matter, Order, start, step};
use crate::catalog::{Environment, Functions};
use crate::desk::Level;
use crate::effect::{Effect, Recipient};
use crate::ids::{EnvironmentId, RecordId, UserId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::runbook::Step;
use crate::step::{Action, LogLevel};
use crate::time::Timestamp;
use crate::view;

/// What setting levels does beside.
pub(crate) const RESTARTS: &str =
    "Every function whose level changes restarts (cold starts). The next deploy sets its own level again.";

/// A wish for a level.
pub(crate) struct Wanted<'a> {
    /// Of this function; `None`: of all.
    pub(crate) function: Option<&'a str>,
    /// The level.
    pub(crate) level: &'a str,
    /// Until when.
    pub(crate) until: Option<Timestamp>,
    /// Why; may be empty.
    pub(crate) reason: &'a str,
}

fn functions_of(functions: &Functions, function: Option<&str>) -> LogLevel {
    let (prefix, but) = match function {
        None => (functions.prefix.clone(), functions.but.clone()),
        Some(_) => Default::default(),
    };
    LogLevel {
        prefix,
        but,
        functions: function.map(|said| functions.whole(said)).into_iter().collect(),
        key: functions.level_key.clone(),
        ..LogLevel::default()
    }
}

/// Starts to read every level.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub(crate) fn list(
    plan: &mut Plan<'_>,
    (environment, functions): (&Environment, &Functions),
    (starter, seed): (&UserId, &[u8]),
) -> Result<Option<RecordId>, Illegal> {
    let action = Action::LogLevel(functions_of(functions, None));
    let order = Order {
        environment,
        title: String::new(),
        steps: step("levels", "Read every level", action).into_iter().collect(),
        mode: Mode::Plan,
        starter: starter.clone(),
        reason: String::new(),
        errand: Errand::of(Matter::LogLevels),
        seed,
    };
    start(plan, order)
}

/// Starts to set levels.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub(crate) fn set(
    plan: &mut Plan<'_>,
    (environment, functions): (&Environment, &Functions),
    wanted: &Wanted<'_>,
    (starter, seed): (&UserId, &[u8]),
) -> Result<Option<RecordId>, Illegal> {
    let action = LogLevel {
        level: Some(wanted.level.to_owned()),
        ..functions_of(functions, wanted.function)
    };
    let title = match wanted.function {
        Some(function) => format!("{function} logs at {}", wanted.level),
        None => format!("Every function logs at {}", wanted.level),
    };
    let order = Order {
        environment,
        title: RESTARTS.to_owned(),
        steps: step("levels", title, Action::LogLevel(action)).into_iter().collect(),
        mode: Mode::Run,
        starter: starter.clone(),
        reason: wanted.reason.to_owned(),
        errand: Errand {
            until: wanted.until,
            ..Errand::of(Matter::LogLevels)
        },
        seed,
    };
    start(plan, order)
}

/// Starts to put back what was left for a while, where the while is over.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub(crate) fn put_back(plan: &mut Plan<'_>) -> Result<(), Illegal> {
    let facts = plan.facts;
    let due = |level: &Level| level.until.is_some_and(|until| until <= facts.now);
    let environments = facts
        .desk
        .levels
        .iter()
        .filter(|(id, levels)| facts.desk.errand(id, Matter::LogLevels).is_none() && levels.values().any(due));
    for (id, levels) in environments {
        let over: Vec<(&String, &Level)> = levels.iter().filter(|(_, level)| due(level)).collect();
        let Some((_, first)) = over.first() else { continue };
        // One person's at a time: the end of this errand begins the next.
        let theirs: Vec<_> = over.iter().copied().filter(|(_, level)| level.by == first.by).collect();
        let environment = facts.service.environment(id);
        match environment.and_then(|one| Some((one, one.functions.as_ref()?))) {
            Some((environment, functions)) => {
                let seed = format!("back/{}/{id}/{}/{}", facts.service.id, first.by, facts.now.0);
                let order = Order {
                    environment,
                    title: RESTARTS.to_owned(),
                    steps: steps_back(functions, &theirs),
                    mode: Mode::Run,
                    starter: first.by.clone(),
                    reason: first.reason.clone(),
                    errand: Errand {
                        by_itself: true,
                        ..Errand::of(Matter::LogLevels)
                    },
                    seed: seed.as_bytes(),
                };
                start(plan, order)?;
            }
            None => forget(plan, id, &theirs),
        }
    }
    Ok(())
}

/// A step for all that go from the same level to the same level.
fn steps_back(functions: &Functions, theirs: &[(&String, &Level)]) -> Vec<Step> {
    let mut ways: Vec<(&str, Option<&str>)> = theirs
        .iter()
        .map(|(_, level)| (level.level.as_str(), level.before.as_deref()))
        .collect();
    ways.sort_unstable();
    ways.dedup();
    let back = |(number, (from, to)): (usize, (&str, Option<&str>))| {
        let of_way = theirs
            .iter()
            .filter(|(_, level)| level.level == from && level.before.as_deref() == to);
        let action = LogLevel {
            functions: of_way.map(|(name, _)| (*name).clone()).collect(),
            key: functions.level_key.clone(),
            level: to.map(str::to_owned),
            remove: to.is_none(),
            only_from: Some(from.to_owned()),
            ..LogLevel::default()
        };
        let title = match to {
            Some(to) => format!("Back from {from} to {to}"),
            None => format!("Take {from} away again: there was no level"),
        };
        step(&format!("back-{}", number + 1), title, Action::LogLevel(action))
    };
    ways.into_iter().enumerate().filter_map(back).collect()
}

/// An environment that is no longer configured has nothing to be put back with; people are told.
fn forget(plan: &mut Plan<'_>, environment: &EnvironmentId, theirs: &[(&String, &Level)]) {
    let facts = plan.facts;
    plan.owe(Effect::Post {
        to: Recipient::Channel(facts.service.channel.clone()),
        marker: format!("levels/{}/{environment}/{}", facts.service.id, facts.now.0),
        message: view::levels_forgotten_note(environment, theirs),
    });
    let event = crate::desk::Event::LevelsSet {
        environment: environment.clone(),
        set: theirs.iter().map(|(name, _)| ((*name).clone(), None)).collect(),
    };
    plan.tell_desk(event, Reason::Standing);
}
