//! Slack's bad days: every method that the bot calls, in every way in which it fails. One card, one answer, no hot loop, and the end is drawn.

use serde_json::json;
use tests::fault::{Kind, kind};
use tests::scenario::{DEPLOYS, Scenario, text_of};

/// More calls of one method than this for one run is a loop that does not wait.
const MANY: usize = 25;

fn kinds() -> Vec<Kind> {
    let nothing = json!({});
    vec![
        kind("slow", 2, &json!({ "ms": 20 })),
        kind("throttle", 2, &json!({ "retry_after": 3 })),
        kind("fail", 2, &nothing),
        kind("refuse", 2, &json!({ "error": "internal_error" })),
        kind("refuse", 2, &json!({ "error": "token_revoked" })),
        kind("lose_answer", 2, &nothing),
        kind("drop", 2, &nothing),
    ]
}

/// One cell: a release to staging from its push to its end, while a method fails in one way.
async fn cell(town: &Scenario, method: &str, kind: &Kind) {
    let call = format!("slack.{method}");
    let (asked, answers) = (town.asked(&call), town.answers().len());
    town.breaks(&call, kind).await;
    let pushed = town.pushes("web-staging", "carla", "feat: one more").await;
    let waits = [pushed.short(), "staging", "waits for", "migrations-touched"];
    let card = town.card_in_time(&waits).await;
    town.passes(20);
    let what = format!("{method} × {} {}", kind.name, kind.body["error"]);
    let mut tries = 0;
    // Whoever cannot be looked up is refused and asks again; an approval that counts is not repeated.
    while town.cards_with(&[pushed.short(), "waits for"]).len() == 1 {
        let said = town
            .says("U0ANN", &format!("/deploy approve staging {}", pushed.short()))
            .await;
        tries += 1;
        assert!(tries < 12, "{what}: {}", said.text);
        if said.text.contains("Recorded") {
            break;
        }
        town.passes(5);
    }
    let end = town.card_in_time(&[pushed.short(), "released", "approved by"]).await;
    assert_eq!(end.ts, card.ts, "{what}: one card from beginning to end");
    assert_eq!(
        town.cards_with(&[pushed.short()]).len(),
        1,
        "{what}: {}",
        town.transcript()
    );
    assert_eq!(town.answers().len(), answers + 1, "{what}");
    let calls = town.asked(&call) - asked;
    assert!(calls <= MANY, "{what}: {calls} calls");
    town.mends();
}

async fn row(methods: &[&str]) {
    let mut cells = 0;
    for method in methods {
        let town = Scenario::start().await;
        town.opening().await;
        for kind in kinds() {
            cell(&town, method, &kind).await;
            cells += 1;
        }
        town.ends().await;
    }
    #[expect(clippy::print_stdout, reason = "the size of the grid is part of what is proven")]
    {
        println!("slack faults: {cells} cells of {methods:?}");
    }
    assert_eq!(cells, methods.len() * kinds().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn posting_fails_in_every_way() {
    row(&["chat.postMessage", "chat.update"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_for_an_earlier_post_fails_in_every_way() {
    row(&["conversations.history", "conversations.open"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_people_up_fails_in_every_way() {
    row(&["users.info", "usergroups.users.list", "users.lookupByEmail"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whispers_that_fail_take_nothing_back() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    for kind in kinds() {
        town.breaks("slack.response_url", &kind).await;
        town.breaks("slack.chat.postEphemeral", &kind).await;
        town.clicks("U0RITA", &card.ts, "approve").await;
    }
    town.mends();
    town.clicks("U0ANN", &card.ts, "approve").await;
    town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    assert!(town.answers().is_empty());
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_channel_is_left_alone_until_it_is_back() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    town.control("slack/archive", json!({ "channel": DEPLOYS })).await;
    let before = town.asked("slack.chat.update");
    let by_hand = json!({ "pipeline": "wallet-service", "status": "Approved", "user": "mallory" });
    town.control("aws/decide", by_hand).await;
    town.in_time("the answer of CodePipeline", |town| {
        (town.asked("slack.chat.update") > before).then_some(())
    })
    .await;
    town.passes(60);
    let tried = town.asked("slack.chat.update") - before;
    assert!(tried < MANY, "{tried} tries on an archived channel");
    town.control("slack/archive", json!({ "channel": DEPLOYS, "archived": false }))
        .await;
    let status = town.says("U0RITA", "/deploy status mainnet").await;
    assert_eq!(status.status, 200, "{}", status.text);
    assert_eq!(town.cards().len(), 1, "{}", card.ts);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_card_is_posted_again_once() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    town.control("slack/delete_message", json!({ "channel": DEPLOYS, "ts": card.ts }))
        .await;
    town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    let again = town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    assert_ne!(again.ts, card.ts);
    town.control("slack/delete_message", json!({ "channel": DEPLOYS, "ts": again.ts }))
        .await;
    let said = town.says("U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(said.text.contains("Recorded"), "{}", said.text);
    town.in_time("the answer", |town| (town.answers().len() == 1).then_some(()))
        .await;
    town.passes(60);
    town.in_time("the end", |town| {
        let aws = sandbox::aws::snapshot(&town.rig.sandbox().world().aws());
        let wallet = aws["pipelines"]
            .as_array()?
            .iter()
            .find(|one| one["name"] == "wallet-service")?
            .clone();
        (wallet["executions"][0]["status"] == "Succeeded").then_some(())
    })
    .await;
    let posts = town.said_with("waits for").len() + town.cards().len();
    assert_eq!(posts, 0, "who deletes a card twice means it: {}", town.transcript());
    assert_eq!(text_of(&again).matches("waits for 1 of 2").count().min(1), 1);
    town.ends().await;
}
