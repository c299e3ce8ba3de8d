//! What nobody saw the end of: it is followed, looked for again, or asked about; never begun a second time beside the first, never taken for a failure.

use std::collections::BTreeMap;
use std::sync::Arc;

use bot::secret::Secret;
use demo::{Options, Stored};
use sandbox::clock::Clock;
use sandbox::faults::{Fault, FaultKind};
use serde_json::json;
use state::Store;
use state::embedded::Embedded;
use tests::kinds::TEAM;
use tests::scenario::{Scenario, options, shared_store, text_of};

const RUNBOOKS: &str = r#"
[service.works.runbook.make]
on_failure = "undo"

[[service.works.runbook.make.step]]
name     = "make"
title    = "Make it"
kind     = "codebuild"
project  = "works-infra"
undo     = { project = "works-back" }
deadline = "2m"
known    = { role-exists = "ask" }

[[service.works.runbook.deploy.step]]
name       = "deploy"
title      = "Deploy it"
kind       = "job"
secret_env = "SERVICE_KEY"
jenkins    = { url = "{sandbox}/services/jenkins", user = "signalbox", job = "works/deploy" }
"#;

fn made(stored: Stored) -> Options {
    let mut options = options(stored);
    options.config = format!("{}{RUNBOOKS}", TEAM.replace("HEALTH", "https://health.example.org"));
    options.secrets = BTreeMap::from([("SERVICE_KEY".to_owned(), Secret::new("works"))]);
    options
}

async fn seeded(options: Options) -> Scenario {
    let town = Scenario::with(options).await;
    let projects = json!([{ "name": "works-infra" }, { "name": "works-back" }]);
    town.control("aws/deed", json!({ "seed": { "project": projects } }))
        .await;
    let job = json!({ "name": "works/deploy", "parameters": ["SIGNALBOX_RUN"], "seconds": 2 });
    town.control("services/deed", json!([{ "jenkins": { "job": job } }]))
        .await;
    town
}

/// The next build takes so long and ends like this.
async fn next_build(town: &Scenario, seconds: u32, outcome: &str) {
    let plan =
        json!({ "outcome": outcome, "seconds": seconds, "lines": ["EntityAlreadyExists: the role already exists"] });
    let next = json!({ "project": "works-infra", "plan": plan });
    town.control("aws/deed", json!({ "codebuild": { "next": next } })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trying_again_follows_a_build_that_takes_too_long_and_starts_none_beside_it() {
    let mut options = made(shared_store());
    options.config = options.config.replace("on_failure = \"undo\"", "");
    let town = seeded(options).await;
    next_build(&town, 300, "SUCCEEDED").await;
    town.says("U0CARLA", "/deploy run make prod").await;
    let card = town.card_in_time(&["a person decides", "not done within 2 min"]).await;
    assert!(text_of(&card).contains("is in BUILD"), "{}", text_of(&card));
    town.says("U0CARLA", "/deploy retry prod").await;
    town.card_in_time(&["what an earlier try began is followed"]).await;
    town.card_in_time(&["a person decides", "not done within 2 min"]).await;
    // It ends well while nobody looks.
    town.passes(300);
    town.says("U0CARLA", "/deploy retry prod").await;
    town.card_in_time(&["make · works → prod · done"]).await;
    assert_eq!(town.done("aws.StartBuild"), 1);
    town.ends().await;
}

/// The control of the story above: what has failed is over, and is begun anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_failed_is_started_anew() {
    let town = seeded(made(shared_store())).await;
    next_build(&town, 5, "FAILED").await;
    town.says("U0CARLA", "/deploy run make prod").await;
    town.card_in_time(&["a person decides", "Known as"]).await;
    town.says("U0CARLA", "/deploy retry prod").await;
    town.card_in_time(&["make · works → prod · done"]).await;
    assert_eq!(town.done("aws.StartBuild"), 2);
    town.ends().await;
}

/// A build goes on whether CodeBuild tells or not: that nothing can be read is no failure, and nothing is undone for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_cannot_be_seen_has_not_failed() {
    let town = seeded(made(shared_store())).await;
    next_build(&town, 60, "SUCCEEDED").await;
    let away = json!({ "target": "aws.BatchGetBuilds", "kind": "fail" });
    town.control("faults", away.clone()).await;
    town.says("U0CARLA", "/deploy run make prod").await;
    town.card_in_time(&["cannot be read just now"]).await;
    town.rig.sandbox().world().faults.clear(None);
    town.card_in_time(&["make · works → prod · done"]).await;

    next_build(&town, 60, "SUCCEEDED").await;
    town.control("faults", away).await;
    town.says("U0CARLA", "/deploy run make prod").await;
    let card = town.card_in_time(&["a person decides", "nobody knows"]).await;
    assert!(
        text_of(&card).contains("not seen to be done within 2 min"),
        "{}",
        text_of(&card)
    );
    town.rig.sandbox().world().faults.clear(None);
    // Whoever tries again is shown what became of it.
    town.says("U0CARLA", "/deploy retry prod").await;
    town.card_in_time(&["make · works → prod · done"]).await;
    assert_eq!(town.done("aws.StartBuild"), 2, "one for each run, and none to undo");
    town.ends().await;
}

/// A start is on its way to a busy build server when the bot dies. Its next self sees no trace of it, and does not believe that at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_arrives_late_is_found_and_not_repeated() {
    let store_time = Clock::default();
    let time = store_time.clone();
    let store = Embedded::in_memory_with(Arc::new(move || time.now_ms())).expect("a store in memory");
    let store: Arc<dyn Store> = Arc::new(store);
    let town = seeded(made(Stored::Shared(store))).await;
    let faults = &town.rig.sandbox().world().faults;
    faults.set(Fault::once("jenkins.build", FaultKind::HoldBefore, 0));
    town.says("U0CARLA", "/deploy run deploy prod").await;
    faults.wait_held().await;
    town.rig.kill().await;
    store_time.jump(60_000);
    town.rig.restart().await.expect("the bot starts again");
    town.card(&["no trace of it is seen"]).await;
    assert_eq!(town.done("jenkins.build"), 0, "nothing is there yet");
    faults.release();
    town.card_in_time(&["deploy · works → prod · done"]).await;
    assert_eq!(town.done("jenkins.build"), 1);
    town.ends().await;
}

/// The control of the story above: what never arrived is started anew, after a while.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_never_arrives_is_made_again() {
    let town = seeded(made(shared_store())).await;
    town.rig
        .sandbox()
        .world()
        .faults
        .set(Fault::once("jenkins.build", FaultKind::Drop, 0));
    town.says("U0CARLA", "/deploy run deploy prod").await;
    town.card_in_time(&["no trace of it is seen"]).await;
    town.card_in_time(&["deploy · works → prod · done"]).await;
    assert_eq!(town.done("jenkins.build"), 1);
    town.ends().await;
}
