//! Who may speak, and what is Slack's: strangers, guests, forged and repeated deliveries.
#![expect(clippy::unwrap_used, reason = "a scenario fails by panicking")]

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use tests::fault::kind;
use tests::scenario::{DEPLOYS, Scenario};

/// Posts a command to the bot itself, signed with a secret as of some seconds from now.
async fn delivers(town: &Scenario, secret: &str, seconds: i64, text: &str) -> u16 {
    let stamp = town.rig.sandbox().world().clock.now_ms() / 1000 + seconds;
    let body =
        format!("command=/deploy&text={text}&user_id=U0ANN&team_id=T0ACME&channel_id={DEPLOYS}&trigger_id=1.2.3");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{stamp}:{body}").as_bytes());
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    let request = reqwest::Client::new()
        .post(format!("{}/slack/commands", town.rig.bot_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", stamp.to_string())
        .header("x-slack-signature", signature)
        .body(body);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_slack_signed_lately_is_heard() {
    let town = Scenario::start().await;
    let right = "sandbox-signing-secret";
    assert_eq!(
        delivers(&town, right, 0, "status").await,
        200,
        "the control: a good one is heard"
    );
    assert_eq!(delivers(&town, "another", 0, "status").await, 401);
    assert_eq!(delivers(&town, right, -301, "status").await, 401);
    assert_eq!(delivers(&town, right, 320, "status").await, 401);
    let long = "x".repeat(300 << 10);
    assert_eq!(delivers(&town, right, 0, &long).await, 413);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_click_a_hundred_times_is_one_vote() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    let click = town.clicks("U0ANN", &card.ts, "approve").await;
    town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    let again = json!({ "seq": click["seq"], "times": 100, "together": true });
    town.control("slack/deliver", again).await;
    town.clicks("U0BRUNO", &card.ts, "approve").await;
    town.card_in_time(&[&short, "released"]).await;
    assert_eq!(town.answers().len(), 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_belong_here_decides_nothing() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    town.clicks("U0GUS", &card.ts, "approve").await;
    town.clicks("U0RITA", &card.ts, "approve").await;
    town.clicks("U0DANA", &card.ts, "approve").await;
    for (user, why) in [
        ("U0GUS", "Guests may not"),
        ("U0RITA", "may not approve mainnet"),
        ("U0DANA", "wrote"),
    ] {
        town.whispered(user, why).await;
    }
    let elsewhere = town
        .says_in("C0GENERAL", "U0ANN", &format!("/deploy approve wallet mainnet {short}"))
        .await;
    assert!(
        elsewhere.text.contains(DEPLOYS),
        "it names the home channel: {}",
        elsewhere.text
    );
    town.control("slack/person", json!({ "user": "U0BRUNO", "is_restricted": true }))
        .await;
    town.passes(16 * 60);
    let guest = town.says("U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(!guest.text.contains("1 of 2"), "{}", guest.text);
    assert_eq!(
        town.cards_with(&[&short, "waits for 2 of 2"]).len(),
        1,
        "{}",
        town.transcript()
    );
    assert!(town.answers().is_empty());
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_cannot_be_read_denies_after_a_while_and_recovers() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    town.says("U0ANN", "/deploy why mainnet").await;
    town.breaks("slack.usergroups.users.list", &kind("fail", 10_000, &json!({})))
        .await;
    town.passes(16 * 60);
    let denied = town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(!denied.text.contains("1 of 2"), "{}", denied.text);
    assert_eq!(town.cards_with(&[&short, "waits for 2 of 2"]).len(), 1, "{}", card.ts);
    town.mends();
    town.passes(5);
    town.says("U0BRUNO", "/deploy check mainnet").await;
    let mut said = String::new();
    // Evidence has aged meanwhile, and is gathered again.
    for _ in 0..10 {
        said = town
            .says("U0ANN", &format!("/deploy approve mainnet {short}"))
            .await
            .text;
        if !said.contains("Checks are in the way") {
            break;
        }
        town.card_in_time(&[&short, "waits for 2 of 2"]).await;
        town.passes(4);
    }
    assert!(said.contains("1 of 2"), "{said}");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_group_loses_its_rights_at_once() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    town.says("U0ANN", "/deploy why mainnet").await;
    let left = json!({ "group": "S0WALLET", "users": ["U0BRUNO"] });
    town.control("slack/group", left).await;
    // The event is heard before the next words of the same person are.
    town.in_time("the event", |town| (town.asked("slack.event") > 0).then_some(()))
        .await;
    let refused = town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(!refused.text.contains("1 of 2"), "{}", refused.text);
    town.ends().await;
}
