//! Log levels through the real edges: said in Slack, changed in the sandbox's account, seen there; and on its bad days.

use serde_json::{Value, json};
use tests::fault::kind;
use tests::scenario::{Scenario, options, shared_store, text_of};

const CONFIG: &str = include_str!("../../runbooks/hathor.toml");
/// What no message and no journal may hold; that no log does is shown with the real process.
const SECRET: &str = "not-for-anybodys-eyes";
const PREFIX: &str = "hathor-wallet-service-mainnet-";

/// A small account: functions with variables that are nobody's business.
fn account(levels: &[(&str, &str)]) -> Value {
    let function = |(name, level): &(&str, &str)| {
        json!({
            "name": format!("{PREFIX}{name}"),
            "variables": { "LOG_LEVEL": level, "DB_PASS": SECRET, "NETWORK": "mainnet" },
        })
    };
    json!({ "seed": { "function": levels.iter().map(function).collect::<Vec<_>>() } })
}

async fn town(levels: &[(&str, &str)]) -> Scenario {
    let mut options = options(shared_store());
    options.config = CONFIG.to_owned();
    let town = Scenario::with(options).await;
    town.control("aws/deed", account(levels)).await;
    town
}

trait Functions {
    /// A function's variables, as Lambda has them.
    fn variables(&self, name: &str) -> Value;
    fn level(&self, name: &str) -> String;
    async fn shows(&self, with: &[&str]) -> String;
}

impl Functions for Scenario {
    fn variables(&self, name: &str) -> Value {
        let world = self.rig.sandbox().world();
        sandbox::aws::function_variables(&world.aws(), &format!("{PREFIX}{name}"))
    }

    fn level(&self, name: &str) -> String {
        self.variables(name)["LOG_LEVEL"].as_str().unwrap_or("none").to_owned()
    }

    async fn shows(&self, with: &[&str]) -> String {
        let card = self
            .in_time(&format!("a card with {with:?}"), |town| town.cards_with(with).pop())
            .await;
        text_of(&card)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_are_listed_lent_and_go_back_by_themselves() {
    // The last one is another stage's, whose name begins with the same words.
    let town = town(&[
        ("load", "info"),
        ("metrics", "debug"),
        ("send", "info"),
        ("stg-load", "error"),
    ])
    .await;
    town.says("U0RITA", "/loglevel mainnet").await;
    let card = town.shows(&["3 functions, 1 not at info"]).await;
    assert!(card.contains("nobody here set it"), "{card}");
    let said = town
        .says("U0CARLA", "/loglevel mainnet all debug for 30m slow loads")
        .await;
    assert!(said.text.contains("restarts"), "{}", said.text);
    let card = town
        .shows(&["log levels · wallet → mainnet", "2 functions set to debug"])
        .await;
    assert!(card.contains("1 function at debug already"), "{card}");
    assert_eq!(
        (town.level("load"), town.level("stg-load")),
        ("debug".into(), "error".into())
    );
    assert_eq!(town.asked("aws.UpdateFunctionConfiguration"), 2);
    town.says("U0RITA", "/loglevel mainnet").await;
    town.shows(&["3 functions, 3 not at info", "by itself"]).await;
    town.passes(1800);
    town.shows(&["Back from debug to info", "2 functions set to info"])
        .await;
    assert_eq!(
        (town.level("load"), town.level("metrics")),
        ("info".into(), "debug".into())
    );
    let others = json!({ "LOG_LEVEL": "info", "DB_PASS": SECRET, "NETWORK": "mainnet" });
    assert_eq!(town.variables("load"), others, "the others are as they were");
    let status = town.says("U0RITA", "/deploy status mainnet").await;
    assert!(!status.text.contains("left at"), "{}", status.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_functions_are_set_in_several_bites_whatever_the_wire_does() {
    let names: Vec<String> = (0..25).map(|number| format!("f{number:02}")).collect();
    let levels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "info")).collect();
    let town = town(&levels).await;
    // Somebody else writes in between; an answer is lost; the service asks to slow down.
    let conflict = kind("refuse", 2, &json!({ "error": "PreconditionFailedException" }));
    town.breaks("aws.UpdateFunctionConfiguration", &conflict).await;
    town.says("U0CARLA", "/loglevel mainnet all warn").await;
    town.in_time("the first", |town| (town.level("f00") == "warn").then_some(()))
        .await;
    town.breaks("aws.UpdateFunctionConfiguration", &kind("lose_answer", 1, &json!({})))
        .await;
    town.breaks(
        "aws.GetFunctionConfiguration",
        &kind("throttle", 1, &json!({ "retry_after": 2 })),
    )
    .await;
    town.shows(&["25 functions set to warn"]).await;
    for (name, _) in levels {
        let all = json!({ "LOG_LEVEL": "warn", "DB_PASS": SECRET, "NETWORK": "mainnet" });
        assert_eq!(town.variables(name), all, "{name}");
    }
    let written = town.done("aws.UpdateFunctionConfiguration");
    assert_eq!(written, 25, "none was restarted twice");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_cannot_be_decrypted_are_not_written_over() {
    let town = town(&[("load", "info"), ("send", "info")]).await;
    let broken =
        json!({ "lambda": { "kms": { "function": format!("{PREFIX}send"), "error": "the key is disabled" } } });
    town.control("aws/deed", broken).await;
    town.says("U0CARLA", "/loglevel mainnet all debug").await;
    let card = town
        .shows(&["kms: the variables of hathor-wallet-service-mainnet-send cannot be decrypted"])
        .await;
    assert!(card.contains("nothing is written back over them"), "{card}");
    assert_eq!(
        town.asked("aws.UpdateFunctionConfiguration"),
        0,
        "nothing was changed before"
    );
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_variables_are_neither_shown_nor_kept() {
    let town = town(&[("load", "info"), ("send", "info")]).await;
    // One function has no room left: Lambda refuses, and quotes all of its variables.
    let mut full = json!({ "LOG_LEVEL": "info", "DB_PASS": SECRET, "FILL": "" });
    full["FILL"] = json!("x".repeat(4096 - full.to_string().len()));
    let name = format!("{PREFIX}send");
    town.control(
        "aws/deed",
        json!({ "lambda": { "deploy": { "function": name, "variables": full } } }),
    )
    .await;
    town.says("U0CARLA", "/loglevel mainnet all debug").await;
    town.shows(&["InvalidParameterValueException", "its own words may quote variables"])
        .await;
    assert_eq!(
        (town.level("load"), town.level("send")),
        ("debug".into(), "info".into())
    );
    town.says("U0CARLA", "/deploy abort mainnet it does not fit").await;
    town.shows(&["log levels · wallet → mainnet · undone"]).await;
    assert_eq!(town.level("load"), "info");

    assert!(!town.transcript().contains(SECRET), "in Slack");
    let engine = town.rig.engine().await.expect("a bot");
    let mut kept = String::new();
    for slot in engine.catalog.services.keys() {
        let page = engine.store.records(slot, "", None, 1000).await.expect("records");
        for record in &page.rows {
            let rows = engine
                .store
                .journal(slot, &record.id, 0, 1000)
                .await
                .expect("a journal");
            kept.push_str(&format!("{record:?} {rows:?}"));
        }
        kept.push_str(&format!("{:?}", engine.store.outbox(slot).await.expect("an outbox")));
    }
    assert!(kept.contains("LOG_LEVEL") && !kept.contains(SECRET), "in the store");
    let said: Vec<String> = {
        let world = town.rig.sandbox().world();
        let entries = world.log.since(0);
        let slack = entries.iter().filter(|entry| entry.call.starts_with("slack."));
        slack.map(|entry| format!("{entry:?}")).collect()
    };
    assert!(
        !said.is_empty() && !said.iter().any(|body| body.contains(SECRET)),
        "in a body to Slack"
    );
    town.ends().await;
}

/// Three functions, of which the last has no room for a longer level: whoever sets all of them fails there.
async fn crowded() -> Scenario {
    let town = town(&[("load", "info"), ("metrics", "warn"), ("send", "info")]).await;
    let mut full = json!({ "LOG_LEVEL": "info", "DB_PASS": SECRET, "FILL": "" });
    full["FILL"] = json!("x".repeat(4096 - full.to_string().len()));
    let deploy = json!({ "function": format!("{PREFIX}send"), "variables": full });
    town.control("aws/deed", json!({ "lambda": { "deploy": deploy } }))
        .await;
    town
}

/// One of which Lambda does not take the old level does not hold up the look at the others, and is sent again when people try again.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_lambda_does_not_take_is_named_and_sent_again() {
    let town = crowded().await;
    town.says("U0CARLA", "/loglevel mainnet all debug").await;
    town.shows(&["a person decides"]).await;
    let fails = json!({ "function": format!("{PREFIX}load"), "reason": "no address is free" });
    town.control("aws/deed", json!({ "lambda": { "fail_update": fails } }))
        .await;
    town.says("U0CARLA", "/deploy abort mainnet it does not fit").await;
    let card = town.shows(&["could not be undone · a person decides"]).await;
    let words =
        format!("1 function could not be put back: {PREFIX}load (Lambda has not taken the change of {PREFIX}load");
    assert!(card.contains(&words) && card.contains("1 function could"), "{card}");
    town.says("U0CARLA", "/deploy retry mainnet").await;
    let card = town.shows(&["log levels · wallet → mainnet · undone"]).await;
    assert!(card.contains("2 functions are back where they were"), "{card}");
    assert_eq!(["load", "metrics"].map(|name| town.level(name)), ["info", "warn"]);
    town.ends().await;
}

/// One that cannot be put back does not hold up the others, and is named.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_tries_every_function_and_names_those_that_are_not_back() {
    let town = crowded().await;
    town.says("U0CARLA", "/loglevel mainnet all debug").await;
    town.shows(&["its own words may quote variables", "a person decides"])
        .await;
    let refused = kind("refuse", 1, &json!({ "error": "AccessDeniedException" }));
    town.breaks("aws.UpdateFunctionConfiguration", &refused).await;
    town.says("U0CARLA", "/deploy abort mainnet it does not fit").await;
    let card = town.shows(&["could not be undone · a person decides"]).await;
    let words = format!(
        "1 function could not be put back: {PREFIX}load (Lambda refuses the change of {PREFIX}load; its own words may quote variables and are not shown); 1 function could"
    );
    assert!(card.contains(&words), "{card}");
    assert_eq!(["load", "metrics"].map(|name| town.level(name)), ["debug", "warn"]);
    town.says("U0CARLA", "/deploy retry mainnet").await;
    town.shows(&["log levels · wallet → mainnet · undone"]).await;
    assert_eq!(["load", "metrics"].map(|name| town.level(name)), ["info", "warn"]);
    town.ends().await;
}
