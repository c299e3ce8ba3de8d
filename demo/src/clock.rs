//! The sandbox's clock, as the bot's.

use std::time::Duration;

use async_trait::async_trait;
use bot::clock::{Clock, SystemClock};
use commands::time::Timestamp;
use tokio::sync::watch;

/// One time for both: jumping it moves deadlines, freezes and signatures alike.
pub struct SharedClock {
    sandbox: sandbox::clock::Clock,
    machine: SystemClock,
}

impl SharedClock {
    /// The bot's view of the sandbox's clock.
    #[must_use]
    pub fn new(sandbox: sandbox::clock::Clock) -> Self {
        Self {
            sandbox,
            machine: SystemClock::new(),
        }
    }
}

#[async_trait]
impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.sandbox.now_ms())
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is what sleeping through the clock ends in"
    )]
    async fn sleep_until(&self, at: Timestamp) {
        let mut jumps = self.sandbox.jumps();
        loop {
            let Ok(left @ 1..) = u64::try_from(at.0 - self.now().0) else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                _ = jumps.changed() => {}
            }
        }
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.sandbox.jumps()
    }
}
