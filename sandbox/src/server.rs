//! The server: binds the port and joins the parts' routes.

use std::net::SocketAddr;
use std::sync::Arc;

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
}

/// A sandbox that is running; dropping it stops it.
pub struct Sandbox {
    world: Arc<World>,
    address: SocketAddr,
    stop: CancellationToken,
}

impl Sandbox {
    /// Binds the port and serves.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let world = World::new(options.clock.clone());
        world.slack().connect(&options.bot_url, &options.signing_secret);
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let router = router(&world, address);
        let until = stop.clone().cancelled_owned();
        #[expect(clippy::disallowed_methods, reason = "the sandbox's own server task; it ends with the token")]
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
                tracing::error!(%error, "the sandbox's server stopped");
            }
        });
        crate::aws::start_engine(&world, &stop);
        Ok(Self { world, address, stop })
    }

    /// Its state, for tests and for the program that embeds it.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// `http://127.0.0.1:8700`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn router(world: &Arc<World>, address: SocketAddr) -> Router {
    Router::new()
        .nest("/slack", crate::slack::routes(world, address))
        .nest("/aws", crate::aws::routes(world))
        .nest("/github", crate::github::routes(world))
        .nest("/control", crate::control::routes(world))
        .merge(crate::page::routes())
}
