//! A Redis that stalls, dies, refuses or is set up badly: what is written, and what the caller is told.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use commands::ids::RecordId;
use redis::aio::MultiplexedConnection;
use state::audit::{Place, verify};
use state::contract::{Bench, NOON};
use state::redis::{Redis, Timeouts};
use state::testing::{RedisSentinel, RedisServer};
use state::{Commit, Committed, Store, StoreError, StoreTime, Write};
use tokio::sync::mpsc::UnboundedSender;

fn bench(url: &str, slot: &str) -> Bench {
    Bench::new(Arc::new(Redis::open(url).expect("a store")), slot)
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(StoreError::Refused(why)) => why,
        other => panic!("this was not refused: {other:?}"),
    }
}

/// A store that gives up long before the server goes on.
fn impatient(url: &str) -> Arc<dyn Store> {
    let short = Duration::from_millis(40);
    Arc::new(
        Redis::open_with(
            url,
            Timeouts {
                connect: short,
                answer: short,
                total: short,
            },
        )
        .expect("a store"),
    )
}

/// How many scripts the server has run.
async fn scripts_run(server: &mut MultiplexedConnection) -> u64 {
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(server)
        .await
        .expect("statistics");
    let calls = |verb: &str| -> u64 {
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cmdstat_{verb}:calls=")));
        line.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
    };
    calls("evalsha") + calls("eval")
}

/// Sends a commit to a stopped server, gives up, lets the server go on and waits until it has run what lay in its socket.
async fn commit_into_a_stall(server: &RedisServer, on: &Bench, id: &str, alive: i64) -> Commit {
    let client = redis::Client::open(server.url()).expect("a client");
    let mut watcher = client.get_multiplexed_async_connection().await.expect("a connection");
    let hasty = Bench::new(impatient(&server.url()), on.slot.as_str());
    // On a busy machine even an idle server can be too slow for it at first; it must have a connection to send into.
    while hasty.store.health().await.is_err() {}
    let mut commit = on.writing(id, id, Some(NOON)).await;
    commit.deadline = StoreTime(on.now().await.0 + alive);
    let before = scripts_run(&mut watcher).await;
    server.pause();
    assert_eq!(hasty.store.commit(commit.clone()).await, Err(StoreError::Unknown));
    server.resume();
    while scripts_run(&mut watcher).await == before {}
    commit
}

#[tokio::test]
async fn a_stalled_server_writes_nothing_after_the_deadline() {
    let server = RedisServer::start();
    let on = bench(&server.url(), "stall");
    on.done(on.writing("warm-up", "desk", Some(NOON)).await).await;
    for n in 0..10 {
        // The sender waits 40 ms for the answer, so that the deadline has passed when the server goes on.
        let commit = commit_into_a_stall(&server, &on, &format!("late-{n}"), 10).await;
        assert_eq!(on.get(&commit.id).await, None);
        assert_eq!(on.store.commit(commit).await, Ok(Committed::Late));
    }
}

/// The control: with a deadline that is still ahead the very same request is carried out, although its sender has gone.
#[tokio::test]
async fn a_stalled_server_writes_before_the_deadline() {
    let server = RedisServer::start();
    let on = bench(&server.url(), "stall");
    on.done(on.writing("warm-up", "desk", Some(NOON)).await).await;
    for n in 0..10 {
        let commit = commit_into_a_stall(&server, &on, &format!("early-{n}"), 60_000).await;
        assert_eq!(on.get(&commit.id).await.map(|stored| stored.version), Some(1));
        let again = Committed::Done {
            reply: commit.reply.clone(),
            again: true,
        };
        assert_eq!(
            on.store.commit(commit).await,
            Ok(again),
            "the sender learns it by asking again"
        );
    }
}

/// What a person with access to Redis changes by hand is found where it is.
#[tokio::test]
async fn a_row_that_was_edited_in_redis_is_named() {
    let server = RedisServer::start();
    let on = bench(&server.url(), "edited");
    for n in 1..=3 {
        on.done(on.writing(&format!("d{n}"), "desk", Some(NOON)).await).await;
    }
    let client = redis::Client::open(server.url()).expect("a client");
    let mut hand = client.get_multiplexed_async_connection().await.expect("a connection");
    let key = "sb2:{edited}:j:desk";
    let row: String = redis::cmd("LINDEX")
        .arg(key)
        .arg(1)
        .query_async(&mut hand)
        .await
        .expect("a row");
    for edited in [row.replace("U0ANN", "U0EVE"), "no row at all".to_owned()] {
        let set: String = redis::cmd("LSET")
            .arg(key)
            .arg(1)
            .arg(edited)
            .query_async(&mut hand)
            .await
            .expect("an edit");
        assert_eq!(set, "OK");
        let report = verify(&*on.store, std::slice::from_ref(&on.slot), &state::contract::key(), &[])
            .await
            .expect("an answer");
        let places: Vec<_> = report.findings.into_iter().map(|finding| finding.place).collect();
        assert!(
            matches!(&places[..], [Place::Journal(id, 1 | 2)] if id.as_str() == "desk"),
            "{places:?}"
        );
    }
}

fn record(id: &str) -> RecordId {
    RecordId::parse(id).expect("a name")
}

/// Writes version after version of one record until the server is gone. Gives how many were answered, the last request, and what became of it.
async fn write_until_lost(
    on: Bench,
    base: Commit,
    id: String,
    tell: UnboundedSender<()>,
) -> (String, u64, Commit, StoreError) {
    let mut done = 0u64;
    loop {
        let write = Write {
            id: record(&id),
            fold: done.to_string(),
            next_wake: Some(NOON),
            rows: Vec::new(),
        };
        let commit = Commit {
            id: format!("{id}-{done}"),
            read: vec![(record(&id), done)],
            write: vec![write],
            ..base.clone()
        };
        match on.store.commit(commit.clone()).await {
            Ok(Committed::Done { .. }) => done += 1,
            Ok(other) => panic!("{other:?}"),
            Err(error) => return (id, done, commit, error),
        }
        // Nobody counts any more once there are enough; the server's end is then near.
        let _ = tell.send(());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_kill() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    for round in 0..5 {
        let mut writers = tokio::task::JoinSet::new();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        for writer in 0..8 {
            let on = bench(&server.url(), "kill");
            let base = Commit {
                deadline: StoreTime(i64::MAX),
                ..on.draft("base").await
            };
            writers.spawn(write_until_lost(
                on,
                base,
                format!("run/{round}/{writer}"),
                tell.clone(),
            ));
        }
        for _ in 0..200 {
            told.recv().await.expect("a commit");
        }
        server.kill();
        let ended = writers.join_all().await;
        server.restart();
        let on = bench(&server.url(), "kill");
        for (id, done, commit, error) in ended {
            let version = on.get(&id).await.map_or(0, |stored| stored.version);
            let told_right = version == done || (version == done + 1 && error == StoreError::Unknown);
            assert!(
                told_right,
                "{id} has version {version}, {done} were answered, then: {error}"
            );
            let answer = on.store.commit(commit).await;
            assert!(matches!(answer, Ok(Committed::Done { .. })), "{id}: {answer:?}");
            assert_eq!(
                on.get(&id).await.map(|stored| stored.version),
                Some(done + 1),
                "{id}: what was asked again was done once"
            );
        }
    }
}

/// A connection that died while nobody used it costs nobody anything, nor does a server that has forgotten the scripts.
#[tokio::test]
async fn a_restart_while_idle_is_not_noticed() {
    let mut server = RedisServer::start();
    let on = bench(&server.url(), "idle");
    on.done(on.writing("d1", "desk", Some(NOON)).await).await;
    let commit = on.writing("d2", "desk", Some(NOON)).await;
    server.restart();
    on.done(commit).await;
}

#[tokio::test]
async fn a_server_that_is_gone_refuses() {
    let mut server = RedisServer::start();
    let on = bench(&server.url(), "gone");
    let commit = on.writing("d1", "desk", Some(NOON)).await;
    server.kill();
    let fresh = bench(&server.url(), "gone");
    assert_eq!(
        refusal(fresh.store.commit(commit.clone()).await),
        "Redis refuses connections"
    );
    server.restart();
    fresh.done(commit).await;
}

#[tokio::test]
async fn passwords_are_never_shown() {
    let server = RedisServer::start_with(&["--requirepass", "right-secret"]);
    let with = |user: &str| server.url().replace("redis://", &format!("redis://{user}"));
    let on = bench(&with(":right-secret@"), "password");
    on.done(on.writing("d1", "desk", Some(NOON)).await).await;
    for (user, why) in [
        (":wrong-secret@", "Redis refused the password"),
        ("", "Redis wants a password (NOAUTH)"),
    ] {
        let store = Redis::open(&with(user)).expect("a store");
        assert_eq!(refusal(store.health().await), why);
        assert!(!format!("{store:?}").contains("secret"));
    }
    for url in [
        "redis://:a-secret@host:not-a-port",
        "http://:a-secret@host",
        "a-secret",
        "redis+sentinel://:a-secret@host:1",
    ] {
        let why = refusal(Redis::open(url));
        assert!(
            why.starts_with("REDIS_URL cannot be used") && !why.contains("secret"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_server_that_can_not_write_refuses() {
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", "1"]);
    let on = bench(&replica.url(), "replica");
    let commit = on.writing("d1", "desk", Some(NOON)).await;
    assert_eq!(
        refusal(on.store.commit(commit).await),
        "Redis is a read-only replica (READONLY)"
    );
    let full = RedisServer::start_with(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    let on = bench(&full.url(), "full");
    let commit = on.writing("d1", "desk", Some(NOON)).await;
    assert_eq!(refusal(on.store.commit(commit).await), "Redis is out of memory (OOM)");
    assert_eq!(on.answered("d1").await, None);
}

/// TLS is spoken, with a provider that is there: a server without it is a refusal, not a panic.
#[tokio::test]
async fn a_server_without_tls_refuses() {
    let server = RedisServer::start();
    let store = Redis::open(&server.url().replace("redis://", "rediss://")).expect("a store");
    let why = refusal(store.health().await);
    assert!(why.starts_with("Redis cannot be reached"), "{why}");
}

#[tokio::test]
async fn the_master_is_found_through_a_sentinel() {
    let master = RedisServer::start();
    let sentinel = RedisSentinel::start(&master);
    let on = bench(&sentinel.url(), "sentinel");
    on.done(on.writing("d1", "desk", Some(NOON)).await).await;
    assert_eq!(
        bench(&master.url(), "sentinel")
            .get("desk")
            .await
            .map(|stored| stored.version),
        Some(1)
    );
}

#[tokio::test]
async fn health_tells_what_is_proven() {
    let health = async |settings: &[&str]| {
        let server = RedisServer::start_with(settings);
        Redis::open(&server.url())
            .expect("a store")
            .health()
            .await
            .expect("an answer")
    };
    let safe = health(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    assert!(
        safe.server.starts_with("redis ") || safe.server.starts_with("valkey "),
        "{}",
        safe.server
    );
    assert_eq!((safe.durable, safe.evicts), (Some(true), Some(false)));
    let second = health(&["--appendonly", "yes", "--appendfsync", "everysec"]).await;
    assert_eq!(second.durable, Some(false));
    assert!(
        second.notes[0].contains("CONFIG SET appendfsync always"),
        "{:?}",
        second.notes
    );
    let evicting = health(&["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"]).await;
    assert_eq!((evicting.durable, evicting.evicts), (Some(false), Some(true)));
    let managed = health(&["--rename-command", "CONFIG", ""]).await;
    assert_eq!((managed.durable, managed.evicts), (None, None));
    assert!(
        managed.notes.iter().all(|note| note.starts_with("Unproven")),
        "{:?}",
        managed.notes
    );
}
