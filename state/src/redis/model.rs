//! The scripts against the model: random histories through a real server and through `apply`, answer by answer, then key by key.
//!
//! The control is the same comparison with a script that was broken on purpose, one line at a time: each must be caught, or the comparison sees
//! nothing there.

use std::cell::Cell;
use std::collections::BTreeMap;

use commands::ids::{DeliveryId, EffectKey};
use commands::time::Span;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use tokio::runtime::Runtime;

use super::*;
use crate::apply::MemoryTables;
use crate::commit::{Claim, Finish, NewEffect, Then};
use crate::read;
use crate::store::Wanted;
use crate::tables::{Table, Tables as _, name, time_and_name};
use crate::testing::RedisServer;

const NOON: i64 = 1_700_000_000_000;
const RECORDS: [&str; 4] = ["desk", "run/prod/1", "run/prod/2", "watch/p"];
const EFFECTS: [&str; 4] = ["draw", "post", "put:1", "put:2"];
const CLAIMS: [&str; 3] = ["prod", "stg", "dev"];

/// Something that is asked of the store, in small numbers that meet each other often.
#[derive(Debug, Clone)]
enum Op {
    Commit(Plan),
    Poll {
        minutes: i64,
        effects: usize,
        wakes: usize,
        lease: i64,
        deadline: Deadline,
    },
    Load {
        known: [u8; 4],
        under: Option<&'static str>,
        delivery: Option<u8>,
    },
}

/// A commit that has not seen the store yet: versions, rows and fences are made from what the model holds when it is sent.
#[derive(Debug, Clone)]
struct Plan {
    id: u8,
    remember: i64,
    deadline: Deadline,
    read: Vec<(usize, bool)>,
    write: Vec<(usize, Option<i64>, usize, bool)>,
    effects: Vec<(usize, i64)>,
    finish: Option<(usize, bool, Option<i64>)>,
    take: Vec<(usize, usize)>,
    free: Vec<(usize, usize)>,
    refusals: usize,
}

#[derive(Debug, Clone, Copy)]
enum Deadline {
    Passed,
    Now,
    Ahead,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let deadline = prop_oneof![1 => Just(Deadline::Passed), 4 => Just(Deadline::Ahead)];
    let poll = (
        0..20i64,
        0..4usize,
        0..4usize,
        prop_oneof![Just(0), Just(60_000)],
        deadline,
    )
        .prop_map(|(minutes, effects, wakes, lease, deadline)| Op::Poll {
            minutes,
            effects,
            wakes,
            lease,
            deadline,
        });
    let under = prop_oneof![Just(None), Just(Some("")), Just(Some("run/")), Just(Some("run/prod/2"))];
    let load = (prop::array::uniform4(0..4u8), under, prop::option::of(0..8u8))
        .prop_map(|(known, under, delivery)| Op::Load { known, under, delivery });
    prop::collection::vec(
        prop_oneof![6 => plan().prop_map(Op::Commit), 3 => poll, 1 => load],
        1..40,
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let rarely = |usual, odd| prop_oneof![9 => Just(usual), 1 => Just(odd)];
    let wake = prop::option::weighted(0.8, prop_oneof![20 => 0..20i64, 1 => Just(i64::MAX / 60_000)]);
    let head = (
        0..16u8,
        rarely(3_600_000, 0),
        prop_oneof![1 => Just(Deadline::Passed), 1 => Just(Deadline::Now), 18 => Just(Deadline::Ahead)],
        prop::collection::vec((0..RECORDS.len(), prop::bool::weighted(0.95)), 0..3),
        prop::sample::subsequence((0..RECORDS.len()).collect::<Vec<_>>(), 0..3),
        prop::collection::vec((wake, 0..3usize, prop::bool::weighted(0.97)), 3),
    );
    let finish = (
        0..EFFECTS.len(),
        prop::bool::weighted(0.8),
        prop::option::weighted(0.3, 0..20i64),
    );
    let claims = || prop::collection::vec((0..CLAIMS.len(), 0..3usize), 0..2);
    let tail = (
        prop::collection::vec((0..EFFECTS.len(), 0..20i64), 0..3),
        prop::option::weighted(0.4, finish),
        claims(),
        claims(),
        0..2usize,
    );
    (head, tail).prop_map(
        |((id, remember, deadline, read, written, writes), (effects, finish, take, free, refusals))| {
            let write = written
                .into_iter()
                .zip(writes)
                .map(|(record, (wake, rows, chained))| (record, wake, rows, chained))
                .collect();
            Plan {
                id,
                remember,
                deadline,
                read,
                write,
                effects,
                finish,
                take,
                free,
                refusals,
            }
        },
    )
}

/// A server's slot and the model of it.
struct Pair<'a> {
    redis: &'a Redis,
    slot: ServiceId,
    model: MemoryTables,
    now: StoreTime,
    sent: u64,
}

impl Pair<'_> {
    const fn deadline(&self, deadline: Deadline) -> StoreTime {
        match deadline {
            Deadline::Passed => StoreTime(self.now.0 - 1),
            Deadline::Now => self.now,
            Deadline::Ahead => StoreTime(self.now.0 + 60_000),
        }
    }

    async fn step(&mut self, op: &Op) -> Result<(), TestCaseError> {
        match op {
            Op::Commit(plan) => {
                self.sent += 1;
                let commit = self.commit(plan);
                let real = self.redis.commit_at(&commit).await.map(|(now, answer)| {
                    self.now = now;
                    answer
                });
                // A refusal for a broken chain carries no time; the last one known gives the model the same verdict.
                prop_assert_eq!(real, apply::apply(&mut self.model, &commit, self.now));
            }
            Op::Poll {
                minutes,
                effects,
                wakes,
                lease,
                deadline,
            } => {
                let now = Timestamp(NOON + minutes * 60_000);
                let poll = Poll {
                    slot: self.slot.clone(),
                    now,
                    effects: *effects,
                    wakes: *wakes,
                    lease: Span(*lease),
                    deadline: self.deadline(*deadline),
                };
                let real = self.redis.poll(poll.clone()).await;
                self.now = real.as_ref().map_or(self.now, |polled| polled.now);
                prop_assert_eq!(real, read::poll(&mut self.model, &poll, self.now));
            }
            Op::Load { known, under, delivery } => {
                let wanted = |(id, known): (&&str, &u8)| Wanted {
                    id: record(id),
                    known: u64::from(*known),
                };
                let delivery = delivery.map(|n| DeliveryId::parse(&format!("d{n}")).unwrap());
                let open_under = under.map(str::to_owned);
                let load = Load {
                    slot: self.slot.clone(),
                    records: RECORDS.iter().zip(known).skip(2).map(wanted).collect(),
                    open_under,
                    held: RECORDS.iter().zip(known).take(3).map(wanted).collect(),
                    delivery,
                };
                let real = self.redis.load(load.clone()).await;
                self.now = real.as_ref().map_or(self.now, |loaded| loaded.now);
                prop_assert_eq!(real, read::load(&self.model, &load, self.now));
            }
        }
        Ok(())
    }

    fn commit(&self, plan: &Plan) -> Commit {
        let mut read: Vec<_> = plan
            .read
            .iter()
            .map(|(n, right)| (record(RECORDS[*n]), self.version(*n) + u64::from(!right)))
            .collect();
        let mut write = Vec::new();
        for (n, wake, rows, chained) in &plan.write {
            read.push((record(RECORDS[*n]), self.version(*n)));
            let rows = self.rows(*n, *rows, *chained);
            let fold = format!("fold {} of {}\n with  spaces", self.sent, RECORDS[*n]);
            write.push(Write {
                id: record(RECORDS[*n]),
                fold,
                next_wake: wake.map(minute),
                rows,
            });
        }
        let effects = plan.effects.iter().map(|(n, due)| NewEffect {
            key: effect(*n),
            body: format!("body {}", self.sent),
            due: minute(*due),
        });
        let finish = plan.finish.map(|(n, right, again)| Finish {
            key: effect(n),
            fence: self.fence(n) + u64::from(!right),
            then: again.map_or(Then::Done, |at| Then::Again(minute(at))),
        });
        let claim = |(n, holder): &(usize, usize)| Claim {
            name: CLAIMS[*n].to_owned(),
            holder: record(RECORDS[*holder]),
        };
        let refusals = (0..plan.refusals).map(|_| self.row(0, 0, "")).collect();
        let deadline = self.deadline(plan.deadline);
        Commit {
            slot: self.slot.clone(),
            id: format!("d{}", plan.id),
            remember: Span(plan.remember),
            deadline,
            read,
            write,
            effects: effects.collect(),
            finish,
            take: plan.take.iter().map(claim).collect(),
            free: plan.free.iter().map(claim).collect(),
            refusals,
            reply: format!("reply {}", self.sent),
        }
    }

    fn stored(&self, n: usize) -> Option<Stored> {
        let wanted = vec![Wanted {
            id: record(RECORDS[n]),
            known: 0,
        }];
        let load = Load {
            slot: self.slot.clone(),
            records: wanted,
            open_under: None,
            held: Vec::new(),
            delivery: None,
        };
        read::load(&self.model, &load, self.now).unwrap().records.pop()
    }

    fn version(&self, n: usize) -> u64 {
        self.stored(n).map_or(0, |stored| stored.version)
    }

    fn fence(&self, n: usize) -> u64 {
        read::outbox(&self.model, &self.slot)
            .unwrap()
            .iter()
            .find(|row| row.key == effect(n))
            .map_or(1, |row| row.fence)
    }

    fn rows(&self, n: usize, count: usize, chained: bool) -> Vec<Row> {
        let (mut seq, mut prev) = self
            .stored(n)
            .map_or((0, String::new()), |stored| (stored.rows, stored.head));
        if !chained {
            prev.push('x');
        }
        let mut rows = Vec::new();
        for _ in 0..count {
            seq += 1;
            let row = self.row(n, seq, &prev);
            prev.clone_from(&row.mac);
            rows.push(row);
        }
        rows
    }

    fn row(&self, n: usize, seq: u64, prev: &str) -> Row {
        let event = format!("{{\"n\":{},\"seq\":{seq}}}", self.sent);
        let mac = commands::digest::full(event.as_bytes());
        let text = |text: &str| text.to_owned();
        let (actor, channel, cause, reason, config) = (
            text("U0ANN"),
            text(""),
            text("a cause, with 1 2"),
            text("ok"),
            text("0a"),
        );
        Row {
            record: record(RECORDS[n]),
            seq,
            at: Timestamp(NOON),
            actor,
            channel,
            cause,
            reason,
            config,
            event,
            prev: text(prev),
            mac,
        }
    }

    /// Everything the slot holds, table by table, written alike.
    fn model_tables(&self) -> Dump {
        let slot = &self.slot;
        let mut dump = Dump::default();
        let mut put = |table, key: String, value: String| dump.entry(table).or_default().insert(key, value);
        for table in ALL {
            for (key, value) in self.model.scan(table, (&[], &[u8::MAX]), usize::MAX).unwrap() {
                match table {
                    Table::Wakes | Table::Due | Table::Leases => {
                        let (at, name) = time_and_name(slot, &key).unwrap();
                        put(table, name.to_owned(), format!("{}", at as f64))
                    }
                    // Redis forgets at a poll too, so only what is still remembered is compared.
                    Table::Seen => lines::remembered(&value, self.now)
                        .unwrap()
                        .and_then(|_| put(table, name(slot, &key).unwrap().to_owned(), value)),
                    Table::Journal | Table::Ledger => {
                        let (place, seq) = key.split_at(key.len() - 8);
                        let seq = u64::from_be_bytes(seq.try_into().unwrap());
                        put(
                            table,
                            format!("{}{seq}", name(slot, place).unwrap().trim_end_matches('\0')),
                            value,
                        )
                    }
                    Table::Counters if name(slot, &key).unwrap() == "ledger" => None,
                    _ => put(table, name(slot, &key).unwrap().to_owned(), value),
                };
            }
        }
        dump
    }

    async fn redis_tables(&self) -> Dump {
        let keys = Keys::of(&self.slot);
        let mut dump = Dump::default();
        for (table, key) in ALL.into_iter().zip([0, 2, 3, FIXED, 4, 5, 6, 7, 8, 10, 11]) {
            let mut found = BTreeMap::new();
            match table {
                // A fold stands beside the line.
                Table::Records => {
                    let pairs = self.texts(cmd("HGETALL").arg(keys.records())).await;
                    for pair in pairs.chunks(2) {
                        let fold = self.texts(cmd("HMGET").arg(keys.folds()).arg(&pair[0])).await.remove(0);
                        found.insert(pair[0].clone(), format!("{} {fold}", pair[1]));
                    }
                }
                Table::Effects | Table::Claims | Table::Seen | Table::Counters => {
                    let pairs = self.texts(cmd("HGETALL").arg(&keys.fixed[key])).await;
                    found.extend(pairs.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
                }
                Table::Open => found.extend(
                    self.texts(cmd("ZRANGE").arg(keys.open()).arg(0).arg(-1))
                        .await
                        .into_iter()
                        .map(|id| (id, String::new())),
                ),
                Table::Wakes | Table::Due | Table::Leases => {
                    let pairs = self
                        .texts(cmd("ZRANGE").arg(&keys.fixed[key]).arg(0).arg(-1).arg("WITHSCORES"))
                        .await;
                    found.extend(
                        pairs
                            .chunks(2)
                            .map(|pair| (pair[0].clone(), format!("{}", pair[1].parse::<f64>().unwrap()))),
                    );
                }
                Table::Ledger => found.extend(self.list(keys.ledger(), "").await),
                Table::Journal => {
                    for id in RECORDS {
                        found.extend(self.list(&keys.journal(&record(id)), id).await);
                    }
                }
                Table::Expiry => {}
            }
            if table == Table::Seen {
                found.retain(|_, line| lines::remembered(line, self.now).unwrap().is_some());
            }
            if !found.is_empty() {
                dump.insert(table, found);
            }
        }
        dump
    }

    async fn list(&self, key: &str, name: &str) -> Vec<(String, String)> {
        let lines = self.texts(cmd("LRANGE").arg(key).arg(0).arg(-1)).await;
        (1..)
            .zip(lines)
            .map(|(seq, line)| (format!("{name}{seq}"), line))
            .collect()
    }

    async fn texts(&self, command: &Cmd) -> Vec<String> {
        Answer::of(self.redis.ask(command).await.unwrap())
            .unwrap()
            .texts()
            .unwrap()
    }
}

type Dump = BTreeMap<Table, BTreeMap<String, String>>;

/// Expiry is left out: it is the index of what is forgotten, at a pace of each backend's own.
const ALL: [Table; 11] = [
    Table::Records,
    Table::Open,
    Table::Wakes,
    Table::Journal,
    Table::Effects,
    Table::Due,
    Table::Leases,
    Table::Claims,
    Table::Seen,
    Table::Ledger,
    Table::Counters,
];

fn record(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

fn effect(n: usize) -> EffectKey {
    EffectKey::parse(EFFECTS[n]).unwrap()
}

fn minute(n: i64) -> Timestamp {
    Timestamp(NOON.saturating_add(n.saturating_mul(60_000)))
}

/// Runs histories through both. The seed is fixed, so that a gate gives the same verdict each time; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` widen it.
fn compare(redis: &Redis, runtime: &Runtime, config: Config) -> Result<u64, TestError<Vec<Op>>> {
    let (slots, steps) = (Cell::new(0u64), Cell::new(0u64));
    TestRunner::new(config).run(&ops(), |history| {
        slots.set(slots.get() + 1);
        let slot = ServiceId::parse(&format!("t4-{}", slots.get())).unwrap();
        let mut pair = Pair {
            redis,
            slot,
            model: MemoryTables::default(),
            now: StoreTime(0),
            sent: 0,
        };
        runtime.block_on(async {
            let load = Load {
                slot: pair.slot.clone(),
                records: Vec::new(),
                open_under: None,
                held: Vec::new(),
                delivery: None,
            };
            pair.now = redis.load(load).await.unwrap().now;
            for op in &history {
                steps.set(steps.get() + 1);
                pair.step(op).await?;
            }
            prop_assert_eq!(pair.redis_tables().await, pair.model_tables());
            Ok(())
        })
    })?;
    Ok(steps.get())
}

fn config(cases: u32) -> Config {
    let known = Config::default();
    let seed = if matches!(known.rng_seed, RngSeed::Random) {
        RngSeed::Fixed(4)
    } else {
        known.rng_seed
    };
    Config {
        cases: known.cases.max(cases),
        rng_seed: seed,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..known
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn the_scripts_do_what_the_model_does() {
    let (server, runtime) = (RedisServer::start(), runtime());
    let redis = Redis::open(&server.url()).unwrap();
    let steps = compare(&redis, &runtime, config(600)).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(steps > 5_000, "only {steps} steps were compared");
}

type Which = fn(&mut Scripts) -> &mut Source;

/// What is broken: in which script, which words become which.
const BROKEN: [(Which, &str, &str); 21] = [
    (|scripts| &mut scripts.commit, "tonumber(till) > now", "false"),
    (|scripts| &mut scripts.commit, "now > tonumber(deadline)", "false"),
    (|scripts| &mut scripts.commit, "finishing.fence ~= fence", "false"),
    (|scripts| &mut scripts.commit, " or finishing.lease == '-'", ""),
    (|scripts| &mut scripts.commit, "found[1] ~= versions[n]", "false"),
    (|scripts| &mut scripts.commit, "or prev ~= old[4]", ""),
    (
        |scripts| &mut scripts.commit,
        "by and by ~= holder and not freed[name]",
        "false",
    ),
    (|scripts| &mut scripts.commit, " and not freed[name]", ""),
    (|scripts| &mut scripts.commit, " and finishing.again ~= '1'", ""),
    (
        |scripts| &mut scripts.commit,
        "finishing.attempt = '0'",
        "finishing.attempt = finishing.attempt",
    ),
    (|scripts| &mut scripts.commit, "e and e.lease ~= '-'", "false"),
    (|scripts| &mut scripts.commit, "call('ZREM', wakes, write.record)", ""),
    (|scripts| &mut scripts.commit, "call('ZREM', open, write.record)", ""),
    (
        |scripts| &mut scripts.commit,
        "write.rows + write.count - 1",
        "write.rows",
    ),
    (
        |scripts| &mut scripts.poll,
        "redis.call('HINCRBY', counters, 'fence', 1)",
        "1",
    ),
    (|scripts| &mut scripts.poll, "now > tonumber(ARGV[5])", "false"),
    (|scripts| &mut scripts.poll, "attempt + 1", "attempt + 0"),
    (|scripts| &mut scripts.poll, "redis.call('ZREM', due, key)", ""),
    (
        |scripts| &mut scripts.poll,
        "'ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, limit",
        "'ZRANGEBYSCORE', leases, '-inf', 0, 'LIMIT', 0, limit",
    ),
    (|scripts| &mut scripts.load, "asked[record] = true", ""),
    (|scripts| &mut scripts.load, "held[record] or '0'", "'0'"),
];

#[test]
fn the_comparison_catches_every_broken_script() {
    let runtime = runtime();
    for (script, words, instead) in BROKEN {
        // A server for each: slots are named alike.
        let server = RedisServer::start();
        let mut redis = Redis::open(&server.url()).unwrap();
        let source = script(&mut redis.scripts);
        assert_eq!(
            source.text.matches(words).count(),
            1,
            "`{words}` must stand in the script once"
        );
        *source = Source::new(&source.text.replace(words, instead));
        let config = Config {
            max_shrink_iters: 0,
            ..config(600)
        };
        let caught = compare(&redis, &runtime, config);
        let Err(TestError::Fail(difference, _)) = caught else {
            panic!("nobody noticed that `{words}` had become `{instead}`")
        };
        let noticed = difference.message();
        assert!(
            noticed.contains("left:") && !noticed.contains("Corrupt"),
            "`{words}`: the script does not run at all: {noticed}"
        );
    }
}
