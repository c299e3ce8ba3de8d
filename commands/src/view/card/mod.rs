//! A run's card: the one Slack message that is a picture of its present state.
//!
//! An equal drawing is not sent, so nothing here may differ without a reason: instants are absolute, and the few spans that count down do so
//! by whole hours.

mod answer;
mod ended;
mod evidence;
mod moving;
mod shipment;
mod waiting;

use super::message::{DateStyle, Inline, Line, Message, Sign, bold};
use super::words::{self, cut};
use crate::check::GOOD_FOR;
use crate::facts::Facts;
use crate::run::{DECISION_STANDS, Run, Status, Trouble};
use crate::time::{Span, Timestamp};

pub(super) use answer::out_of_turn;
pub(super) use ended::sign as ending_sign;
pub(super) use evidence::sign_of as refusal_sign;
pub(super) use shipment::adds;

/// The card of a run as it stands.
#[must_use]
pub fn card(run: &Run, facts: &Facts<'_>) -> Message {
    match run.status {
        Status::Waiting => waiting::draw(run, facts),
        Status::Answering => moving::answering(run, facts),
        Status::Following => moving::following(run, facts),
        Status::Ended { reason, at } => ended::draw(run, facts, (reason, at)),
    }
}

/// Where an open run stands, in a few words, for lists.
pub(super) fn open_standing(run: &Run, facts: &Facts<'_>) -> (Sign, String) {
    let (sign, words) = match run.status {
        Status::Waiting => (Sign::Waiting, waiting::standing(run, facts)),
        Status::Answering => moving::answering_standing(run, facts),
        Status::Following => (Sign::Running, moving::following_standing(run, facts)),
        Status::Ended { reason, .. } => (ended::sign(reason), words::ending(reason).to_owned()),
    };
    if run.trouble.is_some() {
        (Sign::Bad, words)
    } else {
        (sign, words)
    }
}

/// When the card next reads differently although nothing happened: an hour of the countdown is over, a verdict becomes too old, a freeze opens
/// or closes, a decision is too old to be sent again, a release takes longer than usual. `None` when only events change it.
#[must_use]
pub fn next_redraw(run: &Run, facts: &Facts<'_>) -> Option<Timestamp> {
    // The pictures change just after these instants, not at them.
    const JUST_AFTER: Span = Span(1);
    let now = facts.now;
    match run.status {
        // What comes after CodePipeline gave up is told by the next observation.
        Status::Waiting if run.pinned.gives_up_at <= now => None,
        Status::Waiting => {
            let left = now.age(run.pinned.gives_up_at).0;
            let hours = left / Span::hours(1).0 * Span::hours(1).0;
            let verdicts = run
                .verdicts
                .values()
                .map(|verdict| verdict.as_of + GOOD_FOR + JUST_AFTER);
            let hour = Timestamp(run.pinned.gives_up_at.0 - hours) + JUST_AFTER;
            let freeze = crate::catalog::next_change(&facts.service.freezes, now, facts.service.timezone);
            verdicts
                .chain(
                    [
                        Some(hour),
                        freeze,
                        facts.desk.next_expiry(),
                        Some(run.pinned.gives_up_at),
                    ]
                    .into_iter()
                    .flatten(),
                )
                .filter(|at| now < *at)
                .min()
        }
        Status::Following => moving::usual_end(run, facts)
            .map(|end| end + JUST_AFTER)
            .filter(|at| now < *at),
        Status::Answering => run
            .decision
            .as_ref()
            .map(|decision| decision.at + DECISION_STANDS)
            .filter(|at| now < *at),
        Status::Ended { .. } => None,
    }
}

/// Why people have to look, and what they can do.
fn trouble(trouble: &Trouble, next: &str) -> Line {
    line![
        Sign::Bad,
        " ",
        bold(cut(&trouble.text, 400)),
        " (",
        trouble.at.shown(DateStyle::Seconds),
        "). ",
        next,
    ]
}

/// Links that lead away from the card, with the card of the round before.
fn links(run: &Run, facts: &Facts<'_>) -> Vec<Line> {
    let link = |url: &Option<String>, text: &str| {
        url.clone().map(|url| {
            vec![Inline::Link {
                url,
                text: text.to_owned(),
            }]
        })
    };
    let previous =
        run.pinned
            .previous
            .as_ref()
            .map(|previous| match words::card_link(facts, previous, "the round before") {
                Some(link) => vec![link],
                None => line![format!("the round before was run {}", previous.short())],
            });
    [
        link(&run.pinned.console_url, "execution in AWS"),
        link(
            &run.change.as_ref().and_then(|change| change.compare_url.clone()),
            "compare on GitHub",
        ),
        previous,
    ]
    .into_iter()
    .flatten()
    .collect()
}
