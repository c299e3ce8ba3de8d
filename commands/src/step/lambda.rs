//! `lambda`: invokes a function, once.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};
use crate::effect::Class;

/// A function and what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lambda {
    /// The function's name.
    pub function: String,
    /// What it is told: JSON; `{}` when nothing is said.
    #[serde(default = "nothing")]
    pub payload: String,
    /// Whether telling it twice does no harm: then an invocation whose answer was lost is made again.
    #[serde(default)]
    pub repeatable: bool,
}

fn nothing() -> String {
    "{}".to_owned()
}

impl Kind for Lambda {
    const SPEC: Spec = Spec {
        kind: "lambda",
        summary: "Invokes a Lambda function and takes its answer",
        undo: "None: what the function did is its own; add a step that takes it back",
    };

    fn conduct(&self) -> Conduct {
        let class = if self.repeatable { Class::Set } else { Class::Once };
        Conduct::acts(class)
    }

    fn plan(&self) -> Vec<String> {
        vec![format!("invokes {} with {}", self.function, self.payload)]
    }

    fn check(&self) -> Result<(), String> {
        let plain = !self.payload.contains('{') || self.payload.trim_start().starts_with('{');
        let json = serde_json::from_str::<serde_json::Value>(&self.payload).is_ok();
        // A placeholder without quotes makes JSON only when it is filled.
        if plain && !json && crate::runbook::placeholders(&self.payload).is_empty() {
            return Err(format!("`{}` is no JSON", self.payload));
        }
        Ok(())
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["answer"])
    }

    fn samples() -> Vec<Self> {
        let once = Self {
            function: "send_maintenance_notifications_prod_blue".to_owned(),
            payload: "{\"maintenanceMode\": true}".to_owned(),
            repeatable: false,
        };
        vec![
            once.clone(),
            Self {
                repeatable: true,
                ..once
            },
        ]
    }
}
