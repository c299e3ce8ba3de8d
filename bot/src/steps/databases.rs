//! RDS, as `snapshot`, `restore` and `posture` read it: instances and clusters have the same operations under other names.

use commands::time::Timestamp;
use serde_json::{Map, Value, json};

use super::{At, StepError};
use crate::aws::AwsError;
use crate::aws::api::RDS;
use crate::aws::signed::Ask;
use crate::aws::xml;

/// Pages of one listing.
const PAGES: usize = 20;

/// How RDS calls what is done to one sort of database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// How a database is described, the element of it, its id and its status.
    pub(super) describe: &'static str,
    pub(super) element: &'static str,
    pub(super) id: &'static str,
    pub(super) status: &'static str,
    /// How a snapshot is taken and described, the element of it and its id.
    pub(super) take: &'static str,
    pub(super) describe_snapshots: &'static str,
    pub(super) snapshot: &'static str,
    pub(super) snapshot_id: &'static str,
    /// The codes of what is not there, and of what is.
    pub(super) missing: &'static str,
    pub(super) snapshot_missing: &'static str,
    pub(super) snapshot_exists: &'static str,
}

pub(super) const INSTANCE: Names = Names {
    describe: "DescribeDBInstances",
    element: "DBInstance",
    id: "DBInstanceIdentifier",
    status: "DBInstanceStatus",
    take: "CreateDBSnapshot",
    describe_snapshots: "DescribeDBSnapshots",
    snapshot: "DBSnapshot",
    snapshot_id: "DBSnapshotIdentifier",
    missing: "DBInstanceNotFound",
    snapshot_missing: "DBSnapshotNotFound",
    snapshot_exists: "DBSnapshotAlreadyExists",
};

pub(super) const CLUSTER: Names = Names {
    describe: "DescribeDBClusters",
    element: "DBCluster",
    id: "DBClusterIdentifier",
    status: "Status",
    take: "CreateDBClusterSnapshot",
    describe_snapshots: "DescribeDBClusterSnapshots",
    snapshot: "DBClusterSnapshot",
    snapshot_id: "DBClusterSnapshotIdentifier",
    missing: "DBClusterNotFoundFault",
    snapshot_missing: "DBClusterSnapshotNotFoundFault",
    snapshot_exists: "DBClusterSnapshotAlreadyExistsFault",
};

/// An instance or a cluster; `None`: there is none of that name.
pub(super) async fn database(at: At<'_>, names: Names, id: &str) -> Result<Option<Value>, AwsError> {
    let ask = Ask::target(names.describe, json!({ (names.id): id }));
    match at.aws(RDS, ask).await {
        Ok(told) => Ok(only(&told.body, names.element)),
        Err(error) if error.code() == Some(names.missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A snapshot by its id; `None`: there is none of that name.
pub(super) async fn snapshot(at: At<'_>, names: Names, id: &str) -> Result<Option<Value>, AwsError> {
    let ask = Ask::target(names.describe_snapshots, json!({ (names.snapshot_id): id }));
    match at.aws(RDS, ask).await {
        Ok(told) => Ok(only(&told.body, names.snapshot)),
        Err(error) if error.code() == Some(names.snapshot_missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All snapshots of a database.
pub(super) async fn snapshots(at: At<'_>, names: Names, database: &str) -> Result<Vec<Value>, StepError> {
    let mut found = Vec::new();
    let mut ask = json!({ (names.id): database });
    for _ in 0..PAGES {
        let told = at.aws(RDS, Ask::target(names.describe_snapshots, ask.clone())).await?;
        let page = told
            .body
            .get(format!("{}s", names.snapshot))
            .map(|all| xml::list(all, names.snapshot));
        found.extend(page.unwrap_or_default().into_iter().cloned());
        match told.body["Marker"].as_str().filter(|marker| !marker.is_empty()) {
            Some(marker) => ask["Marker"] = json!(marker),
            None => return Ok(found),
        }
    }
    Err(StepError::failed(
        "too_many_snapshots",
        format!("{database} has more snapshots than are read: delete some"),
    ))
}

/// The only element of a list.
fn only(body: &Value, element: &str) -> Option<Value> {
    let list = body.get(format!("{element}s"))?;
    xml::list(list, element).first().map(|one| (*one).clone())
}

/// A member that is a text; empty when it is not there.
pub(super) fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

/// When what a snapshot holds was saved, in RDS's words and as an instant. A copy is as old as what was copied: `SnapshotCreateTime` becomes the
/// instant of the copy, and only instances tell the other; a cluster's copy may be of any age.
pub(super) fn created(snapshot: &Value) -> Option<(String, Timestamp)> {
    if !text(snapshot, "SourceDBClusterSnapshotArn").is_empty() {
        return None;
    }
    let words = match text(snapshot, "OriginalSnapshotCreateTime") {
        "" => text(snapshot, "SnapshotCreateTime"),
        original => original,
    };
    Some((words.to_owned(), Timestamp::parse_utc(words)?))
}

/// A list as forms have it: `Tags.Tag.1.Key`.
pub(super) fn tags(tags: &[(&str, String)]) -> Map<String, Value> {
    let numbered = tags.iter().enumerate().flat_map(|(index, (key, value))| {
        let place = format!("Tags.Tag.{}", index + 1);
        [
            (format!("{place}.Key"), json!(key)),
            (format!("{place}.Value"), json!(value)),
        ]
    });
    numbered.collect()
}
