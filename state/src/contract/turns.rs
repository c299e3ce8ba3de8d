//! Turns: a limit that all processes on one store share.

use super::*;
use crate::{Limit, Turn, Turned, Turns};

pub(super) async fn all(make: &impl AsyncFn() -> Arc<dyn Store>) {
    one_a_second(Bench::new(make().await, "t-second")).await;
    all_or_none(Bench::new(make().await, "t-none")).await;
    insisting(Bench::new(make().await, "t-insists")).await;
    a_clock_that_was_put_back(Bench::new(make().await, "t-back")).await;
    as_the_model_says(Bench::new(make().await, "t-model")).await;
}

const SECOND: Span = Span::seconds(1);

/// A limit of this bench's own: stores are shared.
fn limit(on: &Bench, name: &str, each: Span, burst: u32) -> Limit {
    Limit {
        name: format!("{} {name}", on.slot),
        each,
        burst,
    }
}

async fn ask(on: &Bench, limits: &[Limit], now: Timestamp, insists: bool) -> Turned {
    let limits = limits.to_vec();
    on.store.turn(Turn { limits, now, insists }).await.unwrap()
}

async fn one_a_second(on: Bench) {
    let limits = [limit(&on, "posts", SECOND, 1)];
    let first = ask(&on, &limits, NOON, false).await;
    assert_eq!((first.taken, first.spent), (true, vec![NOON + SECOND]));
    let second = ask(&on, &limits, NOON + Span(999), false).await;
    assert_eq!((second.taken, second.spent.clone()), (false, vec![NOON + SECOND]));
    let mut known = Turns::default();
    known.adopt(&limits, &second.spent);
    assert_eq!(known.ready_at(&limits, NOON), Some(NOON + SECOND), "and says when");
    assert!(ask(&on, &limits, NOON + SECOND, false).await.taken);
    let burst = [limit(&on, "edits", SECOND, 3)];
    for _ in 0..3 {
        assert!(ask(&on, &burst, NOON, false).await.taken);
    }
    assert!(!ask(&on, &burst, NOON, false).await.taken);
    assert!(ask(&on, &burst, NOON + SECOND, false).await.taken);
    assert!(!ask(&on, &burst, NOON + SECOND, false).await.taken);
}

async fn all_or_none(on: Bench) {
    let (narrow, wide) = (limit(&on, "narrow", SECOND, 1), limit(&on, "wide", SECOND, 2));
    let both = [wide.clone(), narrow];
    assert!(ask(&on, &both, NOON, false).await.taken);
    assert!(!ask(&on, &both, NOON, false).await.taken);
    assert!(
        ask(&on, &[wide], NOON, false).await.taken,
        "whoever was refused took nothing"
    );
}

async fn insisting(on: Bench) {
    let limits = [limit(&on, "posts", SECOND, 1)];
    assert!(ask(&on, &limits, NOON, true).await.taken);
    let again = ask(&on, &limits, NOON, true).await;
    assert_eq!(
        (again.taken, again.spent),
        (true, vec![NOON + SECOND]),
        "two who insist hold others off once"
    );
    assert!(!ask(&on, &limits, NOON, false).await.taken);
    let longer = [limit(&on, "posts", Span::minutes(1), 1)];
    assert!(ask(&on, &longer, NOON, true).await.taken);
    assert!(!ask(&on, &limits, NOON + Span::seconds(59), false).await.taken);
    assert!(ask(&on, &limits, NOON + Span::minutes(1), false).await.taken);
}

async fn a_clock_that_was_put_back(on: Bench) {
    let limits = [limit(&on, "posts", SECOND, 1)];
    assert!(ask(&on, &limits, NOON, false).await.taken);
    let yesterday = Timestamp(NOON.0 - Span::days(1).0);
    assert!(ask(&on, &limits, yesterday, false).await.taken);
}

/// A history of wishes, answered by the store as by the one function that says what they mean.
async fn as_the_model_says(on: Bench) {
    let mut model = Turns::default();
    let (mut now, mut dice) = (NOON, 7_u64);
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % sides
    };
    for step in 0..200 {
        let mut limits = Vec::new();
        for (name, burst) in [("one", 1), ("three", 3), ("fifty", 50)] {
            let each = Span::seconds(i64::try_from(roll(4)).unwrap());
            if roll(3) > 0 {
                limits.push(limit(&on, name, each, burst));
            }
        }
        if limits.is_empty() {
            continue;
        }
        now = now + Span(i64::try_from(roll(1500)).unwrap());
        let turn = Turn {
            limits,
            now,
            insists: roll(8) == 0,
        };
        let told = on.store.turn(turn.clone()).await.unwrap();
        assert_eq!(told, model.take(&turn), "step {step}: {turn:?}");
    }
}
