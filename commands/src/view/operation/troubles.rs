//! What went wrong in a runbook's run, why it is undone, and what is known about it.

use super::steps;
use crate::operation::{Failure, Operation, Phase, StepState};
use crate::runbook::{Expected, Step};
use crate::view::message::{Line, Sign, bold, code};
use crate::view::words::{cut, joined, quoted};

/// How much of what a failure quotes is repeated.
const NAMED: usize = 4;

/// What went wrong, and what can be done about it.
pub(super) fn troubles(operation: &Operation) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some((by, reason)) = &operation.undone_by {
        lines.push(match by {
            Some(user) => {
                let mut line = line!["Aborted by ", user];
                line.extend(quoted(reason, 300).map(|words| line![": ", words]).unwrap_or_default());
                line
            }
            None => because(operation, reason),
        });
    }
    for (step, state) in operation.all().filter(|(_, state)| state.phase.is_stuck()) {
        let Some(failure) = &state.failure else { continue };
        lines.extend(steps::failed(step, failure));
        if let Some(known) = known(step, state) {
            let say = if known.say.is_empty() {
                String::new()
            } else {
                format!(": {}", known.say)
            };
            lines.push(line![
                Sign::Notice,
                format!(" Known as “{}”{}", known.name, cut(&say, 400))
            ]);
            lines.extend(named(failure));
        }
        if state.phase == Phase::Unknown {
            lines.push(line![
                "Look whether it was done. Then press ",
                bold("It was done…"),
                " or ",
                bold("Try again"),
                "; nothing is done before that."
            ]);
        }
    }
    lines
}

/// Why it is undone without anybody having asked for it. What failed and was not begun, or cannot be undone, is told with its step.
fn because(operation: &Operation, reason: &str) -> Line {
    let over = operation.ended().is_some();
    let what = if over { "Undone" } else { "Is being undone" };
    if reason.is_empty() || operation.all().any(|(_, state)| state.phase.is_stuck()) {
        return line![format!("{what} because a step failed.")];
    }
    let mut line = line![format!("{what} because ")];
    line.extend(steps::linked(reason, 400));
    line
}

/// What the words of a failure quote, letter by letter: the name of a record that somebody has to find by it.
fn named(failure: &Failure) -> Option<Line> {
    let quoted = failure.message.split('\'').skip(1).step_by(2);
    let quoted = quoted.filter(|words| !words.is_empty() && !words.contains(char::is_whitespace));
    let quoted: Vec<Line> = quoted.take(NAMED).map(|words| line![code(cut(words, 200))]).collect();
    if quoted.is_empty() {
        return None;
    }
    let mut line = line!["It names "];
    line.extend(joined(quoted, ", "));
    Some(line)
}

fn known<'o>(step: &'o Step, state: &StepState) -> Option<&'o Expected> {
    let words = state.failure.as_ref()?.words();
    step.expect.iter().find(|expected| expected.fits(&words))
}
