//! Modals: triggers, submissions, answers to them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Reply, Stage, card};

fn modal(title: &str) -> Value {
    json!({
        "type": "modal", "callback_id": "reject", "notify_on_close": true,
        "title": {"type": "plain_text", "text": title}, "submit": {"type": "plain_text", "text": "Reject"},
        "blocks": [{"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "reason", "min_length": 3}}],
    })
}

/// Has Ann press a button; the trigger that the app got.
async fn trigger(stage: &Stage) -> Value {
    let ts = stage.post(&card("reject")).await;
    let press = json!({"user": "U0ANN", "channel": "C0DEPLOYS", "ts": ts, "action_id": "reject"});
    stage.does("/slack/click", &press).await;
    stage.heard().last().unwrap().payload()["trigger_id"].clone()
}

/// Opens a modal before Ann; its id.
async fn open(stage: &Stage) -> Value {
    let opened = stage
        .api(
            "views.open",
            &json!({"trigger_id": trigger(stage).await, "view": modal("Reject")}),
        )
        .await;
    assert_eq!(opened["ok"], true, "{opened}");
    opened["view"]["id"].clone()
}

fn filled(view: &Value, reason: &str) -> Value {
    json!({"user": "U0ANN", "view_id": view, "values": {"why": {"reason": reason}}})
}

/// The titles of the modals before Ann, bottom first.
async fn titles(stage: &Stage) -> Vec<Value> {
    let state = stage.get("/control/state").await;
    let stacks = state["slack"]["modals"].as_array().unwrap().clone();
    let views = stacks
        .first()
        .map(|stack| stack["views"].as_array().unwrap().clone())
        .unwrap_or_default();
    views.iter().map(|view| view["title"]["text"].clone()).collect()
}

#[tokio::test]
async fn a_trigger_opens_one_modal_and_only_at_once() {
    let stage = Stage::new().await;
    let trigger_id = trigger(&stage).await;
    let call = json!({"trigger_id": trigger_id, "view": modal("Reject")});
    assert_eq!(stage.api("views.open", &call).await["ok"], true);
    assert_eq!(stage.api("views.open", &call).await["error"], "exchanged_trigger_id");
    let late = trigger(&stage).await;
    stage.clock.jump(3_001);
    let call = json!({"trigger_id": late, "view": modal("Reject")});
    assert_eq!(stage.api("views.open", &call).await["error"], "expired_trigger_id");
    let forged = json!({"trigger_id": "1.2.3", "view": modal("Reject")});
    assert_eq!(stage.api("views.open", &forged).await["error"], "invalid_trigger_id");
    let mut broken = call.clone();
    broken["view"]["title"]["text"] = json!("a title that is far too long for Slack");
    let refused = stage.api("views.open", &broken).await;
    assert_eq!(refused["error"], "invalid_arguments");
    assert!(
        refused["response_metadata"]["messages"][0]
            .as_str()
            .unwrap()
            .contains("/view/title/text"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_submission_carries_the_values_and_an_empty_answer_closes() {
    let stage = Stage::new().await;
    let view = open(&stage).await;
    let refused = stage.does("/slack/submit", &filled(&view, "no")).await;
    assert_eq!(refused["errors"]["why"], "This entry must be at least 3 characters.");
    assert_eq!(stage.does("/slack/submit", &filled(&view, "")).await["status"], 0);
    assert_eq!(stage.heard().len(), 1, "Slack checks before it sends");
    let sent = stage.does("/slack/submit", &filled(&view, "too risky")).await;
    assert_eq!((&sent["status"], &sent["response_action"]), (&json!(200), &Value::Null));
    let payload = stage.heard().last().unwrap().payload();
    assert_eq!(
        (&payload["type"], &payload["view"]["callback_id"]),
        (&json!("view_submission"), &json!("reject"))
    );
    let held = &payload["view"]["state"]["values"]["why"]["reason"];
    assert_eq!(held, &json!({"type": "plain_text_input", "value": "too risky"}));
    assert!(titles(&stage).await.is_empty());
    let (status, _) = stage.control("/slack/submit", &filled(&view, "too risky")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn an_answer_may_show_errors_update_push_and_clear() {
    let stage = Stage::new().await;
    let view = open(&stage).await;
    let submit = async |view: &Value, answer: Value| {
        stage.app_says(&answer);
        stage.does("/slack/submit", &filled(view, "because")).await
    };
    let shown = submit(
        &view,
        json!({"response_action": "errors", "errors": {"why": "say more"}}),
    )
    .await;
    assert_eq!(shown["errors"]["why"], "say more");
    let state = stage.get("/control/state").await;
    assert_eq!(state["slack"]["modals"][0]["views"][0]["errors"]["why"], "say more");
    let stray = submit(
        &view,
        json!({"response_action": "errors", "errors": {"elsewhere": "x"}}),
    )
    .await;
    assert_eq!(stray["error"], "invalid_response");
    submit(&view, json!({"response_action": "update", "view": modal("Sure?")})).await;
    assert_eq!(titles(&stage).await, ["Sure?"]);
    submit(&view, json!({"response_action": "push", "view": modal("Really?")})).await;
    assert_eq!(titles(&stage).await, ["Sure?", "Really?"]);
    let broken = json!({"response_action": "update", "view": {"type": "modal"}});
    let top = stage.get("/control/state").await["slack"]["modals"][0]["views"][1]["id"].clone();
    assert_eq!(submit(&top, broken).await["error"], "invalid_response");
    submit(&top, json!({"response_action": "clear"})).await;
    assert!(titles(&stage).await.is_empty());
}

#[tokio::test]
async fn a_submission_that_nobody_answers_leaves_the_modal_open() {
    let stage = Stage::new().await;
    let view = open(&stage).await;
    stage.app_replies([Reply::Hang]);
    stage.waits(Duration::from_millis(100));
    let sent = stage.does("/slack/submit", &filled(&view, "because")).await;
    assert_eq!(sent["error"], "operation_timeout");
    assert_eq!(titles(&stage).await, ["Reject"]);
}

#[tokio::test]
async fn an_update_minds_the_hash_and_reaches_the_person() {
    let stage = Stage::new().await;
    let opened = stage
        .api(
            "views.open",
            &json!({"trigger_id": trigger(&stage).await, "view": modal("Loading")}),
        )
        .await["view"]
        .clone();
    let update = |hash: &Value| json!({"view_id": opened["id"], "hash": hash, "view": modal("Loaded")});
    let updated = stage.api("views.update", &update(&opened["hash"])).await;
    assert_eq!(updated["ok"], true, "{updated}");
    assert_eq!(titles(&stage).await, ["Loaded"]);
    assert_eq!(
        stage.api("views.update", &update(&opened["hash"])).await["error"],
        "hash_conflict"
    );
    let missing = json!({"view_id": "V0NONE", "view": modal("x")});
    assert_eq!(stage.api("views.update", &missing).await["error"], "not_found");
}

#[tokio::test]
async fn closing_is_told_where_the_app_asked_for_it() {
    let stage = Stage::new().await;
    let view = open(&stage).await;
    let closed = stage
        .does("/slack/close", &json!({"user": "U0ANN", "view_id": view}))
        .await;
    assert_eq!(closed["delivered"], true);
    let payload = stage.heard().last().unwrap().payload();
    assert_eq!(
        (&payload["type"], &payload["view"]["id"]),
        (&json!("view_closed"), &view)
    );
    let mut quiet = modal("Quiet");
    quiet["notify_on_close"] = json!(false);
    let opened = stage
        .api(
            "views.open",
            &json!({"trigger_id": trigger(&stage).await, "view": quiet}),
        )
        .await;
    let before = stage.heard().len();
    let closed = stage
        .does(
            "/slack/close",
            &json!({"user": "U0ANN", "view_id": opened["view"]["id"]}),
        )
        .await;
    assert_eq!((&closed["delivered"], stage.heard().len()), (&json!(false), before));
}

#[tokio::test]
async fn a_button_in_a_modal_pushes_another_up_to_three() {
    let stage = Stage::new().await;
    let button = json!({"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}});
    let view = json!({
        "type": "modal", "title": {"type": "plain_text", "text": "Deep"},
        "blocks": [{"type": "actions", "block_id": "go", "elements": [button]}],
    });
    let from_message = trigger(&stage).await;
    let opened = stage
        .api("views.open", &json!({"trigger_id": from_message, "view": view}))
        .await;
    let mut top = opened["view"]["id"].clone();
    for depth in 2..=4 {
        stage
            .does(
                "/slack/click",
                &json!({"user": "U0ANN", "view_id": top, "action_id": "more"}),
            )
            .await;
        let payload = stage.heard().last().unwrap().payload();
        assert_eq!((&payload["container"]["view_id"], payload.get("message")), (&top, None));
        let pushed = stage
            .api(
                "views.push",
                &json!({"trigger_id": payload["trigger_id"], "view": view}),
            )
            .await;
        if depth == 4 {
            assert_eq!(pushed["error"], "push_limit_reached");
        } else {
            assert_eq!(
                (&pushed["view"]["previous_view_id"], &pushed["view"]["root_view_id"]),
                (&top, &opened["view"]["id"])
            );
            top = pushed["view"]["id"].clone();
        }
    }
    assert_eq!(titles(&stage).await.len(), 3);
    let unpushable = trigger(&stage).await;
    let refused = stage
        .api("views.push", &json!({"trigger_id": unpushable, "view": view}))
        .await;
    assert_eq!(
        refused["error"], "not_found",
        "a click outside a modal has nothing to push on"
    );
}
