//! The facts in a run's history. Tagged by name; a name never changes its meaning.

use serde::{Deserialize, Serialize};

use super::{Answer, Ballot, Behind, CardRef, Failure, Note, Pinned, Stage, Trouble, Vote};
use crate::check::Verdict;
use crate::ids::UserId;
use crate::reason::Reason;
use crate::round::Change;
use crate::time::Timestamp;

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A request for approval was seen.
    Opened(Box<Pinned>),
    /// What would go out was gathered.
    ChangeGathered {
        /// All of it.
        change: Change,
    },
    /// A check was judged.
    VerdictGiven {
        /// What it found.
        verdict: Verdict,
    },
    /// The queue behind the run changed.
    QueueSeen {
        /// The newer executions.
        behind: Vec<Behind>,
    },
    /// Somebody voted.
    Voted {
        /// The vote.
        vote: Vote,
    },
    /// Somebody's vote no longer counts: their rights were judged again at the deciding vote.
    VoteVoided {
        /// Whose.
        user: UserId,
        /// Why.
        reason: Reason,
    },
    /// The votes sufficed, or the glass was broken.
    Decided {
        /// Yes or no.
        ballot: Ballot,
        /// Whose votes.
        by: Vec<UserId>,
        /// The deciding words.
        reason: String,
        /// Whether the glass was broken, and past which gates.
        overridden: Option<Vec<Reason>>,
    },
    /// The decision was not carried out in time: the votes are void and people decide again.
    Lapsed,
    /// CodePipeline has the answer; ours, or somebody else's.
    Answered {
        /// How.
        answer: Answer,
    },
    /// AWS refused, or an outcome cannot be known.
    TroubleMet {
        /// What.
        trouble: Trouble,
    },
    /// The trouble is over.
    TroubleSettled,
    /// The execution moved.
    StagesSeen {
        /// All stages.
        stages: Vec<Stage>,
    },
    /// An action failed.
    FailureSeen {
        /// Which and why.
        failure: Failure,
    },
    /// A person asked for something that is owed now: `retry`, `stop`, `answer`.
    Asked {
        /// Who.
        user: UserId,
        /// For what.
        what: Request,
        /// In their words.
        reason: String,
    },
    /// The failed stage runs again: a run that had ended goes on.
    Retried,
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

/// What a person can ask of a run beside a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Run the failed actions of the failed stage again.
    Retry,
    /// Stop the execution.
    Stop,
    /// Tell CodePipeline again what was decided.
    Answer,
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
