//! Effects: what the bot owes the world, as data.
//!
//! The enum is closed and the executor matches it in full, so that an effect nobody carries out does not compile. Each effect says why doing it
//! twice is harmless ([`Class`]); that is what makes exactly-once more than a hope.

mod call;

use serde::{Deserialize, Serialize};

pub use call::{CallPhase, StepCall, StepOutcome};

use crate::catalog::{AwsTarget, CheckName};
use crate::desk::Freeze;
use crate::ids::{ChannelId, EffectKey, EnvironmentId, RecordId, ServiceId, UserId};
use crate::round::Round;
use crate::run::Ballot;
use crate::time::{Span, Timestamp};
use crate::view::Message;

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Draw the run's card as it stands when the worker gets to it: post it, or edit it in place. Coalesces.
    DrawCard {
        /// The run.
        run: RecordId,
    },
    /// Say something in the run's thread, once.
    PostInThread {
        /// The run; its card is the thread's parent.
        run: RecordId,
        /// Tells this message from the run's others.
        name: String,
        /// What to say.
        message: Message,
    },
    /// Say something in a channel, or to a person, once.
    Post {
        /// Where.
        to: Recipient,
        /// Tells this message from all others.
        marker: String,
        /// What to say.
        message: Message,
    },
    /// Read a pipeline. Coalesces.
    ReadPipeline {
        /// The watch that wants to know.
        watch: RecordId,
        /// The pipeline.
        pipeline: String,
        /// Through which account.
        aws: AwsTarget,
        /// The executions of open runs.
        following: Vec<String>,
        /// Whether the last success through each gate is wanted too.
        prime: bool,
    },
    /// Gather what would go out.
    GatherChange {
        /// For which run.
        run: RecordId,
        /// The commit that is live, if it is known.
        base: Option<String>,
        /// The candidate's commit, if it is known.
        head: Option<String>,
    },
    /// Gather the evidence of a check.
    GatherCheck {
        /// For which run.
        run: RecordId,
        /// Which check.
        check: CheckName,
        /// For which environment.
        environment: EnvironmentId,
        /// Through which account.
        aws: AwsTarget,
    },
    /// Answer a request for approval.
    AnswerApproval {
        /// For which run.
        run: RecordId,
        /// The round; the executor reads the token again and compares.
        round: Round,
        /// Through which account.
        aws: AwsTarget,
        /// In whose name the session is taken.
        actor: UserId,
        /// Yes or no.
        ballot: Ballot,
        /// What CodePipeline keeps, at most 512 characters, with the marker in it.
        summary: String,
        /// The marker by which our answer is recognized.
        marker: String,
        /// After this instant the decision is not carried out.
        good_until: Timestamp,
        /// The revision that was decided on.
        revision: String,
        /// Whether the token is to be found as the pipeline's parallel mode has it.
        parallel: bool,
    },
    /// Run the failed actions of a failed stage again.
    RetryStage {
        /// For which run.
        run: RecordId,
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
        /// The execution.
        execution: String,
        /// Through which account.
        aws: AwsTarget,
        /// In whose name.
        actor: UserId,
        /// Which retry of this run it is: another one is another effect.
        number: u32,
    },
    /// Stop an execution; an open approval is abandoned, or the stop would wait for it.
    StopExecution {
        /// For which run.
        run: RecordId,
        /// The pipeline.
        pipeline: String,
        /// The execution.
        execution: String,
        /// Through which account.
        aws: AwsTarget,
        /// In whose name.
        actor: UserId,
        /// Why, at most 200 characters.
        reason: String,
    },
    /// A call of a step.
    Step(Box<StepCall>),
    /// Put a freeze of all services on one of them, or take it off.
    SpreadFreeze {
        /// The service.
        service: ServiceId,
        /// The freeze; `None` takes it off.
        freeze: Option<Freeze>,
        /// Who asked.
        by: UserId,
        /// Where the home channel is: it is told.
        channel: ChannelId,
    },
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A channel.
    Channel(ChannelId),
    /// A person, in their direct messages with the bot.
    User(UserId),
}

/// Why doing an effect again is harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// It only reads.
    Read,
    /// It is guarded by the old value: the second time nothing is left to do.
    Set,
    /// The other side knows the attempt by a token that is used up.
    Fenced,
    /// The other side keeps our key for so long.
    Keyed(Span),
    /// A marker of ours can be found in what was done.
    Findable,
    /// Nothing makes it harmless: a second try needs a person.
    Once,
}

impl Effect {
    /// Why doing it again is harmless.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Step(call) => call.class(),
            Self::ReadPipeline { .. } | Self::GatherChange { .. } | Self::GatherCheck { .. } => Class::Read,
            Self::DrawCard { .. } | Self::PostInThread { .. } | Self::Post { .. } => Class::Findable,
            Self::AnswerApproval { .. } => Class::Fenced,
            Self::RetryStage { .. } | Self::StopExecution { .. } | Self::SpreadFreeze { .. } => Class::Set,
        }
    }

    /// The key under which it is owed. Two effects with the same key are one.
    #[must_use]
    pub fn key(&self) -> EffectKey {
        match self {
            Self::DrawCard { run } => EffectKey::of(&["draw", run.as_str()]),
            Self::PostInThread { run, name, .. } => EffectKey::of(&["thread", run.as_str(), name]),
            Self::Post { marker, .. } => EffectKey::of(&["post", marker]),
            Self::ReadPipeline { watch, .. } => EffectKey::of(&["read", watch.as_str()]),
            Self::GatherChange { run, .. } => EffectKey::of(&["change", run.as_str()]),
            Self::GatherCheck {
                run,
                check,
                environment,
                ..
            } => EffectKey::of(&["check", run.as_str(), environment.as_str(), &check.0]),
            Self::AnswerApproval { run, marker, .. } => {
                EffectKey::of(&["answer", run.as_str(), &crate::digest::short(marker.as_bytes())])
            }
            Self::RetryStage { run, number, .. } => EffectKey::of(&["retry", run.as_str(), &number.to_string()]),
            Self::StopExecution { run, .. } => EffectKey::of(&["stop", run.as_str()]),
            Self::Step(call) => call.key(),
            Self::SpreadFreeze { service, .. } => EffectKey::of(&["freeze", service.as_str()]),
        }
    }

    /// Its name, for metrics and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::DrawCard { .. } => "draw_card",
            Self::PostInThread { .. } => "post_in_thread",
            Self::Post { .. } => "post",
            Self::ReadPipeline { .. } => "read_pipeline",
            Self::GatherChange { .. } => "gather_change",
            Self::GatherCheck { .. } => "gather_check",
            Self::AnswerApproval { .. } => "answer_approval",
            Self::RetryStage { .. } => "retry_stage",
            Self::StopExecution { .. } => "stop_execution",
            Self::Step(call) => call.action.spec().kind,
            Self::SpreadFreeze { .. } => "spread_freeze",
        }
    }
}

/// What came back from an effect that was carried out, or certainly was not. "Cannot tell" is [`Outcome::Unknown`]; a failure that is
/// worth another try does not come back here at all: the worker keeps the effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The card was drawn; `posted` when it was posted and not edited.
    Drawn {
        /// The message's channel and ts when it is new.
        posted: Option<(ChannelId, String)>,
    },
    /// The card is gone from Slack.
    CardGone,
    /// Said.
    Posted,
    /// It cannot be said: the channel is archived, the person is gone. Words for the log.
    Undeliverable {
        /// Slack's error.
        error: String,
    },
    /// The pipeline was read.
    Observed {
        /// What was seen.
        observation: Box<crate::watch::Observation>,
    },
    /// The pipeline could not be read.
    ReadFailed {
        /// Why, without secrets.
        why: String,
    },
    /// What would go out.
    Change {
        /// All of it.
        change: crate::round::Change,
    },
    /// A check was judged.
    Judged {
        /// The verdict.
        verdict: crate::check::Verdict,
    },
    /// CodePipeline has our answer.
    AnswerTaken {
        /// When it took it.
        at: Timestamp,
    },
    /// Somebody else's answer was there first.
    AnsweredElsewhere {
        /// What is there.
        answered: crate::watch::Answered,
    },
    /// The request is no longer the one that was decided on; the next observation says what became of it.
    NotCurrent {
        /// In words.
        why: String,
    },
    /// The decision had become too old before it could be carried out.
    TooLate,
    /// AWS refused in a way that trying again does not mend.
    Refused {
        /// The vendor's code.
        code: String,
        /// The vendor's words; foreign text.
        message: String,
    },
    /// A step's call came back.
    Step {
        /// With this.
        came: StepOutcome,
    },
    /// Done, and there is nothing more to say.
    Done,
    /// Nobody can know whether it was done.
    Unknown {
        /// In words.
        why: String,
    },
}
