//! Many at once: one decision, one effect, and everybody is told the truth.

use futures::future::join_all;
use serde_json::json;
use tests::scenario::{DEPLOYS, Scenario, text_of};

/// What this person was told in private, newest last.
fn whispers(town: &Scenario, user: &str) -> Vec<String> {
    let slack = town.rig.sandbox().world().slack();
    slack.ephemerals_for(user, DEPLOYS).map(text_of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_clicks_at_once_are_one_decision_and_each_is_told_the_truth() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    let (pushed, card) = town.asks_for_testnet("feat: wanted by all").await;
    let answers_before = town.answers().len();
    let before = ["U0ANN", "U0BRUNO"].map(|user| whispers(&town, user).len());
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
                .flat_map(|(user, before)| whispers(town, user).into_iter().skip(before))
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
