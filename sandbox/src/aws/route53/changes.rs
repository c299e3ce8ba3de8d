//! Changes of records: all of a batch, or none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ANY, Change, INSYNC_MS, RecordKey, RecordSet, Zone};
use crate::aws::args::Args;
use crate::aws::error::AwsError;
use crate::aws::ids;
use crate::aws::region::Region;
use crate::aws::value::{structure, timestamp};
use crate::aws::xml;

/// `ChangeResourceRecordSets`.
pub(super) fn change(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    if region.zones.busy > 0 {
        region.zones.busy -= 1;
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(AwsError::new("PriorRequestNotComplete", message));
    }
    let zone = region.zones.find(args)?;
    let batch = &args.0["ChangeBatch"];
    let changes = batch
        .get("Changes")
        .map(|changes| xml::list(changes, "Change"))
        .unwrap_or_default();
    if changes.is_empty() {
        return Err(AwsError::new(
            "InvalidInput",
            "1 validation error detected: Value '[]' at 'changeBatch.changes' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ));
    }
    let mut records = zone.records.clone();
    let mut wrong = Vec::new();
    for change in changes {
        let record =
            RecordSet::read(&change["ResourceRecordSet"]).map_err(|what| AwsError::new("InvalidInput", what))?;
        let action = change.get("Action").and_then(Value::as_str).unwrap_or_default();
        wrong.extend(apply(zone, &mut records, action, record));
    }
    if !wrong.is_empty() {
        return Err(AwsError::new("InvalidChangeBatch", format!("[{}]", wrong.join(", "))));
    }
    zone.records = records;
    let change = Change {
        id: format!("C{}", ids::access_key("")),
        at_ms: now_ms,
        comment: batch
            .get("Comment")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    };
    let shown = render(&change, now_ms);
    region.zones.changes.push(change);
    Ok(json!({ "ChangeInfo": shown }))
}

/// Applies one change, or says what is wrong with it.
fn apply(zone: &Zone, records: &mut BTreeMap<RecordKey, RecordSet>, action: &str, record: RecordSet) -> Option<String> {
    let named = format!("resource record set [name='{}', type='{}'", record.name, record.kind);
    let named = match &record.identifier {
        Some(identifier) => format!("{named}, set identifier='{identifier}']"),
        None => format!("{named}]"),
    };
    let inside = record.name == zone.name || record.name.ends_with(&format!(".{}", zone.name));
    if !inside {
        return Some(format!(
            "RRSet with DNS name {} is not permitted in zone {}",
            record.name, zone.name
        ));
    }
    let known = records.get(&record.key());
    match (action, known) {
        ("CREATE", Some(_)) => return Some(format!("Tried to create {named} but it already exists")),
        ("DELETE", None) => return Some(format!("Tried to delete {named} but it was not found")),
        ("DELETE", Some(known)) if *known != record => {
            return Some(format!(
                "Tried to delete {named} but the values provided do not match the current values"
            ));
        }
        ("DELETE", Some(_)) if record.name == zone.name && ["NS", "SOA"].contains(&record.kind.as_str()) => {
            return Some(format!(
                "A HostedZone must contain at least one {} record for the zone itself.",
                record.kind
            ));
        }
        ("DELETE", Some(_)) => {
            records.remove(&record.key());
            return None;
        }
        ("CREATE" | "UPSERT", _) => {}
        _ => return Some(format!("{action} is no action")),
    }
    let same_name = records
        .values()
        .filter(|other| other.name == record.name && other.kind != record.kind);
    let alone = same_name
        .into_iter()
        .any(|other| other.kind == "CNAME" || record.kind == "CNAME");
    if alone {
        return Some(format!(
            "RRSet of type {} with DNS name {} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone {}",
            record.kind, record.name, zone.name
        ));
    }
    records.insert(record.key(), record);
    None
}

/// `GetChange`.
pub(super) fn get(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let id = args.need("id", &ANY)?;
    let found = region.zones.changes.iter().find(|change| change.id == id);
    let missing = || {
        let message = format!("Could not find resource with ID: {id}");
        AwsError::missing("NoSuchChange", message)
    };
    let shown = render(found.ok_or_else(missing)?, region.now_ms);
    Ok(json!({ "ChangeInfo": shown }))
}

fn render(change: &Change, now_ms: i64) -> Value {
    let everywhere = now_ms >= change.at_ms + INSYNC_MS;
    structure([
        ("Id", Some(json!(format!("/change/{}", change.id)))),
        ("Status", Some(json!(if everywhere { "INSYNC" } else { "PENDING" }))),
        ("SubmittedAt", Some(timestamp(change.at_ms))),
        ("Comment", (!change.comment.is_empty()).then(|| json!(change.comment))),
    ])
}
