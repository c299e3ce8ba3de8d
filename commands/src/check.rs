//! Checks: evidence about the world. The shell gathers it; here it is a verdict with a reason and an age.

use serde::{Deserialize, Serialize};

use crate::catalog::CheckName;
use crate::time::{Span, Timestamp};

/// How good the evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing; does not stop anybody.
    Notice,
    /// It could not be found out. Never shown as good; stops production.
    Unknown,
    /// Stops.
    Bad,
}

/// The check by which a card asks whether maintenance is to be on.
pub const MAINTENANCE_ASKED: &str = "maintenance-asked";

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which check.
    pub check: CheckName,
    /// How good.
    pub level: Level,
    /// One sentence; may hold foreign text.
    pub reason: String,
    /// The things behind it: alarm names, file names; foreign text.
    pub evidence: Vec<String>,
    /// When the world was read.
    pub as_of: Timestamp,
}

/// For how long a verdict is young enough to decide on.
pub const GOOD_FOR: Span = Span::minutes(15);

impl Verdict {
    /// Whether it is too old to decide on.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.as_of.age(now) > GOOD_FOR
    }
}
