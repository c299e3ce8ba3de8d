//! Has the same revision succeeded in the environment before?

use super::{Denial, Question, deny};
use crate::reason::Reason;
use crate::view::text;

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let before = question.environment.promotes_from.as_ref()?;
    let revision = &question.run?.pinned.revision;
    let desk = question.facts.desk;
    let live = desk.live.get(before).map(|live| &live.revision);
    let finished = desk
        .recent
        .get(before)
        .into_iter()
        .flatten()
        .filter(|run| run.reason == Reason::Succeeded)
        .map(|run| &run.revision);
    if live.into_iter().chain(finished).any(|other| other.same_as(revision)) {
        return None;
    }
    let why = match (&revision.commit, live) {
        (None, _) => {
            format!("which commit this is cannot be told, so nobody can say whether it succeeded on {before}")
        }
        (Some(_), None) => format!("nothing is known to have succeeded on {before} yet"),
        (Some(_), Some(live)) => format!(
            "{} has not succeeded on {before}, where {} is live",
            revision.short(),
            live.short()
        ),
    };
    deny(
        Reason::Order,
        vec![text(format!(
            "{} comes after {before}: {why}. Release it there first.",
            question.environment.id
        ))],
    )
}
