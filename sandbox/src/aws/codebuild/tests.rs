//! Builds through their API, without a server.

use serde_json::{Value, json};

use super::call;
use crate::aws::account::Account;
use crate::aws::args::Args;
use crate::aws::deed::Directed;
use crate::aws::place::Place;
use crate::aws::service::Request;
use crate::aws::sts::Caller;

fn ask(account: &mut Account, operation: &str, args: Value) -> Result<Value, String> {
    let caller = Caller {
        arn: "arn:aws:sts::1:assumed-role/signalbox/slack-U0ANN".into(),
        ..Caller::default()
    };
    let request = Request {
        operation,
        args: Args(&args),
        caller: &caller,
        place: Place::home(),
        endpoint: "",
    };
    call(account, &request).unwrap().map_err(|error| error.code)
}

fn do_it(account: &mut Account, deed: Value) {
    let deed: Directed = serde_json::from_value(deed).unwrap();
    account.act(&Place::home(), &deed).unwrap();
}

/// An account with the project `p`, whose builds take 100 s and leave a message on the queue `q-<COLOR>`.
fn account() -> Account {
    let mut account = Account::empty(0);
    let plan = json!({"seconds": 100, "lines": ["making ${COLOR}", "made"], "exported": {"MADE": "${COLOR}"},
        "effects": [{"sqs": {"put": {"queue": "q-${COLOR}", "count": 2}}}]});
    do_it(
        &mut account,
        json!({"seed": {"queue": [{"name": "q-blue"}, {"name": "q-green"}],
        "project": [{"name": "p", "variables": {"COLOR": "blue"}, "commits": {"staging": "c0ffee"}, "plan": plan}]}}),
    );
    account
}

fn start(account: &mut Account, args: Value) -> String {
    ask(account, "StartBuild", args).unwrap()["build"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn build(account: &mut Account, id: &str) -> Value {
    ask(account, "BatchGetBuilds", json!({"ids": [id]})).unwrap()["builds"][0].clone()
}

fn messages(account: &mut Account, queue: &str) -> usize {
    let now_ms = account.now_ms;
    account.region(&Place::home()).queues.queues[queue].counts(now_ms).0
}

#[test]
fn a_build_walks_through_its_phases_and_then_has_changed_the_account() {
    let mut account = account();
    let id = start(
        &mut account,
        json!({"projectName": "p", "sourceVersion": "staging",
        "environmentVariablesOverride": [{"name": "COLOR", "value": "green"}]}),
    );
    for (at_s, phase, commit) in [
        (0, "QUEUED", false),
        (10, "PROVISIONING", false),
        (21, "INSTALL", true),
        (31, "BUILD", true),
        (92, "POST_BUILD", true),
    ] {
        account.advance(at_s * 1000);
        let build = build(&mut account, &id);
        assert_eq!(
            (&build["buildStatus"], &build["currentPhase"]),
            (&json!("IN_PROGRESS"), &json!(phase)),
            "{at_s} s"
        );
        assert_eq!(build["resolvedSourceVersion"] == "c0ffee", commit, "{at_s} s");
    }
    assert_eq!(
        (messages(&mut account, "q-green"), messages(&mut account, "q-blue")),
        (2, 0)
    );
    account.advance(100_000);
    let done = build(&mut account, &id);
    assert_eq!(
        (&done["buildStatus"], &done["currentPhase"]),
        (&json!("SUCCEEDED"), &json!("COMPLETED"))
    );
    assert_eq!(
        done["exportedEnvironmentVariables"],
        json!([{"name": "MADE", "value": "green"}])
    );
    assert_eq!(done["initiator"], "signalbox/slack-U0ANN");
    let logs = account.region(&Place::home()).logs.snapshot();
    assert_eq!(logs[0]["newest"], json!(["made", "making green"]));
}

#[test]
fn a_build_that_fails_says_where_and_changes_nothing_unless_its_script_does_not_stop() {
    for (anyway, left) in [(false, 0), (true, 2)] {
        let mut account = account();
        let effect = json!({"sqs": {"put": {"queue": "q-blue", "count": 2}}});
        let plan = json!({"outcome": "FAILED", "seconds": 10, "message": "exit status 3", "effects": [effect], "effects_anyway": anyway});
        do_it(
            &mut account,
            json!({"codebuild": {"next": {"project": "p", "plan": plan}}}),
        );
        let id = start(&mut account, json!({"projectName": "p"}));
        account.advance(10_000);
        let failed = build(&mut account, &id);
        assert_eq!(failed["buildStatus"], "FAILED");
        let phases = failed["phases"].as_array().unwrap();
        let last = &phases[phases.len() - 2];
        assert_eq!(
            (&last["phaseType"], &last["phaseStatus"]),
            (&json!("BUILD"), &json!("FAILED"))
        );
        assert_eq!(last["contexts"][0]["message"], "exit status 3");
        assert_eq!(messages(&mut account, "q-blue"), left);
        let next = start(&mut account, json!({"projectName": "p"}));
        account.advance(200_000);
        assert_eq!(
            build(&mut account, &next)["buildStatus"],
            "SUCCEEDED",
            "the plan was for one build"
        );
    }
}

#[test]
fn a_token_starts_one_build_for_five_minutes() {
    let mut account = account();
    let args = json!({"projectName": "p", "idempotencyToken": "t1"});
    let first = start(&mut account, args.clone());
    assert_eq!(start(&mut account, args.clone()), first);
    let other = json!({"projectName": "p", "idempotencyToken": "t1", "sourceVersion": "x"});
    assert_eq!(
        ask(&mut account, "StartBuild", other).unwrap_err(),
        "InvalidInputException"
    );
    account.advance(300_000);
    assert_ne!(start(&mut account, args), first);
    assert_eq!(
        ask(&mut account, "ListBuildsForProject", json!({"projectName": "p"})).unwrap()["ids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_held_build_goes_on_when_it_is_let_go_and_a_stopped_one_does_not() {
    let mut account = account();
    let held = start(&mut account, json!({"projectName": "p"}));
    do_it(
        &mut account,
        json!({"codebuild": {"hold": {"project": "p", "held": true}}}),
    );
    account.advance(500_000);
    assert_eq!(build(&mut account, &held)["currentPhase"], "BUILD");
    do_it(
        &mut account,
        json!({"codebuild": {"hold": {"project": "p", "held": false}}}),
    );
    account.advance(510_000);
    assert_eq!(build(&mut account, &held)["buildStatus"], "SUCCEEDED");
    let stopped = start(&mut account, json!({"projectName": "p"}));
    account.advance(520_000);
    assert_eq!(
        ask(&mut account, "StopBuild", json!({ "id": stopped })).unwrap()["build"]["buildStatus"],
        "STOPPED"
    );
    account.advance(900_000);
    let build = build(&mut account, &stopped);
    assert_eq!(
        (&build["buildStatus"], &build["currentPhase"]),
        (&json!("STOPPED"), &json!("COMPLETED"))
    );
    assert_eq!(
        messages(&mut account, "q-blue"),
        2,
        "only the first build did something"
    );
}
