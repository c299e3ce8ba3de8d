//! `wait`: lets time pass.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec, span_text};
use crate::time::Span;

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// For how long.
    #[serde(rename = "for", with = "span_text")]
    pub span: Span,
}

impl Kind for Wait {
    const SPEC: Spec = Spec {
        kind: "wait",
        summary: "Lets time pass",
        undo: "Nothing to undo: it changes nothing",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Timer(self.span)
    }

    fn plan(&self) -> Vec<String> {
        vec![format!("waits {}", self.span)]
    }

    fn samples() -> Vec<Self> {
        vec![Self { span: Span::minutes(5) }]
    }
}
