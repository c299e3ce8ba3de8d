//! `mapping`: points a path of an API Gateway domain to another API, by replacing what it leads to.
//!
//! Deleting a mapping to create it anew would leave the domain without one in between, and for good if the second call fails.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// A path of a domain, and where it should lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The custom domain.
    pub domain: String,
    /// The path below it; all of the domain when nothing is said.
    #[serde(default = "root")]
    pub path: String,
    /// The API, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The API, by a name that only one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_name: Option<String>,
    /// The stage.
    pub stage: String,
    /// Which of API Gateway's two versions the API is of: 1 for REST, 2 for HTTP and WebSocket.
    #[serde(default = "first")]
    pub version: u8,
}

fn root() -> String {
    "(none)".to_owned()
}

const fn first() -> u8 {
    1
}

impl Kind for Mapping {
    const SPEC: Spec = Spec {
        kind: "mapping",
        summary: "Points a path of an API Gateway domain to another API, by replacing the mapping",
        undo: "Points it back to where it led, if it still leads where the step pointed it",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::acts(Class::Set).watched(Span::seconds(5)).undone(true))
    }

    fn plan(&self) -> Vec<String> {
        let api = match (&self.api, &self.api_name) {
            (Some(id), _) => id.clone(),
            (None, Some(name)) => format!("the API named {name}"),
            (None, None) => String::new(),
        };
        vec![format!(
            "points {} {} to {api}, stage {}, and reads back that it does",
            self.domain, self.path, self.stage
        )]
    }

    fn check(&self) -> Result<(), String> {
        if self.api.is_some() == self.api_name.is_some() {
            return Err("write either `api` (its id) or `api_name`".to_owned());
        }
        if !matches!(self.version, 1 | 2) {
            return Err(format!(
                "`version` is {}: API Gateway has 1 (REST) and 2 (HTTP, WebSocket)",
                self.version
            ));
        }
        if self.path.is_empty() {
            return Err("`path` is empty: leave it out for all of the domain".to_owned());
        }
        Ok(())
    }

    fn samples() -> Vec<Self> {
        let rest = Self {
            domain: "api.example.org".to_owned(),
            path: root(),
            api: None,
            api_name: Some("gateway_api_prod_green".to_owned()),
            stage: "prod".to_owned(),
            version: 1,
        };
        let http = Self {
            api: Some("a1b2c3".to_owned()),
            api_name: None,
            version: 2,
            ..rest.clone()
        };
        vec![rest, http]
    }
}
