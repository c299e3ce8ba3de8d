//! How fast the bot may speak, so that Slack does not have to say so.
//!
//! A worker takes a turn before it takes up a call, and leaves the effect in the outbox until its time comes; nothing sleeps here. Turns are kept in the
//! store, so that all replicas together keep Slack's pace, and what Slack says with a 429 holds for every caller of that method in all of them. While the
//! store does not answer each process keeps the pace by itself: Slack may say so then, and is obeyed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commands::time::{Span, Timestamp};
use state::{Limit, Store, Turn, Turns};

/// Slack's pace for posts in one channel.
const PER_CHANNEL: Span = Span::seconds(1);
/// What Slack asks for when it does not say how long.
const DEFAULT_RETRY: Span = Span::seconds(30);

/// Keeps the pace.
#[derive(Default)]
pub struct Limiter {
    /// Who keeps it for all; without one it is kept here.
    shared: Option<Arc<dyn Store>>,
    /// What is known of it here.
    known: Mutex<Turns>,
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter")
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

impl Limiter {
    /// A limiter that shares its pace with all that use the same store.
    #[must_use]
    pub fn shared(store: Arc<dyn Store>) -> Self {
        Self {
            shared: Some(store),
            known: Mutex::default(),
        }
    }

    /// From when on a call may be made, as far as is known here; `None`: at once. The channel matters for posts.
    #[must_use]
    pub fn ready_at(&self, method: &str, channel: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        self.known().ready_at(&limits(method, channel), now)
    }

    /// Takes the turn of a call, which is to be made soon; or says from when on there may be one.
    pub async fn turn(&self, method: &str, channel: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        let limits = limits(method, channel);
        // Known to be too early: nobody has to be asked.
        if let Some(at) = self.known().ready_at(&limits, now) {
            return Some(at);
        }
        let taken = self.take(Turn {
            limits: limits.clone(),
            now,
            insists: false,
        });
        if taken.await {
            return None;
        }
        Some(self.known().ready_at(&limits, now).unwrap_or(now + Span(1)))
    }

    /// Something is posted for which a person waits, whosever turn it is; others are held off.
    pub async fn posted(&self, channel: &str, now: Timestamp) {
        let limits = vec![of_channel(channel)];
        self.insist(limits, now).await;
    }

    /// Slack said that it was too fast.
    pub async fn limited(&self, method: &str, retry_after: Option<Span>, now: Timestamp) {
        let limits = vec![held(method, retry_after.unwrap_or(DEFAULT_RETRY))];
        self.insist(limits, now).await;
    }

    async fn insist(&self, limits: Vec<Limit>, now: Timestamp) {
        let turn = Turn {
            limits,
            now,
            insists: true,
        };
        self.take(turn).await;
    }

    async fn take(&self, turn: Turn) -> bool {
        let Some(store) = &self.shared else {
            return self.known().take(&turn).taken;
        };
        match store.turn(turn.clone()).await {
            Ok(turned) => {
                self.known().adopt(&turn.limits, &turned.spent);
                turned.taken
            }
            Err(error) => {
                tracing::debug!(%error, "the pace is kept without the other replicas");
                self.known().take(&turn).taken
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Turns> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that limits a call.
fn limits(method: &str, channel: Option<&str>) -> Vec<Limit> {
    let per_minute = per_minute(method);
    let own = Limit {
        name: method.to_owned(),
        each: Span(Span::minutes(1).0 / i64::from(per_minute)),
        burst: per_minute,
    };
    let channel = channel.filter(|_| method == "chat.postMessage").map(of_channel);
    [held(method, Span(0)), own].into_iter().chain(channel).collect()
}

/// Until when Slack wants to hear nothing of a method.
fn held(method: &str, each: Span) -> Limit {
    Limit {
        name: format!("{method} held"),
        each,
        burst: 1,
    }
}

/// When the next post may go to a channel.
fn of_channel(channel: &str) -> Limit {
    Limit {
        name: format!("post {channel}"),
        each: PER_CHANNEL,
        burst: 1,
    }
}

/// Slack's tiers, for one workspace.
fn per_minute(method: &str) -> u32 {
    match method {
        "chat.postMessage" => 300,
        _ => 50,
    }
}

#[cfg(test)]
mod tests {
    use state::embedded::Embedded;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const POST: &str = "chat.postMessage";

    #[tokio::test]
    async fn one_post_a_second_per_channel() {
        let limiter = Limiter::default();
        let soon = Some(NOW + Span::seconds(1));
        assert_eq!(limiter.turn(POST, Some("C1"), NOW).await, None);
        assert_eq!(limiter.turn(POST, Some("C1"), NOW).await, soon);
        assert_eq!(limiter.ready_at(POST, Some("C1"), NOW), soon);
        assert_eq!(limiter.turn(POST, Some("C2"), NOW).await, None);
        assert_eq!(limiter.turn(POST, Some("C1"), NOW + Span::seconds(1)).await, None);
        assert_eq!(limiter.turn("chat.update", Some("C1"), NOW).await, None);
        limiter.posted("C3", NOW).await;
        assert_eq!(limiter.turn(POST, Some("C3"), NOW).await, soon);
    }

    #[tokio::test]
    async fn a_method_has_its_minute() {
        let limiter = Limiter::default();
        for _ in 0..50 {
            assert_eq!(limiter.turn("chat.update", None, NOW).await, None);
        }
        let next = NOW + Span(1_200);
        assert_eq!(limiter.turn("chat.update", None, NOW).await, Some(next));
        assert_eq!(limiter.turn("chat.update", None, next).await, None);
    }

    #[tokio::test]
    async fn what_slack_asks_for_holds_and_is_never_shortened() {
        let limiter = Limiter::default();
        let until = NOW + Span::seconds(10);
        limiter.limited("chat.update", Some(Span::seconds(10)), NOW).await;
        limiter.limited("chat.update", Some(Span::seconds(2)), NOW).await;
        assert_eq!(limiter.turn("chat.update", None, NOW).await, Some(until));
        assert_eq!(limiter.turn("chat.update", None, until).await, None);
        assert_eq!(limiter.turn(POST, None, NOW).await, None);
    }

    #[tokio::test]
    async fn replicas_share_their_pace_and_what_slack_said_to_one_of_them() {
        let store: Arc<dyn Store> = Arc::new(Embedded::in_memory().unwrap());
        let (one, other) = (Limiter::shared(Arc::clone(&store)), Limiter::shared(store));
        assert_eq!(one.turn(POST, Some("C1"), NOW).await, None);
        let soon = Some(NOW + Span::seconds(1));
        assert_eq!(other.turn(POST, Some("C1"), NOW).await, soon);
        assert_eq!(other.ready_at(POST, Some("C1"), NOW), soon, "and is not asked again");
        one.limited("chat.update", Some(Span::seconds(10)), NOW).await;
        let until = Some(NOW + Span::seconds(10));
        assert_eq!(other.turn("chat.update", None, NOW).await, until);
        // Without the store each would have gone ahead.
        let (one, other) = (Limiter::default(), Limiter::default());
        assert_eq!(one.turn(POST, Some("C1"), NOW).await, None);
        assert_eq!(other.turn(POST, Some("C1"), NOW).await, None);
    }
}
