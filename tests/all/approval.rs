//! From a waiting execution to a finished card.

use tests::scenario::{Scenario, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn two_people_approve_a_tag_and_it_goes_out() {
    let town = Scenario::start().await;
    town.passes(5);
    let card = town.card(&["mainnet", "v1.4.2", "waits for 2", "2 alarms quiet"]).await;
    town.passes(20);
    let first = town.says("U0ANN", "/deploy approve mainnet").await;
    assert!(first.text.contains("1 of 2"), "{}", first.text);
    town.card(&["waits for 1 of 2"]).await;
    town.clicks("U0BRUNO", &card.ts, "approve").await;
    town.card(&["CodePipeline confirmed"]).await;
    assert_eq!(town.answers().len(), 1);
    assert!(
        town.answers()[0].caller.contains("slack-U0BRUNO"),
        "{:?}",
        town.answers()
    );
    town.passes(60);
    let end = town.card(&["released"]).await;
    assert_eq!(end.ts, card.ts, "one card, from beginning to end");
    assert_eq!(town.cards().len(), 1);
    assert!(
        text_of(&end).lines().count() < 12,
        "a finished card is short:\n{}",
        text_of(&end)
    );
    let status = town.says("U0RITA", "/deploy status mainnet").await;
    assert!(status.text.contains("v1.4.2"), "{}", status.text);
    town.ends().await;
}
