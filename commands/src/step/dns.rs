//! `dns`: waits until every resolver that is asked gives the answer that is wanted.
//!
//! Resolvers keep what they know for as long as the record says, each since another moment: one of them proves nothing about the others.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec, span_text};
use crate::time::Span;

/// Public resolvers of different operators: Cloudflare, Google, Quad9.
const RESOLVERS: [&str; 3] = ["1.1.1.1:53", "8.8.8.8:53", "9.9.9.9:53"];

/// A record, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// The name.
    #[serde(rename = "record")]
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: RecordType,
    /// The values, all of them, in any order; empty: any will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// For how many seconds it may be kept, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_at_most: Option<u32>,
    /// Who is asked, by address and port; all of them have to agree.
    #[serde(default = "resolvers")]
    pub resolvers: Vec<String>,
    /// How far apart the looks are.
    #[serde(default = "pause", with = "span_text")]
    pub every: Span,
}

/// A type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Text.
    Txt,
}

impl RecordType {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Txt => "TXT",
        }
    }
}

fn resolvers() -> Vec<String> {
    RESOLVERS.map(str::to_owned).to_vec()
}

const fn pause() -> Span {
    Span::seconds(30)
}

impl Kind for Dns {
    const SPEC: Spec = Spec {
        kind: "dns",
        summary: "Asks several resolvers until all of them give the record's values or its lifetime as they should be",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(self.every)
    }

    fn plan(&self) -> Vec<String> {
        let mut wanted = Vec::new();
        if !self.values.is_empty() {
            wanted.push(format!("say {}", self.values.join(", ")));
        }
        wanted.extend(self.ttl_at_most.map(|ttl| format!("keep it for at most {ttl} s")));
        vec![
            format!(
                "asks {} for {} {}",
                self.resolvers.join(", "),
                self.name,
                self.kind.as_str()
            ),
            format!("until all of them {}, every {}", wanted.join(" and "), self.every),
        ]
    }

    fn check(&self) -> Result<(), String> {
        if self.values.is_empty() && self.ttl_at_most.is_none() {
            return Err("says nothing of what is wanted: write `values = [\"…\"]` or `ttl_at_most = 60`".to_owned());
        }
        if self.resolvers.is_empty() {
            return Err("`resolvers` is empty: name at least one, such as `1.1.1.1:53`, or leave it out".to_owned());
        }
        let literal = |text: &&String| !text.contains('{');
        if let Some(odd) = self
            .resolvers
            .iter()
            .filter(literal)
            .find(|text| text.parse::<SocketAddr>().is_err())
        {
            return Err(format!(
                "`{odd}` is no resolver: write an address and a port, such as `1.1.1.1:53`"
            ));
        }
        let fits = |text: &&String| match (self.kind, text.parse::<IpAddr>()) {
            (RecordType::A, address) => matches!(address, Ok(IpAddr::V4(_))),
            (RecordType::Aaaa, address) => matches!(address, Ok(IpAddr::V6(_))),
            (RecordType::Cname | RecordType::Txt, _) => true,
        };
        match self.values.iter().filter(literal).find(|text| !fits(text)) {
            Some(odd) => Err(format!(
                "`{odd}` is no value of a record of type {}",
                self.kind.as_str()
            )),
            None => Ok(()),
        }
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["values", "ttl"])
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            name: "app.example.org".to_owned(),
            kind: RecordType::Cname,
            values: vec!["d-green.example.net".to_owned()],
            ttl_at_most: Some(60),
            resolvers: resolvers(),
            every: pause(),
        }]
    }
}
