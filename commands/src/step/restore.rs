//! `restore`: makes a new database from a snapshot. It never touches one that is there.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// A new database from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// The snapshot, of an instance or of a cluster.
    pub snapshot: String,
    /// What the new instance or cluster is called.
    pub to: String,
    /// The class of a new instance; that of the snapshot's when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The subnet group it is put into; without one it lands in the default network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnets: Option<String>,
    /// Its security groups, by id; without any it has the network's default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
}

impl Kind for Restore {
    const SPEC: Spec = Spec {
        kind: "restore",
        summary: "Makes a new RDS instance or Aurora cluster from a snapshot and waits until it is available",
        undo: "None: the new database is kept, and costs; delete it by hand in the RDS console when nobody needs it",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::acts(Class::Findable).watched(Span::seconds(30)))
    }

    fn plan(&self) -> Vec<String> {
        vec![format!(
            "restores the snapshot {} to a new database {}, which must not be there yet; it is not reachable from the internet",
            self.snapshot, self.to
        )]
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["endpoint"])
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            snapshot: "signalbox-wallet-mainnet-0a1b2c3d4e5f".to_owned(),
            to: "wallet-mainnet-restored".to_owned(),
            class: None,
            subnets: Some("wallet".to_owned()),
            security_groups: vec!["sg-0db".to_owned()],
        }]
    }
}
