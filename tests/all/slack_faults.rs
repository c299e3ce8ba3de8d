//! Slack's bad days: every method that the bot calls, in every way in which it fails. One card, one answer, no hot loop, and the end is drawn.
#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use std::sync::Arc;

use bot::slack::Limiter;
use commands::time::Span;
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

fn kind_of(name: &'static str, times: u32) -> Kind {
    kind(name, times, &json!({}))
}

/// Brings the bot to call a method during the release that follows: what it remembers is too old by then, or something else went wrong before.
async fn provokes(town: &Scenario, method: &str) {
    match method {
        // An earlier post is looked for when the answer to it was lost.
        "conversations.history" => {
            let lost = kind("lose_answer", 1, &json!({}));
            town.breaks("slack.chat.postMessage", &lost).await;
        }
        "users.info" | "usergroups.users.list" => town.passes(90),
        "users.lookupByEmail" => town.passes(11 * 60),
        // Whose token it is is asked once per process.
        "auth.test" => town.rig.restart().await.expect("a bot"),
        _ => {}
    }
}

/// One cell: a release to staging from its push to its end, while a method fails in one way.
async fn cell(town: &Scenario, method: &str, kind: &Kind) {
    let call = format!("slack.{method}");
    let (asked, answers) = (town.asked(&call), town.answers().len());
    town.breaks(&call, kind).await;
    provokes(town, method).await;
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
    assert!((1..=MANY).contains(&calls), "{what}: {calls} calls");
    assert!(town.has_struck(), "{what}: the fault never struck");
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
    row(&["conversations.history"]).await;
}

/// A note in a run's thread whose answer was lost is looked for there, and said once.
#[tokio::test(flavor = "multi_thread")]
async fn looking_for_an_earlier_note_fails_in_every_way() {
    let town = Scenario::start().await;
    town.opening().await;
    for kind in kinds() {
        let what = format!("{} {}", kind.name, kind.body["error"]);
        let pushed = town.pushes("web-staging", "carla", "feat: breaks").await;
        let waits = [pushed.short(), "staging", "waits for", "migrations-touched"];
        let card = town.card_in_time(&waits).await;
        let broken = json!({ "pipeline": "web-staging", "stage": "Deploy", "message": "no room left" });
        town.control("aws/fail", broken).await;
        // The note, and the word to whoever started it.
        town.breaks("slack.chat.postMessage", &kind_of("lose_answer", 2)).await;
        town.breaks("slack.conversations.replies", &kind).await;
        town.presses("U0ANN", &card.ts, "approve").await;
        town.card_in_time(&[pushed.short(), "failed in Deploy"]).await;
        let notes = |town: &Scenario| {
            let all = town.said_with("no room left").into_iter();
            all.filter(|note| note.thread_ts.as_deref() == Some(&card.ts)).count()
        };
        town.in_time(&format!("{what}: a look, and the note"), |town| {
            (town.has_struck() && notes(town) > 0).then_some(())
        })
        .await;
        town.passes(120);
        town.in_time(&format!("{what}: nothing owed"), |town| {
            (notes(town) == 1).then_some(())
        })
        .await;
        town.mends();
    }
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_whose_token_it_is_fails_in_every_way() {
    row(&["auth.test"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_direct_message_fails_in_every_way() {
    let town = Scenario::start().await;
    for (number, kind) in kinds().iter().enumerate() {
        let what = format!("{} {}", kind.name, kind.body["error"]);
        town.breaks("slack.conversations.open", kind).await;
        let locked = town.says("U0BRUNO", "/deploy lock staging my turn").await;
        assert!(locked.text.contains("locked staging"), "{what}: {}", locked.text);
        let taken = town
            .says("U0ANN", &format!("/deploy lock staging --steal reason {number}."))
            .await;
        assert!(taken.text.contains("taking it from"), "{what}: {}", taken.text);
        let told = |town: &Scenario| {
            let slack = town.rig.sandbox().world().slack();
            let words = format!("reason {number}.");
            let all = slack
                .messages("D0BRUNO")
                .filter(|message| text_of(message).contains(&words));
            all.count()
        };
        town.in_time(&format!("{what}: word to Bruno"), |town| (told(town) > 0).then_some(()))
            .await;
        town.passes(60);
        assert_eq!(told(&town), 1, "{what}: told once");
        assert!(town.has_struck(), "{what}: the fault never struck");
        town.mends();
        let free = town.says("U0ANN", "/deploy unlock staging").await;
        assert!(free.text.contains("unlocked"), "{what}: {}", free.text);
    }
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_does_not_open_is_told_and_opens_the_next_time() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    for kind in kinds() {
        let what = format!("{} {}", kind.name, kind.body["error"]);
        let (asked, before) = (town.asked("slack.views.open"), whispers(&town, "U0ANN"));
        town.breaks("slack.views.open", &kind).await;
        town.clicks("U0ANN", &card.ts, "reject").await;
        if kind.name == "slow" {
            town.form("U0ANN").await;
        } else {
            town.in_time(&format!("{what}: word to Ann"), |town| {
                (whispers(town, "U0ANN") > before).then_some(())
            })
            .await;
            let words = if kind.name == "lose_answer" || kind.name == "drop" {
                "did not say whether the form opened"
            } else {
                "The form could not be opened"
            };
            town.whispered("U0ANN", words).await;
        }
        assert!(town.has_struck(), "{what}: the fault never struck");
        assert!(town.asked("slack.views.open") - asked < MANY, "{what}");
        town.mends();
        town.passes(5);
    }
    town.clicks("U0ANN", &card.ts, "reject").await;
    let sent = town.submits("U0ANN", "at last").await;
    assert_eq!(sent["status"], 200, "{sent}");
    town.card_in_time(&[&short, "rejected by Ann", "at last"]).await;
    town.ends().await;
}

/// How much only this person was told.
fn whispers(town: &Scenario, user: &str) -> usize {
    let slack = town.rig.sandbox().world().slack();
    slack.ephemerals_for(user, DEPLOYS).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_second_card_fails_in_every_way() {
    let lost = |name| kind_of(name, 1);
    for kind in kinds() {
        let town = Scenario::start().await;
        town.opening().await;
        let what = format!("{} {}", kind.name, kind.body["error"]);
        // The first post is done and its answer lost; while the bot looks for it, another worker posts the same card.
        town.breaks("slack.chat.postMessage", &lost("lose_answer")).await;
        town.breaks("slack.conversations.history", &lost("hold_before")).await;
        town.breaks("slack.chat.delete", &kind).await;
        let pushed = town.pushes("web-staging", "carla", "feat: twice").await;
        let first = town.card_in_time(&[pushed.short(), "staging"]).await;
        town.rig.sandbox().world().faults.wait_held().await;
        let twin = json!({ "channel": DEPLOYS, "text": format!("{} staging, a twin", pushed.short()), "metadata": first.metadata });
        let sent = reqwest::Client::new()
            .post(format!("{}/slack/api/chat.postMessage", town.rig.sandbox().url()))
            .bearer_auth("xoxb-sandbox")
            .json(&twin)
            .send()
            .await;
        let answer: serde_json::Value = sent.expect("the sandbox answers").json().await.expect("JSON");
        assert_eq!(answer["ok"], true, "{what}: {answer}");
        town.rig.sandbox().world().faults.release();
        town.in_time(&format!("{what}: one card"), |town| {
            let twins = town.cards_with(&[pushed.short()]);
            (twins.len() == 1 && town.has_struck()).then_some(())
        })
        .await;
        let left = town.cards_with(&[pushed.short()]);
        assert_eq!(left[0].ts, first.ts, "{what}: the older one stays");
        town.mends();
        town.ends().await;
    }
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
    // What happened meanwhile is drawn when the channel is back.
    town.passes(16 * 60);
    let end = town
        .card_in_time(&[&short, "released", "outside of Signalbox by mallory"])
        .await;
    assert_eq!(end.ts, card.ts);
    assert_eq!(town.cards().len(), 1, "{}", card.ts);
    town.ends().await;
}

/// Another replica is told to slow down; this one is not even asked.
#[tokio::test(flavor = "multi_thread")]
async fn what_slack_asks_of_one_replica_holds_for_all() {
    let town = Scenario::start().await;
    town.opening().await;
    let engine = town.rig.engine().await.expect("a bot");
    let other = Limiter::shared(Arc::clone(&engine.store));
    let told = engine.clock.now();
    let minute = Span::minutes(1);
    other.limited("chat.postMessage", Some(minute), told).await;
    let pushed = town.pushes("web-staging", "carla", "feat: patience").await;
    let card = town.card_in_time(&[pushed.short(), "staging"]).await;
    let seconds: i64 = card.ts.split('.').next().and_then(|ts| ts.parse().ok()).expect("a ts");
    assert!(seconds >= (told + minute).seconds(), "{} after {told:?}", card.ts);
    assert_eq!(town.cards_with(&[pushed.short()]).len(), 1);
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
