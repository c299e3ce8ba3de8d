//! What the bot reads of GitHub's answers.

use commands::round::Commit;
use serde::Deserialize;

use super::Brought;

#[derive(Deserialize)]
pub(super) struct Compared {
    #[serde(default)]
    pub(super) status: String,
    pub(super) ahead_by: Option<usize>,
    #[serde(default)]
    pub(super) total_commits: usize,
    pub(super) html_url: Option<String>,
    #[serde(default)]
    pub(super) commits: Vec<RawCommit>,
    pub(super) files: Option<Vec<File>>,
}

#[derive(Deserialize)]
pub(super) struct File {
    filename: String,
    previous_filename: Option<String>,
    #[serde(default)]
    status: String,
}

impl File {
    /// A file that was moved touches both places.
    pub(super) fn names(self) -> impl Iterator<Item = String> {
        self.previous_filename.into_iter().chain([self.filename])
    }

    /// What whoever takes it gets; nothing when it goes away.
    pub(super) fn brought(self) -> Option<Brought> {
        let changed = matches!(self.status.as_str(), "modified" | "changed");
        (self.status != "removed").then_some(Brought {
            name: self.filename,
            changed,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct RawCommit {
    pub(super) sha: String,
    html_url: Option<String>,
    commit: Inner,
}

/// What a branch points at.
#[derive(Deserialize)]
pub(super) struct RawRef {
    pub(super) object: Pointed,
}

#[derive(Deserialize)]
pub(super) struct Pointed {
    pub(super) sha: String,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    message: String,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    name: Option<String>,
    email: Option<String>,
}

impl RawCommit {
    pub(super) fn commit(self) -> Commit {
        let (name, email) = self
            .commit
            .author
            .map_or((None, None), |author| (author.name, author.email));
        Commit {
            sha: self.sha,
            title: self
                .commit
                .message
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(300)
                .collect(),
            author: name.or_else(|| email.clone()).unwrap_or_else(|| "unknown".to_owned()),
            email: email.unwrap_or_default(),
            user: None,
            url: self.html_url,
        }
    }
}
