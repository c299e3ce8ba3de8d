//! What a look finds: what is live, how what would ship stands to it, and which migrations that brings.

use std::sync::Arc;

use commands::catalog::Pattern;
use commands::desk::Desk;
use commands::facts::Needs;
use commands::ids::EnvironmentId;
use commands::reason::Reason;
use commands::round::Revision;
use commands::step::{First, Schema};

use super::super::{At, StepError, http};
use super::TRIES;
use crate::github::{Between, Brought, Standing};
use crate::runner::snapshot;

/// How long the name of a commit is, in hexadecimal digits.
const FULL: usize = 40;

/// What is known; or why it is not, in words.
pub(super) type Known<T> = Result<T, String>;

/// A version, by the name that people know and by what GitHub is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) name: String,
    pub(super) git: String,
}

/// The migrations that are pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) files: Vec<Brought>,
    /// Whether these are all.
    pub(super) whole: bool,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) live: Known<Version>,
    pub(super) since: Known<Version>,
    /// How what would ship stands to what is live, and how many commits it brings.
    pub(super) order: Known<(Standing, usize)>,
    pub(super) pending: Known<Pending>,
    /// The commit that would ship.
    pub(super) commit: Known<String>,
}

pub(super) async fn look(step: &Schema, at: At<'_>) -> Result<Seen, StepError> {
    let desk = desk(at).await?;
    let environment = &at.call.environment;
    let of_desk = desk.live.get(environment).map(|live| &live.revision);
    let live = match (&step.live, step.read_url.as_ref().zip(step.read_json.as_ref()), of_desk) {
        (Some(said), ..) => said_version(said),
        (None, Some((url, place)), _) => read_version(at, url, place).await?,
        (None, None, Some(revision)) => known_version(revision),
        (None, None, None) => Err(format!("what is live in {environment} is not known yet")),
    };
    let since = match (&step.since, step.first) {
        (Some(said), _) => said_version(said),
        (None, Some(First::Code)) => before(&desk, environment),
        (None, _) => live.clone(),
    };
    let to_live = between(step, at, &live).await?;
    let to_since = if since == live {
        to_live.clone()
    } else {
        between(step, at, &since).await?
    };
    Ok(Seen {
        live,
        since,
        commit: commit(step, at).await?,
        order: to_live.map(|between| (between.standing, between.ahead)),
        pending: to_since.and_then(|between| pending(between, &at.service.migrations)),
    })
}

async fn desk(at: At<'_>) -> Result<Arc<Desk>, StepError> {
    let needs = Needs::default();
    let request = snapshot::Request {
        slot: &at.service.id,
        needs: &needs,
        records: &[],
        delivery: None,
    };
    let loaded = snapshot::load(&*at.engine.store, &at.engine.cache, request).await;
    loaded
        .map(|snapshot| snapshot.desk)
        .map_err(|error| StepError::Later(error.to_string()))
}

/// What the runbook says; what a server says of itself when it does not know is no version.
pub(super) fn said_version(said: &str) -> Known<Version> {
    match said.trim() {
        "" | "unknown" => Err("what is live does not say which version it is".to_owned()),
        said => Ok(Version {
            name: said.to_owned(),
            git: said.to_owned(),
        }),
    }
}

/// What a page says.
async fn read_version(at: At<'_>, url: &str, place: &str) -> Result<Known<Version>, StepError> {
    match http::json_at(at, url, place).await {
        Ok(said) => Ok(said_version(&said)),
        Err(StepError::Later(why)) if at.attempt >= TRIES => Ok(Err(format!("{url}: {why}"))),
        Err(error) => Err(error),
    }
}

pub(super) fn known_version(revision: &Revision) -> Known<Version> {
    let git = revision.commit.as_deref().or(revision.ref_name());
    let Some(git) = git else {
        let why = revision.unknown.as_deref().unwrap_or("the pipeline does not tell");
        return Err(format!("the commit that is live is not known: {why}"));
    };
    Ok(Version {
        name: revision.ref_name().map_or_else(|| revision.short(), str::to_owned),
        git: git.to_owned(),
    })
}

/// What was live before what is live now: the newest good release of something else.
pub(super) fn before(desk: &Desk, environment: &EnvironmentId) -> Known<Version> {
    let live = desk.live.get(environment).map(|live| &live.revision);
    let runs = desk.recent.get(environment).into_iter().flatten();
    let mut good = runs
        .filter(|run| run.reason == Reason::Succeeded)
        .map(|run| &run.revision);
    let earlier = live.and_then(|live| good.find(|revision| !revision.same_as(live)));
    earlier.map_or_else(
        || {
            Err(format!(
                "what was live in {environment} before is not known: say it with `since`"
            ))
        },
        known_version,
    )
}

/// How what would ship stands to a version.
async fn between(step: &Schema, at: At<'_>, base: &Known<Version>) -> Result<Known<Between>, StepError> {
    let base = match base {
        Ok(base) => base,
        Err(why) => return Ok(Err(why.clone())),
    };
    if base.git == step.git() {
        return Ok(Ok(Between::same()));
    }
    let Some(repository) = &at.service.github else {
        return Ok(Err(format!("no `github` is configured for {}", at.service.id)));
    };
    let ends = (base.git.as_str(), step.git());
    match at.engine.github.between(repository, ends, at.lease).await {
        Ok(Ok(between)) => Ok(Ok(between)),
        Ok(Err(why)) => Ok(Err(format!("{why} ({} and {})", base.name, step.version))),
        Err(not_now) if at.attempt < TRIES => Err(StepError::Later(not_now.why)),
        Err(not_now) => Ok(Err(not_now.why)),
    }
}

/// The commit at which the code stands that would ship: a branch may stand elsewhere when somebody has thought about it.
async fn commit(step: &Schema, at: At<'_>) -> Result<Known<String>, StepError> {
    let named = step.git();
    if named.len() == FULL && named.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(Ok(named.to_owned()));
    }
    let Some(repository) = &at.service.github else {
        return Ok(Err(format!("no `github` is configured for {}", at.service.id)));
    };
    match at.engine.github.commit_of(repository, named, at.lease).await {
        Ok(found) => Ok(found),
        Err(not_now) if at.attempt < TRIES => Err(StepError::Later(not_now.why)),
        Err(not_now) => Ok(Err(not_now.why)),
    }
}

/// The files that are migrations.
pub(super) fn pending(between: Between, patterns: &[Pattern]) -> Known<Pending> {
    if patterns.is_empty() {
        return Err("no `migrations` patterns are configured".to_owned());
    }
    let fits = |file: &Brought| patterns.iter().any(|pattern| pattern.fits(&file.name));
    let files: Vec<Brought> = between.files.into_iter().filter(fits).collect();
    if files.is_empty() && !between.whole {
        return Err("GitHub does not list all files of so large a difference".to_owned());
    }
    Ok(Pending {
        files,
        whole: between.whole,
    })
}
