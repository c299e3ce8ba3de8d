//! `codebuild`: starts a build job, follows it through its phases, and takes what it exports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// The variable or parameter by which a build or job that a step started is found again.
pub const MARKER: &str = "SIGNALBOX_RUN";

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
    /// The branch of the service's repository whose newest commit has to have been built, as it is when the build has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The variables that the job cannot do without, by name: each comes from the runbook or from the project, or the step does not begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The job that takes back what this one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Reverse>,
}

/// A job that takes back what another one did, also when that one failed halfway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reverse {
    /// The project; the other job's when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Which commit, branch or tag is built; the other job's when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// Environment variables, by name. The other job's are not given to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

impl Codebuild {
    /// What is built: the version that is named, or the branch whose newest commit it has to be; `None`: the project's own.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.source_version.as_deref().or(self.head.as_deref())
    }

    /// The project of the job that takes this one back.
    #[must_use]
    pub fn reverse_project<'a>(&'a self, reverse: &'a Reverse) -> &'a str {
        reverse.project.as_deref().unwrap_or(&self.project)
    }
}

impl Kind for Codebuild {
    const SPEC: Spec = Spec {
        kind: "codebuild",
        summary: "Starts a CodeBuild job and follows it to its end",
        undo: "Runs the job that the runbook names for it; without one, none",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(
            Calls::acts(Class::Keyed(TOKEN))
                .watched(Span::seconds(10))
                .undone(self.undo.is_some()),
        )
    }

    fn plan(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "starts the build {}{}",
            self.project,
            self.version()
                .map(|version| format!(" of {version}"))
                .unwrap_or_default()
        )];
        lines.extend(
            self.variables
                .iter()
                .map(|(name, value)| format!("with {name}={value}")),
        );
        lines.extend(self.commit.iter().map(|commit| format!("which has to build {commit}")));
        let head = self.head.iter();
        lines.extend(head.map(|branch| format!("which has to build the newest commit of {branch}")));
        if let Some(reverse) = &self.undo {
            let with = reverse.variables.iter().map(|(name, value)| format!(" {name}={value}"));
            let with: String = with.collect();
            let with = if with.is_empty() { with } else { format!(" with{with}") };
            lines.push(format!(
                "is undone by the build {}{with}",
                self.reverse_project(reverse)
            ));
        }
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.commit.is_some() && self.head.is_some() {
            return Err("write `commit` or `head`, not both: one says which commit has to be built".to_owned());
        }
        let undo = self.undo.iter().flat_map(|reverse| reverse.variables.keys());
        let odd = self
            .variables
            .keys()
            .chain(undo)
            .chain(&self.requires)
            .find(|name| name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        if let Some(name) = odd {
            return Err(format!("`{name}` cannot be a variable: write letters, digits and `_`"));
        }
        if self.variables.contains_key(MARKER) {
            return Err(format!(
                "`{MARKER}` is what a build is found again by: give the variable another name"
            ));
        }
        Ok(())
    }

    fn finds(&self) -> Option<Vec<&str>> {
        None
    }

    fn samples() -> Vec<Self> {
        let job = Self {
            project: "wallet-service-migrate".to_owned(),
            source_version: Some("v1.4.2".to_owned()),
            variables: [("STAGE".to_owned(), "mainnet".to_owned())].into(),
            commit: None,
            head: None,
            requires: Vec::new(),
            undo: None,
        };
        let reverse = Reverse {
            project: None,
            source_version: Some("v1.4.1".to_owned()),
            variables: job.variables.clone(),
        };
        let undone = Self {
            head: Some("main".to_owned()),
            undo: Some(reverse),
            ..job.clone()
        };
        vec![job, undone]
    }
}
