//! Every effect is carried out one to three times, as after a lost lease: what comes of it is the same, and the world saw each thing once.

use std::collections::BTreeSet;

use serde_json::json;
use tests::layer;
use tests::proof::{Proof, approval};
use tests::repeat::{Forgetting, Kinds, Repeating};
use tests::scenario::{Scenario, options, shared_store};

/// Every kind of effect, by the first word of its key.
const ALL: [&str; 10] = [
    "answer", "change", "check", "draw", "freeze", "post", "read", "retry", "stop", "thread",
];

async fn repeated(times: u32, kinds: &Kinds) -> Proof {
    approval(None, |options| layer::put(options, Repeating::each(times, kinds))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_whose_effects_are_repeated_is_one_approval() {
    let kinds = Kinds::default();
    let (once, twice, thrice) = tokio::join!(repeated(1, &kinds), repeated(2, &kinds), repeated(3, &kinds));
    for proof in [once, twice, thrice] {
        assert!(proof.violations.is_empty(), "{:#?}", proof.violations);
    }
}

/// The control: who does not look at what the try before did posts every message anew, and the proof says so.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_look_first_the_proof_fails() {
    let kinds = Kinds::default();
    let proof = approval(None, |options| {
        layer::put(options, Repeating::each(2, &kinds));
        layer::put(options, Forgetting);
    })
    .await;
    // Two of them, or three where a drawing fell between the two tries.
    let cards = proof
        .violations
        .iter()
        .filter(|violation| violation.starts_with("cards: "));
    assert_eq!(cards.count(), 1, "{:#?}", proof.violations);
}

/// What an approval does not need: a stage that fails and is retried, a run that is stopped, a freeze of everything.
#[tokio::test(flavor = "multi_thread")]
async fn retries_stops_and_freezes_that_are_repeated_happen_once() {
    let kinds = Kinds::default();
    let mut options = options(shared_store());
    layer::put(&mut options, Repeating::each(3, &kinds));
    let town = Scenario::with(options).await;
    town.clears_the_gate().await;

    let (failing, card) = town.asks_for_testnet("feat: breaks").await;
    town.control("aws/fail", json!({ "pipeline": "wallet-service", "stage": "Deploy" }))
        .await;
    town.decides("U0ANN", &card).await;
    town.card_in_time(&[failing.short(), "failed in Deploy"]).await;
    let said = town.says("U0BRUNO", "/deploy retry testnet").await;
    assert!(said.text.contains("retries stage Deploy"), "{}", said.text);
    town.card_in_time(&[failing.short(), "released"]).await;
    assert_eq!(town.done("aws.RetryStageExecution"), 1);
    assert_eq!(town.said_with("JobFailed").len(), 1, "{}", town.transcript());

    town.control(
        "aws/hold",
        json!({ "pipeline": "wallet-service", "stage": "Deploy", "held": true }),
    )
    .await;
    let (stopped, card) = town.asks_for_testnet("feat: unwanted").await;
    town.decides("U0ANN", &card).await;
    town.card_in_time(&[stopped.short(), "CodePipeline confirmed"]).await;
    let said = town.says("U0BRUNO", "/deploy stop testnet not today").await;
    assert_eq!(said.status, 200, "{}", said.text);
    town.card_in_time(&[stopped.short(), "stopped"]).await;
    assert_eq!(town.done("aws.StopPipelineExecution"), 1);

    let frozen = town.says("U0BRUNO", "/deploy freeze all the network is down").await;
    assert_eq!(frozen.status, 200, "{}", frozen.text);
    town.in_time("every kind of effect", |_| {
        let all: BTreeSet<String> = ALL.iter().map(|kind| (*kind).to_owned()).collect();
        (kinds.seen() == all).then_some(())
    })
    .await;
    assert_eq!(town.answers().len(), 3, "a rejection and two approvals");
    town.ends().await;
}
