//! `schedule`: turns an EventBridge rule on or off, and reads back that it is.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// A rule, and whether it should be on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The rule.
    pub rule: String,
    /// The event bus it is on; the default one when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// Whether it should be on.
    pub enabled: bool,
}

impl Kind for Schedule {
    const SPEC: Spec = Spec {
        kind: "schedule",
        summary: "Turns an EventBridge rule on or off and reads back that it is",
        undo: "Turns it back to what it was",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::acts(Class::Set).watched(Span::seconds(2)).undone(true))
    }

    fn plan(&self) -> Vec<String> {
        let bus = self.bus.as_ref().map(|bus| format!(" of {bus}")).unwrap_or_default();
        let state = if self.enabled { "on" } else { "off" };
        vec![format!(
            "turns the rule {}{bus} {state}, and reads back that it is",
            self.rule
        )]
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            rule: "check_case_cron_prod_green".to_owned(),
            bus: None,
            enabled: false,
        }]
    }
}
