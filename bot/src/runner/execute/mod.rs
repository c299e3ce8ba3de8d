//! Effects are carried out here, and nowhere else. One exhaustive match: an effect without an arm does not compile.
//!
//! A first try acts; a later one begins with a look at what the earlier ones did. What may have been done and cannot be looked up comes back as
//! [`Outcome::Unknown`], never as a guess.

mod answer;
pub(super) mod card;
mod gather;
mod intervene;
mod pipeline;
pub(crate) mod say;
mod spread;
mod step;

use std::collections::BTreeSet;
use std::sync::Arc;

use commands::catalog::Service;
use commands::effect::{Effect, Outcome};
use commands::facts::Needs;
use commands::ids::{EffectKey, RecordId};
use commands::run::Run;
use commands::time::Span;

use super::engine::Engine;
use super::snapshot::{self, Snapshot};
use crate::aws::AwsError;
use crate::door::Lease;
use crate::slack::SlackError;
use card::Carded;

/// Which try this is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try<'a> {
    /// From 1. Above that: look first.
    pub attempt: u32,
    /// Under which nothing may be sent that could take longer.
    pub lease: Lease,
    /// The effect's key.
    pub key: &'a EffectKey,
}

/// What came of a try.
#[derive(Debug)]
pub(super) enum Done {
    /// This is certain.
    Outcome(Outcome),
    /// Nothing is certain, or nothing was done; worth another try.
    Later {
        /// After this span; `None`: the usual one.
        after: Option<Span>,
        /// For the log.
        why: String,
    },
}

impl Done {
    fn later(why: impl Into<String>) -> Self {
        Self::Later {
            after: None,
            why: why.into(),
        }
    }
}

/// Carries an effect out.
pub(super) async fn execute(engine: &Arc<Engine>, service: &Service, effect: &Effect, this: Try<'_>) -> Done {
    match effect {
        Effect::DrawCard { run } => card::draw(engine, service, run, this).await,
        Effect::PostInThread { run, name, message } => {
            say::in_thread(engine, service, (run, name, message), this).await
        }
        Effect::Post { to, marker, message } => say::to(engine, (to, marker, message), this).await,
        Effect::ReadPipeline { .. } => pipeline::read(engine, service, effect, this).await,
        Effect::GatherChange { run, base, head } => {
            gather::change(engine, service, run, (base.as_deref(), head.as_deref()), this).await
        }
        Effect::GatherCheck { .. } => gather::check(engine, service, effect, this).await,
        Effect::AnswerApproval { .. } => answer::answer(engine, effect, this).await,
        Effect::RetryStage { .. } => intervene::retry(engine, effect, this).await,
        Effect::StopExecution { .. } => intervene::stop(engine, effect, this).await,
        Effect::Step(call) => step::call(engine, service, call, this).await,
        Effect::SpreadFreeze {
            service, freeze, by, ..
        } => spread::spread(engine, service, (freeze.as_ref(), by), this).await,
    }
}

/// Cleans up after an effect whose report came too late: somebody else has it now, and may have done it too.
pub(super) async fn disown(engine: &Arc<Engine>, service: &Service, effect: &Effect, outcome: &Outcome) {
    if let (
        Effect::DrawCard { run },
        Outcome::Drawn {
            posted: Some((channel, ts)),
        },
    ) = (effect, outcome)
    {
        card::remove_double(engine, service, run, (channel, ts)).await;
    }
}

/// A run of any kind as it stands, with its slot; why not, when the store does not answer or a newer version runs it.
async fn load_carded(engine: &Engine, service: &Service, id: &RecordId) -> Result<(Snapshot, Carded), String> {
    let snapshot = load(engine, service, id).await?;
    let run = snapshot.runs.get(id).cloned().map(|run| Carded::Run(Box::new(run)));
    let operation = || {
        let operation = snapshot.operations.get(id).cloned()?;
        Some(Carded::Operation(Box::new(operation)))
    };
    let carded = run.or_else(operation).ok_or("the run cannot be read by this version")?;
    Ok((snapshot, carded))
}

/// An approval's run, with its slot.
async fn load_run(engine: &Engine, service: &Service, id: &RecordId) -> Result<(Snapshot, Run), String> {
    let snapshot = load(engine, service, id).await?;
    let run = snapshot
        .runs
        .get(id)
        .cloned()
        .ok_or("the run cannot be read by this version")?;
    Ok((snapshot, run))
}

async fn load(engine: &Engine, service: &Service, id: &RecordId) -> Result<Snapshot, String> {
    let needs = Needs {
        runs: BTreeSet::from([id.clone()]),
        ..Needs::default()
    };
    let request = snapshot::Request {
        slot: &service.id,
        needs: &needs,
        records: &[],
        delivery: None,
    };
    snapshot::load(&*engine.store, &engine.cache, request)
        .await
        .map_err(|error| error.to_string())
}

/// What a failure of Slack means for an effect whose repeat is found by its marker.
fn slack_failure(error: SlackError) -> Done {
    match error {
        SlackError::RateLimited { retry_after } => Done::Later {
            after: retry_after.or(Some(Span::seconds(5))),
            why: "Slack asks to slow down".to_owned(),
        },
        SlackError::Refused { code } if is_passing(&code) => Done::later(code),
        SlackError::Refused { code } => Done::Outcome(Outcome::Undeliverable { error: code }),
        SlackError::NotSent(why) | SlackError::Unknown(why) => Done::later(why),
    }
}

/// Slack's own troubles, and mistakes that people mend without touching the bot.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "internal_error"
            | "fatal_error"
            | "service_unavailable"
            | "request_timeout"
            | "ratelimited"
            | "invalid_auth"
            | "account_inactive"
            | "token_revoked"
            | "not_in_channel"
            | "missing_scope"
    )
}

/// What a failure of a read means: it is worth another try, or people have to know.
fn read_failure(error: &AwsError) -> String {
    error.to_string()
}
