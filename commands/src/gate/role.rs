//! Is this person among those who may?

use super::{Act, Denial, Question, deny, names};
use crate::reason::Reason;
use crate::view::text;

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let speaker = question.speaker?;
    let environment = question.environment;
    let (people, what) = match question.act {
        Act::Read => return None,
        Act::Approve => (&environment.approvers.people, "approve"),
        Act::Reject => (&environment.approvers.people, "reject"),
        Act::Vote => (&environment.approvers.people, "say yes for"),
        Act::Operate | Act::Intervene | Act::Start => (environment.operators(), "operate"),
    };
    let mut line = match question.facts.is_among(&speaker.user, people) {
        Some(true) => return None,
        Some(false) => vec![text(format!("You may not {what} {}. Ask ", environment.id))],
        None => vec![text(format!(
            "Slack cannot say just now whether you may {what} {}, so nothing was done. Try again in a minute, or ask ",
            environment.id
        ))],
    };
    line.extend(names(people));
    line.push(text("."));
    deny(Reason::Role, line)
}
