//! `bucket_parity`: two buckets hold the same keys with the same sizes.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};
use crate::time::Span;

/// How many keys are compared when nothing is said.
const MOST: u64 = 100_000;

/// Two places that have to hold the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketParity {
    /// One of them.
    pub left: Side,
    /// The other.
    pub right: Side,
    /// How many keys of each are compared at most: with more than that nobody can tell.
    #[serde(default = "most")]
    pub most: u64,
}

/// A bucket, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The bucket.
    pub bucket: String,
    /// What the keys begin with; what comes behind it is compared.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Its region; the step's when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl Side {
    /// Its place, as people read it.
    #[must_use]
    pub fn place(&self) -> String {
        let region = self.region.as_ref().map(|region| format!(" in {region}"));
        format!("{}/{}{}", self.bucket, self.prefix, region.unwrap_or_default())
    }
}

const fn most() -> u64 {
    MOST
}

impl Kind for BucketParity {
    const SPEC: Spec = Spec {
        kind: "bucket_parity",
        summary: "Compares the keys and sizes of two buckets, and fails when they differ",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(Span::seconds(1))
    }

    fn plan(&self) -> Vec<String> {
        vec![format!(
            "compares the keys and sizes of {} and {}, {} of each at most",
            self.left.place(),
            self.right.place(),
            self.most
        )]
    }

    fn check(&self) -> Result<(), String> {
        if self.most == 0 {
            return Err("`most` is 0: nothing would be compared".to_owned());
        }
        if self.left == self.right {
            return Err("`left` and `right` are the same place".to_owned());
        }
        Ok(())
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["compared"])
    }

    fn samples() -> Vec<Self> {
        let side = |region: &str| Side {
            bucket: format!("documents-{region}"),
            prefix: "case/".to_owned(),
            region: Some(region.to_owned()),
        };
        vec![Self {
            left: side("us-east-1"),
            right: side("us-west-1"),
            most: MOST,
        }]
    }
}
