//! The real binary, with a real Redis: killed where it hurts, told to stop, and left without its store.

use std::sync::Arc;

use sandbox::faults::{Fault, FaultKind};
use serde_json::json;
use tests::process::{AUDIT_KEY, TOKEN, Town, cards};

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_and_after_the_answer_it_answers_once() {
    let town = Town::start().await;
    town.card(&["waits for 2 of 2"]).await;
    town.until("the checks", async || {
        town.says("U0ANN", "/deploy approve mainnet v1.4.2")
            .await
            .contains("1 of 2")
            .then_some(())
    })
    .await;
    // An acknowledged vote outlives both the bot and Redis.
    town.kill();
    town.redis().restart();
    town.redis().end_all_leases();
    town.spawn();
    town.ready().await;
    let world = Arc::clone(town.sandbox.world());
    world
        .faults
        .set(Fault::once("aws.PutApprovalResult", FaultKind::HoldAfter, 0));
    let told = town.says("U0BRUNO", "/deploy approve mainnet v1.4.2").await;
    assert!(told.contains("Recorded"), "{told}");
    world.faults.wait_held().await;
    town.kill();
    town.redis().end_all_leases();
    world.faults.release();
    town.spawn();
    town.card(&["approved by"]).await;
    town.card(&["released"]).await;
    let answers = world.aws().approval_results().len();
    assert_eq!((answers, cards(&world).len()), (1, 1));
}

/// A call is under way when it is told to stop: its answer is waited for and written down, and whoever comes next has nothing to look up.
#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_what_is_under_way_and_hears_nothing_new() {
    let town = Town::start().await;
    town.card(&["waits for 2 of 2"]).await;
    town.until("the checks", async || {
        let told = town.says("U0ANN", "/deploy approve mainnet v1.4.2").await;
        told.contains("1 of 2").then_some(())
    })
    .await;
    let world = Arc::clone(town.sandbox.world());
    world
        .faults
        .set(Fault::once("aws.PutApprovalResult", FaultKind::HoldAfter, 0));
    let told = town.says("U0BRUNO", "/deploy approve mainnet v1.4.2").await;
    assert!(told.contains("Recorded"), "{told}");
    world.faults.wait_held().await;
    town.tells_to_stop();
    town.until("a closed door", async || town.readiness().await.is_none().then_some(()))
        .await;
    assert_eq!(town.says("U0ANN", "/deploy lock testnet").await, "");
    world.faults.release();
    let status = town.ended().await;
    assert!(status.success(), "{status}");
    let journal = town.runs(&["audit", "export"]).await.out;
    assert!(journal.contains("\"reason\":\"confirmed\""), "{journal}");
    town.spawn();
    town.card(&["released"]).await;
    assert_eq!(world.aws().approval_results().len(), 1);
}

/// A variable of a function, which only that function is to know.
const VARIABLE: &str = "for-this-function-alone";

/// A level is set for a function that has no room left: Lambda refuses, and quotes all of its variables.
async fn quotes_variables(town: &Town) {
    let mut full = json!({ "LOG_LEVEL": "info", "DB_PASS": VARIABLE, "FILL": "" });
    full["FILL"] = json!("x".repeat(4096 - full.to_string().len()));
    let function = json!([{ "name": "wallet-service-mainnet-send", "variables": full }]);
    town.control("aws/deed", json!({ "seed": { "function": function } }))
        .await;
    town.says("U0CARLA", "/loglevel mainnet send debug").await;
    town.card(&["log levels", "InvalidParameterValueException"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_and_leaves_with_success_and_no_secret_is_in_its_log() {
    let town = Town::start().await;
    town.card(&["waits for 2 of 2"]).await;
    let metrics = town.metrics().await;
    assert!(metrics.contains("signalbox_call_seconds"), "{metrics}");
    quotes_variables(&town).await;
    town.redis().pause();
    town.until("not ready", async || {
        (town.readiness().await == Some(503)).then_some(())
    })
    .await;
    let told = town.says("U0ANN", "/deploy lock testnet").await;
    assert!(
        told.contains("Not recorded") || told.contains("cannot confirm"),
        "{told}"
    );
    town.redis().resume();
    town.ready().await;
    town.tells_to_stop();
    let status = town.ended().await;
    assert!(status.success(), "{status}");
    let log = std::fs::read_to_string(town.log()).expect("a log");
    assert!(
        log.lines().filter(|line| line.starts_with('{')).count() > 3,
        "the log is JSON: {log}"
    );
    let settings = log.lines().find(|line| line.contains("the store's settings"));
    let warned = settings.map(|line| line.contains("\"level\":\"WARN\""));
    assert_eq!(warned, Some(false), "a store that is safe is nothing to be warned of");
    for secret in [
        TOKEN,
        "sandbox-signing-secret",
        AUDIT_KEY,
        "nobody may see",
        "ghp-sandbox",
        VARIABLE,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
