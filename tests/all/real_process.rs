//! The real binary, with a real Redis: killed where it hurts, told to stop, and left without its store.
#![expect(clippy::expect_used, clippy::panic, reason = "a scenario fails by panicking")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sandbox::Sandbox;
use sandbox::faults::{Fault, FaultKind};
use serde_json::{Value, json};
use state::testing::RedisServer;
use tests::process::binary;

/// How long anything may take, in machine time; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(90);
const AUDIT_KEY: &str = "an audit key that nobody may see";
const TOKEN: &str = "xoxb-sandbox";

/// A sandbox, a Redis, and the binary between them.
struct Town {
    sandbox: Sandbox,
    redis: RedisServer,
    config: tempfile::TempDir,
    bot: String,
    process: Option<Child>,
    http: reqwest::Client,
}

impl Town {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("an address");
        let options = sandbox::Options {
            bot_url: format!("http://{port}"),
            rate_limits: false,
            ..sandbox::Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let config = tempfile::tempdir().expect("a folder");
        let text = include_str!("../../docs/example.toml");
        std::fs::write(config.path().join("signalbox.toml"), text).expect("the configuration is written");
        let redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let mut town = Self {
            sandbox,
            redis,
            config,
            bot: port.to_string(),
            process: None,
            http: reqwest::Client::new(),
        };
        town.spawn();
        town.ready().await;
        town
    }

    fn spawn(&mut self) {
        let base = self.sandbox.url();
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.log())
            .expect("a log");
        let child = Command::new(binary())
            .arg("serve")
            .env_clear()
            .env("SLACK_BOT_TOKEN", TOKEN)
            .env("SLACK_SIGNING_SECRET", "sandbox-signing-secret")
            .env("SLACK_API_URL", format!("{base}/slack/api"))
            .env("GITHUB_API_URL", format!("{base}/github"))
            .env("GITHUB_TOKEN", "ghp-sandbox")
            .env("AWS_ENDPOINT_URL", format!("{base}/aws"))
            .env("AWS_ACCESS_KEY_ID", "AKIASANDBOX")
            .env("AWS_SECRET_ACCESS_KEY", "an aws secret that nobody may see")
            .env("REDIS_URL", self.redis.url())
            .env("SIGNALBOX_AUDIT_KEY", AUDIT_KEY)
            .env("SIGNALBOX_CONFIG", self.config.path().join("signalbox.toml"))
            .env("LISTEN", &self.bot)
            .env("RUST_LOG", "trace")
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        self.process = Some(child);
    }

    fn log(&self) -> PathBuf {
        self.config.path().join("bot.log")
    }

    /// `kill -9`.
    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it is killed");
            process.wait().expect("it ends");
        }
    }

    async fn readiness(&self) -> Option<u16> {
        let answer = self
            .http
            .get(format!("http://{}/readyz", self.bot))
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    async fn ready(&self) {
        self.until("ready", async || (self.readiness().await == Some(200)).then_some(()))
            .await;
    }

    /// Asks again and again, as fast as the answers come.
    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("{what} never came; the log says:\n{}", self.tail()))
    }

    fn tail(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let sent = self
            .http
            .post(format!("{}/control/{path}", self.sandbox.url()))
            .json(&body)
            .send()
            .await;
        sent.expect("the sandbox answers").json().await.unwrap_or_default()
    }

    async fn says(&self, user: &str, text: &str) -> String {
        let said = self
            .control(
                "slack/command",
                json!({ "user": user, "channel": "C0DEPLOYS", "text": text }),
            )
            .await;
        said["body"]["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a message of the bot's in #deploys holds these words.
    async fn card(&self, words: &str) {
        self.until(words, async || {
            let slack = self.sandbox.world().slack();
            slack
                .messages("C0DEPLOYS")
                .any(|message| message.is_bots() && message.text.contains(words))
                .then_some(())
        })
        .await;
    }

    fn answers(&self) -> usize {
        self.sandbox.world().aws().approval_results().len()
    }

    fn cards(&self) -> usize {
        let slack = self.sandbox.world().slack();
        let key = |message: &sandbox::slack::Message| {
            message
                .metadata
                .as_ref()
                .and_then(|data| data["event_payload"]["key"].as_str().map(str::to_owned))
        };
        slack
            .messages("C0DEPLOYS")
            .filter(|message| key(message).is_some_and(|key| key.starts_with("card:")))
            .count()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_and_after_the_answer_it_answers_once() {
    let mut town = Town::start().await;
    town.card("waits for 2 of 2").await;
    town.until("the checks", async || {
        town.says("U0ANN", "/deploy approve mainnet v1.4.2")
            .await
            .contains("1 of 2")
            .then_some(())
    })
    .await;
    // An acknowledged vote outlives both the bot and Redis.
    town.kill();
    town.redis.kill();
    town.redis.restart();
    town.spawn();
    town.ready().await;
    let world = Arc::clone(town.sandbox.world());
    world.faults.set(Fault {
        id: 0,
        target: "aws.PutApprovalResult".to_owned(),
        kind: FaultKind::HoldAfter,
        times: Some(1),
        struck: 0,
    });
    let told = town.says("U0BRUNO", "/deploy approve mainnet v1.4.2").await;
    assert!(told.contains("Recorded"), "{told}");
    world.faults.wait_held().await;
    town.kill();
    world.faults.release();
    town.spawn();
    town.card("approved by").await;
    town.card("released").await;
    assert_eq!((town.answers(), town.cards()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_and_leaves_with_success_and_no_secret_is_in_its_log() {
    let mut town = Town::start().await;
    town.card("waits for 2 of 2").await;
    let metrics = town
        .http
        .get(format!("http://{}/metrics", town.bot))
        .send()
        .await
        .expect("metrics")
        .text()
        .await
        .expect("a body");
    assert!(metrics.contains("signalbox_call_seconds"), "{metrics}");
    town.redis.pause();
    town.until("not ready", async || {
        (town.readiness().await == Some(503)).then_some(())
    })
    .await;
    let told = town.says("U0ANN", "/deploy lock testnet").await;
    assert!(
        told.contains("Not recorded") || told.contains("cannot confirm"),
        "{told}"
    );
    town.redis.resume();
    town.ready().await;
    let process = town.process.as_ref().expect("it runs").id();
    let sent = Command::new("kill")
        .args(["-TERM", &process.to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    let status = town.process.take().expect("it runs").wait().expect("it ends");
    assert!(status.success(), "{status}");
    let log = std::fs::read_to_string(town.log()).expect("a log");
    assert!(
        log.lines().filter(|line| line.starts_with('{')).count() > 3,
        "the log is JSON: {log}"
    );
    for secret in [
        TOKEN,
        "sandbox-signing-secret",
        AUDIT_KEY,
        "nobody may see",
        "ghp-sandbox",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
