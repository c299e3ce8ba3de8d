//! `http`: asks a web server until its answer is as it should be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, RED_IN_MAINTENANCE, Spec, span_text};
use crate::time::Span;

/// A question to a web server, and what the answer has to be. It only reads: its method is one that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The address, `https://…`; its host has to be listed under `hosts` of the service.
    pub url: String,
    /// How it is asked.
    #[serde(default)]
    pub method: Method,
    /// The status it has to answer with.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers that the answer has to have, by lower-case name; an empty value: any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Words that the body has to hold; empty: any body will do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// What JSON has to be found, by path: `{ "checks.redis" = "ok" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub json: BTreeMap<String, String>,
    /// What later steps are told, by name: each is a place in the JSON, which has to be there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// How often in a row the answer has to be right.
    #[serde(default = "once")]
    pub times: u32,
    /// How long to wait between two questions.
    #[serde(default = "pause", with = "span_text")]
    pub every: Span,
    /// Whether maintenance mode makes it red: then it is no failure while that is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub red_in_maintenance: bool,
}

/// A method that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    #[default]
    Get,
    /// `HEAD`
    Head,
}

const fn ok() -> u16 {
    200
}

const fn once() -> u32 {
    1
}

const fn pause() -> Span {
    Span::seconds(10)
}

impl Kind for Http {
    const SPEC: Spec = Spec {
        kind: "http",
        summary: "Asks a web server until status, headers, body and JSON are as they should be",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(self.every)
    }

    fn plan(&self) -> Vec<String> {
        let method = match self.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
        };
        let mut wanted = vec![format!("status {}", self.status)];
        wanted.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !self.body.is_empty() {
            wanted.push(format!("“{}” in the body", self.body));
        }
        wanted.extend(self.json.iter().map(|(path, value)| format!("{path} = {value}")));
        let any = self.outputs.values().filter(|path| !self.json.contains_key(*path));
        wanted.extend(any.map(|path| format!("any {path}")));
        let times = if self.times > 1 {
            format!(", {} times in a row", self.times)
        } else {
            String::new()
        };
        let mut lines = vec![
            format!("{method} {}", self.url),
            format!("until {}{times}, every {}", wanted.join(", "), self.every),
        ];
        lines.extend(self.red_in_maintenance.then(|| RED_IN_MAINTENANCE.to_owned()));
        lines
    }

    fn check(&self) -> Result<(), String> {
        if !self.url.starts_with("https://") && !self.url.starts_with("http://") {
            return Err(format!("`{}` is no address: write `https://…`", self.url));
        }
        let reads_body = !(self.body.is_empty() && self.json.is_empty() && self.outputs.is_empty());
        if self.method == Method::Head && reads_body {
            return Err("an answer to HEAD has no body: write `method = \"GET\"`".to_owned());
        }
        Ok(())
    }

    fn addresses(&self) -> Vec<String> {
        vec![self.url.clone()]
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(self.outputs.keys().map(String::as_str).collect())
    }

    fn samples() -> Vec<Self> {
        let sample = Self {
            url: "https://health.example.org/status".to_owned(),
            method: Method::Get,
            status: 200,
            headers: BTreeMap::new(),
            body: String::new(),
            json: BTreeMap::from([("version".to_owned(), "1.4.2".to_owned())]),
            outputs: BTreeMap::new(),
            times: 1,
            every: pause(),
            red_in_maintenance: false,
        };
        let red = Self {
            times: 3,
            red_in_maintenance: true,
            ..sample.clone()
        };
        vec![sample, red]
    }
}
