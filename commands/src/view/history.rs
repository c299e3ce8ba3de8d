//! `/deploy history`: the last runs of an environment, approvals and runbooks alike.

use super::card::ending_sign;
use super::message::{Block, DateStyle, Line, Message, Sign, bold, code};
use super::people::{named, who};
use super::words::{self, DOT, command, count, cut, joined, length};
use crate::desk::{Conducted, Finished};
use crate::facts::Facts;
use crate::ids::EnvironmentId;
use crate::reason::Reason;
use crate::time::Timestamp;

/// How many runs are listed.
const LISTED: usize = 10;

/// The last runs of an environment, newest first.
#[must_use]
pub fn history(facts: &Facts<'_>, environment: &EnvironmentId) -> Message {
    let past = past(facts, environment);
    if past.is_empty() {
        return Message::headed(
            line![bold(format!("{} {environment}: no finished run yet", facts.service.id))],
            vec![line![
                "Signalbox remembers runs from its first day on. What is there now: ",
                code(command(facts, "status", environment, ""))
            ]],
        );
    }
    let shown = past.len().min(LISTED);
    let usual = facts
        .desk
        .usual(environment)
        .map(|usual| format!(" · a release usually takes {}", length(usual)))
        .unwrap_or_default();
    let what = if shown == 1 {
        "the last run".to_owned()
    } else {
        format!("the last {}", count(shown, "run"))
    };
    let first = line![bold(format!("{} {environment}: {what}{usual}", facts.service.id))];
    let older = (past.len() > LISTED).then(|| line!["Older runs are in the journal: ", code("signalbox audit export")]);
    Message::headed(first, Vec::new())
        .with(Block::Section(past.into_iter().take(LISTED).collect()))
        .with(Block::Context(older.into_iter().collect()))
}

/// Every run that the desk remembers of an environment in a line, newest first.
pub(super) fn past(facts: &Facts<'_>, environment: &EnvironmentId) -> Vec<Line> {
    let desk = facts.desk;
    let runs = desk.recent.get(environment).into_iter().flatten();
    let runs = runs.map(|finished| (finished.at, finished_line(facts, finished)));
    let conducted = desk.conducted.get(environment).into_iter().flatten();
    let conducted = conducted.map(|conducted| (conducted.at, conducted_line(facts, conducted)));
    let mut all: Vec<(Timestamp, Line)> = runs.chain(conducted).collect();
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    all.into_iter().map(|(_, line)| line).collect()
}

/// A runbook's run or an errand in a line.
fn conducted_line(facts: &Facts<'_>, conducted: &Conducted) -> Line {
    let ending = match conducted.reason {
        Reason::Succeeded => "done",
        Reason::Undone if conducted.aborted => "aborted",
        Reason::Undone => "undone",
        Reason::Stopped => "ended as it was",
        _ => "failed",
    };
    let sign = match conducted.reason {
        Reason::Succeeded => Sign::Good,
        Reason::Undone => Sign::Notice,
        _ => Sign::Bad,
    };
    let by = match &conducted.by {
        Some(user) => line!["by ", who(facts, user)],
        None => line!["by itself"],
    };
    let took = Some(conducted.took).filter(|took| took.0 >= 1000);
    let took = took.map(|took| line![format!("took {}", length(took))]);
    let card = conducted.card.as_ref();
    let link = card.map(|(channel, ts)| vec![words::linked(channel, ts, "card")]);
    joined(
        vec![
            line![sign, " ", cut(&conducted.what, 80)],
            line![ending],
            line![conducted.at.shown(DateStyle::DayTime)],
            took.unwrap_or_default(),
            by,
            link.unwrap_or_default(),
            line![format!("run {}", conducted.run.short())],
        ],
        DOT,
    )
}

/// A finished run in a line.
fn finished_line(facts: &Facts<'_>, finished: &Finished) -> Line {
    let mut parts = vec![
        line![
            ending_sign(finished.reason),
            " ",
            words::digits(&finished.revision),
            format!(", {}", cut(&finished.revision.summary, 60))
        ],
        line![words::short_ending(finished.reason)],
        line![finished.at.shown(DateStyle::DayTime)],
    ];
    if finished.revision.summary.is_empty() {
        parts[0].pop();
    }
    parts.extend(finished.took.map(|took| line![format!("took {}", words::length(took))]));
    if !finished.by.is_empty() {
        let mut by = line!["by "];
        by.extend(named(facts, &finished.by));
        parts.push(by);
    }
    if finished.overridden {
        parts.push(line![Sign::Override, " glass broken"]);
    }
    parts.extend(words::card_link(facts, &finished.run, "card").map(|link| vec![link]));
    parts.push(line![format!("run {}", finished.run.short())]);
    joined(parts, DOT)
}
