//! `flag`: reads or sets one value that a system steers itself by: an attribute of a DynamoDB item, or an SSM parameter.
//!
//! Readers of such flags often look at exactly one type, and take the other for "off". So the type that is there is kept, and only a flag that does
//! not exist takes its type from the runbook.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;

/// A flag, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// The DynamoDB table it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The key of its item, attribute by attribute; all of them strings.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub key: std::collections::BTreeMap<String, String>,
    /// The attribute that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The SSM parameter that it is instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What it should be; without this it is only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What it has to be before; anything else is a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The type it gets when it does not exist.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<FlagType>,
    /// The two values it goes between: the one that it is not becomes the output `other`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What it counts as when it does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// The type of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlagType {
    /// A string.
    String,
    /// A boolean; `true` or `false`.
    Boolean,
    /// A number.
    Number,
}

impl Flag {
    /// Its place, as people read it.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.table, &self.parameter) {
            (Some(table), _) => {
                let keys: Vec<&str> = self.key.values().map(String::as_str).collect();
                format!(
                    "{table} {} {}",
                    keys.join("/"),
                    self.attribute.as_deref().unwrap_or_default()
                )
            }
            (None, Some(parameter)) => format!("parameter {parameter}"),
            (None, None) => String::new(),
        }
    }
}

impl Kind for Flag {
    const SPEC: Spec = Spec {
        kind: "flag",
        summary: "Reads or sets an attribute of a DynamoDB item or an SSM parameter, its type preserved, by compare-and-set",
        undo: "Sets the old value back, or removes what was not there, if it still is what the step made it",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(match self.value {
            Some(_) => Calls::acts(Class::Set).undone(true),
            None => Calls::READS,
        })
    }

    fn plan(&self) -> Vec<String> {
        match &self.value {
            None => vec![format!("reads {}", self.place())],
            Some(value) => vec![format!("sets {} to {value}", self.place())],
        }
    }

    fn check(&self) -> Result<(), String> {
        match (&self.table, &self.parameter) {
            (Some(_), None) if self.key.is_empty() || self.attribute.is_none() => {
                Err("`table` needs `key = { pk = \"…\" }` and `attribute = \"…\"`".to_owned())
            }
            (None, Some(_)) if !self.key.is_empty() || self.attribute.is_some() => {
                Err("`key` and `attribute` belong to a `table`, not to a `parameter`".to_owned())
            }
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err("write either `table` or `parameter`".to_owned()),
        }
    }

    fn finds(&self) -> Option<Vec<&str>> {
        let other = (self.choices.len() == 2).then_some("other");
        Some(std::iter::once("value").chain(other).collect())
    }

    fn samples() -> Vec<Self> {
        let read = Self {
            table: Some("efcms-deploy-prod".to_owned()),
            key: [
                ("pk".to_owned(), "current-color".to_owned()),
                ("sk".to_owned(), "current-color".to_owned()),
            ]
            .into(),
            attribute: Some("current".to_owned()),
            parameter: None,
            value: None,
            expected: None,
            kind: None,
            choices: vec!["blue".to_owned(), "green".to_owned()],
            missing: Some("green".to_owned()),
        };
        let set = Self {
            value: Some("green".to_owned()),
            expected: Some("blue".to_owned()),
            kind: Some(FlagType::String),
            ..read.clone()
        };
        let parameter = Self {
            table: None,
            key: Default::default(),
            attribute: None,
            parameter: Some("/DAWSON/prod/migrate".to_owned()),
            choices: Vec::new(),
            value: Some("true".to_owned()),
            expected: None,
            ..read.clone()
        };
        vec![read, set, parameter]
    }
}
