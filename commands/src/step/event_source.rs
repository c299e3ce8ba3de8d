//! `event_source`: turns a Lambda function's event source mapping on or off, and reads back that it is; or only reads it.

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
    /// Whether it should be on; without it, it is only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

impl Kind for EventSource {
    const SPEC: Spec = Spec {
        kind: "event_source",
        summary: "Turns a Lambda function's event source mapping on or off and waits until it is",
        undo: "Turns it back to what it was",
    };

    fn conduct(&self) -> Conduct {
        if self.enabled.is_none() {
            return Conduct::looks(Span::seconds(5));
        }
        Conduct::Calls(Calls::acts(Class::Set).watched(Span::seconds(5)).undone(true))
    }

    fn plan(&self) -> Vec<String> {
        let source = self
            .source
            .as_ref()
            .map(|source| format!(" from {source}"))
            .unwrap_or_default();
        let state = match self.enabled {
            Some(true) => "on",
            Some(false) => "off",
            None => {
                return vec![format!(
                    "reads whether the event source mapping of {}{source} is on",
                    self.function
                )];
            }
        };
        vec![format!(
            "turns the event source mapping of {}{source} {state}, and reads back that it is",
            self.function
        )]
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(if self.enabled.is_none() {
            vec!["state", "from"]
        } else {
            Vec::new()
        })
    }

    fn samples() -> Vec<Self> {
        let on = Self {
            function: "streams_prod_green".to_owned(),
            source: None,
            enabled: Some(true),
        };
        let off = Self {
            enabled: Some(false),
            ..on.clone()
        };
        let read = Self {
            enabled: None,
            ..on.clone()
        };
        vec![on, off, read]
    }
}
