//! `restore`: a new database, found again by the tag that it carries.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::Restore;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::databases::{self, CLUSTER, INSTANCE, Names, text};
use super::{Answer, At, Executor, Probe, StepError, acted, found, pending};
use crate::aws::api::RDS;
use crate::aws::signed::Ask;
use crate::aws::xml;

/// The tag by which a database of ours is found again.
const TAG: &str = "signalbox";

#[async_trait]
impl Executor for Restore {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let (names, snapshot) = source(self, at).await?;
        let (status, engine) = (text(&snapshot, "Status"), text(&snapshot, "Engine"));
        let standing = format!(
            "the snapshot {} of {} ({engine}) is {status}",
            self.snapshot,
            text(&snapshot, names.id)
        );
        if status != "available" {
            return Err(StepError::failed("snapshot_not_available", standing));
        }
        let there = databases::database(at, names, &self.to).await?;
        let evidence = match &there {
            // An earlier try of this step made it: it is waited for.
            Some(database) if is_ours(database, at) => format!("{} is there already, made by this run", self.to),
            Some(_) => {
                let why = format!(
                    "there is a database {} already, and this run did not make it: choose another name",
                    self.to
                );
                return Err(StepError::failed("already_there", why));
            }
            None => format!("there is no database {} yet", self.to),
        };
        let memo = json!({ "cluster": names.element == CLUSTER.element, "engine": engine });
        Ok(found(memo, vec![standing, evidence]))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        if let Some(probed) = made(self, at).await? {
            return Ok(probed);
        }
        let (operation, ask) = request(self, at);
        at.aws(RDS, Ask::target(operation, ask)).await?;
        Ok(acted(at.call.memo.clone()))
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        Ok(made(self, at).await?.map_or(Probe::NotDone, Probe::Done))
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let names = names(at);
        let Some(database) = databases::database(at, names, &self.to).await? else {
            let why = format!("RDS does not know {} any more: somebody deleted it", self.to);
            return Err(StepError::failed(names.missing, why));
        };
        let status = text(&database, names.status);
        match status {
            "available" => Ok(StepOutcome::Finished {
                outputs: BTreeMap::from([("endpoint".to_owned(), endpoint(&database).to_owned())]),
                evidence: vec![format!("{} is available at {}", self.to, endpoint(&database))],
            }),
            "failed" | "incompatible-restore" | "incompatible-network" | "incompatible-parameters" => {
                Err(StepError::failed(
                    "restore_failed",
                    format!("{} is {status}: RDS's events say why", self.to),
                ))
            }
            _ => Ok(pending(at.call.memo.clone(), format!("{} is {status}", self.to))),
        }
    }
}

/// The snapshot; it says whether it is one of an instance or of a cluster.
async fn source(step: &Restore, at: At<'_>) -> Result<(Names, Value), StepError> {
    for names in [INSTANCE, CLUSTER] {
        if let Some(snapshot) = databases::snapshot(at, names, &step.snapshot).await? {
            return Ok((names, snapshot));
        }
    }
    let why = format!("there is no snapshot {}, of an instance or of a cluster", step.snapshot);
    Err(StepError::failed(INSTANCE.snapshot_missing, why))
}

fn names(at: At<'_>) -> Names {
    if at.call.memo["cluster"] == true {
        CLUSTER
    } else {
        INSTANCE
    }
}

/// What tells a database of this step from others: any try of it.
fn tag(at: At<'_>) -> String {
    format!("{}/{}", at.call.run, at.call.step)
}

fn is_ours(database: &Value, at: At<'_>) -> bool {
    let tags = database
        .get("TagList")
        .map(|list| xml::list(list, "Tag"))
        .unwrap_or_default();
    tags.iter()
        .any(|one| text(one, "Key") == TAG && text(one, "Value") == tag(at))
}

/// The database, if this step has made it; a failure when somebody else has.
async fn made(step: &Restore, at: At<'_>) -> Result<Option<StepOutcome>, StepError> {
    match databases::database(at, names(at), &step.to).await? {
        None => Ok(None),
        Some(database) if is_ours(&database, at) => Ok(Some(acted(at.call.memo.clone()))),
        Some(_) => Err(StepError::failed(
            "already_there",
            format!("somebody made a database {} meanwhile", step.to),
        )),
    }
}

fn request(step: &Restore, at: At<'_>) -> (&'static str, Value) {
    let mut ask = databases::tags(&[(TAG, tag(at))]);
    let names = names(at);
    ask.insert(names.id.to_owned(), json!(step.to));
    ask.insert("DBSubnetGroupName".to_owned(), json!(step.subnets));
    for (index, group) in step.security_groups.iter().enumerate() {
        ask.insert(
            format!("VpcSecurityGroupIds.VpcSecurityGroupId.{}", index + 1),
            json!(group),
        );
    }
    if names.element == CLUSTER.element {
        ask.insert("SnapshotIdentifier".to_owned(), json!(step.snapshot));
        ask.insert("Engine".to_owned(), at.call.memo["engine"].clone());
        return ("RestoreDBClusterFromSnapshot", Value::Object(ask));
    }
    ask.insert("DBSnapshotIdentifier".to_owned(), json!(step.snapshot));
    ask.insert("DBInstanceClass".to_owned(), json!(step.class));
    ask.insert("PubliclyAccessible".to_owned(), json!(false));
    ("RestoreDBInstanceFromDBSnapshot", Value::Object(ask))
}

/// An instance's endpoint is a structure, a cluster's is a text.
fn endpoint(database: &Value) -> &str {
    let endpoint = &database["Endpoint"];
    endpoint["Address"]
        .as_str()
        .or_else(|| endpoint.as_str())
        .unwrap_or("an address that RDS does not name yet")
}
