//! The sandbox's time: the machine's clock plus an offset that a person or a test moves.
//!
//! Everything the sandbox stamps (message timestamps, signatures, execution times, expiries) is in this time, so that seven
//! days of waiting for an approval are one click. The program that embeds the sandbox may give the same clock to the bot.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// A clock that runs with the machine's and can be jumped. Clones share one offset.
#[derive(Debug, Clone)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
    /// Milliseconds, or `None` to follow the machine: a frozen clock makes tests repeatable.
    frozen_at: Arc<AtomicI64>,
    jumps: Arc<watch::Sender<u64>>,
}

/// The value of `frozen_at` that means "not frozen".
const RUNNING: i64 = i64::MIN;

impl Default for Clock {
    fn default() -> Self {
        Self {
            offset_ms: Arc::new(AtomicI64::new(0)),
            frozen_at: Arc::new(AtomicI64::new(RUNNING)),
            jumps: Arc::new(watch::channel(0).0),
        }
    }
}

impl Clock {
    /// A clock that stands still at `at_ms` (Unix milliseconds) until it is jumped.
    #[must_use]
    pub fn frozen(at_ms: i64) -> Self {
        let clock = Self::default();
        clock.frozen_at.store(at_ms, Ordering::SeqCst);
        clock
    }

    /// Now, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let base = match self.frozen_at.load(Ordering::SeqCst) {
            RUNNING => machine_ms(),
            at => at,
        };
        base + self.offset_ms.load(Ordering::SeqCst)
    }

    /// Whether it stands still between jumps.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen_at.load(Ordering::SeqCst) != RUNNING
    }

    /// Moves the clock by `by_ms` milliseconds (negative: back) and wakes everyone who waits on [`Clock::jumps`].
    pub fn jump(&self, by_ms: i64) {
        self.offset_ms.fetch_add(by_ms, Ordering::SeqCst);
        self.jumps.send_modify(|count| *count += 1);
    }

    /// Changes each time the clock is jumped: whoever sleeps until an instant selects on it and looks again.
    #[must_use]
    pub fn jumps(&self) -> watch::Receiver<u64> {
        self.jumps.subscribe()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the sandbox reads the machine's clock"
)]
fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Waits in the machine's time: for delays that a client on the wire must really feel, whatever the sandbox's clock says.
#[expect(clippy::disallowed_methods, reason = "the one place where the sandbox sleeps")]
pub(crate) async fn machine_sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
