//! A commit: all or nothing, once, in time.

use super::*;

pub(super) async fn all(make: &impl AsyncFn() -> Arc<dyn Store>) {
    done_and_remembered(Bench::new(make().await, "c-remembered")).await;
    remembers_only_as_long_as_asked(Bench::new(make().await, "c-forgotten")).await;
    late(Bench::new(make().await, "c-late")).await;
    conflict(Bench::new(make().await, "c-conflict")).await;
    held(Bench::new(make().await, "c-held")).await;
    refusals_change_nothing(Bench::new(make().await, "c-nothing")).await;
    bugs_are_refused(Bench::new(make().await, "c-bugs")).await;
    one_of_sixteen(Bench::new(make().await, "c-race")).await;
}

async fn done_and_remembered(on: Bench) {
    let commit = on.writing("d1", "desk", Some(NOON)).await;
    assert_eq!(on.answered("d1").await, None);
    on.done(commit.clone()).await;
    assert_eq!(on.answered("d1").await.as_deref(), Some("reply to d1"));
    let other = Commit {
        reply: "another reply".to_owned(),
        ..commit
    };
    let again = Committed::Done {
        reply: "reply to d1".to_owned(),
        again: true,
    };
    assert_eq!(on.commit(other.clone()).await, again, "the first reply is given again");
    assert_eq!(on.get("desk").await.unwrap().version, 1, "and nothing is written twice");
    let late = Commit {
        deadline: StoreTime(0),
        ..other
    };
    assert_eq!(
        on.commit(late).await,
        again,
        "what was done was done, however late one asks"
    );
}

async fn remembers_only_as_long_as_asked(on: Bench) {
    let commit = Commit {
        remember: Span(0),
        ..on.draft("d1").await
    };
    on.done(commit.clone()).await;
    assert_eq!(on.answered("d1").await, None);
    on.done(Commit {
        remember: Span::hours(1),
        ..commit.clone()
    })
    .await;
    let again = Committed::Done {
        reply: "reply to d1".to_owned(),
        again: true,
    };
    assert_eq!(on.commit(commit).await, again, "the longer memory replaced the shorter");
}

async fn late(on: Bench) {
    let commit = on.writing("d1", "desk", Some(NOON)).await;
    let passed = StoreTime(on.now().await.0 - 1);
    assert_eq!(
        on.commit(Commit {
            deadline: passed,
            ..commit.clone()
        })
        .await,
        Committed::Late
    );
    assert_eq!(on.get("desk").await, None);
    on.done(commit).await;
}

async fn conflict(on: Bench) {
    let (first, second) = (
        on.writing("d1", "desk", Some(NOON)).await,
        on.writing("d2", "desk", Some(NOON)).await,
    );
    on.done(first).await;
    assert_eq!(
        on.commit(second).await,
        Committed::Conflict,
        "it had not existed when it was read"
    );
    let mut bystander = on.writing("d3", "run/prod/1", Some(NOON)).await;
    bystander.read.push((record("desk"), 2));
    assert_eq!(
        on.commit(bystander).await,
        Committed::Conflict,
        "a record that is only read counts too"
    );
    assert_eq!(on.get("run/prod/1").await, None);
}

async fn held(on: Bench) {
    on.done(on.taking("d1", "prod", "run/prod/1").await).await;
    on.done(on.taking("d2", "prod", "run/prod/1").await).await;
    let held = Committed::Held {
        name: "prod".to_owned(),
        by: record("run/prod/1"),
    };
    assert_eq!(on.commit(on.taking("d3", "prod", "run/prod/2").await).await, held);
    let mine = vec![claim("prod", "run/prod/2")];
    on.done(Commit {
        free: mine.clone(),
        ..on.draft("d4").await
    })
    .await;
    assert_eq!(
        on.load(&[]).await.claims["prod"],
        record("run/prod/1"),
        "only the holder frees it"
    );
    let handed_over = Commit {
        free: vec![claim("prod", "run/prod/1")],
        take: mine.clone(),
        ..on.draft("d5").await
    };
    on.done(handed_over).await;
    assert_eq!(on.load(&[]).await.claims["prod"], record("run/prod/2"));
    on.done(Commit {
        free: mine,
        ..on.draft("d6").await
    })
    .await;
    assert!(on.load(&[]).await.claims.is_empty());
}

/// A commit that would change everything and is refused for the last of its reasons.
async fn refusals_change_nothing(on: Bench) {
    on.done(on.taking("d1", "prod", "run/prod/1").await).await;
    let refusal = Row::refusal(&key(), &on.slot, says("desk", "d2"));
    let mut all = on.writing("d2", "desk", Some(NOON)).await;
    all.effects.push(NewEffect {
        key: effect_key("post"),
        body: "hello".to_owned(),
        due: NOON,
    });
    all.take = vec![claim("stg", "run/prod/2"), claim("prod", "run/prod/2")];
    all.refusals.push(refusal.clone());
    assert!(matches!(on.commit(all.clone()).await, Committed::Held { .. }));
    let loaded = on.load(&["desk"]).await;
    assert!(loaded.records.is_empty() && loaded.claims.len() == 1, "{loaded:?}");
    assert_eq!(on.store.outbox(&on.slot).await.unwrap(), []);
    assert_eq!(on.store.ledger(&on.slot, 0, 10).await.unwrap(), []);
    assert_eq!(on.store.journal(&on.slot, &record("desk"), 0, 10).await.unwrap(), []);
    assert_eq!(on.answered("d2").await, None);
    all.take.pop();
    on.done(all.clone()).await;
    assert_eq!(on.load(&["desk"]).await.claims["stg"], record("run/prod/2"));
    let ledger = on.store.ledger(&on.slot, 0, 10).await.unwrap();
    assert_eq!(ledger.iter().map(|row| row.version).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(ledger[0].mac, all.write[0].rows[0].mac);
    assert_eq!(ledger[1].refusal, Some(refusal));
}

async fn bugs_are_refused(on: Bench) {
    on.done(on.writing("d1", "desk", Some(NOON)).await).await;
    let good = on.writing("d2", "desk", Some(NOON)).await;
    let (mut unread, mut gap, mut fork) = (good.clone(), good.clone(), good.clone());
    unread.read.clear();
    gap.write[0].rows[0].seq = 3;
    fork.write[0].rows[0].prev = "0".repeat(64);
    for (bug, commit) in [("unread", unread), ("gap", gap), ("fork", fork)] {
        let answer = on.store.commit(commit).await;
        assert!(
            matches!(answer, Err(crate::StoreError::Refused(_))),
            "{bug}: {answer:?}"
        );
    }
    assert_eq!(on.get("desk").await.unwrap().version, 1);
    on.done(good).await;
}

async fn one_of_sixteen(on: Bench) {
    on.done(on.writing("d0", "run/prod/1", Some(NOON)).await).await;
    let mut commits = Vec::new();
    for n in 0..16 {
        commits.push(on.writing(&format!("racer-{n}"), "run/prod/1", Some(NOON)).await);
    }
    let mut racers = tokio::task::JoinSet::new();
    for commit in commits {
        let on = on.clone();
        racers.spawn(async move { on.commit(commit).await });
    }
    let answers = racers.join_all().await;
    let won = answers
        .iter()
        .filter(|answer| matches!(answer, Committed::Done { again: false, .. }))
        .count();
    let lost = answers
        .iter()
        .filter(|answer| matches!(answer, Committed::Conflict))
        .count();
    assert_eq!((won, lost), (1, 15));
    let stored = on.get("run/prod/1").await.unwrap();
    assert_eq!((stored.version, stored.rows), (2, 2));
}
