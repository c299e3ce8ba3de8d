//! What errands leave standing: levels that somebody left off the baseline, and maintenance mode.

use serde::{Deserialize, Serialize};

use super::Desk;
use crate::ids::{EnvironmentId, RecordId, UserId};
use crate::operation::Matter;
use crate::time::{Span, Timestamp};

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

/// How long before its end people are reminded of maintenance mode.
const BEFORE: Span = Span::minutes(5);
/// How often they are told that it is still on.
const AGAIN: Span = Span::minutes(30);

/// Maintenance mode, as somebody turned it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Who.
    pub by: UserId,
    /// Why; foreign text, may be empty.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: no end was said.
    pub until: Option<Timestamp>,
    /// Whether it goes off by itself then.
    pub off_after: bool,
    /// When people were last reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
}

impl Maintenance {
    /// When it is next heard of: a reminder before its end, its end, and again and again while it is on after that.
    #[must_use]
    pub fn next_word(&self) -> Timestamp {
        let last = self.told.unwrap_or(self.since);
        let Some(until) = self.until else {
            return last + AGAIN;
        };
        let reminder = Timestamp(until.0 - BEFORE.0);
        if last < reminder {
            reminder
        } else if last < until {
            until
        } else {
            last + AGAIN
        }
    }
}

impl Desk {
    /// When people next hear of maintenance mode. Where an errand is under way, its end is waited for.
    pub(super) fn next_reminder(&self) -> Option<Timestamp> {
        let free = |environment: &EnvironmentId| self.errand(environment, Matter::Maintenance).is_none();
        let on = self.maintenance.iter().filter(|(environment, _)| free(environment));
        on.map(|(_, standing)| standing.next_word()).min()
    }

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
