//! What an execution carries, in people's words: commit, ref, summary. Each kind of source tells it in another place.

use aws_sdk_codepipeline::types::{ArtifactRevision, ExecutionTrigger, TriggerType};
use commands::ids::UserId;
use commands::round::{Revision, Starter};
use serde_json::Value;

use super::definition::{Action, Definition};
use crate::aws::s3::Metadata;

/// Metadata that whoever uploads the source may put on the S3 object.
const META_REF: &str = "git-ref";
const META_COMMIT: &str = "git-commit";
const META_SUMMARY: &str = "codepipeline-artifact-revision-summary";

/// Where a revision comes from.
pub(super) struct Origin<'a> {
    pub(super) artifact: &'a ArtifactRevision,
    /// The source action, when the definition tells.
    pub(super) action: Option<&'a Action>,
}

impl<'a> Origin<'a> {
    /// The source that decides what people call the revision: the first git source, else the first of all.
    pub(super) fn of(definition: &'a Definition, artifacts: &'a [ArtifactRevision]) -> Option<Self> {
        let named = |action: &'a Action| {
            let artifact = artifacts.iter().find(|one| {
                one.name()
                    .is_some_and(|name| action.artifacts.iter().any(|its| its == name))
            })?;
            Some(Self {
                artifact,
                action: Some(action),
            })
        };
        let sources = || definition.sources().filter_map(named);
        sources()
            .find(|origin| origin.action.is_some_and(is_git))
            .or_else(|| sources().next())
            .or_else(|| {
                let only = definition
                    .sources()
                    .next()
                    .filter(|_| definition.sources().count() == 1);
                artifacts.first().map(|artifact| Self { artifact, action: only })
            })
    }

    /// Bucket, key and version, when the source is an object.
    pub(super) fn object(&self) -> Option<(&'a str, &'a str, &'a str)> {
        let action = self.action.filter(|action| action.provider == "S3")?;
        let bucket = action.configuration.get("S3Bucket")?;
        let key = action.configuration.get("S3ObjectKey")?;
        Some((bucket, key, self.artifact.revision_id()?))
    }

    /// The revision; for an object, with what its metadata says or why it says nothing.
    pub(super) fn revision(&self, metadata: Option<Result<Metadata, String>>) -> Revision {
        let id = self.artifact.revision_id().unwrap_or_default().to_owned();
        let mut revision = Revision {
            summary: summary(self.artifact.revision_summary().unwrap_or_default()),
            url: self.artifact.revision_url().map(str::to_owned),
            id,
            ..Revision::default()
        };
        match (metadata, self.action) {
            (Some(Ok(metadata)), _) => by_metadata(&mut revision, &metadata),
            (Some(Err(why)), _) => revision.unknown = Some(why),
            (None, Some(action)) if is_git(action) => by_branch(&mut revision, action),
            (None, Some(action)) => {
                revision.unknown = Some(format!("the source is {}, which tells no commit", action.provider));
            }
            (None, None) => {
                revision.commit = Some(revision.id.clone()).filter(|id| is_commit(id));
                revision.unknown = Some("the pipeline's definition does not tell which branch this is".to_owned());
            }
        }
        revision
    }
}

/// An execution without any revision.
pub(super) fn nothing() -> Revision {
    Revision {
        unknown: Some("CodePipeline names no source revision".to_owned()),
        ..Revision::default()
    }
}

fn by_branch(revision: &mut Revision, action: &Action) {
    revision.commit = Some(revision.id.clone()).filter(|id| is_commit(id));
    let branch = ["BranchName", "Branch"]
        .iter()
        .find_map(|key| action.configuration.get(*key));
    // A source of tags has no branch; its name then is a variable of the run.
    revision.git_ref = branch
        .filter(|branch| !branch.contains("#{"))
        .map(|branch| format!("refs/heads/{branch}"));
    revision.unknown = match (&revision.commit, &revision.git_ref) {
        (None, _) => Some("the source's revision is not a commit".to_owned()),
        (_, None) => Some("the source names no branch".to_owned()),
        _ => None,
    };
}

fn by_metadata(revision: &mut Revision, metadata: &Metadata) {
    revision.commit = metadata
        .get(META_COMMIT)
        .filter(|id| is_commit(id))
        .map(|id| id.to_lowercase());
    revision.git_ref = metadata.get(META_REF).filter(|name| !name.is_empty()).cloned();
    if let Some(text) = metadata.get(META_SUMMARY) {
        revision.summary = summary(text);
    }
    revision.unknown = match (&revision.commit, &revision.git_ref) {
        (Some(_), Some(_)) => None,
        (None, None) => Some(format!("the S3 object carries neither {META_COMMIT} nor {META_REF}")),
        (None, _) => Some(format!("the S3 object does not carry {META_COMMIT}")),
        (_, None) => Some(format!("the S3 object does not carry {META_REF}")),
    };
}

fn is_git(action: &Action) -> bool {
    matches!(
        action.provider.as_str(),
        "CodeStarSourceConnection" | "CodeCommit" | "GitHub" | "Bitbucket" | "GitHubEnterpriseServer" | "GitLab"
    )
}

fn is_commit(id: &str) -> bool {
    id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first line of the message. Connections wrap it in JSON.
fn summary(text: &str) -> String {
    let wrapped = serde_json::from_str::<Value>(text).ok();
    let message = wrapped
        .as_ref()
        .and_then(|json| json.get("CommitMessage").and_then(Value::as_str))
        .unwrap_or(text);
    message
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .chars()
        .take(500)
        .collect()
}

/// Who started an execution. A session of ours names the Slack user; anybody else is found by e-mail, if by anything: see [`starter_email`].
pub(super) fn starter(trigger: Option<&ExecutionTrigger>) -> Starter {
    let kind = trigger
        .and_then(|trigger| trigger.trigger_type())
        .map_or("", TriggerType::as_str);
    let detail = trigger
        .and_then(|trigger| trigger.trigger_detail())
        .filter(|detail| !detail.is_empty());
    let detail = detail.unwrap_or(kind).to_owned();
    let user = session(&detail)
        .strip_prefix("slack-")
        .filter(|_| detail.starts_with("arn:"))
        .and_then(|id| UserId::parse(id).ok());
    Starter { detail, user }
}

/// The e-mail in whose name an execution was started, when the session's name is one, as single sign-on makes it.
#[must_use]
pub fn starter_email(starter: &Starter) -> Option<&str> {
    let name = session(&starter.detail);
    let (user, domain) = name.split_once('@')?;
    (starter.detail.starts_with("arn:") && !user.is_empty() && domain.contains('.')).then_some(name)
}

fn session(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests;
