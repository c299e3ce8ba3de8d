//! What is in the store before and while it is measured: finished runs with whole histories, and open runs that wait for two votes. All are written in
//! bulk by the store's own codec.

use anyhow::{Context as _, Result};
use commands::ids::ServiceId;
use commands::run::Run;
use commands::time::Timestamp;
use state::redis::Redis;
use state::{Store as _, Write};

use super::history::Scribe;

/// The secret of the bench's journals.
pub(crate) const AUDIT_KEY: &str = "bench-audit-key-0123456789abcdef";
/// The service whose status is asked.
pub(crate) const STATUS_SERVICE: &str = "wallet";
/// Its environments; the second is production.
pub(crate) const ENVIRONMENTS: [&str; 2] = ["testnet", "mainnet"];
/// How many runs wait in it.
const WAITING: usize = 3;
/// Over how many services the runs are spread that are voted on: each has a few hundred, and two clicks in a row go to different ones.
pub(crate) const VOTE_SERVICES: usize = 100;
/// A run that waits for votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    /// Its service.
    pub service: String,
    /// Its record id.
    pub run: String,
}

/// The name of the n-th service that is voted on.
pub(crate) fn vote_service(number: usize) -> String {
    format!("votes-{number:02}")
}

/// Fills a store with finished runs: so many of the service whose status is asked, and as many again over the others. `now` is when the bench started:
/// everything lies a fixed time before it, so that two stores filled for one comparison are equal.
///
/// # Errors
/// What the store answers.
pub(crate) async fn fill(url: &str, stored: usize, now: Timestamp) -> Result<()> {
    let (store, scribe) = (Redis::open(url)?, Scribe::new(now)?);
    let wallet = ServiceId::parse(STATUS_SERVICE)?;
    scribe.finished(&store, &wallet, stored).await?;
    store.import(&wallet, vec![scribe.desk(&wallet)?]).await?;
    let waiting = (0..WAITING).map(|number| scribe.waiting(&wallet, number));
    store.import(&wallet, waiting.collect::<Result<Vec<_>>>()?).await?;
    for number in 0..VOTE_SERVICES {
        let service = ServiceId::parse(&vote_service(number))?;
        scribe.finished(&store, &service, share(stored, number)).await?;
        store.import(&service, vec![scribe.desk(&service)?]).await?;
    }
    Ok(())
}

/// Adds so many runs that wait for votes, one of each service in turn. They come after the start of a server: at its start a bot looks at every run
/// that is open, and no team has thousands of those.
///
/// # Errors
/// What the store answers.
pub(crate) async fn open(url: &str, count: usize, now: Timestamp) -> Result<Vec<Open>> {
    let (store, scribe) = (Redis::open(url)?, Scribe::new(now)?);
    let mut open = Vec::with_capacity(count);
    for number in 0..VOTE_SERVICES {
        let service = ServiceId::parse(&vote_service(number))?;
        let runs = (0..share(count, number)).map(|n| scribe.waiting(&service, n));
        let runs = runs.collect::<Result<Vec<_>>>()?;
        let name = |write: &Write| Open {
            service: service.to_string(),
            run: write.id.to_string(),
        };
        open.extend(runs.iter().enumerate().map(|(n, (write, _))| (n, name(write))));
        store.import(&service, runs).await?;
    }
    open.sort_by(|(one, a), (other, b)| (one, &a.service).cmp(&(other, &b.service)));
    Ok(open.into_iter().map(|(_, open)| open).collect())
}

/// How many votes are stored: what all accepted clicks must come to.
///
/// # Errors
/// What the store answers.
pub(crate) async fn votes(url: &str) -> Result<usize> {
    let store = Redis::open(url)?;
    let mut votes = 0;
    for number in 0..VOTE_SERVICES {
        let service = ServiceId::parse(&vote_service(number))?;
        let mut cursor = None;
        loop {
            let page = store.records(&service, "run/", cursor.as_deref(), 1000).await?;
            for stored in &page.rows {
                let run: Run = serde_json::from_str(stored.fold.as_deref().context("a record without a fold")?)?;
                votes += if run.ended().is_none() { run.votes.len() } else { 0 };
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
    }
    Ok(votes)
}

fn share(total: usize, number: usize) -> usize {
    total / VOTE_SERVICES + usize::from(number < total % VOTE_SERVICES)
}
