//! A sandbox, an app that answers what it is told, and a client.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderMap, StatusCode, Uri};
use sandbox::clock::Clock;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// 2026-11-21 12:00 UTC.
pub(crate) const NOON_MS: i64 = 1_795_262_400_000;
pub(crate) const SECRET: &str = "a secret of this test";

/// What the app does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Say(u16, String),
    /// Answers 500 and asks for no retry.
    NoRetry,
    /// Never answers.
    Hang,
}

/// A request that the app got.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Heard {
    /// The fields of a form.
    pub(crate) fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    /// The JSON of an event or of an interaction's `payload`.
    pub(crate) fn payload(&self) -> Value {
        let text = self.form().remove("payload").unwrap_or_else(|| self.body.clone());
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

struct AppState {
    replies: Mutex<VecDeque<Reply>>,
    heard: watch::Sender<Vec<Heard>>,
}

async fn hear(State(app): State<Arc<AppState>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    app.heard.send_modify(|heard| {
        heard.push(Heard {
            path: uri.path().to_owned(),
            headers,
            body,
        })
    });
    let reply = app.replies.lock().unwrap().pop_front();
    match reply.unwrap_or(Reply::Say(200, String::new())) {
        Reply::Say(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Reply::NoRetry => (StatusCode::INTERNAL_SERVER_ERROR, [("x-slack-no-retry", "1")]).into_response(),
        Reply::Hang => std::future::pending().await,
    }
}

/// A sandbox and the app that it talks to.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    client: reqwest::Client,
    app: Arc<AppState>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let app = Arc::new(AppState {
            replies: Mutex::default(),
            heard: watch::channel(Vec::new()).0,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/slack/{*rest}", any(hear))
            .with_state(Arc::clone(&app));
        #[expect(
            clippy::disallowed_methods,
            reason = "the app under test's double; it ends with the test's runtime"
        )]
        tokio::spawn(async move { axum::serve(listener, router).await });
        let clock = Clock::frozen(NOON_MS);
        let mut options = Options {
            bot_url: format!("http://{address}"),
            signing_secret: SECRET.to_owned(),
            clock: clock.clone(),
            // Far more than a busy machine needs; a test of a missing answer sets its own.
            ack_deadline: Duration::from_secs(30),
            retry_pauses: [Duration::ZERO; 3],
            ..Options::default()
        };
        change(&mut options);
        let sandbox = Sandbox::start(options).await.unwrap();
        // Most tests look at one thing; the bot's own messages come back to it only where a test asks for that.
        sandbox.world().slack().link.echo = false;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            sandbox,
            clock,
            client,
            app,
        }
    }

    /// What the app does with the next requests.
    pub(crate) fn app_replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.app.replies.lock().unwrap().extend(replies);
    }

    /// What the app answers next: 200 with this JSON.
    pub(crate) fn app_says(&self, body: &Value) {
        self.app_replies([Reply::Say(200, body.to_string())]);
    }

    /// How long Slack waits from now on.
    pub(crate) fn waits(&self, deadline: Duration) {
        self.sandbox.world().slack().link.ack_deadline = deadline;
    }

    /// Everything the app heard so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.app.heard.borrow().clone()
    }

    /// Waits until the app has heard this many requests.
    pub(crate) async fn hears(&self, count: usize) -> Vec<Heard> {
        let mut listener = self.app.heard.subscribe();
        listener.wait_for(|heard| heard.len() >= count).await.unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    /// A call of the Web API with a JSON body, as it went over the wire.
    pub(crate) async fn call(&self, method: &str, body: &Value) -> Result<reqwest::Response, reqwest::Error> {
        let request = self
            .client
            .post(self.url(&format!("/slack/api/{method}")))
            .bearer_auth("xoxb-sandbox");
        request.json(body).send().await
    }

    /// The same; its JSON.
    pub(crate) async fn api(&self, method: &str, body: &Value) -> Value {
        self.call(method, body).await.unwrap().json().await.unwrap()
    }

    /// A call with form fields; its JSON.
    pub(crate) async fn form(&self, method: &str, fields: &[(&str, &str)]) -> Value {
        let request = self
            .client
            .post(self.url(&format!("/slack/api/{method}")))
            .bearer_auth("xoxb-sandbox");
        request.form(fields).send().await.unwrap().json().await.unwrap()
    }

    /// Posts a message in `#deploys`; its timestamp.
    pub(crate) async fn post(&self, body: &Value) -> String {
        let mut body = body.clone();
        body["channel"] = json!("C0DEPLOYS");
        let answer = self.api("chat.postMessage", &body).await;
        answer["ts"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// A control: status and JSON.
    pub(crate) async fn control(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self
            .client
            .post(self.url(&format!("/control{path}")))
            .json(body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A control that succeeds.
    pub(crate) async fn does(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.control(path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// A look at something.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.client
            .get(self.url(path))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// What somebody sees in `#deploys`.
    pub(crate) async fn seen_by(&self, user: &str) -> Vec<Value> {
        let seen = self
            .get(&format!("/control/messages?channel=C0DEPLOYS&user={user}"))
            .await;
        seen["messages"].as_array().unwrap().clone()
    }

    /// Posts to a `response_url`; the status.
    pub(crate) async fn respond(&self, url: &str, body: &Value) -> u16 {
        self.client.post(url).json(body).send().await.unwrap().status().as_u16()
    }

    /// The texts in `#deploys`, oldest first, replies too.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.sandbox
            .world()
            .slack()
            .messages("C0DEPLOYS")
            .map(|message| message.text.clone())
            .collect()
    }
}

/// A card with one button.
pub(crate) fn card(button: &str) -> Value {
    json!({
        "text": "a card",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "*wallet → mainnet*"}},
            {"type": "actions", "block_id": "decide", "elements": [
                {"type": "button", "action_id": button, "value": "round-1", "style": "primary",
                 "text": {"type": "plain_text", "text": "Approve"}}]},
        ],
        "metadata": {"event_type": "card", "event_payload": {"run": "r1"}},
    })
}
