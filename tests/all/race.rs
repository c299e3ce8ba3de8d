//! Many at once: one decision, one effect, and everybody is told the truth.

use futures::future::join_all;
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
    let clicks =
        (0..16).map(|click| town.clicks(if click % 2 == 0 { "U0ANN" } else { "U0BRUNO" }, &card.ts, "approve"));
    for click in join_all(clicks).await {
        assert_eq!(click["status"], 200, "{click}");
    }
    let told = town
        .until("sixteen private answers", |town| {
            let all: Vec<String> = ["U0ANN", "U0BRUNO"]
                .iter()
                .zip(before)
                .flat_map(|(user, before)| whispers(town, user).into_iter().skip(before))
                .collect();
            (all.len() == 16).then_some(all)
        })
        .await;
    let recorded = told.iter().filter(|text| text.contains("Recorded")).count();
    let lost = told
        .iter()
        .filter(|text| text.contains("nothing was sent twice") || text.contains("Nothing was sent twice"))
        .count();
    assert_eq!((recorded, lost), (1, 15), "{told:#?}");
    town.card_in_time(&[pushed.short(), "released"]).await;
    assert_eq!(town.answers().len() - answers_before, 1);
    town.ends().await;
}
