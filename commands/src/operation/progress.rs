//! How far a step is.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Progress {
    /// In words.
    pub words: String,
    /// How much of it is done, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// When it will be done if it goes on like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What else is seen by now; one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
    /// Whether the last look saw nothing: how far it is, or whether it is over, nobody knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
    /// Whether it is red, maintenance mode may be why, and nothing tells whether that is on but who turned it on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
}

impl Progress {
    /// What a look shows that could not see anything.
    #[must_use]
    pub fn blind(why: &str) -> Self {
        Self {
            words: format!("cannot be read just now: {why}"),
            blind: true,
            ..Self::default()
        }
    }
}
