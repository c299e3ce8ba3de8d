//! Making tables, and what happens to them without their API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::attribute::normalized_item;
use super::items::{exact_key, key_of};
use super::tables::stream_label;
use super::{Dynamo, Item, KeyPart, KeySchema, Stream, Table};
use crate::aws::error::AwsError;
use crate::aws::region::Region;

/// A table that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableSeed {
    name: String,
    /// The hash key and, if there is one, the range key: `pk` or `pk:N` (without a type: S).
    #[serde(default = "pk_and_sk")]
    key: Vec<String>,
    /// Indexes by name, with their keys.
    #[serde(default)]
    index: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    replicas: Vec<String>,
    #[serde(default)]
    protected: bool,
    /// Items as the API has them: `{pk = {S = "migrate"}, current = {S = "true"}}`.
    #[serde(default)]
    item: Vec<Map<String, Value>>,
    /// How many more items there are whose content does not matter.
    #[serde(default)]
    fill: usize,
    /// What `DescribeTable` says; by default the true number.
    #[serde(default)]
    item_count: Option<usize>,
}

fn pk_and_sk() -> Vec<String> {
    vec!["pk".to_owned(), "sk".to_owned()]
}

/// What can be done to tables.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// Somebody writes an item.
    Put { table: String, item: Map<String, Value> },
    /// Somebody takes one away.
    Remove { table: String, key: Map<String, Value> },
    /// All items go.
    Empty { table: String },
    /// So many items come whose content does not matter.
    Fill { table: String, count: usize },
    /// The count that `DescribeTable` tells, by default the true one: it is refreshed every six hours or so.
    Count {
        table: String,
        #[serde(default)]
        count: Option<usize>,
    },
    /// Reads that are not consistent see what was before, for so long after each write.
    Lag { table: String, seconds: i64 },
    /// The table is gone, at once.
    Drop { table: String },
    /// The next batch leaves so many of its writes undone.
    Unprocessed { count: usize },
}

fn schema(parts: &[String]) -> KeySchema {
    let part = |text: &String| {
        let (name, kind) = text.split_once(':').unwrap_or((text, "S"));
        KeyPart {
            name: name.to_owned(),
            kind: kind.to_owned(),
        }
    };
    let mut parts = parts.iter().map(part);
    let hash = parts.next().unwrap_or_else(|| KeyPart {
        name: "pk".to_owned(),
        kind: "S".to_owned(),
    });
    KeySchema {
        hash,
        range: parts.next(),
    }
}

impl Table {
    fn plant(&mut self, item: &Map<String, Value>, now_ms: i64) -> Result<(), AwsError> {
        let item = normalized_item(item)?;
        let key = key_of(&self.key, &item)?;
        self.write(key, Some(item), now_ms);
        Ok(())
    }

    fn fill(&mut self, count: usize, now_ms: i64) {
        let before = self.items.len();
        for number in before..before + count {
            let mut item: Item = Map::new();
            for part in [Some(&self.key.hash), self.key.range.as_ref()].into_iter().flatten() {
                let text = if part.kind == "N" {
                    number.to_string()
                } else {
                    format!("item-{number:08}")
                };
                item.insert(part.name.clone(), json!({ part.kind.clone(): text }));
            }
            // A key of bytes would have to be base64: no table here has one.
            drop(self.plant(&item, now_ms));
        }
    }
}

impl Region {
    /// Adds a table, or replaces the one of the same name. An item that its key does not fit is told in the log.
    pub(crate) fn plant_table(&mut self, seed: &TableSeed) {
        let now_ms = self.now_ms;
        let stream = seed.stream.then(|| Stream {
            label: stream_label(now_ms),
            view: "NEW_AND_OLD_IMAGES".to_owned(),
        });
        let mut table = Table {
            indexes: seed
                .index
                .iter()
                .map(|(name, key)| (name.clone(), schema(key)))
                .collect(),
            stream,
            replicas: seed.replicas.clone(),
            protected: seed.protected,
            ..Table::empty(&seed.name, schema(&seed.key), now_ms)
        };
        for item in &seed.item {
            if let Err(error) = table.plant(item, now_ms) {
                tracing::warn!(table = %seed.name, message = %error.message, "an item of the seed does not fit its table");
            }
        }
        table.fill(seed.fill, now_ms);
        table.item_count = seed.item_count.unwrap_or(table.items.len());
        self.dynamodb.tables.insert(seed.name.clone(), table);
    }
}

impl Dynamo {
    /// The ARN's part of a table's stream, if it has one.
    pub(crate) fn stream_label(&self, table: &str) -> Option<&str> {
        Some(self.tables.get(table)?.stream.as_ref()?.label.as_str())
    }

    /// The tables as the page shows them.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let tables = self.tables.values().map(|table| {
            let items: Vec<&Item> = table.items.values().take(20).collect();
            let key = [Some(&table.key.hash), table.key.range.as_ref()];
            let key: Vec<&str> = key.into_iter().flatten().map(|part| part.name.as_str()).collect();
            json!({"name": table.name, "status": table.status(), "key": key, "items": table.items.len(), "item_count": table.item_count,
                "first": items})
        });
        tables.collect()
    }
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let name = match deed {
        Deed::Unprocessed { count } => {
            region.dynamodb.unprocessed = *count;
            return Ok(json!({}));
        }
        Deed::Put { table, .. }
        | Deed::Remove { table, .. }
        | Deed::Empty { table }
        | Deed::Fill { table, .. }
        | Deed::Count { table, .. }
        | Deed::Lag { table, .. }
        | Deed::Drop { table } => table,
    };
    let missing = || AwsError::missing("ResourceNotFoundException", format!("there is no table {name}"));
    let table = region.dynamodb.tables.get_mut(name).ok_or_else(missing)?;
    match deed {
        Deed::Put { item, .. } => table.plant(item, now_ms)?,
        Deed::Remove { key, .. } => {
            let key = exact_key(&table.key, &normalized_item(key)?)?;
            table.write(key, None, now_ms);
        }
        Deed::Empty { .. } => table.items.clear(),
        Deed::Fill { count, .. } => table.fill(*count, now_ms),
        Deed::Count { count, .. } => table.item_count = count.unwrap_or(table.items.len()),
        Deed::Lag { seconds, .. } => table.lag_ms = seconds * 1000,
        Deed::Drop { .. } => drop(region.dynamodb.tables.remove(name)),
        Deed::Unprocessed { .. } => {}
    }
    Ok(json!({}))
}
