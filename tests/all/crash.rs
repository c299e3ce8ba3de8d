//! The bot is cut off at every point at which it touches the outside, and comes back.

use std::sync::Arc;

use async_trait::async_trait;
use bot::door::{Call, DoorError, Outgoing};
use bytes::Bytes;
use commands::ids::ServiceId;
use commands::run::Run;
use demo::Stored;
use sandbox::clock::Clock;
use sandbox::faults::{Fault, FaultKind};
use state::Store;
use state::embedded::Embedded;
use tests::cut::{Cut, Moment, Point};
use tests::cuts;
use tests::proof::approval;
use tests::scenario::{Scenario, options};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_one_decision_is_one_answer() {
    let whole = approval(None, |_| {}).await;
    assert!(whole.violations.is_empty(), "{:?}", whole.violations);
    let mut cuts = cuts::all(&whole.points);
    cuts.retain(|cut| match chosen() {
        Some(only) => only == "all" || cut.to_string().contains(&only),
        None => is_telling(cut) || cut.point.name == "chat.postMessage",
    });
    let tally = cuts::try_all("approval", &cuts, async |cut| approval(Some(cut), |_| {}).await).await;
    let skipped: Vec<&Cut> = tally.missed.iter().filter(|cut| !is_by_the_clock(cut)).collect();
    assert!(skipped.is_empty(), "these come by in every run: {skipped:?}");
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
}

/// What a decision goes through: the votes, the answer to CodePipeline, and the commit that finishes it.
fn is_telling(cut: &Cut) -> bool {
    [
        "commit command",
        "commit block_actions",
        "CodePipeline.PutApprovalResult",
        "commit answer",
    ]
    .contains(&cut.point.name.as_str())
}

/// How often the bot looks and draws depends on how fast the machine is: the last of those in one run may not come in another.
fn is_by_the_clock(cut: &Cut) -> bool {
    let varying = ["wake", "read", "hint", "check", "draw"].map(|word| format!("commit {word}"));
    cut.point.name == "chat.update" || varying.contains(&cut.point.name)
}

/// Only cuts whose name contains this; `scripts/soak` takes all.
fn chosen() -> Option<String> {
    std::env::var_os("SIGNALBOX_CUTS").map(|only| only.to_string_lossy().into_owned())
}

/// Between the bot and AWS: whatever marker the bot writes into its answer, CodePipeline keeps another one.
struct Forgetful(Arc<dyn Outgoing>);

#[async_trait]
impl Outgoing for Forgetful {
    async fn send(&self, call: Call) -> Result<http::Response<Bytes>, DoorError> {
        if !call.name.ends_with("PutApprovalResult") {
            return self.0.send(call).await;
        }
        let (parts, body) = call.request.into_parts();
        let text = String::from_utf8_lossy(&body).replace("[signalbox ", "[some  one ");
        let request = http::Request::from_parts(parts, Bytes::from(text));
        self.0.send(Call { request, ..call }).await
    }
}

/// The control: without its marker the bot takes its own answer, whose reply was lost, for somebody else's, and the proof says so.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_marker_the_proof_fails() {
    let point = Point {
        name: "CodePipeline.PutApprovalResult".to_owned(),
        nth: 1,
    };
    let cut = Cut {
        point,
        moment: Moment::Lost,
    };
    let forget = |options: &mut demo::Options| {
        options.door = Some(Arc::new(|door| Arc::new(Forgetful(door)) as Arc<dyn Outgoing>));
    };
    let proof = approval(Some(cut), forget).await;
    assert!(proof.struck);
    assert!(
        !proof.violations.is_empty(),
        "a bot without its marker passed the proof"
    );
}

/// A card is up, the bot dies before it hears so, and the evidence has come in meanwhile: the next bot finds the card and shows what is known now.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_found_again_shows_what_is_known_now() {
    let store_time = Clock::default();
    let time = store_time.clone();
    let store = Embedded::in_memory_with(Arc::new(move || time.now_ms())).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let town = Scenario::with(options(Stored::Shared(Arc::clone(&store)))).await;
    let held = Fault::once("slack.chat.postMessage", FaultKind::HoldAfter, 0);
    let faults = &town.rig.sandbox().world().faults;
    faults.set(held);
    town.passes(5);
    faults.wait_held().await;
    let wallet = ServiceId::parse("wallet").unwrap();
    let verdicts = async || -> usize {
        let runs = store.records(&wallet, "run/", None, 10).await.unwrap().rows;
        let run: Run = serde_json::from_str(runs[0].fold.as_deref().unwrap()).unwrap();
        run.verdicts.len()
    };
    while verdicts().await < 2 {
        tokio::task::yield_now().await;
    }
    town.rig.kill().await;
    faults.clear(None);
    store_time.jump(60_000);
    town.rig.restart().await.unwrap();
    let card = town.card(&["mainnet", "v1.4.2", "waits for 2", "2 alarms quiet"]).await;
    assert_eq!(town.cards().len(), 1, "{card:?}");
    town.ends().await;
}
