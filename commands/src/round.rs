//! A round: one request for approval, as CodePipeline made it.

use serde::{Deserialize, Serialize};

use crate::catalog::Pipeline;
use crate::ids::UserId;
use crate::time::Timestamp;

/// One request for approval. It is over when its token is answered, expires, or is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The gate.
    pub gate: Pipeline,
    /// The pipeline execution that waits.
    pub execution: String,
    /// The SHA-256 of its token, in hex. The token itself is not kept: whoever acts reads it again and compares.
    pub token_hash: String,
}

impl Round {
    /// The bytes that make this round the only one of its kind.
    #[must_use]
    pub fn seed(&self) -> Vec<u8> {
        let Pipeline { name, stage, action } = &self.gate;
        [name, stage, action, &self.execution, &self.token_hash]
            .map(|part| format!("{}:{part}", part.len()))
            .concat()
            .into_bytes()
    }
}

/// What would ship, as far as CodePipeline (and the metadata of its source) tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Revision {
    /// The revision's id as CodePipeline has it: a commit, or the version of an S3 object.
    pub id: String,
    /// The commit, in full, when it is known.
    pub commit: Option<String>,
    /// The git ref (`refs/tags/v1.4.2`), when it is known.
    pub git_ref: Option<String>,
    /// The first line of the commit message or the revision's summary; foreign text.
    pub summary: String,
    /// A link to it, when there is one.
    pub url: Option<String>,
    /// Why commit or ref are not known, in words for people.
    pub unknown: Option<String>,
}

impl Revision {
    /// What people call it: seven digits of the commit, else the start of the id.
    #[must_use]
    pub fn short(&self) -> String {
        self.commit.as_deref().unwrap_or(&self.id).chars().take(7).collect()
    }

    /// The tag or branch by its short name.
    #[must_use]
    pub fn ref_name(&self) -> Option<&str> {
        self.git_ref.as_deref().map(crate::catalog::short_ref)
    }

    /// Whether a person who typed `text` can mean this revision: the ref, the id, or at least four digits of the commit.
    #[must_use]
    pub fn is_called(&self, text: &str) -> bool {
        self.ref_name() == Some(text)
            || self.git_ref.as_deref() == Some(text)
            || (text.len() >= 4
                && [self.commit.as_deref(), Some(self.id.as_str())]
                    .into_iter()
                    .flatten()
                    .any(|name| name.starts_with(&text.to_lowercase()) || name.starts_with(text)))
    }

    /// Whether two revisions are the same code.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        match (&self.commit, &other.commit) {
            (Some(one), Some(two)) => one == two,
            _ => self.id == other.id,
        }
    }
}

/// Who or what started the execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Starter {
    /// As CodePipeline tells it: `Webhook`, `CreatePipeline`, an ARN; foreign text.
    pub detail: String,
    /// The Slack user, when it could be told.
    pub user: Option<UserId>,
}

/// What would go out: everything between the environment's last success and the candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Change {
    /// The commit that is live, when it is known.
    pub base: Option<String>,
    /// How many commits would ship; more than are listed when the list was cut.
    pub total: usize,
    /// The commits, oldest first.
    pub commits: Vec<Commit>,
    /// The files they touch.
    pub files: Vec<String>,
    /// Whether `files` is everything.
    pub files_complete: bool,
    /// A page that shows the difference.
    pub compare_url: Option<String>,
    /// Why this is not the whole truth, in words for people; `None` when it is.
    pub unknown: Option<String>,
    /// Whether the candidate is an ancestor of what is live: this would be a step back.
    pub backwards: bool,
    /// When this was read.
    pub as_of: Timestamp,
}

/// A commit; all text is foreign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The full SHA.
    pub sha: String,
    /// The first line of its message.
    pub title: String,
    /// Who wrote it, by the name git has.
    pub author: String,
    /// Their e-mail, as git has it.
    pub email: String,
    /// Their Slack user, when config or Slack's e-mail look-up knows.
    pub user: Option<UserId>,
    /// A link.
    pub url: Option<String>,
}

impl Change {
    /// The Slack users who wrote something of this, each once.
    #[must_use]
    pub fn authors(&self) -> std::collections::BTreeSet<&UserId> {
        self.commits.iter().filter_map(|commit| commit.user.as_ref()).collect()
    }

    /// The names of authors that Slack does not know, each once.
    #[must_use]
    pub fn strangers(&self) -> std::collections::BTreeSet<&str> {
        self.commits
            .iter()
            .filter(|commit| commit.user.is_none())
            .map(|commit| commit.author.as_str())
            .collect()
    }
}
