//! Is the request for approval still the one that CodePipeline waits on?

use super::{Denial, Question, deny};
use crate::reason::Reason;
use crate::run::Status;
use crate::view::{DateStyle, Inline, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let run = question.run?;
    match run.status {
        Status::Waiting if question.facts.now < run.pinned.gives_up_at => None,
        Status::Waiting => deny(
            Reason::NotCurrent,
            vec![text(
                "CodePipeline has given up on this request: nobody answered in time. Start the pipeline again.",
            )],
        ),
        Status::Answering | Status::Following => {
            let Some(decision) = &run.decision else {
                return deny(
                    Reason::AlreadyDecided,
                    vec![text("This was answered outside of Signalbox.")],
                );
            };
            let mut line: Vec<Inline> = decision.by.last().cloned().map(Inline::Mention).into_iter().collect();
            line.extend([
                text(" decided this at "),
                Inline::Date {
                    at: decision.at,
                    style: DateStyle::Seconds,
                },
                text(". Nothing was sent twice."),
            ]);
            deny(Reason::AlreadyDecided, line)
        }
        Status::Ended { reason, at } => deny(
            Reason::NotCurrent,
            vec![
                text(format!("This run is over ({reason}), since ")),
                Inline::Date {
                    at,
                    style: DateStyle::DayTime,
                },
                text(". Nothing was done."),
            ],
        ),
    }
}
