//! `scripts/demo`: a Slack workspace, an AWS account and the bot, on this machine, with nothing to sign up for.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the address and answers go to whoever typed the command"
)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use bot::cli::{Ask, socket};
use bot::secret::Secret;
use clap::{Parser, Subcommand, ValueEnum};
use demo::{DemoHost, Options, Rig, Stored};
use sandbox::host::Host;

/// Where the page is unless somebody says otherwise.
const LISTEN: &str = "127.0.0.1:8700";

/// The sandbox and the bot in one process.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    start: Start,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says something to the demo that runs, as `signalbox say` does to a bot
    Say {
        /// The words, for example "/deploy status mainnet"
        text: String,
        /// A Slack user id of the demo: U0ANN, U0BRUNO, U0CARLA, …
        #[arg(long = "as", value_name = "USER", default_value = "U0ANN")]
        user: String,
        /// Where that demo's page is
        #[arg(long, default_value = LISTEN)]
        listen: SocketAddr,
    },
}

/// How it is started.
#[derive(Debug, clap::Args)]
struct Start {
    /// Where the page is
    #[arg(long, default_value = LISTEN)]
    listen: SocketAddr,
    /// The file of the embedded store; without it each start begins anew
    #[arg(long)]
    data: Option<PathBuf>,
    /// Another configuration than docs/example.toml
    #[arg(long)]
    config: Option<PathBuf>,
    /// The account and the configuration of a team
    #[arg(long, conflicts_with = "config")]
    scenario: Option<Scenario>,
    /// Where the bodies that the bot sends are written down, for checks against Slack's schemas
    #[arg(long)]
    record_bodies: Option<PathBuf>,
}

/// A team whose operations the demo can show.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scenario {
    /// Blue-green migrations and color switches.
    EfCms,
    /// Approvals by ref, schema migrations and rollbacks.
    Hathor,
    /// A push to stage and to production, with the schema before or after the code.
    Balrog,
}

impl Scenario {
    /// The configuration as the team would copy it, and what its account holds.
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::EfCms => (
                include_str!("../../runbooks/ef-cms.toml"),
                include_str!("../../sandbox/seeds/ef-cms.toml"),
            ),
            Self::Hathor => (
                include_str!("../../runbooks/hathor.toml"),
                include_str!("../../sandbox/seeds/hathor.toml"),
            ),
            Self::Balrog => (
                include_str!("../../runbooks/balrog.toml"),
                include_str!("../../sandbox/seeds/balrog.toml"),
            ),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let wanted = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::Level::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(wanted).compact().init();
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Say { text, user, listen }) => say(Ask::Say { text, user }, listen).await,
        None => start(cli.start).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("demo: {error:#}");
        ExitCode::from(2)
    })
}

/// Where the demo whose page is there answers a command line.
fn socket_of(listen: SocketAddr) -> PathBuf {
    std::env::temp_dir().join(format!("signalbox-demo-{}.sock", listen.port()))
}

async fn say(ask: Ask, listen: SocketAddr) -> Result<ExitCode> {
    let path = socket_of(listen);
    let nobody =
        || format!("no demo answers for {listen}: start it with scripts/demo, or say where its page is with --listen");
    // Whoever reads only the first lines (`… | head`) has seen enough.
    let print = |line: String| drop(writeln!(std::io::stdout(), "{line}"));
    let good = socket::ask(&path, &ask, print).await.with_context(nobody)?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn start(start: Start) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let data = start.data.unwrap_or_else(|| folder.path().join("demo.redb"));
    let mut options = Options::new(Stored::File(data));
    options.sandbox.listen = start.listen;
    options.sandbox.record_bodies = start.record_bodies;
    // A free port is known too late to name a socket by it.
    options.socket = (start.listen.port() != 0).then(|| socket_of(start.listen));
    if let Some(scenario) = start.scenario {
        lay_out(scenario, folder.path(), &mut options).await?;
    }
    if let Some(path) = start.config {
        options.config = std::fs::read_to_string(path)?;
    }
    let socket = options.socket.clone();
    let rig = Rig::start(options).await?;
    let host: Arc<dyn Host> = Arc::new(DemoHost::new(&rig));
    rig.sandbox().world().set_host(Some(host));
    println!("Signalbox is in #deploys: open {}", rig.sandbox().url());
    if socket.is_some() {
        println!("From another terminal: scripts/demo say --as U0ANN \"/deploy status\"");
    }
    tokio::signal::ctrl_c().await?;
    rig.kill().await;
    if let Some(path) = socket {
        let _ = std::fs::remove_file(path);
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a team's configuration and account in place.
async fn lay_out(scenario: Scenario, folder: &Path, options: &mut Options) -> Result<()> {
    let (config, account) = scenario.texts();
    let seed = folder.join("account.toml");
    std::fs::write(&seed, account)?;
    options.config = config.to_owned();
    options.sandbox.aws_seed = Some(seed);
    if matches!(scenario, Scenario::Hathor) {
        let redis = Secret::new(demo::keys::serve().await?);
        options.secrets.insert("WALLET_REDIS_URL".to_owned(), redis);
    }
    Ok(())
}
