//! One item at a time: get, put, update, delete, each with its condition.

use serde_json::{Map, Value, json};

use super::attribute::{Key, Part, key_part, normalized_item, weight};
use super::expression::{Condition, Path, Placeholders};
use super::{Item, KeySchema, Status, Table, invalid};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::region::Region;
use crate::aws::value::structure;

/// The most bytes of an item.
const ITEM_LIMIT: usize = 400 * 1024;
const TABLE: Rule = Rule::length(1, 1024);
const OLD: Rule = Rule::one_of(&["NONE", "ALL_OLD"]);
const RETURN: Rule = Rule::one_of(&["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"]);

/// A table that can be read and written, by its name or ARN.
pub(super) fn table<'a>(region: &'a mut Region, name: &str) -> Result<&'a mut Table, AwsError> {
    let name = region.place.resource("dynamodb", name);
    let name = name.strip_prefix("table/").unwrap_or(name);
    let missing = || AwsError::new("ResourceNotFoundException", "Requested resource not found");
    let found = region.dynamodb.tables.get_mut(name);
    found.filter(|table| table.status == Status::Active).ok_or_else(missing)
}

pub(super) fn table_of<'a>(region: &'a mut Region, args: Args<'_>) -> Result<&'a mut Table, AwsError> {
    table(region, args.need("TableName", &TABLE)?)
}

/// What an item is kept by.
pub(super) fn key_of(schema: &KeySchema, item: &Item) -> Result<Key, AwsError> {
    let range = match &schema.range {
        Some(range) => key_part(item, range)?,
        None => Part::None,
    };
    Ok(Key {
        hash: key_part(item, &schema.hash)?,
        range,
    })
}

/// The key that a request gives: its attributes and no others.
pub(super) fn exact_key(schema: &KeySchema, key: &Item) -> Result<Key, AwsError> {
    let parts = 1 + usize::from(schema.range.is_some());
    let matches = key.len() == parts
        && [Some(&schema.hash), schema.range.as_ref()]
            .into_iter()
            .flatten()
            .all(|part| key.get(&part.name).is_some_and(|value| value.get(&part.kind).is_some()));
    if !matches {
        return Err(invalid("The provided key element does not match the schema"));
    }
    key_of(schema, key)
}

pub(super) fn structure_of(args: Args<'_>, member: &str) -> Result<Item, AwsError> {
    let found = args.structure(member)?.and_then(|found| found.0.as_object());
    let missing = || AwsError::validation("null", member, "not be null");
    normalized_item(found.ok_or_else(missing)?)
}

/// The parameters of the time before expressions are not understood rather than overheard.
fn refuse_legacy(args: Args<'_>) -> Result<(), AwsError> {
    const LEGACY: &[&str] = &[
        "Expected",
        "ConditionalOperator",
        "AttributeUpdates",
        "AttributesToGet",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
    ];
    match LEGACY.iter().find(|member| args.0.get(**member).is_some()) {
        Some(member) => Err(invalid(format!(
            "the sandbox knows expressions only, not the parameter {member}"
        ))),
        None => Ok(()),
    }
}

/// Only the attributes that are asked for.
pub(super) fn projected(item: &Item, paths: Option<&[Path]>) -> Item {
    let Some(paths) = paths else {
        return item.clone();
    };
    let mut shown = Map::new();
    for path in paths {
        path.project(item, &mut shown);
    }
    shown
}

/// The condition of a write and what to show when it fails.
struct Guard {
    condition: Option<Condition>,
    show_old: bool,
}

impl Guard {
    fn of(args: Args<'_>, placeholders: &mut Placeholders) -> Result<Self, AwsError> {
        refuse_legacy(args)?;
        let shown = args.text("ReturnValuesOnConditionCheckFailure", &OLD)?;
        Ok(Self {
            condition: placeholders.condition(args, "ConditionExpression")?,
            show_old: shown == Some("ALL_OLD"),
        })
    }

    fn check(&self, found: Option<&Item>) -> Result<(), AwsError> {
        let empty = Map::new();
        let holds = |condition: &Condition| condition.holds(found.unwrap_or(&empty));
        if self.condition.as_ref().is_none_or(holds) {
            return Ok(());
        }
        let error = AwsError::new("ConditionalCheckFailedException", "The conditional request failed");
        Err(match found.filter(|_| self.show_old) {
            Some(item) => error.with_members(json!({ "Item": item })),
            None => error,
        })
    }
}

pub(super) fn get(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    refuse_legacy(args)?;
    let now_ms = region.now_ms;
    let consistent = args.flag("ConsistentRead")?;
    let table = table_of(region, args)?;
    let key = exact_key(&table.key, &structure_of(args, "Key")?)?;
    let mut placeholders = Placeholders::of(args)?;
    let paths = placeholders.projection(args)?;
    placeholders.finish()?;
    let item = table.seen(&key, (consistent, now_ms));
    Ok(structure([(
        "Item",
        item.map(|item| json!(projected(item, paths.as_deref()))),
    )]))
}

fn fits(item: &Item) -> Result<(), AwsError> {
    if weight(item) > ITEM_LIMIT {
        return Err(invalid("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}

fn no_values(args: Args<'_>) -> Result<bool, AwsError> {
    let asked = args.text("ReturnValues", &RETURN)?.unwrap_or("NONE");
    match asked {
        "NONE" => Ok(false),
        "ALL_OLD" => Ok(true),
        _ => Err(invalid("Return values set to invalid value")),
    }
}

pub(super) fn put(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let show_old = no_values(args)?;
    let item = structure_of(args, "Item")?;
    fits(&item)?;
    let table = table_of(region, args)?;
    let key = key_of(&table.key, &item)?;
    for schema in table.indexes.values() {
        // An item without an index's attributes is not in the index; one with an attribute of another type is refused.
        for part in [Some(&schema.hash), schema.range.as_ref()].into_iter().flatten() {
            if item.contains_key(&part.name) {
                key_part(&item, part)?;
            }
        }
    }
    let mut placeholders = Placeholders::of(args)?;
    let guard = Guard::of(args, &mut placeholders)?;
    placeholders.finish()?;
    guard.check(table.items.get(&key))?;
    let before = table.write(key, Some(item), now_ms);
    Ok(structure([(
        "Attributes",
        before.filter(|_| show_old).map(|item| json!(item)),
    )]))
}

pub(super) fn delete(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let show_old = no_values(args)?;
    let table = table_of(region, args)?;
    let key = exact_key(&table.key, &structure_of(args, "Key")?)?;
    let mut placeholders = Placeholders::of(args)?;
    let guard = Guard::of(args, &mut placeholders)?;
    placeholders.finish()?;
    guard.check(table.items.get(&key))?;
    let before = table.write(key, None, now_ms);
    Ok(structure([(
        "Attributes",
        before.filter(|_| show_old).map(|item| json!(item)),
    )]))
}

pub(super) fn update(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let shown = args.text("ReturnValues", &RETURN)?.unwrap_or("NONE");
    let table = table_of(region, args)?;
    let given = structure_of(args, "Key")?;
    let key = exact_key(&table.key, &given)?;
    let mut placeholders = Placeholders::of(args)?;
    let guard = Guard::of(args, &mut placeholders)?;
    let update = placeholders.update(args)?;
    placeholders.finish()?;
    if let Some(name) = update
        .iter()
        .flat_map(|update| update.tops())
        .find(|name| given.contains_key(*name))
    {
        return Err(invalid(format!(
            "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part of the key"
        )));
    }
    let before = table.items.get(&key).cloned();
    guard.check(before.as_ref())?;
    // Updating what is not there makes it.
    let start = before.clone().unwrap_or_else(|| given.clone());
    let after = match &update {
        Some(update) => update.apply(&start)?,
        None => start,
    };
    fits(&after)?;
    table.write(key, Some(after.clone()), now_ms);
    let touched = |item: &Item| -> Option<Value> {
        let tops: Vec<&str> = update.iter().flat_map(|update| update.tops()).collect();
        let of_them: Item = item
            .iter()
            .filter(|(name, _)| tops.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        (!of_them.is_empty()).then(|| json!(of_them))
    };
    let attributes = match shown {
        "ALL_OLD" => before.map(|item| json!(item)),
        "ALL_NEW" => Some(json!(after)),
        "UPDATED_OLD" => before.as_ref().and_then(touched),
        "UPDATED_NEW" => touched(&after),
        _ => None,
    };
    Ok(structure([("Attributes", attributes)]))
}
