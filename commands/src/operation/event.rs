//! The facts in an operation's history. Tagged by name; a name never changes its meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Failure, Pinned, Progress};
use crate::ids::{StepName, UserId};
use crate::reason::Reason;
use crate::run::{CardRef, Note};
use crate::time::Timestamp;

/// Something that happened to an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was started, or planned.
    Started(Box<Pinned>),
    /// A person is asked about a step.
    StepAsked {
        /// Which.
        step: StepName,
    },
    /// A step began: by reading what is there, or by letting time pass.
    StepBegan {
        /// Which.
        step: StepName,
        /// Whether what is there is read first.
        reads: bool,
    },
    /// What is there was read; it is done or watched next.
    StepPrepared {
        /// Which.
        step: StepName,
        /// What an undo will need.
        memo: Value,
        /// What was found.
        outputs: BTreeMap<String, String>,
        /// What was seen, where something is done next: it is shown while that is under way.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<String>,
        /// Whether there is something to do; else it is only watched.
        acts: bool,
    },
    /// What is there was read and is shown; it is done once a person has typed what they are asked to type.
    StepShown {
        /// Which.
        step: StepName,
        /// What doing it needs.
        memo: Value,
        /// What was found.
        outputs: BTreeMap<String, String>,
        /// What was seen.
        evidence: Vec<String>,
    },
    /// A person typed it.
    StepTyped {
        /// Which.
        step: StepName,
        /// Who.
        by: UserId,
    },
    /// It was done, and is watched until that is seen.
    StepActed {
        /// Which.
        step: StepName,
        /// What watching needs.
        memo: Value,
    },
    /// It is on its way, or a part of it is done.
    StepSeen {
        /// Which.
        step: StepName,
        /// What the next look or the next part needs.
        memo: Value,
        /// How far.
        progress: Progress,
    },
    /// It is done.
    StepDone {
        /// Which.
        step: StepName,
        /// What was found.
        outputs: BTreeMap<String, String>,
        /// What was seen at its end.
        evidence: Vec<String>,
    },
    /// It was looked at, in a plan.
    StepPlanned {
        /// Which.
        step: StepName,
        /// What was found.
        outputs: BTreeMap<String, String>,
        /// What it would do, and what is there.
        evidence: Vec<String>,
        /// Why what is there cannot be told yet: an earlier step may have to make it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unknown: Option<Failure>,
        /// Whether what it looks for is so already.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        met: bool,
    },
    /// It failed.
    StepFailed {
        /// Which.
        step: StepName,
        /// Why.
        failure: Failure,
    },
    /// Nobody can know whether it was done.
    StepUnknown {
        /// Which.
        step: StepName,
        /// Why.
        why: String,
    },
    /// It is left out: by a person, by its condition, or because its failure is known to be harmless.
    StepSkipped {
        /// Which.
        step: StepName,
        /// Who.
        by: Option<UserId>,
        /// Why.
        reason: String,
    },
    /// It is tried again; by nobody: by itself.
    StepRetried {
        /// Which.
        step: StepName,
        /// Who.
        by: Option<UserId>,
    },
    /// A person said yes to its beginning.
    StepCleared {
        /// Which.
        step: StepName,
        /// Who.
        by: UserId,
    },
    /// A person said yes.
    StepVoted {
        /// Which.
        step: StepName,
        /// Who.
        by: UserId,
        /// The operating-system user behind them, at a command line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        os_user: Option<String>,
        /// What they said beside it, with their name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// A person says that it is done.
    StepTicked {
        /// Which.
        step: StepName,
        /// Who.
        by: UserId,
        /// What they saw.
        evidence: String,
    },
    /// A person says that it was done, of which nobody knew; what was done is looked for and followed to its end.
    StepFollowed {
        /// Which.
        step: StepName,
        /// Who.
        by: UserId,
        /// What they saw.
        evidence: String,
    },
    /// A person chose the remedy of a known failure.
    RemedyChosen {
        /// The step that failed.
        step: StepName,
        /// The remedy.
        remedy: StepName,
        /// Who.
        by: UserId,
    },
    /// It takes longer than usual.
    StepOverran {
        /// Which.
        step: StepName,
    },
    /// A person has to decide.
    Stopped,
    /// It goes on.
    Resumed,
    /// What was done is to be undone.
    UndoAsked {
        /// Who; nobody: the runbook says so.
        by: Option<UserId>,
        /// Why.
        reason: String,
    },
    /// A step is being undone.
    UndoStarted {
        /// Which.
        step: StepName,
    },
    /// A part of its undoing is done.
    UndoGoesOn {
        /// Which.
        step: StepName,
        /// What the rest needs.
        memo: Value,
    },
    /// Its undoing is watched.
    UndoSeen {
        /// Which.
        step: StepName,
        /// What watching needs.
        memo: Value,
        /// How far it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        progress: Option<Progress>,
    },
    /// It is undone.
    UndoFinished {
        /// Which.
        step: StepName,
        /// What was seen at its end.
        evidence: Vec<String>,
    },
    /// It could not be undone.
    UndoFailed {
        /// Which.
        step: StepName,
        /// Why.
        failure: Failure,
    },
    /// The card is up, for the first time or again after it was deleted.
    CardPosted {
        /// Where.
        card: CardRef,
    },
    /// The card was deleted by somebody.
    CardLost,
    /// Somebody said something in the thread.
    Noted {
        /// What.
        note: Note,
    },
    /// It is over.
    Ended {
        /// How.
        reason: Reason,
    },
}

impl Event {
    /// The step it is about.
    #[must_use]
    pub const fn step(&self) -> Option<&StepName> {
        match self {
            Self::StepAsked { step }
            | Self::StepBegan { step, .. }
            | Self::StepPrepared { step, .. }
            | Self::StepShown { step, .. }
            | Self::StepTyped { step, .. }
            | Self::StepActed { step, .. }
            | Self::StepSeen { step, .. }
            | Self::StepDone { step, .. }
            | Self::StepPlanned { step, .. }
            | Self::StepFailed { step, .. }
            | Self::StepUnknown { step, .. }
            | Self::StepSkipped { step, .. }
            | Self::StepRetried { step, .. }
            | Self::StepCleared { step, .. }
            | Self::StepVoted { step, .. }
            | Self::StepTicked { step, .. }
            | Self::StepFollowed { step, .. }
            | Self::RemedyChosen { step, .. }
            | Self::StepOverran { step }
            | Self::UndoStarted { step }
            | Self::UndoGoesOn { step, .. }
            | Self::UndoSeen { step, .. }
            | Self::UndoFinished { step, .. }
            | Self::UndoFailed { step, .. } => Some(step),
            Self::Started(_)
            | Self::Stopped
            | Self::Resumed
            | Self::UndoAsked { .. }
            | Self::CardPosted { .. }
            | Self::CardLost
            | Self::Noted { .. }
            | Self::Ended { .. } => None,
        }
    }
}

/// An event with its instant, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}
