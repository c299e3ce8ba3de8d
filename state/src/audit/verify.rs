//! The walk over everything that is stored: does it add up?
//!
//! The store may be at work meanwhile. So the ledger is read first, then the records and their journals, then what the ledger got in between: a
//! line that was read first must be found in the journals, and a journal's head must be found in the ledger by the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use commands::ids::{RecordId, ServiceId};
use futures::StreamExt as _;
use serde::Serialize;

use super::seal::Root;
use super::{Chain, Key, LedgerRow, Row, Seal};
use crate::store::{Store, StoreError, Stored};

const PAGE: usize = 1000;

/// How many journals are asked for ahead.
const AHEAD: usize = 32;

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Place {
    /// At this row of the ledger.
    Ledger(u64),
    /// At this row of this record's journal.
    Journal(RecordId, u64),
    /// With the record itself.
    Record(RecordId),
    /// With a seal that ends at this row.
    Seal(u64),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In which service.
    pub slot: ServiceId,
    /// Where.
    pub place: Place,
    /// Why.
    pub why: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { slot, place, why } = self;
        match place {
            Place::Ledger(seq) => write!(f, "{slot}: ledger row {seq}: {why}"),
            Place::Journal(record, seq) => write!(f, "{slot}: `{record}`, row {seq}: {why}"),
            Place::Record(record) => write!(f, "{slot}: `{record}`: {why}"),
            Place::Seal(to) => write!(f, "{slot}: the seal that ends at ledger row {to}: {why}"),
        }
    }
}

/// What was checked, and the first thing that is wrong in each service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// How many ledger rows were read.
    pub ledger: u64,
    /// How many records.
    pub records: u64,
    /// How many journal rows.
    pub rows: u64,
    /// How many seals were compared.
    pub seals: u64,
    /// For each service its first bad row; empty when everything adds up.
    pub findings: Vec<Finding>,
}

/// Checks the ledgers and journals of services, and the seals against them.
///
/// # Errors
/// When the store does not answer. What cannot be read at all ([`StoreError::Corrupt`]) is a finding like others.
pub async fn verify(store: &dyn Store, slots: &[ServiceId], key: &Key, seals: &[Seal]) -> Result<Report, StoreError> {
    let mut report = Report::default();
    for slot in slots {
        let seals: Vec<&Seal> = seals.iter().filter(|seal| seal.slot == *slot).collect();
        let at = Place::Ledger(1);
        let mut walk = Walk {
            store,
            slot,
            key,
            ledger: Ledger::default(),
            report: &mut report,
            at,
            broken_seal: None,
        };
        let stopped = walk.go(&seals).await.err();
        let at = walk.at;
        let (place, why) = match stopped {
            None => continue,
            Some(Stop::Bad(place, why)) => (place, why),
            Some(Stop::Store(StoreError::Corrupt(what))) => {
                (at, format!("from here on something cannot be read: {what}"))
            }
            Some(Stop::Store(error)) => return Err(error),
        };
        report.findings.push(Finding {
            slot: slot.clone(),
            place,
            why,
        });
    }
    Ok(report)
}

enum Stop {
    Bad(Place, String),
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn bad<T>(place: Place, why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Bad(place, why.into()))
}

/// The ledger by record: place, version and MAC of each line.
#[derive(Default)]
struct Ledger {
    lines: HashMap<RecordId, Vec<(u64, u64, String)>>,
    refusals: HashSet<String>,
    count: u64,
}

struct Walk<'a> {
    store: &'a dyn Store,
    slot: &'a ServiceId,
    key: &'a Key,
    ledger: Ledger,
    report: &'a mut Report,
    /// What is being read, for the case that it cannot be.
    at: Place,
    /// A sealed range that is not what it was. It names a range only, so that a check that names a row goes before it.
    broken_seal: Option<(Place, String)>,
}

impl Walk<'_> {
    async fn go(&mut self, seals: &[&Seal]) -> Result<(), Stop> {
        for seal in seals {
            if !seal.is_genuine(self.key) {
                return bad(Place::Seal(seal.to), "it was not made with this key");
            }
        }
        self.read_ledger(seals).await?;
        let before = self.ledger.count;
        let heads = self.walk_records(before).await?;
        self.read_ledger(&[]).await?;
        self.heads_are_in_ledger(&heads)?;
        self.broken_seal.take().map_or(Ok(()), |(place, why)| bad(place, why))
    }

    /// Reads the ledger from where it was left, and compares it with the seals on the way.
    async fn read_ledger(&mut self, seals: &[&Seal]) -> Result<(), Stop> {
        let mut open: Vec<(&Seal, Root)> = seals.iter().map(|seal| (*seal, Root::default())).collect();
        loop {
            self.at = Place::Ledger(self.ledger.count + 1);
            let page = self.store.ledger(self.slot, self.ledger.count, PAGE).await?;
            for row in &page {
                self.take_line(row)?;
                for (seal, root) in open
                    .iter_mut()
                    .filter(|(seal, _)| (seal.from..=seal.to).contains(&row.seq))
                {
                    root.push(row);
                    if root.count == seal.count && std::mem::take(root).end() != seal.root && self.broken_seal.is_none()
                    {
                        let why = format!("the rows {} to {} are not those that were sealed", seal.from, seal.to);
                        self.broken_seal = Some((Place::Ledger(seal.from), why));
                    }
                }
                open.retain(|(seal, _)| seal.to > row.seq);
            }
            if page.len() < PAGE {
                break;
            }
        }
        self.report.seals += seals.len() as u64;
        match open.iter().map(|(seal, _)| seal.to).max() {
            Some(to) if to > self.ledger.count => bad(
                Place::Ledger(self.ledger.count + 1),
                format!("it is missing: a seal counts {to} rows"),
            ),
            _ => Ok(()),
        }
    }

    fn take_line(&mut self, row: &LedgerRow) -> Result<(), Stop> {
        let place = Place::Ledger(self.ledger.count + 1);
        if row.seq != self.ledger.count + 1 {
            return bad(place, format!("it says that it is row {}", row.seq));
        }
        self.ledger.count += 1;
        self.report.ledger += 1;
        if let Some(refusal) = &row.refusal {
            let genuine =
                refusal.seq == 0 && refusal.prev.is_empty() && refusal.mac == self.key.mac(self.slot, refusal);
            if !genuine || row.mac != refusal.mac || row.record != refusal.record || row.version != 0 {
                return bad(place, "the refusal's MAC is not that of its content");
            }
            if !self.ledger.refusals.insert(refusal.mac.clone()) {
                return bad(place, "the refusal stands in the ledger twice");
            }
            return Ok(());
        }
        let lines = self.ledger.lines.entry(row.record.clone()).or_default();
        if lines.last().is_some_and(|(_, version, _)| *version >= row.version) {
            return bad(
                place,
                format!(
                    "version {} of `{}` does not come after the one before it",
                    row.version, row.record
                ),
            );
        }
        lines.push((row.seq, row.version, row.mac.clone()));
        Ok(())
    }

    /// Checks every record's journal; gives the heads that the ledger must know.
    async fn walk_records(&mut self, before: u64) -> Result<Vec<(RecordId, u64, String)>, Stop> {
        let (mut heads, mut cursor) = (Vec::new(), None::<String>);
        let mut missing: BTreeMap<u64, RecordId> = BTreeMap::new();
        for (record, lines) in &self.ledger.lines {
            missing.extend(lines.first().map(|(seq, ..)| (*seq, record.clone())));
        }
        let mut found = HashSet::new();
        loop {
            let page = self.store.records(self.slot, "", cursor.as_deref(), PAGE).await?;
            // Most journals fit into one page. Asking for the next ones meanwhile makes the walk as fast as the hashing.
            let (store, slot) = (self.store, self.slot);
            let mut journals = futures::stream::iter(page.rows)
                .map(|record| async move {
                    let rows = store.journal(slot, &record.id, 0, PAGE).await;
                    (record, rows)
                })
                .buffered(AHEAD);
            while let Some((record, rows)) = journals.next().await {
                found.insert(record.id.clone());
                if let Some(head) = self.walk_journal(&record, rows, before).await? {
                    heads.push(head);
                }
            }
            drop(journals);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        match missing.into_iter().find(|(_, record)| !found.contains(record)) {
            Some((_, record)) => bad(Place::Record(record), "the ledger knows it, and it does not exist"),
            None => Ok(heads),
        }
    }

    async fn walk_journal(
        &mut self,
        record: &Stored,
        first: Result<Vec<Row>, StoreError>,
        before: u64,
    ) -> Result<Option<(RecordId, u64, String)>, Stop> {
        self.report.records += 1;
        let journal = |seq| Place::Journal(record.id.clone(), seq);
        let mut chain = Chain::new(self.key, self.slot, &record.id);
        let mut places = HashMap::new();
        let mut read = first;
        loop {
            self.at = journal(chain.end().0 + 1);
            let page = read?;
            for row in &page {
                if let Err(found) = chain.push(row) {
                    return bad(journal(found.seq), found.why);
                }
                if row.seq == record.rows && row.mac != record.head {
                    return bad(journal(row.seq), "the record names another row as its newest");
                }
                places.insert(row.mac.clone(), row.seq);
            }
            self.report.rows += page.len() as u64;
            if page.len() < PAGE {
                break;
            }
            read = self.store.journal(self.slot, &record.id, chain.end().0, PAGE).await;
        }
        let (rows, head) = chain.end();
        if rows < record.rows {
            return bad(
                journal(rows + 1),
                format!("it is missing: the record counts {} rows", record.rows),
            );
        }
        self.lines_are_in_journal(record, before, (&places, rows))?;
        Ok((rows > 0).then(|| (record.id.clone(), rows, head.to_owned())))
    }

    /// Each line of the ledger names the row at which a commit ended, in the order of the journal.
    fn lines_are_in_journal(
        &self,
        record: &Stored,
        before: u64,
        (places, rows): (&HashMap<String, u64>, u64),
    ) -> Result<(), Stop> {
        let lines = self.ledger.lines.get(&record.id).map_or(&[][..], Vec::as_slice);
        let lines = || lines.iter().filter(|(seq, ..)| *seq <= before);
        let mut last = 0;
        for (seq, version, mac) in lines() {
            match places.get(mac) {
                Some(place) if *place > last => last = *place,
                None if !lines().any(|(later, _, mac)| later > seq && places.contains_key(mac)) => {
                    let why = format!("it is missing: ledger row {seq} knows version {version} of the record");
                    return bad(Place::Journal(record.id.clone(), rows + 1), why);
                }
                _ => {
                    return bad(
                        Place::Ledger(*seq),
                        format!("it names no row of `{}` that comes after the one before", record.id),
                    );
                }
            }
            if *version > record.version {
                let why = format!(
                    "ledger row {seq} knows version {version}, and it has {}",
                    record.version
                );
                return bad(Place::Record(record.id.clone()), why);
            }
        }
        Ok(())
    }

    fn heads_are_in_ledger(&self, heads: &[(RecordId, u64, String)]) -> Result<(), Stop> {
        for (record, rows, head) in heads {
            let lines = self.ledger.lines.get(record).map_or(&[][..], Vec::as_slice);
            // The newest first: it is nearly always the one.
            if !lines.iter().rev().any(|(_, _, mac)| mac == head) {
                return bad(Place::Journal(record.clone(), *rows), "the ledger does not know it");
            }
        }
        Ok(())
    }
}
