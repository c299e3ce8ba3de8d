//! `event_source`: turns a Lambda function's event source mapping on or off, and reads back that it is.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// A mapping, and whether it should be on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSource {
    /// The function.
    pub function: String,
    /// What it reads from, by a part of its ARN, where the function has more than one mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether it should be on.
    pub enabled: bool,
}

impl Kind for EventSource {
    const SPEC: Spec = Spec {
        kind: "event_source",
        summary: "Turns a Lambda function's event source mapping on or off and waits until it is",
        undo: "Turns it back to what it was",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::acts(Class::Set).watched(Span::seconds(5)).undone(true))
    }

    fn plan(&self) -> Vec<String> {
        let source = self
            .source
            .as_ref()
            .map(|source| format!(" from {source}"))
            .unwrap_or_default();
        let state = if self.enabled { "on" } else { "off" };
        vec![format!(
            "turns the event source mapping of {}{source} {state}, and reads back that it is",
            self.function
        )]
    }

    fn samples() -> Vec<Self> {
        let on = Self {
            function: "streams_prod_green".to_owned(),
            source: None,
            enabled: true,
        };
        vec![on.clone(), Self { enabled: false, ..on }]
    }
}
