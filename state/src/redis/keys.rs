//! Every key, drawn once.
//!
//! ```text
//! sb2:{wallet}:r     hash    record id  → line of the record without its fold
//! sb2:{wallet}:f     hash    record id  → its fold: apart, because a script hashes every byte that it reads, and most want the version alone
//! sb2:{wallet}:i     zset    every record id, score 0: listing in order
//! sb2:{wallet}:o     zset    ids of open records, score 0: listing by prefix
//! sb2:{wallet}:w     zset    ids of open records, score = next wake (Clock)
//! sb2:{wallet}:e     hash    effect key → line of the effect
//! sb2:{wallet}:d     zset    effects that nobody holds, score = due (Clock)
//! sb2:{wallet}:x     zset    effects that somebody holds, score = end of the lease (store time)
//! sb2:{wallet}:c     hash    environment → run that has claimed it
//! sb2:{wallet}:s     hash    commit id → until when, and the reply
//! sb2:{wallet}:p     zset    commit ids, score = until when (store time)
//! sb2:{wallet}:l     list    the ledger; a row's place is its sequence number
//! sb2:{wallet}:n     hash    counters (`fence`)
//! sb2:{wallet}:j:ID  list    journal of record ID; a row's place is its sequence number
//! sb2:{/}:t:NAME     string  when the turns of the limit NAME are used up (Clock); of no service, and gone by itself a minute later
//! ```
//!
//! The lines are those of `codec`. The braces make all keys of a service fall into one slot of a cluster: a commit is one script in one slot, and
//! services spread over the nodes. `2` is the version of this layout: a program that needs another one writes under another number.

use commands::ids::{RecordId, ServiceId};

/// How many keys every script gets; journals follow.
pub(super) const FIXED: usize = 13;

/// The keys of one service.
#[derive(Debug)]
pub(super) struct Keys {
    /// In the order in which the scripts take them.
    pub(super) fixed: [String; FIXED],
    prefix: String,
}

impl Keys {
    pub(super) fn of(slot: &ServiceId) -> Self {
        let prefix = format!("sb2:{{{slot}}}:");
        let fixed =
            ["r", "i", "o", "w", "e", "d", "x", "c", "s", "p", "l", "n", "f"].map(|name| format!("{prefix}{name}"));
        Self { fixed, prefix }
    }

    pub(super) fn records(&self) -> &str {
        &self.fixed[0]
    }

    pub(super) fn folds(&self) -> &str {
        &self.fixed[12]
    }

    pub(super) fn ids(&self) -> &str {
        &self.fixed[1]
    }

    pub(super) fn open(&self) -> &str {
        &self.fixed[2]
    }

    pub(super) fn wakes(&self) -> &str {
        &self.fixed[3]
    }

    pub(super) fn effects(&self) -> &str {
        &self.fixed[4]
    }

    pub(super) fn due(&self) -> &str {
        &self.fixed[5]
    }

    pub(super) fn leases(&self) -> &str {
        &self.fixed[6]
    }

    pub(super) fn claims(&self) -> &str {
        &self.fixed[7]
    }

    pub(super) fn seen(&self) -> &str {
        &self.fixed[8]
    }

    pub(super) fn ledger(&self) -> &str {
        &self.fixed[10]
    }

    pub(super) fn journal(&self, record: &RecordId) -> String {
        format!("{}j:{record}", self.prefix)
    }
}

/// Where a limit is kept. All of them are in one slot, which no service can have: its name would not be one.
pub(super) fn limit(name: &str) -> String {
    format!("sb2:{{/}}:t:{name}")
}
