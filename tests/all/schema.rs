//! A schema's migration through the real edges: on the right side of the code, refused on the wrong one, and what happens when nobody can tell.

use serde_json::json;
use tests::fault::kind;
use tests::scenario::{Scenario, options, shared_store, text_of};

/// The sandbox's repository has v1.4.0, v1.4.1 and v1.4.2; the only migration came with the last.
fn runbook(name: &str, keys: &str) -> String {
    format!(
        r#"
[service.wallet.runbook.{name}]
parameter.version = {{ summary = "what would ship" }}
parameter.live    = {{ summary = "what is live" }}

[[service.wallet.runbook.{name}.step]]
name     = "migrate"
kind     = "schema"
database = "wallet-db"
version  = "{{parameter.version}}"
live     = "{{parameter.live}}"
project  = "wallet-migrate"
usual    = "5m"
{keys}
"#
    )
}

async fn town() -> Scenario {
    let mut options = options(shared_store());
    for (name, keys) in [
        ("first", "first = \"schema\""),
        ("last", "first = \"code\"\nsince = \"v1.4.1\""),
        ("brave", "first = \"schema\"\nunknown = \"allow\""),
    ] {
        options.config.push_str(&runbook(name, keys));
    }
    let town = Scenario::with(options).await;
    let project = json!({ "name": "wallet-migrate", "plan": { "seconds": 90 } });
    town.control("aws/deed", json!({ "seed": { "project": [project] } }))
        .await;
    town
}

/// Starts one and waits for how its card ends or stops.
async fn runs(town: &Scenario, said: &str, words: &[&str]) {
    let answer = town.says("U0CARLA", &format!("/deploy run {said}")).await;
    assert!(!answer.text.contains("Refused"), "{}", answer.text);
    town.card_in_time(words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_goes_first_or_not_at_all() {
    let town = town().await;
    town.breaks("aws.StartBuild", &kind("lose_answer", 1, &json!({}))).await;
    runs(
        &town,
        "first mainnet live=v1.4.1 version=v1.4.2",
        &["under way · usually 5 min", "1 migration is pending on wallet-db"],
    )
    .await;
    let card = town.card_in_time(&["first · wallet → mainnet · done"]).await;
    let shown = text_of(&card);
    for words in [
        "v1.4.1 is live; v1.4.2 brings 4 commits",
        "1 migration is pending on wallet-db",
        "db/migrations/20261117101500-add-tx-proposal-attempts.sql",
        "succeeded",
    ] {
        assert!(shown.contains(words), "{words} is not on\n{shown}");
    }
    assert!(town.has_struck());
    assert_eq!(town.done("aws.StartBuild"), 1, "one build, though its answer was lost");

    for (versions, why) in [
        (
            "live=v1.4.2 version=v1.4.2",
            "v1.4.2 is live already, and its schema has to go before it",
        ),
        ("live=v1.4.2 version=v1.4.1", "v1.4.2 is live, which holds v1.4.1"),
    ] {
        runs(
            &town,
            &format!("first mainnet --plan {versions}"),
            &["plan of first", "would be refused", why],
        )
        .await;
        runs(
            &town,
            &format!("first mainnet {versions}"),
            &["a person decides", "wrong_order", why],
        )
        .await;
        town.says("U0CARLA", "/deploy stop mainnet it was run before").await;
        town.card_in_time(&["first · wallet → mainnet · stopped after", why])
            .await;
    }
    let none = [
        "first · wallet → mainnet · done",
        "no migration is pending on wallet-db",
        "the job is not started",
    ];
    runs(&town, "first mainnet live=v1.4.0 version=v1.4.1", &none).await;
    assert_eq!(town.done("aws.StartBuild"), 1);
    let plan = [
        "plan of first",
        "the last good build of wallet-migrate took 1 min 30 s",
        "usually takes 5 min",
    ];
    runs(&town, "first mainnet --plan live=v1.4.1 version=v1.4.2", &plan).await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_goes_first_where_something_is_taken_away() {
    let town = town().await;
    runs(
        &town,
        "last mainnet live=v1.4.1 version=v1.4.2",
        &["a person decides", "v1.4.2 is not live yet, v1.4.1 is"],
    )
    .await;
    assert_eq!(town.done("aws.StartBuild"), 0);
    town.says("U0CARLA", "/deploy stop mainnet it has to be rolled out")
        .await;
    town.card_in_time(&["last · wallet → mainnet · stopped after"]).await;
    let right = [
        "last · wallet → mainnet · done",
        "v1.4.2 is live",
        "1 migration is pending on wallet-db",
    ];
    runs(&town, "last mainnet live=v1.4.2 version=v1.4.2", &right).await;
    assert_eq!(town.done("aws.StartBuild"), 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_tell_stops_production_and_is_never_shown_as_good() {
    let town = town().await;
    town.breaks("github.compare", &kind("fail", 1000, &json!({}))).await;
    let versions = "live=v1.4.1 version=v1.4.2";
    runs(
        &town,
        &format!("first mainnet {versions}"),
        &["a person decides", "cannot tell whether the order is right"],
    )
    .await;
    assert_eq!(town.done("aws.StartBuild"), 0);
    // GitHub answers again: trying again is enough.
    town.mends();
    town.says("U0CARLA", "/deploy retry mainnet").await;
    town.card_in_time(&["first · wallet → mainnet · done", "1 migration is pending"])
        .await;

    town.breaks("github.compare", &kind("fail", 1000, &json!({}))).await;
    for (runbook, environment) in [("first", "testnet"), ("brave", "mainnet")] {
        let headline = format!("{runbook} · wallet → {environment} · done");
        let unknown = [
            "cannot tell how v1.4.2 stands to what is live, because",
            "cannot tell which migrations are pending",
        ];
        runs(
            &town,
            &format!("{runbook} {environment} {versions}"),
            &[&headline, unknown[0], unknown[1]],
        )
        .await;
        let card = town
            .cards_with(&[&headline])
            .pop()
            .map(|card| text_of(&card))
            .unwrap_or_default();
        let step = card
            .lines()
            .find(|line| line.contains("1. migrate"))
            .unwrap_or_default();
        assert!(
            step.contains("❔") || step.contains("question"),
            "it is not good: {card}"
        );
    }
    assert_eq!(town.done("aws.StartBuild"), 3);
    town.ends().await;
}

/// Somebody agrees to two migrations of a branch, and a third is pushed meanwhile: what was agreed to is run.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_agreed_to_is_run_wherever_the_branch_stands_by_then() {
    let look = r#"
[[service.wallet.runbook.agreed.step]]
name     = "pending"
kind     = "schema"
look     = true
database = "wallet-db"
version  = "master"
live     = "v1.4.1"
first    = "schema"

[[service.wallet.runbook.agreed.step]]
name     = "agree"
kind     = "approval"
question = "Run {step.pending.pending}?"

[[service.wallet.runbook.agreed.step]]
name     = "migrate"
kind     = "schema"
database = "wallet-db"
version  = "master"
commit   = "{step.pending.commit}"
live     = "v1.4.1"
first    = "schema"
project  = "wallet-migrate"
"#;
    let mut options = options(shared_store());
    options.config.push_str(look);
    let town = Scenario::with(options).await;
    let project = json!({ "name": "wallet-migrate", "plan": { "seconds": 5 } });
    town.control("aws/deed", json!({ "seed": { "project": [project] } }))
        .await;
    let push = async |name: &str| {
        let file = format!("db/migrations/{name}.sql");
        let commit =
            json!({ "repository": "acme/wallet-service", "branch": "master", "message": name, "files": [file] });
        let sha = town.control("github/commit", commit).await["sha"]
            .as_str()
            .map(str::to_owned);
        sha.expect("a commit")
    };
    let second = push("second").await;
    town.says("U0CARLA", "/deploy run agreed mainnet").await;
    let place = format!("master is at {}", &second[..7]);
    town.card_in_time(&["Run 2?", "2 migrations are pending", &place]).await;
    push("third").await;
    town.says("U0BRUNO", "/deploy confirm mainnet").await;
    let card = town.card_in_time(&["agreed · wallet → mainnet · done"]).await;
    assert!(
        text_of(&card).contains("2 migrations are pending"),
        "{}",
        text_of(&card)
    );
    let started = town.rig.sandbox().world().log.since(0);
    let built = started.iter().find(|entry| entry.call == "aws.StartBuild");
    let built = built.map(|entry| entry.arguments["sourceVersion"].clone());
    assert_eq!(built, Some(json!(second)));
    town.ends().await;
}
