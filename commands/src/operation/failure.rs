//! Why a step failed, and whether that was seen or only could not be seen.

use serde::{Deserialize, Serialize};

use crate::step::WRONG_ORDER;

/// The codes of failures by which a step says that what it looked at is not as it has to be.
const SEEN: [&str; 9] = [
    "failures_collect",
    "missing_variables",
    "not_as_expected",
    "old_stream",
    "queue_not_empty",
    "required",
    "search_not_empty",
    "table_not_ready",
    WRONG_ORDER,
];

/// The code of a step of which nobody knows whether it was done.
pub(super) const UNKNOWN: &str = "unknown";

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The vendor's code, or ours.
    pub code: String,
    /// In words; foreign text. What belongs to it follows in lines of its own.
    pub message: String,
}

impl Failure {
    /// A failure.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// Whether it was seen that something is not as it has to be; any other failure of a look is only a look that brought nothing.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        SEEN.contains(&self.code.as_str())
    }

    /// Its words, code first.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}: {}", self.code, self.message)
    }
}
