//! The logical tables that a commit changes, as ordered maps from bytes to text.
//!
//! They are the same, one for one, as the keys of the Redis backend, so that the two can be compared. Every table is an index or the truth about
//! one thing; [`crate::apply`] is the only place that keeps them consistent.

use std::collections::BTreeMap;

use commands::ids::{RecordId, ServiceId};

use crate::store::StoreError;

/// The tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// record id → its line.
    Records = 1,
    /// The ids of open records.
    Open = 2,
    /// (next wake, record id) of open records.
    Wakes = 3,
    /// (record id, sequence number) → journal row.
    Journal = 4,
    /// effect key → its line.
    Effects = 5,
    /// (due, effect key) of effects that nobody holds.
    Due = 6,
    /// (end of lease, effect key) of effects that somebody holds.
    Leases = 7,
    /// environment → run.
    Claims = 8,
    /// commit id → the answer and until when it is remembered.
    Seen = 9,
    /// (until when, commit id).
    Expiry = 10,
    /// sequence number → ledger row.
    Ledger = 11,
    /// name → count.
    Counters = 12,
}

/// Entries of a table, in key order.
pub type Entries = Vec<(Vec<u8>, String)>;

/// Tables that can be read.
pub trait Tables {
    /// The value under a key.
    ///
    /// # Errors
    /// When the tables cannot be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<String>, StoreError>;

    /// At most `limit` entries with `from <= key < to`, in key order.
    ///
    /// # Errors
    /// When the tables cannot be read.
    fn scan(&self, table: Table, range: (&[u8], &[u8]), limit: usize) -> Result<Entries, StoreError>;
}

/// Tables that can be changed.
pub trait TablesMut: Tables {
    /// Puts a value under a key.
    ///
    /// # Errors
    /// When the tables cannot be written.
    fn put(&mut self, table: Table, key: &[u8], value: &str) -> Result<(), StoreError>;

    /// Removes a key; one that is not there is left alone.
    ///
    /// # Errors
    /// When the tables cannot be written.
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError>;
}

/// Tables in memory: the model that the Redis script is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryTables(BTreeMap<Table, BTreeMap<Vec<u8>, String>>);

impl Tables for MemoryTables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<String>, StoreError> {
        Ok(self.0.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(&self, table: Table, (from, to): (&[u8], &[u8]), limit: usize) -> Result<Entries, StoreError> {
        let Some(rows) = self.0.get(&table).filter(|_| from < to) else {
            return Ok(Vec::new());
        };
        let found = rows.range(from.to_vec()..to.to_vec()).take(limit);
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

impl TablesMut for MemoryTables {
    fn put(&mut self, table: Table, key: &[u8], value: &str) -> Result<(), StoreError> {
        self.0.entry(table).or_default().insert(key.to_vec(), value.to_owned());
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        if let Some(rows) = self.0.get_mut(&table) {
            rows.remove(key);
        }
        Ok(())
    }
}

/// A number as bytes that sort like the number.
fn sortable(number: i64) -> [u8; 8] {
    (number ^ i64::MIN).to_be_bytes()
}

/// `slot`, a zero byte, `name`. No name contains a zero byte, so that slots cannot overlap.
pub(crate) fn key(slot: &ServiceId, name: &str) -> Vec<u8> {
    [slot.as_str().as_bytes(), &[0], name.as_bytes()].concat()
}

/// A key that sorts by a number first.
pub(crate) fn timed(slot: &ServiceId, number: i64, name: &str) -> Vec<u8> {
    [slot.as_str().as_bytes(), &[0], &sortable(number), name.as_bytes()].concat()
}

/// The key of a numbered row: of the ledger, or with a record of its journal.
pub(crate) fn numbered(slot: &ServiceId, record: Option<&RecordId>, seq: u64) -> Vec<u8> {
    let record = record.map_or("", RecordId::as_str);
    [
        slot.as_str().as_bytes(),
        &[0],
        record.as_bytes(),
        &[0],
        &seq.to_be_bytes(),
    ]
    .concat()
}

/// The first key after all that start with `prefix`, which ends in a byte below 255.
pub(crate) fn beyond(mut prefix: Vec<u8>) -> Vec<u8> {
    if let Some(last) = prefix.last_mut() {
        *last += 1;
    }
    prefix
}

/// What stands behind `slot` and the zero byte, as text.
pub(crate) fn name<'a>(slot: &ServiceId, key: &'a [u8]) -> Result<&'a str, StoreError> {
    tail(key, slot.as_str().len() + 1)
}

/// The number and the name of a [`timed`] key.
pub(crate) fn time_and_name<'a>(slot: &ServiceId, key: &'a [u8]) -> Result<(i64, &'a str), StoreError> {
    let start = slot.as_str().len() + 1;
    let bytes = key
        .get(start..start + 8)
        .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    let number = bytes.map(|bytes| i64::from_be_bytes(bytes) ^ i64::MIN);
    Ok((
        number.ok_or_else(|| StoreError::Corrupt("an index key is too short".to_owned()))?,
        tail(key, start + 8)?,
    ))
}

fn tail(key: &[u8], start: usize) -> Result<&str, StoreError> {
    let tail = key.get(start..).and_then(|tail| std::str::from_utf8(tail).ok());
    tail.ok_or_else(|| StoreError::Corrupt("a key is not text".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timed_keys_sort_like_their_numbers() {
        let slot = ServiceId::parse("wallet").expect("a name");
        let times = [i64::MIN, -1, 0, 1, 1_700_000_000_000, i64::MAX];
        let keys: Vec<_> = times.iter().map(|at| timed(&slot, *at, "x")).collect();
        assert!(keys.is_sorted());
        for (key, at) in keys.iter().zip(times) {
            assert_eq!(time_and_name(&slot, key), Ok((at, "x")));
        }
    }
}
