//! Reason codes: a stable name for every ending and every refusal, used in the journal, in metrics and in the documentation.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $code:literal,)*) => {
        /// Why something ended or was refused. Codes never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Reason {
            /// All of them, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

reasons! {
    // Refusals, by the gate that speaks them.
    /// The speaker is a guest, a stranger, a bot, deactivated, or could not be looked up.
    Identity => "identity",
    /// The channel is not the service's home.
    WrongChannel => "wrong_channel",
    /// The speaker is not among those who may.
    Role => "role",
    /// The speaker wrote or started what would ship.
    SelfApproval => "self_approval",
    /// An author of what would ship is not known, so self-approval cannot be ruled out.
    UnknownAuthor => "unknown_author",
    /// A freeze is on.
    Frozen => "frozen",
    /// Somebody else holds the lock.
    Locked => "locked",
    /// The revision has not succeeded in the environment before this one.
    Order => "order",
    /// The request for approval is no longer the current one.
    NotCurrent => "not_current",
    /// A check is bad, unknown or too old.
    Checks => "checks",
    /// Fewer people approved than it takes.
    Quorum => "quorum",
    /// Another run is changing the environment.
    Claimed => "claimed",
    /// The speaker has voted already.
    AlreadyVoted => "already_voted",
    /// Somebody else decided first.
    AlreadyDecided => "already_decided",
    /// What has to be typed for something that cannot be undone was not typed.
    NotTyped => "not_typed",
    /// Nothing fits what was asked.
    NothingToDo => "nothing_to_do",
    /// More than one thing fits; the speaker has to say which.
    Ambiguous => "ambiguous",
    /// The words could not be understood.
    Grammar => "grammar",

    // Things that happened on the way.
    /// A request for approval was seen and a run was opened.
    Opened => "opened",
    /// A vote was counted.
    Voted => "voted",
    /// The votes sufficed.
    Decided => "decided",
    /// The glass was broken.
    Override => "override",
    /// A decision became too old to be carried out.
    Lapsed => "lapsed",
    /// CodePipeline has the answer.
    Confirmed => "confirmed",
    /// Evidence came in.
    Evidence => "evidence",
    /// The run moved on.
    Progress => "progress",
    /// The card was drawn for the first time.
    Card => "card",
    /// Somebody said something in the run's thread.
    Note => "note",
    /// A lock, a freeze or a wish to be told.
    Standing => "standing",
    /// A person asked for something, or is asked.
    Asked => "asked",
    /// A step was left out.
    Skipped => "skipped",
    /// Nobody can know whether something was done; a person has to look.
    Unknown => "unknown",
    /// AWS refused.
    AwsRefused => "aws_refused",

    // Endings.
    /// Everything went through.
    Succeeded => "succeeded",
    /// A stage or a step failed.
    Failed => "failed",
    /// Every step was looked at, and nothing was changed.
    Planned => "planned",
    /// What was done was undone.
    Undone => "undone",
    /// The answer was no.
    Rejected => "rejected",
    /// Somebody answered outside of Signalbox.
    AnsweredElsewhere => "answered_elsewhere",
    /// Nobody answered in time.
    Expired => "expired",
    /// A newer execution took its place.
    Superseded => "superseded",
    /// The same execution asks again under a new token.
    NewRound => "new_round",
    /// The execution was stopped.
    Stopped => "stopped",
    /// The execution was canceled because the pipeline was edited.
    Canceled => "canceled",
    /// The request went away and CodePipeline does not say how.
    Gone => "gone",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
