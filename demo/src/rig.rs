//! A sandbox and the bots that belong to it: one, or several replicas on one store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use bot::aws::Clients;
use bot::aws::events::Queue;
use bot::bot::Parts;
use bot::checks::CHECKS;
use bot::clock::Clock;
use bot::config::{self, Loaded};
use bot::door::{Allowed, Door, Outgoing};
use bot::ids::SystemIds;
use bot::runner::Engine;
use bot::secret::{Secret, Secrets};
use commands::catalog::AwsTarget;
use sandbox::Sandbox;
use state::Store;
use state::audit::Key;
use state::embedded::Embedded;
use url::Url;

use crate::clock::SharedClock;
use crate::names::Names;
use crate::replica::Replica;

/// The secret that the sandbox signs with.
const SIGNING_SECRET: &str = "sandbox-signing-secret";

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
    /// Where the first bot listens; port 0 takes a free one.
    pub bot: SocketAddr,
    /// How many bots there are; more than one need a store that can be shared.
    pub replicas: usize,
    /// The configuration, as text. `{sandbox}` in it is the sandbox's address, `{resolver.0}` that of its first DNS server.
    pub config: String,
    /// Where the bot keeps what it knows.
    pub stored: Stored,
    /// The secrets that steps show to other services, by the environment variables that would hold them.
    pub secrets: BTreeMap<String, Secret>,
    /// Where the first bot answers a command line.
    pub socket: Option<PathBuf>,
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
            replicas: 1,
            config: include_str!("../../docs/example.toml").to_owned(),
            stored,
            secrets: BTreeMap::new(),
            socket: None,
            door: None,
            store: None,
        }
    }
}

/// A sandbox and the bots that belong to it.
pub struct Rig {
    sandbox: Sandbox,
    options: Options,
    replicas: Vec<Replica>,
}

impl Rig {
    /// Starts all of them.
    ///
    /// # Errors
    /// When a port is taken, the configuration is wrong, or the store cannot be opened.
    pub async fn start(mut options: Options) -> Result<Arc<Self>> {
        // Whoever was first has installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The sandbox has to know where the first bot will be.
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let socket = |number| options.socket.clone().filter(|_| number == 0);
        let replicas: Vec<Replica> = std::iter::once(options.bot)
            .chain(std::iter::repeat_n(free, options.replicas.saturating_sub(1)))
            .enumerate()
            .map(|(number, address)| Replica::new(address, socket(number)))
            .collect::<std::io::Result<_>>()?;
        options.sandbox.bot_url = replicas[0].url();
        let sandbox = Sandbox::start(options.sandbox.clone()).await?;
        options.config = options.config.replace("{sandbox}", &sandbox.url());
        for (number, resolver) in sandbox.resolvers().iter().enumerate() {
            options.config = options
                .config
                .replace(&format!("{{resolver.{number}}}"), &resolver.to_string());
        }
        let rig = Arc::new(Self {
            sandbox,
            options,
            replicas,
        });
        rig.restart().await?;
        Ok(rig)
    }

    /// The sandbox.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Where the first bot listens: the one that the sandbox speaks to unless it is told otherwise.
    #[must_use]
    pub fn bot_url(&self) -> String {
        self.replicas[0].url()
    }

    /// Where each bot listens.
    #[must_use]
    pub fn bot_urls(&self) -> Vec<String> {
        self.replicas.iter().map(Replica::url).collect()
    }

    /// What runs the first bot that lives; nothing while all are dead.
    pub async fn engine(&self) -> Option<Arc<Engine>> {
        for replica in &self.replicas {
            if let Some(engine) = replica.engine().await {
                return Some(engine);
            }
        }
        None
    }

    /// Kills every bot: every task ends where it stands.
    pub async fn kill(&self) {
        for replica in &self.replicas {
            replica.kill().await;
        }
    }

    /// Kills one of the bots, counted from 0; one that is not there is dead already.
    pub async fn kill_one(&self, number: usize) {
        if let Some(replica) = self.replicas.get(number) {
            replica.kill().await;
        }
    }

    /// Starts every bot, after killing those that run.
    ///
    /// # Errors
    /// When one cannot be started.
    pub async fn restart(&self) -> Result<()> {
        self.kill().await;
        for replica in &self.replicas {
            let (options, base) = (self.options.clone(), self.sandbox.url());
            replica.restart(move || parts(&options, &base)).await?;
        }
        Ok(())
    }
}

fn configuration(text: &str) -> Result<Loaded> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("signalbox.toml");
    std::fs::write(&path, text)?;
    let checks: Vec<&str> = CHECKS.iter().map(|check| check.name()).collect();
    Ok(config::load(&path, &checks)?)
}

fn open_store(options: &Options) -> Result<Arc<dyn Store>> {
    let store: Arc<dyn Store> = match &options.stored {
        Stored::File(path) => Arc::new(Embedded::open(path)?),
        Stored::Shared(store) => Arc::clone(store),
        Stored::Redis(url) => Arc::new(state::redis::Redis::open(url)?),
    };
    Ok(match &options.store {
        Some(wrap) => wrap(store),
        None => store,
    })
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

fn parts(options: &Options, base: &str) -> Result<Parts> {
    let loaded = configuration(&options.config)?;
    let store = open_store(options)?;
    let clock: Arc<dyn Clock> = Arc::new(SharedClock::new(options.sandbox.clock.clone()));
    let url = |path: &str| -> Result<Url> { Ok(format!("{base}{path}").parse()?) };
    let (slack, github, aws) = (url("/slack/api")?, url("/github")?, url("/aws")?);
    let allowed = Allowed::nobody()
        .slack(&slack)
        .github(&github)
        .aws_regions(loaded.regions())
        .listed(loaded.catalog.hosts())
        .listed([&base.to_owned()])
        .sns_topics(loaded.settings.topics.iter().map(String::as_str))
        .aws_endpoint(&aws);
    let door = Door::new(allowed, Arc::clone(&clock), None);
    let mut door: Arc<dyn Outgoing> = Arc::new(Names::new(door, base));
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
        secrets: Secrets::new(options.secrets.clone()),
        programs: loaded.settings.programs,
        seals: None,
        metrics: None,
        door,
        clock,
    })
}
