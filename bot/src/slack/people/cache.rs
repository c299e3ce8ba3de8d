//! A cache that asks once for many, and that outlives an outage for a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use commands::time::{Span, Timestamp};

use crate::clock::Clock;
use crate::slack::client::SlackError;

/// After a failure nobody asks again for so long: everybody who comes meanwhile would wait for the same failure.
const PAUSE: Span = Span::seconds(3);
/// Beyond this the oldest half goes: ids come from outside.
const CAPACITY: usize = 10_000;

/// How long a value lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    /// For so long nobody is asked.
    pub(super) good_for: Span,
    /// For so long it stands in when asking fails.
    pub(super) usable_for: Span,
}

type Slot<V> = Arc<tokio::sync::Mutex<Held<V>>>;

struct Held<V> {
    value: Option<(Timestamp, V)>,
    failed: Option<Timestamp>,
}

/// Values by key.
pub(super) struct Cache<K, V> {
    fresh: Fresh,
    slots: Mutex<HashMap<K, (Timestamp, Slot<V>)>>,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    pub(super) fn new(fresh: Fresh) -> Self {
        Self {
            fresh,
            slots: Mutex::default(),
        }
    }

    /// The value, asked for at most once at a time per key; `None` when asking fails and nothing usable is there.
    pub(super) async fn get<F, R>(&self, key: &K, clock: &dyn Clock, ask: F) -> Option<V>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<V, SlackError>>,
    {
        let slot = self.slot(key, clock.now());
        let mut held = slot.lock().await;
        let now = clock.now();
        // A clock that went back makes nothing younger.
        let within = |at: Timestamp, span: Span| at <= now && at.age(now) <= span;
        if let Some((at, value)) = &held.value
            && within(*at, self.fresh.good_for)
        {
            return Some(value.clone());
        }
        if !held.failed.is_some_and(|at| within(at, PAUSE)) {
            match ask().await {
                Ok(value) => {
                    held.value = Some((now, value));
                    held.failed = None;
                }
                Err(error) => {
                    tracing::warn!(%error, "Slack could not be asked who somebody is");
                    held.failed = Some(now);
                }
            }
        }
        let (at, value) = held.value.as_ref()?;
        within(*at, self.fresh.usable_for).then(|| value.clone())
    }

    /// Forgets a value: the next one to want it asks.
    pub(super) fn forget(&self, key: &K) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn slot(&self, key: &K, now: Timestamp) -> Slot<V> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= CAPACITY && !slots.contains_key(key) {
            let mut ages: Vec<_> = slots.values().map(|(used, _)| *used).collect();
            ages.sort_unstable();
            let middle = ages[ages.len() / 2];
            slots.retain(|_, (used, _)| *used > middle);
        }
        let (used, slot) = slots.entry(key.clone()).or_insert_with(|| {
            let empty = Held {
                value: None,
                failed: None,
            };
            (now, Arc::new(tokio::sync::Mutex::new(empty)))
        });
        *used = now;
        Arc::clone(slot)
    }
}
