//! `command`: runs a command on managed instances by Systems Manager, or a program of an allow-list beside the bot.
//!
//! A local program is the sharpest tool of all: it runs as the bot. So it is off unless the configuration names it, takes no shell and no arguments from
//! a runbook, and what became of one whose end nobody saw is a question to people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec, span_text};
use crate::effect::Class;
use crate::time::Span;

/// The document that runs lines of a shell.
const SHELL: &str = "AWS-RunShellScript";

/// What a document is given, by parameter.
pub type ScriptParameters = BTreeMap<String, Vec<String>>;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The lines that a shell runs on each instance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run: Vec<String>,
    /// Another document of Systems Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What the document is given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: ScriptParameters,
    /// On which instances, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<String>,
    /// On all instances with these tags instead: `{ Role = "web" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// A program of the configuration's `[commands]` instead, by its name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// The environment variables of that program; it has no others but `PATH`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// After this it is ended.
    #[serde(default = "limit", with = "span_text")]
    pub limit: Span,
}

const fn limit() -> Span {
    Span::minutes(30)
}

impl Command {
    /// The document and what it is given.
    #[must_use]
    pub fn script(&self) -> (&str, ScriptParameters) {
        let mut parameters = self.parameters.clone();
        if !self.run.is_empty() {
            parameters.insert("commands".to_owned(), self.run.clone());
        }
        (self.document.as_deref().unwrap_or(SHELL), parameters)
    }

    fn remote(&self) -> Result<(), String> {
        if self.instances.is_empty() == self.tags.is_empty() {
            return Err("write `instances` or `tags`: where it is to run".to_owned());
        }
        if self.instances.len() > 50 {
            return Err("`instances` are more than 50: Systems Manager takes no more at once; use `tags`".to_owned());
        }
        if !self.variables.is_empty() {
            return Err("`variables` belong to a `local` program: write them into the script".to_owned());
        }
        match (self.run.is_empty(), &self.document) {
            (true, None) => Err("`run` is missing: write the lines of the script, or a `document`".to_owned()),
            (false, Some(_)) => Err("write `run` or `document`, not both".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Kind for Command {
    const SPEC: Spec = Spec {
        kind: "command",
        summary: "Runs a command on managed instances, or a program of an allow-list beside the bot, to its end",
        undo: "None: what the command did is its own; add a step that takes it back",
    };

    fn conduct(&self) -> Conduct {
        let class = if self.local.is_some() {
            Class::Once
        } else {
            Class::Findable
        };
        Conduct::Calls(Calls::acts(class).watched(Span::seconds(5)))
    }

    fn plan(&self) -> Vec<String> {
        if let Some(name) = &self.local {
            let mut lines = vec![format!(
                "runs the program {name} beside the bot, for at most {}",
                self.limit
            )];
            lines.extend(
                self.variables
                    .iter()
                    .map(|(name, value)| format!("with {name}={value}")),
            );
            return lines;
        }
        let (document, parameters) = self.script();
        let mut places = self.instances.clone();
        places.extend(
            self.tags
                .iter()
                .map(|(name, value)| format!("all with the tag {name}={value}")),
        );
        let mut lines = vec![format!(
            "runs {document} on {}, for at most {}",
            places.join(", "),
            self.limit
        )];
        lines.extend(
            parameters
                .iter()
                .map(|(name, values)| format!("{name}: {}", values.join("; "))),
        );
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.limit < Span::seconds(30) || self.limit > Span::hours(48) {
            return Err("`limit` is between `30s` and `48h`".to_owned());
        }
        if self.local.is_none() {
            return self.remote();
        }
        let alone = self.run.is_empty()
            && self.document.is_none()
            && self.parameters.is_empty()
            && self.instances.is_empty()
            && self.tags.is_empty();
        if !alone {
            return Err(
                "a `local` program takes `variables` and `limit` only: its arguments stand in `[commands]`".to_owned(),
            );
        }
        let odd = self.variables.keys().find(|name| {
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            !plain || name.is_empty() || name.starts_with("LD_") || *name == "PATH"
        });
        odd.map_or(Ok(()), |name| {
            Err(format!(
                "`{name}` cannot be a variable: write letters, digits and `_`, and neither `PATH` nor `LD_…`"
            ))
        })
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["output", "id"])
    }

    fn samples() -> Vec<Self> {
        let remote = Self {
            run: vec!["sudo systemctl restart web".to_owned()],
            document: None,
            parameters: BTreeMap::new(),
            instances: vec!["i-0123456789abcdef0".to_owned()],
            tags: BTreeMap::new(),
            local: None,
            variables: BTreeMap::new(),
            limit: limit(),
        };
        let local = Self {
            run: Vec::new(),
            instances: Vec::new(),
            local: Some("migrate".to_owned()),
            variables: [("STAGE".to_owned(), "prod".to_owned())].into(),
            ..remote.clone()
        };
        vec![remote, local]
    }
}
