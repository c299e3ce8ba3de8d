//! Does somebody else hold the environment?

use super::{Denial, Question, deny};
use crate::reason::Reason;
use crate::view::{DateStyle, Inline, code, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let environment = &question.environment.id;
    let lock = question.facts.desk.lock(environment, question.facts.now)?;
    if question.speaker.is_some_and(|speaker| speaker.user == lock.owner) {
        return None;
    }
    let mut line = vec![
        text(format!("{environment} is locked by ")),
        Inline::Mention(lock.owner.clone()),
    ];
    if !lock.reason.is_empty() {
        line.push(text(format!(" ({})", lock.reason)));
    }
    line.push(text(format!(" for {}", lock.since.age(question.facts.now))));
    if let Some(until) = lock.until {
        line.extend([
            text(", until "),
            Inline::Date {
                at: until,
                style: DateStyle::DayTime,
            },
        ]);
    }
    line.extend([
        text(". Talk to them, or take it over with "),
        code(format!("/deploy lock {environment} --steal <reason>")),
        text("."),
    ]);
    deny(Reason::Locked, line)
}
