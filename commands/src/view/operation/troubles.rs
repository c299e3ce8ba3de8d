//! What went wrong in a runbook's run, why it is undone, and what is known about it.

use super::steps;
use crate::operation::{Operation, Phase};
use crate::verb::remedy;
use crate::view::message::{Line, Sign, bold, code};
use crate::view::words::{cut, joined, quoted};

/// How much of what a failure quotes is repeated.
const NAMED: usize = 4;
/// No name of the DNS is longer, escapes included; a name that is cut is none.
const LONGEST_NAME: usize = 300;

/// What went wrong, and what can be done about it.
pub(super) fn troubles(operation: &Operation) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some((by, reason)) = &operation.undone_by {
        lines.extend(match by {
            Some(user) => {
                let mut line = line!["Aborted by ", user];
                line.extend(quoted(reason, 300).map(|words| line![": ", words]).unwrap_or_default());
                vec![line]
            }
            None => because(operation, reason),
        });
    }
    for (step, state) in operation.all().filter(|(_, state)| state.phase.is_stuck()) {
        let Some(failure) = &state.failure else { continue };
        lines.extend(steps::failed(step, failure));
        let words = failure.words();
        if let Some((known, told_by)) = step.known(&words) {
            let say = if known.say.is_empty() {
                String::new()
            } else {
                format!(": {}", known.say)
            };
            lines.push(line![
                Sign::Notice,
                format!(" Known as “{}”{}", known.name, cut(&say, 400))
            ]);
            let remedy = remedy::known(step, state).and_then(|(_, name)| operation.step(name));
            lines.extend(remedy.map(|(remedy, _)| line![format!("The remedy is “{}”.", cut(&remedy.title, 100))]));
            lines.extend(named(told_by));
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
fn because(operation: &Operation, reason: &str) -> Vec<Line> {
    let over = operation.ended().is_some();
    let what = if over { "Undone" } else { "Is being undone" };
    if reason.is_empty() || operation.all().any(|(_, state)| state.phase.is_stuck()) {
        return vec![line![format!("{what} because a step failed.")]];
    }
    let mut told = reason.lines();
    let mut line = line![format!("{what} because ")];
    line.extend(steps::linked(told.next().unwrap_or_default(), 400));
    std::iter::once(line).chain(steps::below(told)).collect()
}

/// What a line quotes, letter by letter: the name of a record that somebody has to find by it. Only what stands in quotes of its own counts: an
/// apostrophe within a word opens nothing.
fn named(line: &str) -> Option<Line> {
    let mut quoted: Vec<Line> = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\'') {
        let opens = !before.ends_with(char::is_alphanumeric);
        let Some((words, behind)) = after.split_once('\'').filter(|_| opens) else {
            rest = after;
            continue;
        };
        if !words.is_empty() && !words.contains(char::is_whitespace) {
            quoted.push(line![code(cut(words, LONGEST_NAME))]);
        }
        rest = behind;
    }
    quoted.truncate(NAMED);
    if quoted.is_empty() {
        return None;
    }
    let mut line = line!["It names "];
    line.extend(joined(quoted, ", "));
    Some(line)
}
