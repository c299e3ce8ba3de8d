//! `signalbox-sandbox`: the sandbox by itself, for a bot that is started elsewhere.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use sandbox::{Options, Sandbox};
use tracing_subscriber::EnvFilter;

/// A Slack workspace and an AWS account on this machine.
#[derive(Debug, Parser)]
#[command(name = "signalbox-sandbox", version)]
struct Arguments {
    /// Where the sandbox listens.
    #[arg(long, default_value = "127.0.0.1:8700")]
    listen: SocketAddr,
    /// Where the bot listens.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    bot_url: String,
    /// With what requests to the bot are signed.
    #[arg(long, default_value = "sandbox-signing-secret")]
    signing_secret: String,
    /// Lift the rate limits.
    #[arg(long)]
    no_rate_limits: bool,
    /// A file of AWS resources and commits that are there from the start: docs/sandbox-aws.md shows its format.
    #[arg(long)]
    aws_seed: Option<PathBuf>,
    /// Where a resolver answers from the account's zones; several times for several.
    #[arg(long)]
    resolver: Vec<SocketAddr>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let arguments = Arguments::parse();
    let sandbox = Sandbox::start(Options {
        listen: arguments.listen,
        bot_url: arguments.bot_url,
        signing_secret: arguments.signing_secret,
        rate_limits: !arguments.no_rate_limits,
        aws_seed: arguments.aws_seed,
        resolvers: arguments.resolver,
        ..Options::default()
    })
    .await?;
    tracing::info!(address = %sandbox.url(), "the sandbox is open");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
