//! The card of a runbook's run: every step and where it stands, what is asked, what went wrong, and the buttons that fit.

mod buttons;
mod errand;
mod maintenance;
mod notes;
mod steps;
mod troubles;

use super::message::{Block, DateStyle, Line, Message, Sign, bold, code};
use super::people::named;
use super::words::{self, DOT, count, cut, joined, length, quoted};
use crate::facts::Facts;
use crate::gate;
use crate::operation::{
    Matter, Operation, Phase, Status, StepState,
    backward::{is_aborted, is_followed, is_to_be_undone},
};
use crate::reason::Reason;
use crate::runbook::Step;
use crate::step::{Action, Conduct};
use troubles::troubles;

pub use buttons::{abort_form, confirm_form, skip_form, type_form};
pub(super) use errand::left_lines;
pub use errand::{levels_forgotten_note, levels_listed, levels_recorded};
pub(super) use maintenance::maintenance_line;
pub use maintenance::{
    maintenance_before_recorded, maintenance_listed, maintenance_recorded, maintenance_reminder, not_approved_note,
    still_on_note,
};
pub use notes::{
    anywhere_else, operation_ended_note, operation_started, operation_stopped_note, overran_note, step_asked_note,
};

/// The card as the operation stands.
#[must_use]
pub fn operation_card(operation: &Operation, facts: &Facts<'_>) -> Message {
    let operation = &operation.shown();
    let seen = errand::levels(operation, facts).unwrap_or_else(|| steps::steps(operation, facts));
    let mut message = Message::headed(headline(operation, facts), about(operation, facts))
        .with(Block::Section(seen))
        .with(Block::Section(questions(operation, facts)))
        .with(Block::Section(troubles(operation)));
    if let Some((reason, _)) = operation.ended() {
        message = message.with(Block::Section(left_behind(operation, reason)));
    }
    message
        .with(Block::Actions(buttons::buttons(operation)))
        .with(Block::Context(small_print(operation, facts)))
}

/// `migrate · wallet → mainnet`.
fn subject(operation: &Operation) -> String {
    let what = match (&operation.pinned.errand, operation.is_plan()) {
        (Some(errand), _) if errand.matter == Matter::Maintenance => maintenance::what(operation),
        (Some(errand), _) => errand.matter.words().to_owned(),
        (None, true) => format!("plan of {}", operation.pinned.runbook),
        (None, false) => operation.pinned.runbook.to_string(),
    };
    format!("{what} · {} → {}", operation.pinned.service, operation.environment())
}

/// What a run was, in a list of many: the runbook's name, or what the errand did.
#[must_use]
pub fn operation_name(operation: &Operation) -> String {
    let operation = &operation.shown();
    match operation.pinned.errand.as_ref().map(|errand| errand.matter) {
        None => operation.pinned.runbook.to_string(),
        Some(Matter::Maintenance) => maintenance::what(operation),
        Some(Matter::LogLevels) => {
            let titles: Vec<&str> = operation.pinned.steps.iter().map(|step| step.title.as_str()).collect();
            cut(&titles.join("; "), 80)
        }
    }
}

/// The first line of what is told of a run whose texts are filled already.
fn headline(operation: &Operation, facts: &Facts<'_>) -> Line {
    let (sign, standing) = placed(operation, facts);
    line![sign, " ", bold(format!("{}{DOT}{standing}", subject(operation)))]
}

/// Where an operation stands, in a few words; and where the things are that it moves, when they are not all in the same place.
pub(super) fn standing(operation: &Operation, facts: &Facts<'_>) -> (Sign, String) {
    placed(&operation.shown(), facts)
}

/// The same of one whose texts are filled already.
fn placed(operation: &Operation, facts: &Facts<'_>) -> (Sign, String) {
    let (sign, words) = progress(operation, facts);
    match operation.mixed() {
        // An end that leaves things apart is never good.
        Some(mixed) if sign == Sign::Good => (Sign::Notice, format!("{words}{DOT}{mixed}")),
        Some(mixed) => (sign, format!("{words}{DOT}{mixed}")),
        None => (sign, words),
    }
}

fn progress(operation: &Operation, facts: &Facts<'_>) -> (Sign, String) {
    match operation.status {
        Status::Ended { reason, at } => {
            let took = length(operation.pinned.started_at.age(at));
            match reason {
                Reason::Succeeded => (Sign::Good, format!("done, took {took}")),
                Reason::Planned => maintenance::standing(operation).unwrap_or_else(|| {
                    let levels = errand::standing(operation, facts);
                    levels.map_or_else(|| planned(operation), |words| (Sign::Notice, words))
                }),
                Reason::Undone if is_aborted(operation) => (Sign::Notice, format!("aborted after {took}")),
                Reason::Undone => (Sign::Notice, format!("undone after {took}")),
                Reason::Stopped => (Sign::Bad, format!("stopped after {took}")),
                _ => (Sign::Bad, format!("failed after {took}")),
            }
        }
        Status::Stopped => {
            let stuck = operation.all().find(|(_, state)| state.phase.is_stuck());
            let (sign, what) = stuck.map_or((Sign::Bad, "stopped".to_owned()), |(step, state)| match state.phase {
                Phase::Unknown => (
                    Sign::Unknown,
                    format!("nobody knows whether “{}” was done", cut(&step.title, 60)),
                ),
                Phase::UndoFailed => {
                    let failed = operation.all().filter(|(_, state)| state.phase == Phase::UndoFailed);
                    let others = match failed.count() - 1 {
                        0 => String::new(),
                        others => format!(" and {others} more"),
                    };
                    let title = cut(&step.title, 60);
                    (Sign::Bad, format!("“{title}”{others} could not be undone"))
                }
                _ => (Sign::Bad, format!("“{}” failed", cut(&step.title, 60))),
            });
            (sign, format!("{what}{DOT}a person decides"))
        }
        Status::Undoing => {
            let place = place(operation, facts);
            let waits = operation.all().any(|(step, state)| is_followed(step, state));
            let words = match place.strip_prefix(DOT).filter(|_| waits) {
                Some(place) => format!("is being undone, after the end of {place}"),
                None => format!("is being undone{place}"),
            };
            (Sign::Running, words)
        }
        Status::Running => {
            let asking = operation.frontier().iter().any(|(_, state)| state.phase.is_asking());
            let sign = if asking { Sign::Waiting } else { Sign::Running };
            (sign, place(operation, facts).trim_start_matches(DOT).to_owned())
        }
    }
}

/// `changes nothing · 1 thing is in the way · 2 steps cannot be told yet`.
fn planned(operation: &Operation) -> (Sign, String) {
    let failures = || operation.all().filter_map(|(_, state)| state.failure.as_ref());
    let against = failures().filter(|failure| failure.is_seen()).count();
    let unknown = failures().count() - against;
    let mut words = "changes nothing".to_owned();
    if against > 0 {
        let verb = if against == 1 { "is" } else { "are" };
        words.push_str(&format!("{DOT}{} {verb} in the way", count(against, "thing")));
    }
    if unknown > 0 {
        words.push_str(&format!("{DOT}{} cannot be told yet", count(unknown, "step")));
    }
    let sign = match (against, unknown) {
        (0, 0) => Sign::Plan,
        (0, _) => Sign::Unknown,
        _ => Sign::Bad,
    };
    (sign, words)
}

/// ` · step 4 of 9: drain the queue · 63 %, until about 18:05`.
fn place(operation: &Operation, facts: &Facts<'_>) -> String {
    let total = operation.sequence().count();
    let current = operation
        .sequence()
        .enumerate()
        .find(|(_, (_, state))| state.phase.is_calling() || state.phase.is_asking());
    // A remedy is no part of the sequence.
    let remedy = || {
        operation
            .all()
            .find(|(_, state)| state.phase.is_calling() || state.phase.is_asking())
    };
    let (place, (step, state)) = match (current, remedy()) {
        (Some((index, found)), _) => (format!("step {} of {total}", index + 1), found),
        (None, Some(found)) => ("remedy".to_owned(), found),
        (None, None) => return String::new(),
    };
    let mut words = format!("{DOT}{place}: {}", cut(&step.title, 60));
    if state.phase.is_asking() {
        words.push_str(&format!("{DOT}waits for a person"));
    }
    if let Some(progress) = &state.progress {
        words.extend(progress.percent.map(|percent| format!("{DOT}{percent} %")));
        words.extend(
            progress
                .until
                .map(|until| format!("{DOT}{} left", length(facts.now.age(until)))),
        );
    }
    words
}

fn about(operation: &Operation, facts: &Facts<'_>) -> Vec<Line> {
    let mut lines = errand::about(operation, facts);
    if !operation.pinned.title.is_empty() {
        lines.push(line![cut(&operation.pinned.title, 200)]);
    }
    let parameters: Vec<Line> = operation
        .pinned
        .parameters
        .iter()
        .map(|(name, value)| line![format!("{name}: "), code(cut(value, 80))])
        .collect();
    if !parameters.is_empty() {
        lines.push(joined(parameters, DOT));
    }
    lines.extend(alone(operation, facts));
    lines
}

/// In a plan: whether another run changes the environment, for a start would be refused then.
fn alone(operation: &Operation, facts: &Facts<'_>) -> Option<Line> {
    if !operation.is_plan() || operation.pinned.errand.is_some() {
        return None;
    }
    let environment = operation.environment();
    Some(match facts.claims.get(environment) {
        None => line![Sign::Good, format!(" no other run changes {environment}")],
        Some(holder) => line![
            Sign::Bad,
            format!(
                " {environment} is being changed by run {}: a start would be refused until it is over",
                holder.short()
            )
        ],
    })
}

/// What is asked, and of whom.
fn questions(operation: &Operation, facts: &Facts<'_>) -> Vec<Line> {
    if operation.ended().is_some() || operation.undone_by.is_some() {
        return Vec::new();
    }
    operation
        .all()
        .filter(|(_, state)| state.phase.is_asking())
        .flat_map(|(step, state)| question(operation, facts, step, state))
        .collect()
}

fn question(operation: &Operation, facts: &Facts<'_>, step: &Step, state: &StepState) -> Vec<Line> {
    let environment = facts.service.environment(operation.environment());
    let approvers = environment.map(|environment| gate::names(&environment.approvers.people));
    let operators = environment.map(|environment| gate::names(environment.operators()));
    let may = |people: Option<Line>| {
        let mut line = line!["May answer: "];
        line.extend(people.unwrap_or_else(|| line!["nobody: the environment is no longer configured"]));
        line
    };
    if let (Phase::Confirming, Some(typed)) = (state.phase, step.action.typed()) {
        let asked = format!("“{}” cannot be undone.", cut(&step.title, 100));
        return vec![
            line![
                Sign::Bad,
                " ",
                bold(asked),
                " Type ",
                code(cut(&typed, 100)),
                " to have it done."
            ],
            may(operators),
        ];
    }
    match (&step.action, step.action.conduct()) {
        (Action::Approval(approval), Conduct::Votes(required)) => {
            let mut lines = vec![line![Sign::Waiting, " ", bold(cut(&approval.question, 300))]];
            lines.extend(task(operation));
            let have = format!("{} of {required} said yes", state.yes.len());
            let who = (!state.yes.is_empty()).then(|| named(facts, &state.yes));
            let said = [line![have]].into_iter().chain(who);
            lines.push(joined(said.collect(), ": "));
            lines.push(may(approvers));
            lines
        }
        (Action::Manual(manual), _) => {
            let mut lines = vec![line![
                Sign::Waiting,
                " ",
                bold("To be done by a person:"),
                format!(" {}", cut(&manual.instructions, 800))
            ]];
            if !manual.evidence.is_empty() {
                lines.push(line![format!("To be written down: {}", cut(&manual.evidence, 200))]);
            }
            lines.push(may(operators));
            lines
        }
        _ => {
            let plan = step.plan(&step.action).into_iter().map(|words| line![cut(&words, 200)]);
            let mut lines = vec![line![
                Sign::Waiting,
                " ",
                bold(format!("Begin “{}”?", cut(&step.title, 100)))
            ]];
            lines.extend(plan);
            lines.push(may(operators));
            lines
        }
    }
}

/// What a task does: whoever is asked about it says yes to exactly this.
fn task(operation: &Operation) -> Vec<Line> {
    let asked = |step: &&Step| operation.pinned.runbook.is_task() && !matches!(step.action, Action::Approval(_));
    let steps = operation.sequence().map(|(step, _)| step).filter(asked);
    let plan = steps.flat_map(|step| step.plan(&step.action));
    plan.map(|words| line![format!("› {}", cut(&words, 200))]).collect()
}

/// What an end that is no success leaves behind.
fn left_behind(operation: &Operation, reason: Reason) -> Vec<Line> {
    if !matches!(reason, Reason::Undone | Reason::Stopped | Reason::Failed) {
        return Vec::new();
    }
    operation
        .all()
        .filter(|(step, state)| {
            let after = matches!(state.phase, Phase::Done | Phase::Failed | Phase::Unknown);
            state.acted && !step.only_looks && (after || is_to_be_undone(step, state) || is_followed(step, state))
        })
        .map(|(step, state)| {
            let stays = match state.phase {
                Phase::Failed | Phase::Unknown => "what it did before it failed stays",
                Phase::Watching if is_followed(step, state) => "was under way and goes on",
                _ => "stays done",
            };
            let why = match step.action.spec().undo {
                _ if step.keep => "the runbook keeps it",
                _ if is_to_be_undone(step, state) => "it was not undone",
                undo => undo
                    .strip_prefix("None: ")
                    .unwrap_or("the runbook does not say how it is undone"),
            };
            line![
                Sign::Notice,
                " ",
                bold(cut(&step.title, 100)),
                format!(" {stays}: {why}.")
            ]
        })
        .collect()
}

fn small_print(operation: &Operation, facts: &Facts<'_>) -> Vec<Line> {
    let pinned = &operation.pinned;
    let mut first = vec![
        words::tier(pinned.target.tier)
            .map(|tier| line![tier])
            .unwrap_or_default(),
        line![
            "started by ",
            errand::starter(operation, facts),
            " ",
            pinned.started_at.shown(DateStyle::DayTime)
        ],
        line![format!("run {}", operation.id.short())],
    ];
    first.extend(quoted(&pinned.reason, 120).map(|words| line![words]));
    let mut lines = vec![joined(first, DOT)];
    if operation.ended().is_none() && operation.all().any(|(_, state)| state.phase.is_asking()) {
        let twin = words::twin(facts, "confirm", operation.environment(), operation.id.short());
        lines.push(line!["Slack is down? ", code(twin)]);
    }
    lines
}
