//! What people would look for next when a migration fails: the newest errors in the logs of its functions, each kind of them once.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use serde_json::{Value, json};
use tests::kinds::TEAM;
use tests::scenario::{Scenario, options, shared_store, text_of};

const DRAIN: &str = r#"
[[service.works.runbook.drain.step]]
name     = "drained"
kind     = "queue_drain"
queues   = ["works-queue"]
failures = ["works-dead"]
errors   = { functions = ["copy"] }
every    = "60s"
deadline = "1d"

[[service.works.runbook.blind.step]]
name     = "drained"
kind     = "queue_drain"
queues   = ["works-queue"]
failures = ["works-dead"]
errors   = { functions = ["copy"], log_group = "/not/there" }
every    = "60s"
"#;

const ACCOUNT: &str = r#"
[[place]]
[[place.queue]]
name = "works-dead"

[[place.queue]]
name         = "works-queue"
dead_letters = "works-dead"
messages     = 40

[[place.log_group]]
name = "/aws/lambda/copy"
"#;

fn measured(name: &str, value: u32) -> Value {
    json!({ "metrics": { "steady": { "namespace": "AWS/Lambda", "name": name, "dimensions": { "FunctionName": "copy" }, "value": value } } })
}

fn lines(lines: &[&str]) -> Value {
    json!({ "logs": { "append": { "group": "/aws/lambda/copy", "lines": lines } } })
}

async fn town() -> Scenario {
    let mut options = options(shared_store());
    options.config = format!("{}{DRAIN}", TEAM.replace("HEALTH", "https://health.example.org"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("account.toml");
    std::fs::write(&path, ACCOUNT).expect("the account is written");
    options.sandbox.aws_seed = Some(path);
    Scenario::with(options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_errors_are_on_the_card_while_calls_fail_and_when_letters_die() {
    let town = town().await;
    town.says("U0CARLA", "/deploy run drain prod").await;
    town.card_in_time(&[
        "40 left: 40 visible, 0 in flight, 0 delayed",
        "works-dead: empty",
        "no call of copy was counted in the last 15 min",
    ])
    .await;
    assert_eq!(town.asked("aws.FilterLogEvents"), 0, "nothing fails, so no log is read");

    let uuid = "4f2c1d9a-0000-4000-8000-00000000000";
    let locked = |n: u32| format!("2026-11-21T14:00:0{n}.123Z\t{uuid}{n}\tERROR\tcase 10{n}-20 is locked <!channel>");
    let failing = json!([
        measured("Invocations", 50),
        measured("Errors", 1),
        lines(&[&locked(1), &locked(2), "INFO\tnothing to see", &locked(3)]),
        lines(&["{\"errorType\":\"ValidationException\",\"errorMessage\":\"password=hunter2 is no key\"}"]),
    ]);
    town.control("aws/deed", failing).await;
    let card = town
        .card_in_time(&["40 left", "calls of copy failed in the last 15 min", "newest errors"])
        .await;
    let shown = text_of(&card);
    for words in [
        "2 % of ",
        "newest errors in the last 15 min:",
        "3 × case 103-20 is locked &lt;!channel&gt;",
        "1 × ValidationException: password=… is no key",
    ] {
        assert!(shown.contains(words), "{words} is not on\n{shown}");
    }
    let (looks, reads) = (town.asked("aws.GetMetricData"), town.asked("aws.FilterLogEvents"));
    assert!((1..=looks).contains(&reads), "{reads} reads of a log in {looks} looks");

    town.control(
        "aws/deed",
        json!({ "sqs": { "fail": { "queue": "works-queue", "count": 3 } } }),
    )
    .await;
    let card = town.card_in_time(&["a person decides", "works-dead holds 3"]).await;
    assert!(
        text_of(&card).contains("3 × case 103-20 is locked"),
        "{}",
        text_of(&card)
    );
    town.hears_in_time("3 × case 103-20 is locked").await;
    town.says("U0CARLA", "/deploy stop prod the script is wrong").await;
    town.card_in_time(&["drain · works → prod · stopped after"]).await;

    // What cannot be read is said, and hides nothing else.
    town.says("U0CARLA", "/deploy run blind prod").await;
    town.card_in_time(&[
        "works-dead holds 3",
        "cannot tell which errors there are: there is no log group /not/there",
    ])
    .await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cloudwatch_cannot_tell_is_unknown_and_not_none() {
    let town = town().await;
    let answers = |status: Option<&str>| json!({ "metrics": { "answers": { "status": status, "page": 1 } } });
    town.control(
        "aws/deed",
        json!([answers(Some("InternalError")), { "sqs": { "clear": { "queue": "works-queue" } } }]),
    )
    .await;
    town.says("U0CARLA", "/deploy run drain prod").await;
    let blind = "cannot be read just now: Incomplete: CloudWatch did not tell all that was counted: InternalError";
    town.card_in_time(&[blind]).await;

    // What is on other pages counts.
    town.control(
        "aws/deed",
        json!([answers(None), measured("Invocations", 50), measured("Errors", 1)]),
    )
    .await;
    town.card_in_time(&["2 % of "]).await;

    town.control("aws/deed", answers(Some("Forbidden"))).await;
    let card = town.card_in_time(&["a person decides", "Forbidden"]).await;
    assert!(
        text_of(&card).contains("allow it cloudwatch:GetMetricData"),
        "{}",
        text_of(&card)
    );
    town.ends().await;
}
