//! What errands leave standing: levels that somebody left off the baseline.

use serde::{Deserialize, Serialize};

use super::Desk;
use crate::ids::{EnvironmentId, RecordId, UserId};
use crate::operation::Matter;
use crate::time::Timestamp;

/// A function's level, as somebody left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The level.
    pub level: String,
    /// What it was before; `None`: the function had none.
    pub before: Option<String>,
    /// Who.
    pub by: UserId,
    /// Why; foreign text, may be empty.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when: then it is put back by itself; `None`: until somebody does.
    pub until: Option<Timestamp>,
}

impl Desk {
    /// The level that somebody left a function at.
    #[must_use]
    pub fn level(&self, environment: &EnvironmentId, function: &str) -> Option<&Level> {
        self.levels.get(environment)?.get(function)
    }

    /// The errand that is under way.
    #[must_use]
    pub fn errand(&self, environment: &EnvironmentId, matter: Matter) -> Option<&RecordId> {
        self.errands.get(environment)?.get(&matter)
    }

    /// When the next level goes back by itself. Where an errand is under way, its end is waited for: it writes the desk.
    pub(super) fn next_return(&self) -> Option<Timestamp> {
        let free = |environment: &EnvironmentId| self.errand(environment, Matter::LogLevels).is_none();
        let levels = self.levels.iter().filter(|(environment, _)| free(environment));
        levels
            .flat_map(|(_, levels)| levels.values())
            .filter_map(|level| level.until)
            .min()
    }
}
