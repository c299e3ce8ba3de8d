//! Several writes in one call: each by itself, none under a condition.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::attribute::{Key, normalized_item};
use super::items::{exact_key, key_of, table};
use super::{Item, invalid};
use crate::aws::args::Args;
use crate::aws::error::AwsError;
use crate::aws::region::Region;

/// The most writes of a call.
const WRITES: usize = 25;

/// A write that was understood: where, what, and how it was asked for.
struct Write {
    table: String,
    key: Key,
    item: Option<Item>,
    asked: Value,
}

/// `BatchWriteItem`.
pub(super) fn write(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let tables = args.structure("RequestItems")?.and_then(|tables| tables.0.as_object());
    let tables = tables.ok_or_else(|| AwsError::validation("null", "requestItems", "not be null"))?;
    let count: usize = tables.values().filter_map(Value::as_array).map(Vec::len).sum();
    if count == 0 || count > WRITES {
        let message = if count == 0 {
            "The batch write request list cannot be empty".to_owned()
        } else {
            format!(
                "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to {WRITES}, Member must have length greater than or equal to 1]"
            )
        };
        return Err(invalid(message));
    }
    let mut writes = Vec::new();
    for (name, list) in tables {
        for asked in list.as_array().into_iter().flatten() {
            writes.push(understood(region, name, asked)?);
        }
    }
    let keys: BTreeSet<(&str, &Key)> = writes.iter().map(|write| (write.table.as_str(), &write.key)).collect();
    if keys.len() < writes.len() {
        return Err(invalid("Provided list of item keys contains duplicates"));
    }
    // The last of them are left to the caller, who must send them again.
    let left = std::mem::take(&mut region.dynamodb.unprocessed).min(writes.len());
    let unprocessed = writes.split_off(writes.len() - left);
    for write in writes {
        table(region, &write.table)?.write(write.key, write.item, now_ms);
    }
    let mut answer: Map<String, Value> = Map::new();
    for write in unprocessed {
        let list = answer.entry(write.table).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(write.asked);
        }
    }
    Ok(json!({ "UnprocessedItems": answer }))
}

fn understood(region: &mut Region, name: &str, asked: &Value) -> Result<Write, AwsError> {
    let table = table(region, name)?;
    let put = asked.pointer("/PutRequest/Item").and_then(Value::as_object);
    let delete = asked.pointer("/DeleteRequest/Key").and_then(Value::as_object);
    let (key, item) = match (put, delete) {
        (Some(item), None) => {
            let item = normalized_item(item)?;
            (key_of(&table.key, &item)?, Some(item))
        }
        (None, Some(key)) => (exact_key(&table.key, &normalized_item(key)?)?, None),
        _ => {
            return Err(invalid(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
            ));
        }
    };
    Ok(Write {
        table: name.to_owned(),
        key,
        item,
        asked: asked.clone(),
    })
}
