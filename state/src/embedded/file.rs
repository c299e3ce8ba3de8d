//! The logical tables as one tree of a `redb` file.

use redb::{ReadOnlyTable, ReadableTable, TableDefinition};

use crate::store::StoreError;
use crate::tables::{Entries, Table, Tables, TablesMut};

/// One tree for all tables: a table is the first byte of the key. One commit touches most of them, and one tree has one root to write.
pub(super) const ROWS: TableDefinition<'static, &[u8], &str> = TableDefinition::new("signalbox.1");

/// A snapshot of the file.
pub(super) struct ReadTables(pub(super) ReadOnlyTable<&'static [u8], &'static str>);

/// The tables within the writer's transaction.
pub(super) struct WriteTables<'txn>(pub(super) redb::Table<'txn, &'static [u8], &'static str>);

fn place(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table as u8], key].concat()
}

fn get(
    rows: &impl ReadableTable<&'static [u8], &'static str>,
    table: Table,
    key: &[u8],
) -> Result<Option<String>, StoreError> {
    Ok(rows
        .get(place(table, key).as_slice())
        .map_err(fault)?
        .map(|value| value.value().to_owned()))
}

fn scan(
    rows: &impl ReadableTable<&'static [u8], &'static str>,
    table: Table,
    (from, to): (&[u8], &[u8]),
    limit: usize,
) -> Result<Entries, StoreError> {
    if from >= to {
        return Ok(Vec::new());
    }
    let (from, to) = (place(table, from), place(table, to));
    let mut found = Vec::new();
    for entry in rows.range(from.as_slice()..to.as_slice()).map_err(fault)?.take(limit) {
        let (key, value) = entry.map_err(fault)?;
        found.push((key.value()[1..].to_vec(), value.value().to_owned()));
    }
    Ok(found)
}

impl Tables for ReadTables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<String>, StoreError> {
        get(&self.0, table, key)
    }

    fn scan(&self, table: Table, range: (&[u8], &[u8]), limit: usize) -> Result<Entries, StoreError> {
        scan(&self.0, table, range, limit)
    }
}

impl Tables for WriteTables<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<String>, StoreError> {
        get(&self.0, table, key)
    }

    fn scan(&self, table: Table, range: (&[u8], &[u8]), limit: usize) -> Result<Entries, StoreError> {
        scan(&self.0, table, range, limit)
    }
}

impl TablesMut for WriteTables<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: &str) -> Result<(), StoreError> {
        self.0
            .insert(place(table, key).as_slice(), value)
            .map_err(fault)
            .map(drop)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.0.remove(place(table, key).as_slice()).map_err(fault).map(drop)
    }
}

/// What an error of the file means to the caller.
pub(super) fn fault(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(what) => StoreError::Corrupt(what),
        error => StoreError::Refused(format!("the store's file: {error}")),
    }
}
