//! The real binary between a sandbox and a real Redis: started, killed, told to stop.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sandbox::aws::{ACCOUNT, EVENT_QUEUE};
use sandbox::slack::Message;
use sandbox::{Sandbox, World};
use serde_json::{Value, json};
use state::testing::RedisServer;

use crate::scenario::{DEPLOYS, is_card, text_of};
use crate::tap::Tap;

/// How long anything may take, in machine time; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(90);
/// What the process is given and must not show.
pub const AUDIT_KEY: &str = "an audit key that nobody may see";
/// What the process is given and must not show.
pub const TOKEN: &str = "xoxb-sandbox";

/// A sandbox, a Redis, and the binary between them.
pub struct Town {
    /// Slack, AWS and GitHub.
    pub sandbox: Sandbox,
    /// The store.
    pub redis: RedisServer,
    /// Between the binary and the store, if it was asked for.
    pub tap: Option<Tap>,
    /// For whoever asks the binary something.
    pub http: reqwest::Client,
    config: tempfile::TempDir,
    bot: String,
    process: Mutex<Option<Child>>,
}

/// The binary, built like this test was; once.
pub fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        // What cargo tells this test about its package, build scripts would take for news about theirs, and half of everything would be built again.
        for name in std::env::vars_os().map(|(name, _)| name) {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"]
                .iter()
                .any(|of| text.starts_with(of))
            {
                cargo.env_remove(&name);
            }
        }
        let built = cargo
            .args(["build", "--quiet", "--locked", "--workspace", "--bin", "signalbox"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the binary is built");
        let own = std::env::current_exe().expect("a test is a program");
        let profile = own.ancestors().nth(2).expect("deps is in the profile's folder");
        profile.join("signalbox")
    })
}

impl Town {
    /// Starts all of it and waits until the binary is ready.
    pub async fn start() -> Self {
        let redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
        Self::on(redis, None).await
    }

    /// The same, with a tap on what the binary says to its store.
    pub async fn tapped() -> Self {
        let redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let tap = Tap::on(&redis.address());
        Self::on(redis, Some(tap)).await
    }

    async fn on(redis: RedisServer, tap: Option<Tap>) -> Self {
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
        let queue = format!("https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/{EVENT_QUEUE}");
        let role = format!("arn:aws:iam::{ACCOUNT}:role/signalbox");
        let text = include_str!("../../docs/example.toml");
        let text = format!("{text}\n[[aws.events]]\nurl = \"{queue}\"\nrole_arn = \"{role}\"\n");
        std::fs::write(config.path().join("signalbox.toml"), text).expect("the configuration is written");
        let town = Self {
            sandbox,
            redis,
            tap,
            http: reqwest::Client::new(),
            config,
            bot: port.to_string(),
            process: Mutex::new(None),
        };
        town.spawn();
        town.ready().await;
        town
    }

    /// Starts the binary.
    pub fn spawn(&self) {
        let base = self.sandbox.url();
        let store = self.tap.as_ref().map_or_else(|| self.redis.url(), Tap::url);
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
            .env("REDIS_URL", store)
            .env("SIGNALBOX_AUDIT_KEY", AUDIT_KEY)
            .env("SIGNALBOX_CONFIG", self.config.path().join("signalbox.toml"))
            .env("LISTEN", &self.bot)
            .env("RUST_LOG", "trace")
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        *self.process() = Some(child);
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where its log is.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.config.path().join("bot.log")
    }

    /// Where it listens.
    #[must_use]
    pub fn bot_url(&self) -> String {
        format!("http://{}", self.bot)
    }

    /// `kill -9`; what it had claimed is free at once, and not when its leases end.
    pub fn kill(&self) {
        let process = self.process().take();
        if let Some(mut process) = process {
            process.kill().expect("it is killed");
            process.wait().expect("it ends");
        }
    }

    /// `kill -TERM`, and how it ends.
    #[must_use]
    pub fn stop(&self) -> std::process::ExitStatus {
        let mut process = self.process().take().expect("it runs");
        let sent = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        process.wait().expect("it ends")
    }

    /// What `/readyz` answers, if anything.
    pub async fn readiness(&self) -> Option<u16> {
        let answer = self
            .http
            .get(format!("{}/readyz", self.bot_url()))
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// Waits until it is ready.
    pub async fn ready(&self) {
        self.until("ready", async || (self.readiness().await == Some(200)).then_some(()))
            .await;
    }

    /// Asks again and again, as fast as the answers come.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
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

    /// Waits until the sandbox's state shows something.
    pub async fn sees<T>(&self, what: &str, mut look: impl FnMut(&World) -> Option<T>) -> T {
        let world = Arc::clone(self.sandbox.world());
        let mut changes = world.listen();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = look(&world) {
                    return found;
                }
                // Whoever lags behind has missed hints, not the truth.
                let _ = changes.recv().await;
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

    /// Uses one of the sandbox's controls.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let sent = self
            .http
            .post(format!("{}/control/{path}", self.sandbox.url()))
            .json(&body)
            .send()
            .await;
        sent.expect("the sandbox answers").json().await.unwrap_or_default()
    }

    /// Somebody types a slash command in #deploys; what they are told.
    pub async fn says(&self, user: &str, text: &str) -> String {
        let said = self
            .control(
                "slack/command",
                json!({ "user": user, "channel": DEPLOYS, "text": text }),
            )
            .await;
        said["body"]["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a card that holds all of these words.
    pub async fn card(&self, words: &[&str]) -> Message {
        let holds = |card: &Message| words.iter().all(|word| text_of(card).contains(word));
        self.sees(&format!("a card with {words:?}"), |world| {
            cards(world).into_iter().find(holds)
        })
        .await
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The cards in #deploys, oldest first.
#[must_use]
pub fn cards(world: &World) -> Vec<Message> {
    let slack = world.slack();
    let all = slack.messages(DEPLOYS);
    all.filter(|message| message.is_bots() && !message.tombstone && is_card(message))
        .cloned()
        .collect()
}
