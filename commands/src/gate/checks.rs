//! Is the evidence good, and young enough?

use super::{Denial, Question, deny};
use crate::catalog::Tier;
use crate::check::Level;
use crate::reason::Reason;
use crate::view::{code, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let run = question.run?;
    let environment = question.environment;
    let production = environment.tier == Tier::Production;
    let mut in_the_way: Vec<String> = Vec::new();
    for check in &environment.checks {
        let complaint = match run.verdicts.get(check) {
            None if production => Some("not looked at yet".to_owned()),
            None => None,
            Some(verdict) if verdict.level == Level::Bad => Some(verdict.reason.clone()),
            Some(verdict) if verdict.level == Level::Unknown && production => {
                Some(format!("unknown: {}", verdict.reason))
            }
            Some(verdict) if verdict.is_stale(question.facts.now) && production => {
                Some(format!("last looked at {} ago", verdict.as_of.age(question.facts.now)))
            }
            Some(_) => None,
        };
        in_the_way.extend(complaint.map(|words| format!("{} ({words})", check.0)));
    }
    if in_the_way.is_empty() {
        return None;
    }
    deny(
        Reason::Checks,
        vec![
            text(format!(
                "Checks are in the way: {}. Look again with ",
                in_the_way.join("; ")
            )),
            code(format!("/deploy check {}", environment.id)),
            text("."),
        ],
    )
}
