//! The journal as evidence: rows chained by HMAC, a ledger per service, and seals kept outside the store.
//!
//! A row's MAC covers the row, its service and its predecessor's MAC, so that a changed, swapped, removed or inserted row shows, and so does a row
//! that was carried over from another service. What a chain cannot show is a tail that was cut off: the ledger has a line for every commit that
//! appended to a journal and for every refusal, so that a journal cut alone is missed there; and the [`Seal`]s, which go to standard output and so
//! stay outside the store, count the ledger and hash it, so that a whole store which was put back to an old state shows.

mod seal;
#[cfg(test)]
mod tamper;
mod verify;

use commands::ids::{RecordId, ServiceId};
use commands::time::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

pub use self::seal::{Seal, Sealer};
pub use self::verify::{Finding, Place, Report, verify};

/// One fact: an event of a record, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The record it is about.
    pub record: RecordId,
    /// Its place in the record's journal, from 1; 0 for a refusal.
    pub seq: u64,
    /// When, by the `Clock`.
    pub at: Timestamp,
    /// Who: a Slack user id, `os:<user>`, `signalbox`, `aws`.
    pub actor: String,
    /// Where it was said; empty when it was not said.
    pub channel: String,
    /// What caused it: the delivery, the effect's key, or the wake.
    pub cause: String,
    /// The stable reason code.
    pub reason: String,
    /// The short hash of the configuration under which it was decided.
    pub config: String,
    /// The event, as JSON text.
    pub event: String,
    /// The predecessor's MAC in hex; empty for the first row.
    pub prev: String,
    /// HMAC-SHA256 over all of the above, in hex.
    pub mac: String,
}

/// One line of a service's ledger. A commit that appended no row to a journal (a wake that moved) leaves none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// The record that was written; for a refusal the record it was about.
    pub record: RecordId,
    /// The record's version after the commit; 0 for a refusal.
    pub version: u64,
    /// The MAC of the record's newest row; for a refusal the refusal's own.
    pub mac: String,
    /// The refusal itself.
    pub refusal: Option<Row>,
}

/// What a row says, before it has a place and a MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The record it is about.
    pub record: RecordId,
    /// When, by the `Clock`.
    pub at: Timestamp,
    /// Who: a Slack user id, `os:<user>`, `signalbox`, `aws`.
    pub actor: String,
    /// Where it was said; empty when it was not said.
    pub channel: String,
    /// What caused it: the delivery, the effect's key, or the wake.
    pub cause: String,
    /// The stable reason code.
    pub reason: String,
    /// The short hash of the configuration under which it was decided.
    pub config: String,
    /// The event, as JSON text.
    pub event: String,
}

/// The secret under which rows and seals are made. It stays outside the store.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an audit key needs at least 16 bytes, and this one has {0}")]
pub struct BadKey(pub usize);

impl Key {
    /// Makes a key of a secret.
    ///
    /// # Errors
    /// When the secret has fewer than 16 bytes, which could be guessed.
    pub fn new(secret: &[u8]) -> Result<Self, BadKey> {
        if secret.len() < 16 {
            return Err(BadKey(secret.len()));
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| BadKey(secret.len()))
    }

    /// The MAC of a row of a service, in hex. The row's own `mac` has no part in it.
    #[must_use]
    pub fn mac(&self, slot: &ServiceId, row: &Row) -> String {
        let (seq, at) = (row.seq.to_be_bytes(), row.at.0.to_be_bytes());
        self.sign(&[
            b"signalbox row 1",
            slot.as_str().as_bytes(),
            row.record.as_str().as_bytes(),
            &seq,
            &at,
            row.actor.as_bytes(),
            row.channel.as_bytes(),
            row.cause.as_bytes(),
            row.reason.as_bytes(),
            row.config.as_bytes(),
            row.event.as_bytes(),
            row.prev.as_bytes(),
        ])
    }

    /// Each field goes in behind its length, so that no two lists of fields give the same bytes.
    fn sign(&self, fields: &[&[u8]]) -> String {
        let mut mac = self.0.clone();
        for field in fields {
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field);
        }
        hex::encode(mac.finalize().into_bytes())
    }
}

impl Row {
    /// The row that continues a journal which has `rows` rows and whose newest MAC is `head` (0 and empty for a new record).
    #[must_use]
    pub fn chain(key: &Key, slot: &ServiceId, (rows, head): (u64, &str), draft: Draft) -> Self {
        Self::signed(key, slot, (rows + 1, head), draft)
    }

    /// The row of a refusal, which stands in the ledger only.
    #[must_use]
    pub fn refusal(key: &Key, slot: &ServiceId, draft: Draft) -> Self {
        Self::signed(key, slot, (0, ""), draft)
    }

    fn signed(key: &Key, slot: &ServiceId, (seq, prev): (u64, &str), draft: Draft) -> Self {
        let Draft {
            record,
            at,
            actor,
            channel,
            cause,
            reason,
            config,
            event,
        } = draft;
        let (prev, mac) = (prev.to_owned(), String::new());
        let row = Self {
            record,
            seq,
            at,
            actor,
            channel,
            cause,
            reason,
            config,
            event,
            prev,
            mac,
        };
        let mac = key.mac(slot, &row);
        Self { mac, ..row }
    }
}

/// The first row of a journal that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {seq}: {why}")]
pub struct Bad {
    /// Its place in the journal as it was read, from 1.
    pub seq: u64,
    /// What is wrong with it.
    pub why: String,
}

/// Checks a journal from its first row on: each row stands in its place, continues its predecessor and bears its MAC. A tail that was cut off does
/// not show here.
///
/// # Errors
/// Names the first bad row.
pub fn verify_journal(key: &Key, slot: &ServiceId, record: &RecordId, rows: &[Row]) -> Result<(), Bad> {
    let mut chain = Chain::new(key, slot, record);
    rows.iter().try_for_each(|row| chain.push(row))
}

/// A journal that is checked row by row.
#[derive(Debug)]
pub struct Chain<'a> {
    key: &'a Key,
    slot: &'a ServiceId,
    record: &'a RecordId,
    rows: u64,
    head: String,
}

impl<'a> Chain<'a> {
    /// A journal without rows.
    #[must_use]
    pub const fn new(key: &'a Key, slot: &'a ServiceId, record: &'a RecordId) -> Self {
        Self {
            key,
            slot,
            record,
            rows: 0,
            head: String::new(),
        }
    }

    /// Checks the next row.
    ///
    /// # Errors
    /// Names what is wrong with it.
    pub fn push(&mut self, row: &Row) -> Result<(), Bad> {
        let seq = self.rows + 1;
        let bad = |why: &str| {
            Err(Bad {
                seq,
                why: why.to_owned(),
            })
        };
        if row.record != *self.record {
            return bad(&format!("it belongs to `{}`", row.record));
        }
        if row.seq != seq {
            return bad(&format!("it says that it is row {}", row.seq));
        }
        if row.prev != self.head {
            return bad("it does not continue the row before it");
        }
        if row.mac != self.key.mac(self.slot, row) {
            return bad("its MAC is not that of its content in this place");
        }
        self.rows = seq;
        self.head.clone_from(&row.mac);
        Ok(())
    }

    /// How many rows were checked, and the MAC of the last.
    #[must_use]
    pub fn end(&self) -> (u64, &str) {
        (self.rows, &self.head)
    }
}
