//! Forms: where a decision needs words.

use super::buttons::about;
use super::message::{Block, Input, Modal, Sign, bold};
use super::words::{cut, places, subject, title};
use crate::run::Run;

/// How many characters of a reason are taken: CodePipeline keeps 512 with names and marker.
const REASON_LENGTH: u16 = 300;
/// The longest title that a form may have.
const TITLE: usize = 24;

/// Asks why a run is rejected; `for_newest` when it makes room for the newest one behind it.
#[must_use]
pub fn reject_form(run: &Run, for_newest: bool) -> Modal {
    let newest = run.behind.last().filter(|_| for_newest);
    let what_then = match newest {
        Some(newest) => line![
            "CodePipeline fails this run, and ",
            bold(title(&newest.revision)),
            " asks for approval next."
        ],
        None => line!["CodePipeline fails this run; nothing is released to ", places(run), "."],
    };
    Modal {
        form: if for_newest { "reject_wait" } else { "reject" }.to_owned(),
        about: about(run),
        title: cut(&format!("Reject {}", run.pinned.revision.short()), TITLE),
        submit: "Reject".to_owned(),
        blocks: vec![Block::Section(vec![line![bold(subject(run))], what_then])],
        inputs: vec![reason("Why?", "Those who wait for it will read this.", false)],
    }
}

/// Asks for words that go with an approval.
#[must_use]
pub fn approve_form(run: &Run) -> Modal {
    let mut lines = vec![line![bold(subject(run))]];
    if run.is_production() {
        lines.push(line![Sign::Notice, format!(" {} is production.", places(run))]);
    }
    Modal {
        form: "approve".to_owned(),
        about: about(run),
        title: cut(&format!("Approve {}", run.pinned.revision.short()), TITLE),
        submit: "Approve".to_owned(),
        blocks: vec![Block::Section(lines)],
        inputs: vec![reason(
            "Notes",
            "They stand on the card, in CodePipeline and in the journal.",
            true,
        )],
    }
}

fn reason(label: &str, hint: &str, optional: bool) -> Input {
    Input {
        name: "reason".to_owned(),
        label: label.to_owned(),
        hint: Some(hint.to_owned()),
        optional,
        multiline: true,
        max_length: REASON_LENGTH,
    }
}
