//! One at a time per record within this process: sixteen people who click at once would otherwise make fifteen conflicts, each of which loads again.
//!
//! This is courtesy, not correctness: other replicas are held off by the version check of the commit alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// The queues that somebody stands in.
#[derive(Debug, Default)]
pub struct Queues {
    open: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Queues {
    /// Waits for one's turn; it lasts until the guard is dropped.
    pub async fn enter(&self, key: &str) -> OwnedMutexGuard<()> {
        let queue = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            match open.get(key).and_then(Weak::upgrade) {
                Some(queue) => queue,
                None => {
                    // Queues that nobody stands in any more are swept when a new one is opened.
                    if open.len() > 64 {
                        open.retain(|_, queue| queue.strong_count() > 0);
                    }
                    let queue = Arc::new(tokio::sync::Mutex::new(()));
                    open.insert(key.to_owned(), Arc::downgrade(&queue));
                    queue
                }
            }
        };
        queue.lock_owned().await
    }
}
