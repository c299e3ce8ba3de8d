//! How fast the bot may speak, so that Slack does not have to say so.
//!
//! A worker asks before it takes up a call, and leaves the effect in the outbox until its time comes; nothing sleeps here. What Slack says with a 429
//! holds for every caller of that method. This knows only of this process: replicas together may still be told to slow down, and obey.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use commands::time::{Span, Timestamp};

/// Slack's pace for posts in one channel.
const PER_CHANNEL: Span = Span::seconds(1);
/// What Slack asks for when it does not say how long.
const DEFAULT_RETRY: Span = Span::seconds(30);

/// Keeps the pace.
#[derive(Debug, Default)]
pub struct Limiter {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the next post may go to a channel.
    channels: HashMap<String, Timestamp>,
    methods: HashMap<&'static str, Bucket>,
    /// Until when Slack wants to hear nothing of a method.
    blocked: HashMap<&'static str, Timestamp>,
}

/// Calls that may still be made at once, and when that was true.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    calls: f64,
    at: Timestamp,
}

impl Limiter {
    /// A limiter that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From when on a call may be made; `None`: at once. The channel matters for posts.
    #[must_use]
    pub fn ready_at(&self, method: &'static str, channel: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        let state = self.lock();
        let blocked = state.blocked.get(method).copied();
        let channel = channel
            .filter(|_| is_post(method))
            .and_then(|channel| state.channels.get(channel).copied());
        let bucket = state
            .methods
            .get(method)
            .and_then(|bucket| bucket.ready_at(method, now));
        [blocked, channel, bucket]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .max()
    }

    /// A call is being made.
    pub fn sent(&self, method: &'static str, channel: Option<&str>, now: Timestamp) {
        let mut state = self.lock();
        let full = Bucket {
            calls: per_minute(method),
            at: now,
        };
        let bucket = state.methods.entry(method).or_insert(full);
        *bucket = bucket.refilled(method, now);
        bucket.calls -= 1.0;
        if let Some(channel) = channel.filter(|_| is_post(method)) {
            // A channel that has been quiet for a second is like one that was never written to.
            state.channels.retain(|_, next| *next > now);
            state.channels.insert(channel.to_owned(), now + PER_CHANNEL);
        }
    }

    /// Slack said that it was too fast.
    pub fn limited(&self, method: &'static str, retry_after: Option<Span>, now: Timestamp) {
        let until = now + retry_after.unwrap_or(DEFAULT_RETRY);
        let mut state = self.lock();
        let blocked = state.blocked.entry(method).or_insert(until);
        *blocked = until.max(*blocked);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn refilled(self, method: &'static str, now: Timestamp) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day are exact in a double")]
        let minutes = self.at.age(now).0.min(Span::days(1).0) as f64 / 60_000.0;
        Self {
            calls: (self.calls + minutes * per_minute(method)).min(per_minute(method)),
            at: now,
        }
    }

    fn ready_at(self, method: &'static str, now: Timestamp) -> Option<Timestamp> {
        let missing = 1.0 - self.refilled(method, now).calls;
        #[expect(clippy::cast_possible_truncation, reason = "at most some minutes, in milliseconds")]
        let wait = (missing / per_minute(method) * 60_000.0).ceil() as i64;
        (wait > 0).then(|| now + Span(wait))
    }
}

fn is_post(method: &str) -> bool {
    method == "chat.postMessage"
}

/// Slack's tiers, for one workspace.
fn per_minute(method: &str) -> f64 {
    match method {
        "usergroups.users.list" => 20.0,
        "users.info" | "views.open" | "views.update" | "chat.getPermalink" => 100.0,
        "chat.postMessage" | "auth.test" => 300.0,
        _ => 50.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn one_post_a_second_per_channel() {
        let limiter = Limiter::new();
        limiter.sent("chat.postMessage", Some("C1"), NOW);
        let ready = |channel, now| limiter.ready_at("chat.postMessage", Some(channel), now);
        assert_eq!(ready("C1", NOW), Some(NOW + Span::seconds(1)));
        assert_eq!(ready("C2", NOW), None);
        assert_eq!(ready("C1", NOW + Span::seconds(1)), None);
        assert_eq!(limiter.ready_at("chat.update", Some("C1"), NOW), None);
    }

    #[test]
    fn a_method_has_its_minute() {
        let limiter = Limiter::new();
        for _ in 0..20 {
            assert_eq!(limiter.ready_at("usergroups.users.list", None, NOW), None);
            limiter.sent("usergroups.users.list", None, NOW);
        }
        assert_eq!(
            limiter.ready_at("usergroups.users.list", None, NOW),
            Some(NOW + Span::seconds(3))
        );
        assert_eq!(
            limiter.ready_at("usergroups.users.list", None, NOW + Span::seconds(3)),
            None
        );
    }

    #[test]
    fn what_slack_asks_for_holds_and_is_never_shortened() {
        let limiter = Limiter::new();
        limiter.limited("chat.update", Some(Span::seconds(10)), NOW);
        limiter.limited("chat.update", Some(Span::seconds(2)), NOW);
        assert_eq!(
            limiter.ready_at("chat.update", None, NOW),
            Some(NOW + Span::seconds(10))
        );
        assert_eq!(limiter.ready_at("chat.update", None, NOW + Span::seconds(10)), None);
        assert_eq!(limiter.ready_at("chat.postMessage", None, NOW), None);
    }
}
