use commands::time::Span;
use commands::view::Message;
use serde_json::{Value, json};

use super::*;
use crate::door::DoorError;
use crate::testing::{Answer, StillClock, Wire, answer, lost};

const NOW: Timestamp = Timestamp(1_795_226_400_000);

fn slack(wire: &Arc<Wire>) -> Slack {
    let base = "https://slack.test/api".parse().unwrap();
    Slack::new(
        Arc::clone(wire) as Arc<dyn Outgoing>,
        StillClock::at(NOW),
        base,
        Secret::new("xoxb-canary"),
    )
}

fn channel() -> ChannelId {
    ChannelId::parse("C0DEPLOYS").unwrap()
}

async fn post(wire: &Arc<Wire>) -> Result<String, SlackError> {
    let drawn = render::message(&Message::sentence("hello"));
    let channel = channel();
    let post = Post {
        channel: &channel,
        thread: Some("1.1"),
        drawn: &drawn,
        marker: "card:run/1",
    };
    slack(wire).post(post, Lease::NONE).await
}

#[tokio::test]
async fn a_post_carries_its_marker_and_unfurls_nothing() {
    let wire = Wire::new(|_| {
        answer(
            200,
            r#"{"ok": true, "channel": "C0DEPLOYS", "ts": "17.1", "brand": "new"}"#,
        )
    });
    assert_eq!(post(&wire).await, Ok("17.1".to_owned()));
    let body: Value = serde_json::from_str(&wire.calls()[0].1).unwrap();
    assert_eq!(
        body["metadata"],
        json!({"event_type": "signalbox", "event_payload": {"key": "card:run/1"}})
    );
    assert_eq!(
        (&body["channel"], &body["thread_ts"], &body["text"]),
        (&json!("C0DEPLOYS"), &json!("1.1"), &json!("hello"))
    );
    assert_eq!(
        (&body["unfurl_links"], &body["unfurl_media"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(body["blocks"][0]["type"], "section");
    assert_eq!(wire.addresses(), ["https://slack.test/api/chat.postMessage"]);
}

#[tokio::test]
async fn failures_say_whether_a_post_may_be_there() {
    let refused = |code: &str| SlackError::Refused { code: code.to_owned() };
    let unknown = |error: &SlackError| matches!(error, SlackError::Unknown(_));
    let with = |make: fn() -> Answer| Wire::new(move |_| make());
    let error = post(&with(|| answer(200, r#"{"ok": false, "error": "is_archived"}"#)))
        .await
        .unwrap_err();
    assert_eq!(error, refused("is_archived"));
    for lost in [
        with(lost),
        with(|| answer(500, "oops")),
        with(|| answer(200, "<html>")),
        with(|| answer(200, r#"{"ok": true}"#)),
        with(|| answer(200, r#"{"ok": false, "error": "fatal_error"}"#)),
    ] {
        let error = post(&lost).await.unwrap_err();
        assert!(unknown(&error), "{error:?}");
    }
    let not_sent = with(|| Err(DoorError::NotSent("refused".to_owned())));
    assert_eq!(post(&not_sent).await, Err(SlackError::NotSent("refused".to_owned())));
}

#[tokio::test]
async fn what_slack_asks_for_is_kept_for_everybody() {
    let limited = || {
        let answer = http::Response::builder().status(429).header("retry-after", "30");
        Ok(answer.body(Bytes::from_static(b"")).unwrap())
    };
    let wire = Wire::new(move |_| limited());
    let slack = slack(&wire);
    let drawn = render::message(&Message::sentence("hello"));
    let error = slack.update(&channel(), "17.1", &drawn, Lease::NONE).await.unwrap_err();
    let retry_after = Some(Span::seconds(30));
    assert_eq!(error, SlackError::RateLimited { retry_after });
    let until = Some(NOW + Span::seconds(30));
    assert_eq!(slack.limiter().turn("chat.update", None, NOW).await, until);
    assert_eq!(slack.limiter().turn("views.open", None, NOW).await, None);
}

fn page(messages: Value, cursor: &str) -> Answer {
    answer(
        200,
        &json!({"ok": true, "messages": messages, "response_metadata": {"next_cursor": cursor}}).to_string(),
    )
}

fn home() -> Home {
    Home {
        bot: Some("B0SIGNAL".to_owned()),
        ..Home::default()
    }
}

async fn find(wire: &Arc<Wire>) -> Result<Vec<Found>, SlackError> {
    let channel = channel();
    let search = Search {
        channel: &channel,
        thread: None,
        marker: "card:run/1",
        since: NOW,
    };
    slack(wire).find(search, &home(), Lease::NONE).await
}

#[tokio::test]
async fn only_our_own_messages_with_the_very_marker_are_found() {
    let wire = Wire::new(|call| {
        let marked = |ts: &str, bot: &str, kind: &str, key: Value| json!({"ts": ts, "bot_id": bot, "metadata": {"event_type": kind, "event_payload": {"key": key}}});
        if String::from_utf8_lossy(call.request.body()).contains("cursor=more") {
            return page(
                json!([marked("16.9", "B0SIGNAL", "signalbox", json!("card:run/1"))]),
                "",
            );
        }
        let messages = json!([
            marked("17.1", "B0SIGNAL", "signalbox", json!("card:run/1")),
            marked("17.2", "B0OTHER", "signalbox", json!("card:run/1")),
            marked("17.3", "B0SIGNAL", "signalbox", json!("card:run/2")),
            marked("17.4", "B0SIGNAL", "other", json!("card:run/1")),
            marked("17.5", "B0SIGNAL", "signalbox", json!(1)),
            {"ts": "17.6", "user": "U0ANN", "text": "card:run/1"},
        ]);
        page(messages, "more")
    });
    let found: Vec<_> = find(&wire).await.unwrap().into_iter().map(|found| found.ts).collect();
    assert_eq!(found, ["16.9", "17.1"]);
}

#[tokio::test]
async fn a_history_without_end_proves_nothing() {
    let wire = Wire::new(|_| page(json!([]), "more"));
    assert!(matches!(find(&wire).await, Err(SlackError::Unknown(_))));
    assert_eq!(wire.count("conversations.history"), HISTORY_PAGES);
}

#[tokio::test]
async fn the_token_is_in_the_header_and_nowhere_else() {
    let wire = Wire::new(|call| {
        assert_eq!(call.request.headers()[AUTHORIZATION], "Bearer xoxb-canary");
        answer(
            200,
            r#"{"ok": true, "team_id": "T0SIGNAL", "user_id": "U0SIGNAL", "bot_id": "B0SIGNAL"}"#,
        )
    });
    let home = slack(&wire).whoami().await.unwrap();
    assert_eq!(home.team.unwrap().as_str(), "T0SIGNAL");
    assert!(wire.calls().iter().all(|(_, body)| !body.contains("canary")));
    assert!(wire.addresses().iter().all(|address| !address.contains("canary")));
}

#[tokio::test]
async fn a_reply_goes_where_slack_said_and_never_replaces_the_card() {
    let wire = Wire::new(|call| {
        assert_eq!(call.destination, Destination::SlackResponse);
        assert!(!call.request.headers().contains_key(AUTHORIZATION));
        answer(200, "ok")
    });
    let url = Secret::new("https://hooks.slack.com/actions/T0/1/x");
    slack(&wire)
        .respond(&url, &Message::sentence("only you"), false)
        .await
        .unwrap();
    let body: Value = serde_json::from_str(&wire.calls()[0].1).unwrap();
    assert_eq!(
        (&body["response_type"], &body["replace_original"]),
        (&json!("ephemeral"), &json!(false))
    );
}

#[tokio::test]
async fn what_is_gone_is_deleted_and_who_is_unknown_is_nobody() {
    let wire = Wire::new(|call| match call.name.as_str() {
        "chat.delete" => answer(200, r#"{"ok": false, "error": "message_not_found"}"#),
        _ => answer(200, r#"{"ok": false, "error": "users_not_found"}"#),
    });
    let slack = slack(&wire);
    assert_eq!(slack.delete(&channel(), "1.1", Lease::NONE).await, Ok(()));
    assert_eq!(slack.user_by_email("x@example.org").await, Ok(None));
    assert_eq!(wire.calls()[1].1, "email=x%40example.org");
}

#[tokio::test]
async fn direct_messages_are_opened_by_a_list_of_names() {
    let wire = Wire::new(|_| answer(200, r#"{"ok": true, "channel": {"id": "D0ANN"}}"#));
    let opened = slack(&wire)
        .open_direct(&UserId::parse("U0ANN").unwrap(), Lease::NONE)
        .await;
    assert_eq!(opened.unwrap().as_str(), "D0ANN");
    // Slack wants the names in one text; a list is no argument to it.
    assert_eq!(wire.calls()[0].1, "users=U0ANN");
}
