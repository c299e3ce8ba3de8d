//! Buttons and selects in messages.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Reply, Stage, card};

fn click(user: &str, ts: &str, action: &str) -> Value {
    json!({"user": user, "channel": "C0DEPLOYS", "ts": ts, "action_id": action})
}

#[tokio::test]
async fn a_click_carries_the_message_the_button_and_the_person() {
    let stage = Stage::new().await;
    let ts = stage.post(&card("approve")).await;
    let sent = stage.does("/slack/click", &click("U0ANN", &ts, "approve")).await;
    assert_eq!((&sent["status"], &sent["error"]), (&json!(200), &Value::Null));
    let heard = stage.heard().remove(0);
    assert_eq!(heard.path, "/slack/interactions");
    let payload = heard.payload();
    assert_eq!(payload["type"], "block_actions");
    assert_eq!(
        payload["user"],
        json!({"id": "U0ANN", "username": "ann", "name": "ann", "team_id": "T0SIGNAL"})
    );
    assert_eq!(
        (&payload["api_app_id"], &payload["enterprise"]),
        (&json!("A0SIGNAL"), &Value::Null)
    );
    assert_eq!(payload["container"]["message_ts"], *ts);
    assert_eq!(payload["message"]["metadata"]["event_payload"]["run"], "r1");
    let action = &payload["actions"][0];
    assert_eq!(
        (&action["action_id"], &action["block_id"]),
        (&json!("approve"), &json!("decide"))
    );
    assert_eq!(
        (&action["value"], &action["style"], &action["type"]),
        (&json!("round-1"), &json!("primary"), &json!("button"))
    );
    assert_eq!(payload.get("token"), None);
}

#[tokio::test]
async fn only_what_somebody_sees_can_be_pressed() {
    let stage = Stage::new().await;
    let ts = stage.post(&card("approve")).await;
    let mut for_ann = card("mine");
    for_ann["channel"] = json!("C0DEPLOYS");
    for_ann["user"] = json!("U0ANN");
    let own = stage.api("chat.postEphemeral", &for_ann).await["message_ts"]
        .as_str()
        .unwrap()
        .to_owned();
    for (body, status, error) in [
        (click("U0ANN", &ts, "reject"), 404, "no_such_button"),
        (click("U0ANN", "1.000001", "approve"), 404, "message_not_found"),
        (click("U0EVE", &ts, "approve"), 403, "not_in_channel"),
        (click("U0OLD", &ts, "approve"), 403, "account_inactive"),
        (click("U0BRUNO", &own, "mine"), 404, "message_not_found"),
    ] {
        let (got, answer) = stage.control("/slack/click", &body).await;
        assert_eq!((got, &answer["error"]), (status, &json!(error)), "{body}");
    }
    stage.does("/slack/click", &click("U0ANN", &own, "mine")).await;
    let payload = stage.heard().remove(0).payload();
    assert_eq!(payload["container"]["is_ephemeral"], true);
    assert_eq!(
        payload.get("message"),
        None,
        "Slack keeps no ephemeral message to show again"
    );
}

#[tokio::test]
async fn an_answer_through_the_url_changes_what_was_pressed() {
    let stage = Stage::new().await;
    let ts = stage.post(&card("approve")).await;
    let mut own = card("mine");
    own["channel"] = json!("C0DEPLOYS");
    own["user"] = json!("U0ANN");
    let own = stage.api("chat.postEphemeral", &own).await["message_ts"]
        .as_str()
        .unwrap()
        .to_owned();
    stage.does("/slack/click", &click("U0ANN", &ts, "approve")).await;
    stage.does("/slack/click", &click("U0ANN", &own, "mine")).await;
    let urls: Vec<String> = stage
        .heard()
        .iter()
        .map(|heard| heard.payload()["response_url"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        stage
            .respond(&urls[0], &json!({"text": "decided", "replace_original": true}))
            .await,
        200
    );
    assert_eq!(stage.texts(), ["decided"]);
    let bad = json!({"text": "x", "blocks": [{"type": "nonsense"}]});
    assert_eq!(stage.respond(&urls[0], &bad).await, 400);
    assert_eq!(
        stage
            .respond(&urls[1], &json!({"text": "yours, decided", "replace_original": true}))
            .await,
        200
    );
    assert_eq!(stage.seen_by("U0ANN").await[1]["text"], "yours, decided");
    assert_eq!(stage.respond(&urls[1], &json!({"delete_original": true})).await, 200);
    assert_eq!(
        stage
            .respond(&urls[1], &json!({"text": "in the thread", "thread_ts": ts}))
            .await,
        200
    );
    let seen = stage.seen_by("U0ANN").await;
    assert_eq!(
        (seen.len(), &seen[0]["replies"][0]["text"]),
        (1, &json!("in the thread"))
    );
    assert_eq!(
        stage
            .respond(&stage.url("/slack/response/forged"), &json!({"text": "x"}))
            .await,
        404
    );
}

#[tokio::test]
async fn a_strangers_click_names_their_own_workspace() {
    let stage = Stage::new().await;
    let mut shared = card("approve");
    shared["channel"] = json!("C0SHARED");
    let ts = stage.api("chat.postMessage", &shared).await["ts"].clone();
    let press = json!({"user": "U0EVE", "channel": "C0SHARED", "ts": ts, "action_id": "approve"});
    stage.does("/slack/click", &press).await;
    let payload = stage.heard().remove(0).payload();
    assert_eq!(
        (&payload["team"]["id"], &payload["user"]["team_id"]),
        (&json!("T0SIGNAL"), &json!("T0OTHER"))
    );
}

#[tokio::test]
async fn a_choice_in_a_select_carries_the_option() {
    let stage = Stage::new().await;
    let option = |value: &str| json!({"text": {"type": "plain_text", "text": value}, "value": value});
    let select =
        json!({"type": "static_select", "action_id": "env", "options": [option("testnet"), option("mainnet")]});
    let ts = stage
        .post(&json!({"text": "x", "blocks": [{"type": "actions", "elements": [select]}]}))
        .await;
    let mut choice = click("U0ANN", &ts, "env");
    choice["value"] = json!("mainnet");
    stage.does("/slack/click", &choice).await;
    let payload = stage.heard().remove(0).payload();
    assert_eq!(payload["actions"][0]["selected_option"]["value"], "mainnet");
    choice["value"] = json!("elsewhere");
    let (status, answer) = stage.control("/slack/click", &choice).await;
    assert_eq!((status, &answer["error"]), (404, &json!("no_such_option")));
}

#[tokio::test]
async fn a_click_that_nobody_answers_fails_and_is_not_retried() {
    let stage = Stage::new().await;
    let ts = stage.post(&card("approve")).await;
    stage.app_replies([Reply::Hang]);
    stage.waits(Duration::from_millis(100));
    let sent = stage.does("/slack/click", &click("U0ANN", &ts, "approve")).await;
    assert_eq!(
        (&sent["status"], &sent["error"]),
        (&json!(0), &json!("operation_timeout"))
    );
    stage.sandbox.world().slack().connect("http://127.0.0.1:1", "s");
    let sent = stage.does("/slack/click", &click("U0ANN", &ts, "approve")).await;
    assert_eq!(sent["error"], "dispatch_failed");
    assert_eq!(stage.heard().len(), 1);
}
