//! Commands, messages and events: what the app hears, and what people see of its answers.

use std::time::Duration;

use sandbox::slack::sign::signature;
use serde_json::{Value, json};

use crate::support::{NOON_MS, Reply, SECRET, Stage, card};

fn command(user: &str, text: &str) -> Value {
    json!({"user": user, "channel": "C0DEPLOYS", "text": text})
}

#[tokio::test]
async fn a_command_is_signed_escaped_and_answered() {
    let stage = Stage::new().await;
    stage.app_says(&json!({"text": "looking", "response_type": "ephemeral"}));
    let sent = stage
        .does(
            "/slack/command",
            &command("U0ANN", "/deploy approve mainnet a<b @bruno #general"),
        )
        .await;
    assert_eq!(
        (&sent["status"], &sent["body"]["text"], &sent["error"]),
        (&json!(200), &json!("looking"), &Value::Null)
    );
    assert_eq!(sent["ephemerals"][0]["text"], "looking");
    let heard = stage.heard().remove(0);
    assert_eq!(heard.path, "/slack/commands");
    let timestamp = (NOON_MS / 1000).to_string();
    assert_eq!(heard.header("x-slack-request-timestamp"), timestamp);
    assert_eq!(
        heard.header("x-slack-signature"),
        signature(SECRET, &timestamp, heard.body.as_bytes())
    );
    let form = heard.form();
    assert_eq!(
        form["text"],
        "approve mainnet a&lt;b <@U0BRUNO|bruno> <#C0GENERAL|general>"
    );
    assert_eq!(
        (form["command"].as_str(), form["user_id"].as_str()),
        ("/deploy", "U0ANN")
    );
    assert_eq!(
        (form["api_app_id"].as_str(), form["is_enterprise_install"].as_str()),
        ("A0SIGNAL", "false")
    );
    assert_eq!(form.get("token"), None);
    assert_eq!(stage.seen_by("U0ANN").await.len(), 1);
    assert_eq!(stage.seen_by("U0BRUNO").await.len(), 0);
}

#[tokio::test]
async fn a_command_may_answer_to_all_and_again_through_its_url() {
    let stage = Stage::new().await;
    stage.app_says(&json!({"text": "for all", "response_type": "in_channel"}));
    stage.does("/slack/command", &command("U0ANN", "/deploy status")).await;
    assert_eq!(stage.texts(), ["for all"]);
    let url = stage.heard()[0].form()["response_url"].clone();
    assert_eq!(stage.respond(&url, &json!({"text": "only you"})).await, 200);
    assert_eq!(
        stage
            .respond(&url, &json!({"text": "better", "replace_original": true}))
            .await,
        200
    );
    assert_eq!(stage.texts(), ["better"]);
    assert_eq!(stage.seen_by("U0ANN").await[1]["text"], "only you");
}

#[tokio::test]
async fn a_response_url_works_five_times_and_half_an_hour() {
    let stage = Stage::new().await;
    stage.does("/slack/command", &command("U0ANN", "/deploy status")).await;
    stage.does("/slack/command", &command("U0ANN", "/deploy status")).await;
    let urls: Vec<String> = stage
        .heard()
        .iter()
        .map(|heard| heard.form()["response_url"].clone())
        .collect();
    for _ in 0..5 {
        assert_eq!(stage.respond(&urls[0], &json!({"text": "x"})).await, 200);
    }
    assert_eq!(stage.respond(&urls[0], &json!({"text": "x"})).await, 404);
    stage.clock.jump(30 * 60 * 1000 + 1);
    assert_eq!(stage.respond(&urls[1], &json!({"text": "x"})).await, 404);
    assert_eq!(stage.seen_by("U0ANN").await.len(), 5);
}

#[tokio::test]
async fn a_command_that_is_not_answered_in_time_fails_before_the_person() {
    let stage = Stage::new().await;
    stage.app_replies([
        Reply::Hang,
        Reply::Say(500, String::new()),
        Reply::Say(200, json!({"blocks": [{}]}).to_string()),
    ]);
    for (error, shown, deadline) in [
        (
            json!("operation_timeout"),
            "operation_timeout",
            Duration::from_millis(100),
        ),
        (json!("dispatch_failed"), "dispatch_failed", Duration::from_secs(30)),
        (Value::Null, "invalid_command_response", Duration::from_secs(30)),
    ] {
        stage.waits(deadline);
        let sent = stage.does("/slack/command", &command("U0ANN", "/deploy status")).await;
        assert_eq!(sent["error"], error);
        assert_eq!(
            sent["ephemerals"][0]["text"],
            format!("/deploy failed with the error \"{shown}\"")
        );
        assert_eq!(sent["ephemerals"][0]["user"], "USLACKBOT");
    }
    assert_eq!(stage.heard().len(), 3, "Slack does not retry commands");
}

#[tokio::test]
async fn people_cannot_do_what_slack_does_not_offer_them() {
    let stage = Stage::new().await;
    for (body, status, error) in [
        (command("U0ANN", "/nonsense"), 404, "unknown_command"),
        (
            json!({"user": "U0EVE", "channel": "C0SHARED", "text": "/deploy status"}),
            404,
            "unknown_command",
        ),
        (command("U0OLD", "/deploy status"), 403, "account_inactive"),
        (
            json!({"user": "U0GUS", "channel": "C0GENERAL", "text": "/deploy status"}),
            403,
            "not_in_channel",
        ),
        (json!({"user": "U0ANN"}), 400, "bad_request"),
    ] {
        let (got, answer) = stage.control("/slack/command", &body).await;
        assert_eq!((got, &answer["error"]), (status, &json!(error)), "{body}");
    }
    assert!(stage.heard().is_empty());
}

#[tokio::test]
async fn a_mention_in_a_thread_is_two_events() {
    let stage = Stage::new().await;
    let parent = stage.post(&card("approve")).await;
    let said = json!({"user": "U0ANN", "channel": "C0DEPLOYS", "thread_ts": parent, "text": "@signalbox approve", "wait": true});
    let sent = stage.does("/slack/message", &said).await;
    assert_eq!(sent["message"]["text"], "<@U0SIGNAL> approve");
    let heard: Vec<Value> = stage.hears(2).await.iter().map(|heard| heard.payload()).collect();
    assert_eq!(heard[0]["event"]["type"], "message");
    assert_eq!(heard[1]["event"]["type"], "app_mention");
    for event in &heard {
        assert_eq!(
            (&event["api_app_id"], &event["event"]["thread_ts"]),
            (&json!("A0SIGNAL"), &json!(parent))
        );
        assert_eq!(event["authorizations"][0]["team_id"], "T0SIGNAL");
    }
    assert_ne!(heard[0]["event_id"], heard[1]["event_id"]);
    assert_eq!(sent["deliveries"][1]["event_id"], heard[1]["event_id"]);
}

#[tokio::test]
async fn an_event_is_tried_four_times_with_the_reason() {
    let stage = Stage::with(|options| options.ack_deadline = Duration::from_secs(1)).await;
    stage.app_replies([
        Reply::Hang,
        Reply::Say(503, String::new()),
        Reply::Say(500, String::new()),
        Reply::Hang,
    ]);
    let said = json!({"user": "U0ANN", "channel": "C0DEPLOYS", "text": "hello", "wait": true});
    let sent = stage.does("/slack/message", &said).await;
    assert_eq!(
        (&sent["deliveries"][0]["attempts"], &sent["deliveries"][0]["status"]),
        (&json!(4), &json!(0))
    );
    let heard = stage.heard();
    let retries: Vec<(&str, &str)> = heard
        .iter()
        .map(|heard| (heard.header("x-slack-retry-num"), heard.header("x-slack-retry-reason")))
        .collect();
    assert_eq!(
        retries,
        [
            ("", ""),
            ("1", "http_timeout"),
            ("2", "http_error"),
            ("3", "http_error")
        ]
    );
    assert!(
        heard.iter().all(|other| other.body == heard[0].body),
        "a retry is the same event"
    );
}

#[tokio::test]
async fn an_app_may_ask_for_no_retry() {
    let stage = Stage::new().await;
    stage.app_replies([Reply::NoRetry]);
    let said = json!({"user": "U0ANN", "channel": "C0DEPLOYS", "text": "hello", "wait": true});
    let sent = stage.does("/slack/message", &said).await;
    assert_eq!(sent["deliveries"][0]["attempts"], 1);
    assert_eq!(stage.heard().len(), 1);
}

#[tokio::test]
async fn the_bot_hears_of_its_channels_and_groups_and_of_itself() {
    let stage = Stage::new().await;
    stage.sandbox.world().slack().link.echo = true;
    let ts = stage.post(&json!({"text": "mine"})).await;
    stage.hears(1).await;
    stage
        .api(
            "chat.update",
            &json!({"channel": "C0DEPLOYS", "ts": ts, "text": "edited"}),
        )
        .await;
    stage.hears(2).await;
    stage
        .does("/slack/rename", &json!({"channel": "C0DEPLOYS", "name": "releases"}))
        .await;
    stage.hears(3).await;
    stage.does("/slack/archive", &json!({"channel": "C0DEPLOYS"})).await;
    stage.hears(4).await;
    stage
        .does(
            "/slack/group",
            &json!({"group": "S0OPS", "users": ["U0BRUNO", "U0DANA"]}),
        )
        .await;
    let events: Vec<Value> = stage
        .hears(5)
        .await
        .iter()
        .map(|heard| heard.payload()["event"].clone())
        .collect();
    assert_eq!(events[0]["bot_id"], "B0SIGNAL");
    assert_eq!(events[1]["subtype"], "message_changed");
    assert_eq!(
        (&events[2]["type"], &events[2]["channel"]["name"]),
        (&json!("channel_rename"), &json!("releases"))
    );
    assert_eq!(events[3]["type"], "channel_archive");
    assert_eq!(
        (&events[4]["added_users"], &events[4]["removed_users"]),
        (&json!(["U0DANA"]), &json!(["U0CARLA"]))
    );
}

#[tokio::test]
async fn a_channel_without_the_bot_is_silent() {
    let stage = Stage::new().await;
    let said = json!({"user": "U0ANN", "channel": "C0RANDOM", "text": "@signalbox hello", "wait": true});
    assert_eq!(stage.does("/slack/message", &said).await["deliveries"], json!([]));
    assert!(stage.heard().is_empty());
}

#[tokio::test]
async fn a_delivery_can_come_again() {
    let stage = Stage::new().await;
    let seq = stage.does("/slack/command", &command("U0ANN", "/deploy status")).await["seq"].clone();
    stage.clock.jump(10_000);
    let again = stage
        .does("/slack/deliver", &json!({"seq": seq, "times": 3, "together": true}))
        .await;
    assert_eq!(again["statuses"], json!([200, 200, 200]));
    stage
        .does("/slack/deliver", &json!({"seq": seq, "times": 1, "verbatim": true}))
        .await;
    let heard = stage.heard();
    assert_eq!(heard.len(), 5);
    assert!(heard.iter().all(|other| other.body == heard[0].body));
    let signed_at = |index: usize| heard[index].header("x-slack-request-timestamp");
    assert_eq!(signed_at(4), signed_at(0), "a replay keeps its old signature");
    assert_ne!(signed_at(1), signed_at(0), "a delivery is signed anew");
    let (status, _) = stage.control("/slack/deliver", &json!({"seq": 9999, "times": 1})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_snapshot_shows_the_workspace_without_its_messages() {
    let stage = Stage::new().await;
    let ts = stage.post(&json!({"text": "x"})).await;
    stage.post(&json!({"text": "in its thread", "thread_ts": ts})).await;
    let state = stage.get("/control/state").await;
    assert_eq!((&state["now_ms"], &state["frozen"]), (&json!(NOON_MS), &json!(true)));
    assert_eq!(state["slack"]["people"].as_array().unwrap().len(), 8);
    assert_eq!(state["slack"]["channels"][0]["message_count"], 1);
    assert_eq!(state["slack"]["channels"][0]["last_ts"], json!(ts));
    assert_eq!(state["host"]["available"], false);
    let (status, refused) = stage.control("/host/restart", &json!({})).await;
    assert_eq!((status, &refused["error"]), (409, &json!("no_host")));
}
