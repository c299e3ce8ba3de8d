//! One bot of a rig. It has a runtime of its own, so that killing it is what a crash is.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bot::bot::{Bot, Parts};
use bot::cli::socket;
use bot::runner::Engine;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// How long a killed bot may take to let go of its store.
const LET_GO: Duration = Duration::from_secs(10);
/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A place for a bot: an address, and the bot that listens there while one lives.
pub(crate) struct Replica {
    address: SocketAddr,
    /// Keeps the port from everybody else while no bot listens.
    _held: TcpSocket,
    /// Where its bot answers a command line, if it does.
    socket: Option<PathBuf>,
    running: Mutex<Option<Running>>,
}

/// A bot that runs, with its runtime.
struct Running {
    runtime: Runtime,
    bot: Arc<Bot>,
}

/// Whoever gives a rig up in the middle of something asynchronous may not wait there for its runtime, and wants to say why it was given up.
impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().take() {
            running.runtime.shutdown_background();
        }
    }
}

/// A socket at an address that the place and its bots share, and nobody else has.
fn shared(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseport(true)?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Replica {
    /// A place without a bot; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub(crate) fn new(address: SocketAddr, socket: Option<PathBuf>) -> io::Result<Self> {
        let held = shared(address)?;
        Ok(Self {
            address: held.local_addr()?,
            _held: held,
            socket,
            running: Mutex::new(None),
        })
    }

    /// Where its bot listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What runs its bot; nothing while that is dead.
    pub(crate) async fn engine(&self) -> Option<Arc<Engine>> {
        let running = self.running.lock().await;
        running.as_ref().map(|running| Arc::clone(running.bot.engine()))
    }

    /// Kills its bot: every task ends where it stands.
    pub(crate) async fn kill(&self) {
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

    /// Starts a bot, after killing the one that runs. Like the binary it is there before its workers are: those wait for the store.
    ///
    /// # Errors
    /// When it cannot be made, or its port is taken.
    pub(crate) async fn restart(&self, make: impl FnOnce() -> Result<Parts> + Send + 'static) -> Result<()> {
        self.kill().await;
        let (address, socket) = (self.address, self.socket.clone());
        let running = tokio::task::spawn_blocking(move || -> Result<Running> {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            let parts = make()?;
            // Its listeners start with it, so it is made inside of its runtime.
            let bot = Arc::new(runtime.block_on(async { Bot::new(parts) }));
            let listener = runtime
                .block_on(async { shared(address)?.listen(BACKLOG) })
                .context("the bot's port")?;
            if let Some(path) = socket {
                // Like everything of the bot, it ends with its runtime.
                let _inside = runtime.enter();
                socket::listen(&path, Arc::clone(bot.engine()), Some(false)).context("the command line's socket")?;
            }
            let starting = Arc::clone(&bot);
            runtime.spawn(async move { starting.start_when_possible().await });
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
}
