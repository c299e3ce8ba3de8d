//! What each card looks like as far as this process knows: an equal drawing is not sent again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use commands::ids::RecordId;

/// How many cards are remembered; when there are more, all are forgotten, at the cost of one needless edit each.
const KEPT: usize = 4096;

/// The versions of the run and of its desk from which a picture was drawn.
pub type Versions = (u64, u64);

#[derive(Debug)]
struct Drawing {
    ts: String,
    digest: String,
    versions: Versions,
}

/// The last drawing of each card.
#[derive(Debug, Default)]
pub struct Drawings {
    seen: Mutex<HashMap<RecordId, Drawing>>,
}

impl Drawings {
    /// Whether the message of this `ts` shows exactly this drawing. Another replica may have drawn another one since, but not from the same versions.
    #[must_use]
    pub fn is(&self, run: &RecordId, ts: &str, digest: &str, versions: Versions) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(run)
            .is_some_and(|known| known.ts == ts && known.digest == digest && known.versions == versions)
    }

    /// Nobody knows any more what a card shows.
    pub fn forget(&self, run: &RecordId) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(run);
    }

    /// Remembers what was drawn.
    pub fn set(&self, run: &RecordId, ts: &str, digest: &str, versions: Versions) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= KEPT {
            seen.clear();
        }
        let drawing = Drawing {
            ts: ts.to_owned(),
            digest: digest.to_owned(),
            versions,
        };
        seen.insert(run.clone(), drawing);
    }
}
