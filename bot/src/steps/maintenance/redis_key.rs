//! A key in the service's own Redis: while maintenance is on, it says who wants it, why, and until when.

use commands::step::{RedisWay, Told};
use commands::time::{Span, Timestamp};
use serde_json::{Value, json};
use state::redis::foreign::{Foreign, Swapped};
use std::time::Duration;

use super::{Answer, At, Seen, State, StepError, acted, memo};

/// What a call of the Redis may take: with less left of the lease, nothing is sent.
const NEEDED: Duration = Duration::from_secs(4);

fn open(way: &RedisWay, at: At<'_>) -> Result<Foreign, StepError> {
    let left = at.lease.left(at.engine.clock.monotonic());
    if left.is_some_and(|left| left < NEEDED) {
        return Err(StepError::Later("the lease is nearly over".to_owned()));
    }
    let url = at.secret(&way.url_env)?;
    Foreign::open(url.expose())
        .map_err(|_| StepError::failed("bad_address", format!("{} holds no address of a Redis", way.url_env)))
}

fn unreachable(way: &RedisWay) -> StepError {
    StepError::Later(format!("the Redis of {} cannot be reached", way.url_env))
}

/// What is in the key; and, when it is to be turned, what will be.
pub(super) async fn read(
    way: &RedisWay,
    (on, told): (Option<bool>, Option<&Told>),
    at: At<'_>,
) -> Result<Seen, StepError> {
    let was = open(way, at)?.get(&way.key).await.map_err(|_| unreachable(way))?;
    let new = on.filter(|on| *on).map(|_| value(told, at));
    let (state, words) = match &was {
        None => (State::Off, format!("{} is not there: off", way.key)),
        Some(value) => (State::On, format!("{} is there: on{}", way.key, whose(value))),
    };
    Ok(Seen {
        memo: memo(was.as_deref(), new.as_deref()),
        ..Seen::new(state, words)
    })
}

/// What those who look into the key read.
fn value(told: Option<&Told>, at: At<'_>) -> String {
    let instant = |at: Timestamp| at.utc().to_rfc3339();
    let by = told.map_or_else(|| at.call.actor.to_string(), |told| told.by.clone());
    json!({
        "by": by,
        "reason": told.map_or("", |told| told.reason.as_str()),
        "since": instant(told.map_or(at.now, |told| told.since)),
        "until": told.and_then(|told| told.until).map(instant),
    })
    .to_string()
}

/// ` (Ann: migration)`, as far as the key says so; foreign words.
fn whose(value: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(value) else {
        return String::new();
    };
    let text = |name: &str| {
        value[name]
            .as_str()
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect::<String>()
    };
    match (text("by"), text("reason")) {
        (by, _) if by.is_empty() => String::new(),
        (by, reason) if reason.is_empty() => format!(" ({by})"),
        (by, reason) => format!(" ({by}: {reason})"),
    }
}

fn kept<'a>(at: At<'a>, name: &str) -> Option<&'a str> {
    at.call.memo[name].as_str()
}

/// Turns it: from what was found to what was decided then. A key that ends by itself gets its end from Redis too, in case nobody is there to do it.
pub(super) async fn set(way: &RedisWay, told: Option<&Told>, at: At<'_>) -> Result<(), StepError> {
    let ends = told.filter(|told| told.ends).and_then(|told| told.until);
    let ttl = ends.map(|until| Span((until.0 - at.now.0).max(1000)));
    swap(way, at, ((kept(at, "was"), kept(at, "new")), ttl)).await
}

/// Puts back what was found, where it still is what was set.
pub(super) async fn put_back(way: &RedisWay, at: At<'_>) -> Answer {
    swap(way, at, ((kept(at, "new"), kept(at, "was")), None)).await?;
    Ok(acted(at.call.memo.clone()))
}

/// From one value to another.
type Change<'a> = ((Option<&'a str>, Option<&'a str>), Option<Span>);

async fn swap(way: &RedisWay, at: At<'_>, ((from, to), ttl): Change<'_>) -> Result<(), StepError> {
    let swapped = open(way, at)?.swap(&way.key, (from, to), ttl).await;
    match swapped.map_err(|_| unreachable(way))? {
        Swapped::Done => Ok(()),
        // A try whose answer was lost.
        Swapped::Other(now) if now.as_deref() == to => Ok(()),
        Swapped::Other(_) => Err(StepError::failed(
            "changed_since",
            format!("somebody else changed {} since it was read", way.key),
        )),
    }
}
