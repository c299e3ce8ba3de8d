//! Every way in which a run ends, as #deploys sees it.

use serde_json::json;
use tests::fault::kind;
use tests::scenario::{Scenario, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stage_is_told_to_its_authors_and_retried_from_the_chat() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    let (pushed, waiting) = town.asks_for_testnet("fix: a fee too many").await;
    let broken = json!({ "pipeline": "wallet-service", "stage": "Deploy", "message": "Lambda 429: try later" });
    town.control("aws/fail", broken).await;
    town.decides("U0ANN", &waiting).await;
    let failed = town
        .card_in_time(&[pushed.short(), "failed in Deploy", "approved by Ann"])
        .await;
    let note = town.hears_in_time("Deploy failed in stage Deploy").await;
    let said = text_of(&note);
    assert_eq!(note.thread_ts.as_deref(), Some(failed.ts.as_str()), "{said}");
    assert!(
        said.contains("Lambda 429: try later") && said.contains("Open the log"),
        "{said}"
    );
    assert!(said.contains("<@U0CARLA>"), "who wrote it is called: {said}");
    for bystander in ["U0ANN", "U0BRUNO", "U0RITA", "<!channel>", "<!here>"] {
        assert!(!said.contains(bystander), "{bystander} is not called: {said}");
    }
    let stranger = town.says("U0RITA", "/deploy retry testnet").await;
    assert!(!stranger.text.contains("retries stage"), "{}", stranger.text);
    let retried = town.says("U0BRUNO", "/deploy retry testnet").await;
    assert!(retried.text.contains("retries stage Deploy"), "{}", retried.text);
    let end = town.card_in_time(&[pushed.short(), "released", "retried once"]).await;
    assert_eq!(end.ts, waiting.ts, "the same card to the end");
    assert_eq!(town.done("aws.RetryStageExecution"), 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_stopped_from_the_chat() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    town.control(
        "aws/hold",
        json!({ "pipeline": "wallet-service", "stage": "Deploy", "held": true }),
    )
    .await;
    let (pushed, waiting) = town.asks_for_testnet("feat: faster").await;
    town.decides("U0ANN", &waiting).await;
    town.card_in_time(&[pushed.short(), "CodePipeline confirmed"]).await;
    let stopped = town.says("U0BRUNO", "/deploy stop testnet wrong tag").await;
    assert!(stopped.text.contains("stops"), "{}", stopped.text);
    town.card_in_time(&[pushed.short(), "stopped"]).await;
    assert_eq!(town.done("aws.StopPipelineExecution"), 1);
    let again = town.says("U0BRUNO", "/deploy stop testnet").await;
    assert!(again.text.contains("Nothing was done"), "{}", again.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_for_a_week() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    town.says("U0ANN", "/deploy approve mainnet").await;
    town.passes(8 * 24 * 3600);
    let end = town.card_in_time(&[&short, "expired"]).await;
    assert_eq!(end.ts, card.ts);
    assert!(
        town.said_with("failed in stage Approve").is_empty(),
        "nobody is called to look into silence"
    );
    let late = town.says("U0BRUNO", "/deploy approve mainnet").await;
    assert!(late.text.contains("Nothing was done"), "{}", late.text);
    assert!(town.answers().is_empty(), "one vote of two is no answer");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_in_the_console_during_a_freeze_is_out_of_turn() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    let frozen = town
        .says("U0BRUNO", "/deploy freeze mainnet an emergency release")
        .await;
    assert_eq!(frozen.body["response_type"], "in_channel", "{}", frozen.text);
    let by_hand = json!({ "pipeline": "wallet-service", "status": "Approved", "user": "mallory" });
    town.control("aws/decide", by_hand).await;
    town.card_in_time(&[&short, "OUT OF TURN"]).await;
    let note = town.hears_in_time("outside of Signalbox by mallory").await;
    assert_eq!(note.thread_ts.as_deref(), Some(card.ts.as_str()));
    assert!(text_of(&note).contains("a freeze"), "{}", text_of(&note));
    town.card_in_time(&[&short, "released"]).await;
    assert_eq!(town.done("aws.PutApprovalResult"), 0);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_in_the_console_is_shown_as_such() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    let by_hand = json!({ "pipeline": "wallet-service", "status": "Rejected", "user": "mallory" });
    town.control("aws/decide", by_hand).await;
    let end = town
        .card_in_time(&[&short, "rejected outside of Signalbox by mallory"])
        .await;
    assert!(
        town.said_with("failed in stage Approve").is_empty(),
        "a no is no failure"
    );
    assert!(
        !text_of(&end).contains("OUT OF TURN"),
        "a no passes over nothing: {}",
        text_of(&end)
    );
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_approval_is_a_new_card_without_the_old_votes() {
    let town = Scenario::start().await;
    let (first, short) = town.opening().await;
    town.clicks("U0ANN", &first.ts, "approve").await;
    town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    let expired = town
        .control("aws/expire", json!({ "pipeline": "wallet-service" }))
        .await;
    let end = town.card_in_time(&[&short, "expired"]).await;
    assert_eq!(end.ts, first.ts);
    let again = json!({ "pipeline": "wallet-service", "stage": "Approve", "execution": expired["execution"] });
    town.control("aws/retry", again).await;
    let second = town.card_in_time(&[&short, "waits for 2"]).await;
    assert_ne!(second.ts, first.ts, "another token is another question");
    assert!(
        text_of(&second).contains(&format!("message_ts={}", first.ts)),
        "it links the old card: {}",
        text_of(&second)
    );
    let old = town.cards_with(&[&short, "expired"]);
    assert!(
        !text_of(&old[0]).contains("Approve "),
        "the old card has nothing to press"
    );
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_makes_room_lets_the_newest_ask() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    let older = town.pushes("wallet-service", "carla", "feat: one").await;
    town.passes(10);
    let newer = town.pushes("wallet-service", "carla", "feat: two").await;
    let front = town.card_in_time(&[&short, "wait for the newest", newer.short()]).await;
    assert!(
        town.cards_with(&[older.short(), "waits for"]).is_empty(),
        "it was superseded at the door"
    );
    town.clicks("U0ANN", &front.ts, "reject_wait").await;
    let sent = town.submits("U0ANN", "the newer one has the fix").await;
    assert_eq!(sent["status"], 200, "{sent}");
    town.card_in_time(&[&short, "rejected by Ann", "the newer one has the fix"])
        .await;
    let next = town.card_in_time(&[newer.short(), "testnet", "waits for"]).await;
    assert_ne!(next.ts, front.ts);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_cannot_be_carried_out_goes_back_to_people() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    let (pushed, waiting) = town.asks_for_testnet("feat: slow").await;
    town.breaks("aws.GetPipelineState", &kind("fail", 1000, &json!({})))
        .await;
    town.decides("U0ANN", &waiting).await;
    town.card_in_time(&[pushed.short(), "telling CodePipeline"]).await;
    town.passes(11 * 60);
    town.mends();
    town.card_in_time(&[pushed.short(), "waits for"]).await;
    let note = town.hears_in_time("the decision lapsed").await;
    assert!(text_of(&note).contains("<@U0ANN>"), "{}", text_of(&note));
    assert_eq!(town.answers().len(), 1, "only the rejection at the start");
    town.decides("U0ANN", &waiting).await;
    town.card_in_time(&[pushed.short(), "released"]).await;
    assert_eq!(town.answers().len(), 2);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_a_parallel_pipeline_wait_beside_each_other() {
    let town = Scenario::start().await;
    let first = town.pushes("web-app", "carla", "feat: one").await;
    // The second card lists the first one's commit too: only its headline tells them apart.
    let headline = |pushed: &tests::scenes::Pushed| format!("prod: {}", pushed.short());
    let second = town.pushes("web-app", "carla", "feat: two").await;
    let one = town
        .card_in_time(&[&headline(&first), "waits for", "2 alarms quiet"])
        .await;
    let two = town
        .card_in_time(&[&headline(&second), "waits for", "2 alarms quiet"])
        .await;
    assert_ne!(one.ts, two.ts);
    town.passes(20);
    let vague = town.says("U0ANN", "/deploy approve prod").await;
    assert!(vague.text.contains("Which of these 2 runs"), "{}", vague.text);
    assert!(town.answers().is_empty(), "a question decides nothing");
    let exact = town
        .says("U0ANN", &format!("/deploy approve prod {}", second.short()))
        .await;
    assert!(exact.text.contains("Recorded"), "{}", exact.text);
    town.card_in_time(&[&headline(&second), "released"]).await;
    let answers = town.answers();
    assert_eq!(answers.len(), 1);
    assert_eq!(
        answers[0].execution, second.execution,
        "the one that was named, not the one that came first"
    );
    assert_eq!(town.cards_with(&[&headline(&first), "waits for"]).len(), 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_a_queued_pipeline_ask_one_after_the_other() {
    let town = Scenario::start().await;
    let pushes = [
        town.pushes("web-staging", "carla", "feat: one").await,
        town.pushes("web-staging", "carla", "feat: two").await,
    ];
    for pushed in &pushes {
        let card = town
            .card_in_time(&[pushed.short(), "staging", "waits for", "migrations-touched"])
            .await;
        town.clicks("U0BRUNO", &card.ts, "approve").await;
        let end = town.card_in_time(&[pushed.short(), "staging", "released"]).await;
        assert_eq!(end.ts, card.ts);
    }
    let order: Vec<String> = town.answers().into_iter().map(|answer| answer.execution).collect();
    assert_eq!(order, pushes.map(|pushed| pushed.execution), "each once, in order");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_is_said_and_not_guessed() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    let push =
        json!({ "pipeline": "wallet-service", "author": "carla", "message": "feat: unnamed", "metadata": false });
    let pushed = town.pushes_as(push).await;
    let card = town.card_in_time(&["annot tell", "waits for"]).await;
    let text = text_of(&card);
    assert!(
        !text.contains(pushed.short()),
        "the object does not say which commit it is: {text}"
    );
    assert!(!text.contains("No migrations"), "{text}");
    town.ends().await;
}
