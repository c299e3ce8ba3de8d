//! Snapshots: taken and described.

use serde_json::{Value, json};

use super::{ANY, Snapshot, code, new_id};
use crate::aws::args::Args;
use crate::aws::error::AwsError;
use crate::aws::page;
use crate::aws::region::Region;
use crate::aws::value::{items, structure, timestamp};

/// The members' names of an instance's and of a cluster's snapshots.
const fn names(cluster: bool) -> (&'static str, &'static str, &'static str) {
    if cluster {
        (
            "DBClusterSnapshot",
            "DBClusterSnapshotIdentifier",
            "DBClusterIdentifier",
        )
    } else {
        ("DBSnapshot", "DBSnapshotIdentifier", "DBInstanceIdentifier")
    }
}

/// `CreateDBSnapshot` and `CreateDBClusterSnapshot`.
pub(super) fn create(region: &mut Region, args: Args<'_>, cluster: bool) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let (element, id_member, database_member) = names(cluster);
    let id = new_id(args, id_member)?;
    let asked = args.need(database_member, &ANY)?.to_ascii_lowercase();
    let Some(database) = region
        .rds
        .databases
        .get(&asked)
        .filter(|database| database.cluster == cluster)
    else {
        return Err(super::databases::missing(&asked, cluster));
    };
    if region.rds.snapshots.contains_key(&id) {
        let name = code(
            cluster,
            "DBSnapshotAlreadyExists",
            "DBClusterSnapshotAlreadyExistsFault",
        );
        let message = format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists.");
        return Err(AwsError::new(name, message));
    }
    let status = region.rds.status(database, now_ms);
    if !["available", "storage-optimization"].contains(&status) {
        let name = code(cluster, "InvalidDBInstanceState", "InvalidDBClusterStateFault");
        let message = format!("{asked} is not currently in the available state: it is {status}.");
        return Err(AwsError::new(name, message));
    }
    let snapshot = database.snapshot(&id, now_ms);
    let shown = render(region, &snapshot);
    region.rds.snapshots.insert(id, snapshot);
    if let Some(database) = region.rds.databases.get_mut(&asked) {
        database.fail_snapshot = false;
    }
    Ok(json!({ element: shown }))
}

/// `DescribeDBSnapshots` and `DescribeDBClusterSnapshots`.
pub(super) fn describe(region: &mut Region, args: Args<'_>, cluster: bool) -> Result<Value, AwsError> {
    let (element, id_member, database_member) = names(cluster);
    let id = args.text(id_member, &ANY)?.map(str::to_ascii_lowercase);
    let database = args.text(database_member, &ANY)?.map(str::to_ascii_lowercase);
    let kind = args.text("SnapshotType", &ANY)?;
    let fits = |snapshot: &&Snapshot| {
        snapshot.cluster == cluster
            && id.as_ref().is_none_or(|id| *id == snapshot.id)
            && database.as_ref().is_none_or(|database| *database == snapshot.database)
            && kind.is_none_or(|kind| (kind == "automated") == snapshot.automated)
    };
    let snapshots: Vec<&Snapshot> = region.rds.snapshots.values().filter(fits).collect();
    if let (Some(id), true) = (&id, snapshots.is_empty()) {
        return Err(missing(id, cluster));
    }
    let size = args.number("MaxRecords", 20, 100)?.unwrap_or(100);
    let bad_marker = || AwsError::new("InvalidParameterValue", "Invalid Marker.");
    let page = page::forward(&snapshots, size, args.text("Marker", &ANY)?);
    let (snapshots, next) = page.ok_or_else(bad_marker)?;
    let shown = snapshots.into_iter().map(|snapshot| render(region, snapshot)).collect();
    let list = format!("{element}s");
    Ok(structure([
        (list.as_str(), Some(items(element, shown))),
        ("Marker", next.map(Value::from)),
    ]))
}

pub(super) fn missing(id: &str, cluster: bool) -> AwsError {
    let name = code(cluster, "DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault");
    AwsError::missing(name, format!("{} {id} not found.", names(cluster).0))
}

fn render(region: &Region, snapshot: &Snapshot) -> Value {
    let now_ms = region.now_ms;
    let (element, id, database) = names(snapshot.cluster);
    let kind = if snapshot.cluster {
        "cluster-snapshot"
    } else {
        "snapshot"
    };
    let arn = |id: &str| region.place.arn("rds", &format!("{kind}:{id}"));
    let mut shown = json!({
        id: snapshot.id,
        database: snapshot.database,
        format!("{element}Arn"): arn(&snapshot.id),
        "SnapshotCreateTime": timestamp(snapshot.started_ms),
        "Engine": snapshot.engine,
        "AllocatedStorage": 100,
        "Status": snapshot.status(now_ms),
        "PercentProgress": snapshot.percent(now_ms),
        "SnapshotType": if snapshot.automated { "automated" } else { "manual" },
        if snapshot.cluster { "StorageEncrypted" } else { "Encrypted" }: snapshot.encrypted,
    });
    // Only an instance's tells how old a copy is, and each names what it was copied from in its own way.
    if !snapshot.cluster {
        shown["OriginalSnapshotCreateTime"] = timestamp(snapshot.original_ms());
    }
    if let Some((source, _)) = &snapshot.copy_of {
        let member = if snapshot.cluster {
            "SourceDBClusterSnapshotArn"
        } else {
            "SourceDBSnapshotIdentifier"
        };
        shown[member] = json!(arn(source));
    }
    shown
}
