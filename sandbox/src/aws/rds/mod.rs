//! RDS: instances and clusters, their snapshots, and restores of those to new ones; everything takes its time on the sandbox's clock.

mod databases;
mod snapshots;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::region::Region;
use super::service::{QueryDialect, Request, Service};

/// RDS on the wire.
pub(crate) const SERVICE: Service = Service {
    target: "",
    query: Some(QueryDialect {
        version: "2014-10-31",
        namespace: "http://rds.amazonaws.com/doc/2014-10-31/",
        ec2: false,
    }),
    rest: None,
    call,
};

const ANY: Rule = Rule::length(0, usize::MAX);
/// How long a snapshot takes when nobody says otherwise, in seconds.
const SNAPSHOT_S: i64 = 120;
/// How long a restore takes, in milliseconds.
const RESTORE_MS: i64 = 300_000;

/// An instance or a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    id: String,
    cluster: bool,
    engine: String,
    created_ms: i64,
    /// When it can be used, if it is being made.
    ready_ms: i64,
    /// The status that the controls gave it.
    status: Option<String>,
    public: bool,
    encrypted: bool,
    snapshot_s: i64,
    /// Whether its next snapshot fails.
    fail_snapshot: bool,
    /// Its tags, as they were given.
    tags: Vec<(String, String)>,
}

/// A snapshot of an instance or a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    id: String,
    database: String,
    cluster: bool,
    engine: String,
    encrypted: bool,
    started_ms: i64,
    ready_ms: i64,
    fails: bool,
    automated: bool,
    /// What it is a copy of, and when that was taken.
    copy_of: Option<(String, i64)>,
}

/// The databases and snapshots of a region.
#[derive(Debug, Default)]
pub(crate) struct Rds {
    databases: BTreeMap<String, Database>,
    snapshots: BTreeMap<String, Snapshot>,
}

impl Snapshot {
    fn status(&self, now_ms: i64) -> &'static str {
        match (now_ms < self.ready_ms, self.fails) {
            (true, _) => "creating",
            (false, true) => "failed",
            (false, false) => "available",
        }
    }

    /// When what it holds was saved: a copy's is that of what was copied.
    fn original_ms(&self) -> i64 {
        self.copy_of.as_ref().map_or(self.started_ms, |(_, taken_ms)| *taken_ms)
    }

    /// A copy that is made now.
    fn copied(&self, now_ms: i64) -> Self {
        Self {
            id: format!("copy-of-{}", self.id.replace(':', "-")),
            started_ms: now_ms,
            ready_ms: now_ms,
            automated: false,
            copy_of: Some((self.id.clone(), self.original_ms())),
            ..self.clone()
        }
    }

    fn percent(&self, now_ms: i64) -> i64 {
        let whole = (self.ready_ms - self.started_ms).max(1);
        ((now_ms - self.started_ms) * 100 / whole).clamp(0, 100)
    }
}

impl Rds {
    /// The status of a database: what the controls say, else where it is on its way.
    fn status<'a>(&'a self, database: &'a Database, now_ms: i64) -> &'a str {
        if let Some(status) = &database.status {
            return status;
        }
        if now_ms < database.ready_ms {
            return "creating";
        }
        // An instance is busy while it is backed up; a cluster's storage does that by itself.
        let backing_up = |snapshot: &Snapshot| {
            !snapshot.cluster && snapshot.database == database.id && snapshot.status(now_ms) == "creating"
        };
        if !database.cluster && self.snapshots.values().any(backing_up) {
            "backing-up"
        } else {
            "available"
        }
    }

    /// The databases and snapshots as the page shows them.
    pub(crate) fn snapshot(&self, now_ms: i64) -> Value {
        let databases = self.databases.values().map(
            |database| json!({"id": database.id, "cluster": database.cluster, "status": self.status(database, now_ms)}),
        );
        let snapshots = self.snapshots.values().map(|snapshot| {
            json!({"id": snapshot.id, "database": snapshot.database, "status": snapshot.status(now_ms), "percent": snapshot.percent(now_ms),
                "started_ms": snapshot.started_ms})
        });
        json!({"databases": databases.collect::<Vec<_>>(), "snapshots": snapshots.collect::<Vec<_>>()})
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let region = account.region(&request.place);
    Some(match request.operation {
        "DescribeDBInstances" => databases::describe(region, args, false),
        "DescribeDBClusters" => databases::describe(region, args, true),
        "CreateDBSnapshot" => snapshots::create(region, args, false),
        "CreateDBClusterSnapshot" => snapshots::create(region, args, true),
        "DescribeDBSnapshots" => snapshots::describe(region, args, false),
        "DescribeDBClusterSnapshots" => snapshots::describe(region, args, true),
        "RestoreDBInstanceFromDBSnapshot" => databases::restore(region, args, false),
        "RestoreDBClusterFromSnapshot" => databases::restore(region, args, true),
        _ => return None,
    })
}

/// An identifier that is given to something new: lower case, or refused.
fn new_id(args: Args<'_>, member: &str) -> Result<String, AwsError> {
    let text = args.need(member, &ANY)?;
    let good = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.ends_with('-')
        && !text.contains("--");
    if good {
        return Ok(text.to_ascii_lowercase());
    }
    let message = format!(
        "The parameter {member} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
    );
    Err(AwsError::new("InvalidParameterValue", message))
}

/// The error codes of instances and of clusters differ by more than a word.
fn code(cluster: bool, instance_code: &str, cluster_code: &str) -> String {
    (if cluster { cluster_code } else { instance_code }).to_owned()
}

/// An instance or cluster that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatabaseSeed {
    id: String,
    #[serde(default)]
    cluster: bool,
    #[serde(default = "engine")]
    engine: String,
    #[serde(default)]
    public: bool,
    #[serde(default = "yes")]
    encrypted: bool,
    #[serde(default = "snapshot_seconds")]
    snapshot_seconds: i64,
    /// How old its automated snapshots are, in hours.
    #[serde(default)]
    snapshots_hours_ago: Vec<i64>,
}

fn engine() -> String {
    "mysql".to_owned()
}

const fn yes() -> bool {
    true
}

const fn snapshot_seconds() -> i64 {
    SNAPSHOT_S
}

/// What can be done to databases.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A database has a status (`modifying`, `storage-full`), or without one that of its own.
    Status { id: String, status: Option<String> },
    /// The database's next snapshot fails.
    FailSnapshot { id: String },
    /// Somebody copies the database's newest snapshot that is there.
    CopySnapshot { id: String },
}

impl Region {
    /// Adds a database, or replaces the one of the same name.
    pub(crate) fn plant_database(&mut self, seed: &DatabaseSeed) {
        let now_ms = self.now_ms;
        let database = Database {
            id: seed.id.clone(),
            cluster: seed.cluster,
            engine: seed.engine.clone(),
            created_ms: now_ms,
            ready_ms: now_ms,
            status: None,
            public: seed.public,
            encrypted: seed.encrypted,
            snapshot_s: seed.snapshot_seconds,
            fail_snapshot: false,
            tags: Vec::new(),
        };
        for hours in &seed.snapshots_hours_ago {
            let at_ms = now_ms - hours * 3_600_000;
            let day = super::events::iso(at_ms).replace([':', 'T'], "-").replace('Z', "");
            let snapshot = Snapshot {
                id: format!("rds:{}-{}", seed.id, &day[..16]),
                started_ms: at_ms,
                ready_ms: at_ms,
                automated: true,
                ..database.snapshot("", at_ms)
            };
            self.rds.snapshots.insert(snapshot.id.clone(), snapshot);
        }
        self.rds.databases.insert(seed.id.clone(), database);
    }
}

impl Database {
    fn snapshot(&self, id: &str, started_ms: i64) -> Snapshot {
        Snapshot {
            id: id.to_owned(),
            database: self.id.clone(),
            cluster: self.cluster,
            engine: self.engine.clone(),
            encrypted: self.encrypted,
            started_ms,
            ready_ms: started_ms + self.snapshot_s * 1000,
            fails: self.fail_snapshot,
            automated: false,
            copy_of: None,
        }
    }
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) -> Result<Value, AwsError> {
    let (Deed::Status { id, .. } | Deed::FailSnapshot { id } | Deed::CopySnapshot { id }) = deed;
    let missing = |what: &str| AwsError::missing("ResourceNotFoundException", format!("there is no {what} {id}"));
    let now_ms = region.now_ms;
    let database = region.rds.databases.get_mut(id).ok_or_else(|| missing("database"))?;
    match deed {
        Deed::Status { status, .. } => database.status.clone_from(status),
        Deed::FailSnapshot { .. } => database.fail_snapshot = true,
        Deed::CopySnapshot { .. } => {
            let all = region.rds.snapshots.values();
            let there = all.filter(|one| one.database == *id && one.status(now_ms) == "available");
            let newest = there.max_by_key(|one| one.started_ms);
            let copy = newest.ok_or_else(|| missing("snapshot of"))?.copied(now_ms);
            region.rds.snapshots.insert(copy.id.clone(), copy);
        }
    }
    Ok(json!({}))
}
