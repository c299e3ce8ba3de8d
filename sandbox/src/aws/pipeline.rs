//! What a pipeline is: its definition, its executions and where each of them stands.
//!
//! The service's own words are used, so that this reads beside its documentation: an *execution* passes *stages*, each of which runs
//! its *actions* one after the other; a *transition* is the door in front of a stage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The account that everything lives in.
pub const ACCOUNT: &str = "111122223333";
/// The region that everything lives in.
pub const REGION: &str = "eu-central-1";
/// How long an approval waits when its action does not say, in minutes: seven days.
pub(crate) const APPROVAL_MINUTES: i64 = 7 * 24 * 60;

/// How executions of one pipeline share its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// A newer execution replaces the one that waits at the same door.
    Superseded,
    /// Executions wait at a door in line.
    Queued,
    /// Executions do not know of each other.
    Parallel,
}

/// Where a pipeline gets what it ships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An object in a versioned bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
    /// A branch of a GitHub repository, through a connection.
    Connection {
        /// `owner/name`.
        repository: String,
        /// The branch whose pushes start the pipeline.
        branch: String,
    },
}

/// The categories of actions that the sandbox runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Category {
    /// Fetches what is shipped.
    Source,
    /// Builds it.
    Build,
    /// Waits for a person.
    Approval,
    /// Puts it out.
    Deploy,
}

/// An action's definition.
#[derive(Debug, Clone)]
pub struct Action {
    /// Its name, unique in the stage.
    pub name: String,
    /// What it does.
    pub category: Category,
    /// Who carries it out: `S3`, `CodeStarSourceConnection`, `CodeBuild`, `Manual`.
    pub provider: &'static str,
    /// Its settings as `GetPipeline` shows them.
    pub configuration: BTreeMap<String, String>,
    /// How long an approval waits, in minutes; `None`: seven days.
    pub timeout_minutes: Option<i64>,
    /// The newest run of this action in any execution.
    pub(crate) latest: Option<ActionRef>,
}

/// One of the two switches of a stage.
#[derive(Debug, Clone)]
pub struct Transition {
    /// Whether executions may pass.
    pub enabled: bool,
    /// Who switched it last (an ARN), when it was switched.
    pub changed_by: Option<String>,
    /// When it was switched last, Unix milliseconds.
    pub changed_ms: i64,
    /// Why it is disabled.
    pub reason: Option<String>,
}

/// What makes an action fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// `JobFailed`, `ConfigurationError`, …
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}

/// A stage: its definition and its controls.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name, unique in the pipeline.
    pub name: String,
    /// Its actions in the order in which they run.
    pub actions: Vec<Action>,
    /// How long each of its actions takes, in milliseconds; approvals wait for a person instead.
    pub action_ms: i64,
    /// Whether its actions go on until they are let go.
    pub held: bool,
    /// What the next action to end in this stage fails of.
    pub fail_next: Option<Failure>,
    /// The switch in front of it.
    pub inbound: Transition,
    /// The switch behind it.
    pub outbound: Transition,
    /// The execution that entered it last.
    pub(crate) latest: Option<usize>,
}

/// What an execution ships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// The commit, or the object's version.
    pub id: String,
    /// What the source says of it (JSON text for connections).
    pub summary: Option<String>,
    /// Where to look at it.
    pub url: String,
    /// When it came to be, Unix milliseconds.
    pub created_ms: i64,
    /// The branch or tag that it was made from, where the sandbox knows it. Not part of any answer of CodePipeline.
    pub git_ref: Option<String>,
    /// The commit that it was made from, where the sandbox knows it. Not part of any answer of CodePipeline.
    pub git_commit: Option<String>,
    /// What later actions may read of it: `BranchName`, `CommitId`, …
    #[serde(skip)]
    pub(crate) variables: BTreeMap<String, String>,
}

/// The state of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ExecutionStatus {
    /// It runs or waits.
    InProgress,
    /// It stops when the action that runs is done.
    Stopping,
    /// It was stopped.
    Stopped,
    /// It passed every stage.
    Succeeded,
    /// A newer execution took its place at a door.
    Superseded,
    /// An action failed.
    Failed,
}

impl ExecutionStatus {
    /// Whether it can still move.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::InProgress | Self::Stopping)
    }

    /// As the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Superseded => "Superseded",
            Self::Failed => "Failed",
        }
    }
}

/// The state of one run of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ActionStatus {
    /// It runs or waits.
    InProgress,
    /// It was cut off by a stop.
    Abandoned,
    /// It is done.
    Succeeded,
    /// It failed; a rejected or expired approval too.
    Failed,
}

impl ActionStatus {
    /// As the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Abandoned => "Abandoned",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In front of a stage.
    Door(usize),
    /// In a stage.
    Stage(usize),
    /// Nowhere any more.
    Ended,
}

/// One execution's stay in one stage; a retry goes on with the same one.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) stage: usize,
    pub(crate) status: ExecutionStatus,
    /// Counts the tries, from 1.
    pub(crate) attempt: u32,
}

/// Why an execution was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// `StartPipelineExecution`, `CloudWatchEvent`, `WebhookV2`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Who or what, mostly an ARN.
    pub detail: String,
}

/// The run of one action in one execution; a retry makes a new one.
#[derive(Debug, Clone)]
pub(crate) struct ActionRun {
    pub(crate) id: String,
    pub(crate) stage: usize,
    pub(crate) action: usize,
    pub(crate) status: ActionStatus,
    pub(crate) started_ms: i64,
    pub(crate) updated_ms: i64,
    /// An approval's token. It outlives the answer, so that a late answer can be told from a wrong one.
    pub(crate) token: Option<String>,
    /// Whether a person answered; expiry and stops leave it false.
    pub(crate) answered: bool,
    /// When it ends by itself, Unix milliseconds; for an approval: when it expires.
    pub(crate) due_ms: i64,
    pub(crate) summary: Option<String>,
    pub(crate) updated_by: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) external_url: Option<String>,
    pub(crate) failure: Option<Failure>,
}

/// A run of an action: the execution's and the run's place in their lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ActionRef {
    pub(crate) execution: usize,
    pub(crate) run: usize,
}

/// One passage through the pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) status: ExecutionStatus,
    pub(crate) status_summary: Option<String>,
    pub(crate) started_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) trigger: Trigger,
    pub(crate) stop_reason: Option<String>,
    /// What its source action fetches; `None` when it asked for something that does not exist.
    pub(crate) revision: Option<Revision>,
    pub(crate) place: Place,
    pub(crate) visits: Vec<Visit>,
    pub(crate) actions: Vec<ActionRun>,
    /// Counts the tries, from 1; events carry it.
    pub(crate) attempt: u32,
}

impl Execution {
    /// Its stay in a stage, if it came so far.
    pub(crate) fn visit(&self, stage: usize) -> Option<&Visit> {
        self.visits.iter().rev().find(|visit| visit.stage == stage)
    }

    /// The run of the action that is going on.
    pub(crate) fn running(&self) -> Option<usize> {
        self.actions
            .iter()
            .rposition(|run| run.status == ActionStatus::InProgress)
    }
}

/// A pipeline.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// How its executions share its stages.
    pub mode: Mode,
    /// Where it gets what it ships.
    pub source: Source,
    /// Its stages, the source first.
    pub stages: Vec<Stage>,
    /// Counts its definitions, from 1.
    pub version: u64,
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
    /// Its executions, oldest first. None is ever removed: places in this list are references.
    pub(crate) executions: Vec<Execution>,
    /// Events that are not yet on the bus, oldest first.
    pub(crate) outbox: Vec<Value>,
}

impl Pipeline {
    /// `arn:aws:codepipeline:eu-central-1:111122223333:wallet-service`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:codepipeline:{REGION}:{ACCOUNT}:{}", self.name)
    }

    /// The place of a stage.
    pub(crate) fn stage_at(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.name == name)
    }

    /// The place of an execution.
    pub(crate) fn execution_at(&self, id: &str) -> Option<usize> {
        self.executions.iter().position(|execution| execution.id == id)
    }

    /// The definition behind a run of an action.
    pub(crate) fn action_of(&self, run: &ActionRun) -> &Action {
        &self.stages[run.stage].actions[run.action]
    }

    /// Who waits in front of a stage, in line.
    pub(crate) fn waiting_at(&self, stage: usize) -> impl Iterator<Item = usize> + '_ {
        let waits = move |execution: &Execution| execution.status.is_open() && execution.place == Place::Door(stage);
        self.executions
            .iter()
            .enumerate()
            .filter(move |(_, execution)| waits(execution))
            .map(|(index, _)| index)
    }

    /// Who is in a stage: at most one, except in PARALLEL mode.
    pub(crate) fn occupants(&self, stage: usize) -> impl Iterator<Item = usize> + '_ {
        let inside = move |execution: &Execution| execution.status.is_open() && execution.place == Place::Stage(stage);
        self.executions
            .iter()
            .enumerate()
            .filter(move |(_, execution)| inside(execution))
            .map(|(index, _)| index)
    }
}
