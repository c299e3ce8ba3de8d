//! Who is this? Guests, strangers, bots and leavers can see buttons, but may not press them.

use super::{Denial, Question, deny};
use crate::facts::{Standing, Via};
use crate::reason::Reason;
use crate::view::text;

pub(super) fn judge(question: &Question<'_>) -> Option<Denial> {
    let speaker = question.speaker?;
    if let Via::CommandLine { confined: true, .. } = speaker.via
        && question.act != super::Act::Read
        && question.environment.tier == crate::catalog::Tier::Production
    {
        return deny(
            Reason::Identity,
            vec![text(
                "Production can not be changed from the command line here. Set `command_line = \"production\"` in the configuration to allow it, or use Slack.",
            )],
        );
    }
    let why = match question.facts.standing(&speaker.user) {
        Standing::Member => return None,
        Standing::Guest => "Guests may not use Signalbox. Ask a full member of this workspace.",
        Standing::Stranger => "You belong to another workspace. Only members of this one may use Signalbox.",
        Standing::Bot => "Bots may not use Signalbox.",
        Standing::Deactivated => "This account is deactivated.",
        // Whoever may run commands on the bot's machine is told apart by the machine; without Slack only those named one by one have a role.
        Standing::Unknown if matches!(speaker.via, Via::CommandLine { .. }) => return None,
        Standing::Unknown => "Slack can not say who you are just now, so nothing was done. Try again in a minute.",
    };
    deny(Reason::Identity, vec![text(why)])
}
