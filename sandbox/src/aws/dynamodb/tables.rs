//! Tables: made, described, deleted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{KeyPart, KeySchema, Status, Stream, TABLE_MS, Table, invalid};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::events::iso;
use crate::aws::ids;
use crate::aws::region::Region;
use crate::aws::value::{structure, timestamp};

const NAME: Rule = Rule::length(1, 1024);

/// A stream's label: the instant of its making.
pub(super) fn stream_label(at_ms: i64) -> String {
    iso(at_ms).replace('Z', ".000")
}

fn name_of<'a>(region: &Region, args: Args<'a>) -> Result<&'a str, AwsError> {
    let text = args.need("TableName", &NAME)?;
    let name = region.place.resource("dynamodb", text);
    Ok(name.strip_prefix("table/").unwrap_or(name))
}

fn missing(name: &str) -> AwsError {
    let message = format!("Requested resource not found: Table: {name} not found");
    AwsError::new("ResourceNotFoundException", message)
}

pub(super) fn list(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let size = args.number("Limit", 1, 100)?.unwrap_or(100);
    let size = usize::try_from(size).unwrap_or(1);
    let after = args.text("ExclusiveStartTableName", &NAME)?.unwrap_or_default();
    let names: Vec<&String> = region
        .dynamodb
        .tables
        .keys()
        .filter(|name| name.as_str() > after)
        .collect();
    let shown: Vec<&String> = names.iter().copied().take(size).collect();
    let last = shown
        .last()
        .filter(|_| names.len() > shown.len())
        .map(|name| json!(name));
    Ok(structure([
        ("TableNames", Some(json!(shown))),
        ("LastEvaluatedTableName", last),
    ]))
}

pub(super) fn describe(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let name = name_of(region, args)?;
    let table = region.dynamodb.tables.get(name).ok_or_else(|| missing(name))?;
    Ok(json!({ "Table": description(region, table) }))
}

pub(super) fn delete(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let name = name_of(region, args)?;
    let table = region.dynamodb.tables.get_mut(name).ok_or_else(|| missing(name))?;
    if table.protected {
        let message = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
        return Err(invalid(message));
    }
    if table.status != Status::Active {
        let message = format!("Attempt to change a resource which is still in use: Table is being changed: {name}");
        return Err(AwsError::new("ResourceInUseException", message));
    }
    table.status = Status::Deleting(now_ms + TABLE_MS);
    let table = &region.dynamodb.tables[name];
    Ok(json!({ "TableDescription": description(region, table) }))
}

pub(super) fn create(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let name = name_of(region, args)?.to_owned();
    let good = (3..=255).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if !good {
        return Err(AwsError::validation(
            &format!("'{name}'"),
            "tableName",
            "satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ));
    }
    if region.dynamodb.tables.contains_key(&name) {
        let message = format!("Table already exists: {name}");
        return Err(AwsError::new("ResourceInUseException", message));
    }
    let mut kinds = BTreeMap::new();
    for definition in args.list("AttributeDefinitions")? {
        let definition = Args(definition);
        let kind = definition.need("AttributeType", &Rule::one_of(&["S", "N", "B"]))?;
        kinds.insert(definition.need("AttributeName", &NAME)?, kind);
    }
    let key = schema(args, &kinds)?;
    let mut indexes = BTreeMap::new();
    for index in args.list("GlobalSecondaryIndexes")? {
        let index = Args(index);
        indexes.insert(index.need("IndexName", &NAME)?.to_owned(), schema(index, &kinds)?);
    }
    let stream = args.structure("StreamSpecification")?;
    let stream = stream
        .filter(|stream| stream.0["StreamEnabled"] == true)
        .map(|stream| Stream {
            label: stream_label(now_ms),
            view: stream.0["StreamViewType"]
                .as_str()
                .unwrap_or("NEW_AND_OLD_IMAGES")
                .to_owned(),
        });
    let table = Table {
        status: Status::Creating(now_ms + TABLE_MS),
        indexes,
        stream,
        protected: args.flag("DeletionProtectionEnabled")?,
        ..Table::empty(&name, key, now_ms)
    };
    let shown = description(region, &table);
    region.dynamodb.tables.insert(name, table);
    Ok(json!({ "TableDescription": shown }))
}

fn schema(args: Args<'_>, kinds: &BTreeMap<&str, &str>) -> Result<KeySchema, AwsError> {
    let mut parts = [None, None];
    for element in args.list("KeySchema")? {
        let element = Args(element);
        let name = element.need("AttributeName", &NAME)?;
        let undefined = || {
            invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [".to_owned() + name + "]")
        };
        let part = KeyPart {
            name: name.to_owned(),
            kind: (*kinds.get(name).ok_or_else(undefined)?).to_owned(),
        };
        let range = element.need("KeyType", &Rule::one_of(&["HASH", "RANGE"]))? == "RANGE";
        parts[usize::from(range)] = Some(part);
    }
    let [hash, range] = parts;
    let no_hash = || invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    Ok(KeySchema {
        hash: hash.ok_or_else(no_hash)?,
        range,
    })
}

impl Table {
    /// An active table without items.
    pub(super) fn empty(name: &str, key: KeySchema, created_ms: i64) -> Self {
        Self {
            name: name.to_owned(),
            id: ids::uuid(),
            created_ms,
            status: Status::Active,
            key,
            indexes: BTreeMap::new(),
            stream: None,
            replicas: Vec::new(),
            protected: false,
            item_count: 0,
            items: BTreeMap::new(),
            lagging: BTreeMap::new(),
            lag_ms: 0,
        }
    }

    /// The status as the service words it.
    pub(super) const fn status(&self) -> &'static str {
        match self.status {
            Status::Creating(_) => "CREATING",
            Status::Active => "ACTIVE",
            Status::Deleting(_) => "DELETING",
        }
    }
}

/// The attributes of a key as the operations show them.
fn elements(key: &KeySchema) -> Vec<Value> {
    let range = key
        .range
        .as_ref()
        .map(|part| json!({"AttributeName": part.name, "KeyType": "RANGE"}));
    let hash = json!({"AttributeName": key.hash.name, "KeyType": "HASH"});
    [Some(hash), range].into_iter().flatten().collect()
}

/// A table as the operations show it.
fn description(region: &Region, table: &Table) -> Value {
    let arn = region.place.arn("dynamodb", &format!("table/{}", table.name));
    let keys = std::iter::once(&table.key).chain(table.indexes.values());
    let parts = keys.flat_map(|key| [Some(&key.hash), key.range.as_ref()]).flatten();
    let kinds: BTreeMap<&str, &str> = parts.map(|part| (part.name.as_str(), part.kind.as_str())).collect();
    let kinds: Vec<Value> = kinds
        .iter()
        .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
        .collect();
    let indexes: Vec<Value> = table
        .indexes
        .iter()
        .map(|(name, key)| {
            json!({"IndexName": name, "KeySchema": elements(key), "IndexStatus": "ACTIVE", "Projection": {"ProjectionType": "ALL"},
                "IndexArn": format!("{arn}/index/{name}"), "ItemCount": table.item_count, "IndexSizeBytes": 0})
        })
        .collect();
    let replicas: Vec<Value> = table
        .replicas
        .iter()
        .map(|name| json!({"RegionName": name, "ReplicaStatus": "ACTIVE"}))
        .collect();
    let throughput = json!({"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0});
    structure([
        ("TableName", Some(json!(table.name))),
        ("TableArn", Some(json!(arn))),
        ("TableId", Some(json!(table.id))),
        ("TableStatus", Some(json!(table.status()))),
        ("CreationDateTime", Some(timestamp(table.created_ms))),
        ("AttributeDefinitions", Some(json!(kinds))),
        ("KeySchema", Some(json!(elements(&table.key)))),
        ("ProvisionedThroughput", Some(throughput)),
        ("BillingModeSummary", Some(json!({"BillingMode": "PAY_PER_REQUEST"}))),
        ("ItemCount", Some(json!(table.item_count))),
        ("TableSizeBytes", Some(json!(table.item_count * 512))),
        ("DeletionProtectionEnabled", Some(json!(table.protected))),
        (
            "StreamSpecification",
            table
                .stream
                .as_ref()
                .map(|stream| json!({"StreamEnabled": true, "StreamViewType": stream.view})),
        ),
        (
            "LatestStreamLabel",
            table.stream.as_ref().map(|stream| json!(stream.label)),
        ),
        (
            "LatestStreamArn",
            table
                .stream
                .as_ref()
                .map(|stream| json!(format!("{arn}/stream/{}", stream.label))),
        ),
        ("GlobalSecondaryIndexes", (!indexes.is_empty()).then(|| json!(indexes))),
        ("Replicas", (!replicas.is_empty()).then(|| json!(replicas))),
    ])
}
