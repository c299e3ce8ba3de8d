//! Gathers evidence: what would go out, and what the checks look at.

use std::sync::Arc;

use async_trait::async_trait;
use commands::catalog::Service;
use commands::check::{Level, Verdict};
use commands::desk::Maintenance as Standing;
use commands::effect::{Effect, Outcome};
use commands::ids::{RecordId, UserId};
use commands::operation::maintenance;
use commands::round::Change;
use commands::time::Span;

use super::{Done, Try, load_run};
use crate::checks::{self, Ask};
use crate::github::{Authors, ChangeRequest};
use crate::runner::engine::Engine;
use crate::steps::{Red, red};

/// After so many tries what is missing is shown as unknown, so that people know; `/deploy check` looks again.
const TRIES: u32 = 5;

/// What comes back later than this is shown as unknown meanwhile.
const SOON: Span = Span::minutes(1);

/// The commit that is live, and the candidate's.
type Range<'a> = (Option<&'a str>, Option<&'a str>);

pub(super) async fn change(
    engine: &Arc<Engine>,
    service: &Service,
    run: &RecordId,
    (base, head): Range<'_>,
    this: Try<'_>,
) -> Done {
    let Some(repository) = &service.github else {
        return found(unknown(engine, "no repository is configured for this service"));
    };
    let request = ChangeRequest {
        repository,
        base,
        head,
        lease: this.lease,
    };
    let answer = engine.github.change(request, &Known { engine, service }).await;
    let now = engine.clock.now();
    match answer {
        Ok(change) => found(change),
        Err(not_now) if this.attempt < TRIES && not_now.retry_at.is_none_or(|at| at <= now + SOON) => Done::Later {
            after: not_now.retry_at.map(|at| at - now),
            why: not_now.why,
        },
        Err(not_now) => {
            tracing::warn!(%run, why = not_now.why, "what would go out stays unknown");
            found(unknown(engine, &not_now.why))
        }
    }
}

fn found(change: Change) -> Done {
    Done::Outcome(Outcome::Change { change })
}

fn unknown(engine: &Engine, why: &str) -> Change {
    Change {
        unknown: Some(why.to_owned()),
        as_of: engine.clock.now(),
        ..Change::default()
    }
}

/// Whose e-mail it is: configuration first, then Slack.
struct Known<'a> {
    engine: &'a Engine,
    service: &'a Service,
}

#[async_trait]
impl Authors for Known<'_> {
    async fn user_of(&self, email: &str) -> Result<Option<UserId>, String> {
        match self.service.authors.get(&email.to_lowercase()) {
            Some(user) => Ok(Some(user.clone())),
            None => self
                .engine
                .people
                .by_email(email)
                .await
                .map_err(|error| error.to_string()),
        }
    }
}

pub(super) async fn check(engine: &Arc<Engine>, service: &Service, effect: &Effect, this: Try<'_>) -> Done {
    let Effect::GatherCheck {
        run,
        check: name,
        environment,
        ..
    } = effect
    else {
        return Done::later("not a check");
    };
    let now = engine.clock.now();
    let unknown = |why: &str| {
        Done::Outcome(Outcome::Judged {
            verdict: checks::unknown(name, why, now),
        })
    };
    let (Some(check), Some(environment)) = (checks::find(&name.0), service.environment(environment)) else {
        return unknown("this check or its environment is no longer configured");
    };
    let (desk, run) = match load_run(engine, service, run).await {
        Ok((snapshot, run)) => (snapshot.desk, run),
        Err(why) => return Done::later(why),
    };
    if run.change.is_none() && this.attempt < TRIES {
        // Some checks look at the files; they come in within a second or two.
        return Done::Later {
            after: Some(Span::seconds(1)),
            why: "what would go out is not gathered yet".to_owned(),
        };
    }
    let ask = Ask {
        service,
        environment,
        change: run.change.as_ref(),
        run: &run.id,
        turned_on: desk.maintenance.contains_key(&environment.id),
        engine,
        now,
        lease: this.lease,
    };
    let answer = check.gather(&ask).await;
    match answer {
        Ok(mut verdict) => {
            let standing = desk.maintenance.get(&environment.id);
            if let Some(standing) = standing.filter(|_| check.reddens_in_maintenance() && verdict.level == Level::Bad) {
                excuse(&ask, standing, &mut verdict).await;
            }
            Done::Outcome(Outcome::Judged { verdict })
        }
        Err(error @ crate::aws::AwsError::Fatal { .. }) => unknown(&super::read_failure(&error)),
        Err(error) if this.attempt >= TRIES => unknown(&super::read_failure(&error)),
        Err(error) => Done::later(super::read_failure(&error)),
    }
}

/// What is red because of maintenance mode stops nobody. That was turned on from here; where it can be read it is, for others turn it off as well.
async fn excuse(ask: &Ask<'_>, standing: &Standing, verdict: &mut Verdict) {
    let words = match red(ask).await {
        Red::Excused(_) | Red::Untold => {
            verdict.level = Level::Notice;
            let name = ask.engine.people.person(&standing.by).await.name;
            maintenance::red_words(&name, standing.since)
        }
        Red::Counts(_) => "maintenance was turned on from here, but is not seen to be on".to_owned(),
    };
    verdict.reason = format!("{}: {words}", verdict.reason);
}
