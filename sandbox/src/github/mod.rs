//! GitHub's REST API over a few repositories: what the bot reads to say what would go out.
//!
//! Each branch is a line of commits; tags name commits. A commit's id is made of what is in it, so the seed has the same ids in every run.

mod repository;
mod routes;
mod script;
mod seed;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use repository::{Change as FileChange, Commit, NewCommit, Person, Repository};
pub use routes::routes;
pub use script::CommitSeed;

use crate::clock::Clock;

/// Requests that a caller with a token may make in an hour.
const LIMIT: u32 = 5000;
/// Requests that a caller without one may make in an hour.
const ANONYMOUS_LIMIT: u32 = 60;

/// The repositories, by `owner/name`.
#[derive(Debug, Default)]
pub struct GitHub {
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// Per kind of caller: the hour (since the epoch) and the requests within it.
    used: BTreeMap<bool, (i64, u32)>,
}

/// What is left of a caller's hour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) limit: u32,
    pub(crate) used: u32,
    /// When the hour ends, Unix seconds.
    pub(crate) reset_s: i64,
}

impl GitHub {
    /// The demo's repositories: `acme/wallet-service` and `acme/web-app`.
    #[must_use]
    pub fn seed(clock: &Clock) -> Self {
        seed::github(clock.now_ms())
    }

    /// A repository.
    #[must_use]
    pub fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories.get(name)
    }

    /// A repository to push to; an unknown name makes a new one whose default branch is `main`.
    pub fn repository_mut(&mut self, name: &str) -> &mut Repository {
        self.repositories
            .entry(name.to_owned())
            .or_insert_with(|| Repository::new(name, "main"))
    }

    /// Counts a request against the caller's hour.
    pub(crate) fn count(&mut self, with_token: bool, now_ms: i64) -> Rate {
        let hour = now_ms.div_euclid(3_600_000);
        let used = self.used.entry(with_token).or_insert((hour, 0));
        if used.0 != hour {
            *used = (hour, 0);
        }
        used.1 += 1;
        let limit = if with_token { LIMIT } else { ANONYMOUS_LIMIT };
        Rate {
            limit,
            used: used.1,
            reset_s: (hour + 1) * 3600,
        }
    }
}

/// The repositories as the page shows them: name, default branch, refs, and the newest commits of the default branch.
#[must_use]
pub fn snapshot(github: &GitHub) -> Value {
    let repositories = github.repositories.values().map(|repository| {
        let commits = repository.line(&repository.default_branch);
        let newest = commits.iter().take(20).map(|commit| {
            json!({
                "sha": commit.sha,
                "message": commit.message,
                "author": commit.author.name,
                "at_ms": commit.at_ms,
                "files": commit.files.iter().map(|file| &file.filename).collect::<Vec<_>>(),
            })
        });
        json!({
            "name": repository.name,
            "default_branch": repository.default_branch,
            "branches": repository.branches,
            "tags": repository.tags,
            "commits": newest.collect::<Vec<_>>(),
        })
    });
    json!({ "repositories": repositories.collect::<Vec<_>>() })
}
