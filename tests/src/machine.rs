//! The real binary between a sandbox and its store: `serve` as users start it, and the other commands beside it.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use sandbox::Sandbox;
use serde_json::{Value, json};
use state::testing::RedisServer;

use crate::process::binary;

/// How long anything may take, in machine time; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(90);
/// The secret of the audit chain that every command is given.
pub const AUDIT_KEY: &str = "an audit key that nobody may see";

/// Where a process keeps its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// In a Redis of its own.
    InRedis,
    /// In the embedded store's file.
    InFile,
}

/// A sandbox, a store, and the binary between them.
pub struct Process {
    /// Slack and AWS.
    pub sandbox: Sandbox,
    redis: Option<RedisServer>,
    folder: tempfile::TempDir,
    listen: String,
    child: Option<Child>,
    http: reqwest::Client,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Process {
    /// Serves, with the example configuration in which some words are replaced, and is ready.
    pub async fn serving(keeps: Keeps, replace: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("an address");
        let options = sandbox::Options {
            bot_url: format!("http://{listen}"),
            rate_limits: false,
            ..sandbox::Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        // The first look at the pipeline finds what waits; the next one would be a quarter of a minute later.
        sandbox.world().clock.jump(10_000);
        let folder = tempfile::tempdir().expect("a folder");
        let mut text = include_str!("../../docs/example.toml").to_owned();
        for (from, to) in replace {
            assert!(text.contains(from), "the example has {from}");
            text = text.replace(from, to);
        }
        std::fs::write(folder.path().join("signalbox.toml"), text).expect("the configuration is written");
        let redis = (keeps == Keeps::InRedis)
            .then(|| RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]));
        let mut process = Self {
            sandbox,
            redis,
            folder,
            listen: listen.to_string(),
            child: None,
            http: reqwest::Client::new(),
        };
        process.serve().await;
        process
    }

    /// Starts the server, and waits until it is ready.
    pub async fn serve(&mut self) {
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.log())
            .expect("a log");
        let child = self
            .command(&["serve"])
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
        self.until("ready", async || (self.readiness().await == Some(200)).then_some(()))
            .await;
    }

    /// Runs another command to its end.
    pub async fn runs(&self, arguments: &[&str]) -> Ran {
        self.runs_with(arguments, &[]).await
    }

    /// The same, with some of its environment changed.
    pub async fn runs_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.expect("a thread").expect("the binary runs");
        Ran {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let base = self.sandbox.url();
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("SLACK_BOT_TOKEN", "xoxb-sandbox")
            .env("SLACK_SIGNING_SECRET", "sandbox-signing-secret")
            .env("SLACK_API_URL", format!("{base}/slack/api"))
            .env("GITHUB_API_URL", format!("{base}/github"))
            .env("GITHUB_TOKEN", "ghp-sandbox")
            .env("AWS_ENDPOINT_URL", format!("{base}/aws"))
            .env("AWS_ACCESS_KEY_ID", "AKIASANDBOX")
            .env("AWS_SECRET_ACCESS_KEY", "an aws secret that nobody may see")
            .env("SIGNALBOX_AUDIT_KEY", AUDIT_KEY)
            .env("SIGNALBOX_CONFIG", self.folder.path().join("signalbox.toml"))
            .env("SIGNALBOX_DATA", self.folder.path().join("signalbox.redb"))
            .env("LISTEN", &self.listen);
        if let Some(redis) = &self.redis {
            command.env("REDIS_URL", redis.url());
        }
        command
    }

    /// The file with the server's output.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("bot.log")
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is killed");
            child.wait().expect("it ends");
        }
    }

    /// `kill`, and how it ended.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let sent = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        child.wait().expect("it ends")
    }

    /// What monitors read.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn metrics(&self) -> String {
        let answer = self.http.get(format!("http://{}/metrics", self.listen)).send().await;
        answer.expect("metrics").text().await.expect("a body")
    }

    async fn readiness(&self) -> Option<u16> {
        let answer = self
            .http
            .get(format!("http://{}/readyz", self.listen))
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        answer.ok().map(|answer| answer.status().as_u16())
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
        found.await.unwrap_or_else(|_| {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            panic!(
                "{what} never came; the log says:\n{}",
                lines[lines.len().saturating_sub(30)..].join("\n")
            )
        })
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

    /// Somebody types a slash command in #deploys.
    pub async fn says(&self, user: &str, text: &str) -> String {
        let typed = json!({ "user": user, "channel": "C0DEPLOYS", "text": text });
        let said = self.control("slack/command", typed).await;
        said["body"]["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a message of the bot's in #deploys holds these words.
    pub async fn card(&self, words: &str) {
        let mut changes = self.sandbox.world().listen();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let seen = {
                    let slack = self.sandbox.world().slack();
                    slack
                        .messages("C0DEPLOYS")
                        .any(|message| message.is_bots() && message.text.contains(words))
                };
                if seen {
                    return;
                }
                let _ = changes.recv().await;
            }
        });
        assert!(found.await.is_ok(), "{words:?} never came");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
