//! `/deploy runs`: every open run of the service and what it waits for.

use super::message::{Block, Line, Message, bold};
use super::status::{open_operations, open_runs, operation_line, run_line};
use super::words::{count, places};
use crate::facts::Facts;

/// How many runs are listed: more than that is a different problem.
const LISTED: usize = 15;

/// Every open run of the service, oldest first.
#[must_use]
pub fn runs(facts: &Facts<'_>) -> Message {
    let open = open_runs(facts, None);
    let operations = open_operations(facts, None);
    let all = open.len() + operations.len();
    if all == 0 {
        return Message::headed(
            line![bold(format!("{}: no open run", facts.service.id))],
            vec![line![
                "Nothing waits for a person. A card appears here as soon as CodePipeline asks."
            ]],
        );
    }
    let first = line![bold(format!("{}: {}", facts.service.id, count(all, "open run")))];
    let runs = open.iter().map(|run| {
        let mut line = line![format!("{}: ", places(run))];
        line.extend(run_line(facts, run));
        line
    });
    let operations = operations.iter().map(|operation| operation_line(facts, operation));
    let mut lines: Vec<Line> = operations.chain(runs).take(LISTED).collect();
    if all > LISTED {
        lines.push(line![format!("and {} more", all - LISTED)]);
    }
    Message::headed(first, Vec::new()).with(Block::Section(lines))
}
