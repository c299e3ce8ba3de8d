//! Everything that is read once, and the bot that is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use commands::catalog::Tier;
use metrics_exporter_prometheus::PrometheusHandle;
use state::Store;
use state::audit::Key;

use crate::aws::Clients;
use crate::bot::{Bot, Parts, open_store};
use crate::checks::CHECKS;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, CommandLine, Env, Loaded};
use crate::door::{Allowed, Door, Outgoing};
use crate::ids::SystemIds;
use crate::runner::seals;
use crate::secret::Secret;

/// Environment variables, each with the keys of the configuration that name it.
pub(super) type Named = BTreeMap<String, BTreeSet<String>>;

/// What was read.
pub(super) struct Setup {
    /// The environment.
    pub(super) env: Env,
    /// The configuration.
    pub(super) loaded: Loaded,
}

impl Setup {
    /// Reads the environment and the configuration.
    ///
    /// # Errors
    /// With everything that is wrong with them.
    pub(super) fn read() -> Result<Self> {
        Self::of(Env::read()?)
    }

    /// The same, without Slack's tokens: for commands that only read the store.
    ///
    /// # Errors
    /// The same.
    pub(super) fn read_without_slack() -> Result<Self> {
        Self::of(Env::read_without_slack()?)
    }

    fn of(env: Env) -> Result<Self> {
        let loaded = load(&env.local.config)?;
        Ok(Self { env, loaded })
    }

    /// Where a running server with an embedded store listens for other commands; nowhere with Redis.
    #[must_use]
    pub(super) fn socket(&self) -> Option<PathBuf> {
        self.env
            .local
            .redis_url
            .is_none()
            .then(|| beside(&self.env.local.data, "sock"))
    }

    /// Whether production is out of reach from the command line; `None`: everything is.
    #[must_use]
    pub(super) const fn confined(&self) -> Option<bool> {
        match self.loaded.settings.command_line {
            CommandLine::Off => None,
            CommandLine::Standard => Some(true),
            CommandLine::Production => Some(false),
        }
    }

    /// The environment variables that the configuration names for secrets, each with the keys that name it: those that are set, and those that are not.
    pub(super) fn secrets(&self) -> (Named, Named) {
        let named = self.loaded.secrets();
        let held = config::secrets(named.keys().cloned());
        named.into_iter().partition(|(name, _)| held.get(name).is_some())
    }

    fn has_production(&self) -> bool {
        let environments = self
            .loaded
            .catalog
            .services
            .values()
            .flat_map(|service| &service.environments);
        environments
            .into_iter()
            .any(|environment| environment.tier == Tier::Production)
    }

    /// The key of the audit chain. With an embedded store one is made and kept beside it, with a warning; with Redis, production demands one.
    fn audit_key(&self) -> Result<Key> {
        if let Some(secret) = &self.env.local.audit_key {
            return Key::new(secret.expose().as_bytes()).context("SIGNALBOX_AUDIT_KEY");
        }
        if self.env.local.redis_url.is_some() {
            if self.has_production() {
                bail!(
                    "SIGNALBOX_AUDIT_KEY is not set: with Redis and a production environment the journal has to be sealed. Make one with `openssl rand -hex 32`, and keep it outside of Redis"
                );
            }
            tracing::warn!(
                "SIGNALBOX_AUDIT_KEY is not set: the journal is chained with a key that everybody knows, and proves nothing"
            );
            return Key::new(b"no audit key was configured").context("the default audit key");
        }
        let path = beside(&self.env.local.data, "key");
        let secret = match std::fs::read(&path) {
            Ok(secret) => secret,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(&path)?,
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Key::new(&secret).with_context(|| path.display().to_string())
    }

    /// The bot, not started.
    ///
    /// # Errors
    /// When something it needs is missing, or its store is not safe enough for production.
    pub(super) async fn bot(&self, metrics: Option<PrometheusHandle>) -> Result<Bot> {
        let store = open_store(self.env.local.redis_url.as_ref(), &self.env.local.data).await?;
        if self.env.local.redis_url.is_some() {
            self.demand_durability(&*store).await?;
        }
        self.bot_on(store, metrics).await
    }

    /// The bot on a store that is given, not started.
    ///
    /// # Errors
    /// When something it needs is missing.
    pub(super) async fn bot_on(&self, store: Arc<dyn Store>, metrics: Option<PrometheusHandle>) -> Result<Bot> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let door = self.door(&clock);
        let aws = Arc::new(Clients::load(Arc::clone(&door), Arc::clone(&clock), self.env.aws_endpoint.clone()).await);
        Ok(Bot::new(Parts {
            catalog: self.loaded.catalog.clone(),
            store,
            clock,
            ids: Arc::new(SystemIds),
            door,
            audit_key: self.audit_key()?,
            slack: (self.env.slack_api.clone(), self.env.slack_token.clone()),
            signing_secret: self.env.slack_signing_secret.clone(),
            aws,
            github: (self.env.github_api.clone(), self.env.github_token.clone()),
            events: self.loaded.settings.events.clone(),
            topics: self.loaded.settings.topics.clone(),
            secrets: config::secrets(self.loaded.secrets().into_keys()),
            programs: self.loaded.settings.programs.clone(),
            seals: Some(seals::to_stdout()),
            metrics,
        }))
    }

    fn door(&self, clock: &Arc<dyn Clock>) -> Arc<dyn Outgoing> {
        let mut allowed = Allowed::nobody()
            .slack(&self.env.slack_api)
            .github(&self.env.github_api)
            .aws_regions(self.loaded.regions())
            .listed(self.loaded.catalog.hosts())
            .sns_topics(self.loaded.settings.topics.iter().map(String::as_str));
        if let Some(endpoint) = &self.env.aws_endpoint {
            allowed = allowed.aws_endpoint(endpoint);
        }
        if let Some(address) = &self.env.aws_credentials {
            allowed = allowed.aws_credentials(address);
        }
        Arc::new(Door::new(allowed, Arc::clone(clock), self.env.proxy.clone()))
    }

    /// Refuses production on a Redis that can lose what it acknowledged.
    async fn demand_durability(&self, store: &dyn Store) -> Result<()> {
        let health = store.health().await.context("REDIS_URL")?;
        let unsafe_store = health.durable == Some(false) || health.evicts == Some(true);
        let safe = health.durable == Some(true) && health.evicts == Some(false);
        for note in &health.notes {
            if safe {
                tracing::info!(server = health.server, note, "the store's settings");
            } else {
                tracing::warn!(server = health.server, note, "the store's settings");
            }
        }
        if unsafe_store && self.has_production() && !self.loaded.settings.accept_unsafe_store {
            bail!(
                "this Redis can lose what it has acknowledged, and a production environment is configured: {}. Mend its settings, or accept the risk with `accept_unsafe_durability = true` under [store]",
                health.notes.join("; ")
            );
        }
        Ok(())
    }
}

/// Reads the configuration.
///
/// # Errors
/// With everything that is wrong with it, each with file and line.
pub(super) fn load(path: &Path) -> Result<Loaded> {
    let checks: Vec<&str> = CHECKS.iter().map(|check| check.name()).collect();
    Ok(config::load(path, &checks)?)
}

/// A file beside the embedded store's.
fn beside(data: &Path, extension: &str) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

fn make_key(path: &Path) -> Result<Vec<u8>> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let secret = Secret::new(hex::encode(rand::random::<[u8; 32]>()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| path.display().to_string())?;
    file.write_all(secret.expose().as_bytes())?;
    file.sync_all()?;
    tracing::warn!(path = %path.display(), "SIGNALBOX_AUDIT_KEY is not set: a key was made and lies beside the data, where whoever changes the data can read it");
    Ok(secret.expose().as_bytes().to_vec())
}
