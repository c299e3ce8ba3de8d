//! What every backend must do, as one suite.
//!
//! Nothing here waits: a lease, a deadline or a memory that has ended is asked for with a span of zero.
#![expect(
    clippy::unwrap_used,
    reason = "this is for tests only, and a test fails by panicking"
)]

mod commits;
mod effects;
mod records;
mod turns;

use std::sync::Arc;

use commands::ids::{DeliveryId, EffectKey, RecordId, ServiceId};
use commands::time::{Span, Timestamp};

use crate::audit::{Draft, Key, Row};
use crate::{
    Claim, Commit, Committed, Finish, Load, Loaded, NewEffect, Poll, Polled, Store, StoreTime, Stored, Then, Wanted,
    Write,
};

/// Runs every check; each asks `make` for a store and uses a slot of its own, so that one store may serve all.
///
/// # Panics
/// When the backend does not keep a promise.
pub async fn suite(make: impl AsyncFn() -> Arc<dyn Store>) {
    commits::all(&make).await;
    effects::all(&make).await;
    records::all(&make).await;
    turns::all(&make).await;
}

/// `Clock` time in this suite; it has nothing to do with the store's.
pub const NOON: Timestamp = Timestamp(1_700_000_000_000);

/// A store and a slot in it, with short ways to ask for things.
#[derive(Clone)]
pub struct Bench {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The slot.
    pub slot: ServiceId,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

impl Bench {
    /// A slot of a store.
    ///
    /// # Panics
    /// When the slot is no service name.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, slot: &str) -> Self {
        Self {
            store,
            slot: ServiceId::parse(slot).unwrap(),
        }
    }

    /// The store's time.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn now(&self) -> StoreTime {
        self.load(&[]).await.now
    }

    async fn load(&self, ids: &[&str]) -> Loaded {
        let records = ids
            .iter()
            .map(|id| Wanted {
                id: record(id),
                known: 0,
            })
            .collect();
        self.store
            .load(Load {
                slot: self.slot.clone(),
                records,
                open_under: None,
                held: Vec::new(),
                delivery: None,
            })
            .await
            .unwrap()
    }

    /// A record as it stands.
    ///
    /// # Panics
    /// When its id is no id, or the store does not answer.
    pub async fn get(&self, id: &str) -> Option<Stored> {
        self.load(&[id]).await.records.pop()
    }

    /// The answer that a delivery was given before.
    ///
    /// # Panics
    /// When the delivery's id is no id, or the store does not answer.
    pub async fn answered(&self, delivery: &str) -> Option<String> {
        let delivery = Some(DeliveryId::parse(delivery).unwrap());
        self.store
            .load(Load {
                slot: self.slot.clone(),
                records: Vec::new(),
                open_under: None,
                held: Vec::new(),
                delivery,
            })
            .await
            .unwrap()
            .answered
    }

    /// A commit that changes nothing, with a minute to live.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn draft(&self, id: &str) -> Commit {
        Commit {
            slot: self.slot.clone(),
            id: id.to_owned(),
            remember: Span::hours(1),
            deadline: StoreTime(self.now().await.0 + 60_000),
            read: Vec::new(),
            write: Vec::new(),
            effects: Vec::new(),
            finish: None,
            take: Vec::new(),
            free: Vec::new(),
            refusals: Vec::new(),
            reply: format!("reply to {id}"),
        }
    }

    /// A commit that appends one row to a record as it is now.
    ///
    /// # Panics
    /// When the record's id is no id, or the store does not answer.
    pub async fn writing(&self, commit: &str, id: &str, next_wake: Option<Timestamp>) -> Commit {
        let old = self.get(id).await;
        let (version, rows, head) = old.map_or((0, 0, String::new()), |old| (old.version, old.rows, old.head));
        let row = Row::chain(&key(), &self.slot, (rows, &head), says(id, commit));
        let write = Write {
            id: record(id),
            fold: format!("{id} after {commit}"),
            next_wake,
            rows: vec![row],
        };
        Commit {
            read: vec![(record(id), version)],
            write: vec![write],
            ..self.draft(commit).await
        }
    }

    /// A commit that owes one effect.
    ///
    /// # Panics
    /// When the effect's key is no key, or the store does not answer.
    pub async fn owing(&self, commit: &str, effect: &str, due: Timestamp) -> Commit {
        let effects = vec![NewEffect {
            key: effect_key(effect),
            body: format!("{effect} by {commit}"),
            due,
        }];
        Commit {
            effects,
            ..self.draft(commit).await
        }
    }

    async fn finishing(&self, commit: &str, effect: &str, fence: u64, then: Then) -> Commit {
        Commit {
            finish: Some(Finish {
                key: effect_key(effect),
                fence,
                then,
            }),
            ..self.draft(commit).await
        }
    }

    async fn taking(&self, commit: &str, name: &str, holder: &str) -> Commit {
        Commit {
            take: vec![claim(name, holder)],
            ..self.draft(commit).await
        }
    }

    async fn commit(&self, commit: Commit) -> Committed {
        self.store.commit(commit).await.unwrap()
    }

    /// Commits and expects that it is done for the first time.
    ///
    /// # Panics
    /// When it is not.
    pub async fn done(&self, commit: Commit) {
        let reply = commit.reply.clone();
        assert_eq!(self.commit(commit).await, Committed::Done { reply, again: false });
    }

    /// Takes what is due.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn poll(&self, now: Timestamp, lease: Span) -> Polled {
        self.store
            .poll(Poll {
                slot: self.slot.clone(),
                now,
                effects: 100,
                wakes: 100,
                lease,
                deadline: StoreTime(i64::MAX),
            })
            .await
            .unwrap()
    }
}

fn record(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

fn effect_key(key: &str) -> EffectKey {
    EffectKey::parse(key).unwrap()
}

fn claim(name: &str, holder: &str) -> Claim {
    Claim {
        name: name.to_owned(),
        holder: record(holder),
    }
}

/// The audit key of the suite's rows.
///
/// # Panics
/// Never: the key is long enough.
#[must_use]
pub fn key() -> Key {
    Key::new(b"a key for the contract suite").unwrap()
}

fn says(id: &str, cause: &str) -> Draft {
    Draft {
        record: record(id),
        at: NOON,
        actor: "U0ANN".to_owned(),
        channel: "C0DEPLOYS".to_owned(),
        cause: cause.to_owned(),
        reason: "test".to_owned(),
        config: "0a1b2c".to_owned(),
        event: format!("{{\"said\":\"{cause}\",\"odd\":\"é\\n , 1 2\"}}"),
    }
}
