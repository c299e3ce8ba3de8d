//! Commits that appear without a pipeline: of files of resources, and of whoever pushes meanwhile.

use serde::Deserialize;

use super::{Commit, FileChange, GitHub, NewCommit, Person, Repository};

/// A commit, as files of resources and the control call write it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitSeed {
    /// `owner/name`; an unknown one is made, with this commit's branch as its default.
    pub repository: String,
    /// The branch; by default the repository's own.
    #[serde(default)]
    pub branch: Option<String>,
    /// What it says.
    pub message: String,
    /// A short name (`dana`).
    #[serde(default = "dana")]
    pub author: String,
    /// The paths that it touches.
    #[serde(default)]
    pub files: Vec<String>,
    /// A tag to be put on it.
    #[serde(default)]
    pub tag: Option<String>,
    /// How old it is, in hours.
    #[serde(default)]
    pub hours_ago: i64,
}

fn dana() -> String {
    "dana".to_owned()
}

impl Repository {
    /// A file that is touched: changed where it was there, else added.
    fn touched(&self, branch: &str, path: &str) -> FileChange {
        let known = |commit: &&Commit| commit.files.iter().any(|file| file.filename == path);
        let mut change = FileChange::of(path);
        if !self.line(branch).iter().any(known) {
            "added".clone_into(&mut change.status);
        }
        change
    }
}

impl GitHub {
    /// Makes a commit and returns its id.
    pub fn plant(&mut self, seed: &CommitSeed, now_ms: i64) -> String {
        let new = !self.repositories.contains_key(&seed.repository);
        let repository = self.repository_mut(&seed.repository);
        if let (true, Some(branch)) = (new, &seed.branch) {
            repository.default_branch.clone_from(branch);
        }
        let branch = seed.branch.clone().unwrap_or_else(|| repository.default_branch.clone());
        let commit = NewCommit {
            author: Person::named(&seed.author),
            message: seed.message.clone(),
            files: seed
                .files
                .iter()
                .map(|path| repository.touched(&branch, path))
                .collect(),
            at_ms: now_ms - seed.hours_ago * 3_600_000,
        };
        let sha = repository.commit(&branch, commit);
        if let Some(tag) = &seed.tag {
            repository.tag(tag, &sha);
        }
        sha
    }
}
