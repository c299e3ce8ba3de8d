//! Is another run changing the environment?

use super::{Denial, Question, deny};
use crate::reason::Reason;
use crate::view::{code, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let environment = &question.environment.id;
    let holder = question.facts.claims.get(environment)?;
    if question.run.is_some_and(|run| run.id == *holder) {
        return None;
    }
    deny(
        Reason::Claimed,
        vec![
            text(format!(
                "{environment} is being changed by run {} just now. Wait for its end, or look at it with ",
                holder.short()
            )),
            code(format!("/deploy status {environment}")),
            text("."),
        ],
    )
}
