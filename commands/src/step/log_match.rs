//! `log_match`: waits until a line appears in a CloudWatch log group, or sees that none does.
//!
//! That nothing was found proves something only when every page was read, and when the lines had the time to come: what has to stay away has to stay
//! away for a while.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec, span_text};
use crate::time::Span;

/// Lines of a log group, and whether they should be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogMatch {
    /// The log group.
    #[serde(rename = "log_group")]
    pub group: String,
    /// What lines have to be like: a filter pattern of CloudWatch Logs.
    pub pattern: String,
    /// How far back lines count, from the step's beginning, such as `15m`; when nothing is said, from the run's beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What is wanted.
    #[serde(default)]
    pub want: Presence,
    /// For how long nothing may appear, for [`Presence::Absent`].
    #[serde(default = "quiet", rename = "for", with = "span_text")]
    pub quiet: Span,
    /// How far apart the looks are.
    #[serde(default = "pause", with = "span_text")]
    pub every: Span,
}

/// What is wanted of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// At least one.
    #[default]
    Appears,
    /// None.
    Absent,
}

const fn quiet() -> Span {
    Span::minutes(5)
}

const fn pause() -> Span {
    Span::seconds(30)
}

impl LogMatch {
    /// How far back lines count; `None`: to the run's beginning.
    #[must_use]
    pub fn back(&self) -> Option<Span> {
        Span::parse(self.since.as_deref()?)
    }
}

impl Kind for LogMatch {
    const SPEC: Spec = Spec {
        kind: "log_match",
        summary: "Waits until a line appears in a log group, or sees that none does for a while",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(self.every)
    }

    fn plan(&self) -> Vec<String> {
        let since = match &self.since {
            Some(span) => format!("since {span} before the step begins"),
            None => "since the run began".to_owned(),
        };
        let what = format!("lines like {} in {}, {since}", self.pattern, self.group);
        vec![match self.want {
            Presence::Appears => format!("waits until there are {what}"),
            Presence::Absent => format!(
                "fails when there are {what}, and is done when there were none for {}",
                self.quiet
            ),
        }]
    }

    fn check(&self) -> Result<(), String> {
        if self.pattern.trim().is_empty() {
            return Err("`pattern` is empty and would fit every line: write what to look for".to_owned());
        }
        let odd = self
            .since
            .as_ref()
            .filter(|since| !since.contains('{') && self.back().is_none());
        odd.map_or(Ok(()), |since| {
            Err(format!(
                "`since = \"{since}\"` is no span of time: write `15m`, or leave it out for the run's beginning"
            ))
        })
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["count", "first"])
    }

    fn samples() -> Vec<Self> {
        let appears = Self {
            group: "/aws/lambda/migration_prod".to_owned(),
            pattern: "\"migration finished\"".to_owned(),
            since: None,
            want: Presence::Appears,
            quiet: quiet(),
            every: pause(),
        };
        let absent = Self {
            pattern: "?ERROR ?Exception".to_owned(),
            since: Some("15m".to_owned()),
            want: Presence::Absent,
            ..appears.clone()
        };
        vec![appears, absent]
    }
}
