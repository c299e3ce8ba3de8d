//! A commit: the only way in which anything changes.

use commands::ids::{EffectKey, RecordId, ServiceId};
use commands::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::Row;
use crate::store::StoreTime;

/// One atomic change of one slot. Every check comes before the first write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The service.
    pub slot: ServiceId,
    /// Names this commit: the delivery; or effect key and fence; or record and wake. The same id again gives the same answer.
    pub id: String,
    /// For how long the id and the reply are remembered, in store time.
    pub remember: Span,
    /// After this instant the commit is refused as [`Committed::Late`]: a client that gave up must not be overtaken by its own request.
    pub deadline: StoreTime,
    /// The version of every record that was read (0: it must not exist).
    pub read: Vec<(RecordId, u64)>,
    /// The records that change. Each must be among `read`.
    pub write: Vec<Write>,
    /// Effects to owe. An effect whose key is owed already is replaced: it is done once more, with the new body.
    pub effects: Vec<NewEffect>,
    /// The effect that this commit reports about.
    pub finish: Option<Finish>,
    /// Claims to take; one that another run holds refuses the commit as [`Committed::Held`].
    pub take: Vec<Claim>,
    /// Claims to free; one that the run does not hold is left alone.
    pub free: Vec<Claim>,
    /// Rows for the ledger only: refusals, which belong to no record's journal. Their `prev` is empty.
    pub refusals: Vec<Row>,
    /// What the caller was told; given again to the same id.
    pub reply: String,
}

/// A record's new state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Which.
    pub id: RecordId,
    /// Its new fold.
    pub fold: String,
    /// When it wants to be woken; `None` closes it.
    pub next_wake: Option<Timestamp>,
    /// The journal rows to append; may be empty when only the wake moves.
    pub rows: Vec<Row>,
}

/// An effect to owe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEffect {
    /// Its key.
    pub key: EffectKey,
    /// What to do, as the core wrote it.
    pub body: String,
    /// Not before this instant, in `Clock` time.
    pub due: Timestamp,
}

/// An effect that is owed, as a worker sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its key.
    pub key: EffectKey,
    /// What to do.
    pub body: String,
    /// Not before this instant.
    pub due: Timestamp,
    /// How often it was claimed, this time included. More than one: begin with a probe.
    pub attempt: u32,
    /// Goes up with every claim: a worker whose fence is old is not heard.
    pub fence: u64,
    /// Until when the lease holds, in store time; `None`: not leased.
    pub leased_until: Option<StoreTime>,
}

/// The report on an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// Which.
    pub key: EffectKey,
    /// The fence under which it was claimed; an older one refuses the commit as [`Committed::Stale`].
    pub fence: u64,
    /// What becomes of it.
    pub then: Then,
}

/// What becomes of an effect after a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// It is no longer owed; if it was asked for again since it was claimed, it stays and is due at once with a fresh count of attempts.
    Done,
    /// It is tried again at this instant (`Clock` time); the count of attempts goes on.
    Again(Timestamp),
}

/// The right of one run to change one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What is claimed: the environment's name.
    pub name: String,
    /// The run.
    pub holder: RecordId,
}

/// The answer to a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Committed {
    /// It is durable. `again` when this id had been committed before; the reply is the first one's.
    Done {
        /// The reply that is remembered.
        reply: String,
        /// Whether this was a repetition.
        again: bool,
    },
    /// A record that was read has another version now: load again and decide again.
    Conflict,
    /// A claim is held.
    Held {
        /// What is claimed.
        name: String,
        /// By which run.
        by: RecordId,
    },
    /// The effect is no longer the caller's.
    Stale,
    /// The deadline has passed; nothing was written.
    Late,
}
