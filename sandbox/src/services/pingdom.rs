//! Pingdom's API 3.1: uptime checks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Asked, Told};

/// The checks by id.
#[derive(Debug, Default)]
pub(super) struct Pingdom(BTreeMap<u64, Check>);

/// A check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    id: u64,
    name: String,
    /// `up`, `down`, `unknown` or `paused`.
    status: String,
}

/// What people do in Pingdom.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A check is there, or is changed.
    Check(Check),
}

impl Pingdom {
    pub(super) fn act(&mut self, deed: Deed) {
        let Deed::Check(check) = deed;
        self.0.insert(check.id, check);
    }

    pub(super) fn snapshot(&self) -> Value {
        self.0.values().map(Check::render).collect()
    }
}

impl Check {
    fn render(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "hostname": "app.example.org", "status": self.status, "resolution": 1, "tags": [] })
    }
}

impl Api for Pingdom {
    fn name(asked: &Asked) -> Option<&'static str> {
        match asked.parts().as_slice() {
            ["api", "3.1", "checks", _] if asked.is("GET") => Some("check_get"),
            ["api", "3.1", "checks", _] if asked.is("PUT") => Some("check_modify"),
            _ => None,
        }
    }

    fn answer(&mut self, _: &str, asked: &Asked) -> Told {
        let refuse = |status: u16, words: &str| Told::of(status, Self::refusal(status, words));
        if !asked.shown.bearer() {
            return refuse(401, "Invalid authentication token");
        }
        let check = asked.path[3].parse().ok().and_then(|id: u64| self.0.get_mut(&id));
        let Some(check) = check else {
            return refuse(403, "You don't have permission to view this check");
        };
        if asked.is("GET") {
            return Told::ok(json!({ "check": check.render() }));
        }
        match asked.json["paused"].as_bool() {
            Some(true) => "paused".clone_into(&mut check.status),
            // It looks soon; until then nobody knows.
            Some(false) if check.status == "paused" => "unknown".clone_into(&mut check.status),
            Some(false) => {}
            None => return refuse(400, "Invalid parameter value: paused"),
        }
        Told::ok(json!({ "message": "Modification of check was successful!" }))
    }

    fn refusal(status: u16, words: &str) -> Value {
        let description = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason());
        json!({ "error": { "statuscode": status, "statusdesc": description.unwrap_or_default(), "errormessage": words } })
    }
}
