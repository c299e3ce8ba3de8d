//! Faults: what the vendors do to their callers on a bad day, on demand.
//!
//! A fault names a call (`slack.chat.postMessage`, `aws.PutApprovalResult`, `github.compare`, or a prefix such as `slack.*`), a kind and how often it
//! strikes. Handlers ask [`Faults::strike`] before they work and obey the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The answer comes `ms` milliseconds late (machine time).
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// 429 with `Retry-After` in seconds (Slack, GitHub) or `ThrottlingException` (AWS). The work is not done.
    Throttle {
        /// Seconds.
        retry_after: u64,
    },
    /// 500 (or the vendor's own form of it). The work is not done.
    Fail,
    /// Slack's `{"ok":false,"error":…}` or AWS's `__type`. The work is not done.
    Refuse {
        /// The vendor's error code.
        error: String,
    },
    /// The work is done and the connection is closed without an answer.
    LoseAnswer,
    /// The connection is closed before the work is done.
    Drop,
    /// The call waits, before the work, until it is let go ([`Faults::release`]): a test stops the world here.
    HoldBefore,
    /// The work is done, then the answer waits until it is let go.
    HoldAfter,
}

/// One fault that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its number, given when it is set.
    #[serde(default)]
    pub id: u64,
    /// The call, or a prefix that ends in `*`.
    pub target: String,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How many calls pass before the first that it strikes.
    #[serde(default)]
    pub spares: u32,
    /// How many calls it still strikes; `None`: until it is removed.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many calls it has struck.
    #[serde(default)]
    pub struck: u32,
}

impl Fault {
    /// A fault that strikes one call to come, after `spares` others.
    #[must_use]
    pub fn once(target: &str, kind: FaultKind, spares: u32) -> Self {
        Self {
            id: 0,
            target: target.to_owned(),
            kind,
            spares,
            times: Some(1),
            struck: 0,
        }
    }
}

/// The faults that are set, shared by all handlers.
#[derive(Debug, Default)]
pub struct Faults {
    inner: Mutex<Inner>,
    released: Arc<Notify>,
    held: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    set: Vec<Fault>,
    held: HashMap<u64, String>,
    next_hold: u64,
}

impl Faults {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a fault and returns its number.
    pub fn set(&self, mut fault: Fault) -> u64 {
        let mut inner = self.lock();
        inner.next += 1;
        fault.id = inner.next;
        let id = fault.id;
        inner.set.push(fault);
        id
    }

    /// The faults that are set, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Fault> {
        self.lock().set.clone()
    }

    /// Removes one fault (or all, with `None`) and lets go of every held call.
    pub fn clear(&self, id: Option<u64>) {
        {
            let mut inner = self.lock();
            inner.set.retain(|fault| id.is_some_and(|id| id != fault.id));
        }
        self.release();
    }

    /// What happens to this call, if anything; counts as one strike.
    #[must_use]
    pub fn strike(&self, call: &str) -> Option<FaultKind> {
        let mut inner = self.lock();
        let fault = inner
            .set
            .iter_mut()
            .find(|fault| matches(&fault.target, call) && fault.times != Some(0))?;
        if fault.spares > 0 {
            fault.spares -= 1;
            return None;
        }
        fault.struck += 1;
        fault.times = fault.times.map(|times| times - 1);
        let kind = fault.kind.clone();
        inner.set.retain(|fault| fault.times != Some(0));
        Some(kind)
    }

    /// Holds the caller until [`Faults::release`]; [`Faults::wait_held`] returns meanwhile.
    pub async fn hold(&self, call: &str) {
        let released = Arc::clone(&self.released);
        let waiting = released.notified();
        let id = {
            let mut inner = self.lock();
            inner.next_hold += 1;
            let id = inner.next_hold;
            inner.held.insert(id, call.to_owned());
            id
        };
        self.held.notify_waiters();
        waiting.await;
        self.lock().held.remove(&id);
    }

    /// Waits until a call is being held and returns its name.
    pub async fn wait_held(&self) -> String {
        loop {
            let held = Arc::clone(&self.held);
            let next = held.notified();
            tokio::pin!(next);
            next.as_mut().enable();
            if let Some(call) = self.lock().held.values().next() {
                return call.clone();
            }
            next.await;
        }
    }

    /// The calls that are being held, by name.
    #[must_use]
    pub fn held(&self) -> Vec<String> {
        let mut held: Vec<String> = self.lock().held.values().cloned().collect();
        held.sort();
        held
    }

    /// Lets every held call go on.
    pub fn release(&self) {
        self.released.notify_waiters();
    }
}

fn matches(target: &str, call: &str) -> bool {
    target
        .strip_suffix('*')
        .map_or(target == call, |prefix| call.starts_with(prefix))
}
