//! DynamoDB: tables whose items keep the types they were written with, conditions and updates as expressions, queries and scans in pages.
//!
//! The count that a table tells is as old as the real one's: it changes only when the controls say so. Reads that are not consistent can be
//! made to lag behind.

mod attribute;
mod batch;
mod control;
mod expression;
mod items;
mod number;
mod read;
mod tables;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::account::Account;
use super::error::AwsError;
use super::service::{Request, Service};

use attribute::Key;
pub(crate) use control::{Deed, TableSeed, act};

/// DynamoDB on the wire.
pub(crate) const SERVICE: Service = Service::json("DynamoDB_20120810", call);

/// How long a table is being made or deleted, in milliseconds.
const TABLE_MS: i64 = 5_000;

/// An item: attributes by name, each as `{"S": "text"}`.
pub(crate) type Item = Map<String, Value>;

/// One attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyPart {
    name: String,
    /// `S`, `N` or `B`.
    kind: String,
}

/// The attributes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeySchema {
    hash: KeyPart,
    range: Option<KeyPart>,
}

/// A table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    /// The instant of its making, which is part of its ARN.
    label: String,
    view: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Creating(i64),
    Active,
    Deleting(i64),
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    name: String,
    id: String,
    created_ms: i64,
    status: Status,
    key: KeySchema,
    indexes: BTreeMap<String, KeySchema>,
    stream: Option<Stream>,
    replicas: Vec<String>,
    protected: bool,
    /// What `DescribeTable` says, however many there are.
    item_count: usize,
    items: BTreeMap<Key, Item>,
    /// What reads that are not consistent still see, and until when.
    lagging: BTreeMap<Key, (i64, Option<Item>)>,
    lag_ms: i64,
}

/// The tables of a region by name.
#[derive(Debug, Default)]
pub(crate) struct Dynamo {
    tables: BTreeMap<String, Table>,
    /// How many writes of the next batch are left undone.
    unprocessed: usize,
}

impl Dynamo {
    /// When the next table is made or gone.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let dues = self.tables.values().filter_map(|table| match table.status {
            Status::Creating(until_ms) | Status::Deleting(until_ms) => Some(until_ms),
            Status::Active => None,
        });
        dues.min()
    }

    /// Ends what is due.
    pub(crate) fn settle(&mut self, now_ms: i64) {
        self.tables
            .retain(|_, table| !matches!(table.status, Status::Deleting(until_ms) if until_ms <= now_ms));
        for table in self.tables.values_mut() {
            if matches!(table.status, Status::Creating(until_ms) if until_ms <= now_ms) {
                table.status = Status::Active;
            }
        }
    }
}

impl Table {
    /// Puts an item, or takes it away; what was there before stays visible to reads that are not consistent for as long as the table lags.
    fn write(&mut self, key: Key, item: Option<Item>, now_ms: i64) -> Option<Item> {
        let before = match item {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(&key),
        };
        self.lagging.retain(|_, (until_ms, _)| *until_ms > now_ms);
        if self.lag_ms > 0 {
            self.lagging
                .entry(key)
                .or_insert_with(|| (now_ms + self.lag_ms, before.clone()));
        }
        before
    }

    /// What a read sees at a key.
    fn seen(&self, key: &Key, (consistent, now_ms): (bool, i64)) -> Option<&Item> {
        match self.lagging.get(key) {
            Some((until_ms, before)) if !consistent && *until_ms > now_ms => before.as_ref(),
            _ => self.items.get(key),
        }
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let region = account.region(&request.place);
    Some(match request.operation {
        "ListTables" => tables::list(region, args),
        "DescribeTable" => tables::describe(region, args),
        "CreateTable" => tables::create(region, args),
        "DeleteTable" => tables::delete(region, args),
        "GetItem" => items::get(region, args),
        "PutItem" => items::put(region, args),
        "UpdateItem" => items::update(region, args),
        "DeleteItem" => items::delete(region, args),
        "Query" => read::query(region, args),
        "Scan" => read::scan(region, args),
        "BatchWriteItem" => batch::write(region, args),
        _ => return None,
    })
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("ValidationException", message)
}
