//! `/deploy status`: what is live, what waits, and what is in the way; one environment in full, or all of them in a line or two each.

use super::card::open_standing;
use super::history::past;
use super::message::{Block, DateStyle, Line, Message, Sign, bold, code};
use super::people::who;
use super::words::{self, DOT, capital, command, count, cut, joined, lasting, quoted};
use crate::catalog::{Environment, Window};
use crate::desk::{Freeze, Lock};
use crate::facts::Facts;
use crate::gate;
use crate::ids::EnvironmentId;
use crate::operation::Operation;
use crate::run::Run;
use crate::time::Timestamp;

/// The state of one environment, or of all in brief.
#[must_use]
pub fn status(facts: &Facts<'_>, environment: Option<&EnvironmentId>) -> Message {
    let Some(id) = environment else { return overview(facts) };
    match facts.service.environment(id) {
        Some(environment) => one(facts, environment),
        None => {
            let known: Vec<_> = facts
                .service
                .environments
                .iter()
                .map(|environment| environment.id.as_str())
                .collect();
            Message::sentence(format!(
                "{} has no environment {id}. It has: {}.",
                facts.service.id,
                known.join(", ")
            ))
        }
    }
}

fn overview(facts: &Facts<'_>) -> Message {
    let open = open_runs(facts, None).len() + open_operations(facts, None).len();
    let waiting = count(open, "open run");
    let first = line![bold(format!(
        "{}: {}, {waiting}",
        facts.service.id,
        count(facts.service.environments.len(), "environment")
    ))];
    let mut message = Message::headed(first, Vec::new());
    for environment in &facts.service.environments {
        let mut lines = vec![joined(
            vec![line![bold(environment.id.to_string())], live(facts, &environment.id)],
            DOT,
        )];
        lines.extend(runs_of(facts, &environment.id));
        lines.extend(standing(facts, environment));
        message = message.with(Block::Section(lines));
    }
    let more = facts
        .service
        .environments
        .first()
        .map(|first| line!["More: ", code(command(facts, "status", &first.id, ""))]);
    message.with(Block::Context(more.into_iter().collect()))
}

fn one(facts: &Facts<'_>, environment: &Environment) -> Message {
    let id = &environment.id;
    let open = open_runs(facts, Some(id)).len() + open_operations(facts, Some(id)).len();
    let mut words = vec![facts.desk.live.get(id).map_or_else(
        || "nothing known to be live".to_owned(),
        |live| format!("{} is live", live.revision.short()),
    )];
    words.push(if open == 0 {
        "nothing waits".to_owned()
    } else {
        count(open, "open run")
    });
    words.extend(facts.desk.lock(id, facts.now).map(|_| "locked".to_owned()));
    words.extend(frozen(facts, id).then(|| "frozen".to_owned()));
    let mut lines = vec![capital(live(facts, id))];
    lines.extend(runs_of(facts, id));
    lines.extend(standing(facts, environment));
    lines.extend(next_freeze(facts, id));
    lines.extend(past(facts, id).into_iter().next().map(|last| {
        let mut line = line!["Last run: "];
        line.extend(last);
        line
    }));
    let approvers = &environment.approvers;
    let mut may = line![format!(
        "Takes {} of ",
        count(approvers.required.max(approvers.all_of.len()), "approval")
    )];
    may.extend(gate::names(&approvers.people));
    let commands = line![
        code(command(facts, "history", id, "")),
        DOT,
        code(command(facts, "why", id, ""))
    ];
    Message::headed(
        line![bold(format!("{} {id}: {}", facts.service.id, words.join(DOT)))],
        lines,
    )
    .with(Block::Context(vec![may, commands]))
}

fn live(facts: &Facts<'_>, id: &EnvironmentId) -> Line {
    match facts.desk.live.get(id) {
        Some(live) => {
            let mut line = line!["live: ", words::digits(&live.revision)];
            let about = [
                words::named(&live.revision),
                Some(cut(&live.revision.summary, 60)).filter(|summary| !summary.is_empty()),
            ];
            for words in about.into_iter().flatten() {
                line.push(format!(", {words}").into());
            }
            line.push(format!(" ({})", lasting(live.since, facts.now)).into());
            line
        }
        None => line!["live: not known yet"],
    }
}

/// The open runs, of one environment or of all, oldest first.
pub(super) fn open_runs<'a>(facts: &Facts<'a>, environment: Option<&EnvironmentId>) -> Vec<&'a Run> {
    let here =
        |run: &&Run| run.ended().is_none() && environment.is_none_or(|id| run.environments().any(|other| other == id));
    let mut runs: Vec<_> = facts.runs.values().filter(here).collect();
    runs.sort_by_key(|run| (run.pinned.waiting_since, &run.id));
    runs
}

/// One open run in a line: what it is, what it waits for, and where its card is.
pub(super) fn run_line(facts: &Facts<'_>, run: &Run) -> Line {
    let (sign, standing) = open_standing(run, facts);
    let title = words::title(&run.pinned.revision);
    let link = words::card_link(facts, &run.id, "card").map(|link| vec![link]);
    joined(
        vec![
            line![sign, " ", bold(title)],
            line![standing],
            link.unwrap_or_default(),
            line![format!("run {}", run.id.short())],
        ],
        DOT,
    )
}

/// The open runs of runbooks, of one environment or of all, oldest first.
pub(super) fn open_operations<'a>(facts: &Facts<'a>, environment: Option<&EnvironmentId>) -> Vec<&'a Operation> {
    let here = |one: &&Operation| one.ended().is_none() && environment.is_none_or(|id| one.environment() == id);
    let mut operations: Vec<_> = facts.operations.values().filter(here).collect();
    operations.sort_by_key(|one| (one.pinned.started_at, &one.id));
    operations
}

/// One open run of a runbook in a line.
pub(super) fn operation_line(facts: &Facts<'_>, operation: &Operation) -> Line {
    let (sign, standing) = super::operation::standing(operation, facts);
    let title = format!("{} → {}", operation.pinned.runbook, operation.environment());
    let card = operation.card.as_ref();
    let link = card.map(|card| vec![words::linked(&card.channel, &card.ts, "card")]);
    joined(
        vec![
            line![sign, " ", bold(title)],
            line![standing],
            link.unwrap_or_default(),
            line![format!("run {}", operation.id.short())],
        ],
        DOT,
    )
}

fn runs_of(facts: &Facts<'_>, id: &EnvironmentId) -> Vec<Line> {
    let operations = open_operations(facts, Some(id));
    let operations = operations.into_iter().map(|one| operation_line(facts, one));
    let runs = open_runs(facts, Some(id));
    operations
        .chain(runs.into_iter().map(|run| run_line(facts, run)))
        .collect()
}

/// What holds an environment: lock, freezes, and the run that changes it.
fn standing(facts: &Facts<'_>, environment: &Environment) -> Vec<Line> {
    let id = &environment.id;
    let mut lines: Vec<Line> = facts
        .desk
        .lock(id, facts.now)
        .map(|lock| lock_line(facts, lock))
        .into_iter()
        .collect();
    for (window, until) in open_windows(facts, id) {
        lines.push(line![
            Sign::Frozen,
            format!(" frozen: {}, until ", cut(&window.reason, 120)),
            until.shown(DateStyle::DayTime)
        ]);
    }
    lines.extend(
        facts
            .desk
            .freezes_on(id, facts.now)
            .map(|freeze| freeze_line(facts, freeze)),
    );
    lines.extend(super::operation::maintenance_line(facts, id));
    lines.extend(super::operation::left_lines(facts, id));
    // A claim by a run that is listed anyway says nothing new.
    let foreign = facts
        .claims
        .get(id)
        .filter(|run| facts.runs.get(*run).is_none_or(|run| run.ended().is_some()))
        .filter(|run| facts.operations.get(*run).is_none_or(|run| run.ended().is_some()));
    lines.extend(foreign.map(|run| {
        line![
            Sign::Running,
            format!(" held by run {}, which changes it just now", run.short())
        ]
    }));
    lines
}

fn lock_line(facts: &Facts<'_>, lock: &Lock) -> Line {
    let mut line = line![
        Sign::Locked,
        " locked by ",
        who(facts, &lock.owner),
        format!(" for {}", lasting(lock.since, facts.now))
    ];
    line.extend(until(lock.until));
    line.extend(
        quoted(&lock.reason, 120)
            .map(|words| line![" ", words])
            .unwrap_or_default(),
    );
    line
}

fn freeze_line(facts: &Facts<'_>, freeze: &Freeze) -> Line {
    let scope = if freeze.everywhere { " (all services)" } else { "" };
    let mut line = line![
        Sign::Frozen,
        format!(" frozen{scope} by "),
        who(facts, &freeze.by),
        format!(" for {}", lasting(freeze.since, facts.now))
    ];
    line.extend(until(freeze.until));
    line.extend(
        quoted(&freeze.reason, 120)
            .map(|words| line![" ", words])
            .unwrap_or_default(),
    );
    line
}

fn until(until: Option<Timestamp>) -> Line {
    match until {
        Some(until) => line![", until ", until.shown(DateStyle::DayTime)],
        None => line![", until it is taken off"],
    }
}

fn windows<'a>(facts: &Facts<'a>, id: &EnvironmentId) -> impl Iterator<Item = &'a Window> {
    facts
        .service
        .freezes
        .iter()
        .filter(move |window| window.environments.is_empty() || window.environments.contains(id))
}

fn open_windows<'a>(facts: &Facts<'a>, id: &EnvironmentId) -> Vec<(&'a Window, Timestamp)> {
    windows(facts, id)
        .filter_map(|window| Some((window, window.when.open_until(facts.now, facts.service.timezone)?)))
        .collect()
}

fn frozen(facts: &Facts<'_>, id: &EnvironmentId) -> bool {
    !open_windows(facts, id).is_empty() || facts.desk.freezes_on(id, facts.now).next().is_some()
}

fn next_freeze(facts: &Facts<'_>, id: &EnvironmentId) -> Option<Line> {
    let closed: Vec<Window> = windows(facts, id)
        .filter(|window| window.when.open_until(facts.now, facts.service.timezone).is_none())
        .cloned()
        .collect();
    let at = crate::catalog::next_change(&closed, facts.now, facts.service.timezone)?;
    Some(line!["Next freeze: ", at.shown(DateStyle::DayTime)])
}
