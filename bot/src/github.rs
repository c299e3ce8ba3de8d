//! What would go out, from GitHub: the commits between what is live and the candidate, who wrote them, and the files they touch.
//!
//! GitHub shows at most 250 commits of a comparison per page and 300 files in all. When there is more, that is said: a migration among the files that were not shown
//! would be a nasty surprise.

mod answers;
mod between;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use commands::ids::UserId;
use commands::round::Change;
use commands::time::{Span, Timestamp};
use http::header::{ACCEPT, AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use self::answers::{Compared, RawCommit, RawRef};
pub use self::between::{Between, Brought, Standing};
use crate::clock::Clock;
use crate::door::{Call, Destination, Lease, Limits, Outgoing};
use crate::secret::Secret;

const TIMEOUT: Duration = Duration::from_secs(10);
/// GitHub's largest page of commits.
const PAGE: usize = 100;
/// More commits than this are counted and not listed.
const MAX_COMMITS: usize = 250;
/// GitHub lists no more files of a comparison.
const MAX_FILES: usize = 300;

/// Why GitHub could not be asked, where another try may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotNow {
    /// In words.
    pub why: String,
    /// Not before this, when GitHub says.
    pub retry_at: Option<Timestamp>,
}

/// Tells whose Slack user a commit's author is.
#[async_trait]
pub trait Authors: Send + Sync {
    /// The user with this e-mail; `None` when nobody is known by it.
    ///
    /// # Errors
    /// With the reason why it cannot be told now.
    async fn user_of(&self, email: &str) -> Result<Option<UserId>, String>;
}

/// What to compare.
#[derive(Debug, Clone, Copy)]
pub struct ChangeRequest<'a> {
    /// `owner/repository`.
    pub repository: &'a str,
    /// The commit that is live, when it is known.
    pub base: Option<&'a str>,
    /// The candidate, when its commit is known.
    pub head: Option<&'a str>,
    /// The worker's lease.
    pub lease: Lease,
}

/// GitHub's REST API.
pub struct GitHub {
    door: Arc<dyn Outgoing>,
    clock: Arc<dyn Clock>,
    base: Url,
    token: Option<Secret>,
}

impl GitHub {
    /// The API at this base address (`https://api.github.com`).
    #[must_use]
    pub fn new(door: Arc<dyn Outgoing>, clock: Arc<dyn Clock>, base: Url, token: Option<Secret>) -> Self {
        Self {
            door,
            clock,
            base,
            token,
        }
    }

    /// Gathers what would go out. What cannot be known, and never will, is said in [`Change::unknown`].
    ///
    /// # Errors
    /// When another try may find more.
    pub async fn change(&self, request: ChangeRequest<'_>, authors: &dyn Authors) -> Result<Change, NotNow> {
        let mut change = match (request.base, request.head) {
            (_, None) => unknown("the candidate's commit is not known"),
            (None, Some(head)) => self.single(request, head).await?,
            (Some(base), Some(head)) if base == head => Change {
                files_complete: true,
                ..Change::default()
            },
            (Some(base), Some(head)) => self.compare(request, base, head).await?,
        };
        change.base = request.base.map(str::to_owned);
        change.as_of = self.clock.now();
        for commit in &mut change.commits {
            match authors.user_of(&commit.email).await {
                Ok(user) => commit.user = user,
                Err(why) => return Err(NotNow { why, retry_at: None }),
            }
        }
        Ok(change)
    }

    /// The newest commit of a branch. The inner error is for good: there is no such branch, or it may not be seen.
    ///
    /// # Errors
    /// When another try may tell it.
    pub async fn newest(&self, repository: &str, branch: &str, lease: Lease) -> Result<Result<String, String>, NotNow> {
        let path = ["repos", repository, "git", "ref", "heads", branch];
        let found = self.get::<RawRef>("ref", &path, 1, lease).await?;
        Ok(found.map(|found| found.object.sha))
    }

    /// The commit at which a branch or tag stands. The inner error is for good: there is none of that name, or it may not be seen.
    ///
    /// # Errors
    /// When another try may tell it.
    pub async fn commit_of(
        &self,
        repository: &str,
        name: &str,
        lease: Lease,
    ) -> Result<Result<String, String>, NotNow> {
        let path = ["repos", repository, "commits", name];
        let found = self.get::<RawCommit>("commit", &path, 1, lease).await?;
        Ok(found.map(|found| found.sha))
    }

    /// Without a base there is nothing to compare with: the candidate's own commit is all that can be shown.
    async fn single(&self, request: ChangeRequest<'_>, head: &str) -> Result<Change, NotNow> {
        let path = ["repos", request.repository, "commits", head];
        Ok(match self.get::<RawCommit>("commit", &path, 1, request.lease).await? {
            Ok(commit) => Change {
                total: 1,
                commits: vec![commit.commit()],
                unknown: Some("what is live here is not known, so this may be more than one commit".to_owned()),
                ..Change::default()
            },
            Err(why) => unknown(&why),
        })
    }

    async fn compare(&self, request: ChangeRequest<'_>, base: &str, head: &str) -> Result<Change, NotNow> {
        let range = format!("{base}...{head}");
        let path = ["repos", request.repository, "compare", &range];
        let mut change = Change::default();
        for page in 1.. {
            let compared = match self.get::<Compared>("compare", &path, page, request.lease).await? {
                Ok(compared) => compared,
                Err(why) => return Ok(unknown(&why)),
            };
            let last = compared.commits.len() < PAGE;
            change.total = compared.ahead_by.unwrap_or(compared.total_commits);
            change.backwards = compared.status == "behind";
            let room = MAX_COMMITS.saturating_sub(change.commits.len());
            change
                .commits
                .extend(compared.commits.into_iter().take(room).map(RawCommit::commit));
            if page == 1 {
                change.compare_url = compared.html_url;
                change.files = compared
                    .files
                    .into_iter()
                    .flatten()
                    .flat_map(answers::File::names)
                    .collect();
                change.files_complete = change.files.len() < MAX_FILES;
                if compared.status == "diverged" {
                    change.unknown =
                        Some("what is live is not an ancestor: commits that are live now would go away".to_owned());
                }
            }
            if last || change.commits.len() >= change.total.min(MAX_COMMITS) {
                break;
            }
        }
        if change.commits.len() < change.total {
            change.unknown = Some(format!(
                "only {} of {} commits are listed",
                change.commits.len(),
                change.total
            ));
        }
        Ok(change)
    }

    /// One page; the inner error is for good.
    async fn get<T: DeserializeOwned>(
        &self,
        name: &str,
        path: &[&str],
        page: usize,
        lease: Lease,
    ) -> Result<Result<T, String>, NotNow> {
        let not_now = |why: String| NotNow { why, retry_at: None };
        let url = self
            .address(path, page)
            .ok_or_else(|| not_now("the address cannot be built".to_owned()))?;
        let mut request = http::Request::get(url.as_str())
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let call = Call {
            destination: Destination::GitHub,
            name: format!("github.{name}"),
            request: request.body(Bytes::new()).map_err(|error| not_now(error.to_string()))?,
            limits: Limits {
                timeout: TIMEOUT,
                lease,
            },
        };
        let answer = self
            .door
            .send(call)
            .await
            .map_err(|error| not_now(format!("GitHub cannot be asked: {error}")))?;
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body())
                .map(Ok)
                .map_err(|_| not_now("GitHub's answer cannot be read".to_owned())),
            status => self.refused(status, answer.headers()),
        }
    }

    fn refused<T>(&self, status: StatusCode, headers: &HeaderMap) -> Result<Result<T, String>, NotNow> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<i64>().ok();
        let spent = number("x-ratelimit-remaining") == Some(0) || headers.contains_key(RETRY_AFTER);
        let limited = status == StatusCode::TOO_MANY_REQUESTS || (status == StatusCode::FORBIDDEN && spent);
        if limited {
            let wait = number(RETRY_AFTER.as_str()).map(|seconds| self.clock.now() + Span::seconds(seconds));
            let reset = number("x-ratelimit-reset").map(|seconds| Timestamp(seconds.saturating_mul(1_000)));
            return Err(NotNow {
                why: "GitHub's rate limit is used up".to_owned(),
                retry_at: wait.or(reset),
            });
        }
        match status {
            // GitHub does not tell what does not exist from what may not be seen.
            StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => Ok(Err(
                "GitHub does not know these commits, or the token may not see the repository".to_owned(),
            )),
            StatusCode::UNAUTHORIZED => Ok(Err("GitHub does not take the token".to_owned())),
            StatusCode::FORBIDDEN => Ok(Err("the token may not read the repository".to_owned())),
            status => Err(NotNow {
                why: format!("GitHub answered HTTP {status}"),
                retry_at: None,
            }),
        }
    }

    fn address(&self, path: &[&str], page: usize) -> Option<Url> {
        let mut url = self.base.clone();
        {
            let mut segments = url.path_segments_mut().ok()?;
            segments.pop_if_empty();
            for part in path {
                segments.extend(part.split('/'));
            }
        }
        url.query_pairs_mut()
            .append_pair("per_page", &PAGE.to_string())
            .append_pair("page", &page.to_string());
        Some(url)
    }
}

fn unknown(why: &str) -> Change {
    Change {
        unknown: Some(why.to_owned()),
        ..Change::default()
    }
}

#[cfg(test)]
mod tests;
