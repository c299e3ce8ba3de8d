//! What people read of maintenance mode: that it is on, whose it is, and that it should come to an end.

use crate::desk::Maintenance;
use crate::facts::Facts;
use crate::ids::{EnvironmentId, ServiceId};
use crate::operation::{Matter, Operation, Phase};
use crate::reason::Reason;
use crate::run::Run;
use crate::step::Action;
use crate::time::Timestamp;
use crate::view::message::{Block, Button, ButtonStyle, DateStyle, Line, Message, Sign, bold, code};
use crate::view::people::who;
use crate::view::words::{cut, lasting, quoted};

/// `on since 17:02 by Ann, until 18:00, “migration”`.
fn standing_words(facts: &Facts<'_>, standing: &Maintenance) -> Line {
    let mut line = line![
        "turned on by ",
        who(facts, &standing.by),
        " ",
        standing.since.shown(DateStyle::DayTime)
    ];
    match standing.until {
        Some(until) if standing.off_after => line.extend(line![", off by itself ", until.shown(DateStyle::DayTime)]),
        Some(until) => line.extend(line![", to be off ", until.shown(DateStyle::DayTime)]),
        None => line.push(", no end was said".into()),
    }
    line.extend(
        quoted(&standing.reason, 120)
            .map(|words| line![", ", words])
            .unwrap_or_default(),
    );
    line
}

/// What stands in `/deploy status` of maintenance mode.
pub(in crate::view) fn maintenance_line(facts: &Facts<'_>, environment: &EnvironmentId) -> Option<Line> {
    let standing = facts.desk.maintenance.get(environment)?;
    let mut line = line![Sign::Notice, " ", bold("maintenance is on"), ": "];
    line.extend(standing_words(facts, standing));
    Some(line)
}

/// Whose it is, on the card of an errand that reads it.
pub(super) fn desk_line(operation: &Operation, facts: &Facts<'_>) -> Option<Line> {
    let errand = operation.pinned.errand.as_ref()?;
    if errand.matter != Matter::Maintenance || !operation.is_plan() {
        return None;
    }
    Some(match facts.desk.maintenance.get(operation.environment()) {
        Some(standing) => {
            let mut line = line!["From here it was "];
            line.extend(standing_words(facts, standing));
            line
        }
        None => line!["From here nobody turned it on."],
    })
}

/// `maintenance is on`, of an errand that read it; what cannot be read is not off.
pub(super) fn standing(operation: &Operation) -> Option<(Sign, String)> {
    let errand = operation.pinned.errand.as_ref()?;
    if errand.matter != Matter::Maintenance {
        return None;
    }
    let mut states = operation.all().filter_map(|(step, state)| match &step.action {
        Action::Maintenance(_) if state.phase == Phase::Planned && state.failure.is_none() => {
            Some(state.outputs.get("state").map_or("unknown", String::as_str))
        }
        Action::Maintenance(_) => Some("unknown"),
        _ => None,
    });
    let first = states.next().unwrap_or("unknown");
    let state = if states.all(|other| other == first) {
        first
    } else {
        "not the same everywhere"
    };
    Some(match state {
        "on" => (Sign::Notice, "it is on".to_owned()),
        "off" => (Sign::Good, "it is off".to_owned()),
        "unknown" => (Sign::Unknown, "nobody can tell whether it is on".to_owned()),
        other => (Sign::Unknown, format!("it is {}", cut(other, 60))),
    })
}

/// What an errand does, in a word or two: `maintenance on`.
pub(super) fn what(operation: &Operation) -> String {
    let wanted = operation.all().find_map(|(step, _)| match &step.action {
        Action::Maintenance(action) => action.on,
        _ => None,
    });
    match wanted {
        Some(true) => "maintenance on".to_owned(),
        Some(false) => "maintenance off".to_owned(),
        None => "maintenance".to_owned(),
    }
}

/// The first words after maintenance mode was asked for.
#[must_use]
pub fn maintenance_recorded(
    environment: &EnvironmentId,
    on: bool,
    (until, off_after): (Option<Timestamp>, bool),
) -> Message {
    let word = if on { "on" } else { "off" };
    let head = line![
        bold(format!("Recorded: maintenance {word} for {environment}")),
        ". The card shows when it is read back."
    ];
    let end = match (on, until) {
        (false, _) => None,
        (true, Some(until)) if off_after => Some(line!["It goes off by itself ", until.shown(DateStyle::DayTime), "."]),
        (true, Some(until)) => Some(line![
            "You are reminded five minutes before ",
            until.shown(DateStyle::DayTime),
            "; it stays on until somebody turns it off."
        ]),
        (true, None) => Some(line!["The channel is reminded every half hour while it is on."]),
    };
    Message::headed(head, end.into_iter().collect())
}

/// The first words after somebody asked whether it is on: what is known here, while what is there is read.
#[must_use]
pub fn maintenance_listed(facts: &Facts<'_>, environments: &[&EnvironmentId]) -> Message {
    let lines = environments.iter().map(|id| match facts.desk.maintenance.get(*id) {
        Some(standing) => {
            let mut line = line![bold(id.to_string()), ": "];
            line.extend(standing_words(facts, standing));
            line
        }
        None => line![bold(id.to_string()), ": nobody turned it on from here"],
    });
    Message::headed(
        line!["Reading whether it is on; the card fills in. Nothing is changed."],
        lines.collect(),
    )
}

/// To the channel: it is on, and should come to an end.
#[must_use]
pub fn maintenance_reminder(facts: &Facts<'_>, environment: &EnvironmentId, standing: &Maintenance) -> Message {
    let lasts = lasting(standing.since, facts.now);
    let head = match standing.until {
        Some(until) if facts.now < until => line![
            Sign::Notice,
            " ",
            &standing.by,
            ": ",
            bold(format!("maintenance of {environment} is to end")),
            " ",
            until.shown(DateStyle::Time)
        ],
        _ => line![
            Sign::Notice,
            " ",
            &standing.by,
            ": ",
            bold(format!("maintenance of {environment} is still on")),
            format!(", for {lasts}")
        ],
    };
    let mut line = line![];
    line.extend(standing_words(facts, standing));
    let next = line![
        "It takes another end with ",
        code(format!("/maintenance on {environment} for 30m")),
        "."
    ];
    Message::headed(head, vec![line, next]).with(Block::Actions(vec![turn_off(&facts.service.id, environment)]))
}

/// Turns it off.
fn turn_off(service: &ServiceId, environment: &EnvironmentId) -> Button {
    Button {
        action: "maintenance_off".to_owned(),
        value: format!("{service} {environment}"),
        label: "Turn it off".to_owned(),
        spoken: cut(&format!("Turn maintenance of {environment} off"), 75),
        style: ButtonStyle::Primary,
        confirm: None,
        url: None,
    }
}

/// The first words after maintenance was asked for, with an approval to follow.
#[must_use]
pub fn maintenance_before_recorded(run: &Run) -> Message {
    Message::headed(
        line![bold(format!("Recorded: maintenance on for {}", run.home()))],
        vec![line![format!(
            "When it is read back, your approval of {} is given, if you still may then. If it cannot be, you are told here and in the thread.",
            run.pinned.revision.short()
        )]],
    )
}

/// In a run's thread and to whoever asked: maintenance was asked for, and the approval that was to follow was not given.
#[must_use]
pub fn not_approved_note(operation: &Operation, why: Vec<Line>) -> Message {
    let head = line![
        Sign::Bad,
        " ",
        &operation.pinned.starter,
        ": ",
        bold("your approval was not given"),
        match operation.ended() {
            Some((Reason::Succeeded, _)) => ", though maintenance is on.",
            _ => ", for maintenance is not on.",
        }
    ];
    let mut lines = why;
    lines.push(line!["Press the button of the card again, if you still mean it."]);
    Message::headed(head, lines)
}

/// What a run that is over leaves to be done: maintenance that is still on.
#[must_use]
pub fn still_on_note(facts: &Facts<'_>, environment: &EnvironmentId) -> Option<Message> {
    let line = maintenance_line(facts, environment)?;
    let head = line![bold(format!(
        "The run is over, and maintenance of {environment} is still on"
    ))];
    let buttons = vec![turn_off(&facts.service.id, environment)];
    Some(Message::headed(head, vec![line]).with(Block::Actions(buttons)))
}
