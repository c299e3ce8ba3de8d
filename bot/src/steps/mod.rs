//! What steps do outside: one file for each kind of step that makes calls.
//!
//! The core says when which call is owed ([`commands::step`]); here is how it is made. A first try of `act` acts; a later one begins with `probe`,
//! which looks whether an earlier try went through.

mod alarms;
mod announce;
mod api_call;
mod bucket_delete;
mod bucket_parity;
mod buckets;
mod build_log;
mod codebuild;
mod command;
mod databases;
mod dns;
mod earlier;
mod errors;
mod event_source;
mod flag;
mod http;
mod job;
mod lambda;
mod lines;
mod listed;
mod log_level;
mod log_match;
mod logs;
mod maintenance;
mod mapping;
mod posture;
mod queue_drain;
mod redrive;
mod require;
mod restore;
mod route53;
mod schedule;
mod schema;
mod search_parity;
mod snapshot;
mod table;
mod told_by_log;
mod variables;

pub(crate) use maintenance::{Red, Truth, maintenance_truth, red};

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use commands::catalog::{AwsTarget, Service};
use commands::effect::{CallPhase, Outcome, StepCall, StepOutcome};
use commands::operation::Progress;
use commands::step::Action;
use commands::time::Timestamp;
use serde_json::Value;
use url::Url;

use crate::aws::api::Api;
use crate::aws::clients::Within;
use crate::aws::signed::{Ask, Told};
use crate::aws::{Actor, AwsError};
use crate::door::{DoorError, Lease, origin_name};
use crate::runner::Engine;
use crate::secret::Secret;

/// What a call is made with.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// The bot.
    pub engine: &'a Arc<Engine>,
    /// The service.
    pub service: &'a Service,
    /// The call.
    pub call: &'a StepCall,
    /// Under which nothing may be sent that could take longer.
    pub lease: Lease,
    /// In whose name AWS is called.
    pub actor: &'a Actor,
    /// Now.
    pub now: Timestamp,
    /// Which attempt this is, from 1: what cannot be read is asked again a few times before it counts as unknown.
    pub attempt: u32,
}

impl At<'_> {
    /// Calls an AWS service as the environment's role, in the name of whoever started the run.
    pub(crate) async fn aws(&self, api: Api, ask: Ask<'_>) -> Result<Told, AwsError> {
        self.engine.aws.signed(self.within(&self.call.aws), api, ask).await
    }

    /// The same in another region.
    pub(crate) async fn aws_in(&self, region: &str, api: Api, ask: Ask<'_>) -> Result<Told, AwsError> {
        let mut target = self.call.aws.clone();
        region.clone_into(&mut target.region);
        self.engine.aws.signed(self.within(&target), api, ask).await
    }

    /// As whom and until when AWS is called in an account and region.
    pub(crate) const fn within<'w>(&'w self, target: &'w AwsTarget) -> Within<'w> {
        Within {
            target,
            actor: self.actor,
            lease: self.lease,
        }
    }

    /// Whether the service lists the server of an address: steps speak to no other.
    pub(crate) fn listed(&self, url: &Url) -> Result<(), StepError> {
        let host = origin_name(url);
        if self.service.hosts.contains(&host) {
            return Ok(());
        }
        let why = format!("{host} is not listed: add it to `hosts` of {}", self.service.id);
        Err(StepError::failed("host_not_listed", why))
    }

    /// A secret of another service, by the environment variable that the configuration names.
    pub(crate) fn secret(&self, name: &str) -> Result<&Secret, StepError> {
        self.engine.secrets.get(name).ok_or_else(|| {
            let why = format!("{name} is not set in the bot's environment: set it, restart the bot, and try again");
            StepError::failed("no_secret", why)
        })
    }

    /// What marks what this try of the step did, so that it can be found again; of one that follows what an earlier try began, the earlier's.
    pub(crate) fn marker(&self) -> String {
        match earlier::marker(self.call) {
            Some(marker) if self.call.phase == CallPhase::Watch => marker.to_owned(),
            _ => format!("{}/{}/{}", self.call.run, self.call.step, self.call.number),
        }
    }
}

/// Why a call brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StepError {
    /// Nothing is certain, or nothing was done: it is tried again.
    Later(String),
    /// It certainly failed, and trying again does not mend it.
    Failed {
        /// The vendor's code, or ours.
        code: String,
        /// In words; foreign text.
        message: String,
    },
}

/// What came of a call.
pub(crate) type Answer = Result<StepOutcome, StepError>;

/// What a look at an earlier try found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probe {
    /// It was done, and this is what it would have answered.
    Done(StepOutcome),
    /// It was not done, and doing it now is safe.
    NotDone,
    /// Nobody can tell.
    CannotTell(String),
}

/// How a kind makes its calls. What a kind does not do is not asked of it: the core knows from [`commands::step::Conduct`].
#[async_trait]
pub(crate) trait Executor: Sync {
    /// Reads what is there.
    async fn prepare(&self, _: At<'_>) -> Answer {
        Ok(prepared(Value::Null))
    }

    /// Changes it.
    async fn act(&self, _: At<'_>) -> Answer {
        Err(none("act"))
    }

    /// Whether a memo names something that `act` began and that goes on by itself; `None`: this step begins no such thing. A try that was given up before
    /// its end was seen is followed by the next, and nothing is begun beside it.
    fn began(&self, _: &Value) -> Option<bool> {
        None
    }

    /// Whether what an earlier try of `act` sent may come into being after a look that found nothing: the other side knows no key of ours by which it
    /// would refuse the second.
    fn comes_late(&self) -> bool {
        false
    }

    /// Looks whether an earlier try of `act` went through.
    async fn probe(&self, _: At<'_>) -> Result<Probe, StepError> {
        Err(none("probe"))
    }

    /// Reads until it is done.
    async fn watch(&self, _: At<'_>) -> Answer {
        Err(none("watch"))
    }

    /// Changes it back; guarded by what was there, so that a second try is harmless.
    async fn undo(&self, _: At<'_>) -> Answer {
        Err(none("undo"))
    }

    /// Reads until it is back.
    async fn undo_watch(&self, at: At<'_>) -> Answer {
        self.watch(at).await
    }
}

fn none(phase: &str) -> StepError {
    StepError::failed("bug", format!("this kind of step has no {phase}"))
}

impl StepError {
    /// A failure that trying again does not mend.
    pub(crate) fn failed(code: &str, message: impl Into<String>) -> Self {
        Self::Failed {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

impl From<AwsError> for StepError {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::Fatal { code, message } => Self::Failed { code, message },
            AwsError::Retryable { .. } | AwsError::Unknown { .. } => Self::Later(error.to_string()),
        }
    }
}

impl From<DoorError> for StepError {
    fn from(error: DoorError) -> Self {
        Self::Later(error.to_string())
    }
}

/// What was found, with something left to do.
pub(crate) fn prepared(memo: Value) -> StepOutcome {
    found(memo, Vec::new())
}

/// Nothing is left to do.
pub(crate) fn already(outputs: BTreeMap<String, String>, evidence: impl Into<String>) -> StepOutcome {
    StepOutcome::Prepared {
        memo: Value::Null,
        outputs,
        evidence: vec![evidence.into()],
        done: true,
    }
}

/// Done, and something may be undone or watched with this.
pub(crate) const fn acted(memo: Value) -> StepOutcome {
    StepOutcome::Acted { memo }
}

/// Seen to be done.
pub(crate) fn finished(evidence: impl Into<String>) -> StepOutcome {
    StepOutcome::Finished {
        outputs: BTreeMap::new(),
        evidence: vec![evidence.into()],
    }
}

/// What was found and seen, with something left to do.
pub(crate) fn found(memo: Value, evidence: Vec<String>) -> StepOutcome {
    StepOutcome::Prepared {
        memo,
        outputs: BTreeMap::new(),
        evidence,
        done: false,
    }
}

/// On its way, so far.
pub(crate) fn pending_at(memo: Value, words: impl Into<String>, percent: Option<u8>) -> StepOutcome {
    StepOutcome::Pending {
        memo,
        progress: Progress {
            words: words.into(),
            percent,
            ..Progress::default()
        },
    }
}

/// On its way, as far as anybody knows: it cannot be seen.
pub(crate) fn blind(memo: Value, why: &str) -> StepOutcome {
    StepOutcome::Pending {
        memo,
        progress: Progress::blind(why),
    }
}

/// On its way.
pub(crate) fn pending(memo: Value, words: impl Into<String>) -> StepOutcome {
    pending_at(memo, words, None)
}

/// An instant as AWS's JSON has it: seconds since the epoch, with a fraction.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any real date fit")]
    let milliseconds = |seconds: f64| (seconds * 1000.0) as i64;
    value.as_f64().map(milliseconds).map(Timestamp)
}

/// The kind's own calls; `None`: it makes none.
fn executor(action: &Action) -> Option<&dyn Executor> {
    match action {
        Action::Announce(kind) => Some(kind),
        Action::Http(kind) => Some(kind),
        Action::Flag(kind) => Some(kind),
        Action::EventSource(kind) => Some(kind),
        Action::Lambda(kind) => Some(kind),
        Action::Codebuild(kind) => Some(kind),
        Action::QueueDrain(kind) => Some(kind),
        Action::Require(kind) => Some(kind),
        Action::Table(kind) => Some(kind),
        Action::Redrive(kind) => Some(kind),
        Action::Schedule(kind) => Some(kind),
        Action::Snapshot(kind) => Some(kind),
        Action::Restore(kind) => Some(kind),
        Action::Route53(kind) => Some(kind),
        Action::Mapping(kind) => Some(kind),
        Action::Alarms(kind) => Some(kind),
        Action::Posture(kind) => Some(kind),
        Action::BucketParity(kind) => Some(kind),
        Action::BucketDelete(kind) => Some(kind),
        Action::LogMatch(kind) => Some(kind),
        Action::SearchParity(kind) => Some(kind),
        Action::Dns(kind) => Some(kind),
        Action::ApiCall(kind) => Some(kind),
        Action::Job(kind) => Some(kind),
        Action::Command(kind) => Some(kind),
        Action::LogLevel(kind) => Some(kind),
        Action::Maintenance(kind) => Some(kind),
        Action::Schema(kind) => Some(kind),
        Action::Wait(_) | Action::Manual(_) | Action::Approval(_) => None,
    }
}

/// Makes a call.
pub(crate) async fn make(at: At<'_>) -> Result<Outcome, StepError> {
    let Some(executor) = executor(&at.call.action) else {
        return Err(none("call"));
    };
    let came = match at.call.phase {
        CallPhase::Prepare => match earlier::followed(executor, at).await? {
            Some(followed) => followed,
            None => executor.prepare(at).await?,
        },
        CallPhase::Act if earlier::marker(at.call).is_some() => acted(at.call.memo.clone()),
        CallPhase::Act if at.attempt > 1 || at.call.unseen => match executor.probe(at).await? {
            Probe::Done(outcome) => outcome,
            // Only the first try behind a look that was put off may act: any later one may follow something that was sent a moment ago.
            Probe::NotDone if executor.comes_late() && at.attempt > 1 => StepOutcome::Unseen,
            Probe::NotDone => executor.act(at).await?,
            Probe::CannotTell(why) => return Ok(Outcome::Unknown { why }),
        },
        CallPhase::Act => executor.act(at).await?,
        CallPhase::Watch => executor.watch(at).await?,
        CallPhase::Undo => executor.undo(at).await?,
        CallPhase::UndoWatch => executor.undo_watch(at).await?,
    };
    Ok(Outcome::Step { came })
}
