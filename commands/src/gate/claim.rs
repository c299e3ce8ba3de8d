//! Is another run changing the environment?

use super::{Denial, Question, deny};
use crate::operation::Operation;
use crate::reason::Reason;
use crate::view::{code, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let environment = &question.environment.id;
    let holder = question.facts.claims.get(environment)?;
    if question.run.is_some_and(|run| run.id == *holder) {
        return None;
    }
    let run = holder.short();
    let held = |how: &str| text(format!("{environment} is being changed by run {run}{how}"));
    let command = |verb: &str, more: &str| code(format!("/deploy {verb} {environment} {run}{more}"));
    let operation = question.facts.operations.get(holder);
    deny(
        Reason::Claimed,
        // A run that waits for people has no end of its own.
        if operation.is_some_and(Operation::waits_for_people) {
            vec![
                held(", which waits for a person: see for what with "),
                command("show", ""),
                text(", answer it there, or end it with "),
                command("abort", " <reason>"),
                text("."),
            ]
        } else {
            vec![
                held(" just now. Wait for its end, or look at it with "),
                command("show", ""),
                text("."),
            ]
        },
    )
}
