//! `queue_drain`: waits until a queue is empty, and says how long it has been.
//!
//! SQS only ever says *approximately*, so one look proves nothing: visible, in flight and delayed all have to be zero in several looks in a row, and
//! what fails collects elsewhere and has to be empty too.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec, span_text};
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
    /// What else stops it: functions of which too many calls fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorRatio>,
    /// Whether they have to be empty now, and nothing is waited for; one that does not exist is empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub now: bool,
    /// In how many looks in a row.
    #[serde(default = "samples")]
    pub samples: u32,
    /// How far apart the looks are.
    #[serde(default = "pause", with = "span_text")]
    pub every: Span,
}

/// Functions that work a queue off, and how much of their work may fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRatio {
    /// The functions.
    pub functions: Vec<String>,
    /// So many percent of their calls may fail.
    #[serde(default = "half")]
    pub above: u8,
    /// Over the last so long.
    #[serde(default = "quarter_hour", with = "span_text")]
    pub over: Span,
    /// The log group in which their errors are; when nothing is said, each function's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
}

impl ErrorRatio {
    /// Where their errors are written: Lambda's own groups, unless the runbook names another.
    #[must_use]
    pub fn log_groups(&self) -> Vec<String> {
        let own = |function: &String| format!("/aws/lambda/{function}");
        self.log_group
            .as_ref()
            .map_or_else(|| self.functions.iter().map(own).collect(), |group| vec![group.clone()])
    }
}

const fn half() -> u8 {
    50
}

const fn quarter_hour() -> Span {
    Span::minutes(15)
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
        Conduct::looks(self.every)
    }

    fn plan(&self) -> Vec<String> {
        if self.now {
            let all: Vec<&str> = self.queues.iter().chain(&self.failures).map(String::as_str).collect();
            return vec![format!(
                "looks that {} hold no message, or are not there",
                all.join(", ")
            )];
        }
        let mut lines = vec![format!(
            "waits until {} held no visible, delayed or in-flight message in {} looks, {} apart",
            self.queues.join(", "),
            self.samples,
            self.every
        )];
        if !self.failures.is_empty() {
            lines.push(format!("fails when {} holds a message", self.failures.join(" or ")));
        }
        if let Some(errors) = &self.errors {
            lines.push(format!(
                "fails when more than {} % of the calls of {} fail over {}",
                errors.above,
                errors.functions.join(" and "),
                errors.over
            ));
            lines.push(format!(
                "shows the newest errors of {}",
                errors.log_groups().join(" and ")
            ));
        }
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.queues.is_empty() {
            return Err("`queues` is empty: name at least one".to_owned());
        }
        if self.errors.as_ref().is_some_and(|errors| errors.functions.is_empty()) {
            return Err("`errors` names no function: list them in `functions`".to_owned());
        }
        if self.now && self.errors.is_some() {
            return Err("`now = true` is one look at the queues: delete `errors`".to_owned());
        }
        if self.samples == 0 {
            return Err("`samples` is 0: one look is the least".to_owned());
        }
        Ok(())
    }

    fn samples() -> Vec<Self> {
        let drained = Self {
            queues: vec!["migration_segments_queue_prod".to_owned()],
            failures: vec![
                "migration_segments_dl_queue_prod".to_owned(),
                "migration_failure_queue_prod".to_owned(),
            ],
            errors: Some(ErrorRatio {
                functions: vec!["migration_segments_lambda_prod".to_owned()],
                above: half(),
                over: quarter_hour(),
                log_group: None,
            }),
            now: false,
            samples: 3,
            every: pause(),
        };
        let now = Self {
            now: true,
            errors: None,
            ..drained.clone()
        };
        vec![drained, now]
    }
}
