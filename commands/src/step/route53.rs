//! `route53`: sets a record set, over exactly the one that was read, and waits until all of Route 53's servers answer with it.
//!
//! Route 53 has no condition on an `UPSERT`, but a batch of changes is carried out whole or not at all, and a `DELETE` has to name the very values that
//! are there. So a record is replaced by deleting what was read and creating what is wanted, in one batch.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// A record set, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route53 {
    /// The hosted zone: its name, or its id.
    pub zone: String,
    /// The record's name.
    pub record: String,
    /// Its type: `A`, `CNAME`, `TXT`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its values, as Route 53 writes them; those of `TXT` in quotes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// For how many seconds others may keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// What it is an alias of, instead of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
}

/// What a record is an alias of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The target's name.
    pub name: String,
    /// The id of the zone that the target is in; CloudFront's is `Z2FDTNDATAQYW2`.
    pub zone: String,
    /// Whether Route 53 looks at the target's health.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub health: bool,
}

impl Kind for Route53 {
    const SPEC: Spec = Spec {
        kind: "route53",
        summary: "Sets a Route 53 record set over exactly what was read and waits until it is in sync",
        undo: "Puts the old record set back, or deletes the new one, if it still is the one that the step wrote",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::acts(Class::Set).watched(Span::seconds(10)).undone(true))
    }

    fn plan(&self) -> Vec<String> {
        let to = match (&self.alias, self.ttl) {
            (Some(alias), _) => format!("an alias of {}", alias.name),
            (None, ttl) => format!("{} (TTL {} s)", self.values.join(", "), ttl.unwrap_or_default()),
        };
        vec![format!(
            "sets the {} record {} in the zone {} to {to}, and waits until it is in sync",
            self.kind, self.record, self.zone
        )]
    }

    fn check(&self) -> Result<(), String> {
        match (&self.alias, self.values.is_empty(), self.ttl) {
            (Some(_), true, None) | (None, false, Some(_)) => Ok(()),
            (Some(_), ..) => Err("an `alias` has no `values` and no `ttl` of its own".to_owned()),
            (None, false, None) => Err("`values` need a `ttl` in seconds, such as `ttl = 60`".to_owned()),
            (None, true, _) => {
                Err("write `values = [\"…\"]` and `ttl`, or `alias = { name = \"…\", zone = \"…\" }`".to_owned())
            }
        }
    }

    fn samples() -> Vec<Self> {
        let values = Self {
            zone: "example.org".to_owned(),
            record: "api.example.org".to_owned(),
            kind: "CNAME".to_owned(),
            values: vec!["green.example.org".to_owned()],
            ttl: Some(60),
            alias: None,
        };
        let alias = Self {
            kind: "A".to_owned(),
            values: Vec::new(),
            ttl: None,
            alias: Some(Alias {
                name: "d2green.cloudfront.net".to_owned(),
                zone: "Z2FDTNDATAQYW2".to_owned(),
                health: false,
            }),
            ..values.clone()
        };
        vec![values, alias]
    }
}
