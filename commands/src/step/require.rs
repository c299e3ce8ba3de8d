//! `require`: two texts have to be alike, or must not be: source and destination, the flag and what it should be.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};
use crate::time::Span;

/// A comparison that has to hold before the run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Require {
    /// What is looked at; usually a placeholder.
    pub value: String,
    /// It has to be this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// It must not be this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<String>,
    /// What people are told when it does not hold: what is wrong, and what to do.
    pub otherwise: String,
    /// What `value` is, in words; where nothing is said and an earlier step found it, that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

impl Require {
    /// Whether it holds; all texts are filled by then.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.is.as_ref().is_none_or(|is| *is == self.value) && self.is_not.as_ref().is_none_or(|not| *not != self.value)
    }

    /// What was looked at, and what it was, once it holds: `what step 5 found is true, as it has to be`.
    #[must_use]
    pub fn words(&self) -> String {
        let what = self.what.as_deref().unwrap_or("it");
        match (&self.is, &self.is_not) {
            (Some(_), _) => format!("{what} is {}, as it has to be", self.value),
            (None, Some(not)) => format!("{what} is {}; it must not be {not}", self.value),
            (None, None) => format!("{what} is {}", self.value),
        }
    }

    /// What has to hold: `what step 5 found is true`.
    fn wanted(&self) -> String {
        let what = self.what.as_deref().unwrap_or(&self.value);
        let is = self.is.iter().map(|is| format!("{what} is {is}"));
        let is_not = self.is_not.iter().map(|not| format!("{what} is not {not}"));
        is.chain(is_not).collect::<Vec<_>>().join(", and ")
    }
}

impl Kind for Require {
    const SPEC: Spec = Spec {
        kind: "require",
        summary: "Goes on only when two texts are alike, or are not",
        undo: "Nothing to undo: it only compares",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(Span::seconds(1))
    }

    fn plan(&self) -> Vec<String> {
        vec![format!("goes on when {}", self.wanted())]
    }

    fn check(&self) -> Result<(), String> {
        if self.is.is_none() && self.is_not.is_none() {
            return Err("compares with nothing: write `is` or `is_not`".to_owned());
        }
        Ok(())
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            value: "alpha".to_owned(),
            is: None,
            is_not: Some("beta".to_owned()),
            otherwise: "Source and destination are the same table.".to_owned(),
            what: None,
        }]
    }
}
