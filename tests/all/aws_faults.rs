//! The bad days of AWS and GitHub: every operation that the bot uses, in every way in which it fails. One answer at most, nothing unknown shown as
//! good, and when the trouble is over the release goes to its end.
#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use serde_json::json;
use tests::fault::{Kind, kind};
use tests::scenario::{Scenario, text_of};

/// More calls of one operation than this for one release is a loop that does not wait.
const MANY: usize = 120;
/// So often somebody presses again before the trouble has to be over.
const PATIENCE: usize = 8;

fn kinds() -> Vec<Kind> {
    let nothing = json!({});
    vec![
        kind("slow", 2, &json!({ "ms": 20 })),
        kind("throttle", 2, &json!({ "retry_after": 2 })),
        kind("fail", 2, &nothing),
        kind("refuse", 1, &json!({ "error": "AccessDeniedException" })),
        kind("refuse", 1, &json!({ "error": "ExpiredTokenException" })),
        kind("lose_answer", 1, &nothing),
        kind("drop", 2, &nothing),
    ]
}

/// One cell: a release to testnet from its push to its end, while a call fails in one way.
async fn cell(town: &Scenario, call: &str, kind: &Kind) {
    let what = format!("{call} × {} {}", kind.name, kind.body["error"]);
    let asked = town.asked(call);
    town.control("aws/expire_sessions", json!({})).await;
    // Behind what was remembered of people, sessions and definitions.
    town.passes(200);
    town.breaks(call, kind).await;
    let pushed = town.pushes("wallet-service", "carla", "feat: one more").await;
    let execution = pushed.execution.as_str();
    let card = town
        .card_in_time(&[execution, "waits for", "*alarms-quiet*", "*migrations-touched*"])
        .await;
    town.presses("U0ANN", &card.ts, "approve").await;
    for _ in 0..PATIENCE {
        let now = town
            .in_time(&what, |town| {
                let card = town.cards_with(&[execution]).pop()?;
                let text = text_of(&card);
                let words = ["released", "Tell CodePipeline again", "waits for"];
                words.into_iter().find(|word| text.contains(word))
            })
            .await;
        match now {
            "released" => break,
            "waits for" => town.presses("U0ANN", &card.ts, "approve").await,
            _ => drop(town.says("U0BRUNO", "/deploy retry testnet").await),
        }
        town.passes(2);
    }
    let end = town.card_in_time(&[execution, "released"]).await;
    assert_eq!(end.ts, card.ts, "{what}: one card from beginning to end");
    let mut ours = town.answers();
    ours.retain(|answer| answer.execution == execution);
    assert_eq!(ours.len(), 1, "{what}: one answer");
    assert_eq!(ours[0].status, "Approved", "{what}");
    let calls = town.asked(call) - asked;
    assert!((1..=MANY).contains(&calls), "{what}: {calls} calls");
    assert!(town.has_struck(), "{what}: the fault never struck");
    town.mends();
}

async fn rows(calls: &[&str]) {
    rows_of(calls, &kinds()).await;
}

async fn rows_of(calls: &[&str], kinds: &[Kind]) {
    let mut cells = 0;
    for call in calls {
        let town = Scenario::start().await;
        town.clears_the_gate().await;
        for kind in kinds {
            cell(&town, call, kind).await;
            cells += 1;
        }
        town.ends().await;
    }
    #[expect(clippy::print_stdout, reason = "the size of the grid is part of what is proven")]
    {
        println!("aws faults: {cells} cells of {calls:?}");
    }
    assert_eq!(cells, calls.len() * kinds.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_the_pipeline_fails_in_every_way() {
    rows(&["aws.GetPipelineState", "aws.GetPipelineExecution"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_its_history_fails_in_every_way() {
    rows(&["aws.ListActionExecutions"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answering_fails_in_every_way() {
    rows(&["aws.PutApprovalResult"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_evidence_fail_in_every_way() {
    rows(&["aws.AssumeRole", "aws.DescribeAlarms"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_and_commits_fail_in_every_way() {
    rows(&["github.compare"]).await;
    // A refusal is no passing trouble: nobody can tell what it is, so the strictest rules hold (see below).
    let mut passing = kinds();
    passing.retain(|kind| kind.name != "refuse");
    rows_of(&["aws.HeadObject"], &passing).await;
    // Every pipeline's definition has become too old at once: the fault has to last for this one.
    for kind in &mut passing {
        kind.body["times"] = json!(6);
    }
    rows_of(&["aws.GetPipeline"], &passing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listing_the_runs_of_a_parallel_pipeline_fails_in_every_way() {
    let town = Scenario::start().await;
    for kind in kinds() {
        let what = format!("{} {}", kind.name, kind.body["error"]);
        let answers = town.answers().len();
        town.breaks("aws.ListPipelineExecutions", &kind).await;
        let pushed = town.pushes("web-app", "carla", "feat: beside others").await;
        let headline = format!("prod: {}", pushed.short());
        let card = town.card_in_time(&[&headline, "waits for", "2 alarms quiet"]).await;
        town.passes(20);
        town.decides("U0ANN", &card).await;
        let end = town.card_in_time(&[&headline, "released"]).await;
        assert_eq!(end.ts, card.ts, "{what}: one card from beginning to end");
        assert_eq!(town.answers().len(), answers + 1, "{what}: one answer");
        assert!(town.has_struck(), "{what}: the fault never struck");
        town.mends();
    }
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_may_not_be_read_is_under_the_strictest_rules() {
    may_not_read("aws.HeadObject").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_whose_definition_may_not_be_read_is_under_the_strictest_rules() {
    may_not_read("aws.GetPipeline").await;
}

async fn may_not_read(call: &str) {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    town.passes(200);
    let denied = kind("refuse", 1_000, &json!({ "error": "AccessDeniedException" }));
    town.breaks(call, &denied).await;
    let pushed = town.pushes("wallet-service", "carla", "feat: whose").await;
    let card = town
        .card_in_time(&[&pushed.execution, "Cannot tell which commit this is", "production"])
        .await;
    town.presses("U0ANN", &card.ts, "approve").await;
    town.whispered("U0ANN", "mainnet comes after testnet").await;
    let card = town.cards_with(&[&pushed.execution]).pop().expect("its card");
    assert!(text_of(&card).contains("Approved 0 of 2"), "{}", text_of(&card));
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_whose_answer_is_lost_stops_once() {
    for kind in kinds() {
        let what = format!("{} {}", kind.name, kind.body["error"]);
        let town = Scenario::start().await;
        town.clears_the_gate().await;
        let (pushed, card) = town.asks_for_testnet("feat: not for long").await;
        let held = json!({ "pipeline": "wallet-service", "stage": "Deploy", "held": true });
        town.control("aws/hold", held).await;
        town.presses("U0ANN", &card.ts, "approve").await;
        town.card_in_time(&[pushed.short(), "CodePipeline confirmed"]).await;
        town.breaks("aws.StopPipelineExecution", &kind).await;
        let said = town.says("U0BRUNO", "/deploy stop testnet wrong tag").await;
        assert!(said.text.contains("stops"), "{what}: {}", said.text);
        let refused = ["stopped", "AccessDenied", "ExpiredToken"];
        let end = town
            .in_time("an end, or trouble", |town| {
                let text = text_of(&town.cards_with(&[pushed.short()]).pop()?);
                let word = refused.into_iter().find(|word| text.contains(word));
                assert!(word.is_none() || town.has_struck(), "{what}: {text}");
                word
            })
            .await;
        if end != "stopped" {
            let again = town.says("U0BRUNO", "/deploy stop testnet once more").await;
            assert!(again.text.contains("stops"), "{what}: {}", again.text);
        }
        town.card_in_time(&[pushed.short(), "stopped"]).await;
        assert!(town.has_struck(), "{what}: the fault never struck");
        assert_eq!(town.done("aws.StopPipelineExecution"), 1, "{what}");
        town.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_fail_in_every_way() {
    rows(&["aws.ReceiveMessage", "aws.DeleteMessage"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_that_cannot_be_read_are_never_green_and_block_production() {
    let town = Scenario::start().await;
    town.breaks("aws.DescribeAlarms", &kind("fail", 1_000, &json!({})))
        .await;
    town.passes(5);
    let card = town.card_in_time(&["mainnet", "*alarms-quiet*: unknown"]).await;
    assert!(!text_of(&card).contains("✅ *alarms-quiet*"), "{}", text_of(&card));
    town.passes(20);
    let refused = town.says("U0ANN", "/deploy approve mainnet").await;
    assert!(refused.text.contains("alarms-quiet"), "{}", refused.text);
    assert!(town.cards_with(&["Approved 1"]).is_empty(), "nothing was counted");
    town.mends();
    town.says("U0ANN", "/deploy check mainnet").await;
    // Both: the look at the migrations may have become too old by now, as is shown on the card.
    town.card_in_time(&["mainnet", "2 alarms quiet", "1 migration."]).await;
    let counted = town.says("U0ANN", "/deploy approve mainnet").await;
    assert!(counted.text.contains("1 of 2"), "{}", counted.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_whose_answer_is_lost_is_not_sent_twice() {
    for kind in kinds() {
        let town = Scenario::start().await;
        town.clears_the_gate().await;
        let (pushed, card) = town.asks_for_testnet("feat: breaks").await;
        town.control("aws/fail", json!({ "pipeline": "wallet-service", "stage": "Deploy" }))
            .await;
        town.decides("U0ANN", &card).await;
        town.card_in_time(&[pushed.short(), "failed in Deploy"]).await;
        town.breaks("aws.RetryStageExecution", &kind).await;
        let said = town.says("U0BRUNO", "/deploy retry testnet").await;
        assert!(said.text.contains("retries stage Deploy"), "{}", said.text);
        let refused = ["released", "AccessDenied", "ExpiredToken"];
        let end = town
            .in_time("an end, or trouble", |town| {
                let text = text_of(&town.cards_with(&[pushed.short()]).pop()?);
                refused.into_iter().find(|word| text.contains(word))
            })
            .await;
        if end != "released" {
            let again = town.says("U0BRUNO", "/deploy retry testnet").await;
            assert!(again.text.contains("retries stage Deploy"), "{}", again.text);
        }
        let what = format!("{} {}", kind.name, kind.body["error"]);
        town.card_in_time(&[pushed.short(), "released"]).await;
        assert_eq!(town.done("aws.RetryStageExecution"), 1, "{what}");
        town.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_that_cannot_be_read_is_told_once_and_so_is_the_end_of_it() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    let denied = kind("refuse", 1_000, &json!({ "error": "AccessDeniedException" }));
    town.breaks("aws.GetPipelineState", &denied).await;
    let told = text_of(
        &town
            .hears_in_time("wallet: the pipeline wallet-service cannot be read")
            .await,
    );
    for words in ["AccessDenied", "testnet and mainnet", "AWS console", "signalbox doctor"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    town.passes(10 * 60);
    town.in_time("more reads", |town| {
        (town.asked("aws.GetPipelineState") > 40).then_some(())
    })
    .await;
    assert_eq!(
        town.said_with("the pipeline wallet-service cannot be read").len(),
        1,
        "told once"
    );
    town.mends();
    town.hears_in_time("The pipeline wallet-service is read again").await;
    town.passes(60);
    let said = town
        .says("U0ANN", &format!("/deploy reject mainnet {short} enough"))
        .await;
    assert!(said.text.contains("Rejection recorded"), "{}", said.text);
    town.card_in_time(&[&short, "rejected by Ann"]).await;
    // Once for each pipeline, and each is read in its own time.
    let again = |town: &Scenario| town.said_with("is read again after").len();
    town.in_time("three pipelines are read again", |town| {
        (again(town) >= 3).then_some(())
    })
    .await;
    town.passes(60);
    assert_eq!(again(&town), 3, "once for each pipeline");
    town.ends().await;
}
