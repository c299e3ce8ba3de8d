//! Heroku's Platform API: the formation of an app.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Asked, Told};

/// How many processes of each type run, by app and type.
#[derive(Debug, Default)]
pub(super) struct Heroku(BTreeMap<(String, String), u64>);

/// What people do in Heroku.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// So many processes of a type run.
    Formation {
        app: String,
        #[serde(rename = "type")]
        kind: String,
        quantity: u64,
    },
}

impl Heroku {
    pub(super) fn act(&mut self, deed: Deed) {
        let Deed::Formation { app, kind, quantity } = deed;
        self.0.insert((app, kind), quantity);
    }

    pub(super) fn snapshot(&self) -> Value {
        let rows = self.0.iter();
        rows.map(|((app, kind), quantity)| json!({ "app": app, "type": kind, "quantity": quantity }))
            .collect()
    }
}

impl Api for Heroku {
    fn name(asked: &Asked) -> Option<&'static str> {
        match asked.parts().as_slice() {
            ["apps", _, "formation", _] if asked.is("GET") => Some("formation_info"),
            ["apps", _, "formation", _] if asked.is("PATCH") => Some("formation_update"),
            _ => None,
        }
    }

    fn answer(&mut self, _: &str, asked: &Asked) -> Told {
        let refuse = |status: u16, words: &str| Told::of(status, Self::refusal(status, words));
        // Without it this is another version of the API, which is gone.
        if asked.accept != "application/vnd.heroku+json; version=3" {
            return refuse(
                404,
                "The requested API endpoint was not found. Are you using the right HTTP verb (i.e. `GET` vs. `POST`), and did you specify your intended version with the `Accept` header?",
            );
        }
        if !asked.shown.bearer() {
            return refuse(401, "Invalid credentials provided.");
        }
        let (app, kind) = (&asked.path[1], &asked.path[3]);
        if !self.0.keys().any(|(known, _)| known == app) {
            return refuse(404, "Couldn't find that app.");
        }
        let Some(quantity) = self.0.get_mut(&(app.clone(), kind.clone())) else {
            return refuse(404, "Couldn't find that process type.");
        };
        if asked.is("PATCH") {
            match asked.json["quantity"].as_u64() {
                Some(wanted) if wanted <= 100 => *quantity = wanted,
                _ => {
                    return refuse(
                        422,
                        "Couldn't update that process: quantity must be a number from 0 to 100.",
                    );
                }
            }
        }
        Told::ok(json!({
            "app": { "name": app, "id": "01234567-89ab-cdef-0123-456789abcdef" },
            "command": "bundle exec rails server -p $PORT",
            "id": "01234567-89ab-cdef-0123-456789abcdef",
            "quantity": *quantity,
            "size": "standard-1X",
            "type": kind,
        }))
    }

    fn refusal(status: u16, words: &str) -> Value {
        let id = match status {
            401 => "unauthorized",
            404 => "not_found",
            422 => "invalid_params",
            429 => "rate_limit",
            _ => "internal_server_error",
        };
        json!({ "id": id, "message": words })
    }
}
