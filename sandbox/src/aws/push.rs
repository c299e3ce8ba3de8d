//! A push: commits reach GitHub, a build of them reaches the pipeline's source, and the pipeline starts.

use serde::{Deserialize, Serialize};

use super::error::AwsError;
use super::pipeline::{ACCOUNT, Source, Trigger};
use super::script::Arrival;
use crate::github::{FileChange, NewCommit, Person, Repository};
use crate::world::{Change, World};

/// The repository behind the S3 object: the bucket does not say.
const BUILT_FROM: &str = "acme/wallet-service";

/// An author: a short name (`dana`) or all of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Author {
    Short(String),
    Full(Person),
}

/// A file of a commit: a path or all of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum File {
    Path(String),
    Full(FileChange),
}

/// A commit of a push.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneCommit {
    message: String,
    #[serde(default)]
    author: Option<Author>,
    #[serde(default)]
    files: Vec<File>,
}

/// A push, as the control call takes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// The pipeline that ships it.
    pub pipeline: String,
    /// A branch, or a tag (`v1.2.3`, `refs/tags/…`), which is put on the default branch's head after the commits. Default: the pipeline's branch.
    #[serde(default)]
    pub git_ref: Option<String>,
    /// The message of the only commit; without this and `commits` nothing new is committed.
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    author: Option<Author>,
    #[serde(default)]
    files: Vec<File>,
    /// Several commits instead, oldest first.
    #[serde(default)]
    commits: Vec<OneCommit>,
    /// Whether the S3 object says which commit it was made from; default yes.
    #[serde(default = "yes")]
    metadata: bool,
    /// The console user who starts the run; default: the source's own change detection.
    #[serde(default)]
    started_by: Option<String>,
}

const fn yes() -> bool {
    true
}

/// What a push led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// The new commits, oldest first.
    pub commits: Vec<String>,
    /// What the ref names now.
    pub head: String,
    /// The ref, without `refs/…/`.
    pub git_ref: String,
    /// The execution that started; none for a branch that the pipeline does not follow.
    pub execution: Option<String>,
}

impl Push {
    /// A push of nothing new: another build of what the ref names.
    #[must_use]
    pub fn again(pipeline: &str, git_ref: &str) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            git_ref: Some(git_ref.to_owned()),
            message: None,
            author: None,
            files: Vec::new(),
            commits: Vec::new(),
            metadata: true,
            started_by: None,
        }
    }

    /// A push of one commit by `author` (a short name) that touches `files`.
    #[must_use]
    pub fn one(pipeline: &str, git_ref: &str, (author, message): (&str, &str), files: &[&str]) -> Self {
        Self {
            message: Some(message.to_owned()),
            author: Some(Author::Short(author.to_owned())),
            files: files.iter().map(|path| File::Path((*path).to_owned())).collect(),
            ..Self::again(pipeline, git_ref)
        }
    }

    /// The same push, whose S3 object tells nobody what it was made from.
    #[must_use]
    pub fn without_metadata(mut self) -> Self {
        self.metadata = false;
        self
    }

    /// The same push, started by a user of the console.
    #[must_use]
    pub fn started_by(mut self, user: &str) -> Self {
        self.started_by = Some(user.to_owned());
        self
    }
}

/// Pushes: see the module's header. The lock of GitHub is let go before that of the account is taken.
///
/// # Errors
/// `PipelineNotFoundException`, the limit of open executions, or `NothingToPush` when the ref names no commit.
pub fn push(world: &World, push: &Push) -> Result<Pushed, AwsError> {
    let now_ms = world.clock.now_ms();
    let source = world.aws().pipeline(&push.pipeline)?.source.clone();
    let (arrival, commits) = commit(world, push, &source, now_ms)?;
    world.changed(Change::GitHub);
    let execution = {
        let mut account = world.aws();
        account.advance(now_ms);
        account.push(&push.pipeline, &arrival)?
    };
    world.changed(Change::Aws);
    Ok(Pushed {
        commits,
        head: arrival.commit,
        git_ref: arrival.git_ref,
        execution,
    })
}

fn commit(world: &World, push: &Push, source: &Source, now_ms: i64) -> Result<(Arrival, Vec<String>), AwsError> {
    let mut github = world.github();
    let (name, followed) = match source {
        Source::S3 { .. } => (BUILT_FROM, None),
        Source::Connection { repository, branch } => (repository.as_str(), Some(branch.clone())),
    };
    let repository = github.repository_mut(name);
    let asked = push
        .git_ref
        .clone()
        .or(followed)
        .unwrap_or_else(|| repository.default_branch.clone());
    let tag = asked
        .strip_prefix("refs/tags/")
        .or_else(|| looks_like_version(&asked).then_some(asked.as_str()));
    let branch = match tag {
        Some(_) => repository.default_branch.clone(),
        None => asked.strip_prefix("refs/heads/").unwrap_or(&asked).to_owned(),
    };
    let commits: Vec<String> = new_commits(push, now_ms)
        .into_iter()
        .map(|new| repository.commit(&branch, new))
        .collect();
    let head = repository.resolve(&branch).or_else(|| repository.resolve(&asked));
    let nothing = || {
        AwsError::new(
            "NothingToPush",
            format!("{asked} names no commit of {name}, and none was given"),
        )
    };
    let head = head.cloned().ok_or_else(nothing)?;
    if let Some(tag) = tag {
        // A tag that is there already and gets no new commits stays where it is: that is a second build of the same.
        move_tag(repository, tag, &head.sha, !commits.is_empty());
    }
    let shipped = tag.and_then(|tag| repository.resolve(tag)).cloned().unwrap_or(head);
    let user = push
        .started_by
        .as_ref()
        .map(|user| format!("arn:aws:iam::{ACCOUNT}:user/{user}"));
    let arrival = Arrival {
        commit: shipped.sha,
        git_ref: tag.map_or(branch, str::to_owned),
        message: shipped.message,
        author: shipped.author.name,
        metadata: push.metadata,
        trigger: user.map(|detail| Trigger {
            kind: "StartPipelineExecution".to_owned(),
            detail,
        }),
    };
    Ok((arrival, commits))
}

fn move_tag(repository: &mut Repository, tag: &str, head: &str, new_commits: bool) {
    if new_commits || repository.resolve(tag).is_none() {
        repository.tag(tag, head);
    }
}

fn new_commits(push: &Push, now_ms: i64) -> Vec<NewCommit> {
    let default = || Author::Short("dana".to_owned());
    let make = |message: &str, author: &Option<Author>, files: &[File]| NewCommit {
        author: match author.clone().or_else(|| push.author.clone()).unwrap_or_else(default) {
            Author::Short(name) => Person::named(&name),
            Author::Full(person) => person,
        },
        message: message.to_owned(),
        files: files
            .iter()
            .map(|file| match file {
                File::Path(path) => FileChange::of(path),
                File::Full(change) => change.clone(),
            })
            .collect(),
        at_ms: now_ms,
    };
    let one = push
        .message
        .iter()
        .map(|message| make(message, &push.author, &push.files));
    one.chain(
        push.commits
            .iter()
            .map(|commit| make(&commit.message, &commit.author, &commit.files)),
    )
    .collect()
}

fn looks_like_version(name: &str) -> bool {
    name.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}
