//! Every way to tamper with what is stored, on random histories: it is found, and the right row is named.
//!
//! The controls are those who cannot be found, so that it is seen what finds the others: a forger who has the key and works before the next seal,
//! and a store that was put back where nobody keeps seals.

use async_trait::async_trait;
use commands::ids::{RecordId, ServiceId};
use commands::time::{Span, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::apply::{MemoryTables, apply};
use crate::commit::{Commit, Committed, Effect, Write};
use crate::read;
use crate::store::{Health, Load, Loaded, Page, Poll, Polled, Store, StoreError, StoreTime, Stored};
use crate::turn::{Turn, Turned};

const RECORDS: [&str; 3] = ["desk", "run/prod/1", "run/prod/2"];

/// A copy of what a store holds, which can be changed at will.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    records: Vec<(Stored, Vec<Row>)>,
    ledger: Vec<LedgerRow>,
}

#[async_trait]
impl Store for Held {
    async fn load(&self, _: Load) -> Result<Loaded, StoreError> {
        Err(StoreError::Unknown)
    }

    async fn commit(&self, _: Commit) -> Result<Committed, StoreError> {
        Err(StoreError::Unknown)
    }

    async fn poll(&self, _: Poll) -> Result<Polled, StoreError> {
        Err(StoreError::Unknown)
    }

    async fn turn(&self, _: Turn) -> Result<Turned, StoreError> {
        Err(StoreError::Unknown)
    }

    async fn journal(
        &self,
        _: &ServiceId,
        record: &RecordId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self
            .records
            .iter()
            .find(|(stored, _)| stored.id == *record)
            .map_or(&[][..], |(_, rows)| rows);
        Ok(rows
            .iter()
            .skip(usize::try_from(after).unwrap())
            .take(limit)
            .cloned()
            .collect())
    }

    async fn ledger(&self, _: &ServiceId, after: u64, limit: usize) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = self.ledger.iter().skip(usize::try_from(after).unwrap()).take(limit);
        // Its place is a row's number, as in the backends.
        Ok((after + 1..)
            .zip(rows)
            .map(|(seq, row)| LedgerRow { seq, ..row.clone() })
            .collect())
    }

    async fn records(&self, _: &ServiceId, _: &str, _: Option<&str>, _: usize) -> Result<Page<Stored>, StoreError> {
        Ok(Page {
            rows: self.records.iter().map(|(stored, _)| stored.clone()).collect(),
            next: None,
        })
    }

    async fn outbox(&self, _: &ServiceId) -> Result<Vec<Effect>, StoreError> {
        Err(StoreError::Unknown)
    }

    async fn health(&self) -> Result<Health, StoreError> {
        Err(StoreError::Unknown)
    }
}

/// One commit of a history: rows for a record, or a refusal.
#[derive(Debug, Clone, Copy)]
enum Step {
    Rows(usize, usize),
    Refusal(usize),
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![4 => (0..RECORDS.len(), 1..4usize).prop_map(|(n, rows)| Step::Rows(n, rows)), 1 => (0..RECORDS.len()).prop_map(Step::Refusal)];
    // The first two make sure that there is something to swap.
    prop::collection::vec(step, 0..16)
        .prop_map(|steps| [vec![Step::Rows(0, 2), Step::Refusal(0), Step::Rows(0, 2)], steps].concat())
}

fn slot() -> ServiceId {
    ServiceId::parse("wallet").unwrap()
}

fn key() -> Key {
    Key::new(b"the right audit key").unwrap()
}

fn draft(record: &RecordId, n: usize) -> Draft {
    let text = str::to_owned;
    let (actor, channel, cause) = (text("U0ANN"), text("C0DEPLOYS"), format!("delivery-{n}"));
    Draft {
        record: record.clone(),
        at: Timestamp(n as i64),
        actor,
        channel,
        cause,
        reason: text("ok"),
        config: text("0a"),
        event: text("{}"),
    }
}

/// Carries a step out as the bot would, with this key.
fn carry_out(tables: &mut MemoryTables, key: &Key, n: usize, step: Step) {
    let (Step::Rows(record, _) | Step::Refusal(record)) = step;
    let id = RecordId::parse(RECORDS[record]).unwrap();
    let old = read::records(tables, (&slot(), id.as_str()), None, 1)
        .unwrap()
        .rows
        .pop()
        .filter(|stored| stored.id == id);
    let (version, mut rows, mut head) = old.map_or((0, 0, String::new()), |old| (old.version, old.rows, old.head));
    let mut commit = Commit {
        slot: slot(),
        id: format!("d{n}"),
        remember: Span::hours(1),
        deadline: StoreTime(i64::MAX),
        read: vec![(id.clone(), version)],
        write: Vec::new(),
        effects: Vec::new(),
        finish: None,
        take: Vec::new(),
        free: Vec::new(),
        refusals: Vec::new(),
        reply: String::new(),
    };
    match step {
        Step::Refusal(_) => commit.refusals.push(Row::refusal(key, &slot(), draft(&id, n))),
        Step::Rows(_, count) => {
            let mut write = Write {
                id: id.clone(),
                fold: format!("fold {n}"),
                next_wake: None,
                rows: Vec::new(),
            };
            for _ in 0..count {
                write.rows.push(Row::chain(key, &slot(), (rows, &head), draft(&id, n)));
                rows += 1;
                head.clone_from(&write.rows.last().unwrap().mac);
            }
            commit.write.push(write);
        }
    }
    assert!(matches!(
        apply(tables, &commit, StoreTime(0)),
        Ok(Committed::Done { again: false, .. })
    ));
}

fn hold(tables: &MemoryTables) -> Held {
    let stored = read::records(tables, (&slot(), ""), None, 100).unwrap().rows;
    let rows = |stored: &Stored| read::journal(tables, (&slot(), &stored.id), 0, 1000).unwrap();
    let records = stored
        .into_iter()
        .map(|stored| (stored.clone(), rows(&stored)))
        .collect();
    Held {
        records,
        ledger: read::ledger(tables, &slot(), 0, 1000).unwrap(),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// What a history was after each of its steps, and the seals, of which one is made every `period` steps and one at the end.
fn play(steps: &[Step], period: usize) -> (Vec<Held>, Vec<Seal>) {
    let (mut tables, mut helds, mut seals) = (MemoryTables::default(), Vec::new(), Vec::new());
    let mut sealer = Sealer::new(key(), slot(), 0);
    for (n, step) in steps.iter().enumerate() {
        carry_out(&mut tables, &key(), n, *step);
        helds.push(hold(&tables));
        if n % period == 0 || n + 1 == steps.len() {
            seals.extend(run(sealer.next(helds.last().unwrap())).unwrap());
        }
    }
    // They have been to the log and back.
    let seals = seals
        .iter()
        .map(|seal| Seal::parse(&format!("12:00 {} more", seal.line())).unwrap().unwrap())
        .collect();
    (helds, seals)
}

/// The first finding.
fn found(held: &Held, seals: &[Seal]) -> Option<Place> {
    run(verify(held, &[slot()], &key(), seals))
        .unwrap()
        .findings
        .pop()
        .map(|finding| finding.place)
}

/// A way to tamper with one journal. Each gives the number of the first row that is wrong then.
fn tamper_journal((stored, rows): &mut (Stored, Vec<Row>), way: usize, (a, b): (usize, usize)) -> Option<u64> {
    let (first, second) = (a % rows.len(), b % rows.len());
    let wrong = match way {
        0 => {
            rows.remove(first);
            first
        }
        1 if first != second => {
            rows.insert(first, rows[second].clone());
            first
        }
        2 if first != second => {
            rows.swap(first, second);
            first.min(second)
        }
        // Cut, with the record made to agree.
        3 => {
            rows.truncate(first);
            stored.rows = first as u64;
            stored.head = rows.last().map_or(String::new(), |row| row.mac.clone());
            first
        }
        // The newest is another one's, says the record.
        4 => {
            stored.head = "00".repeat(32);
            rows.len() - 1
        }
        // Lost with its number: the row behind it takes its place, and says so.
        5 if first + 1 < rows.len() => {
            rows.remove(first);
            for row in &mut rows[first..] {
                row.seq -= 1;
            }
            first
        }
        way if way >= 6 => {
            let row = &mut rows[first];
            let texts = [
                &mut row.actor,
                &mut row.channel,
                &mut row.cause,
                &mut row.reason,
                &mut row.config,
                &mut row.event,
                &mut row.prev,
            ];
            match way - 6 {
                0 => row.at = row.at + Span(1),
                1 => row.seq += 1,
                2 => row.mac = "00".repeat(32),
                n => texts.into_iter().nth(n % 7).unwrap().push('x'),
            }
            first
        }
        _ => return None,
    };
    Some(wrong as u64 + 1)
}

const JOURNAL_WAYS: usize = 16;

proptest! {
    #[test]
    fn what_nobody_touched_adds_up(steps in history(), period in 1..5usize) {
        let (helds, seals) = play(&steps, period);
        for held in &helds[helds.len() - 1..] {
            prop_assert_eq!(found(held, &seals), None);
            prop_assert_eq!(found(held, &[]), None);
        }
    }

    /// The ledger and the chain alone find these, without a seal.
    #[test]
    fn a_journal_that_was_touched_is_found(steps in history(), record in 0..9usize, a in 0..99usize, b in 0..99usize) {
        let (helds, _) = play(&steps, 1);
        for way in 0..JOURNAL_WAYS {
            let mut held = helds.last().unwrap().clone();
            let record = record % held.records.len();
            let journal = &mut held.records[record];
            let id = journal.0.id.clone();
            if let Some(row) = tamper_journal(journal, way, (a, b)) {
                prop_assert_eq!(found(&held, &[]), Some(Place::Journal(id, row)), "way {}", way);
            }
        }
    }

    /// With seals, whatever is done to the ledger is found at the row itself or at the head of its sealed range.
    #[test]
    fn a_ledger_that_was_touched_is_found(steps in history(), period in 1..5usize, a in 0..99usize, b in 0..99usize) {
        let (helds, seals) = play(&steps, period);
        let whole = helds.last().unwrap();
        let (first, second) = (a % whole.ledger.len(), b % whole.ledger.len());
        let other = RecordId::parse("run/prod/3").unwrap();
        for way in 0..8 {
            let mut held = whole.clone();
            let ledger = &mut held.ledger;
            match way {
                0 => drop(ledger.remove(first)),
                1 => ledger.insert(first, whole.ledger[second].clone()),
                2 => ledger.swap(first, second),
                3 => ledger.truncate(first),
                4 => ledger[first].version += 1,
                5 => ledger[first].mac = "00".repeat(32),
                6 => ledger[first].record = other.clone(),
                _ => if let Some(refusal) = &mut ledger[first].refusal { refusal.actor.push('x') },
            }
            if held.ledger == whole.ledger {
                continue;
            }
            let wrong = held.ledger.iter().zip(&whole.ledger).take_while(|(now, then)| now == then).count() as u64 + 1;
            match found(&held, &seals) {
                Some(Place::Ledger(row)) => {
                    let sealed = seals.iter().any(|seal| seal.from == row && seal.to >= wrong);
                    let tail = held.ledger.len() as u64 + 1;
                    prop_assert!(sealed || row == tail || row >= wrong, "way {}: row {} was named for {}", way, row, wrong);
                }
                Some(Place::Journal(..) | Place::Record(_)) => {}
                other => prop_assert!(false, "way {way} was not found: {other:?}"),
            }
        }
    }

    /// A whole store that was put back to an old copy agrees with itself: the seals find it, and name the first row that is missing.
    #[test]
    fn a_store_that_was_put_back_is_found(steps in history(), period in 1..5usize, then in 0..99usize) {
        let (helds, seals) = play(&steps, period);
        let old = &helds[then % (helds.len() - 1)];
        prop_assert_eq!(found(old, &seals), Some(Place::Ledger(old.ledger.len() as u64 + 1)));
        prop_assert_eq!(found(old, &[]), None, "the control: nobody keeps seals");
    }

    /// A fork: put back to an old copy, and then another history is written on top, by the bot itself or by somebody with a key of his own.
    #[test]
    fn a_fork_is_found(steps in history(), period in 1..5usize, other in history(), then in 0..99usize) {
        let (_, seals) = play(&steps, period);
        let then = then % (steps.len() - 1);
        for (key, forged) in [(key(), false), (Key::new(b"some other audit key").unwrap(), true)] {
            let mut tables = MemoryTables::default();
            for (n, step) in steps[..then].iter().enumerate() {
                carry_out(&mut tables, &super::tamper::key(), n, *step);
            }
            for (n, step) in other.iter().enumerate() {
                carry_out(&mut tables, &key, 1000 + n, *step);
            }
            let held = hold(&tables);
            prop_assert!(found(&held, &seals).is_some());
            prop_assert_eq!(found(&held, &[]).is_some(), forged, "without seals only a forger's rows are found");
        }
    }

    /// The control: who has the key can rewrite a row and everything behind it; only a seal from before shows it.
    #[test]
    fn a_forger_with_the_key_is_found_by_seals_only(steps in history(), period in 1..5usize, a in 0..99usize) {
        let (helds, seals) = play(&steps, period);
        let mut held = helds.last().unwrap().clone();
        let (stored, rows) = &mut held.records[0];
        let first = a % rows.len();
        rows[first].actor = "U0EVE".to_owned();
        for n in first..rows.len() {
            rows[n].prev = if n == 0 { String::new() } else { rows[n - 1].mac.clone() };
            let old = std::mem::take(&mut rows[n].mac);
            rows[n].mac = key().mac(&slot(), &rows[n]);
            for line in held.ledger.iter_mut().filter(|line| line.mac == old) {
                line.mac.clone_from(&rows[n].mac);
            }
        }
        stored.head.clone_from(&rows.last().unwrap().mac);
        prop_assert_eq!(found(&held, &[]), None);
        prop_assert!(matches!(found(&held, &seals), Some(Place::Ledger(_))));
    }
}

#[test]
fn rows_do_not_move_between_services() {
    let (helds, _) = play(&[Step::Rows(0, 2)], 1);
    let elsewhere = ServiceId::parse("explorer").unwrap();
    let report = run(verify(&helds[0], std::slice::from_ref(&elsewhere), &key(), &[])).unwrap();
    let places: Vec<_> = report
        .findings
        .into_iter()
        .map(|finding| (finding.slot, finding.place))
        .collect();
    assert_eq!(places, [(elsewhere, Place::Journal(RecordId::desk(), 1))]);
}

#[test]
fn a_record_that_is_gone_is_found() {
    let (helds, _) = play(&[Step::Rows(0, 2), Step::Rows(1, 1)], 1);
    let mut held = helds[1].clone();
    held.records.remove(0);
    assert_eq!(found(&held, &[]), Some(Place::Record(RecordId::desk())));
}

#[test]
fn a_seal_of_another_key_is_found() {
    let (helds, mut seals) = play(&[Step::Rows(0, 2), Step::Rows(1, 1)], 1);
    seals[1].count += 1;
    assert_eq!(found(&helds[1], &seals), Some(Place::Seal(2)));
}

#[test]
fn fields_can_not_be_shifted_into_each_other() {
    let id = RecordId::desk();
    let row = Row::chain(
        &key(),
        &slot(),
        (0, ""),
        Draft {
            actor: "ab".to_owned(),
            channel: "c".to_owned(),
            ..draft(&id, 0)
        },
    );
    let shifted = Row {
        actor: "a".to_owned(),
        channel: "bc".to_owned(),
        ..row.clone()
    };
    assert_ne!(key().mac(&slot(), &shifted), row.mac);
}

#[test]
fn keys_are_long_and_not_shown() {
    assert_eq!(Key::new(b"short").map(drop), Err(BadKey(5)));
    assert_eq!(format!("{:?}", key()), "Key(***)");
}
