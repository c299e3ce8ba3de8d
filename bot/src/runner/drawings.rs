//! What each card looks like as far as this process knows: an equal drawing is not sent again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use commands::ids::RecordId;

/// How many cards are remembered; when there are more, all are forgotten, at the cost of one needless edit each.
const KEPT: usize = 4096;

/// The last drawing of each card.
#[derive(Debug, Default)]
pub struct Drawings {
    seen: Mutex<HashMap<RecordId, (String, String)>>,
}

impl Drawings {
    /// Whether the message of this `ts` shows exactly this drawing.
    #[must_use]
    pub fn is(&self, run: &RecordId, ts: &str, digest: &str) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(run)
            .is_some_and(|(known_ts, known)| known_ts == ts && known == digest)
    }

    /// Nobody knows any more what a card shows.
    pub fn forget(&self, run: &RecordId) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(run);
    }

    /// Remembers what was drawn.
    pub fn set(&self, run: &RecordId, ts: &str, digest: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= KEPT {
            seen.clear();
        }
        seen.insert(run.clone(), (ts.to_owned(), digest.to_owned()));
    }
}
