//! `announce`: says something in a channel, once.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};
use crate::effect::Class;
use crate::ids::ChannelId;

/// Words for a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// What is said.
    pub text: String,
    /// Where; the service's home channel when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
}

impl Kind for Announce {
    const SPEC: Spec = Spec {
        kind: "announce",
        summary: "Says something in a channel, once",
        undo: "None: what was read cannot be unread",
    };

    fn conduct(&self) -> Conduct {
        Conduct::acts(Class::Findable)
    }

    fn plan(&self) -> Vec<String> {
        let place = self
            .channel
            .as_ref()
            .map_or_else(|| "the home channel".to_owned(), |channel| format!("#{channel}"));
        vec![format!("says in {place}: {}", self.text)]
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            text: "The migration begins.".to_owned(),
            channel: None,
        }]
    }
}
