//! The bot: its parts put together, started, drained, or killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use axum::Router;
use commands::catalog::Catalog;
use commands::time::Span;
use metrics_exporter_prometheus::PrometheusHandle;
use state::Store;
use state::audit::Key;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::aws::Clients;
use crate::aws::cloudwatch::CloudWatch;
use crate::aws::codepipeline::CodePipeline;
use crate::aws::events::{Events, Queue};
use crate::aws::sns::Topics;
use crate::clock::Clock;
use crate::door::Outgoing;
use crate::github::GitHub;
use crate::http::{Http, Probe, Readiness, router};
use crate::ids::Ids;
use crate::programs::Programs;
use crate::runner::commit::Clerk;
use crate::runner::drawings::Drawings;
use crate::runner::engine::SealSink;
use crate::runner::snapshot::Cache;
use crate::runner::{Ears, Engine};
use crate::secret::{Secret, Secrets};
use crate::slack::{People, Slack};

/// Everything the bot is made of. With another store, door, clock and ids, all of it runs in a test.
pub struct Parts {
    /// The configuration.
    pub catalog: Catalog,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// By which people live.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn Ids>,
    /// The way out.
    pub door: Arc<dyn Outgoing>,
    /// The secret of the audit chain.
    pub audit_key: Key,
    /// Slack's Web API and the bot's token.
    pub slack: (Url, Secret),
    /// The secret with which Slack signs.
    pub signing_secret: Secret,
    /// AWS.
    pub aws: Arc<Clients>,
    /// GitHub's REST API and the token, if there is one.
    pub github: (Url, Option<Secret>),
    /// Queues with hints.
    pub events: Vec<Queue>,
    /// The ARNs of SNS topics that may send hints.
    pub topics: Vec<String>,
    /// The secrets that steps show to other services.
    pub secrets: Secrets,
    /// The programs that steps may run beside the bot, by name: path and arguments.
    pub programs: BTreeMap<String, Vec<String>>,
    /// Where seals go; nowhere in a simulation.
    pub seals: Option<SealSink>,
    /// Renders the metrics.
    pub metrics: Option<PrometheusHandle>,
}

/// A bot.
pub struct Bot {
    engine: Arc<Engine>,
    router: Router,
}

impl Bot {
    /// Puts the parts together. Nothing runs yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let (slack, people) = slack(&parts);
        let services = parts.catalog.services.keys();
        let tasks = TaskTracker::new();
        let host = parts.ids.reference();
        let programs = Programs::new(parts.programs, host, Arc::clone(&parts.clock), tasks.clone());
        let pokes = services.map(|slot| (slot.clone(), Notify::new())).collect();
        let engine = Arc::new(Engine {
            clerk: Clerk {
                key: parts.audit_key,
                config: parts.catalog.digest.clone(),
            },
            catalog: Arc::new(parts.catalog),
            store: parts.store,
            clock: Arc::clone(&parts.clock),
            ids: parts.ids,
            door: Arc::clone(&parts.door),
            secrets: parts.secrets,
            programs,
            aws: Arc::clone(&parts.aws),
            slack,
            people,
            pipelines: CodePipeline::new(Arc::clone(&parts.aws), Arc::clone(&parts.clock)),
            alarms: CloudWatch::new(Arc::clone(&parts.aws)),
            aws_health: AtomicU8::new(0),
            github: Arc::new(GitHub::new(
                Arc::clone(&parts.door),
                Arc::clone(&parts.clock),
                parts.github.0,
                parts.github.1,
            )),
            cache: Cache::default(),
            drawings: Drawings::default(),
            looks: Default::default(),
            queues: Default::default(),
            pokes,
            seals: parts.seals,
            tasks,
            stop: CancellationToken::new(),
        });
        for queue in parts.events {
            listen_to(&engine, &parts.aws, queue);
        }
        let http = Http {
            topics: topics(parts.topics, &parts.door, &parts.clock),
            bot: Arc::new(Ears(Arc::clone(&engine))),
            signing_secret: parts.signing_secret,
            clock: parts.clock,
            probe: Arc::new(Health(Arc::clone(&engine))),
            metrics: parts.metrics,
        };
        Self {
            engine,
            router: router(http),
        }
    }

    /// The routes.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// What runs it, for the command line and for tests.
    #[must_use]
    pub const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Watches the pipelines and starts the workers.
    ///
    /// # Errors
    /// When the store does not take what has to be there first.
    pub async fn start(&self) -> Result<()> {
        if let Err(trouble) = self.engine.watch_pipelines().await {
            bail!("the watches could not be stored: {trouble:?}");
        }
        self.engine.start();
        Ok(())
    }

    /// Starts as soon as the store answers: until then people are told that nothing is recorded.
    pub async fn start_when_possible(&self) {
        while let Err(error) = self.start().await {
            tracing::error!(%error, "not started; trying again");
            tokio::select! {
                () = self.engine.clock.sleep(Span::seconds(1)) => {}
                () = self.engine.stop.cancelled() => return,
            }
        }
    }

    /// Takes up no more work and waits until what was begun is done.
    pub async fn drain(&self) {
        self.engine.stop.cancel();
        self.engine.tasks.close();
        self.engine.tasks.wait().await;
    }
}

/// Slack, and who is who there.
fn slack(parts: &Parts) -> (Arc<Slack>, Arc<People>) {
    let (door, clock) = (Arc::clone(&parts.door), Arc::clone(&parts.clock));
    let (url, token) = parts.slack.clone();
    let slack = Slack::new(door, Arc::clone(&clock), url, token).paced_with(Arc::clone(&parts.store));
    let slack = Arc::new(slack);
    let people = Arc::new(People::new(Arc::clone(&slack), clock, parts.catalog.teams.clone()));
    (slack, people)
}

/// The topics that may speak; nobody listens when there is none.
fn topics(arns: Vec<String>, door: &Arc<dyn Outgoing>, clock: &Arc<dyn Clock>) -> Option<Topics> {
    (!arns.is_empty()).then(|| Topics::new(Arc::clone(door), Arc::clone(clock), arns))
}

/// Looks at a pipeline as soon as a queue hints at it.
fn listen_to(engine: &Arc<Engine>, aws: &Arc<Clients>, queue: Queue) {
    let events = Events::new(Arc::clone(aws), Arc::clone(&engine.clock), queue);
    let (tell, mut hints) = mpsc::channel(16);
    let stop = engine.stop.clone();
    engine.tasks.spawn(async move { events.listen(stop, tell).await });
    let listener = Arc::clone(engine);
    engine.tasks.spawn(async move {
        while let Some(hint) = hints.recv().await {
            listener.look_at(&hint).await;
        }
    });
}

struct Health(Arc<Engine>);

#[async_trait]
impl Probe for Health {
    async fn ready(&self) -> Readiness {
        let engine = &self.0;
        let health = engine.store.health().await;
        Readiness {
            store: health.is_ok(),
            store_detail: health.map_or_else(|error| error.to_string(), |health| health.server),
            slack: engine.slack.answered(),
            aws: match engine.aws_health.load(Ordering::Relaxed) {
                0 => None,
                state => Some(state == 1),
            },
        }
    }
}

/// The store that the environment names, and the key of its audit chain.
///
/// # Errors
/// When it cannot be opened, or production runs on a store that may lose what it acknowledged.
pub async fn open_store(redis: Option<&Secret>, file: &std::path::Path) -> Result<Arc<dyn Store>> {
    Ok(match redis {
        Some(url) => {
            let store = state::redis::Redis::open(url.expose()).context("REDIS_URL")?;
            Arc::new(store)
        }
        None => {
            Arc::new(state::embedded::Embedded::open(file).with_context(|| format!("the store {}", file.display()))?)
        }
    })
}

/// The services by name, for messages about what is configured.
#[must_use]
pub fn summary(catalog: &Catalog) -> BTreeMap<String, Vec<String>> {
    let names = |service: &commands::catalog::Service| {
        service
            .environments
            .iter()
            .map(|environment| environment.id.to_string())
            .collect()
    };
    catalog
        .services
        .values()
        .map(|service| (service.id.to_string(), names(service)))
        .collect()
}
