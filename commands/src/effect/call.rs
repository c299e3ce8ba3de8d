//! A call of a step, and what comes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Class;
use crate::catalog::AwsTarget;
use crate::ids::{EffectKey, EnvironmentId, RecordId, StepName, UserId};
use crate::operation::Progress;
use crate::step::{Action, Conduct};
use crate::time::Timestamp;

/// One call of a step of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCall {
    /// The operation.
    pub run: RecordId,
    /// The step.
    pub step: StepName,
    /// Which of its calls.
    pub phase: CallPhase,
    /// Which try of the step.
    pub number: u32,
    /// What the step does, with everything filled in.
    pub action: Action,
    /// What its earlier calls found.
    pub memo: Value,
    /// The environment.
    pub environment: EnvironmentId,
    /// Through which account.
    pub aws: AwsTarget,
    /// In whose name.
    pub actor: UserId,
    /// When the operation was started; 0 in calls that an older version owed.
    #[serde(default)]
    pub run_began: Timestamp,
    /// Whether an earlier try may have been made without anybody seeing what came of it: it is looked for first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// Whether nobody asked for it just now: then it is done in the bot's own name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    /// The run that is approved when the operation has gone well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<RecordId>,
    /// What the step's known failures are told by, in their order: whoever fails with a log looks for these words in it. None in calls that an older
    /// version owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Vec<String>>,
}

/// Which call of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallPhase {
    /// Reads what is there.
    Prepare,
    /// Changes it.
    Act,
    /// Reads until the change is seen.
    Watch,
    /// Changes it back.
    Undo,
    /// Reads until that is seen.
    UndoWatch,
}

impl CallPhase {
    /// Its name, for keys and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Act => "act",
            Self::Watch => "watch",
            Self::Undo => "undo",
            Self::UndoWatch => "undo_watch",
        }
    }
}

/// What came of a step's call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// What is there was read.
    Prepared {
        /// What later calls need: the old value above all.
        memo: Value,
        /// What was found, for later steps.
        outputs: BTreeMap<String, String>,
        /// What was seen; one line each.
        evidence: Vec<String>,
        /// Whether nothing is left to do.
        done: bool,
    },
    /// It was done.
    Acted {
        /// What later calls need.
        memo: Value,
    },
    /// It is on its way.
    Pending {
        /// What later looks need.
        memo: Value,
        /// How far it is.
        progress: Progress,
    },
    /// A look found no trace of an earlier try of the act, which may still be on its way: it is looked for again after a while, and done then.
    Unseen,
    /// It is seen to be done.
    Finished {
        /// What was found, for later steps.
        outputs: BTreeMap<String, String>,
        /// What was seen; one line each.
        evidence: Vec<String>,
    },
}

impl StepCall {
    /// Why doing it again is harmless. An undo is guarded by what `prepare` found.
    pub(super) fn class(&self) -> Class {
        match (self.phase, self.action.conduct()) {
            (CallPhase::Act, Conduct::Calls(calls)) => calls.act.unwrap_or(Class::Read),
            (CallPhase::Undo, _) => Class::Set,
            _ => Class::Read,
        }
    }

    pub(super) fn key(&self) -> EffectKey {
        let number = self.number.to_string();
        EffectKey::of(&[
            "step",
            self.run.as_str(),
            self.step.as_str(),
            self.phase.as_str(),
            &number,
        ])
    }
}
