//! What the card of an errand says that no other card does, and what is said when one begins.

use std::collections::BTreeMap;

use crate::catalog::{Environment, Functions};
use crate::desk::Level;
use crate::facts::Facts;
use crate::ids::{EnvironmentId, UserId};
use crate::operation::{Matter, Operation, Phase};
use crate::step::{Action, Levels, LogLevel, Stage};
use crate::time::Timestamp;
use crate::view::message::{Block, DateStyle, Inline, Line, Message, Sign, bold, code};
use crate::view::people::who;
use crate::view::words::{DOT, count, cut, joined, quoted};

/// How many functions of a group are named.
const NAMED: usize = 50;

/// Functions that are at the same level for the same reason.
type Alike<'a> = (usize, &'a str, Option<&'a Level>);

/// What tells such groups apart: the level by its place and name, and whose it is since when.
type Likeness = (usize, String, Option<(UserId, Timestamp)>);

/// The levels that were read, when the run is about nothing else.
fn listed(operation: &Operation) -> Option<(&LogLevel, &BTreeMap<String, String>)> {
    operation.pinned.errand.as_ref()?;
    let (step, state) = operation.all().next()?;
    match &step.action {
        Action::LogLevel(action) if operation.is_plan() && operation.ended().is_some() && state.failure.is_none() => {
            Some((action, &state.outputs))
        }
        _ => None,
    }
}

fn functions<'a>(operation: &Operation, facts: &Facts<'a>) -> Option<&'a Functions> {
    facts.service.environment(operation.environment())?.functions.as_ref()
}

/// `46 functions, 2 off info`, of a run that lists levels.
pub(super) fn standing(operation: &Operation, facts: &Facts<'_>) -> Option<String> {
    let (_, levels) = listed(operation)?;
    let functions = functions(operation, facts)?;
    let off = levels.values().filter(|level| **level != functions.baseline).count();
    let many = count(levels.len(), "function");
    Some(match off {
        0 => format!("{many}, all at {}", functions.baseline),
        off => format!("{many}, {off} not at {}", functions.baseline),
    })
}

/// Every level, with those alike together and who left them so; `None`: the run lists none.
pub(super) fn levels(operation: &Operation, facts: &Facts<'_>) -> Option<Vec<Line>> {
    let (action, levels) = listed(operation)?;
    let functions = functions(operation, facts)?;
    let mut groups: BTreeMap<Likeness, (Alike<'_>, Vec<&str>)> = BTreeMap::new();
    for (name, level) in levels {
        let place = functions.levels.iter().position(|known| known == level);
        let place = place.unwrap_or(functions.levels.len());
        let left = facts
            .desk
            .level(operation.environment(), name)
            .filter(|left| left.level == *level);
        let key = (place, level.clone(), left.map(|left| (left.by.clone(), left.since)));
        let short = name.strip_prefix(&action.prefix).unwrap_or(name);
        let group = groups.entry(key).or_insert_with(|| ((place, level, left), Vec::new()));
        group.1.push(short);
    }
    let (at_baseline, off): (Vec<_>, Vec<_>) = groups
        .into_values()
        .partition(|((_, level, left), _)| *level == functions.baseline && left.is_none());
    let quiet: usize = at_baseline.iter().map(|(_, names)| names.len()).sum();
    let mut lines = vec![line![format!(
        "{} at {}, the baseline",
        if quiet == 0 {
            "None is".to_owned()
        } else {
            count(quiet, "function")
        },
        functions.baseline
    )]];
    lines.extend(off.into_iter().map(|(alike, names)| off_line(facts, alike, &names)));
    Some(lines)
}

fn off_line(facts: &Facts<'_>, (_, level, left): Alike<'_>, names: &[&str]) -> Line {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let level = if level.is_empty() { "no level" } else { level };
    let mut line = line![Sign::Notice, " ", bold(cut(level, 40)), format!(": {shown}{more}"), DOT];
    line.extend(left.map_or_else(|| line!["nobody here set it"], |left| left_by(facts, left)));
    line
}

/// `Ann, since 17:02, back to info at 17:32, “slow loads”`.
fn left_by(facts: &Facts<'_>, left: &Level) -> Line {
    let mut line = line![who(facts, &left.by), ", since ", left.since.shown(DateStyle::DayTime)];
    if let Some(until) = left.until {
        let back = left
            .before
            .as_ref()
            .map_or_else(String::new, |level| format!(" to {level}"));
        line.extend(line![
            format!(", back{back} by itself "),
            until.shown(DateStyle::DayTime)
        ]);
    }
    line.extend(
        quoted(&left.reason, 120)
            .map(|words| line![", ", words])
            .unwrap_or_default(),
    );
    line
}

/// What is to be known about an errand beside its title: how long what it does stands, and why it goes by itself.
pub(super) fn about(operation: &Operation, facts: &Facts<'_>) -> Vec<Line> {
    let Some(errand) = &operation.pinned.errand else {
        return Vec::new();
    };
    let mut lines: Vec<Line> = super::maintenance::desk_line(operation, facts).into_iter().collect();
    if errand.by_itself {
        lines.push(line![
            "By itself: the time is over for which ",
            who(facts, &operation.pinned.starter),
            " wanted it.",
            if errand.matter == Matter::LogLevels {
                " What somebody has set since is left alone."
            } else {
                ""
            }
        ]);
    }
    if let Some(until) = errand.until {
        if nothing_changed(operation) {
            lines.push(line![
                "Nothing was changed: what was so before, and was not set from here, does not go back by itself"
            ]);
            return lines;
        }
        let words = match (errand.matter, errand.off_after) {
            (Matter::LogLevels, _) => "Goes back by itself ",
            (Matter::Maintenance, true) => "Goes off by itself ",
            (Matter::Maintenance, false) => "To be turned off ",
        };
        lines.push(line![words, until.shown(DateStyle::DayTime)]);
    }
    lines
}

/// Whether every level that was to be set for a while was there already.
fn nothing_changed(operation: &Operation) -> bool {
    let mut levels = operation.all().filter_map(|(step, state)| {
        let sets = matches!(&step.action, Action::LogLevel(action) if action.sets());
        (sets && state.phase == Phase::Done).then(|| Levels::of(&state.memo))
    });
    let there = |levels: Levels| levels.functions.iter().all(|one| one.stage == Stage::Already);
    levels.next().is_some_and(there) && levels.all(there)
}

/// Who started it: nobody, when a span was over.
pub(super) fn starter(operation: &Operation, facts: &Facts<'_>) -> Inline {
    let errand = operation.pinned.errand.as_ref();
    match errand.filter(|errand| errand.by_itself) {
        Some(_) => "itself".into(),
        None => who(facts, &operation.pinned.starter),
    }
}

/// What stands in `/deploy status` of levels that people left.
pub(in crate::view) fn left_lines(facts: &Facts<'_>, environment: &EnvironmentId) -> Vec<Line> {
    let Some(levels) = facts.desk.levels.get(environment) else {
        return Vec::new();
    };
    let mut alike: Vec<(&Level, usize)> = Vec::new();
    for level in levels.values() {
        let same = |other: &&mut (&Level, usize)| {
            other.0.level == level.level && other.0.by == level.by && other.0.until == level.until
        };
        match alike.iter_mut().find(same) {
            Some((_, number)) => *number += 1,
            None => alike.push((level, 1)),
        }
    }
    let line = |(level, number): (&Level, usize)| {
        let words = format!(" {} left at {} by ", count(number, "function"), cut(&level.level, 40));
        let mut line = line![Sign::Notice, words];
        line.extend(left_by(facts, level));
        line
    };
    alike.into_iter().map(line).collect()
}

/// The first words after a wish to see every level.
#[must_use]
pub fn levels_listed(environment: &Environment) -> Message {
    Message::sentence(format!(
        "Reading the level of every function of {}; the card fills in. Nothing is changed.",
        environment.id
    ))
}

/// The first words after levels were asked for: what happens, what it costs, and how long it lasts.
#[must_use]
pub fn levels_recorded(
    environment: &Environment,
    (function, level): (Option<&str>, &str),
    until: Option<Timestamp>,
    permanent: Option<(Option<&str>, &str)>,
) -> Message {
    let whom = function.map_or_else(|| "every function".to_owned(), |function| cut(function, 80));
    let head = line![
        bold(format!("Recorded: {level} for {whom} of {}", environment.id)),
        ". The card shows how it goes."
    ];
    let mut lines = vec![line![crate::operation::levels::RESTARTS]];
    lines.extend(until.map(|until| {
        line![
            "What changes goes back by itself ",
            until.shown(DateStyle::DayTime),
            "."
        ]
    }));
    lines.extend(permanent.map(|(file, key)| match file {
        Some(file) => line![
            "To keep it, set ",
            code(key),
            format!(" to {level} in "),
            code(file),
            ": the next deploy reads it there."
        ],
        None => line![
            "To keep it, set ",
            code(key),
            format!(" to {level}"),
            " where the deploy reads it. The configuration does not say where that is: add ",
            code("level_file = \"serverless.yml:31\""),
            " to ",
            code("functions"),
            "."
        ],
    }));
    Message::headed(head, lines)
}

/// To the channel: levels that were to go back cannot be, for the environment is no longer configured.
#[must_use]
pub fn levels_forgotten_note(environment: &EnvironmentId, left: &[(&String, &Level)]) -> Message {
    let each = left.iter().take(NAMED).map(|(name, level)| {
        let to = level.before.as_deref().unwrap_or("none");
        line![code(cut(name, 100)), format!(" from {} to {to}", cut(&level.level, 40))]
    });
    let head = line![
        Sign::Bad,
        " ",
        bold(format!("{environment}: log levels stay as they are")),
        ", for the configuration no longer names its functions. To be put back by hand:"
    ];
    Message::headed(head, Vec::new()).with(Block::Section(vec![joined(each.collect(), DOT)]))
}
