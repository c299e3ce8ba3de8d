//! Scenarios read like a chat: people speak, cards appear, pipelines move. Everything goes through the real edges: signed requests in, HTTP out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use demo::{Options, Rig, Stored};
use sandbox::aws::ApprovalResult;
use sandbox::slack::Message;
use serde_json::{Value, json};
use state::embedded::Embedded;

/// Where the bot lives in the sandbox.
pub const DEPLOYS: &str = "C0DEPLOYS";
/// How long anything may take before a scenario gives up, in machine time. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(180);

/// A sandbox, a bot, and the people in it.
pub struct Scenario {
    /// Both.
    pub rig: Arc<Rig>,
    http: reqwest::Client,
}

/// What came of a slash command.
#[derive(Debug, Clone)]
pub struct Said {
    /// The HTTP status of the bot's answer.
    pub status: u16,
    /// Everything the answer says, as one text.
    pub text: String,
    /// The answer itself.
    pub body: Value,
}

/// Where bodies are recorded for `scripts/contracts`, if it asked for that.
#[must_use]
pub fn bodies() -> Option<PathBuf> {
    std::env::var_os("SIGNALBOX_BODIES").map(PathBuf::from)
}

/// A rig's options as scenarios want them: no vendor's rate limits, and bodies recorded.
#[must_use]
pub fn options(stored: Stored) -> Options {
    let mut options = Options::new(stored);
    options.sandbox.rate_limits = false;
    options.sandbox.record_bodies = bodies();
    options.sandbox.ack_deadline = Duration::from_secs(30);
    options
}

/// An embedded store that outlives the bot.
#[must_use]
pub fn shared_store() -> Stored {
    Stored::Shared(Arc::new(Embedded::in_memory().expect("a store in memory")))
}

impl Scenario {
    /// The demo's world on an embedded store in memory.
    pub async fn start() -> Self {
        Self::with(options(shared_store())).await
    }

    /// The files that a team copies, and an account as that team has it.
    pub async fn of_team(config: &str, account: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("account.toml");
        std::fs::write(&path, account).expect("a file");
        let mut options = options(shared_store());
        options.config = config.to_owned();
        options.sandbox.aws_seed = Some(path);
        Self::with(options).await
    }

    /// Another world.
    pub async fn with(options: Options) -> Self {
        Self {
            rig: Rig::start(options).await.expect("a rig"),
            http: reqwest::Client::new(),
        }
    }

    /// Lets sandbox time pass at once.
    pub fn passes(&self, seconds: i64) {
        self.rig.sandbox().world().clock.jump(seconds * 1000);
    }

    /// Uses one of the sandbox's controls.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.rig.sandbox().url());
        let answer = self
            .http
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("the sandbox answers");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Somebody types a slash command in #deploys.
    pub async fn says(&self, user: &str, text: &str) -> Said {
        let answer = self
            .control(
                "slack/command",
                json!({ "user": user, "channel": DEPLOYS, "text": text }),
            )
            .await;
        let body = answer["body"].clone();
        let status = answer["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or_default();
        Said {
            status,
            text: words(&body),
            body,
        }
    }

    /// Somebody presses a button of a card.
    pub async fn clicks(&self, user: &str, ts: &str, action: &str) -> Value {
        self.control(
            "slack/click",
            json!({ "user": user, "channel": DEPLOYS, "ts": ts, "action_id": action }),
        )
        .await
    }

    /// Waits until `look` finds something; gives up with what #deploys shows.
    pub async fn until<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let world = Arc::clone(self.rig.sandbox().world());
        let mut changes = world.listen();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = look(self) {
                    return found;
                }
                // Whoever lags behind has missed hints, not the truth.
                let _ = changes.recv().await;
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => panic!("{what} never came; #deploys shows:\n{}", self.transcript()),
        }
    }

    /// The bot's messages in #deploys that are not in threads: its cards, oldest first.
    #[must_use]
    pub fn cards(&self) -> Vec<Message> {
        let world = self.rig.sandbox().world();
        let slack = world.slack();
        slack
            .messages(DEPLOYS)
            .filter(|message| {
                message.is_bots()
                    && message.thread_ts.as_deref().is_none_or(|thread| thread == message.ts)
                    && !message.tombstone
                    && is_card(message)
            })
            .cloned()
            .collect()
    }

    /// Waits for a card whose text holds all of these words.
    pub async fn card(&self, with: &[&str]) -> Message {
        self.until(&format!("a card with {with:?}"), |scenario| {
            scenario
                .cards()
                .into_iter()
                .rev()
                .find(|card| with.iter().all(|word| text_of(card).contains(word)))
        })
        .await
    }

    /// Waits until somebody sees something with these words that only they see.
    pub async fn whispered(&self, user: &str, words: &str) -> String {
        self.until(&format!("a whisper to {user} with {words:?}"), |scenario| {
            let world = scenario.rig.sandbox().world();
            let slack = world.slack();
            slack
                .ephemerals_for(user, DEPLOYS)
                .map(text_of)
                .find(|text| text.contains(words))
        })
        .await
    }

    /// Waits for a reply in a card's thread, or a message to a channel, with these words.
    pub async fn hears(&self, channel: &str, words: &str) -> Message {
        self.until(&format!("{words:?} in {channel}"), |scenario| {
            let world = scenario.rig.sandbox().world();
            let slack = world.slack();
            slack
                .messages(channel)
                .find(|message| message.is_bots() && text_of(message).contains(words))
                .cloned()
        })
        .await
    }

    /// The answers that CodePipeline has taken.
    #[must_use]
    pub fn answers(&self) -> Vec<ApprovalResult> {
        self.rig.sandbox().world().aws().approval_results().to_vec()
    }

    /// How often a call reached the sandbox and its work was done.
    #[must_use]
    pub fn done(&self, call: &str) -> usize {
        let log = &self.rig.sandbox().world().log;
        log.count(0, |entry| entry.call == call && entry.done)
    }

    /// Everything that is said in #deploys, for a failing test.
    #[must_use]
    pub fn transcript(&self) -> String {
        let world = self.rig.sandbox().world();
        let slack = world.slack();
        let mut lines: Vec<String> = slack
            .messages(DEPLOYS)
            .map(|message| format!("{} {}: {}", message.ts, message.user, text_of(message)))
            .collect();
        for user in ["U0ANN", "U0BRUNO", "U0CARLA", "U0DANA"] {
            let whispers = slack
                .ephemerals_for(user, DEPLOYS)
                .map(|message| format!("to {user} only: {}", text_of(message)));
            lines.extend(whispers);
        }
        lines.join("\n---\n")
    }

    /// Ends the scenario: nothing may be left over.
    pub async fn ends(self) {
        if let Some(engine) = self.rig.engine().await {
            for slot in engine.catalog.services.keys() {
                let rows = engine.store.ledger(slot, 0, 100_000).await.expect("a ledger");
                let report = state::audit::verify(&*engine.store, std::slice::from_ref(slot), &engine.clerk.key, &[])
                    .await
                    .expect("a report");
                assert!(
                    report.findings.is_empty(),
                    "{:?} after {} rows",
                    report.findings,
                    rows.len()
                );
            }
        }
        self.rig.kill().await;
    }
}

/// Whether a message is a run's card, and not something said beside it.
#[must_use]
pub fn is_card(message: &Message) -> bool {
    message
        .metadata
        .as_ref()
        .and_then(|metadata| metadata["event_payload"]["key"].as_str())
        .is_some_and(|key| key.starts_with("card:"))
}

/// Everything a message says, as one text.
#[must_use]
pub fn text_of(message: &Message) -> String {
    format!(
        "{}\n{}",
        message.text,
        message.blocks.iter().map(words).collect::<Vec<_>>().join("\n")
    )
}

/// Every text of a JSON body, in order.
#[must_use]
pub fn words(body: &Value) -> String {
    match body {
        Value::Object(fields) => {
            let own = fields.get("text").and_then(Value::as_str).map(str::to_owned);
            let inner = fields.iter().filter(|(name, value)| {
                (*name != "text" || !value.is_string())
                    && !matches!(
                        name.as_str(),
                        "type" | "block_id" | "action_id" | "value" | "style" | "confirm" | "emoji"
                    )
            });
            own.into_iter()
                .chain(inner.map(|(_, value)| words(value)))
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join("\n")
        }
        Value::Array(items) => items
            .iter()
            .map(words)
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n"),
        Value::String(text) => text.clone(),
        _ => String::new(),
    }
}
