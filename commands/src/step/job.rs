//! `job`: starts a job of a build server, or lets one go on that waits, and follows it to its end.
//!
//! No such server knows an idempotency key. What was started is found again by a marker that it carries: a parameter in Jenkins, an extra variable in
//! AWX. CircleCI shows nobody the parameters of a pipeline, so a start whose answer was lost is a question to people if anything was started meanwhile; when they say that it was this
//! one, it is looked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Calls, Conduct, Kind, Spec};
use crate::credential::check_name;
use crate::effect::Class;
use crate::time::Span;

/// A job of one of the servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The environment variable that holds the token.
    pub secret_env: String,
    /// A job of Jenkins's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jenkins: Option<Jenkins>,
    /// A pipeline of CircleCI's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circleci: Option<CircleCi>,
    /// A job template of AWX or Ansible Tower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awx: Option<Awx>,
}

/// A job of Jenkins's. It needs a text parameter `SIGNALBOX_RUN`, by which a build is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jenkins {
    /// Where Jenkins is.
    pub url: String,
    /// To whom the token belongs.
    pub user: String,
    /// The job, with its folders: `wallet/deploy`.
    pub job: String,
    /// Parameters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// A pipeline of CircleCI's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircleCi {
    /// Where CircleCI is, if it is a server of your own.
    #[serde(default = "circleci")]
    pub url: String,
    /// The project's slug: `gh/acme/wallet`.
    pub project: String,
    /// The branch that is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The tag that is built instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Parameters by name; their types are those that are written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
    /// It is done when this hold is reached, rather than at the pipeline's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_hold: Option<String>,
    /// The pipeline that is let go on, by its id; nothing is started then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// The hold that is approved in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve_hold: Option<String>,
}

/// A job template of AWX or Ansible Tower. It has to ask for variables at launch: by one of them a job is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Awx {
    /// Where it is.
    pub url: String,
    /// The template, by its number or its name.
    pub template: String,
    /// Extra variables by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Value>,
}

fn circleci() -> String {
    "https://circleci.com".to_owned()
}

impl Kind for Job {
    const SPEC: Spec = Spec {
        kind: "job",
        summary: "Starts a job of Jenkins, CircleCI or AWX, or approves a hold of CircleCI's, and follows it to its end",
        undo: "None: what the job did is its own; add a job that takes it back",
    };

    fn conduct(&self) -> Conduct {
        let starts = self.circleci.as_ref().map(|circleci| circleci.pipeline.is_none());
        let class = match starts {
            None => Class::Findable,
            Some(true) => Class::Once,
            Some(false) => Class::Set,
        };
        Conduct::Calls(
            Calls::acts(class)
                .watched(Span::seconds(10))
                .found(class == Class::Once),
        )
    }

    fn plan(&self) -> Vec<String> {
        let with = |name: &String, value: String| format!("with {name}={value}");
        let mut lines = Vec::new();
        if let Some(jenkins) = &self.jenkins {
            lines.push(format!("starts the job {} of {}", jenkins.job, jenkins.url));
            lines.extend(jenkins.parameters.iter().map(|(name, value)| with(name, value.clone())));
        }
        if let Some(circleci) = &self.circleci {
            lines.push(circleci.plan());
            lines.extend(circleci.parameters.iter().map(|(name, value)| with(name, shown(value))));
            lines.extend(
                circleci
                    .until_hold
                    .iter()
                    .map(|hold| format!("until it waits at {hold}")),
            );
        }
        if let Some(awx) = &self.awx {
            lines.push(format!("launches the job template {} of {}", awx.template, awx.url));
            lines.extend(awx.variables.iter().map(|(name, value)| with(name, shown(value))));
        }
        lines.push(format!("with the secret in {}", self.secret_env));
        lines
    }

    fn check(&self) -> Result<(), String> {
        check_name("secret_env", &self.secret_env)?;
        match (&self.jenkins, &self.circleci, &self.awx) {
            (Some(jenkins), None, None) => address(&jenkins.url),
            (None, Some(circleci), None) => circleci.check(),
            (None, None, Some(awx)) => {
                address(&awx.url)?;
                scalars(&awx.variables)
            }
            _ => Err("write one of `jenkins`, `circleci` and `awx`".to_owned()),
        }
    }

    fn addresses(&self) -> Vec<String> {
        let jenkins = self.jenkins.iter().map(|server| &server.url);
        let circleci = self.circleci.iter().map(|server| &server.url);
        let awx = self.awx.iter().map(|server| &server.url);
        jenkins.chain(circleci).chain(awx).cloned().collect()
    }

    fn secrets(&self) -> Vec<&str> {
        vec![&self.secret_env]
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["number", "pipeline", "job", "url"])
    }

    fn samples() -> Vec<Self> {
        let none = Self {
            secret_env: "JOB_TOKEN".to_owned(),
            jenkins: None,
            circleci: None,
            awx: None,
        };
        let jenkins = Jenkins {
            url: "https://jenkins.example.org".to_owned(),
            user: "signalbox".to_owned(),
            job: "wallet/deploy".to_owned(),
            parameters: [("STAGE".to_owned(), "prod".to_owned())].into(),
        };
        let pipeline = CircleCi {
            url: circleci(),
            project: "gh/acme/ef-cms".to_owned(),
            branch: Some("staging".to_owned()),
            tag: None,
            parameters: [("run_migration".to_owned(), Value::Bool(true))].into(),
            until_hold: None,
            pipeline: None,
            approve_hold: None,
        };
        let hold = CircleCi {
            branch: None,
            parameters: BTreeMap::new(),
            pipeline: Some("5034460f-c7c4-4c43-9457-de07e2029e7b".to_owned()),
            approve_hold: Some("wait-for-reindex".to_owned()),
            ..pipeline.clone()
        };
        vec![
            Self {
                jenkins: Some(jenkins),
                ..none.clone()
            },
            Self {
                circleci: Some(pipeline),
                ..none.clone()
            },
            Self {
                circleci: Some(hold),
                ..none
            },
        ]
    }
}

impl CircleCi {
    fn plan(&self) -> String {
        let git = match (&self.branch, &self.tag) {
            (Some(branch), _) => format!(" of the branch {branch}"),
            (None, Some(tag)) => format!(" of the tag {tag}"),
            (None, None) => String::new(),
        };
        match (&self.pipeline, &self.approve_hold) {
            (Some(pipeline), Some(hold)) => format!("approves {hold} in the pipeline {pipeline} of {}", self.project),
            _ => format!("starts a pipeline of {}{git}", self.project),
        }
    }

    fn check(&self) -> Result<(), String> {
        address(&self.url)?;
        scalars(&self.parameters)?;
        if self.project.split('/').count() != 3 && !self.project.contains('{') {
            return Err(format!(
                "`{}` is no project: write its slug, such as `gh/acme/wallet`",
                self.project
            ));
        }
        let starts = self.branch.is_some() || self.tag.is_some() || !self.parameters.is_empty();
        match (&self.pipeline, &self.approve_hold) {
            (Some(_), Some(_)) if starts => {
                Err("`pipeline` is one that runs already: delete `branch`, `tag` and `parameters`".to_owned())
            }
            (Some(_), Some(_)) => Ok(()),
            (None, None) if self.branch.is_some() && self.tag.is_some() => {
                Err("write `branch` or `tag`, not both".to_owned())
            }
            (None, None) => Ok(()),
            _ => Err("`pipeline` and `approve_hold` go together: which pipeline, and which of its holds".to_owned()),
        }
    }
}

fn address(url: &str) -> Result<(), String> {
    if url.starts_with("https://") || url.starts_with("http://") || url.starts_with('{') {
        return Ok(());
    }
    Err(format!("`{url}` is no address: write `https://…`"))
}

fn scalars(values: &BTreeMap<String, Value>) -> Result<(), String> {
    let odd = values
        .iter()
        .find(|(_, value)| value.is_array() || value.is_object() || value.is_null());
    odd.map_or(Ok(()), |(name, _)| {
        Err(format!(
            "`{name}` is a list or a table: write a text, a number or `true`"
        ))
    })
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
