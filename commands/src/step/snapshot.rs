//! `snapshot`: takes a snapshot of an RDS instance or an Aurora cluster, and waits until a database could be restored from it.
//!
//! Its outputs are what [`crate::runbook::NeedsSnapshot`] looks at: a risky step refuses to begin without a snapshot that is young enough.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec, span_text};
use crate::effect::Class;
use crate::time::Span;

/// The output that names the snapshot.
pub const SNAPSHOT_ID: &str = "id";
/// The output that says when it was taken: RFC 3339, as RDS says it.
pub const SNAPSHOT_CREATED: &str = "created";

/// A snapshot of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The Aurora cluster that it is of instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// One that is not older than this will do, also one that RDS took by itself.
    #[serde(default, with = "span_text::option", skip_serializing_if = "Option::is_none")]
    pub younger: Option<Span>,
}

impl Snapshot {
    /// The instance's or the cluster's name.
    #[must_use]
    pub fn database(&self) -> &str {
        self.instance.as_deref().or(self.cluster.as_deref()).unwrap_or_default()
    }
}

impl Kind for Snapshot {
    const SPEC: Spec = Spec {
        kind: "snapshot",
        summary: "Takes a snapshot of an RDS instance or an Aurora cluster and waits until it is available",
        undo: "None: the snapshot is kept, and deleted by hand when nobody needs it",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::acts(Class::Findable).watched(Span::seconds(30)))
    }

    fn plan(&self) -> Vec<String> {
        let what = if self.cluster.is_some() { "cluster" } else { "instance" };
        let unless = self
            .younger
            .map(|span| format!(", unless there is one younger than {span}"));
        vec![format!(
            "takes a snapshot of the {what} {}{}",
            self.database(),
            unless.unwrap_or_default()
        )]
    }

    fn check(&self) -> Result<(), String> {
        if self.instance.is_some() == self.cluster.is_some() {
            return Err("write either `instance` or `cluster`".to_owned());
        }
        Ok(())
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec![SNAPSHOT_ID, SNAPSHOT_CREATED])
    }

    fn samples() -> Vec<Self> {
        let instance = Self {
            instance: Some("wallet-mainnet".to_owned()),
            cluster: None,
            younger: None,
        };
        let cluster = Self {
            instance: None,
            cluster: Some("wallet".to_owned()),
            younger: Some(Span::hours(2)),
        };
        vec![instance, cluster]
    }
}
