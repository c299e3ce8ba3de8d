use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use commands::time::{Span, Timestamp};
use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::testing::StillClock;

const NOW: Timestamp = Timestamp(1_795_226_400_000);
const SECRET: &str = "a-signing-secret";

#[derive(Default)]
struct Bot {
    heard: Mutex<Vec<Heard>>,
    noticed: Mutex<Vec<Notice>>,
    hinted: Mutex<Vec<Hint>>,
    answer: Mutex<Answer>,
}

#[async_trait]
impl Inbound for Bot {
    async fn hear(&self, heard: Heard) -> Answer {
        self.heard.lock().unwrap().push(heard);
        self.answer.lock().unwrap().clone()
    }

    async fn notice(&self, notice: Notice) {
        self.noticed.lock().unwrap().push(notice);
    }

    async fn hint(&self, hint: Hint) {
        self.hinted.lock().unwrap().push(hint);
    }
}

struct Ready(bool);

#[async_trait]
impl Probe for Ready {
    async fn ready(&self) -> Readiness {
        Readiness {
            store: self.0,
            store_detail: "embedded".to_owned(),
            slack: Some(false),
            aws: None,
        }
    }
}

fn routes(bot: &Arc<Bot>, ready: bool) -> Router {
    router(Http {
        bot: Arc::clone(bot) as Arc<dyn Inbound>,
        signing_secret: Secret::new(SECRET),
        clock: StillClock::at(NOW),
        probe: Arc::new(Ready(ready)),
        topics: None,
        metrics: None,
    })
}

fn signed(path: &str, kind: &str, body: String) -> Request {
    let stamp = NOW.seconds().to_string();
    Request::post(path)
        .header("content-type", kind)
        .header("x-slack-request-timestamp", &stamp)
        .header(
            "x-slack-signature",
            sign(&Secret::new(SECRET), &stamp, body.as_bytes()).unwrap(),
        )
        .body(Body::from(body))
        .unwrap()
}

async fn send(bot: &Arc<Bot>, request: Request) -> (StatusCode, String) {
    let answer = routes(bot, true).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn form(bot: &Arc<Bot>, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let body = serde_urlencoded::to_string(fields).unwrap();
    send(bot, signed(path, "application/x-www-form-urlencoded", body)).await
}

async fn interaction(bot: &Arc<Bot>, payload: &Value) -> (StatusCode, String) {
    form(bot, "/slack/interactions", &[("payload", &payload.to_string())]).await
}

async fn event(bot: &Arc<Bot>, body: &Value) -> (StatusCode, String) {
    send(bot, signed("/slack/events", "application/json", body.to_string())).await
}

fn only(bot: &Bot) -> Heard {
    let heard = bot.heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    heard[0].clone()
}

fn headers(stamp: &str, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-slack-request-timestamp", HeaderValue::from_str(stamp).unwrap());
    headers.insert("x-slack-signature", HeaderValue::from_str(signature).unwrap());
    headers
}

#[test]
fn the_example_that_slack_publishes_verifies() {
    let secret = Secret::new("8f742231b10e8888abcd99yyyzzz85a5");
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar\
        &user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F\
        T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let stamp = "1531420618";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let now = Timestamp(1_531_420_618_000);
    assert_eq!(
        verify(&secret, &headers(stamp, signature), body.as_bytes(), now),
        Ok(())
    );
    let upper = signature.to_uppercase().replace("V0", "v0");
    assert_eq!(
        verify(&secret, &headers(stamp, &upper), body.as_bytes(), now),
        Err(Unsigned::Signature)
    );
    for (away, result) in [
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(Unsigned::Stamp)),
        (-301, Err(Unsigned::Stamp)),
    ] {
        let now = now + Span::seconds(away);
        assert_eq!(
            verify(&secret, &headers(stamp, signature), body.as_bytes(), now),
            result,
            "{away} s"
        );
    }
}

#[test]
fn each_header_comes_once_and_looks_right() {
    let secret = Secret::new(SECRET);
    let stamp = NOW.seconds().to_string();
    let good = sign(&secret, &stamp, b"body").unwrap();
    assert_eq!(verify(&secret, &headers(&stamp, &good), b"body", NOW), Ok(()));
    for name in ["x-slack-request-timestamp", "x-slack-signature"] {
        let mut doubled = headers(&stamp, &good);
        doubled.append(name, doubled[name].clone());
        assert_eq!(
            verify(&secret, &doubled, b"body", NOW),
            Err(Unsigned::Headers),
            "{name} twice"
        );
        let mut missing = headers(&stamp, &good);
        missing.remove(name);
        assert_eq!(
            verify(&secret, &missing, b"body", NOW),
            Err(Unsigned::Headers),
            "{name} missing"
        );
    }
    for bad in ["", "now", "+1795226400", "1795226400.0", "99999999999999999999"] {
        assert_eq!(
            verify(&secret, &headers(bad, &good), b"body", NOW),
            Err(Unsigned::Headers),
            "{bad}"
        );
    }
    assert_eq!(sign(&Secret::new(""), &stamp, b"body"), None);
}

proptest! {
    #[test]
    fn no_bit_of_a_signed_body_can_be_flipped(body in proptest::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let secret = Secret::new(SECRET);
        let stamp = NOW.seconds().to_string();
        let signature = sign(&secret, &stamp, &body).unwrap();
        let mut flipped = body.clone();
        let at = at.index(flipped.len());
        flipped[at] ^= 1 << bit;
        prop_assert_eq!(verify(&secret, &headers(&stamp, &signature), &body, NOW), Ok(()));
        prop_assert_eq!(verify(&secret, &headers(&stamp, &signature), &flipped, NOW), Err(Unsigned::Signature));
    }
}

#[tokio::test]
async fn what_is_not_slacks_is_not_heard() {
    let bot = Arc::new(Bot::default());
    let mut request = signed(
        "/slack/commands",
        "application/x-www-form-urlencoded",
        "command=%2Fdeploy".to_owned(),
    );
    request
        .headers_mut()
        .insert("x-slack-signature", HeaderValue::from_static("v0=00"));
    assert_eq!(send(&bot, request).await, (StatusCode::UNAUTHORIZED, String::new()));
    let bare = Request::post("/slack/events").body(Body::from("{}")).unwrap();
    assert_eq!(send(&bot, bare).await.0, StatusCode::UNAUTHORIZED);
    assert!(bot.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_even_verified() {
    let bot = Arc::new(Bot::default());
    let large = "x".repeat(signed::MAX_BODY + 1);
    let request = signed("/slack/commands", "application/x-www-form-urlencoded", large.clone());
    assert_eq!(send(&bot, request).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    // Without a declared length the body is cut off on the way.
    let chunks = futures::stream::iter(
        large
            .into_bytes()
            .chunks(1 << 16)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect::<Vec<_>>(),
    );
    let request = Request::post("/slack/commands")
        .body(Body::from_stream(chunks))
        .unwrap();
    assert_eq!(send(&bot, request).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

const COMMAND: &[(&str, &str)] = &[
    ("api_app_id", "A0SIGNAL"),
    ("team_id", "T0SIGNAL"),
    ("user_id", "U0ANN"),
    ("channel_id", "C0DEPLOYS"),
    ("command", "/deploy"),
    ("text", " lock prod R&amp;D, ask <@U0BRUNO|bruno> "),
    ("trigger_id", "1.2.abc"),
    ("response_url", "http://127.0.0.1:1/x"),
    ("something_new", "1"),
];

#[tokio::test]
async fn a_command_is_heard_whole_and_answered_in_place() {
    let bot = Arc::new(Bot::default());
    *bot.answer.lock().unwrap() = Answer::Private(Message::sentence("locked <now>"));
    let (status, body) = form(&bot, "/slack/commands", COMMAND).await;
    assert_eq!(status, StatusCode::OK);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["response_type"], &body["text"]),
        (&json!("ephemeral"), &json!("locked &lt;now&gt;"))
    );
    let heard = only(&bot);
    assert_eq!(heard.delivery.as_str(), "command/1.2.abc");
    assert_eq!(heard.who.user.as_str(), "U0ANN");
    assert_eq!(heard.channel.unwrap().as_str(), "C0DEPLOYS");
    let text = "lock prod R&D, ask <@U0BRUNO>".to_owned();
    let command = "/deploy".to_owned();
    assert_eq!(heard.kind, Kind::Command { command, text });
}

#[tokio::test]
async fn slacks_probe_of_the_certificate_is_no_command() {
    let bot = Arc::new(Bot::default());
    assert_eq!(
        form(&bot, "/slack/commands", &[("ssl_check", "1")]).await,
        (StatusCode::OK, String::new())
    );
    assert_eq!(
        form(&bot, "/slack/commands", &[("command", "/deploy")]).await.0,
        StatusCode::BAD_REQUEST
    );
    assert!(bot.heard.lock().unwrap().is_empty());
}

fn press() -> Value {
    json!({
        "type": "block_actions", "api_app_id": "A0SIGNAL", "team": null, "enterprise": {"id": "E0BIG", "name": "Big"}, "is_enterprise_install": true,
        "user": {"id": "U0ANN", "team_id": "T0OTHER"}, "channel": {"id": "C0DEPLOYS", "name": "deploys"}, "trigger_id": "1.2.abc",
        "container": {"type": "message", "message_ts": "1.5"}, "response_url": "http://127.0.0.1:1/x",
        "message": {"ts": "1.5", "thread_ts": "1.1", "metadata": {"event_type": "x", "event_payload": {"n": 1, "b": true, "o": {}}}},
        "actions": [{"action_id": "approve#2", "block_id": "b", "action_ts": "17.1", "value": "wallet run/1", "type": "button"}],
    })
}

#[tokio::test]
async fn a_press_is_heard_whatever_else_the_payload_holds() {
    let bot = Arc::new(Bot::default());
    assert_eq!(interaction(&bot, &press()).await, (StatusCode::OK, String::new()));
    let heard = only(&bot);
    assert_eq!(heard.who.team, None);
    assert_eq!(heard.who.enterprise.as_ref().unwrap().as_str(), "E0BIG");
    assert_eq!(heard.who.user_team.as_ref().unwrap().as_str(), "T0OTHER");
    assert_eq!(heard.thread_ts.as_deref(), Some("1.1"));
    let expected = Kind::Press {
        action: "approve".to_owned(),
        value: "wallet run/1".to_owned(),
        message_ts: Some("1.5".to_owned()),
    };
    assert_eq!(heard.kind, expected);
}

#[tokio::test]
async fn the_same_press_has_the_same_id_and_another_one_another() {
    let bot = Arc::new(Bot::default());
    interaction(&bot, &press()).await;
    interaction(&bot, &press()).await;
    for (pointer, value) in [
        ("/actions/0/action_ts", "17.2"),
        ("/user/id", "U0BRUNO"),
        ("/actions/0/action_id", "reject"),
    ] {
        let mut other = press();
        *other.pointer_mut(pointer).unwrap() = json!(value);
        interaction(&bot, &other).await;
    }
    let ids: Vec<_> = bot
        .heard
        .lock()
        .unwrap()
        .iter()
        .map(|heard| heard.delivery.clone())
        .collect();
    assert_eq!(ids[0], ids[1]);
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 4);
}

#[tokio::test]
async fn a_form_comes_back_with_its_fields_and_gets_its_errors() {
    let bot = Arc::new(Bot::default());
    let errors = BTreeMap::from([("reason".to_owned(), "say why".to_owned())]);
    *bot.answer.lock().unwrap() = Answer::FormErrors(errors);
    let payload = json!({
        "type": "view_submission", "team": {"id": "T0SIGNAL"}, "user": {"id": "U0ANN"}, "api_app_id": "A0SIGNAL",
        "view": {"id": "V1", "hash": "1.a", "callback_id": "reject", "private_metadata": "wallet run/1", "state": {"values": {
            "reason": {"value": {"type": "plain_text_input", "value": null}}, "note": {"value": {"type": "plain_text_input", "value": "x & y"}}}}},
    });
    let (status, body) = interaction(&bot, &payload).await;
    assert_eq!(status, StatusCode::OK);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        json!({"response_action": "errors", "errors": {"reason": "say why"}})
    );
    let fields = BTreeMap::from([
        ("note".to_owned(), "x & y".to_owned()),
        ("reason".to_owned(), String::new()),
    ]);
    let (form, about) = ("reject".to_owned(), "wallet run/1".to_owned());
    assert_eq!(only(&bot).kind, Kind::Form { form, about, fields });
}

#[tokio::test]
async fn payloads_of_other_kinds_are_acknowledged_and_nothing_else() {
    let bot = Arc::new(Bot::default());
    for kind in ["shortcut", "interactive_message", "workflow_step_edit", "brand_new"] {
        let payload = json!({"type": kind, "user": {"id": "U0ANN"}});
        assert_eq!(
            interaction(&bot, &payload).await,
            (StatusCode::OK, String::new()),
            "{kind}"
        );
    }
    let empty = json!({"type": "view_submission", "user": {"id": "U0ANN"}, "view": {"id": "V1", "callback_id": "f", "state": {}}});
    assert_eq!(interaction(&bot, &empty).await.0, StatusCode::OK);
    assert!(matches!(only(&bot).kind, Kind::Form { ref fields, .. } if fields.is_empty()));
}

fn said(event: Value) -> Value {
    json!({
        "type": "event_callback", "api_app_id": "A0SIGNAL", "team_id": "T0SIGNAL", "event_id": "Ev1", "event": event,
        "authorizations": [{"enterprise_id": null, "team_id": null, "user_id": "U0SIGNAL", "is_bot": true}],
    })
}

#[tokio::test]
async fn the_challenge_is_answered() {
    let bot = Arc::new(Bot::default());
    let body = json!({"type": "url_verification", "challenge": "abc", "token": "x"});
    assert_eq!(event(&bot, &body).await, (StatusCode::OK, "abc".to_owned()));
}

#[tokio::test]
async fn a_mention_is_heard_from_behind_the_mention() {
    let bot = Arc::new(Bot::default());
    let body = said(
        json!({"type": "app_mention", "user": "U0ANN", "channel": "C0DEPLOYS", "ts": "2.1", "thread_ts": "1.1",
        "team": "T0SIGNAL", "text": "hey <@U0SIGNAL> approve mainnet &amp; tell <@U0BRUNO>"}),
    );
    assert_eq!(event(&bot, &body).await.0, StatusCode::OK);
    let heard = only(&bot);
    assert_eq!(heard.delivery.as_str(), "event/Ev1");
    assert_eq!(heard.thread_ts.as_deref(), Some("1.1"));
    let (text, ts) = ("approve mainnet & tell <@U0BRUNO>".to_owned(), "2.1".to_owned());
    assert_eq!(heard.kind, Kind::Mention { text, ts });
}

#[tokio::test]
async fn replies_in_threads_are_heard_and_other_messages_are_not() {
    let bot = Arc::new(Bot::default());
    let message = |fields: Value| {
        let mut event =
            json!({"type": "message", "user": "U0ANN", "channel": "C0DEPLOYS", "ts": "2.1", "text": "looks fine"});
        event
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        said(event)
    };
    let ignored = [
        json!({}),
        json!({"thread_ts": "2.1"}),
        json!({"thread_ts": "1.1", "subtype": "message_changed"}),
        json!({"thread_ts": "1.1", "bot_id": "B1"}),
        json!({"thread_ts": "1.1", "text": "<@U0SIGNAL> why"}),
        json!({"thread_ts": "1.1", "user": null}),
    ];
    for fields in ignored {
        assert_eq!(event(&bot, &message(fields)).await.0, StatusCode::OK);
    }
    assert!(bot.heard.lock().unwrap().is_empty());
    event(
        &bot,
        &message(json!({"thread_ts": "1.1", "subtype": "thread_broadcast"})),
    )
    .await;
    assert!(matches!(only(&bot).kind, Kind::ThreadReply { ref parent, .. } if parent == "1.1"));
}

#[tokio::test]
async fn changes_of_the_workspace_are_noticed() {
    let bot = Arc::new(Bot::default());
    for change in [
        json!({"type": "subteam_members_changed", "subteam_id": "S0OPS"}),
        json!({"type": "user_change", "user": {"id": "U0ANN"}}),
        json!({"type": "channel_rename", "channel": {"id": "C0DEPLOYS", "name": "x"}}),
        json!({"type": "channel_archive", "channel": "C0DEPLOYS", "user": "U0ANN"}),
        json!({"type": "brand_new"}),
    ] {
        assert_eq!(event(&bot, &said(change)).await.0, StatusCode::OK);
    }
    let channel = || Notice::ChannelChanged(ChannelId::parse("C0DEPLOYS").unwrap());
    let expected = [
        Notice::GroupChanged(GroupId::parse("S0OPS").unwrap()),
        Notice::PersonChanged(UserId::parse("U0ANN").unwrap()),
        channel(),
        channel(),
    ];
    assert_eq!(*bot.noticed.lock().unwrap(), expected);
}

#[tokio::test]
async fn an_outage_of_slack_does_not_make_the_bot_unready_but_one_of_the_store_does() {
    let bot = Arc::new(Bot::default());
    for (store, expected) in [(true, StatusCode::OK), (false, StatusCode::SERVICE_UNAVAILABLE)] {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let answer = routes(&bot, store).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), expected);
        let body = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (&body["store"], &body["slack"], &body["aws"]),
            (&json!(store), &json!(false), &json!(null))
        );
    }
    let request = Request::get("/healthz").body(Body::empty()).unwrap();
    assert_eq!(send(&bot, request).await, (StatusCode::OK, "ok\n".to_owned()));
}

#[tokio::test]
async fn sns_wakes_the_watch_through_its_own_path_when_a_topic_is_named() {
    use crate::aws::sns::tests::{notification, signed as sign_message};
    let bot = Arc::new(Bot::default());
    let post = |body: String| Request::post("/aws/sns").body(Body::from(body)).unwrap();
    let (status, _) = send(&bot, post(sign_message(notification()).to_string())).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "no topic, no path");
    // The certificate comes from a server, through the real door: where production lets SNS's hosts through, this one lets the test's.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let certificate = include_str!("../aws/sns/certificate.pem");
    let server = Router::new().route("/sns.pem", get(move || async move { certificate }));
    let serving = std::future::IntoFuture::into_future(axum::serve(listener, server));
    let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock::new());
    let allowed = crate::door::Allowed::nobody().aws_endpoint(&base.parse().unwrap());
    let door = crate::door::Door::new(allowed, Arc::clone(&clock), None);
    let topic = notification()["TopicArn"].as_str().unwrap().to_owned();
    let router = router(Http {
        topics: Some(Topics::new(Arc::new(door), clock, [topic])),
        bot: Arc::clone(&bot) as Arc<dyn Inbound>,
        signing_secret: Secret::new(SECRET),
        clock: StillClock::at(NOW),
        probe: Arc::new(Ready(true)),
        metrics: None,
    });
    let mut said = notification();
    said["SigningCertURL"] = json!(format!("{base}/sns.pem"));
    let good = sign_message(said.clone());
    let mut forged = good.clone();
    forged["Message"] = json!("{}");
    said["SigningCertURL"] = json!("https://sns.eu-central-1.amazonaws.com/sns.pem");
    let cases = [
        (good.to_string(), StatusCode::OK),
        (forged.to_string(), StatusCode::FORBIDDEN),
        (sign_message(said).to_string(), StatusCode::FORBIDDEN),
        ("{}".to_owned(), StatusCode::BAD_REQUEST),
        ("x".repeat(300 << 10), StatusCode::PAYLOAD_TOO_LARGE),
    ];
    let asking = async {
        for (body, expected) in cases {
            let answer = router.clone().oneshot(post(body)).await.unwrap();
            assert_eq!(answer.status(), expected);
        }
    };
    tokio::select! {
        ended = serving => panic!("the server ended: {ended:?}"),
        () = asking => {}
    }
    let hinted = bot.hinted.lock().unwrap();
    assert_eq!(hinted.len(), 1);
    assert_eq!(hinted[0].pipeline, "wallet-service");
}
