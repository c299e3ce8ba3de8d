//! The card while votes are collected.

use super::super::buttons::{self, Press};
use super::super::message::{Block, Button, DateStyle, Inline, Line, Message, Sign, bold, code};
use super::super::people;
use super::super::words::{self, DOT, headline, in_about, joined};
use super::{evidence, links, shipment, trouble};
use crate::check::{Level, MAINTENANCE_ASKED};
use crate::facts::Facts;
use crate::gate::tally::{self, Tally};
use crate::gate::{self, Act};
use crate::run::{Ballot, Run};

pub(super) fn draw(run: &Run, facts: &Facts<'_>) -> Message {
    let tally = tally::count(facts, run);
    let first = headline(Sign::Waiting, run, &standing(run, facts));
    let over = run.pinned.gives_up_at <= facts.now;
    let refusals = gate::evaluate_run(facts, None, Act::Approve, run);
    let mut state = evidence::in_the_way(&refusals, run);
    if !over {
        state.extend(evidence::checks(run, facts));
        state.extend(Some(evidence::clear(&refusals, run, facts)).filter(|line| !line.is_empty()));
    }
    let troubles = run
        .trouble
        .as_ref()
        .map(|found| trouble(found, "The run still waits; you can decide as usual."));
    Message::headed(first, shipment::summary(run, facts))
        .with(Block::Section(shipment::commits(run)))
        .with(Block::Section(troubles.into_iter().collect()))
        .with(Block::Section(votes(run, facts, &tally)))
        .with(Block::Section(state))
        .with(Block::Section(behind(run)))
        .with(Block::Actions(actions(run, facts)))
        .with(Block::Context(small_print(run, facts)))
}

/// What the run waits for, and how long that can go on.
pub(super) fn standing(run: &Run, facts: &Facts<'_>) -> String {
    if facts.now >= run.pinned.gives_up_at {
        return "nobody answered in time".to_owned();
    }
    let wanted = people::wanted(&tally::count(facts, run));
    format!(
        "waits for {wanted}{DOT}CodePipeline gives up {}",
        in_about(run.pinned.gives_up_at, facts.now)
    )
}

/// Who approved, and who else may.
fn votes(run: &Run, facts: &Facts<'_>, tally: &Tally) -> Vec<Line> {
    let mut lines = Vec::new();
    if run.lapsed > 0 && run.votes.is_empty() {
        lines.push(line![Sign::Notice, " The decision before this could not be carried out in 10 minutes, so its votes no longer count. Please decide again."]);
    }
    let mut line = line![bold(format!("Approved {} of {}", tally.approved.len(), tally.required))];
    if !tally.approved.is_empty() {
        line.push(": ".into());
        line.extend(people::votes(run, Ballot::Approve));
    }
    lines.push(line);
    let nobody = people::may_approve(facts, run).is_some_and(|people| people.is_empty());
    let mut line = match (nobody, tally.approved.is_empty()) {
        (true, _) => line![Sign::Bad, " Nobody is left who may approve this: everyone among "],
        (false, true) => line!["May approve: "],
        (false, false) => line!["May approve next: "],
    };
    // Before the first vote the group is called; then those are named who are left.
    line.extend(if nobody || tally.approved.is_empty() {
        people::configured(facts, run)
    } else {
        people::others(facts, run)
    });
    if nobody {
        line.push(" has voted, wrote part of it, or started it".into());
    }
    if let Some(missing) = people::missing_groups(&tally.missing) {
        line.push("; ".into());
        line.extend(missing);
    }
    if nobody {
        line.push(". ".into());
        line.extend(people::way_out(facts, run));
    }
    lines.push(line);
    lines
}

/// Newer runs that cannot ask before this one is answered.
fn behind(run: &Run) -> Vec<Line> {
    let Some(newest) = run.behind.last() else {
        return Vec::new();
    };
    let title = words::title(&newest.revision);
    let words = match run.behind.len() {
        1 => format!(" behind this one: {title}"),
        _ => format!(" behind this one; the newest is {title}"),
    };
    let verb = if run.behind.len() == 1 {
        "newer run waits"
    } else {
        "newer runs wait"
    };
    vec![line![
        Sign::Notice,
        " ",
        bold(format!("{} {verb}", run.behind.len())),
        words,
        "."
    ]]
}

/// Whether the card asks if maintenance is to be on: migrations go out, and it was off when it was looked at.
fn asks_maintenance(run: &Run, facts: &Facts<'_>) -> bool {
    let here = facts.service.environment(run.home());
    let wanted = here.filter(|one| one.checks.iter().any(|check| check.0 == MAINTENANCE_ASKED));
    let verdict = run.verdicts.iter().find(|(name, _)| name.0 == MAINTENANCE_ASKED);
    let off = verdict.filter(|(_, verdict)| verdict.level == Level::Notice);
    let (Some(here), Some((_, verdict))) = (wanted, off) else {
        return false;
    };
    // Turned on from here since that look, or in a way that no look can see: it need not be asked for again.
    let standing = facts.desk.maintenance.get(&here.id);
    here.maintenance
        .as_ref()
        .is_some_and(|mode| standing.is_none_or(|standing| mode.way.is_readable() && standing.since <= verdict.as_of))
}

fn actions(run: &Run, facts: &Facts<'_>) -> Vec<Button> {
    if facts.now >= run.pinned.gives_up_at {
        return vec![buttons::on(run, Press::Why, facts)];
    }
    let wait = (!run.behind.is_empty()).then_some(Press::RejectWait);
    let (first, second) = if asks_maintenance(run, facts) {
        (Press::MaintenanceApprove, Press::ApproveWithout)
    } else {
        (Press::Approve, Press::ApproveNotes)
    };
    [
        Some(first),
        Some(second),
        Some(Press::Reject),
        wait,
        Some(Press::Why),
        Some(Press::Check),
    ]
    .into_iter()
    .flatten()
    .map(|press| buttons::on(run, press, facts))
    .collect()
}

/// Who started it, until when it can be answered, and how to answer without Slack.
fn small_print(run: &Run, facts: &Facts<'_>) -> Vec<Line> {
    let pinned = &run.pinned;
    let production = pinned.environments.iter().filter_map(|target| {
        words::tier(target.tier).map(|tier| {
            if pinned.environments.len() > 1 {
                format!("{} is {tier}", target.environment)
            } else {
                tier.to_owned()
            }
        })
    });
    let mut about: Vec<Line> = production.map(|words| line![words]).collect();
    about.extend(words::named(&pinned.revision).map(|name| line![name]));
    about.push(started(run));
    let until = line![
        "Waiting since ",
        pinned.waiting_since.shown(DateStyle::DayTime),
        "; CodePipeline gives up on ",
        pinned.gives_up_at.shown(DateStyle::DayTime),
    ];
    let mut all = vec![until];
    all.extend(links(run, facts).into_iter().filter(|line| !is_compare(line)));
    let twin = (facts.now < pinned.gives_up_at).then(|| {
        let words = words::twin(facts, "approve", run.home(), &words::typed(run));
        line!["Slack is down? ", code(words)]
    });
    [
        joined(about, DOT),
        shipment::authors(run),
        joined(all, DOT),
        twin.unwrap_or_default(),
    ]
    .into_iter()
    .filter(|line| !line.is_empty())
    .collect()
}

/// The compare link stands beside the commits already.
fn is_compare(line: &Line) -> bool {
    matches!(line.as_slice(), [Inline::Link { text, .. }] if text.starts_with("compare"))
}

fn started(run: &Run) -> Line {
    let starter = &run.pinned.starter;
    match (&starter.user, words::aws_actor(&starter.detail)) {
        (Some(user), _) => line!["started by ", user],
        (None, _) if starter.detail.is_empty() => line!["nobody knows who started it"],
        (None, detail) => line![format!("started by {detail}")],
    }
}
