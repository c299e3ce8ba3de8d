//! The card when it is over: three lines that say what became of it, when, and where to look.

use super::super::buttons::{self, Press};
use super::super::message::{Block, DateStyle, Inline, Line, Message, Sign};
use super::super::words::{self, DOT, cut, headline, joined, quoted, took};
use super::{answer, links, trouble};
use crate::facts::Facts;
use crate::reason::Reason;
use crate::run::{Ballot, Run};
use crate::time::Timestamp;

pub(super) fn draw(run: &Run, facts: &Facts<'_>, (reason, at): (Reason, Timestamp)) -> Message {
    let lines = [
        Some(when(run, facts, (reason, at))),
        Some(joined(links(run, facts), DOT)).filter(|line| !line.is_empty()),
    ];
    let retry: Vec<_> = (reason == Reason::Failed)
        .then(|| buttons::on(run, Press::Retry, facts))
        .into_iter()
        .collect();
    let next = "Look at the execution in AWS before you try again.";
    let troubles = run.trouble.as_ref().map(|found| trouble(found, next));
    Message::headed(
        headline(sign(reason), run, &standing(run, facts, reason)),
        lines.into_iter().flatten().collect(),
    )
    .with(Block::Section(troubles.into_iter().collect()))
    .with(Block::Actions(retry))
}

/// The sign of an ending.
pub(in crate::view) const fn sign(reason: Reason) -> Sign {
    match reason {
        Reason::Succeeded => Sign::Good,
        Reason::Superseded | Reason::NewRound | Reason::Canceled => Sign::Notice,
        Reason::Gone => Sign::Unknown,
        _ => Sign::Bad,
    }
}

/// How it ended, and who answered.
fn standing(run: &Run, facts: &Facts<'_>, reason: Reason) -> String {
    let failed_in = (reason == Reason::Failed).then(|| run.failures.last()).flatten();
    let ending = match failed_in {
        Some(failure) => format!("failed in {}", cut(&failure.stage, 40)),
        None => words::ending(reason).to_owned(),
    };
    let answered = run.answer.is_some() || run.decision.is_some();
    // "rejected · rejected by Ann" says it twice.
    match (answered, reason) {
        (true, Reason::Rejected | Reason::AnsweredElsewhere) => answer::outcome(run, facts),
        (true, _) => format!("{ending}{DOT}{}", answer::outcome(run, facts)),
        (false, _) => ending,
    }
}

/// When, how long against usual, and what people should know about it.
fn when(run: &Run, facts: &Facts<'_>, (reason, at): (Reason, Timestamp)) -> Line {
    let mut parts = vec![line!["Ended ", at.shown(DateStyle::DayTime)]];
    let released = run.answer.as_ref().filter(|answer| answer.ballot == Ballot::Approve);
    if let Some(answer) = released {
        parts.push(line![took(facts, run, reason, answer.at.age(at))]);
    }
    if run.retries > 0 {
        parts.push(line![if run.retries == 1 {
            "retried once".to_owned()
        } else {
            format!("retried {} times", run.retries)
        }]);
    }
    if let Some(failure) = run.failures.last().filter(|_| reason == Reason::Failed) {
        let mut line = line![format!("{}: {}", cut(&failure.action, 60), cut(&failure.message, 120))];
        if let Some(url) = &failure.link {
            line.extend(line![
                " (",
                Inline::Link {
                    url: url.clone(),
                    text: "log".to_owned()
                },
                ")"
            ]);
        }
        parts.push(line);
    }
    let said = run
        .decision
        .as_ref()
        .filter(|decision| decision.overridden || reason == Reason::Rejected);
    parts.extend(
        said.and_then(|decision| quoted(&decision.reason, 120))
            .map(|words| vec![words]),
    );
    parts.extend(
        run.decision
            .as_ref()
            .filter(|decision| !decision.passed.is_empty())
            .map(|decision| line![format!("passed over {}", words::rules(&decision.passed))]),
    );
    parts.extend(
        run.answer
            .as_ref()
            .filter(|answer| !answer.out_of_turn.is_empty())
            .map(|answer| line![format!("passed over {}", words::rules(&answer.out_of_turn))]),
    );
    joined(parts, DOT)
}
