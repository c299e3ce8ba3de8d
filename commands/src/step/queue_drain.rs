//! `queue_drain`: waits until a queue is empty, and says how long it has been.
//!
//! SQS only ever says *approximately*, so one look proves nothing: visible, in flight and delayed all have to be zero in several looks in a row, and
//! what fails collects elsewhere and has to be empty too.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec, span_text};
use crate::time::Span;

/// Queues that have to run dry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueDrain {
    /// The queues, by name: all of them have to be empty.
    pub queues: Vec<String>,
    /// Queues in which failures collect: one message in them fails the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
    /// In how many looks in a row.
    #[serde(default = "samples")]
    pub samples: u32,
    /// How far apart the looks are.
    #[serde(default = "pause", with = "span_text")]
    pub every: Span,
}

const fn samples() -> u32 {
    4
}

const fn pause() -> Span {
    Span::seconds(60)
}

impl Kind for QueueDrain {
    const SPEC: Spec = Spec {
        kind: "queue_drain",
        summary: "Waits until queues are empty in several looks in a row, and fails when messages collect in failure queues",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls {
            act: None,
            watch: Some(self.every),
            undo: false,
        })
    }

    fn plan(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "waits until {} held no visible, delayed or in-flight message in {} looks, {} apart",
            self.queues.join(", "),
            self.samples,
            self.every
        )];
        if !self.failures.is_empty() {
            lines.push(format!("fails when {} holds a message", self.failures.join(" or ")));
        }
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.queues.is_empty() {
            return Err("`queues` is empty: name at least one".to_owned());
        }
        if self.samples == 0 {
            return Err("`samples` is 0: one look is the least".to_owned());
        }
        Ok(())
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            queues: vec!["migration_segments_queue_prod".to_owned()],
            failures: vec![
                "migration_segments_dl_queue_prod".to_owned(),
                "migration_failure_queue_prod".to_owned(),
            ],
            samples: 3,
            every: pause(),
        }]
    }
}
