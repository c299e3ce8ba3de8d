//! `snapshot`: one snapshot for each try of the step, found again by its name.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{SNAPSHOT_CREATED, SNAPSHOT_ID, Snapshot};
use commands::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::databases::{self, CLUSTER, INSTANCE, Names, created, text};
use super::{Answer, At, Executor, Probe, StepError, acted, already, found, pending_at};
use crate::aws::api::RDS;
use crate::aws::signed::Ask;

/// The longest part of a database's name that goes into a snapshot's: RDS takes 63 characters of the one and 255 of the other.
const NAME: usize = 63;

#[async_trait]
impl Executor for Snapshot {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let names = names(self);
        let Some(database) = databases::database(at, names, self.database()).await? else {
            return Err(StepError::failed(
                names.missing,
                format!("there is no {} {} here", names.element, self.database()),
            ));
        };
        let mut evidence = Vec::new();
        if let Some(younger) = self.younger {
            let all = databases::snapshots(at, names, self.database()).await?;
            match newest(&all, names) {
                Some((id, words, created)) if created.age(at.now) <= younger => {
                    let told = format!("{id} is {} old", created.age(at.now));
                    return Ok(already(outputs(&id, &words), told));
                }
                Some((id, _, created)) => evidence.push(format!("the newest is {id}, {} old", created.age(at.now))),
                None => evidence.push(format!("{} has no snapshot yet", self.database())),
            }
        }
        let status = text(&database, names.status);
        let standing = format!("{} is {status}", self.database());
        if !matches!(status, "available" | "storage-optimization") {
            return Err(StepError::Later(format!(
                "{standing}: RDS takes a snapshot when it is available"
            )));
        }
        evidence.insert(0, standing);
        Ok(found(json!({ "id": name(self.database(), &at.marker()) }), evidence))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let names = names(self);
        let id = text(&at.call.memo, "id");
        let mut ask = databases::tags(&[("signalbox", at.marker())]);
        ask.insert(names.id.to_owned(), json!(self.database()));
        ask.insert(names.snapshot_id.to_owned(), json!(id));
        match at.aws(RDS, Ask::target(names.take, Value::Object(ask))).await {
            Ok(_) => Ok(acted(at.call.memo.clone())),
            // The name is ours alone, so an earlier try took it.
            Err(error) if error.code() == Some(names.snapshot_exists) => Ok(acted(at.call.memo.clone())),
            Err(error) => Err(error.into()),
        }
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let taken = databases::snapshot(at, names(self), text(&at.call.memo, "id")).await?;
        Ok(match taken {
            Some(_) => Probe::Done(acted(at.call.memo.clone())),
            None => Probe::NotDone,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let id = text(&at.call.memo, "id");
        match databases::snapshot(at, names(self), id).await? {
            Some(snapshot) => judge(id, &snapshot, &at.call.memo),
            None => Err(StepError::failed(
                "no_snapshot",
                format!("RDS does not know {id} any more: somebody deleted it"),
            )),
        }
    }
}

const fn names(step: &Snapshot) -> Names {
    if step.cluster.is_some() { CLUSTER } else { INSTANCE }
}

/// A name that only this try of this step gives: letters, digits and single dashes.
fn name(database: &str, marker: &str) -> String {
    let database: String = database.chars().take(NAME).collect();
    format!(
        "signalbox-{}-{}",
        database.trim_end_matches('-'),
        commands::digest::short(marker.as_bytes())
    )
}

/// The youngest snapshot from which a database could be restored.
fn newest(all: &[Value], names: Names) -> Option<(String, String, Timestamp)> {
    let usable = all.iter().filter(|one| text(one, "Status") == "available");
    let dated = usable.filter_map(|one| {
        let (words, at) = created(one)?;
        Some((text(one, names.snapshot_id).to_owned(), words, at))
    });
    dated.max_by_key(|(_, _, at)| *at)
}

fn outputs(id: &str, created: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (SNAPSHOT_ID.to_owned(), id.to_owned()),
        (SNAPSHOT_CREATED.to_owned(), created.to_owned()),
    ])
}

fn judge(id: &str, snapshot: &Value, memo: &Value) -> Answer {
    let percent = text(snapshot, "PercentProgress").parse::<u8>().ok();
    match (text(snapshot, "Status"), created(snapshot)) {
        ("available", Some((words, _))) => Ok(StepOutcome::Finished {
            outputs: outputs(id, &words),
            evidence: vec![format!("{id} is available, taken {words}")],
        }),
        ("available", None) => Err(StepError::failed(
            "no_date",
            format!("RDS does not say when {id} was taken, so nobody can tell how old it is"),
        )),
        ("failed", _) => Err(StepError::failed("snapshot_failed", format!("RDS could not take {id}"))),
        (status, _) => Ok(pending_at(memo.clone(), format!("{id} is {status}"), percent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_rds_takes_and_differ_by_try() {
        let one = name("wallet-mainnet", "run/mainnet/x-1/snapshot/1");
        assert!(one.starts_with("signalbox-wallet-mainnet-"), "{one}");
        assert_ne!(one, name("wallet-mainnet", "run/mainnet/x-1/snapshot/2"));
        let long = name(&format!("{}-b", "a".repeat(62)), "m");
        assert!(!long.contains("--"), "{long}");
    }

    #[test]
    fn only_an_available_snapshot_with_a_date_counts() {
        let all = json!([
            { "DBSnapshotIdentifier": "a", "Status": "available", "SnapshotCreateTime": "2026-11-21T10:00:00Z" },
            { "DBSnapshotIdentifier": "b", "Status": "available", "SnapshotCreateTime": "2026-11-21T11:00:00Z" },
            { "DBSnapshotIdentifier": "c", "Status": "creating", "SnapshotCreateTime": "2026-11-21T12:00:00Z" },
            { "DBSnapshotIdentifier": "d", "Status": "available" },
        ]);
        assert_eq!(newest(all.as_array().unwrap(), INSTANCE).unwrap().0, "b");
        assert!(newest(&[], INSTANCE).is_none());
        // Copied at noon, of what was there at nine; and of a cluster, whose copies do not say.
        let (copied, nine) = ("2026-11-21T12:00:00Z", "2026-11-21T09:00:00Z");
        let copy = json!({ "DBSnapshotIdentifier": "e", "Status": "available", "SnapshotCreateTime": copied, "OriginalSnapshotCreateTime": nine });
        let all = [all.as_array().unwrap().as_slice(), &[copy]].concat();
        assert_eq!(newest(&all, INSTANCE).unwrap().0, "b");
        assert_eq!(newest(&all[4..], INSTANCE).unwrap().1, nine);
        let cluster = |source: &str| json!({ "DBClusterSnapshotIdentifier": "f", "Status": "available", "SnapshotCreateTime": copied, "SourceDBClusterSnapshotArn": source });
        assert!(newest(&[cluster("arn:aws:rds:eu-central-1:1:cluster-snapshot:a")], CLUSTER).is_none());
        assert!(newest(&[cluster("")], CLUSTER).is_some());
        let of = |status: &str| judge("x", &json!({ "Status": status, "PercentProgress": "40" }), &json!({}));
        assert!(
            matches!(of("available"), Err(StepError::Failed { .. })),
            "no date is no proof"
        );
        assert!(matches!(of("failed"), Err(StepError::Failed { .. })));
        let StepOutcome::Pending { progress, .. } = of("creating").unwrap() else {
            panic!("it is on its way")
        };
        assert_eq!(progress.percent, Some(40));
    }
}
