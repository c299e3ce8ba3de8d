//! The runbooks and the account of a court's team (ef-cms), whose builds and waits are made short: what is proven about them is not how long they take.

use serde_json::{Value, json};

/// Their service.
pub const SERVICE: &str = "ef-cms";

/// How a migration is started.
pub const MIGRATE: &str = "/deploy run migrate stg source=alpha destination=beta";
/// How a switch is started.
pub const SWITCH: &str = "/deploy run switch stg";

/// What people say when a run asks them, by words of its headline: who, and what.
pub const ANSWERS: [(&str, &str, &str); 2] = [
    ("A second person agrees", "U0BRUNO", "/deploy confirm stg"),
    ("a person decides", "U0CARLA", "/deploy retry stg"),
];

/// Replaces something that has to be there.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not there any more");
    text.replace(from, to)
}

/// Their configuration, with short looks and waits. Every server that it names is the sandbox: the real process has no hosts file.
#[must_use]
pub fn config() -> String {
    let text = with(
        include_str!("../../runbooks/ef-cms.toml"),
        "for   = \"90s\"",
        "for   = \"1s\"",
    );
    let text = with(&text, "every    = \"60s\"", "every    = \"1s\"");
    let text = with(&text, "every    = \"30s\"", "every    = \"1s\"");
    let text = with(&text, "\"https://", "\"{sandbox}/web/");
    with(&text, "hosts   = [", "hosts   = [\"{sandbox}\",")
}

/// Their account.
#[must_use]
pub fn account() -> String {
    let mut text = with(
        include_str!("../../sandbox/seeds/ef-cms.toml"),
        "per_second = 2,",
        "per_second = 200,",
    );
    for growth in ["per_second = 1.5 ", "per_second = 5 ", "per_second = 1 "] {
        text = with(&text, growth, "per_second = 5000 ");
    }
    for seconds in [30, 60, 120, 180, 240, 300] {
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
    let mappings = places.iter().flat_map(|place| {
        let all = place["base_paths"].as_array().cloned().unwrap_or_default();
        all.into_iter()
            .map(|one| json!([one["domain"], place["region"], one["api"]]))
            .collect::<Vec<_>>()
    });
    json!({
        "flags": flags.map(|table| table["first"].clone()),
        "queues": queues.collect::<Vec<_>>(),
        "tables": tables.collect::<Vec<_>>(),
        "streams": streams,
        "builds": builds.collect::<Vec<_>>(),
        "zones": all("zones").iter().map(|zone| zone["records"].clone()).collect::<Vec<_>>(),
        "mappings": mappings.collect::<Vec<_>>(),
        "sites": shown["sites"],
    })
}

/// The color of everything that traffic goes through: both sites, their records, the mappings of each region, and sign-in. `None`: it leads nowhere.
#[must_use]
pub fn colors(state: &Value) -> Vec<(String, Option<&'static str>)> {
    let color = |text: &str| ["blue", "green"].into_iter().find(|color| text.contains(color));
    let sites = state["sites"].as_array().into_iter().flatten();
    let sites = sites.filter(|site| SITES.contains(&site["host"].as_str().unwrap_or_default()));
    let sites = sites.map(|site| {
        (
            format!("site {}", site["host"]),
            color(&site["pages"][0]["body"].to_string()),
        )
    });
    let records = state["zones"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten();
    let records = records.filter(|record| {
        let name = record["Name"].as_str().unwrap_or_default().trim_end_matches('.');
        record["Type"] == "A" && SITES.contains(&name)
    });
    let records = records.map(|record| {
        (
            format!("record {}", record["Name"]),
            color(&record["AliasTarget"].to_string()),
        )
    });
    let mappings = state["mappings"].as_array().into_iter().flatten();
    let mappings = mappings.map(|one| (format!("{} in {}", one[0], one[1]), color(&one[2].to_string())));
    sites.chain(records).chain(mappings).collect()
}

/// The sites that people see, and what stands for the triggers of sign-in.
const SITES: [&str; 3] = [
    "app.stg.court.example.org",
    "stg.court.example.org",
    "efcms-stg.cognito.example.org",
];
/// How many things traffic goes through: two sites, two records, two domains in two regions, sign-in.
const WAYS: usize = 9;

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
    let colors = colors(&state);
    if colors.len() != WAYS || colors.iter().any(|(_, color)| color.is_none()) {
        return Some(format!("something leads nowhere: {colors:?}"));
    }
    let flags = state["flags"].as_array()?;
    let written = flags.iter().find(|item| item["pk"]["S"] == "current-color")?;
    let pending = flags.iter().find(|item| item["pk"]["S"] == "pending-color-switch")?;
    let green = colors.iter().all(|(_, color)| *color == Some("green")) && pending["current"]["S"] == "false";
    if written["current"]["S"] == "green" && !green {
        return Some(format!(
            "current-color says green, a deploy is waiting: {}, and it is {colors:?}",
            pending["current"]
        ));
    }
    None
}
