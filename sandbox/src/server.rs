//! The server: binds the port and joins the parts' routes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::world::World;

/// How a sandbox is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the bot listens: requests go to `{bot_url}/slack/commands` and so on.
    pub bot_url: String,
    /// With what Slack signs its requests.
    pub signing_secret: String,
    /// Its time.
    pub clock: Clock,
    /// Whether the vendors' rate limits hold: off for tests that post faster than people do.
    pub rate_limits: bool,
    /// A folder in which every body that the bot sends is recorded, for checks against the vendors' schemas.
    pub record_bodies: Option<PathBuf>,
    /// A file of AWS resources and commits that are there from the start.
    pub aws_seed: Option<PathBuf>,
    /// Where resolvers answer from the account's zones; port 0 takes a free one.
    pub resolvers: Vec<SocketAddr>,
    /// How long Slack waits for an answer to a delivery, in machine time.
    pub ack_deadline: Duration,
    /// The pauses before an event's three retries, in machine time.
    pub retry_pauses: [Duration; 3],
}

impl Default for Options {
    /// A free port, no bot yet, the machine's clock, Slack's deadline.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            bot_url: String::new(),
            signing_secret: "sandbox-signing-secret".to_owned(),
            clock: Clock::default(),
            rate_limits: true,
            record_bodies: None,
            aws_seed: None,
            resolvers: Vec::new(),
            ack_deadline: Duration::from_secs(3),
            retry_pauses: [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)],
        }
    }
}

/// A sandbox that is running; dropping it stops it.
pub struct Sandbox {
    world: Arc<World>,
    address: SocketAddr,
    resolvers: Vec<SocketAddr>,
    stop: CancellationToken,
}

impl Sandbox {
    /// Binds the port and serves.
    ///
    /// # Errors
    /// When the port is taken, the folder for recordings cannot be written, or the file of resources is not understood.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let world = World::new(options.clock.clone());
        {
            let mut slack = world.slack();
            slack.connect(&options.bot_url, &options.signing_secret);
            slack.rate_limits = options.rate_limits;
            slack.link.ack_deadline = options.ack_deadline;
            slack.link.retry_pauses = options.retry_pauses;
            if let Some(folder) = &options.record_bodies {
                slack.record_bodies(folder)?;
            }
        }
        if let Some(path) = &options.aws_seed {
            crate::aws::SeedFile::read(path)?.plant(&world);
        }
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let router = router(&world, address);
        let until = stop.clone().cancelled_owned();
        #[expect(
            clippy::disallowed_methods,
            reason = "the sandbox's own server task; it ends with the token"
        )]
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
                tracing::error!(%error, "the sandbox's server stopped");
            }
        });
        crate::aws::start_engine(&world, &stop);
        let mut resolvers = Vec::new();
        for at in options.resolvers {
            resolvers.push(crate::dns::start(&world, at, &stop).await?);
        }
        Ok(Self {
            world,
            address,
            resolvers,
            stop,
        })
    }

    /// Its state, for tests and for the program that embeds it.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Where its resolvers answer, in the order of the options.
    #[must_use]
    pub fn resolvers(&self) -> &[SocketAddr] {
        &self.resolvers
    }

    /// `http://127.0.0.1:8700`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Whoever is still held would wait forever.
        self.world.faults.clear(None);
        self.stop.cancel();
    }
}

fn router(world: &Arc<World>, address: SocketAddr) -> Router {
    Router::new()
        .nest("/slack", crate::slack::routes(world, address))
        // As a service, because clients append a slash or not, and only so are both paths its own.
        .nest_service("/aws", crate::aws::routes(world))
        .nest_service("/opensearch", crate::aws::search_routes(world))
        .nest_service("/web", crate::aws::site_routes(world))
        .nest("/github", crate::github::routes(world))
        .nest_service("/services", crate::services::routes(world))
        .nest("/control", crate::control::routes(world))
        .merge(crate::page::routes())
}
