//! Functions and mappings through their API, without a server.

use serde_json::{Value, json};

use super::{Deed, SWITCH_MS, UPDATE_MS, act, call};
use crate::aws::account::Account;
use crate::aws::args::Args;
use crate::aws::place::Place;
use crate::aws::service::Request;
use crate::aws::sts::Caller;
use crate::aws::value::as_raw;

fn ask(account: &mut Account, operation: &str, args: Value) -> Result<Value, (String, u16)> {
    let caller = Caller::default();
    let request = Request {
        operation,
        args: Args(&args),
        caller: &caller,
        place: Place::home(),
        endpoint: "",
    };
    let answer = call(account, &request).unwrap();
    account.carry_out_deeds();
    answer.map_err(|error| (error.code, error.status.as_u16()))
}

fn do_it(account: &mut Account, deed: Value) {
    let deed: Deed = serde_json::from_value(deed).unwrap();
    act(account.region(&Place::home()), &deed).unwrap();
}

fn account() -> Account {
    let mut account = Account::empty(0);
    let region = account.region(&Place::home());
    let seed = json!({"name": "api", "variables": {"LOG_LEVEL": "info", "DB": "secret"}});
    region.plant_function(&serde_json::from_value(seed).unwrap());
    let mapping = json!({"function": "api", "source": "queue:work", "uuid": "m1"});
    region.plant_mapping(&serde_json::from_value(mapping).unwrap());
    account
}

fn configuration(account: &mut Account) -> Value {
    ask(account, "GetFunctionConfiguration", json!({"FunctionName": "api"})).unwrap()
}

fn update(account: &mut Account, revision: &Value, variables: Value) -> Result<Value, (String, u16)> {
    let args = json!({"FunctionName": "api", "RevisionId": revision, "Environment": {"Variables": variables}});
    ask(account, "UpdateFunctionConfiguration", args)
}

#[test]
fn an_update_replaces_all_variables_and_takes_a_while() {
    let mut account = account();
    let before = configuration(&mut account);
    let during = update(&mut account, &before["RevisionId"], json!({"LOG_LEVEL": "debug"})).unwrap();
    assert_eq!(during["LastUpdateStatus"], "InProgress");
    assert_eq!(
        during["Environment"]["Variables"],
        json!({"LOG_LEVEL": "debug"}),
        "what was not sent is gone"
    );
    let busy = update(&mut account, &during["RevisionId"], json!({})).unwrap_err();
    assert_eq!(busy, ("ResourceConflictException".to_owned(), 409));
    account.advance(UPDATE_MS);
    let after = configuration(&mut account);
    assert_eq!(after["LastUpdateStatus"], "Successful");
    let stale = update(&mut account, &before["RevisionId"], json!({})).unwrap_err();
    assert_eq!(stale, ("PreconditionFailedException".to_owned(), 412));
}

#[test]
fn an_update_can_fail_and_variables_can_be_unreadable() {
    let mut account = account();
    do_it(
        &mut account,
        json!({"fail_update": {"function": "api", "reason": "Function exceeded the limit"}}),
    );
    let revision = configuration(&mut account)["RevisionId"].clone();
    update(&mut account, &revision, json!({"A1": "x"})).unwrap();
    account.advance(UPDATE_MS);
    assert_eq!(configuration(&mut account)["LastUpdateStatus"], "Failed");
    do_it(
        &mut account,
        json!({"kms": {"function": "api", "error": "KMS access was denied"}}),
    );
    let environment = configuration(&mut account)["Environment"].clone();
    assert_eq!(
        (environment["Variables"].is_null(), &environment["Error"]["ErrorCode"]),
        (true, &json!("AccessDeniedException"))
    );
}

#[test]
fn variables_that_the_service_refuses_are_refused() {
    let mut account = account();
    let revision = configuration(&mut account)["RevisionId"].clone();
    for bad in [json!({"AWS_REGION": "x"}), json!({"BIG": "x".repeat(4096)})] {
        assert_eq!(
            update(&mut account, &revision, bad).unwrap_err(),
            ("InvalidParameterValueException".to_owned(), 400)
        );
    }
    assert_eq!(
        update(&mut account, &revision, json!({"1st": "x"})).unwrap_err().0,
        "ValidationException"
    );
    assert_eq!(
        configuration(&mut account)["RevisionId"],
        revision,
        "a refused update changes nothing"
    );
}

#[test]
fn a_mapping_is_switched_after_a_while_and_not_twice_at_once() {
    let mut account = account();
    let state =
        |account: &mut Account| ask(account, "GetEventSourceMapping", json!({"UUID": "m1"})).unwrap()["State"].clone();
    assert_eq!(state(&mut account), "Enabled");
    let off = json!({"UUID": "m1", "Enabled": false});
    assert_eq!(
        ask(&mut account, "UpdateEventSourceMapping", off.clone()).unwrap()["State"],
        "Disabling"
    );
    assert_eq!(
        ask(&mut account, "UpdateEventSourceMapping", off).unwrap_err().0,
        "ResourceInUseException"
    );
    account.advance(SWITCH_MS);
    assert_eq!(state(&mut account), "Disabled");
    assert_eq!(
        ask(&mut account, "UpdateEventSourceMapping", json!({"UUID": "m1"})).unwrap()["State"],
        "Updating"
    );
    account.advance(2 * SWITCH_MS);
    assert_eq!(
        state(&mut account),
        "Disabled",
        "an update without the flag does not enable"
    );
    assert_eq!(
        ask(&mut account, "GetEventSourceMapping", json!({"UUID": "m2"}))
            .unwrap_err()
            .1,
        404
    );
}

#[test]
fn a_function_reacts_to_what_it_is_given() {
    let mut account = account();
    account.region(&Place::home()).queues.create("work", 0);
    let deed = json!({"sqs": {"put": {"queue": "work", "count": 1}}});
    do_it(
        &mut account,
        json!({"react": {"function": "api", "reactions": [
        {"when": {"on": true}, "answer": {"ok": 1}, "deeds": [deed]},
        {"error": "no such thing", "times": 1}]}}),
    );
    let mut invoke = |payload: &str, kind: &str| {
        let args = json!({"FunctionName": "arn:aws:lambda:eu-central-1:111122223333:function:api", "Payload": payload, "InvocationType": kind});
        let raw = as_raw(&ask(&mut account, "Invoke", args).unwrap()).unwrap();
        let failed = raw.headers.iter().any(|(name, _)| name == "x-amz-function-error");
        (raw.status.as_u16(), failed, raw.body)
    };
    assert_eq!(
        invoke("{\"on\": true, \"x\": 2}", "RequestResponse"),
        (200, false, "{\"ok\":1}".to_owned())
    );
    let (status, failed, body) = invoke("{}", "RequestResponse");
    assert!(
        status == 200 && failed && body.contains("no such thing"),
        "the call succeeds though the function failed: {body}"
    );
    assert_eq!(
        invoke("", "RequestResponse"),
        (200, false, "null".to_owned()),
        "that was for one invocation"
    );
    assert_eq!(invoke("{\"on\": true}", "Event"), (202, false, String::new()));
    let region = account.region(&Place::home());
    assert_eq!(region.queues.queues["work"].counts(0).0, 2);
    let broken = json!({"FunctionName": "api", "Payload": "{", "InvocationType": "Event"});
    assert_eq!(
        ask(&mut account, "Invoke", broken).unwrap_err().0,
        "InvalidRequestContentException"
    );
}

#[test]
fn functions_come_in_pages_of_fifty() {
    let mut account = account();
    for number in 0..60 {
        let seed = json!({"name": format!("f{number:02}")});
        account
            .region(&Place::home())
            .plant_function(&serde_json::from_value(seed).unwrap());
    }
    let first = ask(&mut account, "ListFunctions", json!({"MaxItems": "10000"})).unwrap();
    assert_eq!(first["Functions"].as_array().unwrap().len(), 50);
    let rest = ask(&mut account, "ListFunctions", json!({"Marker": first["NextMarker"]})).unwrap();
    assert_eq!(
        (
            rest["Functions"].as_array().unwrap().len(),
            rest["NextMarker"].is_null()
        ),
        (11, true)
    );
}
