//! What an environment says about how it is operated: the functions whose log levels are steered from here, and its maintenance mode.

use crate::step::{Flag, Way};

/// The functions of an environment, and the levels at which they may log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Functions {
    /// What their names begin with.
    pub prefix: String,
    /// What the names of others begin with, which begin with [`Self::prefix`] as well.
    pub but: Vec<String>,
    /// The variable that holds the level.
    pub level_key: String,
    /// The level at which they are when nobody looks for anything.
    pub baseline: String,
    /// The levels that the service's own logger knows, from quiet to loud.
    pub levels: Vec<String>,
    /// Where a level is written for good: `serverless.yml:31`.
    pub level_file: Option<String>,
}

impl Functions {
    /// The whole name of a function that people call by the end of it.
    #[must_use]
    pub fn whole(&self, said: &str) -> String {
        if said.starts_with(&self.prefix) {
            said.to_owned()
        } else {
            format!("{}{said}", self.prefix)
        }
    }

    /// What a whole name begins with that makes it another's.
    #[must_use]
    pub fn of_another(&self, name: &str) -> Option<&str> {
        let but = self.but.iter().find(|but| name.starts_with(but.as_str()));
        but.map(String::as_str)
    }
}

/// How an environment goes into maintenance mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceMode {
    /// What is turned. `{color}` stands for the color that is live.
    pub way: Way,
    /// The regions in which it is turned, one by one; empty: the environment's.
    pub regions: Vec<String>,
    /// The flag that tells which color is live.
    pub color: Option<Flag>,
}
