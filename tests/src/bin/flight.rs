//! `flight`: what many runs in flight cost. Each of them watches a queue that does not get empty; printed are the memory of the process, and what a look
//! costs in calls and edits. `scripts/flight` builds what this needs, and calls it.

#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use sandbox::wire_log::Entry;
use tests::process::{Setup, Town};

/// How many environments a service has: each has one run.
const EACH: usize = 10;

/// What many runs in flight cost.
#[derive(Debug, Parser)]
struct Arguments {
    /// The binary `signalbox`, built for release.
    #[arg(long)]
    bot: PathBuf,
    /// How many runs there are.
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// How often each queue is looked at before the figures are taken.
    #[arg(long, default_value_t = 10)]
    looks: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let services = arguments.runs.div_ceil(EACH);
    let setup = Setup {
        config: config(services),
        account: Some("[[place]]\n[[place.queue]]\nname = \"work\"\nmessages = 40\n".to_owned()),
        binary: Some(arguments.bot.clone()),
        log: "warn",
        ..Setup::default()
    };
    let town = Town::with(setup).await;
    let before = resident(&town)?;
    for service in 0..services {
        for environment in 0..EACH {
            let said = town
                .says("U0CARLA", &format!("/deploy run watch s{service:02} e{environment}"))
                .await;
            ensure!(said.contains("Recorded"), "s{service:02} e{environment}: {said}");
        }
    }
    let runs = services * EACH;
    // Their cards go up one a second, as Slack wants it; the queues are watched at once.
    town.until("a look for each", async || {
        let looks = count(&town, 0, |entry| entry.call == "aws.GetQueueAttributes");
        (looks >= 2 * runs).then_some(())
    })
    .await;
    let since = town.sandbox.world().log.newest();
    let mut most = resident(&town)?;
    let wanted = runs * arguments.looks;
    let mut next = 0;
    town.until("the looks", async || {
        let looks = count(&town, since, |entry| entry.call == "aws.GetQueueAttributes");
        if looks >= next {
            next = looks + runs / 4;
            most = most.max(resident(&town).ok()?);
        }
        (looks >= wanted).then_some(())
    })
    .await;
    let looks = count(&town, since, |entry| entry.call == "aws.GetQueueAttributes");
    let aws = count(&town, since, |entry| entry.call.starts_with("aws."));
    let edits = count(&town, since, |entry| entry.call == "slack.chat.update");
    println!("resident before: {:.1} MiB", mebibytes(before));
    println!(
        "resident with {runs} runs in flight, at most: {:.1} MiB",
        mebibytes(most)
    );
    println!("{looks} looks at unchanged queues: {aws} calls of AWS, {edits} edits of cards");
    Ok(())
}

fn count(town: &Town, since: u64, fits: impl Fn(&Entry) -> bool) -> usize {
    town.sandbox.world().log.count(since, fits)
}

fn config(services: usize) -> String {
    let mut config = "[defaults]\n\
        aws = { region = \"eu-central-1\", role_arn = \"arn:aws:iam::111122223333:role/signalbox\" }\n"
        .to_owned();
    for service in 0..services {
        config.push_str(&format!("[service.s{service:02}]\nchannel = \"C0DEPLOYS\"\n"));
        for environment in 0..EACH {
            config.push_str(&format!(
                "[service.s{service:02}.environment.e{environment}]\n\
                 approvers = {{ groups = [\"S0WALLET\"] }}\noperators = {{ groups = [\"S0OPS\"] }}\n"
            ));
        }
        config.push_str(&format!(
            "[[service.s{service:02}.runbook.watch.step]]\n\
             name = \"drained\"\nkind = \"queue_drain\"\nqueues = [\"work\"]\nevery = \"5s\"\n"
        ));
    }
    config
}

/// How much memory the process holds, in kibibytes.
fn resident(town: &Town) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", town.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
    Ok(number.parse()?)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
