//! The pipelines' rules, seen through the API as a client sees them and without a server.

use serde_json::{Value, json};

use super::args::Args;
use super::pipeline::{Category, Mode, Source, Trigger};
use super::place::Place;
use super::script::{Arrival, Failing};
use super::service::Request;
use super::sts::Caller;
use super::{Account, approval_stage, codebuild_stage, codepipeline, pipeline, source_stage};

const START: i64 = 1_795_269_600_000;
const MINUTE: i64 = 60_000;

/// An account with one pipeline `p`: Source 1 s, Build 2 s, Approve, Deploy (two actions of 10 s).
fn account(mode: Mode) -> Account {
    let source = Source::Connection {
        repository: "acme/web-app".into(),
        branch: "main".into(),
    };
    let stages = vec![
        source_stage(&source),
        codebuild_stage("Build", Category::Build, 2_000, &[("Build", "build")]),
        approval_stage("Approve", "Approval", None),
        codebuild_stage(
            "Deploy",
            Category::Build,
            10_000,
            &[("Migrate", "migrate"), ("Deploy", "deploy")],
        ),
    ];
    let mut account = Account::empty(START);
    account.add_pipeline(pipeline("p", mode, source, stages));
    account
}

fn push(account: &mut Account, commit: &str) -> String {
    let arrival = Arrival {
        commit: commit.to_owned(),
        git_ref: "main".into(),
        message: format!("message of {commit}"),
        author: "Dana Okafor".into(),
        metadata: true,
        trigger: None,
    };
    account.push("p", &arrival).unwrap().unwrap()
}

fn pass(account: &mut Account, ms: i64) {
    account.advance(account.now_ms + ms);
}

fn call(account: &mut Account, operation: &str, args: Value) -> Result<Value, String> {
    let caller = Caller {
        arn: "arn:aws:sts::1:assumed-role/signalbox/slack-U0ANN".into(),
        account: "1".into(),
        user_id: "u".into(),
        at_ms: 0,
    };
    codepipeline::call(account, operation, Args(&args), &caller)
        .unwrap()
        .map_err(|error| error.code)
}

/// What `ReceiveMessage` answers.
fn received(account: &mut Account, args: &Value) -> Value {
    let request = Request {
        operation: "ReceiveMessage",
        args: Args(args),
        caller: &Caller::default(),
        place: Place::home(),
        endpoint: "",
    };
    (super::sqs::SERVICE.call)(account, &request).unwrap().unwrap()
}

fn stage(account: &mut Account, name: &str) -> Value {
    let state = call(account, "GetPipelineState", json!({"name": "p"})).unwrap();
    let stages = state["stageStates"].as_array().unwrap();
    stages.iter().find(|stage| stage["stageName"] == name).unwrap().clone()
}

fn approval(account: &mut Account) -> Value {
    stage(account, "Approve")["actionStates"][0]["latestExecution"].clone()
}

fn token(account: &mut Account) -> String {
    approval(account)["token"].as_str().unwrap().to_owned()
}

fn put(account: &mut Account, token: &str, status: &str) -> Result<Value, String> {
    let result = json!({"status": status, "summary": "by ann"});
    let args = json!({"pipelineName": "p", "stageName": "Approve", "actionName": "Approval", "token": token, "result": result});
    call(account, "PutApprovalResult", args)
}

fn retry(account: &mut Account, stage: &str, id: &str, mode: &str) -> Result<Value, String> {
    let args = json!({"pipelineName": "p", "stageName": stage, "pipelineExecutionId": id, "retryMode": mode});
    call(account, "RetryStageExecution", args)
}

fn actions(account: &mut Account, id: &str) -> Vec<Value> {
    let args = json!({"pipelineName": "p", "filter": {"pipelineExecutionId": id}});
    call(account, "ListActionExecutions", args).unwrap()["actionExecutionDetails"]
        .as_array()
        .unwrap()
        .clone()
}

fn status(account: &Account, id: &str) -> &'static str {
    account.execution_status("p", id).unwrap()
}

#[test]
fn an_execution_waits_at_its_approval_and_goes_on_when_it_is_given() {
    let mut account = account(Mode::Superseded);
    let id = push(&mut account, "c1");
    pass(&mut account, 2_999);
    assert!(approval(&mut account).is_null(), "the build is not over");
    pass(&mut account, 1);
    let waiting = approval(&mut account);
    assert_eq!(waiting["status"], "InProgress");
    let token = token(&mut account);
    put(&mut account, &token, "Approved").unwrap();
    let answered = approval(&mut account);
    assert!(answered["token"].is_null(), "an answered request shows no token");
    assert_eq!(
        (&answered["summary"], &answered["status"]),
        (&json!("by ann"), &json!("Succeeded"))
    );
    assert_eq!(
        answered["lastUpdatedBy"],
        "arn:aws:sts::1:assumed-role/signalbox/slack-U0ANN"
    );
    pass(&mut account, 19_999);
    assert_eq!(status(&account, &id), "InProgress");
    pass(&mut account, 1);
    assert_eq!(status(&account, &id), "Succeeded");
    let results = account.approval_results();
    assert_eq!((results.len(), &results[0].execution), (1, &id));
}

#[test]
fn one_jump_over_everything_stamps_each_step_with_its_own_time() {
    let mut steps = account(Mode::Superseded);
    let mut jump = account(Mode::Superseded);
    let (a, b) = (push(&mut steps, "c1"), push(&mut jump, "c1"));
    for _ in 0..40 {
        pass(&mut steps, 100);
    }
    pass(&mut jump, 4_000);
    let times = |account: &mut Account, id: &str| -> Vec<Value> {
        actions(account, id)
            .iter()
            .map(|run| json!([run["startTime"], run["lastUpdateTime"]]))
            .collect()
    };
    let (stepped, jumped) = (times(&mut steps, &a), times(&mut jump, &b));
    assert_eq!(stepped, jumped);
    assert_eq!(
        stepped[0][0],
        super::value::timestamp(START + 3_000),
        "the approval began when the build ended"
    );
}

#[test]
fn a_waiting_run_is_superseded_but_not_the_one_inside() {
    let mut account = account(Mode::Superseded);
    let first = push(&mut account, "c1");
    pass(&mut account, 5_000);
    let open = token(&mut account);
    let second = push(&mut account, "c2");
    pass(&mut account, 5_000);
    let third = push(&mut account, "c3");
    pass(&mut account, 5_000);
    assert_eq!(token(&mut account), open, "newer commits leave the open request alone");
    assert_eq!(status(&account, &first), "InProgress");
    assert_eq!(status(&account, &second), "Superseded");
    let approve = stage(&mut account, "Approve");
    assert_eq!(approve["inboundExecution"]["pipelineExecutionId"], json!(third));
    assert_eq!(approve["latestExecution"]["pipelineExecutionId"], json!(first));
    put(&mut account, &open, "Rejected").unwrap();
    assert_eq!(status(&account, &first), "Failed");
    assert_ne!(
        token(&mut account),
        open,
        "the next one in line gets a request of its own"
    );
    assert!(stage(&mut account, "Approve")["inboundExecution"].is_null());
}

#[test]
fn queued_runs_wait_in_line_and_none_is_lost() {
    let mut account = account(Mode::Queued);
    let ids: Vec<String> = ["c1", "c2", "c3"]
        .iter()
        .map(|commit| push(&mut account, commit))
        .collect();
    pass(&mut account, MINUTE);
    let inbound = stage(&mut account, "Approve")["inboundExecutions"].clone();
    let waiting: Vec<&Value> = inbound
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["pipelineExecutionId"])
        .collect();
    assert_eq!(waiting, [&json!(ids[1]), &json!(ids[2])]);
    for id in &ids {
        let open = token(&mut account);
        put(&mut account, &open, "Approved").unwrap();
        pass(&mut account, MINUTE);
        assert_eq!(status(&account, id), "Succeeded");
    }
}

#[test]
fn parallel_runs_do_not_wait_and_their_token_is_only_in_the_list_of_actions() {
    let mut account = account(Mode::Parallel);
    let (first, second) = (push(&mut account, "c1"), push(&mut account, "c2"));
    pass(&mut account, 5_000);
    let shown = approval(&mut account);
    assert_eq!(shown["status"], "InProgress");
    assert!(
        shown["token"].is_null() && shown["externalExecutionId"].is_null(),
        "{shown}"
    );
    let token_of = |account: &mut Account, id: &str| {
        let run = actions(account, id)
            .into_iter()
            .find(|run| run["actionName"] == "Approval")
            .unwrap();
        assert_eq!(run["status"], "InProgress");
        run["output"]["executionResult"]["externalExecutionId"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, two) = (token_of(&mut account, &first), token_of(&mut account, &second));
    assert_ne!(one, two);
    put(&mut account, &one, "Approved").unwrap();
    assert_eq!(
        put(&mut account, &one, "Approved").unwrap_err(),
        "ApprovalAlreadyCompletedException"
    );
    assert_eq!(
        account.current_action("p", &second).as_deref(),
        Some("Approval"),
        "the other still waits"
    );
    put(&mut account, &two, "Rejected").unwrap();
    pass(&mut account, MINUTE);
    assert_eq!(
        (status(&account, &first), status(&account, &second)),
        ("Succeeded", "Failed")
    );
}

#[test]
fn a_request_that_nobody_answers_expires_after_seven_days_and_its_token_is_dead() {
    let mut account = account(Mode::Superseded);
    let id = push(&mut account, "c1");
    pass(&mut account, 5_000);
    let open = token(&mut account);
    pass(&mut account, 7 * 24 * 60 * MINUTE - 2_001);
    assert_eq!(token(&mut account), open);
    pass(&mut account, 1);
    assert_eq!(status(&account, &id), "Failed");
    assert_eq!(
        put(&mut account, &open, "Approved").unwrap_err(),
        "InvalidApprovalTokenException"
    );
    assert!(account.approval_results().is_empty());
}

#[test]
fn a_retried_approval_is_a_new_request_of_the_same_execution() {
    let mut account = account(Mode::Superseded);
    let id = push(&mut account, "c1");
    pass(&mut account, 5_000);
    let first = token(&mut account);
    put(&mut account, &first, "Rejected").unwrap();
    assert_eq!(
        put(&mut account, &first, "Approved").unwrap_err(),
        "ApprovalAlreadyCompletedException"
    );
    retry(&mut account, "Approve", &id, "FAILED_ACTIONS").unwrap();
    let second = token(&mut account);
    assert_ne!(first, second);
    assert_eq!(
        stage(&mut account, "Approve")["latestExecution"]["pipelineExecutionId"],
        json!(id)
    );
    assert_eq!(
        put(&mut account, &first, "Approved").unwrap_err(),
        "InvalidApprovalTokenException",
        "an older round"
    );
    put(&mut account, &second, "Approved").unwrap();
    assert_eq!(
        actions(&mut account, &id)
            .iter()
            .filter(|run| run["actionName"] == "Approval")
            .count(),
        2
    );
}

#[test]
fn a_failed_stage_is_retried_from_the_action_that_failed_or_from_the_first() {
    for (mode, migrations) in [("FAILED_ACTIONS", 1), ("ALL_ACTIONS", 2)] {
        let mut account = account(Mode::Superseded);
        let id = push(&mut account, "c1");
        pass(&mut account, 5_000);
        account.approve_in_console("p", "bruno").unwrap();
        pass(&mut account, 15_000);
        assert_eq!(account.current_action("p", &id).as_deref(), Some("Deploy"));
        assert_eq!(
            account.fail_stage("p", "Deploy", "exit status 1").unwrap(),
            Failing::Now
        );
        let failed = stage(&mut account, "Deploy")["actionStates"][1]["latestExecution"].clone();
        assert_eq!(
            failed["errorDetails"],
            json!({"code": "JobFailed", "message": "exit status 1"})
        );
        assert!(failed["externalExecutionUrl"].as_str().unwrap().starts_with("https://"));
        assert_eq!(
            retry(&mut account, "Build", &id, mode).unwrap_err(),
            "StageNotRetryableException"
        );
        retry(&mut account, "Deploy", &id, mode).unwrap();
        pass(&mut account, MINUTE);
        assert_eq!(status(&account, &id), "Succeeded");
        assert_eq!(
            actions(&mut account, &id)
                .iter()
                .filter(|run| run["actionName"] == "Migrate")
                .count(),
            migrations
        );
    }
}

#[test]
fn a_stage_that_another_run_has_entered_is_not_retried() {
    let mut account = account(Mode::Superseded);
    let first = push(&mut account, "c1");
    account.fail_stage("p", "Build", "does not compile").unwrap();
    pass(&mut account, 5_000);
    assert_eq!(status(&account, &first), "Failed");
    push(&mut account, "c2");
    pass(&mut account, 5_000);
    assert_eq!(
        retry(&mut account, "Build", &first, "FAILED_ACTIONS").unwrap_err(),
        "NotLatestPipelineExecutionException"
    );
}

#[test]
fn stopping_waits_for_the_action_or_abandons_it() {
    let mut account = account(Mode::Superseded);
    let stop = |account: &mut Account, id: &str, abandon: bool| {
        let args = json!({"pipelineName": "p", "pipelineExecutionId": id, "abandon": abandon, "reason": "wrong one"});
        call(account, "StopPipelineExecution", args).map(|_| ())
    };
    let gentle = push(&mut account, "c1");
    stop(&mut account, &gentle, false).unwrap();
    assert_eq!(status(&account, &gentle), "Stopping");
    assert_eq!(
        stop(&mut account, &gentle, false).unwrap_err(),
        "DuplicatedStopRequestException"
    );
    pass(&mut account, 1_000);
    assert_eq!(status(&account, &gentle), "Stopped");
    assert_eq!(
        stop(&mut account, &gentle, true).unwrap_err(),
        "PipelineExecutionNotStoppableException"
    );

    let harsh = push(&mut account, "c2");
    pass(&mut account, 5_000);
    let open = token(&mut account);
    stop(&mut account, &harsh, true).unwrap();
    assert_eq!(
        (status(&account, &harsh), &approval(&mut account)["status"]),
        ("Stopped", &json!("Abandoned"))
    );
    assert_eq!(
        put(&mut account, &open, "Approved").unwrap_err(),
        "InvalidApprovalTokenException"
    );
}

#[test]
fn a_closed_door_keeps_runs_out_until_it_is_opened() {
    let mut account = account(Mode::Superseded);
    let door = |account: &mut Account, operation: &str| {
        let args = json!({"pipelineName": "p", "stageName": "Approve", "transitionType": "Inbound", "reason": "Frozen by ann"});
        call(account, operation, args).unwrap();
    };
    door(&mut account, "DisableStageTransition");
    let id = push(&mut account, "c1");
    pass(&mut account, MINUTE);
    let closed = stage(&mut account, "Approve");
    assert_eq!(closed["inboundTransitionState"]["disabledReason"], "Frozen by ann");
    assert_eq!(closed["inboundExecution"]["pipelineExecutionId"], json!(id));
    assert!(closed["latestExecution"].is_null());
    door(&mut account, "EnableStageTransition");
    assert_eq!(approval(&mut account)["status"], "InProgress");
}

#[test]
fn a_held_stage_goes_on_until_it_is_let_go() {
    let mut account = account(Mode::Superseded);
    let id = push(&mut account, "c1");
    account.hold("p", "Build", true).unwrap();
    pass(&mut account, 60 * MINUTE);
    assert_eq!(account.current_action("p", &id).as_deref(), Some("Build"));
    account.hold("p", "Build", false).unwrap();
    assert_eq!(account.current_action("p", &id).as_deref(), Some("Approval"));
    let began = &actions(&mut account, &id)[0]["startTime"];
    assert_eq!(
        began,
        &super::value::timestamp(START + 60 * MINUTE),
        "nothing is stamped before the hold ended"
    );
}

#[test]
fn a_start_with_the_same_request_token_is_the_same_start() {
    let mut account = account(Mode::Superseded);
    push(&mut account, "c1");
    let start = |account: &mut Account, token: &str| {
        call(
            account,
            "StartPipelineExecution",
            json!({"name": "p", "clientRequestToken": token}),
        )
        .unwrap()["pipelineExecutionId"]
            .clone()
    };
    let first = start(&mut account, "t1");
    assert_eq!(start(&mut account, "t1"), first);
    assert_ne!(start(&mut account, "t2"), first);
}

#[test]
fn a_revision_that_does_not_exist_fails_in_the_source_stage() {
    let mut account = account(Mode::Parallel);
    let known = push(&mut account, "c1");
    push(&mut account, "c2");
    let start = |account: &mut Account, revision: &str| {
        let wanted = json!([{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": revision}]);
        let args = json!({"name": "p", "sourceRevisions": wanted});
        call(account, "StartPipelineExecution", args).unwrap()["pipelineExecutionId"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (old, none) = (start(&mut account, "c1"), start(&mut account, "nope"));
    pass(&mut account, 5_000);
    let revision = |account: &mut Account, id: &str| {
        let args = json!({"pipelineName": "p", "pipelineExecutionId": id});
        call(account, "GetPipelineExecution", args).unwrap()["pipelineExecution"]["artifactRevisions"][0]["revisionId"]
            .clone()
    };
    assert_eq!(revision(&mut account, &old), revision(&mut account, &known));
    assert_eq!(status(&account, &none), "Failed");
    assert_eq!(
        actions(&mut account, &none)[0]["output"]["executionResult"]["errorDetails"]["code"],
        "RevisionUnavailable"
    );
}

#[test]
fn fifty_open_runs_are_the_limit() {
    let mut account = account(Mode::Queued);
    let start = |account: &mut Account| call(account, "StartPipelineExecution", json!({"name": "p"}));
    for _ in 0..50 {
        start(&mut account).unwrap();
    }
    assert_eq!(
        start(&mut account).unwrap_err(),
        "ConcurrentPipelineExecutionsLimitExceededException"
    );
}

#[test]
fn each_change_is_an_event_and_no_event_holds_a_token() {
    for mode in [Mode::Superseded, Mode::Parallel] {
        let mut account = account(mode);
        account.duplicate_events(1);
        let id = push(&mut account, "c1");
        pass(&mut account, 5_000);
        let run = actions(&mut account, &id)[0].clone();
        let secret = match mode {
            Mode::Parallel => run["output"]["executionResult"]["externalExecutionId"]
                .as_str()
                .unwrap()
                .to_owned(),
            _ => token(&mut account),
        };
        put(&mut account, &secret, "Approved").unwrap();
        pass(&mut account, MINUTE);
        let queue = json!({"QueueUrl": super::EVENT_QUEUE, "MaxNumberOfMessages": 10});
        let mut events: Vec<Value> = Vec::new();
        while let Some(batch) = received(&mut account, &queue)["Messages"].as_array() {
            assert!(
                !batch
                    .iter()
                    .any(|message| message["Body"].as_str().unwrap().contains(&secret))
            );
            events.extend(
                batch
                    .iter()
                    .map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()),
            );
        }
        let told = |index: usize| {
            (
                events[index]["detail-type"].as_str().unwrap(),
                events[index]["detail"]["state"].as_str().unwrap(),
            )
        };
        assert_eq!(told(0), ("CodePipeline Pipeline Execution State Change", "STARTED"));
        assert_eq!(events[0], events[1], "at least once: the same event, the same id");
        assert_eq!(
            told(events.len() - 1),
            ("CodePipeline Pipeline Execution State Change", "SUCCEEDED")
        );
        let approvals = events
            .iter()
            .filter(|event| event["detail"]["type"]["category"] == "Approval");
        let states: Vec<&Value> = approvals.step_by(2).map(|event| &event["detail"]["state"]).collect();
        assert_eq!(states, ["STARTED", "SUCCEEDED"]);
    }
}

#[test]
fn the_console_decides_in_its_own_name() {
    let mut account = account(Mode::Superseded);
    push(&mut account, "c1");
    pass(&mut account, 5_000);
    let open = token(&mut account);
    account
        .decide_in_console("p", None, (false, "bruno", "not today"))
        .unwrap();
    assert_eq!(
        approval(&mut account)["lastUpdatedBy"],
        "arn:aws:iam::111122223333:user/bruno"
    );
    assert_eq!(
        put(&mut account, &open, "Approved").unwrap_err(),
        "ApprovalAlreadyCompletedException"
    );
    assert!(account.approval_results().is_empty(), "the console is not the API");
    assert_eq!(account.expire("p").unwrap_err().code, "NoOpenApproval");
}

#[test]
fn what_was_never_there_is_named_by_its_own_error() {
    let mut account = account(Mode::Superseded);
    let id = "00000000-0000-4000-8000-000000000000";
    let result = json!({"status": "Approved", "summary": ""});
    let approve = |stage: &str, action: &str| json!({"pipelineName": "p", "stageName": stage, "actionName": action, "token": id, "result": result});
    for (operation, args, code) in [
        ("GetPipelineState", json!({"name": "none"}), "PipelineNotFoundException"),
        (
            "GetPipeline",
            json!({"name": "p", "version": 9}),
            "PipelineVersionNotFoundException",
        ),
        (
            "GetPipelineExecution",
            json!({"pipelineName": "p", "pipelineExecutionId": id}),
            "PipelineExecutionNotFoundException",
        ),
        (
            "GetPipelineExecution",
            json!({"pipelineName": "p", "pipelineExecutionId": "1"}),
            "ValidationException",
        ),
        (
            "ListActionExecutions",
            json!({"pipelineName": "p", "nextToken": "zz"}),
            "InvalidNextTokenException",
        ),
        (
            "PutApprovalResult",
            approve("Nope", "Approval"),
            "StageNotFoundException",
        ),
        (
            "PutApprovalResult",
            approve("Approve", "Nope"),
            "ActionNotFoundException",
        ),
        (
            "PutApprovalResult",
            approve("Approve", "Approval"),
            "InvalidApprovalTokenException",
        ),
        (
            "StopPipelineExecution",
            json!({"pipelineName": "p", "pipelineExecutionId": id}),
            "PipelineExecutionNotStoppableException",
        ),
    ] {
        assert_eq!(call(&mut account, operation, args).unwrap_err(), code, "{operation}");
    }
}

#[test]
fn a_trigger_names_who_started_a_run() {
    let mut account = account(Mode::Superseded);
    let trigger = Trigger {
        kind: "StartPipelineExecution".into(),
        detail: "arn:aws:iam::111122223333:user/dana".into(),
    };
    let id = account.start_execution("p", trigger).unwrap();
    let list = call(&mut account, "ListPipelineExecutions", json!({"pipelineName": "p"})).unwrap();
    assert_eq!(list["pipelineExecutionSummaries"][0]["pipelineExecutionId"], json!(id));
    assert_eq!(
        list["pipelineExecutionSummaries"][0]["trigger"]["triggerDetail"],
        "arn:aws:iam::111122223333:user/dana"
    );
}

#[test]
fn the_demo_begins_with_a_past_and_one_run_on_its_way_to_mainnet() {
    let mut account = super::seed::account(START);
    account.advance(START + 3_000);
    let state = call(&mut account, "GetPipelineState", json!({"name": "wallet-service"})).unwrap();
    let waiting = &state["stageStates"][2];
    assert!(
        waiting["actionStates"][0]["latestExecution"]["token"].is_string(),
        "{waiting}"
    );
    let list = call(
        &mut account,
        "ListPipelineExecutions",
        json!({"pipelineName": "wallet-service"}),
    )
    .unwrap();
    let runs = list["pipelineExecutionSummaries"].as_array().unwrap();
    let statuses: Vec<&Value> = runs.iter().map(|run| &run["status"]).collect();
    assert_eq!(statuses, ["InProgress", "Succeeded", "Succeeded"]);
    let version = runs[0]["sourceRevisions"][0]["revisionId"].as_str().unwrap();
    let object = account.bucket.get(super::BUCKET, super::KEY, Some(version)).unwrap();
    assert_eq!(object.metadata["git-ref"], "v1.4.2");
    assert_eq!(
        runs[0]["trigger"]["triggerDetail"],
        "arn:aws:iam::111122223333:user/dana"
    );
    assert!(
        account
            .region(&Place::home())
            .queues
            .queues
            .values()
            .all(|queue| queue.counts(START).0 < 20),
        "the past sends no events"
    );
}
