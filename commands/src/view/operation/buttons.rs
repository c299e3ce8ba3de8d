//! The buttons of a runbook's run, each bound to the step and the try it was drawn for; and the forms that they open.

use super::subject;
use crate::operation::{Operation, Phase, Status, StepState, backward::is_followed};
use crate::runbook::Step;
use crate::step::Action;
use crate::verb::remedy;
use crate::view::message::{Block, Button, ButtonStyle, Confirm, Input, Modal, bold};
use crate::view::words::cut;

/// The buttons that fit, each bound to the step and the try it was drawn for.
pub(super) fn buttons(operation: &Operation) -> Vec<Button> {
    if operation.ended().is_some() {
        return Vec::new();
    }
    let mut buttons = Vec::new();
    for (step, state) in operation.all() {
        match state.phase {
            Phase::Asking if operation.undone_by.is_none() => buttons.push(answer(operation, step, state)),
            Phase::Confirming if operation.undone_by.is_none() => buttons.push(button(
                operation,
                Some((step, state)),
                ("confirm", "Type its name…", ButtonStyle::Danger),
            )),
            Phase::Unknown => buttons.push(button(
                operation,
                Some((step, state)),
                ("confirm", "It was done…", ButtonStyle::Plain),
            )),
            _ => {}
        }
    }
    if operation.status == Status::Stopped {
        let stuck = operation.all().find(|(_, state)| state.phase.is_stuck());
        if let Some((step, state)) = stuck {
            if remedy::known(step, state).is_some() {
                buttons.push(button(
                    operation,
                    Some((step, state)),
                    ("remedy", "Do the remedy, then again", ButtonStyle::Primary),
                ));
            }
            buttons.push(button(operation, None, ("retry", "Try again", ButtonStyle::Primary)));
            buttons.extend(state.may_be_left_out(step).then(|| {
                button(
                    operation,
                    Some((step, state)),
                    ("skip", "Leave it out…", ButtonStyle::Plain),
                )
            }));
        }
    }
    let waits = operation.status == Status::Undoing && operation.all().any(|(step, state)| is_followed(step, state));
    if waits || operation.status == Status::Stopped {
        buttons.push(button(operation, None, ("stop", "End it as it is", ButtonStyle::Plain)));
    }
    if operation.undone_by.is_none() && !operation.is_plan() {
        buttons.push(button(
            operation,
            None,
            ("abort", "Abort and undo…", ButtonStyle::Danger),
        ));
    }
    buttons
}

fn answer(operation: &Operation, step: &Step, state: &StepState) -> Button {
    let label = match &step.action {
        Action::Approval(_) => "Yes",
        Action::Manual(manual) if manual.evidence.is_empty() => "It is done",
        Action::Manual(_) => "It is done…",
        _ => "Begin",
    };
    button(operation, Some((step, state)), ("confirm", label, ButtonStyle::Primary))
}

fn button(
    operation: &Operation,
    seen: Option<(&Step, &StepState)>,
    (action, label, style): (&str, &str, ButtonStyle),
) -> Button {
    let title = seen.map_or_else(|| subject(operation), |(step, _)| step.title.clone());
    let about = seen.and_then(|(step, state)| agreed(operation, action, (step, state)));
    let production = operation.pinned.target.tier == crate::catalog::Tier::Production;
    let asks =
        matches!(action, "retry" | "remedy" | "stop") || (action == "confirm" && production && !label.ends_with('…'));
    let confirm = asks.then(|| Confirm {
        title: cut(&format!("{label}?"), 100),
        text: cut(
            &format!(
                "{} on {}: {}",
                operation.pinned.runbook,
                operation.environment(),
                about.as_deref().unwrap_or(&title)
            ),
            300,
        ),
        yes: cut(label, 30),
        no: "Not now".to_owned(),
    });
    Button {
        action: action.to_owned(),
        value: value(operation, seen),
        label: label.to_owned(),
        spoken: cut(&format!("{label}: {title}"), 75),
        style,
        confirm,
        url: None,
    }
}

/// What somebody agrees to by a button, where the step's title does not say it: what approvers are asked, and what the remedy is.
fn agreed(operation: &Operation, action: &str, (step, state): (&Step, &StepState)) -> Option<String> {
    match (action, &step.action) {
        ("remedy", _) => {
            let (remedy, _) = operation.step(remedy::known(step, state)?.1)?;
            Some(format!("“{}”, then “{}” again", remedy.title, step.title))
        }
        ("confirm", Action::Approval(approval)) => Some(approval.question.clone()),
        _ => None,
    }
}

/// What a button or form carries: the run, and the step with the try that it was drawn for.
fn value(operation: &Operation, seen: Option<(&Step, &StepState)>) -> String {
    let run = format!("{} {}", operation.pinned.service, operation.id);
    match seen {
        Some((step, state)) => format!("{run} {} {}", step.name, state.number),
        None => run,
    }
}

/// Asks what somebody saw.
#[must_use]
pub fn confirm_form(operation: &Operation, step: &Step) -> Modal {
    let ask = match &step.action {
        Action::Manual(manual) => manual.evidence.clone(),
        _ => "How do you know that it was done?".to_owned(),
    };
    form(operation, Some(step), ("confirm", "It is done", &ask))
}

/// Asks for the name of what goes for good.
#[must_use]
pub fn type_form(operation: &Operation, step: &Step, typed: &str) -> Modal {
    let mut modal = form(operation, Some(step), ("confirm", "Do it", &format!("Type {typed}")));
    for input in &mut modal.inputs {
        input.hint = Some("Nothing is done before it is typed exactly. It cannot be undone.".to_owned());
        input.multiline = false;
    }
    modal
}

/// Asks why a step is left out.
#[must_use]
pub fn skip_form(operation: &Operation, step: &Step) -> Modal {
    form(operation, Some(step), ("skip", "Leave it out", "Why?"))
}

/// Asks why a run is aborted.
#[must_use]
pub fn abort_form(operation: &Operation) -> Modal {
    form(operation, None, ("abort", "Abort and undo", "Why?"))
}

fn form(operation: &Operation, step: Option<&Step>, (name, submit, label): (&str, &str, &str)) -> Modal {
    let seen = step.and_then(|step| operation.step(&step.name));
    let what = step.map_or_else(
        || line![bold(subject(operation))],
        |step| {
            line![
                bold(cut(&operation.title(step), 100)),
                format!(" ({})", subject(operation))
            ]
        },
    );
    Modal {
        form: name.to_owned(),
        about: value(operation, seen),
        title: cut(submit, 24),
        submit: submit.to_owned(),
        blocks: vec![Block::Section(vec![what])],
        inputs: vec![Input {
            name: "reason".to_owned(),
            label: cut(label, 150),
            hint: Some("It becomes part of the record.".to_owned()),
            optional: false,
            multiline: true,
            max_length: 1000,
        }],
    }
}
