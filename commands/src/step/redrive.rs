//! `redrive`: moves the messages of a dead-letter queue back to where they came from, and says how many.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// The most messages a second that SQS moves.
const FASTEST: u32 = 500;

/// A dead-letter queue whose messages go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redrive {
    /// The dead-letter queue, by name.
    pub queue: String,
    /// How many messages a second at most; SQS decides when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<u32>,
}

impl Kind for Redrive {
    const SPEC: Spec = Spec {
        kind: "redrive",
        summary: "Moves the messages of a dead-letter queue back to their source and says how many",
        undo: "None: messages that are back in their queue are taken by its readers",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::acts(Class::Findable).watched(Span::seconds(10)))
    }

    fn plan(&self) -> Vec<String> {
        let pace = self.per_second.map(|number| format!(", at most {number} a second"));
        vec![format!(
            "moves every message of the dead-letter queue {} back to the queue it came from{}",
            self.queue,
            pace.unwrap_or_default()
        )]
    }

    fn check(&self) -> Result<(), String> {
        match self.per_second {
            Some(number) if number == 0 || number > FASTEST => {
                Err(format!("`per_second` is {number}: SQS takes 1 to {FASTEST}"))
            }
            _ => Ok(()),
        }
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["moved"])
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            queue: "migration_segments_dl_queue_prod".to_owned(),
            per_second: Some(50),
        }]
    }
}
