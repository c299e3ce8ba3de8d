//! Instances and clusters: described, and restored from snapshots.

use serde_json::{Value, json};

use super::{ANY, Database, RESTORE_MS, SNAPSHOT_S, code, new_id, snapshots};
use crate::aws::args::Args;
use crate::aws::error::AwsError;
use crate::aws::page;
use crate::aws::region::Region;
use crate::aws::value::{items, structure, timestamp};

/// The members' names of instances and of clusters.
const fn names(cluster: bool) -> (&'static str, &'static str) {
    if cluster {
        ("DBCluster", "DBClusterIdentifier")
    } else {
        ("DBInstance", "DBInstanceIdentifier")
    }
}

pub(super) fn missing(id: &str, cluster: bool) -> AwsError {
    let name = code(cluster, "DBInstanceNotFound", "DBClusterNotFoundFault");
    AwsError::missing(name, format!("{} {id} not found.", names(cluster).0))
}

/// `DescribeDBInstances` and `DescribeDBClusters`.
pub(super) fn describe(region: &mut Region, args: Args<'_>, cluster: bool) -> Result<Value, AwsError> {
    let (element, member) = names(cluster);
    let id = args.text(member, &ANY)?.map(str::to_ascii_lowercase);
    let fits = |database: &&Database| database.cluster == cluster && id.as_ref().is_none_or(|id| *id == database.id);
    let databases: Vec<&Database> = region.rds.databases.values().filter(fits).collect();
    if let (Some(id), true) = (&id, databases.is_empty()) {
        return Err(missing(id, cluster));
    }
    let size = args.number("MaxRecords", 20, 100)?.unwrap_or(100);
    let bad_marker = || AwsError::new("InvalidParameterValue", "Invalid Marker.");
    let page = page::forward(&databases, size, args.text("Marker", &ANY)?);
    let (databases, next) = page.ok_or_else(bad_marker)?;
    let shown = databases.into_iter().map(|database| render(region, database)).collect();
    let list = format!("{element}s");
    Ok(structure([
        (list.as_str(), Some(items(element, shown))),
        ("Marker", next.map(Value::from)),
    ]))
}

/// `RestoreDBInstanceFromDBSnapshot` and `RestoreDBClusterFromSnapshot`: always to a new database.
pub(super) fn restore(region: &mut Region, args: Args<'_>, cluster: bool) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let (element, member) = names(cluster);
    let id = new_id(args, member)?;
    let from = if cluster {
        "SnapshotIdentifier"
    } else {
        "DBSnapshotIdentifier"
    };
    let asked = args.need(from, &ANY)?.to_ascii_lowercase();
    let snapshot = region
        .rds
        .snapshots
        .get(&asked)
        .filter(|snapshot| snapshot.cluster == cluster);
    let snapshot = snapshot.ok_or_else(|| snapshots::missing(&asked, cluster))?;
    if snapshot.status(now_ms) != "available" {
        let message = format!("The snapshot {asked} is {}.", snapshot.status(now_ms));
        let name = code(cluster, "InvalidDBSnapshotState", "InvalidDBClusterSnapshotStateFault");
        return Err(AwsError::new(name, message));
    }
    if region.rds.databases.contains_key(&id) {
        let name = code(cluster, "DBInstanceAlreadyExists", "DBClusterAlreadyExistsFault");
        return Err(AwsError::new(name, format!("{element} already exists")));
    }
    let database = Database {
        id: id.clone(),
        cluster,
        engine: snapshot.engine.clone(),
        created_ms: now_ms,
        ready_ms: now_ms + RESTORE_MS,
        status: None,
        public: args.flag("PubliclyAccessible")?,
        encrypted: snapshot.encrypted,
        snapshot_s: SNAPSHOT_S,
        fail_snapshot: false,
        tags: tags(args)?,
    };
    let shown = render(region, &database);
    region.rds.databases.insert(id, database);
    Ok(json!({ element: shown }))
}

/// The tags of a request: `Tags.Tag.1.Key`.
fn tags(args: Args<'_>) -> Result<Vec<(String, String)>, AwsError> {
    let Some(tags) = args.structure("Tags")? else {
        return Ok(Vec::new());
    };
    let tags = tags.list("Tag")?.iter().map(|tag| {
        let tag = Args(tag);
        Ok((
            tag.need("Key", &ANY)?.to_owned(),
            tag.text("Value", &ANY)?.unwrap_or_default().to_owned(),
        ))
    });
    tags.collect()
}

fn render(region: &Region, database: &Database) -> Value {
    let status = region.rds.status(database, region.now_ms);
    let host = format!("{}.c0sandbox.{}.rds.amazonaws.com", database.id, region.place.region);
    let ready = status != "creating";
    let tags = database
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}));
    let tags = items("Tag", tags.collect());
    if database.cluster {
        return structure([
            ("DBClusterIdentifier", Some(json!(database.id))),
            (
                "DBClusterArn",
                Some(json!(region.place.arn("rds", &format!("cluster:{}", database.id)))),
            ),
            ("Status", Some(json!(status))),
            ("Engine", Some(json!(database.engine))),
            ("Endpoint", ready.then(|| json!(host))),
            ("Port", Some(json!(3306))),
            ("ClusterCreateTime", Some(timestamp(database.created_ms))),
            ("StorageEncrypted", Some(json!(database.encrypted))),
            ("PubliclyAccessible", Some(json!(database.public))),
            ("TagList", Some(tags)),
        ]);
    }
    structure([
        ("DBInstanceIdentifier", Some(json!(database.id))),
        (
            "DBInstanceArn",
            Some(json!(region.place.arn("rds", &format!("db:{}", database.id)))),
        ),
        ("DBInstanceStatus", Some(json!(status))),
        ("DBInstanceClass", Some(json!("db.t4g.medium"))),
        ("Engine", Some(json!(database.engine))),
        ("Endpoint", ready.then(|| json!({"Address": host, "Port": 3306}))),
        ("AllocatedStorage", Some(json!(100))),
        ("InstanceCreateTime", Some(timestamp(database.created_ms))),
        ("StorageEncrypted", Some(json!(database.encrypted))),
        ("PubliclyAccessible", Some(json!(database.public))),
        ("MultiAZ", Some(json!(false))),
        ("TagList", Some(tags)),
    ])
}
