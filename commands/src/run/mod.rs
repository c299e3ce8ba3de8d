//! A run: one durable execution of a runbook against its environments. Here: the fold of its history.
//!
//! The only way to change a run is to append an [`Event`]; [`Run::apply`] is the one transition table, the same live and on replay.

mod event;
mod fold;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use event::{Event, Request, StoredEvent};
pub use fold::{Illegal, replay};

use crate::catalog::{AwsTarget, CheckName, Environment, Site, Tier};
use crate::check::Verdict;
use crate::desk::Desk;
use crate::ids::{ChannelId, EnvironmentId, RecordId, ServiceId, UserId};
use crate::reason::Reason;
use crate::round::{Change, Revision, Round, Starter};
use crate::time::{Span, Timestamp};

/// For how long a decision may be carried out; after that it goes back to people.
pub const DECISION_STANDS: Span = Span::minutes(10);

/// A run as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RecordId,
    /// What was pinned when it was opened.
    pub pinned: Pinned,
    /// Where it is.
    pub status: Status,
    /// What would go out, once it is gathered.
    pub change: Option<Change>,
    /// The newest verdict of each check.
    pub verdicts: BTreeMap<CheckName, Verdict>,
    /// The votes that count, in order.
    pub votes: Vec<Vote>,
    /// The decision, once there is one; gone again when it lapses.
    pub decision: Option<Decision>,
    /// The number of the last decision that lapsed; 0: none did.
    pub lapsed: u32,
    /// How CodePipeline got its answer.
    pub answer: Option<Answer>,
    /// Newer executions that wait behind this one.
    pub behind: Vec<Behind>,
    /// The stages of the execution, in order.
    pub stages: Vec<Stage>,
    /// What failed, newest last.
    pub failures: Vec<Failure>,
    /// Something went wrong that people should see on the card: AWS refused, an outcome is unknown.
    pub trouble: Option<Trouble>,
    /// Its card, once it is posted.
    pub card: Option<CardRef>,
    /// How often a deleted card was posted again; at most once.
    pub reposts: u32,
    /// Notes from its thread: who, when, and their words.
    pub notes: Vec<Note>,
    /// How often a stage was retried from here.
    pub retries: u32,
    /// When its history last grew.
    pub changed_at: Timestamp,
}

/// What a run holds on to whatever becomes of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The service.
    pub service: ServiceId,
    /// The environments that the answer releases to; the first is the run's home.
    pub environments: Vec<Target>,
    /// The request for approval.
    pub round: Round,
    /// What would ship.
    pub revision: Revision,
    /// Who started the execution.
    pub starter: Starter,
    /// Since when it waits.
    pub waiting_since: Timestamp,
    /// When CodePipeline gives up.
    pub gives_up_at: Timestamp,
    /// The channel of the card.
    pub channel: ChannelId,
    /// The run of the round before, when the same execution asked before.
    pub previous: Option<RecordId>,
    /// The text of the runbook this run follows.
    pub runbook: String,
    /// A link to the execution in the AWS console.
    pub console_url: Option<String>,
    /// Whether the pipeline runs executions in parallel (its tokens are found elsewhere then).
    pub parallel: bool,
}

impl Pinned {
    /// Where the pipeline is.
    #[must_use]
    pub fn site(&self) -> Option<Site> {
        let home = self.environments.first()?;
        Some(Site::of(&self.round.gate.name, &home.aws))
    }
}

/// One environment of a run, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The environment.
    pub environment: EnvironmentId,
    /// Its tier then.
    pub tier: Tier,
    /// The account and role.
    pub aws: AwsTarget,
    /// What was live when the run was opened.
    pub live: Option<Live>,
}

impl Target {
    /// An environment as it stands now.
    #[must_use]
    pub fn of(environment: &Environment, desk: &Desk) -> Self {
        Self {
            environment: environment.id.clone(),
            tier: environment.tier,
            aws: environment.aws.clone(),
            live: desk.live.get(&environment.id).cloned(),
        }
    }
}

/// What is live in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The revision.
    pub revision: Revision,
    /// The execution that brought it.
    pub execution: String,
    /// Since when.
    pub since: Timestamp,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Votes are collected.
    Waiting,
    /// Decided and durable; CodePipeline is being told.
    Answering,
    /// Approved; the execution is followed to its end.
    Following,
    /// It is over.
    Ended {
        /// How.
        reason: Reason,
        /// When.
        at: Timestamp,
    },
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ballot {
    /// Ship it.
    Approve,
    /// Do not ship it.
    Reject,
}

/// One person's vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub user: UserId,
    /// Yes or no.
    pub ballot: Ballot,
    /// When.
    pub at: Timestamp,
    /// In their words; foreign text, may be empty.
    pub reason: String,
    /// The operating-system user who said it on the command line: one of those is one voter, whatever Slack name they give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_user: Option<String>,
}

/// What the people decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Yes or no.
    pub ballot: Ballot,
    /// Whose votes it rests on; the last one decided.
    pub by: Vec<UserId>,
    /// When.
    pub at: Timestamp,
    /// The deciding words.
    pub reason: String,
    /// Whether the glass was broken.
    pub overridden: bool,
    /// The rules that a broken glass passed over; records of earlier versions do not have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Reason>,
    /// Counts the decisions of this run, from 1; part of the marker by which we know our own answer.
    pub number: u32,
}

/// The answer that CodePipeline has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Yes or no.
    pub ballot: Ballot,
    /// When CodePipeline took it.
    pub at: Timestamp,
    /// Who gave it, when it was not ours: an ARN.
    pub elsewhere: Option<String>,
    /// Rules that a foreign answer passed over (a freeze, a lock): it is recorded and announced.
    pub out_of_turn: Vec<Reason>,
}

/// A newer execution at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The execution.
    pub execution: String,
    /// What it carries.
    pub revision: Revision,
}

/// A stage as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub state: StageState,
}

/// Where a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Not reached.
    Ahead,
    /// Going on.
    Running,
    /// Went through.
    Succeeded,
    /// Failed.
    Failed,
    /// Stopped, abandoned or canceled.
    Stopped,
    /// CodePipeline says something this version does not know.
    Unknown,
}

/// An action that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stage.
    pub stage: String,
    /// The action.
    pub action: String,
    /// Identifies this failure: a later one of the same action is another.
    pub action_execution: String,
    /// What CodePipeline says; foreign text.
    pub message: String,
    /// The log or the external page.
    pub link: Option<String>,
}

/// Why people have to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Refused by AWS, or unknown.
    pub reason: Reason,
    /// In words; may hold foreign text.
    pub text: String,
    /// Since when.
    pub at: Timestamp,
}

/// A Slack message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRef {
    /// Its channel.
    pub channel: ChannelId,
    /// Its `ts`, by which Slack knows it.
    pub ts: String,
    /// Since when it is up.
    pub at: Timestamp,
}

/// Something a person said in the thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
    /// Their words; foreign text.
    pub text: String,
}

impl Run {
    /// The environment whose card this is.
    #[must_use]
    pub fn home(&self) -> &EnvironmentId {
        // A run is opened with at least one target; `Event::Opened` refuses otherwise.
        &self.pinned.environments[0].environment
    }

    /// The environments that its answer releases to.
    pub fn environments(&self) -> impl Iterator<Item = &EnvironmentId> {
        self.pinned.environments.iter().map(|target| &target.environment)
    }

    /// Whether any of them is production.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.pinned
            .environments
            .iter()
            .any(|target| target.tier == Tier::Production)
    }

    /// Whether it is over.
    #[must_use]
    pub const fn ended(&self) -> Option<(Reason, Timestamp)> {
        match self.status {
            Status::Ended { reason, at } => Some((reason, at)),
            Status::Waiting | Status::Answering | Status::Following => None,
        }
    }

    /// The votes of one kind.
    pub fn votes_for(&self, ballot: Ballot) -> impl Iterator<Item = &Vote> {
        self.votes.iter().filter(move |vote| vote.ballot == ballot)
    }

    /// The marker by which our own answer is recognized in CodePipeline: unlike the token, it may be seen by anyone.
    #[must_use]
    pub fn marker(&self) -> String {
        format!(
            "[signalbox {} #{}]",
            self.id.short(),
            self.decision.as_ref().map_or(0, |decision| decision.number)
        )
    }
}
