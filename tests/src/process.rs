//! The real binary between a sandbox and a store of its own: `serve` as users start it, killed, told to stop, and the other commands beside it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use sandbox::aws::{ACCOUNT, EVENT_QUEUE};
use sandbox::slack::Message;
use sandbox::{Sandbox, World};
use serde_json::{Value, json};
use state::testing::RedisServer;

use crate::scenario::{DEPLOYS, is_card, text_of};
use crate::tap::Tap;

/// How long anything may take, in machine time; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long nothing has to happen before something outside of the sandbox is looked at again.
const LULL: Duration = Duration::from_millis(10);
/// What the process is given and must not show.
pub const AUDIT_KEY: &str = "an audit key that nobody may see";
/// What the process is given and must not show.
pub const TOKEN: &str = "xoxb-sandbox";
/// A Redis that forgets nothing that it has confirmed.
pub const SAFE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// Where a process keeps its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// In a Redis of its own.
    InRedis,
    /// In the embedded store's file.
    InFile,
}

/// What stands around the binary.
pub struct Setup {
    /// Its configuration. `{sandbox}` in it is the sandbox's address.
    pub config: String,
    /// What the account holds at the start, as a file of the sandbox; left out: the demo's.
    pub account: Option<String>,
    /// The settings of its Redis; left out: it keeps a file.
    pub redis: Option<Vec<String>>,
    /// Whether a tap listens to what it says to its Redis.
    pub tapped: bool,
    /// How much it logs.
    pub log: &'static str,
    /// The binary; left out: the one that is built like this test was.
    pub binary: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            config: include_str!("../../docs/example.toml").to_owned(),
            account: None,
            redis: Some(SAFE.map(str::to_owned).to_vec()),
            tapped: false,
            log: "info",
            binary: None,
        }
    }
}

/// A sandbox, a store, and the binary between them.
pub struct Town {
    /// Slack, AWS and GitHub.
    pub sandbox: Sandbox,
    /// Between the binary and its Redis, if it was asked for.
    pub tap: Option<Tap>,
    /// For whoever asks the binary something.
    pub http: reqwest::Client,
    redis: Option<Mutex<RedisServer>>,
    folder: tempfile::TempDir,
    listen: String,
    log: &'static str,
    binary: PathBuf,
    process: Mutex<Option<Child>>,
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

/// The binary, built like this test was; once.
///
/// # Panics
/// When it cannot be built.
#[must_use]
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
        let own = std::env::current_exe().expect("a test is a program");
        let folder = own.ancestors().nth(2).expect("deps is in the profile's folder");
        let profile = match folder.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let built = cargo
            .args([
                "build",
                "--quiet",
                "--locked",
                "--workspace",
                "--bin",
                "signalbox",
                "--profile",
                profile,
            ])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the binary is built");
        folder.join("signalbox")
    })
}

impl Town {
    /// The demo's world, with hints of what the pipelines do, on Redis; it logs everything that it can.
    pub async fn start() -> Self {
        Self::hinted(false, "trace").await
    }

    /// The same, with a tap on what the binary says to its store.
    pub async fn tapped() -> Self {
        Self::hinted(true, "info").await
    }

    async fn hinted(tapped: bool, log: &'static str) -> Self {
        let queue = format!("https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/{EVENT_QUEUE}");
        let role = format!("arn:aws:iam::{ACCOUNT}:role/signalbox");
        let mut setup = Setup {
            tapped,
            log,
            ..Setup::default()
        };
        setup
            .config
            .push_str(&format!("\n[[aws.events]]\nurl = \"{queue}\"\nrole_arn = \"{role}\"\n"));
        Self::with(setup).await
    }

    /// The demo's world with nothing but the example configuration, in which some words are replaced.
    pub async fn serving(keeps: Keeps, replace: &[(&str, &str)]) -> Self {
        let mut setup = Setup::default();
        if keeps == Keeps::InFile {
            setup.redis = None;
        }
        for (from, to) in replace {
            assert!(setup.config.contains(from), "the example has {from}");
            setup.config = setup.config.replace(from, to);
        }
        Self::with(setup).await
    }

    /// Any world; returns when the binary is ready.
    pub async fn with(setup: Setup) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("an address");
        let folder = tempfile::tempdir().expect("a folder");
        let account = setup.account.map(|text| {
            let path = folder.path().join("account.toml");
            std::fs::write(&path, text).expect("the account is written");
            path
        });
        let options = sandbox::Options {
            bot_url: format!("http://{listen}"),
            rate_limits: false,
            aws_seed: account,
            ..sandbox::Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        // The first look at the pipeline finds what waits; the next one would be a quarter of a minute later.
        sandbox.world().clock.jump(10_000);
        let config = setup.config.replace("{sandbox}", &sandbox.url());
        std::fs::write(folder.path().join("signalbox.toml"), config).expect("the configuration is written");
        let redis = setup.redis.map(|settings| {
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            RedisServer::start_with(&settings)
        });
        let tap = redis
            .as_ref()
            .filter(|_| setup.tapped)
            .map(|redis| Tap::on(&redis.address()));
        let town = Self {
            sandbox,
            tap,
            http: reqwest::Client::new(),
            redis: redis.map(Mutex::new),
            log: setup.log,
            binary: setup.binary.unwrap_or_else(|| binary().clone()),
            folder,
            listen: listen.to_string(),
            process: Mutex::new(None),
        };
        town.spawn();
        town.ready().await;
        town
    }

    /// Starts the binary.
    pub fn spawn(&self) {
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.log())
            .expect("a log");
        let child = self
            .command(&["serve"])
            .env("RUST_LOG", self.log)
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        *self.process() = Some(child);
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
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env_clear()
            .env("SLACK_BOT_TOKEN", TOKEN)
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
        if let Some(tap) = &self.tap {
            command.env("REDIS_URL", tap.url());
        } else if self.redis.is_some() {
            command.env("REDIS_URL", self.redis().url());
        }
        command
    }

    /// Its Redis.
    ///
    /// # Panics
    /// When it keeps a file.
    pub fn redis(&self) -> MutexGuard<'_, RedisServer> {
        let redis = self.redis.as_ref().expect("it keeps its records in Redis");
        redis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file with the server's output.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("bot.log")
    }

    /// Where it listens.
    #[must_use]
    pub fn bot_url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The number of its process.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process().as_ref().expect("it runs").id()
    }

    /// `kill -9`, if it runs.
    pub fn kill(&self) {
        let process = self.process().take();
        if let Some(mut process) = process {
            process.kill().expect("it is killed");
            process.wait().expect("it ends");
        }
    }

    /// `kill -TERM`; returns at once.
    ///
    /// # Panics
    /// When it does not run.
    pub fn tells_to_stop(&self) {
        let sent = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// How it ends by itself.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn ended(&self) -> ExitStatus {
        let mut process = self.process().take().expect("it runs");
        tokio::task::spawn_blocking(move || process.wait())
            .await
            .expect("a thread")
            .expect("it ends")
    }

    /// What monitors read.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn metrics(&self) -> String {
        let answer = self.http.get(format!("{}/metrics", self.bot_url())).send().await;
        answer.expect("metrics").text().await.expect("a body")
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

    /// Asks again and again: whenever something happens in the sandbox, and when nothing does for a moment.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let mut changes = self.sandbox.world().listen();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                // A change and a lull come to the same: another look.
                let _ = tokio::time::timeout(LULL, changes.recv()).await;
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

    /// Somebody types a slash command in #deploys; what they are told, nothing when nobody listens.
    pub async fn says(&self, user: &str, text: &str) -> String {
        let typed = json!({ "user": user, "channel": DEPLOYS, "text": text });
        let said = self.control("slack/command", typed).await;
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
