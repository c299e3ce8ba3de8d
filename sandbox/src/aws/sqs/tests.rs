//! Queues that are drained, whose messages fail, and whose dead letters are moved back.

use serde_json::{Value, json};

use super::{Deed, act, call};
use crate::aws::account::Account;
use crate::aws::args::Args;
use crate::aws::place::Place;
use crate::aws::service::Request;
use crate::aws::sts::Caller;

fn ask(account: &mut Account, operation: &str, args: Value) -> Result<Value, String> {
    let caller = Caller::default();
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
    let deed: Deed = serde_json::from_value(deed).unwrap();
    act(account.region(&Place::home()), &deed).unwrap();
}

fn account(messages: usize) -> Account {
    let mut account = Account::empty(0);
    let region = account.region(&Place::home());
    for seed in [
        json!({"name": "work", "dead_letters": "dead", "max_receives": 2, "visibility_seconds": 900, "messages": messages}),
        json!({"name": "dead"}),
    ] {
        region.plant_queue(&serde_json::from_value(seed).unwrap());
    }
    account
}

/// Visible, in flight, delayed.
fn counts(account: &mut Account, name: &str) -> (usize, usize, usize) {
    let now_ms = account.now_ms;
    account.region(&Place::home()).queues.queues[name].counts(now_ms)
}

fn arn(name: &str) -> String {
    Place::home().arn("sqs", name)
}

#[test]
fn a_drained_queue_makes_progress_with_the_clock_and_holds_messages_in_flight() {
    let mut account = account(100);
    do_it(
        &mut account,
        json!({"drain": {"queue": "work", "per_second": 2.5, "in_flight": 4}}),
    );
    assert_eq!(counts(&mut account, "work"), (96, 4, 0));
    account.advance(10_000);
    assert_eq!(counts(&mut account, "work"), (71, 4, 0), "25 in ten seconds");
    account.advance(60_000);
    assert_eq!(counts(&mut account, "work"), (0, 0, 0));
    do_it(&mut account, json!({"put": {"queue": "work", "count": 5}}));
    account.advance(60_999);
    assert_eq!(
        counts(&mut account, "work").0 + counts(&mut account, "work").1,
        5,
        "an idle consumer has saved nothing up"
    );
}

#[test]
fn one_jump_drains_as_much_as_many_steps() {
    let (mut steps, mut jump) = (account(500), account(500));
    for account in [&mut steps, &mut jump] {
        do_it(
            account,
            json!({"drain": {"queue": "work", "per_second": 3.3, "in_flight": 2, "fail": 7}}),
        );
    }
    for second in 1..=300 {
        steps.advance(second * 100);
    }
    jump.advance(30_000);
    for name in ["work", "dead"] {
        assert_eq!(counts(&mut steps, name), counts(&mut jump, name), "{name}");
    }
    assert_eq!(counts(&mut jump, "dead").0, 7);
}

#[test]
fn a_message_that_is_received_too_often_is_a_dead_letter() {
    let mut account = account(1);
    let url = json!({"QueueUrl": "x/work"});
    for second in [0, 901] {
        account.advance(second * 1000);
        assert!(ask(&mut account, "ReceiveMessage", url.clone()).unwrap()["Messages"].is_array());
    }
    account.advance(2 * 901_000);
    assert!(ask(&mut account, "ReceiveMessage", url).unwrap()["Messages"].is_null());
    assert_eq!(
        (counts(&mut account, "work"), counts(&mut account, "dead")),
        ((0, 0, 0), (1, 0, 0))
    );
}

#[test]
fn dead_letters_are_moved_back_by_one_task_at_a_time() {
    let mut account = account(10);
    do_it(&mut account, json!({"fail": {"queue": "work", "count": 10}}));
    let start = json!({"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 4});
    let handle = ask(&mut account, "StartMessageMoveTask", start.clone()).unwrap()["TaskHandle"].clone();
    assert_eq!(
        ask(&mut account, "StartMessageMoveTask", start.clone()).unwrap_err(),
        "InvalidParameterValue"
    );
    account.advance(1_000);
    let list = json!({"SourceArn": arn("dead")});
    let task = ask(&mut account, "ListMessageMoveTasks", list.clone()).unwrap()["Results"][0].clone();
    assert_eq!(
        (
            &task["Status"],
            &task["ApproximateNumberOfMessagesMoved"],
            &task["ApproximateNumberOfMessagesToMove"]
        ),
        (&json!("RUNNING"), &json!(4), &json!(10))
    );
    assert_eq!(counts(&mut account, "work").0, 4);
    ask(&mut account, "CancelMessageMoveTask", json!({ "TaskHandle": handle })).unwrap();
    account.advance(2_000);
    let task = ask(&mut account, "ListMessageMoveTasks", list.clone()).unwrap()["Results"][0].clone();
    assert_eq!(
        (&task["Status"], task["TaskHandle"].is_null()),
        (&json!("CANCELLED"), true)
    );
    ask(&mut account, "StartMessageMoveTask", start).unwrap();
    account.advance(60_000);
    assert_eq!(
        ask(&mut account, "ListMessageMoveTasks", list).unwrap()["Results"][0]["Status"],
        "COMPLETED"
    );
    assert_eq!(
        (counts(&mut account, "work").0, counts(&mut account, "dead").0),
        (10, 0)
    );
}

#[test]
fn what_cannot_be_moved_is_refused() {
    let mut account = account(0);
    for (source, code) in [("work", "InvalidParameterValue"), ("none", "ResourceNotFoundException")] {
        let error = ask(&mut account, "StartMessageMoveTask", json!({"SourceArn": arn(source)})).unwrap_err();
        assert_eq!(error, code);
    }
}

#[test]
fn a_queue_is_purged_once_a_minute() {
    let mut account = account(3);
    let url = json!({"QueueUrl": "x/work"});
    ask(&mut account, "PurgeQueue", url.clone()).unwrap();
    assert_eq!(counts(&mut account, "work").0, 0);
    assert_eq!(
        ask(&mut account, "PurgeQueue", url.clone()).unwrap_err(),
        "PurgeQueueInProgress"
    );
    account.advance(60_000);
    ask(&mut account, "PurgeQueue", url).unwrap();
}
