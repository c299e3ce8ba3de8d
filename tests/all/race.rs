//! Many at once: one decision, one effect, and everybody is told the truth.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use demo::Options;
use futures::future::join_all;
use serde_json::json;
use state::{Commit, Committed, Store, StoreError};
use tests::broken::{Careless, Timeless};
use tests::layer::{self, Layer};
use tests::network::Network;
use tests::overtaken::overtaken;
use tests::rush::{Loss, rush};
use tests::scenario::{DEPLOYS, Scenario, options, shared_store};
use tokio::sync::Barrier;

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_clicks_at_once_are_one_decision_and_each_is_told_the_truth() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    let (pushed, card) = town.asks_for_testnet("feat: wanted by all").await;
    let answers_before = town.answers().len();
    let before = ["U0ANN", "U0BRUNO"].map(|user| town.whispers(user).len());
    let click = async |user: &str| {
        let body = json!({ "user": user, "channel": DEPLOYS, "ts": card.ts, "action_id": "approve" });
        let url = format!("{}/control/slack/click", town.rig.sandbox().url());
        let sent = reqwest::Client::new().post(url).json(&body).send().await;
        sent.map(|answer| answer.status().as_u16()).unwrap_or_default()
    };
    let users = (0..16).map(|number| if number % 2 == 0 { "U0ANN" } else { "U0BRUNO" });
    let clicks = join_all(users.map(click)).await;
    // Whoever comes after the card has moved on finds no button any more; everybody else is answered.
    let reached = clicks.iter().filter(|status| **status == 200).count();
    let fair = clicks.iter().all(|status| matches!(status, 200 | 404));
    assert!(reached > 0 && fair, "{clicks:?}");
    let told = town
        .until("an answer to each", |town| {
            let all: Vec<String> = ["U0ANN", "U0BRUNO"]
                .iter()
                .zip(before)
                .flat_map(|(user, before)| town.whispers(user).into_iter().skip(before))
                .collect();
            (all.len() == reached).then_some(all)
        })
        .await;
    let recorded = told.iter().filter(|text| text.contains("Recorded")).count();
    let lost = told
        .iter()
        .filter(|text| text.contains("nothing was sent twice") || text.contains("Nothing was sent twice"))
        .count();
    assert_eq!((recorded, lost), (1, reached - 1), "{told:#?}");
    town.card_in_time(&[pushed.short(), "released"]).await;
    assert_eq!(town.answers().len() - answers_before, 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_clicks_on_two_replicas_are_one_decision() {
    assert_eq!(rush(Loss::None, together).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_replica_takes_over_what_a_killed_one_had_claimed() {
    assert_eq!(rush(Loss::Killed, |_| {}).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_comes_after_its_lease_is_not_a_second_answer() {
    assert_eq!(rush(Loss::Stalled, |_| {}).await, [""; 0]);
}

/// The control: two replicas that overwrite what they have not read decide twice, and the proof says so.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_version_check_the_proof_fails() {
    let violations = rush(Loss::None, |options| {
        layer::put(options, Careless);
        together(options);
    })
    .await;
    let says = |words: &str| violations.iter().any(|violation| violation.contains(words));
    assert!(
        says("2 decisions instead of 1") && says("are told that they decided"),
        "{violations:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_that_was_given_up_does_not_turn_up_later() {
    assert_eq!(overtaken(|_| {}).await, [""; 0]);
}

/// The control: a commit without a deadline counts whenever it arrives, and the proof says so.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_deadline_the_proof_fails() {
    let violations = overtaken(|options| layer::put(options, Timeless)).await;
    let says = |words: &str| violations.iter().any(|violation| violation.contains(words));
    assert!(
        says("what was given up is taken") && says("the only vote that counts"),
        "{violations:#?}"
    );
}

/// What a replica drew last is not what the card shows when the other one has drawn since.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_two_replicas_draw_shows_what_is_true() {
    let mut options = options(shared_store());
    options.replicas = 2;
    let town = Scenario::with(options).await;
    let _network = Network::between(&town, 1).await;
    town.opening().await;
    for round in 0..6 {
        let locked = town.says("U0BRUNO", "/deploy lock mainnet a careful look").await;
        assert_eq!(locked.status, 200, "{round}: {}", locked.text);
        town.card(&["v1.4.2", "a careful look"]).await;
        let unlocked = town.says("U0BRUNO", "/deploy unlock mainnet").await;
        assert_eq!(unlocked.status, 200, "{round}: {}", unlocked.text);
        town.card(&["v1.4.2", "no lock"]).await;
    }
    town.ends().await;
}

/// Lets the first presses of both replicas meet: each has read the run before either writes.
fn together(options: &mut Options) {
    layer::put(
        options,
        Meeting {
            both: Barrier::new(2),
            presses: AtomicUsize::new(0),
        },
    );
}

struct Meeting {
    both: Barrier,
    presses: AtomicUsize,
}

#[async_trait]
impl Layer for Meeting {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        if commit.id.starts_with("block_actions") && self.presses.fetch_add(1, Ordering::Relaxed) < 2 {
            self.both.wait().await;
        }
        store.commit(commit).await
    }
}
