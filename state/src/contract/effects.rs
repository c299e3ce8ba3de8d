//! Effects: owed until they are reported, done by one worker at a time.

use super::*;
use crate::Effect;

pub(super) async fn all(make: &impl AsyncFn() -> Arc<dyn Store>) {
    claimed_once_and_finished(Bench::new(make().await, "e-once")).await;
    reclaimed_after_the_lease(Bench::new(make().await, "e-lease")).await;
    tried_again_later(Bench::new(make().await, "e-again")).await;
    asked_again_while_leased(Bench::new(make().await, "e-coalesce")).await;
    asked_again_while_waiting(Bench::new(make().await, "e-replace")).await;
    fences_outlive_effects(Bench::new(make().await, "e-fence")).await;
    limits_and_order(Bench::new(make().await, "e-order")).await;
    counted_in_health(Bench::new(make().await, "e-health")).await;
    nothing_for_who_gave_up(Bench::new(make().await, "e-late")).await;
}

const MINUTE: Span = Span::minutes(1);

async fn one(on: &Bench, now: Timestamp, lease: Span) -> Effect {
    let mut effects = on.poll(now, lease).await.effects;
    assert_eq!(effects.len(), 1, "{effects:?}");
    effects.remove(0)
}

async fn nothing(on: &Bench, now: Timestamp) {
    assert_eq!(on.poll(now, MINUTE).await.effects, []);
}

async fn claimed_once_and_finished(on: Bench) {
    on.done(on.owing("d1", "post", NOON).await).await;
    let early = on.poll(NOON + Span(-1), MINUTE).await;
    assert_eq!(
        (early.effects, early.next),
        (Vec::new(), Some(NOON)),
        "not before it is due"
    );
    let effect = one(&on, NOON, MINUTE).await;
    assert_eq!((effect.attempt, effect.body.as_str()), (1, "post by d1"));
    assert!(effect.leased_until.unwrap() > on.now().await);
    let leased = on.poll(NOON, MINUTE).await;
    assert_eq!(leased.effects, [], "a leased effect is nobody else's");
    assert!(
        leased.next.is_some_and(|next| next > NOON && next <= NOON + MINUTE),
        "but its lease will end: {leased:?}"
    );
    on.done(on.finishing("f1", "post", effect.fence, Then::Done).await)
        .await;
    assert_eq!(on.store.outbox(&on.slot).await.unwrap(), []);
    let second = on.finishing("f2", "post", effect.fence, Then::Done).await;
    assert_eq!(on.commit(second).await, Committed::Stale);
    assert_eq!(on.poll(NOON, MINUTE).await.next, None);
}

async fn reclaimed_after_the_lease(on: Bench) {
    on.done(on.owing("d1", "post", NOON).await).await;
    let lost = one(&on, NOON, Span(0)).await;
    let found = one(&on, NOON, MINUTE).await;
    assert_eq!(found.attempt, 2, "the second worker is told to probe first");
    assert!(found.fence > lost.fence);
    let mut late = on.writing("f1", "desk", Some(NOON)).await;
    late.finish = on.finishing("f1", "post", lost.fence, Then::Done).await.finish;
    assert_eq!(on.commit(late).await, Committed::Stale);
    assert_eq!(
        on.get("desk").await,
        None,
        "and with its report nothing else of it is written"
    );
    on.done(on.finishing("f2", "post", found.fence, Then::Done).await).await;
    nothing(&on, NOON).await;
}

async fn tried_again_later(on: Bench) {
    on.done(on.owing("d1", "post", NOON).await).await;
    let first = one(&on, NOON, MINUTE).await;
    let later = NOON + Span::seconds(30);
    on.done(on.finishing("f1", "post", first.fence, Then::Again(later)).await)
        .await;
    let twice = on.finishing("f2", "post", first.fence, Then::Done).await;
    assert_eq!(on.commit(twice).await, Committed::Stale, "it was given back");
    nothing(&on, NOON).await;
    let second = one(&on, later, MINUTE).await;
    assert_eq!((second.attempt, second.body.as_str()), (2, "post by d1"));
}

async fn asked_again_while_leased(on: Bench) {
    on.done(on.owing("d1", "draw", NOON).await).await;
    let first = one(&on, NOON, MINUTE).await;
    for n in 2..5 {
        on.done(on.owing(&format!("d{n}"), "draw", NOON).await).await;
    }
    nothing(&on, NOON).await;
    on.done(on.finishing("f1", "draw", first.fence, Then::Done).await).await;
    let second = one(&on, NOON, Span(0)).await;
    assert_eq!(
        (second.attempt, second.body.as_str()),
        (1, "draw by d4"),
        "once more, with the newest body, afresh"
    );
    on.done(on.owing("d5", "draw", NOON).await).await;
    let third = one(&on, NOON, MINUTE).await;
    assert_eq!(
        (third.attempt, third.body.as_str()),
        (2, "draw by d5"),
        "a lost lease brings the newest body too"
    );
    on.done(on.finishing("f2", "draw", third.fence, Then::Done).await).await;
    assert_eq!(on.store.outbox(&on.slot).await.unwrap(), []);
}

async fn asked_again_while_waiting(on: Bench) {
    on.done(on.owing("d1", "post", NOON + MINUTE).await).await;
    on.done(on.owing("d2", "post", NOON).await).await;
    let effect = one(&on, NOON, MINUTE).await;
    assert_eq!((effect.attempt, effect.body.as_str()), (1, "post by d2"));
    let both = Commit {
        effects: on.owing("d3", "post", NOON).await.effects,
        ..on.finishing("d3", "post", effect.fence, Then::Done).await
    };
    on.done(both).await;
    let next = one(&on, NOON, MINUTE).await;
    assert_eq!(
        (next.attempt, next.body.as_str()),
        (1, "post by d3"),
        "finished and owed anew in one commit"
    );
}

async fn fences_outlive_effects(on: Bench) {
    on.done(on.owing("d1", "post", NOON).await).await;
    let first = one(&on, NOON, MINUTE).await;
    on.done(on.finishing("f1", "post", first.fence, Then::Done).await).await;
    on.done(on.owing("d2", "post", NOON).await).await;
    let second = one(&on, NOON, MINUTE).await;
    assert_ne!(
        second.fence, first.fence,
        "a worker of the first life must not speak for the second"
    );
}

async fn limits_and_order(on: Bench) {
    for (n, minutes) in [(1, 3), (2, 1), (3, 2)] {
        on.done(
            on.owing(&format!("d{n}"), &format!("post:{n}"), NOON + Span::minutes(minutes))
                .await,
        )
        .await;
    }
    let now = NOON + Span::minutes(5);
    let poll = Poll {
        slot: on.slot.clone(),
        now,
        effects: 2,
        wakes: 0,
        lease: MINUTE,
        deadline: StoreTime(i64::MAX),
    };
    let polled = on.store.poll(poll).await.unwrap();
    let keys: Vec<_> = polled.effects.iter().map(|effect| effect.key.as_str()).collect();
    assert_eq!(keys, ["post:2", "post:3"]);
    assert_eq!(polled.next, Some(now), "there is more at once");
    let rows = on.store.outbox(&on.slot).await.unwrap();
    let leased: Vec<_> = rows
        .iter()
        .map(|row| (row.key.as_str(), row.leased_until.is_some()))
        .collect();
    assert_eq!(leased, [("post:1", false), ("post:2", true), ("post:3", true)]);
}

async fn nothing_for_who_gave_up(on: Bench) {
    on.done(on.owing("d1", "post", NOON).await).await;
    let late = Poll {
        slot: on.slot.clone(),
        now: NOON,
        effects: 9,
        wakes: 9,
        lease: MINUTE,
        deadline: StoreTime(on.now().await.0 - 1),
    };
    assert_eq!(on.store.poll(late).await.unwrap().effects, []);
    assert_eq!(one(&on, NOON, MINUTE).await.attempt, 1, "nobody has it");
}

async fn counted_in_health(on: Bench) {
    let before = on.store.health().await.unwrap().outbox;
    on.done(on.owing("d1", "post:1", NOON).await).await;
    on.done(on.owing("d2", "post:2", NOON + MINUTE).await).await;
    let leased = one(&on, NOON, MINUTE).await;
    assert_eq!(
        on.store.health().await.unwrap().outbox,
        before + 1,
        "one leased; the other is not due"
    );
    on.done(on.finishing("f1", "post:1", leased.fence, Then::Done).await)
        .await;
    assert_eq!(on.store.health().await.unwrap().outbox, before);
}
