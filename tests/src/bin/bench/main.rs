//! `bench`: how fast the bot is, beside the same job in Bolt for JavaScript, and whether both give the same answers.
//!
//! `scripts/bench` builds and fetches what this needs, and calls it. docs/bench.md says what is measured and how to read the tables. Nothing here
//! asserts on real time.

#![expect(clippy::print_stdout, reason = "the tables are this program's output")]

mod data;
mod drive;
mod history;
mod report;
mod same;
mod servers;
mod slack;
mod stats;
mod stub;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use clap::Parser;
use commands::time::Timestamp;
use state::testing::RedisServer;

use self::data::Open;
use self::drive::{Feed, Pace, Phase};
use self::report::Visit;
use self::servers::{Places, Server, Side};
use self::stats::{Sample, usage};
use self::stub::Stub;

/// Clicks before the first that count.
const WARM_UP: usize = 1000;

/// How fast the bot is, beside the same job in Bolt for JavaScript.
#[derive(Debug, Parser)]
struct Arguments {
    /// The binary `signalbox`, built for release.
    #[arg(long)]
    bot: PathBuf,
    /// The checkout.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Where npm put `@slack/bolt` and `ioredis`.
    #[arg(long)]
    node_modules: PathBuf,
    /// Only compare the answers of both, and say whether they are the same.
    #[arg(long)]
    same: bool,
    /// How often each server is visited.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many finished runs are stored, in turn.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 100_000])]
    stored: Vec<usize>,
    /// How many connections ask at once, in turn.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 256])]
    connections: Vec<usize>,
    /// Seconds of each phase of reading; phases of clicks have a fixed number of clicks.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Clicks of a phase.
    #[arg(long, default_value_t = 6000)]
    clicks: usize,
    /// Requests a second of the open loop.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Visit only this one.
    #[arg(long, value_enum)]
    only: Option<Side>,
}

// One thread: the driver must cost little, and wake nobody of its own on the other core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let work = tempfile::tempdir()?;
    let places = Places {
        bot: arguments.bot.clone(),
        bolt: arguments.root.join("bench/bolt/app.mjs"),
        node_modules: arguments.node_modules.clone(),
        scripts: arguments.root.join("state/src/redis/scripts"),
        work: work.path().to_owned(),
    };
    if arguments.same {
        return same::compare(&places).await;
    }
    let sides = arguments
        .only
        .map_or_else(|| vec![Side::Bot, Side::Bolt], |side| vec![side]);
    let mut visits = Vec::new();
    // Rounds outside: a machine that slows down meanwhile slows what is compared alike.
    for round in 1..=arguments.rounds {
        for stored in &arguments.stored {
            for side in &sides {
                println!(
                    "{} with {stored} stored runs, round {round} of {}",
                    side.name(),
                    arguments.rounds
                );
                visits.push(visit(&arguments, &places, *side, *stored).await?);
            }
        }
    }
    println!("{}", report::tables(&visits));
    Ok(())
}

/// One visit: a store of its own, one start, all phases.
struct Tour<'a> {
    arguments: &'a Arguments,
    server: Server,
    stub: Stub,
    open: Vec<Open>,
    /// How many open runs are voted on already.
    used: usize,
    phases: Vec<(String, Sample)>,
}

async fn visit(arguments: &Arguments, places: &Places, side: Side, stored: usize) -> Result<Visit> {
    let redis = servers::redis();
    let now = Timestamp(i64::try_from(drive::epoch().as_millis())?);
    data::fill(&redis.url(), stored, now).await?;
    servers::settle()?;
    let stub = Stub::start().await?;
    let server = servers::start(places, side, &redis.url(), stub.address).await?;
    let mut tour = Tour {
        arguments,
        server,
        stub,
        open: Vec::new(),
        used: 0,
        phases: Vec::new(),
    };
    tour.reading().await?;
    let reading = usage(tour.server.process()).resident;
    let open = arguments.clicks * (arguments.connections.len() + 2) + WARM_UP;
    tour.open = data::open(&redis.url(), open, now).await?;
    servers::settle()?;
    tour.voting(&redis).await?;
    tour.replies_are_in().await?;
    let votes = data::votes(&redis.url()).await?;
    let recorded = tour.stub.replies().recorded;
    ensure!(
        votes == recorded,
        "{recorded} speakers were told that their vote is recorded, and {votes} votes are stored"
    );
    Ok(Visit {
        side,
        stored,
        ready: tour.server.ready_after.as_secs_f64() * 1000.0,
        reading,
        voting: usage(tour.server.process()).resident,
        refused: tour.stub.replies().other,
        phases: tour.phases,
    })
}

impl Tour<'_> {
    /// All phases of `/deploy status`.
    async fn reading(&mut self) -> Result<()> {
        // Fills caches and lets a just-in-time compiler see the code.
        self.status("status, warm up", 32, Pace::Closed).await?;
        for connections in &self.arguments.connections {
            let name = format!("status, {connections} connections");
            self.status(&name, *connections, Pace::Closed).await?;
        }
        let rate = self.arguments.rate;
        self.status(&format!("status at {rate}/s"), 64, Pace::Open(rate)).await
    }

    /// All phases of clicks.
    async fn voting(&mut self, redis: &RedisServer) -> Result<()> {
        self.approve_some("approve, warm up", 32, Pace::Closed, WARM_UP).await?;
        for connections in &self.arguments.connections {
            let name = format!("approve, {connections} connections");
            self.approve(&name, *connections, Pace::Closed).await?;
        }
        let rate = self.arguments.rate;
        self.approve(&format!("approve at {rate}/s"), 64, Pace::Open(rate))
            .await?;
        servers::set_fsync(&redis.address(), "always")?;
        self.approve("approve, 32 connections, fsync always", 32, Pace::Closed)
            .await
    }

    /// Waits until every click has its reply: those come after the acknowledgement.
    async fn replies_are_in(&self) -> Result<()> {
        let clicks = self.phases.iter().filter(|(name, _)| name.starts_with("approve"));
        let clicks: usize = clicks.map(|(_, sample)| sample.latencies.len()).sum();
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..3000 {
            tick.tick().await;
            if self.stub.replies().all() >= clicks {
                return Ok(());
            }
        }
        bail!("{clicks} clicks were acknowledged, and not all of them had a reply after 30 s")
    }

    async fn status(&mut self, name: &str, connections: usize, pace: Pace) -> Result<()> {
        let (sink, server) = (self.stub.address, self.server.address);
        let base = self.phases.len() * 10_000_000;
        let feed: Feed = Arc::new(move |number| {
            let delivery = slack::status(base + number, sink);
            delivery.request(server, drive::epoch().as_secs()).ok().map(Bytes::from)
        });
        self.phase(name, connections, pace, feed).await
    }

    async fn approve(&mut self, name: &str, connections: usize, pace: Pace) -> Result<()> {
        let clicks = match pace {
            Pace::Closed if connections == 1 => self.arguments.clicks / 4,
            Pace::Closed => self.arguments.clicks,
            Pace::Open(rate) => self
                .arguments
                .clicks
                .min(usize::try_from(u64::from(rate) * self.arguments.seconds)?),
        };
        self.approve_some(name, connections, pace, clicks).await
    }

    async fn approve_some(&mut self, name: &str, connections: usize, pace: Pace, clicks: usize) -> Result<()> {
        let first = self.used;
        self.used = (first + clicks).min(self.open.len());
        // Written and signed before the phase begins, which is over long before a signature is old: the driver has two cores to share.
        let seconds = drive::epoch().as_secs();
        let mut requests = Vec::with_capacity(clicks);
        for (number, run) in (first..).zip(&self.open[first..self.used]) {
            let delivery = slack::approve(&run.service, &run.run, number, self.stub.address);
            requests.push(Bytes::from(delivery.request(self.server.address, seconds)?));
        }
        let sent = AtomicUsize::new(0);
        let feed: Feed = Arc::new(move |_| requests.get(sent.fetch_add(1, Ordering::Relaxed)).cloned());
        self.phase(name, connections, pace, feed).await
    }

    async fn phase(&mut self, name: &str, connections: usize, pace: Pace, feed: Feed) -> Result<()> {
        let seconds = if name.starts_with("approve") {
            120
        } else {
            self.arguments.seconds
        };
        let phase = Phase {
            server: self.server.address,
            process: self.server.process(),
            connections,
            pace,
            most: Duration::from_secs(seconds),
            feed,
        };
        let sample = drive::run(&phase).await?;
        println!(
            "  {name}: {:.0}/s, p99 {:.2} ms, {} errors",
            sample.rate(),
            sample.percentile(0.99),
            sample.errors
        );
        self.phases.push((name.to_owned(), sample));
        Ok(())
    }
}
