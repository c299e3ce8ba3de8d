//! `/deploy history`: the last runs of an environment.

use super::message::{Block, Message, bold, code};
use super::status::finished_line;
use super::words::{command, count, length};
use crate::facts::Facts;
use crate::ids::EnvironmentId;

/// How many runs are listed.
const LISTED: usize = 10;

/// The last runs of an environment, newest first.
#[must_use]
pub fn history(facts: &Facts<'_>, environment: &EnvironmentId) -> Message {
    let recent = facts
        .desk
        .recent
        .get(environment)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if recent.is_empty() {
        return Message::headed(
            line![bold(format!("{} {environment}: no finished run yet", facts.service.id))],
            vec![line![
                "Signalbox remembers runs from its first day on. What is there now: ",
                code(command(facts, "status", environment, ""))
            ]],
        );
    }
    let shown = recent.len().min(LISTED);
    let usual = facts
        .desk
        .usual(environment)
        .map(|usual| format!(" · a release usually takes {}", length(usual)))
        .unwrap_or_default();
    let what = if shown == 1 {
        "the last run".to_owned()
    } else {
        format!("the last {}", count(shown, "run"))
    };
    let first = line![bold(format!("{} {environment}: {what}{usual}", facts.service.id))];
    let lines = recent
        .iter()
        .take(LISTED)
        .map(|finished| finished_line(facts, finished))
        .collect();
    let older =
        (recent.len() > LISTED).then(|| line!["Older runs are in the journal: ", code("signalbox audit export")]);
    Message::headed(first, Vec::new())
        .with(Block::Section(lines))
        .with(Block::Context(older.into_iter().collect()))
}
