//! A network that repeats itself: many presses, each delivered ten times, to two replicas on one Redis.
#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use demo::Stored;
use futures::StreamExt as _;
use sandbox::aws::{BUCKET, Category, Mode, Source, approval_stage, codebuild_stage, pipeline, source_stage};
use serde_json::json;
use state::testing::RedisServer;
use tests::network::Network;
use tests::scenario::{DEPLOYS, Scenario, options, text_of};

/// How many runs wait, and are decided by one press each: more than one look at a parallel pipeline finds. `scripts/soak` takes a hundred.
const RUNS: usize = 24;
/// How often each press is delivered.
const COPIES: usize = 10;
/// How many people press at the same time.
const AT_ONCE: usize = 20;
/// CodePipeline runs this many executions of a pipeline beside each other.
const PER_PIPELINE: usize = 50;
/// How many executions start at the same time: as many as a look at a parallel pipeline finds.
const BATCH: usize = 20;
/// How often Slack takes an answer at the same `response_url`.
const ANSWERS: usize = 5;

/// The presses that are asked for.
fn runs() -> usize {
    let asked = std::env::var_os("SIGNALBOX_PRESSES").and_then(|runs| runs.to_str()?.parse().ok());
    asked.unwrap_or(RUNS)
}

fn environment(number: usize) -> String {
    format!("e{number:02}")
}

fn pipeline_of(number: usize) -> String {
    format!("fleet-{}", number / PER_PIPELINE)
}

/// One service with an environment for each run, so that no run waits for another.
fn config(runs: usize) -> String {
    let mut config = "[defaults]\n\
        aws = { region = \"eu-central-1\", role_arn = \"arn:aws:iam::111122223333:role/signalbox\" }\n\
        [service.fleet]\nchannel = \"C0DEPLOYS\"\n"
        .to_owned();
    for number in 0..runs {
        let (name, pipeline) = (environment(number), pipeline_of(number));
        let table = format!(
            "[service.fleet.environment.{name}]\nrefs = [\"{name}\"]\n\
             pipeline = {{ name = \"{pipeline}\", stage = \"Approve\", action = \"Approval\" }}\n\
             approvers = {{ groups = [\"S0WALLET\"], self_approval = true }}\n"
        );
        config.push_str(&table);
    }
    config
}

/// A town in which so many runs wait, and the card of each.
async fn fleet(redis: &RedisServer, runs: usize) -> (Scenario, BTreeMap<String, String>) {
    let mut options = options(Stored::Redis(redis.url()));
    options.replicas = 2;
    options.config = config(runs);
    let town = Scenario::with(options).await;
    for first in (0..runs).step_by(PER_PIPELINE) {
        let name = pipeline_of(first);
        let source = Source::S3 {
            bucket: BUCKET.to_owned(),
            key: format!("{name}.zip"),
        };
        let stages = vec![
            source_stage(&source),
            approval_stage("Approve", "Approval", None),
            codebuild_stage("Deploy", Category::Build, 20_000, &[("Deploy", "fleet-deploy")]),
        ];
        town.rig
            .sandbox()
            .world()
            .aws()
            .add_pipeline(pipeline(&name, Mode::Parallel, source, stages));
    }
    for (pushed, number) in in_turn(runs).into_iter().enumerate() {
        let message = format!("feat: number {number:02}");
        let push = json!({ "pipeline": pipeline_of(number), "git_ref": environment(number), "author": "carla", "message": message });
        town.pushes_as(push).await;
        if (pushed + 1) % BATCH == 0 || pushed + 1 == runs {
            town.in_time("a card for each", |town| {
                (town.cards().len() == pushed + 1).then_some(())
            })
            .await;
        }
    }
    let cards = town.cards();
    let cards = cards.iter().map(|card| (subject(&text_of(card)), card.ts.clone()));
    let cards = cards.collect();
    (town, cards)
}

/// The runs in an order in which every pipeline gets its share.
fn in_turn(runs: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..runs).collect();
    numbers.sort_by_key(|number| number % PER_PIPELINE);
    numbers
}

/// Which of the runs a text is about.
fn subject(text: &str) -> String {
    let number = text.split("feat: number ").nth(1).and_then(|rest| rest.get(..2));
    number.unwrap_or("none").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn presses_that_are_delivered_ten_times_each_are_one_answer_each() {
    let (redis, runs) = (RedisServer::start(), runs());
    let (town, cards) = fleet(&redis, runs).await;
    assert_eq!(cards.len(), runs, "one card for each run");
    let network = Network::between(&town, COPIES).await;
    let http = reqwest::Client::new();
    let press = async |(number, ts): (usize, &String)| {
        let user = ["U0ANN", "U0BRUNO"][number % 2];
        let click = json!({ "user": user, "channel": DEPLOYS, "ts": ts, "action_id": "approve" });
        let url = format!("{}/control/slack/click", town.rig.sandbox().url());
        let sent = http.post(url).json(&click).send().await.expect("the sandbox answers");
        sent.status().as_u16()
    };
    let pressed: Vec<u16> = futures::stream::iter(cards.values().enumerate())
        .map(press)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    assert_eq!(pressed, vec![200; runs]);
    let acknowledged = network.answered("/slack/interactions", 200);
    assert_eq!(acknowledged, runs * COPIES, "every copy is acknowledged");
    town.in_time("every answer to CodePipeline", |town| {
        (town.answers().len() >= runs).then_some(())
    })
    .await;
    // Each replica answers every copy; Slack takes five, and all of them say the same.
    let told = town
        .until("an answer to each copy", |town| {
            let told = [town.whispers("U0ANN"), town.whispers("U0BRUNO")].concat();
            (town.asked("slack.response_url") == runs * COPIES).then_some(told)
        })
        .await;
    assert_eq!(told.len(), runs * ANSWERS);
    let truths: BTreeSet<&String> = told.iter().collect();
    let about: BTreeSet<String> = truths.iter().map(|text| subject(text)).collect();
    assert_eq!((truths.len(), about.len()), (runs, runs), "{truths:#?}");
    assert!(truths.iter().all(|text| text.contains("Recorded")), "{truths:#?}");
    nothing_is_left_to_tell(&town).await;
    let answered: BTreeSet<String> = town.answers().into_iter().map(|answer| answer.execution).collect();
    assert_eq!(
        (
            town.answers().len(),
            town.asked("aws.PutApprovalResult"),
            answered.len()
        ),
        (runs, runs, runs)
    );
    assert_eq!(town.cards().len(), runs);
    println!(
        "{} deliveries of {runs} presses: {} answers",
        runs * COPIES,
        town.answers().len()
    );
    town.ends().await;
}

/// Returns when every answer to CodePipeline was reported.
async fn nothing_is_left_to_tell(town: &Scenario) {
    let engine = town.rig.engine().await.expect("a bot");
    let fleet = engine.catalog.services.keys().next().expect("a service");
    let is_answer = |effect: &state::Effect| effect.key.as_str().starts_with("answer:");
    while engine
        .store
        .outbox(fleet)
        .await
        .expect("an outbox")
        .iter()
        .any(is_answer)
    {
        tokio::task::yield_now().await;
    }
}
