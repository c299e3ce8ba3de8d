//! Everything the sandbox holds, and how its parts learn of changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

use crate::aws::Account;
use crate::clock::Clock;
use crate::dns::Resolver;
use crate::faults::Faults;
use crate::github::GitHub;
use crate::host::Host;
use crate::services::Services;
use crate::slack::Workspace;
use crate::wire_log::{Entry, WireLog};

/// A hint for the page and for tests that something changed; the truth is in the state, which they read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Change {
    /// A message, an ephemeral, a modal or a person's presence in Slack.
    Slack,
    /// A pipeline, an alarm, an object.
    Aws,
    /// A commit.
    GitHub,
    /// Something in another service: Heroku, Jenkins.
    Services,
    /// A line of the wire log.
    Log,
    /// The clock was jumped.
    Clock,
    /// A fault was set or removed.
    Faults,
}

impl Change {
    /// Every kind, for a listener that missed some.
    pub const ALL: [Self; 7] = [
        Self::Slack,
        Self::Aws,
        Self::GitHub,
        Self::Services,
        Self::Log,
        Self::Clock,
        Self::Faults,
    ];
}

/// The state of the sandbox. Locks are held for the length of a map look-up, never across an await.
pub struct World {
    /// Its time.
    pub clock: Clock,
    /// Its faults.
    pub faults: Faults,
    /// Its calls.
    pub log: WireLog,
    /// The embedding program, if there is one.
    pub host: Mutex<Option<Arc<dyn Host>>>,
    changes: broadcast::Sender<Change>,
    http: reqwest::Client,
    slack: Mutex<Workspace>,
    aws: Mutex<Account>,
    github: Mutex<GitHub>,
    services: Mutex<Services>,
    resolvers: Mutex<Vec<Resolver>>,
}

impl World {
    /// A world with the seed data of the demo.
    #[must_use]
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            slack: Mutex::new(Workspace::seed()),
            aws: Mutex::new(Account::seed(&clock)),
            github: Mutex::new(GitHub::seed(&clock)),
            services: Mutex::default(),
            resolvers: Mutex::default(),
            clock,
            faults: Faults::default(),
            log: WireLog::default(),
            host: Mutex::new(None),
            changes: broadcast::channel(1024).0,
            http: http_client(),
        })
    }

    /// The Slack workspace.
    pub fn slack(&self) -> MutexGuard<'_, Workspace> {
        self.slack.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The AWS account.
    pub fn aws(&self) -> MutexGuard<'_, Account> {
        self.aws.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The repositories.
    pub fn github(&self) -> MutexGuard<'_, GitHub> {
        self.github.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The other services.
    pub fn services(&self) -> MutexGuard<'_, Services> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resolvers, in the order of their addresses.
    pub(crate) fn resolvers(&self) -> MutexGuard<'_, Vec<Resolver>> {
        self.resolvers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the page what the embedding program can do.
    pub fn set_host(&self, host: Option<Arc<dyn Host>>) {
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = host;
    }

    /// The embedding program, if there is one.
    pub fn host(&self) -> Option<Arc<dyn Host>> {
        self.host
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(Arc::clone)
    }

    /// The client with which the vendors call the bot.
    pub(crate) const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Writes a line of the wire log and says so; returns its number.
    pub fn record(&self, entry: Entry) -> u64 {
        let seq = self.log.push(entry);
        self.changed(Change::Log);
        seq
    }

    /// Tells everyone who listens.
    pub fn changed(&self, change: Change) {
        // No listener is not an error: the page may be closed.
        drop(self.changes.send(change));
    }

    /// Listens for changes.
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}

/// No redirects and no kept connections: each delivery stands alone, so that a restarted bot never meets a stale one.
fn http_client() -> reqwest::Client {
    // Somebody else may have chosen a provider already; then theirs is used.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .build();
    client.unwrap_or_default()
}
