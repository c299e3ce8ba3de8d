//! Records, wakes, journals and listings.

use super::*;

pub(super) async fn all(make: &impl AsyncFn() -> Arc<dyn Store>) {
    versions_and_known_folds(Bench::new(make().await, "r-known")).await;
    wakes(Bench::new(make().await, "r-wakes")).await;
    closing_and_open_under(Bench::new(make().await, "r-open")).await;
    journals(Bench::new(make().await, "r-journal")).await;
    listing(Bench::new(make().await, "r-list")).await;
    slots_are_apart(Bench::new(make().await, "r-a"), Bench::new(make().await, "r-a-b")).await;
}

async fn versions_and_known_folds(on: Bench) {
    on.done(on.writing("d1", "desk", Some(NOON)).await).await;
    on.done(on.writing("d2", "desk", Some(NOON)).await).await;
    let stored = on.get("desk").await.unwrap();
    assert_eq!((stored.version, stored.rows, stored.next_wake), (2, 2, Some(NOON)));
    assert_eq!(stored.fold.as_deref(), Some("desk after d2"));
    let ask = |known| {
        let records = vec![
            Wanted {
                id: record("desk"),
                known,
            },
            Wanted {
                id: record("nobody"),
                known: 1,
            },
        ];
        Load {
            slot: on.slot.clone(),
            records,
            open_under: Some("de".to_owned()),
            held: Vec::new(),
            delivery: None,
        }
    };
    let newest = on.store.load(ask(2)).await.unwrap().records;
    assert_eq!(
        newest,
        [Stored {
            fold: None,
            ..stored.clone()
        }],
        "the caller has it; it comes once although asked for twice"
    );
    assert_eq!(
        on.store.load(ask(1)).await.unwrap().records,
        [stored],
        "the caller's is old"
    );
}

async fn wakes(on: Bench) {
    let later = NOON + Span::hours(1);
    on.done(on.writing("d1", "run/prod/1", Some(later)).await).await;
    on.done(on.writing("d2", "desk", Some(NOON)).await).await;
    on.done(on.writing("d3", "watch/p", None).await).await;
    let polled = on.poll(NOON, Span::minutes(1)).await;
    assert_eq!((polled.wakes, polled.next), (vec![(record("desk"), 1)], Some(later)));
    on.done(on.writing("d4", "desk", Some(later + Span(1))).await).await;
    let polled = on.poll(later, Span::minutes(1)).await;
    assert_eq!(
        (polled.wakes, polled.next),
        (vec![(record("run/prod/1"), 1)], Some(later + Span(1)))
    );
    let one = Poll {
        slot: on.slot.clone(),
        now: later + Span(1),
        effects: 9,
        wakes: 1,
        lease: Span(1),
        deadline: StoreTime(i64::MAX),
    };
    let polled = on.store.poll(one.clone()).await.unwrap();
    assert_eq!(
        (polled.wakes, polled.next),
        (vec![(record("run/prod/1"), 1)], Some(one.now)),
        "there is more at once"
    );
    let moved = Commit {
        read: vec![(record("desk"), 2)],
        ..on.draft("d5").await
    };
    let write = Write {
        id: record("desk"),
        fold: "moved".to_owned(),
        next_wake: Some(NOON),
        rows: Vec::new(),
    };
    on.done(Commit {
        write: vec![write],
        ..moved
    })
    .await;
    let stored = on.get("desk").await.unwrap();
    assert_eq!(
        (stored.version, stored.rows, stored.next_wake),
        (3, 2, Some(NOON)),
        "a wake can move without a row"
    );
    assert_eq!(
        on.store.ledger(&on.slot, 0, 10).await.unwrap().len(),
        4,
        "which is no line for the ledger"
    );
}

async fn closing_and_open_under(on: Bench) {
    for (n, id) in ["run/prod/1", "run/prod/2", "run/stg/1", "desk"]
        .into_iter()
        .enumerate()
    {
        on.done(on.writing(&format!("d{n}"), id, Some(NOON)).await).await;
    }
    on.done(on.writing("close", "run/prod/1", None).await).await;
    let found = async |prefix: &str, held: &[(&str, u64)]| -> Vec<Stored> {
        let held = held.iter().map(|(id, known)| Wanted {
            id: record(id),
            known: *known,
        });
        let load = Load {
            slot: on.slot.clone(),
            records: Vec::new(),
            open_under: Some(prefix.to_owned()),
            held: held.collect(),
            delivery: None,
        };
        on.store.load(load).await.unwrap().records
    };
    let under = async |prefix: &str| -> Vec<String> {
        let records = found(prefix, &[]).await;
        records.iter().map(|record| record.id.to_string()).collect()
    };
    assert_eq!(under("run/prod/").await, ["run/prod/2"]);
    assert_eq!(under("run/").await, ["run/prod/2", "run/stg/1"]);
    assert_eq!(under("").await, ["desk", "run/prod/2", "run/stg/1"]);
    let known = [("run/prod/1", 2), ("run/prod/2", 1), ("run/stg/1", 7)];
    let records = found("run/", &known).await;
    let came: Vec<_> = records
        .iter()
        .map(|one| (one.id.as_str(), one.fold.is_some()))
        .collect();
    assert_eq!(
        came,
        [("run/prod/2", false), ("run/stg/1", true)],
        "what is held in its newest version comes without its fold; what is closed does not come"
    );
    let closed = on.get("run/prod/1").await.unwrap();
    assert_eq!((closed.version, closed.next_wake), (2, None));
    assert!(
        on.poll(NOON, Span(0))
            .await
            .wakes
            .iter()
            .all(|(id, _)| id.as_str() != "run/prod/1")
    );
    on.done(on.writing("reopen", "run/prod/1", Some(NOON)).await).await;
    assert_eq!(under("run/prod/").await, ["run/prod/1", "run/prod/2"]);
}

async fn journals(on: Bench) {
    let mut written = Vec::new();
    for n in 1..=5 {
        let commit = on.writing(&format!("d{n}"), "desk", Some(NOON)).await;
        written.push(commit.write[0].rows[0].clone());
        on.done(commit).await;
    }
    let read = async |after, limit| on.store.journal(&on.slot, &record("desk"), after, limit).await.unwrap();
    assert_eq!(read(0, 100).await, written);
    assert_eq!(read(2, 2).await, written[2..4]);
    assert_eq!(read(5, 10).await, []);
    assert_eq!(read(9, 10).await, []);
    assert_eq!(read(0, 0).await, []);
    assert_eq!(on.get("desk").await.unwrap().head, written[4].mac);
    let ledger = on.store.ledger(&on.slot, 3, 1).await.unwrap();
    assert_eq!(
        ledger
            .iter()
            .map(|row| (row.seq, row.version, &row.mac))
            .collect::<Vec<_>>(),
        [(4, 4, &written[3].mac)]
    );
    let report = crate::audit::verify(&*on.store, std::slice::from_ref(&on.slot), &key(), &[])
        .await
        .unwrap();
    assert_eq!((report.rows, report.findings), (5, Vec::new()));
}

async fn listing(on: Bench) {
    for n in [3, 1, 2] {
        on.done(
            on.writing(&format!("d{n}"), &format!("run/prod/{n}"), (n == 2).then_some(NOON))
                .await,
        )
        .await;
    }
    on.done(on.writing("d4", "desk", Some(NOON)).await).await;
    let first = on.store.records(&on.slot, "run/", None, 2).await.unwrap();
    assert_eq!(
        first.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["run/prod/1", "run/prod/2"]
    );
    assert_eq!(first.rows[1].fold.as_deref(), Some("run/prod/2 after d2"));
    let rest = on
        .store
        .records(&on.slot, "run/", first.next.as_deref(), 2)
        .await
        .unwrap();
    assert_eq!(
        rest.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["run/prod/3"]
    );
    assert_eq!(rest.next, None);
    assert_eq!(on.store.records(&on.slot, "", None, 100).await.unwrap().rows.len(), 4);
}

async fn slots_are_apart(on: Bench, other: Bench) {
    on.done(on.writing("d1", "desk", Some(NOON)).await).await;
    on.done(on.owing("d2", "post", NOON).await).await;
    on.done(on.taking("d3", "prod", "run/prod/1").await).await;
    let loaded = other.load(&["desk"]).await;
    assert!(loaded.records.is_empty() && loaded.claims.is_empty());
    assert_eq!(other.answered("d1").await, None);
    let polled = other.poll(NOON, Span(0)).await;
    assert!(polled.effects.is_empty() && polled.wakes.is_empty());
    assert!(
        other
            .store
            .records(&other.slot, "", None, 10)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
}
