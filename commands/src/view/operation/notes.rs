//! What is said beside the card of a runbook's run: at its start, and in its thread.

use super::{headline, subject, troubles};
use crate::facts::Facts;
use crate::gate;
use crate::operation::{Operation, Phase};
use crate::runbook::Step;
use crate::step::Conduct;
use crate::view::message::{Block, Line, Message, Sign, code};
use crate::view::words::{self, cut, length};

/// The first words after a start.
#[must_use]
pub fn operation_started(operation: &Operation, facts: &Facts<'_>) -> Message {
    let what = if operation.is_plan() {
        "Looking at every step; the card fills in. Nothing is changed."
    } else {
        "Recorded. The card shows how it goes."
    };
    anywhere_else(
        Message::sentence(format!("{}: {what}", subject(operation))),
        facts,
        [operation].into_iter(),
    )
}

/// The same with what to type where the cards of these runs are out of sight, as at a terminal.
#[must_use]
pub fn anywhere_else<'o>(message: Message, facts: &Facts<'_>, begun: impl Iterator<Item = &'o Operation>) -> Message {
    let show = |operation: &Operation| {
        let command = words::command(facts, "show", operation.environment(), operation.id.short());
        line!["Anywhere else: ", code(command)]
    };
    message.with(Block::Context(begun.map(show).collect()))
}

/// In the thread: somebody is asked. Whoever may answer is called.
#[must_use]
pub fn step_asked_note(facts: &Facts<'_>, operation: &Operation, step: &Step) -> Message {
    let operation = &operation.shown();
    let step = operation.step(&step.name).map_or(step, |(step, _)| step);
    let environment = facts.service.environment(operation.environment());
    let people = environment.map(|environment| match step.action.conduct() {
        Conduct::Votes(_) => gate::names(&environment.approvers.people),
        _ => gate::names(environment.operators()),
    });
    let mut line = people.unwrap_or_default();
    line.push(
        format!(
            ": {} waits for you at “{}”. The buttons are on the card.",
            subject(operation),
            cut(&step.title, 100)
        )
        .into(),
    );
    Message::line(line)
}

/// In the thread: a person has to decide.
#[must_use]
pub fn operation_stopped_note(facts: &Facts<'_>, operation: &Operation) -> Message {
    let operation = &operation.shown();
    let mut lines = troubles(operation);
    if operation.undone_by.is_some() {
        lines.extend(named("Undone", operation, Phase::Undone));
        lines.extend(named("Not undone", operation, Phase::UndoFailed));
        lines.push(line![
            &operation.pinned.starter,
            ", please look. The buttons are on the card; ",
            code(words::command(facts, "retry", operation.environment(), "")),
            " tries to undo it again, ",
            code(words::command(facts, "skip", operation.environment(), "<reason>")),
            " leaves it as it is."
        ]);
    } else {
        lines.push(line![
            &operation.pinned.starter,
            ", please look. The buttons are on the card; ",
            code(words::command(facts, "abort", operation.environment(), "<reason>")),
            " undoes what was done."
        ]);
    }
    Message::headed(headline(operation, facts), lines)
}

/// The steps at which an undo has come so far, by their titles; nothing when there are none.
fn named(what: &str, operation: &Operation, phase: Phase) -> Option<Line> {
    let at = operation.all().filter(|(_, state)| state.phase == phase);
    let titles: Vec<String> = at.map(|(step, _)| format!("“{}”", cut(&step.title, 60))).collect();
    (!titles.is_empty()).then(|| line![format!("{what}: {}.", titles.join(", "))])
}

/// In the thread: it is over. Whoever started it is called.
#[must_use]
pub fn operation_ended_note(facts: &Facts<'_>, operation: &Operation) -> Message {
    Message::headed(
        headline(&operation.shown(), facts),
        vec![line![&operation.pinned.starter]],
    )
}

/// In the thread: a step takes longer than usual.
#[must_use]
pub fn overran_note(operation: &Operation, step: &Step) -> Message {
    let operation = &operation.shown();
    let step = operation.step(&step.name).map_or(step, |(step, _)| step);
    let usual = step
        .usual
        .map(|span| format!(" It usually takes {}.", length(span)))
        .unwrap_or_default();
    Message::line(line![
        Sign::Notice,
        " ",
        &operation.pinned.starter,
        format!(
            ": “{}” takes longer than usual.{usual} It fails by itself after {}.",
            cut(&step.title, 100),
            length(step.deadline)
        )
    ])
}
