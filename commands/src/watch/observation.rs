//! What one read of a pipeline tells, without any of the vendor's types.

use serde::{Deserialize, Serialize};

use crate::catalog::Pipeline;
use crate::round::{Revision, Round, Starter};
use crate::run::{Ballot, Failure, Stage};
use crate::time::Timestamp;

/// One read of one pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Observation {
    /// The store's time before the first call of this read.
    pub as_of: i64,
    /// When, by the `Clock`.
    pub at: Timestamp,
    /// Whether executions run in parallel.
    pub parallel: bool,
    /// The requests for approval that are open.
    pub waiting: Vec<Waiting>,
    /// Executions at the door of a stage that an older one holds, newest last.
    pub inbound: Vec<Inbound>,
    /// The executions that open runs asked about.
    pub executions: Vec<ExecutionSeen>,
    /// The newest success through each approval gate, read once, for environments whose live revision is not known yet.
    pub successes: Vec<LastSuccess>,
}

/// A request for approval that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The round.
    pub round: Round,
    /// Since when.
    pub since: Timestamp,
    /// When CodePipeline gives up.
    pub gives_up_at: Timestamp,
    /// What would ship.
    pub revision: Revision,
    /// Who started it.
    pub starter: Starter,
    /// The execution's page in the console.
    pub console_url: Option<String>,
}

/// An execution at the door of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// The stage.
    pub stage: String,
    /// The execution.
    pub execution: String,
    /// What it carries.
    pub revision: Revision,
}

/// An execution in whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionSeen {
    /// The execution.
    pub execution: String,
    /// Its stages, in the pipeline's order.
    pub stages: Vec<Stage>,
    /// The answers that its approval actions have, newest last.
    pub answered: Vec<Answered>,
    /// Actions that failed, other than approvals that were answered with no.
    pub failures: Vec<Failure>,
    /// How it ended, if it did.
    pub ended: Option<Ended>,
}

/// An approval action that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The gate.
    pub gate: Pipeline,
    /// Yes or no; `None`: it failed without an answer (it expired, or the execution was stopped).
    pub ballot: Option<Ballot>,
    /// When.
    pub at: Timestamp,
    /// Who: an ARN; may be empty.
    pub by: String,
    /// What they wrote; our own answers carry the run's marker here.
    pub summary: String,
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All stages went through.
    Succeeded,
    /// A stage failed.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// A newer execution took its place.
    Superseded,
    /// The pipeline was edited while it ran.
    Canceled,
}

/// The newest execution that succeeded through a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSuccess {
    /// The gate.
    pub gate: Pipeline,
    /// The execution.
    pub execution: String,
    /// What it carried.
    pub revision: Revision,
    /// When it ended.
    pub at: Timestamp,
}
