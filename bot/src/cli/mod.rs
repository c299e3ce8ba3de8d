//! The command line: `serve`, and what operators ask beside it.
//!
//! Redis answers everybody. The embedded store belongs to one process: beside a running server the other commands speak to it through a Unix socket, and
//! without one they open the file themselves.
#![expect(
    clippy::print_stderr,
    reason = "what goes wrong is told to whoever typed the command"
)]

mod ask;
mod check;
mod doctor;
mod export;
mod serve;
mod setup;
pub mod socket;
mod users;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use ask::Ask;
pub use export::Format;
use tokio::sync::mpsc;

/// So many lines of an answer are on their way at most.
const LINES: usize = 64;

/// Signalbox: the Slack deploy bot for teams on AWS.
#[derive(Debug, Parser)]
#[command(name = "signalbox", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the bot
    ///
    /// It needs SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, and takes its services from SIGNALBOX_CONFIG (signalbox.toml). With REDIS_URL it keeps its
    /// records there, otherwise in SIGNALBOX_DATA (signalbox.redb). It listens at LISTEN (127.0.0.1:8080). AWS and GITHUB_TOKEN are read as
    /// everywhere. The README has the whole list. SIGTERM ends it when what was begun is done.
    Serve,
    /// Checks the configuration, offline, and prints who may say what
    Check {
        /// The file or folder; otherwise SIGNALBOX_CONFIG, otherwise signalbox.toml
        path: Option<PathBuf>,
    },
    /// Checks tokens, scopes, permissions and the store, online, and says how to mend what is wrong
    Doctor,
    /// Lists the runs
    Runs {
        /// Of this service only
        service: Option<String>,
        /// Finished ones too
        #[arg(long)]
        all: bool,
    },
    /// The journal as evidence
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
    /// Says something as if in Slack: same gates, same journal
    ///
    /// The reply goes to standard output. Exit code 0: it was done, or a question was answered; 1: it was refused, not understood, or there was
    /// nothing to do; 2: nobody could be asked.
    Say {
        /// The words, for example "/deploy approve mainnet a1b2c3d"
        text: String,
        /// Your Slack user id
        #[arg(long = "as", value_name = "USER")]
        user: String,
    },
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Writes every row of every journal, and every refusal
    Export {
        /// `jsonl` or `csv`
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
        /// Of this service only
        #[arg(long)]
        service: Option<String>,
    },
    /// Checks that nothing was changed, removed, inserted or cut off
    Verify {
        /// A file with the server's output: its seals show a ledger that was cut or put back
        #[arg(long)]
        seals: Option<PathBuf>,
    },
}

/// Runs the command line.
pub async fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve => serve::serve().await,
        Command::Check { path } => check::check(path),
        Command::Doctor => doctor::doctor().await,
        Command::Runs { service, all } => ask(Ask::Runs { service, all }).await,
        Command::Audit {
            what: Audit::Export { format, service },
        } => ask(Ask::Export { format, service }).await,
        Command::Audit {
            what: Audit::Verify { seals },
        } => match seals.map(std::fs::read_to_string).transpose() {
            Ok(seals) => {
                ask(Ask::Verify {
                    seals: seals.unwrap_or_default(),
                })
                .await
            }
            Err(error) => Err(anyhow::anyhow!("the seals cannot be read: {error}")),
        },
        Command::Say { text, user } => ask(Ask::Say { text, user }).await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("signalbox: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Asks the running server when the store is its own, else answers here.
async fn ask(ask: Ask) -> anyhow::Result<bool> {
    let setup = match ask {
        Ask::Say { .. } => setup::Setup::read()?,
        Ask::Runs { .. } | Ask::Export { .. } | Ask::Verify { .. } => setup::Setup::read_without_slack()?,
    };
    Ok(match setup.socket() {
        Some(path) if path.exists() => match socket::ask(&path, &ask, print).await {
            Ok(good) => good,
            // A socket that nobody listens at was left behind by a server that was killed.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => here(setup, ask).await?,
            Err(error) => return Err(error.into()),
        },
        _ => here(setup, ask).await?,
    })
}

/// Prints a line, whether or not anybody still reads: `| head` is no fault, and must not become one (`println!` panics there).
pub(crate) fn print(line: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

async fn here(setup: setup::Setup, ask: Ask) -> anyhow::Result<bool> {
    let confined = setup.confined();
    let bot = setup.bot(None).await?;
    let own = users::own_name();
    let (out, mut lines) = mpsc::channel(LINES);
    let prints = async {
        while let Some(line) = lines.recv().await {
            print(line);
        }
    };
    let (good, ()) = tokio::join!(ask::answer(bot.engine(), ask, (&own, confined), out), prints);
    bot.drain().await;
    Ok(good)
}
