//! Snapshots and restores, without a server.

use serde_json::{Value, json};

use super::{RESTORE_MS, act, databases, snapshots};
use crate::aws::args::Args;
use crate::aws::place::Place;
use crate::aws::region::Region;

fn region() -> Region {
    let mut region = Region::new(Place::home(), 0);
    region.now_ms = 100 * 3_600_000;
    for seed in [
        json!({"id": "main", "snapshot_seconds": 100, "snapshots_hours_ago": [3, 27]}),
        json!({"id": "aurora", "cluster": true}),
    ] {
        region.plant_database(&serde_json::from_value(seed).unwrap());
    }
    region
}

fn take(region: &mut Region, id: &str) -> Result<Value, String> {
    let args = json!({"DBSnapshotIdentifier": id, "DBInstanceIdentifier": "main"});
    snapshots::create(region, Args(&args), false).map_err(|error| error.code)
}

fn shown(region: &mut Region, id: &str) -> Value {
    let found = snapshots::describe(region, Args(&json!({"DBSnapshotIdentifier": id})), false).unwrap();
    found["DBSnapshots"]["$DBSnapshot"][0].clone()
}

#[test]
fn a_snapshot_makes_progress_and_an_instance_takes_one_at_a_time() {
    let mut region = region();
    assert_eq!(
        take(&mut region, "before-deploy").unwrap()["DBSnapshot"]["Status"],
        "creating"
    );
    assert_eq!(
        take(&mut region, "Before-Deploy").unwrap_err(),
        "DBSnapshotAlreadyExists"
    );
    assert_eq!(take(&mut region, "another").unwrap_err(), "InvalidDBInstanceState");
    region.now_ms += 50_000;
    assert_eq!(
        (
            &shown(&mut region, "before-deploy")["Status"],
            &shown(&mut region, "before-deploy")["PercentProgress"]
        ),
        (&json!("creating"), &json!(50))
    );
    region.now_ms += 50_000;
    assert_eq!(
        (
            &shown(&mut region, "before-deploy")["Status"],
            &shown(&mut region, "before-deploy")["PercentProgress"]
        ),
        (&json!("available"), &json!(100))
    );
    let all = snapshots::describe(
        &mut region,
        Args(&json!({"DBInstanceIdentifier": "main", "SnapshotType": "automated"})),
        false,
    )
    .unwrap();
    assert_eq!(all["DBSnapshots"]["$DBSnapshot"].as_array().unwrap().len(), 2);
}

#[test]
fn names_that_are_none_are_refused() {
    let mut region = region();
    for bad in ["1st", "a--b", "a-", "a_b", ""] {
        assert_eq!(take(&mut region, bad).unwrap_err(), "InvalidParameterValue", "{bad}");
    }
    let none = json!({"DBSnapshotIdentifier": "x", "DBInstanceIdentifier": "aurora"});
    assert_eq!(
        snapshots::create(&mut region, Args(&none), false).unwrap_err().code,
        "DBInstanceNotFound"
    );
    let cluster = json!({"DBClusterSnapshotIdentifier": "x", "DBClusterIdentifier": "main"});
    assert_eq!(
        snapshots::create(&mut region, Args(&cluster), true).unwrap_err().code,
        "DBClusterNotFoundFault"
    );
}

#[test]
fn a_restore_makes_a_new_database_out_of_a_snapshot_that_is_ready() {
    let mut region = region();
    act(
        &mut region,
        &serde_json::from_value(json!({"fail_snapshot": {"id": "main"}})).unwrap(),
    )
    .unwrap();
    take(&mut region, "bad").unwrap();
    region.now_ms += 100_000;
    take(&mut region, "good").unwrap();
    let restore = |region: &mut Region, snapshot: &str, id: &str| {
        let args = json!({"DBInstanceIdentifier": id, "DBSnapshotIdentifier": snapshot});
        databases::restore(region, Args(&args), false).map_err(|error| error.code)
    };
    for (snapshot, id, code) in [
        ("bad", "new", "InvalidDBSnapshotState"),
        ("good", "new", "InvalidDBSnapshotState"),
        ("none", "new", "DBSnapshotNotFound"),
    ] {
        assert_eq!(restore(&mut region, snapshot, id).unwrap_err(), code, "{snapshot}");
    }
    region.now_ms += 100_000;
    assert_eq!(
        restore(&mut region, "good", "main").unwrap_err(),
        "DBInstanceAlreadyExists"
    );
    assert_eq!(
        restore(&mut region, "good", "drill").unwrap()["DBInstance"]["DBInstanceStatus"],
        "creating"
    );
    region.now_ms += RESTORE_MS;
    let found = databases::describe(&mut region, Args(&json!({"DBInstanceIdentifier": "drill"})), false).unwrap();
    assert_eq!(found["DBInstances"]["$DBInstance"][0]["DBInstanceStatus"], "available");
}
