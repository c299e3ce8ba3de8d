//! The one place that reads the system clock.
//!
//! Everything a person sees, and every wake, goes by [`Clock::now`], which tests and the demo steer. Latencies, leases and the limits of a call
//! in flight are felt by machines: they go by [`Clock::monotonic`], which nobody steers.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use commands::time::{Span, Timestamp};
use tokio::sync::watch;

/// Tells the time and waits for it.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// Now, in the time that people see.
    fn now(&self) -> Timestamp;

    /// The time since some fixed instant of this process. It never jumps and is not steered.
    fn monotonic(&self) -> Duration;

    /// Waits until [`Clock::now`] has reached `at`, however it gets there.
    async fn sleep_until(&self, at: Timestamp);

    /// Waits for a span; a jump of the clock ends the wait when it passes the end.
    async fn sleep(&self, span: Span) {
        self.sleep_until(self.now() + span).await;
    }

    /// Changes whenever the clock jumps: who computed an instant of waking computes it again.
    fn changed(&self) -> watch::Receiver<u64>;
}

/// The machine's clock, corrected by what the store says.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
    offset_ms: AtomicI64,
    jumps: watch::Sender<u64>,
}

impl SystemClock {
    /// A clock without correction.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that may read the system clock"
    )]
    pub fn new() -> Self {
        Self {
            started: std::time::Instant::now(),
            offset_ms: AtomicI64::new(0),
            jumps: watch::Sender::new(0),
        }
    }

    /// The machine's own time, in milliseconds since the epoch, without the correction.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that may read the system clock"
    )]
    pub fn machine_ms() -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Sets how far the store's clock is ahead of the machine's, in milliseconds. Replicas with different clocks agree that way.
    pub fn set_offset(&self, ahead_ms: i64) {
        if self.offset_ms.swap(ahead_ms, Ordering::Relaxed) != ahead_ms {
            self.jumps.send_modify(|count| *count += 1);
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(Self::machine_ms().saturating_add(self.offset_ms.load(Ordering::Relaxed)))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is what sleeping through the clock ends in"
    )]
    async fn sleep_until(&self, at: Timestamp) {
        let mut jumps = self.jumps.subscribe();
        loop {
            let left = (at - self.now()).0;
            let Ok(left @ 1..) = u64::try_from(left) else { return };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                _ = jumps.changed() => {}
            }
        }
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.jumps.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_correction_that_passes_the_end_wakes_a_sleeper() {
        let clock = SystemClock::new();
        let asleep = clock.sleep(Span::hours(1));
        let corrected = async {
            tokio::task::yield_now().await;
            clock.set_offset(Span::hours(2).0);
        };
        // Without the wake this would take an hour.
        tokio::join!(asleep, corrected);
        assert!(clock.now().0 - SystemClock::machine_ms() >= Span::hours(2).0 - 1_000);
    }

    #[tokio::test]
    async fn the_past_is_no_wait_and_an_equal_correction_no_jump() {
        let clock = SystemClock::new();
        clock.sleep_until(Timestamp(0)).await;
        let changed = clock.changed();
        clock.set_offset(0);
        assert!(!changed.has_changed().unwrap());
        clock.set_offset(5);
        assert!(changed.has_changed().unwrap());
    }
}
