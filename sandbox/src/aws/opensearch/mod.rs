//! OpenSearch's data plane: counts, tasks and health of search domains, over plain HTTP under `/opensearch/<domain>`.
//!
//! An index can grow at a rate, so that a watched reindex makes progress.

mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::AwsError;
use super::region::Region;

pub(crate) use wire::{handle, routes};

/// An index.
#[derive(Debug, Clone)]
struct Index {
    docs: u64,
    deleted: u64,
    /// What its translog holds.
    operations: u64,
    growth: Option<Growth>,
}

/// A reindex into an index.
#[derive(Debug, Clone)]
struct Growth {
    since_ms: i64,
    per_second: f64,
    until: u64,
}

impl Index {
    /// How many documents it has.
    fn docs(&self, now_ms: i64) -> u64 {
        let Some(growth) = &self.growth else { return self.docs };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a count far below what a double holds exactly"
        )]
        let grown = ((now_ms - growth.since_ms).max(0) as f64 / 1000.0 * growth.per_second) as u64;
        (self.docs + grown).min(growth.until)
    }

    /// Whether a reindex into it is under way.
    fn grows(&self, now_ms: i64) -> bool {
        self.growth
            .as_ref()
            .is_some_and(|growth| self.docs(now_ms) < growth.until)
    }
}

/// A domain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Domain {
    indices: BTreeMap<String, Index>,
    /// Tasks that are there until the controls end them, by action.
    tasks: Vec<String>,
    status: Option<String>,
    /// The host name of its own by which it is reached, beside its name.
    endpoint: Option<String>,
}

/// The domains of a region by name.
#[derive(Debug, Default)]
pub(crate) struct Search(pub(crate) BTreeMap<String, Domain>);

impl Search {
    /// The domains as the page shows them.
    pub(crate) fn snapshot(&self, now_ms: i64) -> Vec<Value> {
        let domains = self.0.iter().map(|(name, domain)| {
            let indices: BTreeMap<&String, u64> = domain
                .indices
                .iter()
                .map(|(name, index)| (name, index.docs(now_ms)))
                .collect();
            json!({"name": name, "indices": indices, "tasks": domain.actions(now_ms).len(), "status": domain.status()})
        });
        domains.collect()
    }
}

impl Search {
    /// The domain that is reached by a host name.
    pub(crate) fn at(&self, host: &str) -> Option<&String> {
        let mut domains = self.0.iter();
        domains
            .find(|(_, domain)| domain.endpoint.as_deref() == Some(host))
            .map(|(name, _)| name)
    }
}

impl Domain {
    fn status(&self) -> &str {
        self.status.as_deref().unwrap_or("green")
    }

    /// The actions of its tasks: those of the controls, and a reindex for each index that grows.
    fn actions(&self, now_ms: i64) -> Vec<(String, String)> {
        let growing = self.indices.iter().filter(|(_, index)| index.grows(now_ms));
        let reindex =
            growing.map(|(name, _)| ("indices:data/write/reindex".to_owned(), format!("reindex to [{name}]")));
        let others = self.tasks.iter().map(|action| (action.clone(), String::new()));
        reindex.chain(others).collect()
    }
}

/// A domain that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchSeed {
    name: String,
    /// A host name of its own by which it is reached.
    #[serde(default)]
    endpoint: Option<String>,
    /// How many documents each index has.
    #[serde(default)]
    indices: BTreeMap<String, u64>,
}

/// What can be done to domains.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// An index has so many documents; a new name makes an index.
    Count {
        domain: String,
        index: String,
        docs: u64,
        #[serde(default)]
        operations: u64,
    },
    /// A reindex into an index begins.
    Reindex {
        domain: String,
        index: String,
        until: u64,
        per_second: f64,
    },
    /// These tasks run, by action, beside those of reindexing.
    Tasks { domain: String, actions: Vec<String> },
    /// The cluster's health.
    Health { domain: String, status: String },
}

impl Region {
    /// Adds a search domain, or replaces the one of the same name.
    pub(crate) fn plant_search(&mut self, seed: &SearchSeed) {
        let index = |docs: &u64| Index {
            docs: *docs,
            deleted: 0,
            operations: 0,
            growth: None,
        };
        let domain = Domain {
            indices: seed
                .indices
                .iter()
                .map(|(name, docs)| (name.clone(), index(docs)))
                .collect(),
            endpoint: seed.endpoint.clone(),
            ..Domain::default()
        };
        self.search.0.insert(seed.name.clone(), domain);
    }
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let (Deed::Count { domain: name, .. }
    | Deed::Reindex { domain: name, .. }
    | Deed::Tasks { domain: name, .. }
    | Deed::Health { domain: name, .. }) = deed;
    let missing = || AwsError::missing("ResourceNotFoundException", format!("there is no search domain {name}"));
    let domain = region.search.0.get_mut(name).ok_or_else(missing)?;
    match deed {
        Deed::Count {
            index,
            docs,
            operations,
            ..
        } => {
            let known = Index {
                docs: *docs,
                deleted: 0,
                operations: *operations,
                growth: None,
            };
            domain.indices.insert(index.clone(), known);
        }
        Deed::Reindex {
            index,
            until,
            per_second,
            ..
        } => {
            let docs = domain.indices.get(index).map_or(0, |index| index.docs(now_ms));
            let growing = Index {
                docs,
                deleted: 0,
                operations: 0,
                growth: Some(Growth {
                    since_ms: now_ms,
                    per_second: *per_second,
                    until: *until,
                }),
            };
            domain.indices.insert(index.clone(), growing);
        }
        Deed::Tasks { actions, .. } => domain.tasks.clone_from(actions),
        Deed::Health { status, .. } => domain.status = Some(status.clone()),
    }
    Ok(json!({}))
}
