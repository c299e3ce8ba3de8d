//! Each kind of fault as a plain client sees it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Stage;

async fn set(stage: &Stage, fault: Value) {
    let mut fault = fault;
    fault["target"] = json!("slack.chat.postMessage");
    fault["times"] = json!(1);
    stage.does("/faults", &fault).await;
}

fn message() -> Value {
    json!({"channel": "C0DEPLOYS", "text": "hello"})
}

/// The last line of the wire log: call, status, done, note.
async fn last_line(stage: &Stage) -> (Value, Value, Value, Value) {
    let log = stage.get("/control/log").await;
    let entry = log["entries"].as_array().unwrap().last().unwrap().clone();
    (
        entry["call"].clone(),
        entry["status"].clone(),
        entry["done"].clone(),
        entry["note"].clone(),
    )
}

/// The whole answer on a raw connection, to the byte.
async fn raw(stage: &Stage) -> Vec<u8> {
    let address = stage.sandbox.url().replace("http://", "");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let body = message().to_string();
    let request = format!(
        "POST /slack/api/chat.postMessage HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer xoxb-sandbox\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good an end as a close.
    let _closed = socket.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn throttle_fail_and_refuse_answer_and_do_nothing() {
    let stage = Stage::new().await;
    for (fault, status, error) in [
        (json!({"kind": "throttle", "retry_after": 7}), 429, "ratelimited"),
        (json!({"kind": "fail"}), 500, "internal_error"),
        (
            json!({"kind": "refuse", "error": "token_revoked"}),
            200,
            "token_revoked",
        ),
    ] {
        set(&stage, fault.clone()).await;
        let answer = stage.call("chat.postMessage", &message()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{fault}");
        if status == 429 {
            assert_eq!(answer.headers()["retry-after"], "7");
        }
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["ok"], &body["error"]), (&json!(false), &json!(error)));
        let (_, logged, done, note) = last_line(&stage).await;
        assert_eq!((logged, done), (json!(status), json!(false)));
        assert!(note.as_str().unwrap().starts_with("fault: "), "{note}");
    }
    assert_eq!(stage.texts(), Vec::<String>::new());
    assert_eq!(
        stage.api("chat.postMessage", &message()).await["ok"],
        true,
        "each fault struck once"
    );
}

#[tokio::test]
async fn lose_answer_does_the_work_and_closes_without_a_byte() {
    let stage = Stage::new().await;
    assert!(!raw(&stage).await.is_empty(), "without a fault there is an answer");
    set(&stage, json!({"kind": "lose_answer"})).await;
    assert_eq!(raw(&stage).await, b"");
    assert_eq!(stage.texts().len(), 2);
    assert_eq!(
        last_line(&stage).await,
        (
            json!("slack.chat.postMessage"),
            json!(0),
            json!(true),
            json!("fault: lose_answer")
        )
    );
    set(&stage, json!({"kind": "lose_answer"})).await;
    let error = stage.call("chat.postMessage", &message()).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
}

#[tokio::test]
async fn drop_closes_without_a_byte_and_does_nothing() {
    let stage = Stage::new().await;
    set(&stage, json!({"kind": "drop"})).await;
    assert_eq!(raw(&stage).await, b"");
    assert_eq!(stage.texts(), Vec::<String>::new());
    assert_eq!(
        last_line(&stage).await,
        (
            json!("slack.chat.postMessage"),
            json!(0),
            json!(false),
            json!("fault: drop")
        )
    );
}

#[tokio::test]
async fn slow_keeps_the_caller_waiting() {
    let stage = Stage::new().await;
    set(&stage, json!({"kind": "slow", "ms": 60_000})).await;
    let client = reqwest::Client::new();
    let request = client
        .post(stage.url("/slack/api/chat.postMessage"))
        .bearer_auth("xoxb-sandbox")
        .json(&message());
    let error = request.timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(
        stage.texts(),
        Vec::<String>::new(),
        "a slow call has not been carried out yet"
    );
    set(&stage, json!({"kind": "slow", "ms": 1})).await;
    assert_eq!(stage.api("chat.postMessage", &message()).await["ok"], true);
}

#[tokio::test]
async fn a_held_call_waits_before_or_after_its_work() {
    let stage = Stage::new().await;
    for (kind, while_held, afterwards) in [("hold_before", 0, 1), ("hold_after", 2, 2)] {
        set(&stage, json!({"kind": kind})).await;
        let body = message();
        let call = stage.api("chat.postMessage", &body);
        let watch = async {
            assert_eq!(stage.sandbox.world().faults.wait_held().await, "slack.chat.postMessage");
            assert_eq!(stage.texts().len(), while_held, "{kind}");
            assert_eq!(
                stage.get("/control/faults").await["held"],
                json!(["slack.chat.postMessage"])
            );
            stage.does("/faults/release", &json!({})).await;
        };
        let (answer, ()) = tokio::join!(call, watch);
        assert_eq!(answer["ok"], true);
        assert_eq!(stage.texts().len(), afterwards, "{kind}");
    }
}

#[tokio::test]
async fn a_held_call_is_carried_out_though_its_caller_is_gone() {
    let stage = Stage::new().await;
    set(&stage, json!({"kind": "hold_before"})).await;
    let body = message();
    tokio::select! {
        answer = stage.call("chat.postMessage", &body) => panic!("held, but answered: {answer:?}"),
        held = stage.sandbox.world().faults.wait_held() => assert_eq!(held, "slack.chat.postMessage"),
    }
    let mut changes = stage.sandbox.world().listen();
    stage.sandbox.world().faults.release();
    while stage.texts().is_empty() {
        changes.recv().await.unwrap();
    }
    assert_eq!(stage.texts(), ["hello"]);
}

#[tokio::test]
async fn a_prefix_strikes_every_call_of_a_vendor_until_it_is_removed() {
    let stage = Stage::new().await;
    let id = stage
        .does("/faults", &json!({"target": "slack.*", "kind": "fail"}))
        .await["id"]
        .clone();
    assert_eq!(stage.api("auth.test", &json!({})).await["error"], "internal_error");
    assert_eq!(
        stage.api("chat.postMessage", &message()).await["error"],
        "internal_error"
    );
    let client = reqwest::Client::new();
    client
        .delete(stage.url(&format!("/control/faults/{id}")))
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    assert_eq!(stage.api("auth.test", &json!({})).await["ok"], true);
}

#[tokio::test]
async fn a_response_url_can_fail_too() {
    let stage = Stage::new().await;
    stage
        .does(
            "/slack/command",
            &json!({"user": "U0ANN", "channel": "C0DEPLOYS", "text": "/deploy status"}),
        )
        .await;
    let url = stage.heard()[0].form()["response_url"].clone();
    stage
        .does(
            "/faults",
            &json!({"target": "slack.response_url", "kind": "fail", "times": 1}),
        )
        .await;
    assert_eq!(stage.respond(&url, &json!({"text": "x"})).await, 500);
    assert_eq!(stage.respond(&url, &json!({"text": "x"})).await, 200);
    assert_eq!(stage.seen_by("U0ANN").await.len(), 1);
}

#[tokio::test]
async fn the_page_hears_of_changes_as_they_come() {
    let stage = Stage::new().await;
    let mut changes = reqwest::get(stage.url("/control/changes")).await.unwrap();
    set(&stage, json!({"kind": "fail"})).await;
    stage.does("/clock/jump", &json!({"seconds": 1})).await;
    let mut told = String::new();
    while !told.contains("clock") {
        told.push_str(&String::from_utf8_lossy(&changes.chunk().await.unwrap().unwrap()));
    }
    assert!(told.starts_with("data: {\"what\":\"faults\"}\n\n"), "{told}");
}
