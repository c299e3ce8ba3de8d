//! Queries and scans, in pages.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::attribute::{Key, order, weight};
use super::expression::{Comparison, Condition, Operand, Path, Placeholders};
use super::items::{key_of, projected, structure_of, table_of};
use super::{Item, KeySchema, Table, invalid};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::region::Region;
use crate::aws::value::structure;

/// A page ends after so many bytes of items.
const PAGE_BYTES: usize = 1_048_576;
const SELECT: Rule = Rule::one_of(&[
    "ALL_ATTRIBUTES",
    "ALL_PROJECTED_ATTRIBUTES",
    "SPECIFIC_ATTRIBUTES",
    "COUNT",
]);

/// What is asked of a page.
struct Wanted {
    filter: Option<Condition>,
    paths: Option<Vec<Path>>,
    count_only: bool,
    limit: usize,
}

impl Wanted {
    fn of(args: Args<'_>, placeholders: &mut Placeholders) -> Result<Self, AwsError> {
        let limit = args.number("Limit", 1, i64::from(i32::MAX))?;
        Ok(Self {
            filter: placeholders.condition(args, "FilterExpression")?,
            paths: placeholders.projection(args)?,
            count_only: args.text("Select", &SELECT)? == Some("COUNT"),
            limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(usize::MAX),
        })
    }

    /// A page of `items`: the limit and the size are of what is read, before the filter.
    fn page(&self, items: &[&Item], keys: &[&KeySchema]) -> Value {
        let mut bytes = 0;
        let mut read = 0;
        for item in items.iter().take(self.limit) {
            bytes += weight(item);
            if bytes > PAGE_BYTES && read > 0 {
                break;
            }
            read += 1;
        }
        let fitting: Vec<&&Item> = items[..read]
            .iter()
            .filter(|item| self.filter.as_ref().is_none_or(|filter| filter.holds(item)))
            .collect();
        // A page that ends exactly at the limit says that there may be more, as the service does.
        let ended = read == items.len() && read < self.limit;
        let last = items[..read].last().filter(|_| !ended).map(|item| {
            let names = keys
                .iter()
                .flat_map(|key| [Some(&key.hash), key.range.as_ref()])
                .flatten();
            let key = names.filter_map(|part| Some((part.name.clone(), item.get(&part.name)?.clone())));
            Value::Object(key.collect())
        });
        let shown = (!self.count_only).then(|| {
            let shown = fitting.iter().map(|item| json!(projected(item, self.paths.as_deref())));
            shown.collect()
        });
        structure([
            ("Items", shown),
            ("Count", Some(json!(fitting.len()))),
            ("ScannedCount", Some(json!(read))),
            ("LastEvaluatedKey", last),
        ])
    }
}

/// The key that a read goes by: the table's, or an index's.
fn schema_of<'a>(table: &'a Table, args: Args<'_>) -> Result<(&'a KeySchema, bool), AwsError> {
    let Some(name) = args.text("IndexName", &Rule::length(1, 255))? else {
        return Ok((&table.key, false));
    };
    if args.flag("ConsistentRead")? {
        return Err(invalid(
            "Consistent reads are not supported on global secondary indexes",
        ));
    }
    let missing = || invalid(format!("The table does not have the specified index: {name}"));
    Ok((table.indexes.get(name).ok_or_else(missing)?, true))
}

/// Where a page begins: behind the last key of the one before.
fn start(table: &Table, args: Args<'_>) -> Result<Option<Item>, AwsError> {
    if args.structure("ExclusiveStartKey")?.is_none() {
        return Ok(None);
    }
    let key = structure_of(args, "ExclusiveStartKey")?;
    if key_of(&table.key, &key).is_err() {
        return Err(invalid("The provided starting key is invalid"));
    }
    Ok(Some(key))
}

/// The items as this read sees them, in the order of the table.
fn visible(table: &Table, consistent: bool, now_ms: i64) -> Vec<(&Key, &Item)> {
    let lagging = table.lagging.keys().filter(|key| !table.items.contains_key(*key));
    let mut keys: Vec<&Key> = table.items.keys().chain(lagging).collect();
    keys.sort();
    keys.into_iter()
        .filter_map(|key| Some((key, table.seen(key, (consistent, now_ms))?)))
        .collect()
}

pub(super) fn scan(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let consistent = args.flag("ConsistentRead")?;
    let table = table_of(region, args)?;
    let mut placeholders = Placeholders::of(args)?;
    let wanted = Wanted::of(args, &mut placeholders)?;
    placeholders.finish()?;
    let segments = args.number("TotalSegments", 1, 1_000_000)?;
    let segment = args.number("Segment", 0, 999_999)?;
    if segments.is_some() != segment.is_some() || segment >= segments && segment.is_some() {
        return Err(invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments",
        ));
    }
    let (schema, index) = schema_of(table, args)?;
    let from = start(table, args)?.map(|key| key_of(&table.key, &key)).transpose()?;
    let items: Vec<&Item> = visible(table, consistent, now_ms)
        .into_iter()
        .filter(|(key, _)| from.as_ref().is_none_or(|from| *key > from))
        .filter(|(key, _)| match (segment, segments) {
            (Some(segment), Some(segments)) => bucket(key, segments) == segment,
            _ => true,
        })
        .map(|(_, item)| item)
        .filter(|item| !index || in_index(schema, item))
        .collect();
    Ok(wanted.page(&items, &[&table.key]))
}

/// Which segment of so many a key is in.
fn bucket(key: &Key, segments: i64) -> i64 {
    let text = format!("{:?}", key.hash);
    let sum = text
        .bytes()
        .fold(7_i64, |sum, byte| (sum * 31 + i64::from(byte)).rem_euclid(1_000_003));
    sum % segments
}

fn in_index(schema: &KeySchema, item: &Item) -> bool {
    key_of(schema, item).is_ok()
}

pub(super) fn query(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let consistent = args.flag("ConsistentRead")?;
    let forward = args.0.get("ScanIndexForward") != Some(&json!(false));
    let table = table_of(region, args)?;
    let mut placeholders = Placeholders::of(args)?;
    let condition = placeholders.condition(args, "KeyConditionExpression")?.ok_or_else(|| {
        invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    })?;
    let wanted = Wanted::of(args, &mut placeholders)?;
    placeholders.finish()?;
    let (schema, index) = schema_of(table, args)?;
    check_key_condition(schema, &condition)?;
    let mut items: Vec<&Item> = visible(table, consistent, now_ms)
        .into_iter()
        .map(|(_, item)| item)
        .filter(|item| condition.holds(item) && (!index || in_index(schema, item)))
        .collect();
    let rank = |left: &Item, right: &Item| compare(table, schema, left, right);
    items.sort_by(|left, right| rank(left, right));
    if !forward {
        items.reverse();
    }
    if let Some(from) = start(table, args)? {
        let behind = if forward { Ordering::Greater } else { Ordering::Less };
        items.retain(|item| rank(item, &from) == behind);
    }
    let mut keys = vec![&table.key];
    if index {
        keys.push(schema);
    }
    Ok(wanted.page(&items, &keys))
}

/// The order of a query's answer: by the range key, then by the table's own key, so that pages of an index neither lose nor repeat.
fn compare(table: &Table, schema: &KeySchema, left: &Item, right: &Item) -> Ordering {
    let by = |name: &str| match (left.get(name), right.get(name)) {
        (Some(left), Some(right)) => order(left, right).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    };
    let range = schema.range.as_ref().map_or(Ordering::Equal, |part| by(&part.name));
    let own = table.key.range.as_ref().map_or(Ordering::Equal, |part| by(&part.name));
    range.then_with(|| by(&table.key.hash.name)).then(own)
}

/// A key condition is `hash = value`, and one more about the range key at most.
fn check_key_condition(schema: &KeySchema, condition: &Condition) -> Result<(), AwsError> {
    let unsupported = || invalid("Query key condition not supported");
    let parts: Vec<&Condition> = match condition {
        Condition::All(parts) => parts.iter().collect(),
        one => vec![one],
    };
    let mut hash = false;
    for part in &parts {
        let path = match part {
            Condition::Compare(Operand::Path(path), comparison, Operand::Value(_))
                if *comparison != Comparison::NotEqual =>
            {
                if path.top() == schema.hash.name && *comparison != Comparison::Equal {
                    return Err(unsupported());
                }
                path
            }
            Condition::Between(Operand::Path(path), Operand::Value(_), Operand::Value(_))
            | Condition::BeginsWith(Operand::Path(path), Operand::Value(_)) => path,
            _ => return Err(unsupported()),
        };
        let range = schema.range.as_ref().map(|part| part.name.as_str());
        if path.top() == schema.hash.name {
            hash = true;
        } else if Some(path.top()) != range {
            return Err(unsupported());
        }
    }
    if !hash {
        return Err(invalid(format!(
            "Query condition missed key schema element: {}",
            schema.hash.name
        )));
    }
    if parts.len() > 2 {
        return Err(unsupported());
    }
    Ok(())
}
