//! Slack's rate limits: token buckets, per method for the workspace, and per channel for posting.

use std::collections::HashMap;

/// How often a method may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// 20 a minute.
    Two,
    /// 50 a minute.
    Three,
    /// 100 a minute.
    Four,
    /// Hundreds a minute.
    Special,
    /// One a second in each channel, with short bursts.
    PerChannel,
}

impl Tier {
    /// The bucket's size, and the milliseconds in which one token comes back.
    const fn bucket(self) -> (f64, f64) {
        match self {
            Self::Two => (20.0, 3_000.0),
            Self::Three => (50.0, 1_200.0),
            Self::Four => (100.0, 600.0),
            Self::Special => (600.0, 100.0),
            Self::PerChannel => (5.0, 1_000.0),
        }
    }
}

/// The buckets, full until they are used.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    /// Method (and channel) → tokens left, and when that was true.
    buckets: HashMap<String, (f64, i64)>,
}

impl Limiter {
    /// Takes a token, or says after how many whole seconds there will be one.
    pub(super) fn take(&mut self, key: String, tier: Tier, now_ms: i64) -> Result<(), u64> {
        let (size, refill_ms) = tier.bucket();
        let (tokens, since) = self.buckets.entry(key).or_insert((size, now_ms));
        // A clock that was set back gives nothing.
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since the last call are far below 2^52"
        )]
        let passed = (now_ms - *since).max(0) as f64;
        *tokens = (*tokens + passed / refill_ms).min(size);
        *since = now_ms;
        if *tokens >= 1.0 {
            *tokens -= 1.0;
            return Ok(());
        }
        let wait_s = ((1.0 - *tokens) * refill_ms / 1000.0).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 3")]
        let wait_s = wait_s.max(1.0) as u64;
        Err(wait_s)
    }
}

#[cfg(test)]
mod tests {
    use super::{Limiter, Tier};

    #[test]
    fn a_burst_is_allowed_then_one_a_second() {
        let mut limiter = Limiter::default();
        let mut post = |channel: &str, at| limiter.take(format!("post {channel}"), Tier::PerChannel, at);
        for _ in 0..5 {
            assert_eq!(post("C1", 0), Ok(()));
        }
        assert_eq!(post("C1", 0), Err(1));
        assert_eq!(post("C2", 0), Ok(()), "another channel has its own bucket");
        assert_eq!(post("C1", 999), Err(1));
        assert_eq!(post("C1", 1_001), Ok(()));
        assert_eq!(post("C1", 500), Err(1), "time that runs back gives nothing");
    }

    #[test]
    fn a_slow_tier_says_how_long_to_wait() {
        let mut limiter = Limiter::default();
        let taken = (0..30)
            .map_while(|_| limiter.take("usergroups.list".to_owned(), Tier::Two, 0).ok())
            .count();
        assert_eq!(taken, 20);
        assert_eq!(limiter.take("usergroups.list".to_owned(), Tier::Two, 0), Err(3));
    }
}
