//! `scripts/demo`: a Slack workspace, an AWS account and the bot, on this machine, with nothing to sign up for.
#![expect(clippy::print_stdout, reason = "the address goes to whoever started it")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use bot::secret::Secret;
use clap::{Parser, ValueEnum};
use demo::{DemoHost, Options, Rig, Stored};
use sandbox::host::Host;

/// The sandbox and the bot in one process.
#[derive(Debug, Parser)]
struct Cli {
    /// Where the page is
    #[arg(long, default_value = "127.0.0.1:8700")]
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
async fn main() -> Result<()> {
    let wanted = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::Level::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(wanted).compact().init();
    let cli = Cli::parse();
    let folder = tempfile::tempdir()?;
    let data = cli.data.unwrap_or_else(|| folder.path().join("demo.redb"));
    let mut options = Options::new(Stored::File(data));
    options.sandbox.listen = cli.listen;
    options.sandbox.record_bodies = cli.record_bodies;
    if let Some(scenario) = cli.scenario {
        let (config, account) = scenario.texts();
        let seed = folder.path().join("account.toml");
        std::fs::write(&seed, account)?;
        options.config = config.to_owned();
        options.sandbox.aws_seed = Some(seed);
        if matches!(scenario, Scenario::Hathor) {
            let redis = Secret::new(demo::keys::serve().await?);
            options.secrets.insert("WALLET_REDIS_URL".to_owned(), redis);
        }
    }
    if let Some(path) = cli.config {
        options.config = std::fs::read_to_string(path)?;
    }
    let rig = Rig::start(options).await?;
    let host: Arc<dyn Host> = Arc::new(DemoHost::new(&rig));
    rig.sandbox().world().set_host(Some(host));
    println!("Signalbox is in #deploys: open {}", rig.sandbox().url());
    tokio::signal::ctrl_c().await?;
    rig.kill().await;
    Ok(())
}
