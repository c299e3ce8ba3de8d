//! Sends deliveries and takes the time: closed loop (each connection asks as soon as it was answered) and open loop (at a rate, whether or not
//! anything was answered; latency counts from when a request was due, so that a stall is not forgiven to those who waited behind it).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::task::JoinSet;

use super::stats::{Sample, usage};
use super::wire::Connection;

/// Gives the n-th request as it goes over the wire; nothing when there are no more.
pub(crate) type Feed = Arc<dyn Fn(usize) -> Option<Bytes> + Send + Sync>;

/// How requests come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// As soon as the one before is answered.
    Closed,
    /// So many a second over all connections.
    Open(u32),
}

/// One phase.
#[derive(Clone)]
pub(crate) struct Phase {
    /// Where the server is.
    pub server: SocketAddr,
    /// Its process.
    pub process: u32,
    /// How many connections are kept.
    pub connections: usize,
    /// How requests come.
    pub pace: Pace,
    /// After this it ends, also when the feed has more.
    pub most: Duration,
    /// What is sent.
    pub feed: Feed,
}

/// The one clock of the bench.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time, and steers nothing by it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What signatures are stamped with.
pub(crate) fn epoch() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// Runs a phase.
///
/// # Errors
/// When a connection cannot be opened or breaks.
pub(crate) async fn run(phase: &Phase) -> Result<Sample> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = Vec::with_capacity(phase.connections);
    for _ in 0..phase.connections {
        connections.push(
            Connection::open(phase.server)
                .await
                .context("the server does not listen")?,
        );
    }
    let before = usage(phase.process).cpu;
    let started = now();
    let mut tasks = JoinSet::new();
    for connection in connections {
        tasks.spawn(worker(phase.clone(), connection, Arc::clone(&next), started));
    }
    let mut sample = Sample::default();
    while let Some(done) = tasks.join_next().await {
        let (latencies, errors) = done??;
        sample.latencies.extend(latencies);
        sample.errors += errors;
    }
    sample.elapsed = now() - started;
    sample.server_cpu = usage(phase.process).cpu.saturating_sub(before);
    sample.latencies.sort_unstable();
    Ok(sample)
}

async fn worker(
    phase: Phase,
    mut connection: Connection,
    next: Arc<AtomicUsize>,
    started: Instant,
) -> Result<(Vec<u32>, usize)> {
    let mut latencies = Vec::new();
    let mut errors = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let due = match phase.pace {
            Pace::Closed => now(),
            Pace::Open(rate) => started + Duration::from_secs_f64(number as f64 / f64::from(rate)),
        };
        if due - started >= phase.most {
            break;
        }
        let Some(request) = (phase.feed)(number) else { break };
        let from = match phase.pace {
            Pace::Closed => now(),
            Pace::Open(_) => {
                tokio::time::sleep_until(due.into()).await;
                due
            }
        };
        let answer = connection.ask(&request).await?;
        if answer.status == 200 {
            latencies.push(u32::try_from((now() - from).as_micros()).unwrap_or(u32::MAX));
        } else {
            errors += 1;
        }
    }
    Ok((latencies, errors))
}
