//! How one version stands to another, and which files lie between them: one question to GitHub, which tells all files with its first page.

use super::answers::Compared;
use super::{GitHub, MAX_FILES, NotNow};
use crate::door::Lease;

/// How a version stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Both are the same commit.
    Same,
    /// It holds all of the other, and more.
    Ahead,
    /// The other holds all of it, and more.
    Behind,
    /// Each holds something that the other does not.
    Diverged,
}

/// What lies between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// How the newer one stands to the older one.
    pub standing: Standing,
    /// How many commits the newer one brings.
    pub ahead: usize,
    /// The files that it brings, without those that it takes away.
    pub files: Vec<Brought>,
    /// Whether these are all.
    pub whole: bool,
}

/// A file that a version brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Its path.
    pub name: String,
    /// Whether it was there before, with something else in it.
    pub changed: bool,
}

impl Between {
    /// A version stands like this to itself.
    #[must_use]
    pub const fn same() -> Self {
        Self {
            standing: Standing::Same,
            ahead: 0,
            files: Vec::new(),
            whole: true,
        }
    }
}

impl GitHub {
    /// Compares two versions: tags, branches or commits. What GitHub will never tell is the inner error, in words.
    ///
    /// # Errors
    /// When another try may tell more.
    pub async fn between(
        &self,
        repository: &str,
        (base, head): (&str, &str),
        lease: Lease,
    ) -> Result<Result<Between, String>, NotNow> {
        let range = format!("{base}...{head}");
        let path = ["repos", repository, "compare", &range];
        Ok(self.get::<Compared>("compare", &path, 1, lease).await?.and_then(judge))
    }
}

fn judge(compared: Compared) -> Result<Between, String> {
    let standing = match compared.status.as_str() {
        "identical" => Standing::Same,
        "ahead" => Standing::Ahead,
        "behind" => Standing::Behind,
        "diverged" => Standing::Diverged,
        other => return Err(format!("GitHub says that one is `{other}` of the other")),
    };
    let files = compared.files.unwrap_or_default();
    Ok(Between {
        standing,
        ahead: compared.ahead_by.unwrap_or(compared.total_commits),
        whole: files.len() < MAX_FILES,
        files: files.into_iter().filter_map(super::answers::File::brought).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_that_go_away_are_not_brought() {
        let compared = serde_json::from_value(json!({ "status": "ahead", "ahead_by": 2, "total_commits": 2, "files": [
            { "filename": "db/1.sql", "status": "added" },
            { "filename": "db/2.sql", "status": "removed" },
            { "filename": "db/3.sql", "status": "modified" },
            { "filename": "db/5.sql", "previous_filename": "db/4.sql", "status": "renamed" },
        ]}));
        let between = judge(compared.unwrap()).unwrap();
        let files: Vec<_> = between
            .files
            .iter()
            .map(|file| (file.name.as_str(), file.changed))
            .collect();
        assert_eq!(files, [("db/1.sql", false), ("db/3.sql", true), ("db/5.sql", false)]);
        assert!(between.whole && between.standing == Standing::Ahead);
        assert!(judge(serde_json::from_value(json!({ "status": "odd" })).unwrap()).is_err());
    }
}
