//! The Web API: arguments, errors, what is stored and what comes back.

use serde_json::{Value, json};

use crate::support::{Stage, card};

#[tokio::test]
async fn only_the_bots_token_is_let_in() {
    let stage = Stage::new().await;
    let client = reqwest::Client::new();
    let url = stage.url("/slack/api/auth.test");
    let anonymous: Value = client.post(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(anonymous["error"], "not_authed");
    let forged: Value = client
        .post(&url)
        .bearer_auth("xoxb-forged")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(forged["error"], "invalid_auth");
    let known = client.get(&url).bearer_auth("xoxb-sandbox").send().await.unwrap();
    assert!(
        known.headers()["x-oauth-scopes"]
            .to_str()
            .unwrap()
            .contains("chat:write")
    );
    assert_eq!(known.json::<Value>().await.unwrap()["user_id"], "U0SIGNAL");
    assert_eq!(
        stage.api("apps.connections.open", &json!({})).await["error"],
        "unknown_method"
    );
    let log = stage.get("/control/log").await.to_string();
    assert!(!log.contains("xoxb"), "tokens are not kept: {log}");
}

#[tokio::test]
async fn a_method_that_only_reads_does_not_look_at_json() {
    let stage = Stage::new().await;
    let refused = stage.api("users.info", &json!({"user": "U0ANN"})).await;
    assert_eq!(refused["error"], "invalid_arguments");
    assert_eq!(
        refused["response_metadata"]["messages"][0],
        "[ERROR] missing required field: user"
    );
    let found = stage.form("users.info", &[("user", "U0ANN")]).await;
    assert_eq!(found["user"]["profile"]["email"], "ann@example.org");
}

#[tokio::test]
async fn posting_is_refused_with_slacks_codes() {
    let stage = Stage::new().await;
    stage.does("/slack/archive", &json!({"channel": "C0GENERAL"})).await;
    let many: Vec<Value> = (0..51).map(|_| json!({"type": "divider"})).collect();
    for (body, error) in [
        (json!({"channel": "C0NOWHERE", "text": "x"}), "channel_not_found"),
        (json!({"channel": "C0RANDOM", "text": "x"}), "not_in_channel"),
        (json!({"channel": "C0GENERAL", "text": "x"}), "is_archived"),
        (json!({"channel": "C0DEPLOYS", "text": " "}), "no_text"),
        (
            json!({"channel": "C0DEPLOYS", "text": "x", "blocks": many}),
            "invalid_blocks",
        ),
        (
            json!({"channel": "C0DEPLOYS", "text": "x", "blocks": "{"}),
            "invalid_blocks_format",
        ),
        (
            json!({"channel": "C0DEPLOYS", "text": "x", "metadata": {"event_type": "t"}}),
            "invalid_metadata_format",
        ),
        (
            json!({"channel": "C0DEPLOYS", "text": "x", "thread_ts": "1.000001"}),
            "cannot_reply_to_message",
        ),
        (json!({"text": "x"}), "invalid_arguments"),
    ] {
        assert_eq!(stage.api("chat.postMessage", &body).await["error"], error, "{body}");
    }
    assert_eq!(stage.texts(), Vec::<String>::new());
}

#[tokio::test]
async fn an_edit_replaces_text_and_blocks_and_keeps_metadata() {
    let stage = Stage::new().await;
    let ts = stage.post(&card("approve")).await;
    let edit = |more: Value| {
        let mut body = json!({"channel": "C0DEPLOYS", "ts": ts, "text": "decided"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let edited = stage.api("chat.update", &edit(json!({}))).await;
    assert_eq!(
        edited["message"]["blocks"],
        Value::Null,
        "a text-only edit drops the blocks"
    );
    assert_eq!(edited["message"]["metadata"]["event_payload"]["run"], "r1");
    assert_eq!(edited["message"]["edited"]["user"], "U0SIGNAL");
    let cleared = stage.api("chat.update", &edit(json!({"metadata": {}}))).await;
    assert_eq!(cleared["message"]["metadata"], Value::Null);
    let long = stage.api("chat.update", &edit(json!({"text": "x".repeat(4001)}))).await;
    assert_eq!(long["error"], "msg_too_long");
    let said = stage
        .does(
            "/slack/message",
            &json!({"user": "U0ANN", "channel": "C0DEPLOYS", "text": "hi"}),
        )
        .await;
    let others = json!({"channel": "C0DEPLOYS", "ts": said["ts"], "text": "x"});
    assert_eq!(stage.api("chat.update", &others).await["error"], "cant_update_message");
    assert_eq!(stage.api("chat.delete", &others).await["error"], "cant_delete_message");
    let nowhere = json!({"channel": "C0DEPLOYS", "ts": "1.000001", "text": "x"});
    assert_eq!(stage.api("chat.update", &nowhere).await["error"], "message_not_found");
}

#[tokio::test]
async fn history_shows_metadata_on_request_and_replies_in_their_thread() {
    let stage = Stage::new().await;
    let parent = stage.post(&card("approve")).await;
    let reply = stage.post(&json!({"text": "detail", "thread_ts": parent})).await;
    let shown = stage
        .post(&json!({"text": "news", "thread_ts": parent, "reply_broadcast": true}))
        .await;
    let history = stage
        .api("conversations.history", &json!({"channel": "C0DEPLOYS"}))
        .await;
    let listed: Vec<&Value> = history["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["ts"])
        .collect();
    assert_eq!(
        listed,
        [&json!(shown), &json!(parent)],
        "newest first, replies only where they were broadcast"
    );
    assert_eq!(history["messages"][1]["metadata"], Value::Null);
    assert_eq!(history["messages"][1]["reply_count"], 2);
    let with = json!({"channel": "C0DEPLOYS", "include_all_metadata": true, "limit": 1});
    let page = stage.api("conversations.history", &with).await;
    assert_eq!(
        (page["messages"].as_array().unwrap().len(), &page["has_more"]),
        (1, &json!(true))
    );
    let mut next = with.clone();
    next["cursor"] = page["response_metadata"]["next_cursor"].clone();
    let page = stage.api("conversations.history", &next).await;
    assert_eq!(page["messages"][0]["metadata"]["event_payload"]["run"], "r1");
    assert_eq!(page["response_metadata"]["next_cursor"], "");
    let since = json!({"channel": "C0DEPLOYS", "oldest": parent});
    assert_eq!(
        stage.api("conversations.history", &since).await["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let thread = stage
        .form("conversations.replies", &[("channel", "C0DEPLOYS"), ("ts", &reply)])
        .await;
    assert_eq!(thread["messages"].as_array().unwrap().len(), 3);
    assert_eq!(thread["messages"][0]["ts"], *parent);
    let missing = stage
        .form("conversations.replies", &[("channel", "C0DEPLOYS"), ("ts", "1.000001")])
        .await;
    assert_eq!(missing["error"], "thread_not_found");
}

#[tokio::test]
async fn a_deleted_parent_leaves_a_stub_and_a_deleted_message_nothing() {
    let stage = Stage::new().await;
    let parent = stage.post(&json!({"text": "parent"})).await;
    stage.post(&json!({"text": "reply", "thread_ts": parent})).await;
    let lonely = stage.post(&json!({"text": "lonely"})).await;
    for ts in [&parent, &lonely] {
        assert_eq!(
            stage
                .api("chat.delete", &json!({"channel": "C0DEPLOYS", "ts": ts}))
                .await["ok"],
            true
        );
    }
    assert_eq!(stage.texts(), ["This message was deleted.", "reply"]);
    let again = stage
        .api("chat.delete", &json!({"channel": "C0DEPLOYS", "ts": parent}))
        .await;
    assert_eq!(again["error"], "message_not_found");
}

#[tokio::test]
async fn an_ephemeral_is_seen_by_one_and_stored_nowhere() {
    let stage = Stage::new().await;
    let to = |user: &str| json!({"channel": "C0DEPLOYS", "user": user, "text": "for you"});
    assert_eq!(
        stage.api("chat.postEphemeral", &to("U0EVE")).await["error"],
        "user_not_in_channel"
    );
    let posted = stage.api("chat.postEphemeral", &to("U0ANN")).await;
    let seen = stage.seen_by("U0ANN").await;
    assert_eq!(
        (&seen[0]["text"], &seen[0]["ephemeral"]),
        (&json!("for you"), &json!(true))
    );
    assert_eq!(stage.seen_by("U0BRUNO").await.len(), 0);
    let history = stage
        .api("conversations.history", &json!({"channel": "C0DEPLOYS"}))
        .await;
    assert_eq!(history["messages"], json!([]));
    let edit = json!({"channel": "C0DEPLOYS", "ts": posted["message_ts"], "text": "x"});
    assert_eq!(stage.api("chat.update", &edit).await["error"], "message_not_found");
}

#[tokio::test]
async fn people_and_groups_are_described_as_slack_does() {
    let stage = Stage::new().await;
    let info = async |user: &str| stage.form("users.info", &[("user", user)]).await["user"].clone();
    assert_eq!(info("U0GUS").await["is_restricted"], true);
    let eve = info("U0EVE").await;
    assert_eq!(
        (&eve["is_stranger"], &eve["team_id"]),
        (&json!(true), &json!("T0OTHER"))
    );
    assert_eq!(eve["profile"].get("email"), None);
    assert_eq!(info("U0ANN").await.get("is_stranger"), None);
    assert_eq!(info("U0OLD").await["deleted"], true);
    let by_email = async |email: &str| stage.form("users.lookupByEmail", &[("email", email)]).await;
    assert_eq!(by_email("dana@example.org").await["user"]["id"], "U0DANA");
    assert_eq!(by_email("olaf@example.org").await["error"], "users_not_found");
    let plain = stage.form("usergroups.list", &[]).await;
    assert_eq!(plain["usergroups"][0].get("user_count"), None);
    let counted = stage.form("usergroups.list", &[("include_count", "true")]).await;
    assert_eq!(counted["usergroups"][0]["user_count"], 3);
    let users = stage.form("usergroups.users.list", &[("usergroup", "S0OPS")]).await;
    assert_eq!(users["users"], json!(["U0BRUNO", "U0CARLA"]));
    let none = stage.form("usergroups.users.list", &[("usergroup", "S0NONE")]).await;
    assert_eq!(none["error"], "no_such_subteam");
    let channel = stage.form("conversations.info", &[("channel", "C0SHARED")]).await;
    assert_eq!(channel["channel"]["is_ext_shared"], true);
}

#[tokio::test]
async fn a_direct_message_opens_and_a_file_arrives_in_a_thread() {
    let stage = Stage::new().await;
    let open = json!({"users": "U0ANN"});
    assert_eq!(stage.api("conversations.open", &open).await["channel"]["id"], "D0ANN");
    assert_eq!(stage.api("conversations.open", &open).await["already_open"], true);
    assert_eq!(
        stage.api("conversations.open", &json!({"users": "U0OLD"})).await["error"],
        "user_disabled"
    );
    assert_eq!(
        stage
            .api("chat.postMessage", &json!({"channel": "U0BRUNO", "text": "x"}))
            .await["channel"],
        "D0BRUNO"
    );
    let parent = stage.post(&json!({"text": "parent"})).await;
    let asked = stage
        .form(
            "files.getUploadURLExternal",
            &[("filename", "audit.csv"), ("length", "3")],
        )
        .await;
    let done = json!({"files": [{"id": asked["file_id"]}], "channel_id": "C0DEPLOYS", "thread_ts": parent});
    assert_eq!(
        stage.api("files.completeUploadExternal", &done).await["error"],
        "file_not_found"
    );
    let client = reqwest::Client::new();
    client
        .post(asked["upload_url"].as_str().unwrap())
        .body("a,b")
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    assert_eq!(
        stage.api("files.completeUploadExternal", &done).await["files"][0]["name"],
        "audit.csv"
    );
    assert_eq!(
        stage.seen_by("U0ANN").await[0]["replies"][0]["files"][0]["name"],
        "audit.csv"
    );
}

#[tokio::test]
async fn posting_faster_than_slack_allows_is_limited_until_time_passes() {
    let stage = Stage::new().await;
    for _ in 0..5 {
        stage.post(&json!({"text": "x"})).await;
    }
    let body = json!({"channel": "C0DEPLOYS", "text": "x"});
    let limited = stage.call("chat.postMessage", &body).await.unwrap();
    assert_eq!(
        (
            limited.status().as_u16(),
            limited.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "1")
    );
    assert_eq!(limited.json::<Value>().await.unwrap()["error"], "ratelimited");
    stage.does("/clock/jump", &json!({"seconds": 1})).await;
    assert_eq!(stage.api("chat.postMessage", &body).await["ok"], true);
    let unlimited = Stage::with(|options| options.rate_limits = false).await;
    for _ in 0..20 {
        unlimited.post(&json!({"text": "x"})).await;
    }
}

#[tokio::test]
async fn bodies_are_recorded_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::with(|options| options.record_bodies = Some(folder.path().to_owned())).await;
    stage.post(&card("approve")).await;
    stage.form("usergroups.list", &[("include_count", "true")]).await;
    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let lines: Vec<Value> = std::fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["method"], "chat.postMessage");
    assert_eq!(lines[0]["body"]["blocks"][1]["block_id"], "decide");
    assert_eq!(
        lines[1],
        json!({"method": "usergroups.list", "body": {"include_count": true}})
    );
}
