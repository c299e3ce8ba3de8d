//! Four eyes: who wrote what ships, or started the run, does not approve it.

use super::{Denial, Question, deny};
use crate::catalog::{Tier, UnknownAuthor};
use crate::reason::Reason;
use crate::view::{prose, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let run = question.run?;
    let environment = question.environment;
    if environment.approvers.self_approval {
        return None;
    }
    let Some(change) = &run.change else {
        // Nobody can be ruled out before the authors are known.
        return deny(
            Reason::UnknownAuthor,
            vec![text(
                "What would go out is still being looked up, so its authors are not known yet. Try again in a few seconds.",
            )],
        );
    };
    let speaker = question.speaker.map(|speaker| &speaker.user);
    if let Some(user) = speaker {
        let wrote = change.authors().contains(user);
        let started = run.pinned.starter.user.as_ref() == Some(user);
        if wrote || started {
            let did = if wrote {
                "wrote part of this"
            } else {
                "started this run"
            };
            return deny(
                Reason::SelfApproval,
                vec![text(format!(
                    "You {did}, so somebody else has to approve it for {}.",
                    environment.id
                ))],
            );
        }
    }
    if environment.tier != Tier::Production || question.facts.service.unknown_author == UnknownAuthor::Allow {
        return None;
    }
    if let Some(why) = &change.unknown {
        return deny(
            Reason::UnknownAuthor,
            prose(&format!(
                "The authors of this are not all known ({why}), so self-approval cannot be ruled out. Approve with `--override <reason>`, or set `unknown_author = \"allow\"`."
            )),
        );
    }
    let strangers: Vec<_> = change.strangers().into_iter().collect();
    if strangers.is_empty() {
        return None;
    }
    deny(
        Reason::UnknownAuthor,
        prose(&format!(
            "Slack does not know these authors: {}. Name them under `authors` in the configuration, so that self-approval can be ruled out.",
            strangers.join(", ")
        )),
    )
}
