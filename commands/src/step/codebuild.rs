//! `codebuild`: starts a build job, follows it through its phases, and takes what it exports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// For how long CodeBuild knows an idempotency token again.
const TOKEN: Span = Span::minutes(5);

/// A build job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codebuild {
    /// The project.
    pub project: String,
    /// Which commit, branch or tag is built; the project's own when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// Environment variables, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// The commit that has to have been built: a build of anything else has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl Kind for Codebuild {
    const SPEC: Spec = Spec {
        kind: "codebuild",
        summary: "Starts a CodeBuild job and follows it to its end",
        undo: "None: what the job did is its own; add a job that takes it back",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls {
            act: Some(Class::Keyed(TOKEN)),
            watch: Some(Span::seconds(10)),
            undo: false,
        })
    }

    fn plan(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "starts the build {}{}",
            self.project,
            self.source_version
                .as_ref()
                .map(|version| format!(" of {version}"))
                .unwrap_or_default()
        )];
        lines.extend(
            self.variables
                .iter()
                .map(|(name, value)| format!("with {name}={value}")),
        );
        lines.extend(self.commit.iter().map(|commit| format!("which has to build {commit}")));
        lines
    }

    fn check(&self) -> Result<(), String> {
        let odd = self
            .variables
            .keys()
            .find(|name| name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        odd.map_or(Ok(()), |name| {
            Err(format!("`{name}` cannot be a variable: write letters, digits and `_`"))
        })
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            project: "wallet-service-migrate".to_owned(),
            source_version: Some("v1.4.2".to_owned()),
            variables: [("STAGE".to_owned(), "mainnet".to_owned())].into(),
            commit: None,
        }]
    }
}
