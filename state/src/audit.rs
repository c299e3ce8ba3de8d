//! The journal as evidence: rows chained by HMAC, a ledger per service, and seals kept outside the store.
//!
//! A row's MAC covers the row and its predecessor's MAC, so that a changed, swapped, removed or inserted row shows. What a chain can not show is a
//! tail that was cut off; the ledger counts every commit of the service, and the seals that go to standard output count the ledger.

use commands::ids::RecordId;
use commands::time::Timestamp;
use serde::{Deserialize, Serialize};

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

/// One line of a service's ledger.
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
