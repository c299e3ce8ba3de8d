//! A sandbox and a bot that belong together.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bot::aws::Clients;
use bot::aws::events::Queue;
use bot::bot::{Bot, Parts};
use bot::checks::CHECKS;
use bot::clock::Clock;
use bot::config::{self, Loaded, Secret};
use bot::door::{Allowed, Door, Outgoing};
use bot::ids::SystemIds;
use bot::runner::Engine;
use commands::catalog::AwsTarget;
use sandbox::Sandbox;
use state::Store;
use state::audit::Key;
use state::embedded::Embedded;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use url::Url;

use crate::clock::SharedClock;

/// The secret that the sandbox signs with.
const SIGNING_SECRET: &str = "sandbox-signing-secret";
/// How long a killed bot may take to let go of its store.
const LET_GO: Duration = Duration::from_secs(10);

/// Puts something between the bot and the way out.
pub type DoorWrap = Arc<dyn Fn(Arc<dyn Outgoing>) -> Arc<dyn Outgoing> + Send + Sync>;
/// Puts something between the bot and its store.
pub type StoreWrap = Arc<dyn Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync>;

/// Where the bot keeps what it knows.
#[derive(Clone)]
pub enum Stored {
    /// In a file of the embedded store.
    File(PathBuf),
    /// In a store that outlives the bot.
    Shared(Arc<dyn Store>),
    /// In Redis.
    Redis(String),
}

/// How a rig is started.
#[derive(Clone)]
pub struct Options {
    /// The sandbox.
    pub sandbox: sandbox::Options,
    /// Where the bot listens; port 0 takes a free one.
    pub bot: SocketAddr,
    /// The configuration, as text.
    pub config: String,
    /// Where the bot keeps what it knows.
    pub stored: Stored,
    /// Between the bot and the way out.
    pub door: Option<DoorWrap>,
    /// Between the bot and its store.
    pub store: Option<StoreWrap>,
}

impl Options {
    /// The demo's configuration on free ports.
    #[must_use]
    pub fn new(stored: Stored) -> Self {
        Self {
            sandbox: sandbox::Options {
                signing_secret: SIGNING_SECRET.to_owned(),
                ..sandbox::Options::default()
            },
            bot: SocketAddr::from(([127, 0, 0, 1], 0)),
            config: include_str!("../../docs/example.toml").to_owned(),
            stored,
            door: None,
            store: None,
        }
    }
}

/// A bot that runs, with its runtime.
struct Running {
    runtime: Runtime,
    bot: Arc<Bot>,
}

/// A sandbox and a bot that belong together.
pub struct Rig {
    sandbox: Sandbox,
    options: Options,
    address: SocketAddr,
    running: Mutex<Option<Running>>,
}

impl Rig {
    /// Starts both.
    ///
    /// # Errors
    /// When a port is taken, the configuration is wrong, or the store cannot be opened.
    pub async fn start(mut options: Options) -> Result<Arc<Self>> {
        // Whoever was first has installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The port is found before the bot is there, for the sandbox has to know it; the bot takes it a moment later.
        let address = TcpListener::bind(options.bot)?.local_addr()?;
        options.sandbox.bot_url = format!("http://{address}");
        let sandbox = Sandbox::start(options.sandbox.clone()).await?;
        let rig = Arc::new(Self {
            sandbox,
            options,
            address,
            running: Mutex::new(None),
        });
        rig.restart().await?;
        Ok(rig)
    }

    /// The sandbox.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Where the bot listens.
    #[must_use]
    pub fn bot_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What runs the bot; nothing while it is dead.
    pub async fn engine(&self) -> Option<Arc<Engine>> {
        self.running
            .lock()
            .await
            .as_ref()
            .map(|running| Arc::clone(running.bot.engine()))
    }

    /// Kills the bot: every task ends where it stands.
    pub async fn kill(&self) {
        let Some(Running { runtime, bot }) = self.running.lock().await.take() else {
            return;
        };
        drop(bot);
        // Waits only for threads to notice; tasks are dropped at once.
        let killed = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(LET_GO)).await;
        if killed.is_err() {
            tracing::error!("the bot's runtime did not end");
        }
    }

    /// Starts the bot, after killing the one that runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn restart(&self) -> Result<()> {
        self.kill().await;
        let loaded = self.config()?;
        let store = self.open_store()?;
        let (options, address, base) = (self.options.clone(), self.address, self.sandbox.url());
        let running = tokio::task::spawn_blocking(move || -> Result<Running> {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            let clock: Arc<dyn Clock> = Arc::new(SharedClock::new(options.sandbox.clock.clone()));
            let parts = parts(&options, &base, loaded, store, clock)?;
            // Its listeners start with it, so it is made inside of its runtime.
            let bot = Arc::new(runtime.block_on(async { Bot::new(parts) }));
            let listener = runtime
                .block_on(tokio::net::TcpListener::bind(address))
                .context("the bot's port")?;
            runtime.block_on(bot.start())?;
            let (router, stop) = (bot.router(), bot.engine().stop.clone());
            runtime.spawn(async move {
                if let Err(error) = axum::serve(listener, router)
                    .with_graceful_shutdown(stop.cancelled_owned())
                    .await
                {
                    tracing::error!(%error, "the bot's server stopped");
                }
            });
            Ok(Running { runtime, bot })
        });
        *self.running.lock().await = Some(running.await??);
        Ok(())
    }

    fn config(&self) -> Result<Loaded> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("signalbox.toml");
        std::fs::write(&path, &self.options.config)?;
        let checks: Vec<&str> = CHECKS.iter().map(|check| check.name()).collect();
        Ok(config::load(&path, &checks)?)
    }

    fn open_store(&self) -> Result<Arc<dyn Store>> {
        let store: Arc<dyn Store> = match &self.options.stored {
            Stored::File(path) => Arc::new(Embedded::open(path)?),
            Stored::Shared(store) => Arc::clone(store),
            Stored::Redis(url) => Arc::new(state::redis::Redis::open(url)?),
        };
        Ok(match &self.options.store {
            Some(wrap) => wrap(store),
            None => store,
        })
    }
}

/// The sandbox's account, with the role that may read it.
fn account() -> AwsTarget {
    let role_arn = Some(format!("arn:aws:iam::{}:role/signalbox", sandbox::aws::ACCOUNT));
    AwsTarget {
        region: sandbox::aws::REGION.to_owned(),
        role_arn,
        external_id: None,
    }
}

fn parts(options: &Options, base: &str, loaded: Loaded, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Parts> {
    let url = |path: &str| -> Result<Url> { Ok(format!("{base}{path}").parse()?) };
    let (slack, github, aws) = (url("/slack/api")?, url("/github")?, url("/aws")?);
    let allowed = Allowed::nobody()
        .slack(&slack)
        .github(&github)
        .aws_regions(loaded.regions())
        .sns_topics(loaded.settings.topics.iter().map(String::as_str))
        .aws_endpoint(&aws);
    let mut door: Arc<dyn Outgoing> = Arc::new(Door::new(allowed, Arc::clone(&clock), None));
    if let Some(wrap) = &options.door {
        door = wrap(door);
    }
    let keys = Secret::new("sandbox");
    let queue = Queue {
        url: format!("{base}/aws/{}/{}", sandbox::aws::ACCOUNT, sandbox::aws::EVENT_QUEUE),
        aws: account(),
    };
    Ok(Parts {
        catalog: loaded.catalog,
        store,
        ids: Arc::new(SystemIds),
        audit_key: Key::new(b"the sandbox's audit key").map_err(|error| anyhow!(error))?,
        slack: (slack, Secret::new("xoxb-sandbox")),
        signing_secret: Secret::new(options.sandbox.signing_secret.clone()),
        aws: Arc::new(Clients::with_keys(
            Arc::clone(&door),
            Arc::clone(&clock),
            aws,
            "sandbox",
            &keys,
        )),
        github: (github, Some(Secret::new("sandbox"))),
        events: vec![queue],
        topics: loaded.settings.topics,
        seals: None,
        metrics: None,
        door,
        clock,
    })
}
