//! The two servers that are compared, started the same way: one process, one listening port, the same Redis, the same Slack.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use state::testing::RedisServer;

use super::data::{AUDIT_KEY, ENVIRONMENTS, STATUS_SERVICE, VOTE_SERVICES, vote_service};
use super::drive::now;
use super::slack::{SIGNING_SECRET, STATUS_CHANNEL, VOTE_CHANNEL};
use super::wire::Connection;

/// How long a server may take to get ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Side {
    /// `signalbox serve`.
    #[value(name = "signalbox")]
    Bot,
    /// The same job in Bolt for JavaScript.
    #[value(name = "bolt-js")]
    Bolt,
}

impl Side {
    /// Its name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bot => "signalbox",
            Self::Bolt => "bolt-js",
        }
    }
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The binary `signalbox`.
    pub bot: PathBuf,
    /// `bench/bolt/app.mjs`.
    pub bolt: PathBuf,
    /// Where npm put its packages.
    pub node_modules: PathBuf,
    /// The folder of the store's Lua scripts.
    pub scripts: PathBuf,
    /// A folder for configuration files and logs.
    pub work: PathBuf,
}

/// A running server, killed with this.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From starting the process to its first 200 on `/readyz`.
    pub ready_after: Duration,
}

impl Server {
    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the phase has noticed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts a server on this store and waits until it is ready.
///
/// # Errors
/// When it does not get ready; its log tells why.
pub(crate) async fn start(places: &Places, side: Side, redis: &str, sink: SocketAddr) -> Result<Server> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let log = places.work.join(format!("{}.log", side.name()));
    let file = std::fs::File::create(&log)?;
    let mut command = match side {
        Side::Bot => bot(places, redis, address, sink)?,
        Side::Bolt => bolt(places, redis, address)?,
    };
    command
        .env("SLACK_BOT_TOKEN", "xoxb-bench")
        .env("SLACK_SIGNING_SECRET", SIGNING_SECRET)
        .env("SLACK_API_URL", format!("http://{sink}/api"))
        .env("SIGNALBOX_AUDIT_KEY", AUDIT_KEY)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    let started = now();
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    loop {
        tick.tick().await;
        if is_ready(address).await {
            return Ok(Server {
                child,
                address,
                ready_after: now() - started,
            });
        }
        if now() - started > PATIENCE || child.try_wait()?.is_some() {
            drop(child.kill());
            bail!(
                "{} did not get ready; its log:\n{}",
                side.name(),
                std::fs::read_to_string(&log).unwrap_or_default()
            );
        }
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address).await else {
        return false;
    };
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    connection
        .ask(request.as_bytes())
        .await
        .is_ok_and(|answer| answer.status == 200)
}

fn bot(places: &Places, redis: &str, address: SocketAddr, sink: SocketAddr) -> Result<Command> {
    let config = places.work.join("signalbox.toml");
    std::fs::write(&config, configuration())?;
    let mut command = Command::new(&places.bot);
    command
        .arg("serve")
        .env("REDIS_URL", redis)
        .env("LISTEN", address.to_string())
        .env("SIGNALBOX_CONFIG", config)
        .env("AWS_ENDPOINT_URL", format!("http://{sink}/aws"))
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "bench")
        .env("AWS_SECRET_ACCESS_KEY", "bench")
        .env("RUST_LOG", "warn");
    Ok(command)
}

fn bolt(places: &Places, redis: &str, address: SocketAddr) -> Result<Command> {
    let file = places.work.join("bolt.json");
    let services: Vec<_> = services()
        .map(|(service, channel)| json!({"id": service, "channel": channel}))
        .collect();
    let settings = json!({
        "port": address.port(),
        "redis": redis,
        "scripts": places.scripts,
        "environments": ENVIRONMENTS,
        "production": ENVIRONMENTS[1],
        "group": "S0WALLET",
        "required": 2,
        "services": services,
    });
    std::fs::write(&file, settings.to_string())?;
    let mut command = Command::new("node");
    command
        .arg(&places.bolt)
        .arg(file)
        .env("NODE_MODULES", &places.node_modules)
        .env("NODE_ENV", "production");
    Ok(command)
}

fn services() -> impl Iterator<Item = (String, &'static str)> {
    let voted = (0..VOTE_SERVICES).map(|number| (vote_service(number), VOTE_CHANNEL));
    std::iter::once((STATUS_SERVICE.to_owned(), STATUS_CHANNEL)).chain(voted)
}

/// The bot's configuration: every service alike.
fn configuration() -> String {
    let of = |(service, channel): (String, &str)| {
        format!(
            "[service.{service}]\nchannel = \"{channel}\"\n\n\
             [service.{service}.environment.{testnet}]\nrefs = [\"master\"]\npipeline = {{ name = \"{service}-{testnet}\", stage = \"Approve\", action = \"Approval\" }}\n\
             approvers = {{ groups = [\"S0WALLET\"] }}\naws = {{ region = \"eu-central-1\" }}\n\n\
             [service.{service}.environment.{mainnet}]\ntier = \"production\"\nrefs = [\"v*\"]\npipeline = {{ name = \"{service}\", stage = \"Approve\", action = \"Approval\" }}\n\
             approvers = {{ groups = [\"S0WALLET\"], required = 2, self_approval = false }}\naws = {{ region = \"eu-central-1\" }}\n\n",
            testnet = ENVIRONMENTS[0],
            mainnet = ENVIRONMENTS[1],
        )
    };
    let services: String = services().map(of).collect();
    // Most phases run with `everysec`, which production refuses unless it is told to.
    format!("[store]\naccept_unsafe_durability = true\n\n{services}")
}

/// A Redis with an append-only file that it does not rewrite: a rewrite that happens to fall into a phase takes one of two cores from it.
pub(crate) fn redis() -> RedisServer {
    let file = ["--appendonly", "yes", "--appendfsync", "everysec"];
    RedisServer::start_with(&[&file[..], &["--auto-aof-rewrite-percentage", "0"]].concat())
}

/// Waits until what was written in bulk is on the disk, so that no phase pays for it.
///
/// # Errors
/// When `sync` is not there.
pub(crate) fn settle() -> Result<()> {
    if Command::new("sync").status()?.success() {
        Ok(())
    } else {
        bail!("sync failed")
    }
}

/// Turns the store's durability up or down while it runs.
///
/// # Errors
/// When `redis-cli` is not there, or refuses.
pub(crate) fn set_fsync(address: &str, policy: &str) -> Result<()> {
    let port = address.rsplit(':').next().unwrap_or_default();
    let output = Command::new("redis-cli")
        .args(["-p", port, "config", "set", "appendfsync", policy])
        .output()?;
    if output.stdout.starts_with(b"OK") {
        Ok(())
    } else {
        bail!("redis-cli: {}", String::from_utf8_lossy(&output.stdout))
    }
}
