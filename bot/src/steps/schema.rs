//! `schema`: what is live and what would ship are compared on GitHub, right before the job is started; the job itself is `codebuild`'s.
//!
//! Nothing here believes what an earlier look found: while a person thought about it, somebody may have released.

mod look;

use async_trait::async_trait;
use commands::catalog::{Pattern, Tier};
use commands::effect::StepOutcome;
use commands::step::{CANNOT_TELL, Codebuild, First, PENDING, Schema, Unknown, WRONG_ORDER};
use commands::time::Span;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use self::look::{Seen, look};
use super::{Answer, At, Executor, Probe, StepError, codebuild};
use crate::github::Standing;

/// After so many attempts what GitHub does not tell is unknown.
const TRIES: u32 = 4;
/// So many pending migrations are named.
const NAMED: usize = 10;
/// So many earlier builds say how long it usually takes.
const EARLIER: usize = 5;

#[async_trait]
impl Executor for Schema {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let seen = look(self, at).await?;
        refuse(self, &seen, production(at))?;
        let mut shown = vec![order_words(self, &seen)];
        shown.extend(pending_words(self, &seen, &at.service.migrations));
        shown.extend(place_words(self, &seen));
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

    fn began(&self, memo: &Value) -> Option<bool> {
        self.job()?.began(memo)
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

/// Where a branch or tag stands; it may be moved.
fn place_words(step: &Schema, seen: &Seen) -> Option<String> {
    let commit = seen.commit.as_ref().ok().filter(|_| step.commit.is_none())?;
    let named = commit.starts_with(&step.version);
    (!named).then(|| format!("{} is at {}", step.version, commit.get(..7).unwrap_or(commit)))
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
    let commit = seen.commit.as_ref().ok();
    outputs.extend(commit.map(|commit| ("commit".to_owned(), commit.clone())));
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
