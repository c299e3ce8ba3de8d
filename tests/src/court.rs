//! The runbooks and the account of a court's team (ef-cms), whose builds and waits are made short: what is proven about them is not how long they take.

use serde_json::{Value, json};

/// Their service.
pub const SERVICE: &str = "ef-cms";

/// How a migration is started.
pub const MIGRATE: &str = "/deploy run migrate stg source=alpha destination=beta";
/// How a switch is started.
pub const SWITCH: &str = "/deploy run switch stg";

/// What people say when a run asks them, by words of its headline: who, and what.
pub const ANSWERS: [(&str, &str, &str); 4] = [
    (
        "the destination is empty",
        "U0CARLA",
        "/deploy confirm stg nothing in both regions",
    ),
    (
        "the search is indexed",
        "U0CARLA",
        "/deploy confirm stg the sums are equal",
    ),
    ("A second person agrees", "U0BRUNO", "/deploy confirm stg"),
    ("a person decides", "U0CARLA", "/deploy retry stg"),
];

/// Replaces something that has to be there.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not there any more");
    text.replace(from, to)
}

/// Their configuration.
#[must_use]
pub fn config() -> String {
    let text = with(
        include_str!("../../runbooks/ef-cms.toml"),
        "for  = \"90s\"",
        "for  = \"1s\"",
    );
    with(&text, "every    = \"60s\"", "every    = \"1s\"")
}

/// Their account.
#[must_use]
pub fn account() -> String {
    let mut text = with(
        include_str!("../../sandbox/seeds/ef-cms.toml"),
        "per_second = 2,",
        "per_second = 200,",
    );
    for seconds in [60, 120, 180, 240, 300] {
        text = with(&text, &format!("seconds = {seconds}\n"), "seconds = 0\n");
    }
    text
}

/// The same before a deploy that did not migrate: the other color's stream is off.
#[must_use]
pub fn account_without_migration() -> String {
    let green = "function = \"streams_stg_green\"\nsource   = \"table:efcms-stg-beta\"";
    with(&account(), green, &format!("{green}\nenabled  = false"))
}

/// What the account shows of colors, streams, queues, tables and builds.
#[must_use]
pub fn state(shown: &Value) -> Value {
    let places = shown["places"].as_array().cloned().unwrap_or_default();
    let all = |key: &str| {
        let all = places.iter().filter_map(|place| place[key].as_array()).flatten();
        all.cloned().collect::<Vec<Value>>()
    };
    let flags = all("tables")
        .into_iter()
        .find(|table| table["name"] == "efcms-deploy-stg");
    let queues = all("queues").into_iter().filter(|queue| {
        let name = queue["name"].as_str().unwrap_or_default();
        name.starts_with("migration_")
    });
    let tables = all("tables")
        .into_iter()
        .map(|table| json!([table["name"], table["items"]]));
    let streams = all("event_sources");
    let mut streams: Vec<Value> = streams
        .iter()
        .map(|one| json!([one["function"], one["state"]]))
        .collect();
    streams.sort_by_key(ToString::to_string);
    let builds = all("projects").into_iter().map(|project| {
        let builds = project["builds"].as_array().cloned().unwrap_or_default();
        let ends: Vec<Value> = builds.iter().map(|build| build["status"].clone()).collect();
        json!([project["name"], ends])
    });
    json!({
        "flags": flags.map(|table| table["first"].clone()),
        "queues": queues.collect::<Vec<_>>(),
        "tables": tables.collect::<Vec<_>>(),
        "streams": streams,
        "builds": builds.collect::<Vec<_>>(),
        "zones": all("zones").iter().map(|zone| zone["records"].clone()).collect::<Vec<_>>(),
    })
}

/// What must never be seen of the account, if it is.
#[must_use]
pub fn wrong(shown: &Value) -> Option<String> {
    let state = state(shown);
    let streams: Vec<&Value> = (state["streams"].as_array()?.iter())
        .filter(|one| one[0].as_str().is_some_and(|name| name.starts_with("streams_stg_")))
        .collect();
    let live = |one: &&Value| ["Enabled", "Enabling"].contains(&one[1].as_str().unwrap_or_default());
    if !streams.iter().any(live) {
        return Some(format!("both streams are off: {streams:?}"));
    }
    let zone = state["zones"][0].as_array()?;
    let color = |record: &Value| {
        let target = record
            .pointer("/AliasTarget/DNSName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        ["blue", "green"].into_iter().find(|color| target.starts_with(color))
    };
    let colors: Vec<Option<&str>> = zone.iter().filter(|record| record["Type"] == "A").map(color).collect();
    if colors.len() != 2 || colors.contains(&None) {
        return Some(format!("the records name {colors:?}"));
    }
    let flags = state["flags"].as_array()?;
    let written = flags.iter().find(|item| item["pk"]["S"] == "current-color")?;
    if written["current"]["S"] == "green" && colors != [Some("green"); 2] {
        return Some(format!("current-color says green, and the records name {colors:?}"));
    }
    None
}
