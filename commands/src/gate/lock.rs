//! Does somebody else hold the environment?

use super::{Denial, Question, deny};
use crate::desk::Lock;
use crate::ids::EnvironmentId;
use crate::reason::Reason;
use crate::view::{DateStyle, Inline, Line, code, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let environment = &question.environment.id;
    let lock = question.facts.desk.lock(environment, question.facts.now)?;
    if question.speaker.is_some_and(|speaker| speaker.user == lock.owner) {
        return None;
    }
    deny(Reason::Locked, held(environment, lock))
}

/// Who holds an environment, why, since and until when, and what to do about it. Since when and not for how long: a card stands for days as it was drawn.
pub(crate) fn held(environment: &EnvironmentId, lock: &Lock) -> Line {
    let date = |at| Inline::Date {
        at,
        style: DateStyle::DayTime,
    };
    let mut line = vec![
        text(format!("{environment} is locked by ")),
        Inline::Mention(lock.owner.clone()),
    ];
    if !lock.reason.is_empty() {
        line.push(text(format!(" ({})", lock.reason)));
    }
    line.extend([text(" since "), date(lock.since)]);
    if let Some(until) = lock.until {
        line.extend([text(", until "), date(until)]);
    }
    line.extend([
        text(". Talk to them, or take it over with "),
        code(format!("/deploy lock {environment} --steal <reason>")),
        text("."),
    ]);
    line
}
