//! Refusals: every reason at once, each with the next thing to do.

use super::buttons;
use super::card::refusal_sign;
use super::message::{Block, Line, Message, bold, code, spoken};
use crate::decision::Refusal;
use crate::ids::{EnvironmentId, ServiceId};
use crate::reason::Reason;

/// Where something was refused, for what can be offered besides the reasons.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The service.
    pub service: &'a ServiceId,
    /// The environment.
    pub environment: &'a EnvironmentId,
    /// Whether the speaker may break the glass here.
    pub may_override: bool,
}

/// Why nothing was done.
#[must_use]
pub fn refusal(refusals: &[Refusal]) -> Message {
    let lines = refusals.iter().map(|refusal| {
        let mut line = line![refusal_sign(refusal.reason), " "];
        line.extend(refusal.message.iter().cloned());
        line
    });
    match refusals {
        [] => Message::sentence("Nothing was done."),
        [_] => Message::headed(lines.flatten().collect(), Vec::new()),
        several => {
            let mut message = Message::headed(
                line![bold(format!("Nothing was done, for {} reasons:", several.len()))],
                lines.collect(),
            );
            // The notification has to say why, not only how often.
            let whys: Vec<String> = several.iter().map(|refusal| spoken(&refusal.message)).collect();
            message.fallback = format!("{} {}", message.fallback, whys.join(" "));
            message
        }
    }
}

/// The same with what can be done about it there: being told when the environment is free, and the broken glass for those who may.
#[must_use]
pub fn refusal_at(refusals: &[Refusal], place: Place<'_>) -> Message {
    let held = |refusal: &Refusal| refusal.reason == Reason::Locked;
    let offer = refusals
        .iter()
        .any(held)
        .then(|| buttons::tell_me(place.service, place.environment));
    let glass = place.may_override
        && !refusals.is_empty()
        && refusals
            .iter()
            .all(|refusal| refusal.passable || refusal.reason == Reason::Role);
    let glass: Option<Line> = glass.then(|| {
        line![
            "You may pass this with ",
            code("--override <reason>"),
            " at the end of the command. Everyone in the channel will see it."
        ]
    });
    refusal(refusals)
        .with(Block::Context(glass.into_iter().collect()))
        .with(Block::Actions(offer.into_iter().collect()))
}
