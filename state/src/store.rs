//! The port: what every backend can do.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::ids::{DeliveryId, RecordId, ServiceId};
use commands::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::{LedgerRow, Row};
use crate::commit::{Commit, Committed, Effect};
use crate::turn::{Turn, Turned};

/// The store's own time, in milliseconds: for leases and deadlines only. It is not the `Clock` and never shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct StoreTime(pub i64);

/// A record that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub id: RecordId,
    /// The version the caller holds already (0: none): its fold is left out of the answer if it is still the newest.
    pub known: u64,
}

/// What to load, in one trip, from one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The service.
    pub slot: ServiceId,
    /// These records.
    pub records: Vec<Wanted>,
    /// And every open record (one with a next wake) whose id starts with this.
    pub open_under: Option<String>,
    /// What the caller holds of records that may be found by that: naming one here does not ask for it.
    pub held: Vec<Wanted>,
    /// And the answer that this delivery was given before.
    pub delivery: Option<DeliveryId>,
}

/// A record as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub id: RecordId,
    /// Counts commits that wrote it, from 1. A record that does not exist has version 0 and is not in the answer.
    pub version: u64,
    /// Its fold; `None` when the caller holds this version.
    pub fold: Option<String>,
    /// When it wants to be woken, in `Clock` time; `None`: it is closed.
    pub next_wake: Option<Timestamp>,
    /// How many journal rows it has.
    pub rows: u64,
    /// The MAC of its newest journal row, in hex; empty when there is none.
    pub head: String,
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The store's time before the records were read.
    pub now: StoreTime,
    /// The records that exist, each once.
    pub records: Vec<Stored>,
    /// The claims of the slot: environment → run.
    pub claims: BTreeMap<String, RecordId>,
    /// The reply of the commit that this delivery made before.
    pub answered: Option<String>,
}

/// A request for work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// The service.
    pub slot: ServiceId,
    /// Now, by the `Clock`: wakes and effects due up to here.
    pub now: Timestamp,
    /// At most so many effects are claimed.
    pub effects: usize,
    /// At most so many due records are named.
    pub wakes: usize,
    /// How long a claim on an effect holds, in store time.
    pub lease: Span,
    /// Store time after which no effect is claimed any more: whoever asked has given up waiting, and would not know.
    pub deadline: StoreTime,
}

/// The work there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// The store's time.
    pub now: StoreTime,
    /// Effects that are now leased to the caller, earliest due first.
    pub effects: Vec<Effect>,
    /// Open records whose wake is due, with the version they had; not leased: the version check of the commit settles a race.
    pub wakes: Vec<(RecordId, u64)>,
    /// The earliest wake, effect or end of a lease that is still ahead, in `Clock` time as far as it is known; for the next poll.
    pub next: Option<Timestamp>,
}

/// One page of a listing, in key order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// What a backend says about how safe its writes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `redis 7.0.15`, `valkey 9.0`, `embedded`.
    pub server: String,
    /// Whether a commit that was answered survives power loss: `Some(true)` proven, `Some(false)` it does not, `None` settings could not be read.
    pub durable: Option<bool>,
    /// Whether keys may be evicted under memory pressure.
    pub evicts: Option<bool>,
    /// The settings behind the verdict and how to mend them, in words.
    pub notes: Vec<String>,
    /// Rows of the outbox that are due or leased, over all slots asked about so far.
    pub outbox: u64,
}

/// Why an answer is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store certainly did not take the request (refused, read-only, loading, out of memory). The text names the cause without secrets.
    #[error("the store refused: {0}")]
    Refused(String),
    /// The request was sent and no answer came: it may or may not have been carried out, until its deadline has passed.
    #[error("the store did not answer")]
    Unknown,
    /// What the store holds cannot be read by this version of the program.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
}

/// A place where records live.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Reads, in one trip.
    async fn load(&self, load: Load) -> Result<Loaded, StoreError>;

    /// Writes all or nothing, in one trip. Sending the same commit again (same id) gives the same answer and changes nothing.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Claims effects that are due and names records to wake, in one trip.
    async fn poll(&self, poll: Poll) -> Result<Polled, StoreError>;

    /// A record's journal rows after `after` (0: from the start), oldest first.
    async fn journal(
        &self,
        slot: &ServiceId,
        record: &RecordId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// The slot's ledger rows after `after` (0: from the start), oldest first.
    async fn ledger(&self, slot: &ServiceId, after: u64, limit: usize) -> Result<Vec<LedgerRow>, StoreError>;

    /// The slot's records whose id starts with `prefix`, open or closed, in id order.
    async fn records(
        &self,
        slot: &ServiceId,
        prefix: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Stored>, StoreError>;

    /// Every effect row of the slot, without claiming it: for `doctor`, tests and the harness's check for leftovers.
    async fn outbox(&self, slot: &ServiceId) -> Result<Vec<Effect>, StoreError>;

    /// Takes a turn of limits that all processes on this store share, in one trip. It is no promise: a turn that was taken and whose answer was lost
    /// is a turn less for everybody, no more.
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError>;

    /// Whether the store is reachable, and how safe it is.
    async fn health(&self) -> Result<Health, StoreError>;
}
