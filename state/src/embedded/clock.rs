//! The store's time where no server has one.

use std::sync::{Arc, Mutex, PoisonError};

/// The store's time, in milliseconds; it never goes back while the process lives.
pub type StoreClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system's time, which may step, on top of the monotonic one, which may stop while a laptop sleeps: forward steps are followed, backward
/// steps are not, so that no lease or deadline is met twice.
#[expect(
    clippy::disallowed_methods,
    reason = "the store's time is this backend's own affair, as Redis has its own; tests pass another clock"
)]
pub(super) fn system_clock() -> StoreClock {
    let last = Mutex::new((i64::MIN, std::time::Instant::now()));
    Arc::new(move || {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let wall = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = i64::try_from(last.1.elapsed().as_millis()).unwrap_or(0);
        if wall > last.0.saturating_add(elapsed) {
            *last = (wall, std::time::Instant::now());
            return wall;
        }
        last.0.saturating_add(elapsed)
    })
}
