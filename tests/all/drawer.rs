//! Every button of the drawer "Break something": what it sets is read from the page itself, and each has a story in which the bot notices it.
#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use sandbox::slack::Message;
use serde_json::Value;
use tests::scenario::{Scenario, text_of};

const PAGE: &str = include_str!("../../sandbox/page/js/breaks.js");
/// More calls of one method than this is a loop that does not wait.
const MANY: usize = 25;

/// The buttons with stories below.
const TOLD: [&str; 11] = [
    "lose-approval",
    "lose-post",
    "hold-approval",
    "drop-approval",
    "throttle-slack",
    "throttle-aws",
    "slow-slack",
    "slow-aws",
    "fail-slack",
    "fail-aws",
    "fail-github",
];

/// The page's buttons, with the fault that each sets.
fn buttons() -> Vec<(String, Value)> {
    let rows = PAGE.lines().filter_map(|line| line.trim().strip_prefix("{ id: \""));
    rows.map(|row| {
        let (id, rest) = row.split_once('"').expect("an id");
        let (_, fault) = rest.split_once("fault: ").expect("a fault");
        let mut json = fault.strip_suffix(" },").expect("a row").to_owned();
        for key in ["target", "kind", "times", "retry_after", "ms"] {
            json = json.replace(&format!("{key}: "), &format!("\"{key}\": "));
        }
        (id.to_owned(), serde_json::from_str(&json).expect("an object"))
    })
    .collect()
}

#[test]
fn every_button_has_a_story() {
    let ids: Vec<String> = buttons().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, TOLD);
}

/// Presses a button of the drawer.
async fn breaks(town: &Scenario, id: &str) {
    let (_, fault) = buttons().into_iter().find(|(name, _)| name == id).expect("a button");
    town.control("faults", fault).await;
}

/// One vote is missing when something breaks: the card, and its commit.
async fn almost(id: &str) -> (Scenario, Message, String) {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    // Slack has said who Bruno is, which is believed for a while.
    town.says("U0BRUNO", "/deploy why mainnet").await;
    breaks(&town, id).await;
    (town, card, short)
}

/// The run goes to its end on its one card, and CodePipeline was answered once.
async fn ends_well(town: Scenario, card: &Message, short: &str) {
    let end = town.card_in_time(&[short, "released"]).await;
    assert_eq!(end.ts, card.ts, "one card from beginning to end");
    assert_eq!(town.cards_with(&[short]).len(), 1);
    assert_eq!(town.answers().len(), 1);
    assert!(town.has_struck());
    town.ends().await;
}

/// Puts right what would go on for ever, and has been noticed.
fn mends(town: &Scenario) {
    assert!(town.has_struck());
    town.mends();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_the_approval_is_lost_and_found_by_looking() {
    let (town, card, short) = almost("lose-approval").await;
    let looks = town.asked("aws.ListActionExecutions");
    town.clicks("U0BRUNO", &card.ts, "approve").await;
    town.card_in_time(&[&short, "CodePipeline confirmed"]).await;
    assert_eq!(town.asked("aws.PutApprovalResult"), 1, "it is not sent again");
    assert!(town.asked("aws.ListActionExecutions") > looks);
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_post_is_lost_and_the_card_is_found_by_its_marker() {
    let (town, ..) = almost("lose-post").await;
    let looks = town.asked("slack.conversations.history");
    let pushed = town.pushes("web-staging", "carla", "feat: one card").await;
    town.card_in_time(&[pushed.short(), "staging", "no migrations"]).await;
    assert_eq!(town.cards_with(&[pushed.short()]).len(), 1);
    assert!(town.has_struck() && town.asked("slack.conversations.history") > looks);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_approval_is_held_nobody_is_told_that_it_is_confirmed() {
    let (town, card, short) = almost("hold-approval").await;
    town.clicks("U0BRUNO", &card.ts, "approve").await;
    town.rig.sandbox().world().faults.wait_held().await;
    let telling = town.card_in_time(&[&short, "telling CodePipeline…"]).await;
    assert!(!text_of(&telling).contains("confirmed"), "{}", text_of(&telling));
    town.rig.sandbox().world().faults.release();
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_never_arrived_is_sent_again() {
    let (town, card, short) = almost("drop-approval").await;
    town.clicks("U0BRUNO", &card.ts, "approve").await;
    town.card_in_time(&[&short, "CodePipeline confirmed"]).await;
    assert_eq!(town.asked("aws.PutApprovalResult"), 2);
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_slack_says_429_the_card_comes_late_and_right() {
    let (town, card, short) = almost("throttle-slack").await;
    let before = town.asked("slack.chat.update");
    town.clicks("U0BRUNO", &card.ts, "approve").await;
    town.card_in_time(&[&short, "released"]).await;
    let edits = town.asked("slack.chat.update") - before;
    assert!(edits < MANY, "{edits} edits");
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_aws_throttles_the_answer_comes_late_and_once() {
    let (town, card, short) = almost("throttle-aws").await;
    town.clicks("U0BRUNO", &card.ts, "approve").await;
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_slack_is_slow_nobody_waits_in_vain_for_a_form() {
    let (town, card, _) = almost("slow-slack").await;
    town.clicks("U0BRUNO", &card.ts, "reject").await;
    town.whispered("U0BRUNO", "did not say whether the form opened").await;
    let unknown = town.says("U0RITA", "/deploy status").await;
    assert!(
        unknown
            .text
            .contains("Slack cannot say who you are just now, so nothing was done"),
        "{}",
        unknown.text
    );
    mends(&town);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_aws_is_slow_the_card_says_that_it_is_being_told() {
    let (town, card, short) = almost("slow-aws").await;
    let said = town.says("U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(said.text.contains("telling CodePipeline now"), "{}", said.text);
    town.card_in_time(&[&short, "telling CodePipeline…"]).await;
    town.card_in_time(&[&short, "CodePipeline confirmed"]).await;
    mends(&town);
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_slack_is_down_decisions_are_carried_out_and_shown_later() {
    let (town, card, short) = almost("fail-slack").await;
    let said = town.says("U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(said.text.contains("Recorded"), "{}", said.text);
    town.in_time("the answer", |town| (town.answers().len() == 1).then_some(()))
        .await;
    assert_eq!(town.cards_with(&[&short, "waits for 1 of 2"]).len(), 1, "as it was");
    mends(&town);
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_aws_is_down_nothing_is_confirmed_and_the_channel_is_told() {
    let (town, card, short) = almost("fail-aws").await;
    let said = town.says("U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(said.text.contains("Recorded"), "{}", said.text);
    let told = town.hears_in_time("the pipeline wallet-service cannot be read").await;
    assert!(text_of(&told).contains("AWS console"), "{}", text_of(&told));
    let telling = town.card_in_time(&[&short, "telling CodePipeline…"]).await;
    assert!(!text_of(&telling).contains("confirmed"), "{}", text_of(&telling));
    assert!(town.answers().is_empty());
    mends(&town);
    ends_well(town, &card, &short).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_github_is_down_what_would_go_out_is_unknown_and_looked_up_again_when_asked() {
    let (town, ..) = almost("fail-github").await;
    let pushed = town.pushes("web-staging", "carla", "feat: hidden").await;
    let card = town
        .card_in_time(&[
            pushed.short(),
            "cannot tell what this adds, because GitHub answered HTTP 500",
        ])
        .await;
    let shown = text_of(&card);
    assert!(
        !shown.contains("adds nothing") && !shown.contains("✅ *migrations-touched*"),
        "{shown}"
    );
    mends(&town);
    let said = town.says("U0RITA", "/deploy check staging").await;
    assert!(said.text.contains("Looking at"), "{}", said.text);
    let card = town
        .card_in_time(&[pushed.short(), "this adds *1 commit*", "no migrations"])
        .await;
    assert!(!text_of(&card).contains("cannot tell"), "{}", text_of(&card));
    town.ends().await;
}

/// GitHub says when it may be asked again, and that is far off: nobody is left with "being looked up".
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_githubs_that_lasts_is_said() {
    let town = Scenario::start().await;
    town.opening().await;
    let hour = serde_json::json!({ "target": "github.*", "kind": "throttle", "retry_after": 3600 });
    town.control("faults", hour).await;
    let pushed = town.pushes("web-staging", "carla", "feat: one too many").await;
    let since = town.rig.sandbox().world().clock.now_ms();
    let words = "cannot tell what this adds, because GitHub's rate limit is used up";
    town.card_in_time(&[pushed.short(), words]).await;
    let waited = town.rig.sandbox().world().clock.now_ms() - since;
    assert!(waited < 600_000, "it is said before the hour is over: {waited} ms");
    town.ends().await;
}
