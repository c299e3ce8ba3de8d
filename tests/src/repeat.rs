//! Effects that are carried out more than once, as after a lost lease: the worker's report is not heard, and the effect is claimed anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use commands::ids::EffectKey;
use commands::time::Timestamp;
use state::{Commit, Committed, Finish, Poll, Polled, Store, StoreError, Then};

use crate::layer::Layer;

/// Makes every effect be carried out so many times.
pub struct Repeating {
    times: u32,
    done: Mutex<BTreeMap<EffectKey, u32>>,
    repeated: Arc<Mutex<BTreeSet<String>>>,
}

/// The kinds of effects that were carried out as often as asked for.
#[derive(Debug, Clone, Default)]
pub struct Kinds(Arc<Mutex<BTreeSet<String>>>);

impl Kinds {
    /// By the first word of their keys.
    #[must_use]
    pub fn seen(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Repeating {
    /// Each effect `times` times, noting which kinds there were.
    #[must_use]
    pub fn each(times: u32, kinds: &Kinds) -> Self {
        Self {
            times,
            done: Mutex::default(),
            repeated: Arc::clone(&kinds.0),
        }
    }

    /// Whether this report is heard; it is the last of its effect then.
    fn is_heard(&self, key: &EffectKey) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let count = done.entry(key.clone()).or_default();
        *count += 1;
        if *count < self.times {
            return false;
        }
        done.remove(key);
        let kind = key.as_str().split(':').next().unwrap_or_default().to_owned();
        self.repeated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(kind);
        true
    }
}

#[async_trait]
impl Layer for Repeating {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        let Some(finish) = commit.finish.clone().filter(|finish| finish.then == Then::Done) else {
            return store.commit(commit).await;
        };
        if self.is_heard(&finish.key) {
            return store.commit(commit).await;
        }
        let unheard = Commit {
            read: Vec::new(),
            write: Vec::new(),
            effects: Vec::new(),
            finish: Some(Finish {
                then: Then::Again(Timestamp(0)),
                ..finish
            }),
            take: Vec::new(),
            free: Vec::new(),
            refusals: Vec::new(),
            ..commit
        };
        store.commit(unheard).await.map(|_| Committed::Stale)
    }
}

/// A bot that takes every try for the first: it never looks at what the one before did.
pub struct Forgetting;

#[async_trait]
impl Layer for Forgetting {
    async fn poll(&self, store: &dyn Store, poll: Poll) -> Result<Polled, StoreError> {
        let mut polled = store.poll(poll).await?;
        for effect in &mut polled.effects {
            effect.attempt = 1;
        }
        Ok(polled)
    }
}
