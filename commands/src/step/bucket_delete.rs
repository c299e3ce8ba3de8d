//! `bucket_delete`: deletes a bucket with everything in it, after a person has seen what that is and typed the bucket's name.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};
use crate::effect::Class;

/// A bucket that is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketDelete {
    /// The bucket.
    pub bucket: String,
}

impl Kind for BucketDelete {
    const SPEC: Spec = Spec {
        kind: "bucket_delete",
        summary: "Deletes a bucket and everything in it, after a person has typed its name",
        undo: "None: what is deleted is gone",
    };

    fn conduct(&self) -> Conduct {
        Conduct::acts(Class::Set)
    }

    fn typed(&self) -> Option<String> {
        Some(self.bucket.clone())
    }

    fn plan(&self) -> Vec<String> {
        vec![format!(
            "DELETES the bucket {} and everything in it; THERE IS NO UNDO",
            self.bucket
        )]
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["deleted"])
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            bucket: "documents-prod-alpha".to_owned(),
        }]
    }
}
