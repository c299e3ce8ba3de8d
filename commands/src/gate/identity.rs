//! Who is this? Guests, strangers, bots and leavers can see buttons, but may not press them.

use super::{Denial, Question, deny};
use crate::facts::{Standing, Via};
use crate::reason::Reason;
use crate::view::{Line, prose, text};

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let speaker = question.speaker?;
    if let Via::CommandLine { confined: true, .. } = speaker.via
        && question.act != super::Act::Read
        && question.environment.tier == crate::catalog::Tier::Production
    {
        return deny(
            Reason::Identity,
            prose(
                "Production cannot be changed from the command line here. Set `command_line = \"production\"` in the configuration to allow it, or use Slack.",
            ),
        );
    }
    // Whoever may run commands on the bot's machine is told apart by the machine; without Slack only those named one by one have a role.
    let standing = question.facts.standing(&speaker.user);
    if standing == Standing::Unknown && matches!(speaker.via, Via::CommandLine { .. }) {
        return None;
    }
    deny(Reason::Identity, denied(&standing)?)
}

/// What somebody who may not use the bot is told; `None` for full members.
pub(super) fn denied(standing: &Standing) -> Option<Line> {
    let why = match standing {
        Standing::Member => return None,
        Standing::Guest => "Guests may not use Signalbox. Ask a full member of this workspace.",
        Standing::Stranger => "You belong to another workspace. Only members of this one may use Signalbox.",
        Standing::Bot => "Bots may not use Signalbox.",
        Standing::Deactivated => "This account is deactivated.",
        Standing::Unknown => "Slack cannot say who you are just now, so nothing was done. Try again in a minute.",
    };
    Some(vec![text(why)])
}
