//! `schema`: what is live and what would ship are compared on GitHub, right before the job is started; the job itself is `codebuild`'s.
//!
//! Nothing here believes what an earlier look found: while a person thought about it, somebody may have released.

use async_trait::async_trait;
use commands::catalog::{Pattern, Tier};
use commands::desk::Desk;
use commands::effect::StepOutcome;
use commands::facts::Needs;
use commands::ids::EnvironmentId;
use commands::reason::Reason;
use commands::round::Revision;
use commands::step::{CANNOT_TELL, Codebuild, First, PENDING, Schema, Unknown, WRONG_ORDER};
use commands::time::Span;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answer, At, Executor, Probe, StepError, codebuild, http};
use crate::github::{Between, Brought, Standing};
use crate::runner::snapshot;

/// After so many attempts what GitHub does not tell is unknown.
const TRIES: u32 = 4;
/// So many pending migrations are named.
const NAMED: usize = 10;
/// So many earlier builds say how long it usually takes.
const EARLIER: usize = 5;

/// What is known; or why it is not, in words.
type Known<T> = Result<T, String>;

/// A version, by the name that people know and by what GitHub is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    name: String,
    git: String,
}

/// The migrations that are pending.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pending {
    files: Vec<Brought>,
    /// Whether these are all.
    whole: bool,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    live: Known<Version>,
    since: Known<Version>,
    /// How what would ship stands to what is live, and how many commits it brings.
    order: Known<(Standing, usize)>,
    pending: Known<Pending>,
}

#[async_trait]
impl Executor for Schema {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let seen = look(self, at).await?;
        refuse(self, &seen, production(at))?;
        let mut shown = vec![order_words(self, &seen)];
        shown.extend(pending_words(self, &seen, &at.service.migrations));
        let nothing = matches!(&seen.pending, Ok(pending) if pending.files.is_empty());
        let job = self.job().filter(|_| !nothing || self.look);
        let mut evidence = shown.clone();
        if let Some(job) = &job {
            if !self.look {
                // The job is there, or nothing begins.
                job.prepare(at).await?;
            }
            evidence.splice(1..1, took(self, job, at).await?);
        } else if !self.look {
            evidence.push("the job is not started".to_owned());
        }
        Ok(StepOutcome::Prepared {
            memo: json!({ "shown": shown }),
            outputs: outputs(&seen),
            evidence,
            done: job.is_none(),
        })
    }

    async fn act(&self, at: At<'_>) -> Answer {
        Ok(with_shown(the_job(self)?.act(at).await?, at))
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        Ok(match the_job(self)?.probe(at).await? {
            Probe::Done(outcome) => Probe::Done(with_shown(outcome, at)),
            other => other,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        Ok(with_shown(the_job(self)?.watch(at).await?, at))
    }
}

fn the_job(step: &Schema) -> Result<Codebuild, StepError> {
    step.job()
        .ok_or_else(|| StepError::failed("no_project", "the step names no build that runs the migrations"))
}

/// The job's outcome, with what was shown before it was started: it stays with the step to its end.
fn with_shown(mut outcome: StepOutcome, at: At<'_>) -> StepOutcome {
    let shown = &at.call.memo["shown"];
    match &mut outcome {
        StepOutcome::Acted { memo } if memo.is_object() => memo["shown"] = shown.clone(),
        StepOutcome::Finished { evidence, .. } => {
            let lines = shown.as_array().into_iter().flatten();
            evidence.extend(lines.filter_map(Value::as_str).map(str::to_owned));
        }
        _ => {}
    }
    outcome
}

fn production(at: At<'_>) -> bool {
    let environment = at.service.environment(&at.call.environment);
    environment.is_none_or(|environment| environment.tier == Tier::Production)
}

async fn look(step: &Schema, at: At<'_>) -> Result<Seen, StepError> {
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
fn said_version(said: &str) -> Known<Version> {
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

fn known_version(revision: &Revision) -> Known<Version> {
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
fn before(desk: &Desk, environment: &EnvironmentId) -> Known<Version> {
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
    if base.git == step.version {
        return Ok(Ok(Between::same()));
    }
    let Some(repository) = &at.service.github else {
        return Ok(Err(format!("no `github` is configured for {}", at.service.id)));
    };
    let ends = (base.git.as_str(), step.version.as_str());
    match at.engine.github.between(repository, ends, at.lease).await {
        Ok(Ok(between)) => Ok(Ok(between)),
        Ok(Err(why)) => Ok(Err(format!("{why} ({} and {})", base.name, step.version))),
        Err(not_now) if at.attempt < TRIES => Err(StepError::Later(not_now.why)),
        Err(not_now) => Ok(Err(not_now.why)),
    }
}

/// The files that are migrations.
fn pending(between: Between, patterns: &[Pattern]) -> Known<Pending> {
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

/// The wrong order, and on production what cannot be told, end the step before anything is done.
fn refuse(step: &Schema, seen: &Seen, production: bool) -> Result<(), StepError> {
    let version = &step.version;
    let live = seen.live.as_ref().map_or("what is live", |live| live.name.as_str());
    let wrong = match (step.first, &seen.order) {
        (Some(First::Schema), Ok((Standing::Same, _))) => Some(format!(
            "{version} is live already, and its schema has to go before it. If its migrations were not run, see to that by hand, then leave this step out"
        )),
        (Some(First::Schema), Ok((Standing::Behind, _))) => Some(format!(
            "{live} is live, which holds {version}: the code that needs the schema is live already. Name what would ship next, or leave this step out"
        )),
        (Some(First::Code), Ok((Standing::Ahead | Standing::Diverged, _))) => Some(format!(
            "{version} is not live yet, {live} is: the code goes first here. Roll it out, then try again"
        )),
        _ => None,
    };
    if let Some(why) = wrong {
        return Err(StepError::failed(WRONG_ORDER, why));
    }
    let order = seen.order.as_ref().err().filter(|_| step.first.is_some());
    let order = order.map(|why| format!("{CANNOT_TELL} whether the order is right, because {why}"));
    let pending = seen.pending.as_ref().err();
    let pending = pending.map(|why| format!("{CANNOT_TELL} which migrations are pending, because {why}"));
    match order.or(pending) {
        Some(why) if production && step.unknown == Unknown::Refuse => Err(StepError::failed(
            "cannot_tell",
            format!(
                "{why}. On production nothing is done then: mend that and try again, or look yourself and leave this step out"
            ),
        )),
        _ => Ok(()),
    }
}

fn order_words(step: &Schema, seen: &Seen) -> String {
    let version = &step.version;
    let live = match (&seen.live, &seen.order) {
        (Ok(live), Ok(_)) => &live.name,
        (_, Err(why)) | (Err(why), _) => {
            return format!("{CANNOT_TELL} how {version} stands to what is live, because {why}");
        }
    };
    match &seen.order {
        Ok((Standing::Same, _)) => format!("{version} is live"),
        Ok((Standing::Behind, _)) => format!("{live} is live, which holds {version}"),
        Ok((Standing::Diverged, ahead)) => format!(
            "{live} is live; {version} brings {}, and some of {live} are not in it",
            count(*ahead, "commit")
        ),
        Ok((Standing::Ahead, ahead)) => format!("{live} is live; {version} brings {}", count(*ahead, "commit")),
        Err(_) => String::new(),
    }
}

/// How many migrations are pending, and which.
fn pending_words(step: &Schema, seen: &Seen, patterns: &[Pattern]) -> Vec<String> {
    let database = &step.database;
    let pending = match &seen.pending {
        Ok(pending) => pending,
        Err(why) => {
            return vec![format!(
                "{CANNOT_TELL} which migrations are pending on {database}, because {why}"
            )];
        }
    };
    if pending.files.is_empty() {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let since = seen.since.as_ref().map_or("what is live", |since| since.name.as_str());
        return vec![format!(
            "no migration is pending on {database}: nothing from {since} to {} fits {}",
            step.version,
            patterns.join(" or ")
        )];
    }
    let number = count(pending.files.len(), "migration");
    let verb = if pending.files.len() == 1 { "is" } else { "are" };
    let mut lines = vec![if pending.whole {
        format!("{number} {verb} pending on {database}")
    } else {
        format!("at least {number} {verb} pending on {database}; GitHub does not list all files")
    }];
    let named = pending.files.iter().take(NAMED);
    lines.extend(named.map(|file| match file.changed {
        true => format!("{} (changed)", file.name),
        false => file.name.clone(),
    }));
    let more = pending.files.len().saturating_sub(NAMED);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn outputs(seen: &Seen) -> BTreeMap<String, String> {
    let pending = match &seen.pending {
        Ok(pending) if pending.whole => pending.files.len().to_string(),
        _ => "unknown".to_owned(),
    };
    let mut outputs = BTreeMap::from([(PENDING.to_owned(), pending)]);
    let live = seen.live.as_ref().ok().map(|live| live.name.clone());
    outputs.extend(live.map(|live| ("live".to_owned(), live)));
    outputs
}

/// What earlier builds of the same job took; that it cannot be read holds nothing up.
async fn took(step: &Schema, job: &Codebuild, at: At<'_>) -> Result<Option<String>, StepError> {
    let builds = match codebuild::newest(at, &job.project).await {
        Ok(builds) => builds,
        Err(StepError::Later(why)) if at.attempt < TRIES => return Err(StepError::Later(why)),
        Err(StepError::Later(why) | StepError::Failed { message: why, .. }) => {
            return Ok(Some(format!("how long earlier builds took is not known: {why}")));
        }
    };
    // The version is another every time; what else the job is told has to be alike.
    let alike: BTreeMap<&str, &str> = job
        .variables
        .iter()
        .filter(|(_, value)| **value != step.version)
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut spans = codebuild::good_spans(&builds, &alike);
    spans.truncate(EARLIER);
    Ok(took_words(&job.project, &spans))
}

fn took_words(project: &str, spans: &[Span]) -> Option<String> {
    let (shortest, longest) = (spans.iter().min()?, spans.iter().max()?);
    Some(match spans {
        [one] => format!("the last good build of {project} took {one}"),
        _ if shortest.to_string() == longest.to_string() => {
            format!("the last {} good builds of {project} took {longest}", spans.len())
        }
        _ => format!(
            "the last {} good builds of {project} took {shortest} to {longest}",
            spans.len()
        ),
    })
}

#[cfg(test)]
mod tests;
