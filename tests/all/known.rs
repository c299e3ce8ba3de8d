//! Failures that are known by what a build's log says: found there, named on the card, mended by a button.

use serde_json::{Value, json};
use tests::kinds::TEAM;
use tests::scenario::{Scenario, options, shared_store, text_of};

const RUNBOOKS: &str = r#"
[service.works.known.disk-full]
words = ["no space left"]
say   = "Empty the cache."

[[service.works.runbook.make.step]]
name    = "make"
title   = "Make it"
kind    = "codebuild"
project = "works-infra"
known   = { role-exists = "ask", record-exists = "ask", validation-record-exists = { remedy = "record" }, disk-full = "ask" }

[[service.works.runbook.make.step]]
name         = "record"
title        = "A person deletes the record"
kind         = "manual"
instructions = "Delete the record that the failure names, and no other."
remedy       = true

[[service.works.runbook.unlogged.step]]
name    = "make"
kind    = "codebuild"
project = "works-unlogged"
known   = { role-exists = "ask" }

[[service.works.runbook.call.step]]
name     = "call"
kind     = "lambda"
function = "works-call"
payload  = "{}"
known    = { no-such-key = "ask" }
"#;

const ROLE: &str = "Error: creating IAM Role (works): EntityAlreadyExists: Role with name works already exists.";

async fn town() -> Scenario {
    let mut options = options(shared_store());
    options.config = format!("{}{RUNBOOKS}", TEAM.replace("HEALTH", "https://health.example.org"));
    let town = Scenario::with(options).await;
    let projects = json!([{ "name": "works-infra" }, { "name": "works-unlogged", "logs": false }]);
    town.control(
        "aws/deed",
        json!({ "seed": { "project": projects, "function": [{ "name": "works-call" }] } }),
    )
    .await;
    town
}

/// The next build of a project fails, and its log says this.
async fn next_fails(town: &Scenario, project: &str, lines: &[&str]) {
    let plan = json!({ "outcome": "FAILED", "seconds": 5, "lines": lines });
    town.control(
        "aws/deed",
        json!({ "codebuild": { "next": { "project": project, "plan": plan } } }),
    )
    .await;
}

/// Starts `make` with a build that fails; what its card shows when people are asked.
async fn fails_with(town: &Scenario, lines: &[&str]) -> String {
    next_fails(town, "works-infra", lines).await;
    town.says("U0CARLA", "/deploy run make prod").await;
    let card = town.card_in_time(&["a person decides", "Reason: exit status 1"]).await;
    text_of(&card)
}

async fn stops(town: &Scenario) {
    town.says("U0CARLA", "/deploy stop prod enough").await;
    town.card_in_time(&["stopped after"]).await;
}

fn holds(shown: &str, all: &[&str]) {
    for words in all {
        assert!(shown.contains(words), "{words} is not on\n{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_exit_status_is_known_by_the_log_and_the_remedy_mends_it() {
    let town = town().await;
    let shown = fails_with(
        &town,
        &[
            "\u{1b}[31m╷\u{1b}[0m",
            // Terraform folds what it says, and colors it.
            "\u{1b}[31m│\u{1b}[0m \u{1b}[1mError: \u{1b}[0mInvalidChangeBatch: [Tried to create resource record set",
            "\u{1b}[31m│\u{1b}[0m [name='_243f.token.works.example.org.', type='CNAME'] but it already exists]",
            "\u{1b}[31m╵\u{1b}[0m",
            "Error: login failed password=hunter2 <!channel>",
            "Error: login failed password=hunter3 <!channel>",
            ROLE,
        ],
    )
    .await;
    holds(
        &shown,
        &[
            "BUILD: COMMAND_EXECUTION_ERROR: Error while executing command",
            "Known as “a certificate's validation record is there already”",
            "It names `_243f.token.works.example.org.`, `CNAME`",
            "Error: creating IAM Role (works): EntityAlreadyExists",
            "2 × Error: login failed password=… &lt;!channel&gt;",
        ],
    );
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(
        !shown.contains("Phase complete"),
        "CodeBuild's own lines tell nothing:\n{shown}"
    );
    town.says("U0CARLA", "/deploy remedy prod").await;
    town.card_in_time(&["A person deletes the record · waits for a person"])
        .await;
    town.says("U0CARLA", "/deploy confirm prod _243f CNAME").await;
    town.card_in_time(&["make · works → prod · done"]).await;
    assert!(!town.transcript().contains("hunter"), "{}", town.transcript());
    town.ends().await;
}

/// The control of the story above: what stands in two lines, or in none, is not known.
#[tokio::test(flavor = "multi_thread")]
async fn words_of_two_lines_are_no_known_failure() {
    let town = town().await;
    let shown = fails_with(&town, &["Error: EntityAlreadyExists", "looking at the role"]).await;
    holds(&shown, &["newest errors in the log", "Error: EntityAlreadyExists"]);
    assert!(!shown.contains("Known as"), "{shown}");
    stops(&town).await;
    let shown = fails_with(&town, &["all is well", "good bye"]).await;
    holds(&shown, &["the log ends with: good bye"]);
    assert!(!shown.contains("Known as"), "{shown}");
    stops(&town).await;
    let shown = fails_with(&town, &["write: No Space Left on device"]).await;
    holds(&shown, &["Known as “disk-full”: Empty the cache."]);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_is_said_and_holds_nothing_up() {
    let town = town().await;
    // What is not there now is asked for again; what never is, is said.
    for (kind, times, says) in [
        ("throttle", 2, "Known as “an IAM role is there already”"),
        ("throttle", 99, "cannot tell what the build's log says: "),
        ("drop", 99, "cannot tell what the build's log says: "),
    ] {
        let fault = json!({ "target": "aws.GetLogEvents", "kind": kind, "times": times, "retry_after": 1 });
        town.control("faults", fault).await;
        let shown = fails_with(&town, &[ROLE]).await;
        holds(&shown, &[says, "Reason: exit status 1"]);
        town.rig.sandbox().world().faults.clear(None);
        stops(&town).await;
    }
    let fault = json!({ "target": "aws.GetLogEvents", "kind": "refuse", "error": "AccessDeniedException", "times": 1 });
    town.control("faults", fault).await;
    let shown = fails_with(&town, &[ROLE]).await;
    holds(
        &shown,
        &["cannot tell what the build's log says: AccessDeniedException"],
    );
    stops(&town).await;
    next_fails(&town, "works-unlogged", &[ROLE]).await;
    town.says("U0CARLA", "/deploy run unlogged prod").await;
    town.card_in_time(&[
        "a person decides",
        "cannot tell what the build's log says: it has none in CloudWatch Logs",
    ])
    .await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_log_without_end_the_newest_part_is_read() {
    let town = town().await;
    let empty =
        |pages: u32| json!({ "logs": { "empty_pages": { "group": "/aws/codebuild/works-infra", "pages": pages } } });
    town.control("aws/deed", empty(3)).await;
    let shown = fails_with(&town, &[ROLE]).await;
    holds(&shown, &["Known as “an IAM role is there already”"]);
    stops(&town).await;
    town.control("aws/deed", empty(1_000)).await;
    let before = town.asked("aws.GetLogEvents");
    let shown = fails_with(&town, &[ROLE]).await;
    holds(
        &shown,
        &["cannot tell whether it is a known failure: only the newest 0 lines of the log were read"],
    );
    assert_eq!(town.asked("aws.GetLogEvents") - before, 6);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_fails_is_known_by_the_end_of_its_log() {
    let town = town().await;
    let reaction: Value =
        json!({ "error": "it gave up", "times": 1, "lines": ["S3 said NoSuchKey: api.zip", "token=abcdef is used"] });
    town.control(
        "aws/deed",
        json!({ "lambda": { "react": { "function": "works-call", "reactions": [reaction] } } }),
    )
    .await;
    town.says("U0CARLA", "/deploy run call prod").await;
    let card = town.card_in_time(&["a person decides", "it gave up"]).await;
    holds(
        &text_of(&card),
        &["Known as “a file is not in its bucket”", "S3 said NoSuchKey: api.zip"],
    );
    assert!(!town.transcript().contains("abcdef"), "{}", town.transcript());
    town.says("U0CARLA", "/deploy retry prod").await;
    town.card_in_time(&["call · works → prod · done"]).await;
    town.ends().await;
}
