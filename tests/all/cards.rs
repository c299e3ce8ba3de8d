//! Cards of monsters: what Slack would refuse is cut, what is foreign stays text.

use serde_json::json;
use tests::scenario::{Scenario, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_hostile_commits_make_a_card_that_slack_takes() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    let commits: Vec<_> = (0..300)
        .map(|number| {
            let message = format!(
                "<!channel> <@U0RITA> *{number}* \u{202e}evil\u{202c} <https://evil.example|github.com> & {}",
                "𝕏 ".repeat(300)
            );
            json!({ "message": message, "author": "carla", "files": [format!("db/migrations/{number}-{}.sql", "x".repeat(300))] })
        })
        .collect();
    let pushed = town
        .pushes_as(json!({ "pipeline": "wallet-service", "commits": commits }))
        .await;
    let card = town
        .card_in_time(&[&pushed.execution, "waits for", "300 commits", "alarm quiet"])
        .await;
    let text = text_of(&card);
    for foreign in ["<!channel>", "<@U0RITA>", "\u{202e}", "<https://evil.example"] {
        assert!(!text.contains(foreign), "{foreign:?} became markup: {text}");
    }
    assert!(text.contains("300 commits"), "{text}");
    let answers = town.rig.sandbox().world().log.since(0);
    let refused: Vec<_> = answers
        .iter()
        .filter(|entry| entry.call.starts_with("slack.chat.") && entry.note.contains("invalid"))
        .map(|entry| entry.note.clone())
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    town.clicks("U0ANN", &card.ts, "reject").await;
    let sent = town.submits("U0ANN", &"<!here> ".repeat(37)).await;
    assert_eq!(sent["status"], 200, "{sent}");
    let end = town.card_in_time(&[&pushed.execution, "rejected by Ann"]).await;
    assert!(!text_of(&end).contains("<!here>"), "{}", text_of(&end));
    town.ends().await;
}
