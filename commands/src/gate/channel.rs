//! Where was it said? Changes are made in the open, in the service's home channel.

use super::{Denial, Question, deny};
use crate::facts::Via;
use crate::reason::Reason;
use crate::view::{Inline, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let speaker = question.speaker?;
    let service = question.facts.service;
    // The command line is in no channel; the card tells the channel.
    if speaker.channel == service.channel || matches!(speaker.via, Via::CommandLine { .. }) {
        return None;
    }
    deny(
        Reason::WrongChannel,
        vec![
            text(format!("{} is changed in ", service.id)),
            Inline::Channel(service.channel.clone()),
            text(" only. Say it there."),
        ],
    )
}
