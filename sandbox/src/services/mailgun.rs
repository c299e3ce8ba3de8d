//! Mailgun's API: the routes of incoming mail.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Asked, Told};

/// The routes by id.
#[derive(Debug, Default)]
pub(super) struct Mailgun(BTreeMap<String, Route>);

/// A route.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    id: String,
    #[serde(default)]
    expression: String,
    actions: Vec<String>,
}

/// What people do in Mailgun.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A route is there, or is changed.
    Route(Route),
}

impl Mailgun {
    pub(super) fn act(&mut self, deed: Deed) {
        let Deed::Route(route) = deed;
        self.0.insert(route.id.clone(), route);
    }

    pub(super) fn snapshot(&self) -> Value {
        self.0.values().map(Route::render).collect()
    }
}

impl Route {
    fn render(&self) -> Value {
        json!({ "id": self.id, "priority": 0, "description": "", "expression": self.expression, "actions": self.actions,
            "created_at": "Wed, 15 Feb 2012 13:03:31 GMT" })
    }
}

impl Api for Mailgun {
    fn name(asked: &Asked) -> Option<&'static str> {
        match asked.parts().as_slice() {
            ["v3", "routes", _] if asked.is("GET") => Some("route_get"),
            ["v3", "routes", _] if asked.is("PUT") => Some("route_update"),
            _ => None,
        }
    }

    fn answer(&mut self, _: &str, asked: &Asked) -> Told {
        let refuse = |status: u16, words: &str| Told::of(status, Self::refusal(status, words));
        if !asked.shown.basic("api") {
            return refuse(401, "Invalid private key");
        }
        let Some(route) = self.0.get_mut(&asked.path[2]) else {
            return refuse(404, "Route not found");
        };
        if asked.is("GET") {
            return Told::ok(json!({ "route": route.render() }));
        }
        // A field that is given several times is a list; what is not given stays.
        let actions: Vec<String> = asked
            .form
            .iter()
            .filter(|(name, _)| name == "action")
            .map(|(_, value)| value.clone())
            .collect();
        let known = |action: &String| {
            ["forward(", "store(", "stop("]
                .iter()
                .any(|verb| action.starts_with(verb))
                && action.ends_with(')')
        };
        if let Some(odd) = actions.iter().find(|action| !known(action)) {
            return refuse(400, &format!("Invalid route action: {odd}"));
        }
        if !actions.is_empty() {
            route.actions = actions;
        }
        let mut told = route.render();
        told["message"] = json!("Route has been updated");
        Told::ok(told)
    }

    fn refusal(_: u16, words: &str) -> Value {
        json!({ "message": words })
    }
}
