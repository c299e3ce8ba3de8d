//! `schema`: runs the migrations of a database's schema by a build job, on the right side of the code.
//!
//! Code and schema cannot change at the same instant: what is added goes before the code that needs it, what is taken away goes after the code that
//! still used it. The step says which, and the wrong order is refused: by what is live, never by what somebody remembers. It is read right before the
//! job is started, whatever an earlier look found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Calls, Codebuild, Conduct, Kind, Spec};

/// The code of a step that would run on the wrong side of the code: trying it again would not help.
pub const WRONG_ORDER: &str = "wrong_order";
/// How a line of evidence begins that says what nobody can know: it is never shown as good.
pub const CANNOT_TELL: &str = "cannot tell";
/// The output that says how many migrations are pending: a number, or `unknown`.
pub const PENDING: &str = "pending";

/// A schema's migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The database, as people call it.
    pub database: String,
    /// The code that brings the migrations: a tag, a branch or a commit.
    pub version: String,
    /// The commit of it that an earlier look found: that one is compared and built, wherever a branch or tag stands by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// The code that is live; when nothing is said, what the pipeline brought last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    /// A page where what is live says its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_url: Option<String>,
    /// The place in that page's JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_json: Option<String>,
    /// The code that the schema fits by now, from which pending migrations are counted; when nothing is said, what is live, and where the code goes
    /// first, what was live before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whether it only looks: it shows what is pending and refuses the wrong order, and starts nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub look: bool,
    /// What happens on production when order or migrations cannot be told.
    #[serde(default, skip_serializing_if = "Unknown::is_refuse")]
    pub unknown: Unknown,
    /// The build job that runs the migrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The job's environment variables, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// What goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum First {
    /// The schema: the code that needs it is not live yet.
    Schema,
    /// The code: it is live already.
    Code,
}

/// What happens on production when something cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// The step fails before anything is done.
    #[default]
    Refuse,
    /// It says so and goes on.
    Allow,
}

impl Unknown {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
    const fn is_refuse(&self) -> bool {
        matches!(*self, Self::Refuse)
    }
}

impl Schema {
    /// The job that runs the migrations, built from the code that brings them.
    #[must_use]
    pub fn job(&self) -> Option<Codebuild> {
        Some(Codebuild {
            project: self.project.clone()?,
            source_version: Some(self.git().to_owned()),
            variables: self.variables.clone(),
            commit: self.commit.clone(),
            head: None,
            requires: Vec::new(),
            undo: None,
        })
    }

    /// What GitHub is asked for, and what is built.
    #[must_use]
    pub fn git(&self) -> &str {
        self.commit.as_deref().unwrap_or(&self.version)
    }

    /// The rule of the order, in words.
    fn rule(&self) -> Option<String> {
        let version = &self.version;
        Some(match self.first? {
            First::Schema => format!("the schema goes first: refused when {version} is live already"),
            First::Code => format!("the code goes first: refused until {version} is live"),
        })
    }
}

impl Kind for Schema {
    const SPEC: Spec = Spec {
        kind: "schema",
        summary: "Shows which migrations of a schema are pending and runs them by a build job, before or after the code",
        undo: "None: a schema goes one way, and the snapshot before it is the way back",
    };

    fn conduct(&self) -> Conduct {
        let reads = Conduct::Calls(Calls::READS);
        self.job().filter(|_| !self.look).map_or(reads, |job| job.conduct())
    }

    fn plan(&self) -> Vec<String> {
        let does = if self.look { "shows" } else { "runs" };
        let mut lines = vec![format!(
            "{does} the migrations of {} that are pending on {}",
            self.version, self.database
        )];
        lines.extend(self.rule());
        lines.extend(self.job().filter(|_| !self.look).into_iter().flat_map(|job| job.plan()));
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.read_url.is_some() != self.read_json.is_some() {
            return Err(
                "`read_url` and `read_json` belong together: where a version is told, and its place in that JSON"
                    .to_owned(),
            );
        }
        if self.live.is_some() && self.read_url.is_some() {
            return Err("says twice what is live: write either `live` or `read_url`".to_owned());
        }
        match (&self.project, self.first, self.look) {
            (None, _, false) => Err(
                "names no job: write `project`, the build that runs the migrations; or `look = true` if it only looks"
                    .to_owned(),
            ),
            (_, None, false) => Err(
                "does not say what goes first: write `first = \"schema\"` for what is added, `first = \"code\"` for what is taken away"
                    .to_owned(),
            ),
            _ => self.job().map_or(Ok(()), |job| job.check()),
        }
    }

    fn addresses(&self) -> Vec<String> {
        self.read_url.iter().cloned().collect()
    }

    fn finds(&self) -> Option<Vec<&str>> {
        self.look.then(|| vec![PENDING, "live", "commit"])
    }

    fn samples() -> Vec<Self> {
        let before = Self {
            database: "wallet-service-mainnet".to_owned(),
            version: "v1.4.2".to_owned(),
            commit: None,
            first: Some(First::Schema),
            live: None,
            read_url: None,
            read_json: None,
            since: None,
            look: false,
            unknown: Unknown::Refuse,
            project: Some("wallet-service-migrate".to_owned()),
            variables: [("STAGE".to_owned(), "mainnet".to_owned())].into(),
        };
        let look = Self {
            look: true,
            ..before.clone()
        };
        vec![before, look]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(more: &str) -> Result<Schema, String> {
        let text = format!(r#"{{ "database": "d", "version": "v2"{more} }}"#);
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_acts_names_its_job_and_its_order() {
        let job = r#", "project": "p""#;
        let first = r#", "first": "code""#;
        assert!(step(first).unwrap().check().unwrap_err().contains("`project`"));
        assert!(step(job).unwrap().check().unwrap_err().contains("what goes first"));
        assert!(step(&format!("{job}{first}")).unwrap().check().is_ok());
        assert!(step(r#", "look": true"#).unwrap().check().is_ok());
        assert!(step(r#", "first": "both""#).is_err());
        for twice in [
            r#", "read_url": "https://x""#,
            r#", "live": "v1", "read_url": "https://x", "read_json": "v""#,
        ] {
            assert!(
                step(&format!("{job}{first}{twice}")).unwrap().check().is_err(),
                "{twice}"
            );
        }
    }

    #[test]
    fn the_plan_says_on_which_side_of_the_code_it_runs() {
        let plan = |more: &str| step(more).unwrap().plan().join("\n");
        let before = plan(r#", "first": "schema", "project": "p""#);
        assert_eq!(
            before,
            "runs the migrations of v2 that are pending on d\nthe schema goes first: refused when v2 is live already\nstarts the build p of v2"
        );
        assert!(plan(r#", "first": "code", "look": true"#).contains("the code goes first: refused until v2 is live"));
    }
}
