//! An operation: one durable run of a team's runbook against one environment. Here: the fold of its history.
//!
//! | module | holds |
//! |---|---|
//! | `event` | the facts in its history |
//! | `failure` | why a step failed |
//! | `fold` | the one transition table, the same live and on replay |
//! | [`advance`] | the only place that begins, retries and undoes steps |
//! | [`calls`] | the calls that steps owe to the outside |
//! | [`hear`] | what comes back from a step's calls |
//! | `moves` | where the things are that it moves |
//! | `progress` | how far a step is |
//! | [`errand`] | operations whose runbook is built in |
//! | `protection` | steps that do not begin without a young snapshot |
//! | `standing` | what an operation leaves on the desk |
//! | `texts` | its texts, filled as far as it is known by now |
//! | [`clock`] | what time does to it: pauses end, deadlines pass, steps take longer than usual |

pub mod advance;
pub mod backward;
pub mod calls;
pub mod clock;
pub mod errand;
mod event;
mod failure;
mod fold;
pub mod hear;
pub(crate) mod levels;
pub mod maintenance;
mod moves;
mod progress;
mod protection;
mod standing;
mod texts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use errand::{Errand, Matter, Then};
pub use event::{Event, StoredEvent};
pub use failure::Failure;
pub use fold::{Illegal, replay};
pub use progress::Progress;
pub use protection::NO_SNAPSHOT;

use crate::ids::{ChannelId, EnvironmentId, RecordId, RunbookName, ServiceId, StepName, UserId};
use crate::reason::Reason;
use crate::run::{CardRef, Note, Target};
use crate::runbook::{OnFailure, Step, Values};
use crate::step::Conduct;
use crate::time::Timestamp;

/// An operation as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: RecordId,
    /// What was pinned when it was started.
    pub pinned: Pinned,
    /// Where it is.
    pub status: Status,
    /// Its steps, in the order of [`Pinned::steps`].
    pub steps: Vec<StepState>,
    /// Who asked to undo it, and why; nobody: a step failed and the runbook says so.
    pub undone_by: Option<(Option<UserId>, String)>,
    /// Its card, once it is posted.
    pub card: Option<CardRef>,
    /// How often a deleted card was posted again; at most once.
    pub reposts: u32,
    /// Notes from its thread.
    pub notes: Vec<Note>,
    /// When its history last grew.
    pub changed_at: Timestamp,
}

/// What an operation holds on to whatever becomes of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The service.
    pub service: ServiceId,
    /// The environment, with account and role.
    pub target: Target,
    /// The runbook's name.
    pub runbook: RunbookName,
    /// What it is for.
    pub title: String,
    /// The runbook's text as it stood in the file.
    pub text: String,
    /// The parameters, with defaults filled in.
    pub parameters: BTreeMap<String, String>,
    /// The steps for this environment, with everything filled in that was known.
    pub steps: Vec<Step>,
    /// What happens when a step fails for good.
    pub on_failure: OnFailure,
    /// Whether it only looks.
    pub mode: Mode,
    /// Who started it.
    pub starter: UserId,
    /// The operating-system user behind them, when it was started at a command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_user: Option<String>,
    /// Why, in their words; may be empty.
    pub reason: String,
    /// When.
    pub started_at: Timestamp,
    /// The channel of the card.
    pub channel: ChannelId,
    /// Whether who started it may be one of those who say yes.
    pub self_approval: bool,
    /// What it is about, when its runbook is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errand: Option<Errand>,
}

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does what the runbook says.
    Run,
    /// It reads, and shows what it would do.
    Plan,
}

/// Where an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Steps are done, one after the other.
    Running,
    /// A step failed or its outcome cannot be known: a person decides.
    Stopped,
    /// What was done is undone, in reverse.
    Undoing,
    /// It is over.
    Ended {
        /// How.
        reason: Reason,
        /// When.
        at: Timestamp,
    },
}

/// A step as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct StepState {
    /// Where it is.
    pub phase: Phase,
    /// Which try this is, from 1; an effect of an earlier try is not listened to.
    #[serde(default)]
    pub number: u32,
    /// When it began, this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Whether a person has said yes to its beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cleared: bool,
    /// Whether something may have been changed by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acted: bool,
    /// Whether its last try was given up, or may have been made, without anybody seeing what came of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// What its executor has to know later: the old value, the id of a build.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub memo: Value,
    /// What it found, for later steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// What is seen of it, or was seen at its end; one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// How far it is, as far as that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Who has said yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yes: Vec<UserId>,
    /// The operating-system users behind those who said it at a command line: each is one voter, whatever name they gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub os_users: Vec<String>,
    /// Who ticked, skipped or settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// Why it failed, or why nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Which remedy is being tried, and by whom it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<StepName>,
    /// In a plan: whether what it looks for is so already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub met: bool,
    /// Whether people were told that it takes longer than usual.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overran: bool,
}

impl StepState {
    /// Whether people may leave the step out as it stands: it is stuck, or asks. What waits for approvers is theirs alone, also when nobody has answered in
    /// time.
    #[must_use]
    pub fn may_be_left_out(&self, step: &Step) -> bool {
        let votes = matches!(step.action.conduct(), Conduct::Votes(_));
        (self.phase.is_stuck() || self.phase.is_asking()) && !votes
    }
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its turn has not come.
    #[default]
    Ahead,
    /// A person is asked: may it begin, is it done, do you say yes?
    Asking,
    /// What is there is read.
    Preparing,
    /// What was read is shown, and a person has to type something before it is done.
    Confirming,
    /// It is being done.
    Acting,
    /// It is watched until it is done; a pause passes.
    Watching,
    /// Done.
    Done,
    /// Left out.
    Skipped,
    /// Looked at, in a plan.
    Planned,
    /// Failed.
    Failed,
    /// Nobody can know whether it was done.
    Unknown,
    /// It is being undone.
    Undoing,
    /// Its undoing is watched.
    UndoWatching,
    /// Undone.
    Undone,
    /// It could not be undone.
    UndoFailed,
}

impl Phase {
    /// Whether the sequence goes on behind it.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::Planned)
    }

    /// Whether it waits for a person's word.
    #[must_use]
    pub const fn is_asking(self) -> bool {
        matches!(self, Self::Asking | Self::Confirming)
    }

    /// Whether a call is under way.
    #[must_use]
    pub const fn is_calling(self) -> bool {
        matches!(
            self,
            Self::Preparing | Self::Acting | Self::Watching | Self::Undoing | Self::UndoWatching
        )
    }

    /// Whether a person has to decide about it.
    #[must_use]
    pub const fn is_stuck(self) -> bool {
        matches!(self, Self::Failed | Self::Unknown | Self::UndoFailed)
    }
}

impl Operation {
    /// The environment.
    #[must_use]
    pub const fn environment(&self) -> &EnvironmentId {
        &self.pinned.target.environment
    }

    /// How it ended, and when.
    #[must_use]
    pub const fn ended(&self) -> Option<(Reason, Timestamp)> {
        match self.status {
            Status::Ended { reason, at } => Some((reason, at)),
            _ => None,
        }
    }

    /// The place of a step.
    #[must_use]
    pub fn index(&self, name: &StepName) -> Option<usize> {
        self.pinned.steps.iter().position(|step| step.name == *name)
    }

    /// A step and how it stands.
    #[must_use]
    pub fn step(&self, name: &StepName) -> Option<(&Step, &StepState)> {
        let index = self.index(name)?;
        Some((self.pinned.steps.get(index)?, self.steps.get(index)?))
    }

    /// All steps with how they stand, remedies too.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = (&Step, &StepState)> {
        self.pinned.steps.iter().zip(&self.steps)
    }

    /// The steps of the sequence, in order.
    pub fn sequence(&self) -> impl DoubleEndedIterator<Item = (&Step, &StepState)> {
        self.all().filter(|(step, _)| !step.remedy)
    }

    /// The steps whose turn it is: the first that is not settled, with its neighbors of the same group.
    #[must_use]
    pub fn frontier(&self) -> Vec<(&Step, &StepState)> {
        let mut rest = self
            .sequence()
            .skip_while(|(_, state)| state.phase.is_settled())
            .peekable();
        let Some((first, _)) = rest.peek() else {
            return Vec::new();
        };
        let Some(group) = first.group.clone() else {
            return rest.take(1).collect();
        };
        // Members of the group that are settled already may stand before and between.
        self.sequence()
            .filter(|(step, _)| step.group.as_ref() == Some(&group))
            .collect()
    }

    /// What its steps have found so far.
    #[must_use]
    pub fn outputs(&self) -> BTreeMap<StepName, BTreeMap<String, String>> {
        self.all()
            .map(|(step, state)| (step.name.clone(), state.outputs.clone()))
            .collect()
    }

    /// What placeholders stand for by now; `outputs` comes from [`Self::outputs`].
    #[must_use]
    pub const fn values<'a>(&'a self, outputs: &'a BTreeMap<StepName, BTreeMap<String, String>>) -> Values<'a> {
        Values {
            service: &self.pinned.service,
            environment: &self.pinned.target.environment,
            parameters: &self.pinned.parameters,
            outputs,
        }
    }

    /// What follows when it has gone well.
    #[must_use]
    pub fn then(&self) -> Option<&Then> {
        self.pinned.errand.as_ref()?.then.as_ref()
    }

    /// Whether it does not go on before a person has answered or decided.
    #[must_use]
    pub fn waits_for_people(&self) -> bool {
        self.status == Status::Stopped || self.frontier().iter().any(|(_, state)| state.phase.is_asking())
    }

    /// Whether it only looks.
    #[must_use]
    pub fn is_plan(&self) -> bool {
        self.pinned.mode == Mode::Plan
    }
}
