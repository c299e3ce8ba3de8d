//! A repository: commits, branches, tags, and what lies between two of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Who wrote a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name in the commit.
    pub name: String,
    /// The address in the commit.
    pub email: String,
    /// The account that the address belongs to, if there is one.
    #[serde(default)]
    pub login: Option<String>,
}

impl Person {
    /// Somebody by a short name: those of the demo are known (`dana`), others get an address at `example.org` and no account.
    #[must_use]
    pub fn named(short: &str) -> Self {
        let known = [
            ("ann", "Ann Ferreira"),
            ("bruno", "Bruno Lima"),
            ("dana", "Dana Okafor"),
            ("carla", "Carla Mendes"),
        ];
        let handle = short.to_lowercase().replace(' ', ".");
        let found = known.iter().find(|(login, _)| *login == handle);
        Self {
            name: found.map_or(short, |(_, name)| *name).to_owned(),
            email: format!("{handle}@example.org"),
            login: found.map(|(login, _)| (*login).to_owned()),
        }
    }
}

/// What a commit does to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its path.
    pub filename: String,
    /// `added`, `modified`, `removed` or `renamed`.
    #[serde(default = "modified")]
    pub status: String,
    /// Lines that came.
    #[serde(default)]
    pub additions: u32,
    /// Lines that went.
    #[serde(default)]
    pub deletions: u32,
    /// The difference as text; none for what is not text.
    #[serde(default)]
    pub patch: Option<String>,
}

fn modified() -> String {
    "modified".to_owned()
}

impl Change {
    /// A change of a few lines.
    #[must_use]
    pub fn of(filename: &str) -> Self {
        Self {
            filename: filename.to_owned(),
            status: modified(),
            additions: 4,
            deletions: 1,
            patch: Some(
                "@@ -1,4 +1,7 @@\n context\n-before\n+after\n+one more\n+and another\n+the last\n context\n".to_owned(),
            ),
        }
    }
}

/// A commit to be made.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// Who writes it.
    pub author: Person,
    /// What they say.
    pub message: String,
    /// What it does.
    pub files: Vec<Change>,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// 40 characters.
    pub sha: String,
    /// The commit before it.
    pub parent: Option<String>,
    /// Who wrote it.
    pub author: Person,
    /// What they said.
    pub message: String,
    /// What it does.
    pub files: Vec<Change>,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// What lies between two commits.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    pub(crate) base: &'a Commit,
    pub(crate) merge_base: &'a Commit,
    /// Commits of the head that the base does not have, oldest first.
    pub(crate) ahead: Vec<&'a Commit>,
    /// How many commits the base has that the head does not.
    pub(crate) behind: usize,
}

impl Comparison<'_> {
    /// `identical`, `ahead`, `behind` or `diverged`.
    pub(crate) fn status(&self) -> &'static str {
        match (self.ahead.is_empty(), self.behind) {
            (true, 0) => "identical",
            (false, 0) => "ahead",
            (true, _) => "behind",
            (false, _) => "diverged",
        }
    }

    /// The files that differ between the two ends, by path.
    pub(crate) fn files(&self) -> Vec<Change> {
        let mut files: BTreeMap<&str, Change> = BTreeMap::new();
        for change in self.ahead.iter().flat_map(|commit| &commit.files) {
            let Some(before) = files.get_mut(change.filename.as_str()) else {
                files.insert(&change.filename, change.clone());
                continue;
            };
            match (before.status.as_str(), change.status.as_str()) {
                ("added", "removed") => {
                    files.remove(change.filename.as_str());
                    continue;
                }
                ("added", _) => {}
                ("removed", "added") => before.status = modified(),
                _ => before.status.clone_from(&change.status),
            }
            before.additions += change.additions;
            before.deletions += change.deletions;
            before.patch.clone_from(&change.patch);
        }
        files.into_values().collect()
    }
}

/// A repository.
#[derive(Debug)]
pub struct Repository {
    /// `owner/name`.
    pub name: String,
    /// The branch that pull requests go to.
    pub default_branch: String,
    pub(crate) branches: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    commits: HashMap<String, Commit>,
}

impl Repository {
    /// A repository without commits.
    #[must_use]
    pub fn new(name: &str, default_branch: &str) -> Self {
        Self {
            name: name.to_owned(),
            default_branch: default_branch.to_owned(),
            branches: BTreeMap::new(),
            tags: BTreeMap::new(),
            commits: HashMap::new(),
        }
    }

    /// Adds a commit to a branch and returns its id. A new branch begins at the default branch's head.
    pub fn commit(&mut self, branch: &str, new: NewCommit) -> String {
        let parent = self
            .branches
            .get(branch)
            .or_else(|| self.branches.get(&self.default_branch))
            .cloned();
        let mut hash = Sha256::new();
        for part in [
            self.name.as_str(),
            parent.as_deref().unwrap_or_default(),
            &new.message,
            &new.author.email,
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        for file in &new.files {
            hash.update(file.filename.as_bytes());
        }
        let mut sha = hex::encode(hash.finalize());
        sha.truncate(40);
        let NewCommit {
            author,
            message,
            files,
            at_ms,
        } = new;
        let commit = Commit {
            sha: sha.clone(),
            parent,
            author,
            message,
            files,
            at_ms,
        };
        self.commits.insert(sha.clone(), commit);
        self.branches.insert(branch.to_owned(), sha.clone());
        sha
    }

    /// Points a tag at a commit.
    pub fn tag(&mut self, tag: &str, sha: &str) {
        self.tags.insert(tag.to_owned(), sha.to_owned());
    }

    /// The commit that a branch, a tag, a full ref or an id (whole, or its first seven characters or more) names.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<&Commit> {
        let (branch, tag) = (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/"));
        let by_ref = match (branch, tag) {
            (Some(branch), _) => self.branches.get(branch),
            (_, Some(tag)) => self.tags.get(tag),
            _ => self.branches.get(name).or_else(|| self.tags.get(name)),
        };
        if let Some(sha) = by_ref {
            return self.commits.get(sha);
        }
        let abbreviated = (7..40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !abbreviated {
            return self.commits.get(name);
        }
        let mut fitting = self.commits.values().filter(|commit| commit.sha.starts_with(name));
        // An abbreviation that fits two commits names neither.
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// The commits of a branch, tag or id, newest first.
    pub(crate) fn line(&self, name: &str) -> Vec<&Commit> {
        let parent = |commit: &&Commit| self.commits.get(commit.parent.as_deref()?);
        std::iter::successors(self.resolve(name), parent).collect()
    }

    /// What lies between two commits. `None`: one of them is unknown, or they have nothing in common.
    pub(crate) fn compare(&self, base: &str, head: &str) -> Option<Comparison<'_>> {
        let (before, after) = (self.line(base), self.line(head));
        let known: HashSet<&str> = before.iter().map(|commit| commit.sha.as_str()).collect();
        let at = after.iter().position(|commit| known.contains(commit.sha.as_str()))?;
        let merge_base = after[at];
        let behind = before.iter().position(|commit| commit.sha == merge_base.sha)?;
        let mut ahead = after[..at].to_vec();
        ahead.reverse();
        Some(Comparison {
            base: before.first()?,
            merge_base,
            ahead,
            behind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(repository: &mut Repository, branch: &str, message: &str, file: (&str, &str)) -> String {
        let files = vec![Change {
            status: file.1.to_owned(),
            ..Change::of(file.0)
        }];
        let new = NewCommit {
            author: Person::named("dana"),
            message: message.to_owned(),
            files,
            at_ms: 0,
        };
        repository.commit(branch, new)
    }

    #[test]
    fn a_comparison_lists_what_the_head_adds_oldest_first() {
        let mut repository = Repository::new("acme/x", "main");
        let first = commit(&mut repository, "main", "first", ("a", "added"));
        let second = commit(&mut repository, "main", "second", ("b", "added"));
        let third = commit(&mut repository, "main", "third", ("b", "modified"));
        repository.tag("v1", &first);
        let comparison = repository.compare("v1", "main").unwrap();
        let shas: Vec<_> = comparison.ahead.iter().map(|commit| commit.sha.clone()).collect();
        assert_eq!((comparison.status(), shas), ("ahead", vec![second, third.clone()]));
        assert_eq!(comparison.files().len(), 1, "one file, changed twice");
        assert_eq!(comparison.files()[0].status, "added", "new to whoever had the base");
        assert_eq!(repository.compare(&third[..7], "v1").unwrap().status(), "behind");
        assert_eq!(repository.compare("main", &third).unwrap().status(), "identical");
        assert!(repository.compare("main", "0123456789").is_none());
    }

    #[test]
    fn branches_that_part_are_diverged() {
        let mut repository = Repository::new("acme/x", "main");
        commit(&mut repository, "main", "first", ("a", "added"));
        commit(&mut repository, "fix", "fix", ("b", "added"));
        commit(&mut repository, "main", "second", ("c", "added"));
        let comparison = repository.compare("main", "fix").unwrap();
        assert_eq!(
            (comparison.status(), comparison.ahead.len(), comparison.behind),
            ("diverged", 1, 1)
        );
    }
}
