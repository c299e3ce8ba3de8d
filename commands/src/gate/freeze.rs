//! Is now a time for releases?

use super::{Denial, Question, deny};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::view::{DateStyle, Inline, Line, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let facts = question.facts;
    let environment = &question.environment.id;
    let mut line: Line = Vec::new();
    for window in facts
        .service
        .freezes
        .iter()
        .filter(|window| window.environments.is_empty() || window.environments.contains(environment))
    {
        if let Some(until) = window.when.open_until(facts.now, facts.service.timezone) {
            tell(&mut line, environment.as_str(), &window.reason, Some(until));
        }
    }
    for freeze in facts.desk.freezes_on(environment, facts.now) {
        tell(&mut line, environment.as_str(), &freeze.reason, freeze.until);
        line.extend([text(" Put on by "), Inline::Mention(freeze.by.clone()), text(".")]);
    }
    if line.is_empty() {
        None
    } else {
        deny(Reason::Frozen, line)
    }
}

fn tell(line: &mut Line, environment: &str, reason: &str, until: Option<Timestamp>) {
    if !line.is_empty() {
        line.push(text(" "));
    }
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    line.push(text(format!("{environment} is frozen{reason}")));
    match until {
        Some(until) => line.extend([
            text(", until "),
            Inline::Date {
                at: until,
                style: DateStyle::DayTime,
            },
            text("."),
        ]),
        None => line.push(text(", until somebody unfreezes it.")),
    }
}
