//! The default backend: one ACID file, one process, one writer thread.
//!
//! Everything that writes goes through the writer, which carries out all requests that wait in one transaction and answers them when it is on
//! disk: a burst of commits pays for one sync. Readers see the last transaction and never wait for the writer.

mod clock;
mod file;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use commands::ids::{RecordId, ServiceId};
use commands::time::Timestamp;
use redb::{Database, ReadableDatabase};
use tokio::sync::oneshot;

pub use self::clock::StoreClock;
use self::clock::system_clock;
use self::file::{ROWS, ReadTables, WriteTables, fault};

use crate::apply;
use crate::audit::{LedgerRow, Row};
use crate::codec::{self, RecordLine};
use crate::commit::{Commit, Committed, Effect, Write};
use crate::read;
use crate::store::{Health, Load, Loaded, Page, Poll, Polled, Store, StoreError, StoreTime, Stored};
use crate::tables::{Table, TablesMut, key};
use crate::turn::{Turn, Turned, Turns};

/// How many waiting requests one transaction carries out at most.
const GROUP: usize = 256;

/// A store in one file, or in memory.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    /// Taken by `drop`, which tells the writer to end.
    jobs: Mutex<Option<Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// One process has the file, so nobody else has to know.
    turns: Mutex<Turns>,
}

struct Shared {
    database: Database,
    clock: StoreClock,
    file: bool,
    /// The slots that were asked about, and up to when by the `Clock` effects were asked for.
    asked: Mutex<BTreeMap<ServiceId, Timestamp>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

enum Work {
    Commit(Box<Commit>),
    Poll(Poll),
    Import(ServiceId, Vec<(Write, u64)>),
    EndLeases,
}

enum Answer {
    Committed(Committed),
    Polled(Polled),
    Written,
}

struct Job {
    work: Work,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

impl Embedded {
    /// Opens the file, or creates it. The store's time is the system's, made monotonic.
    ///
    /// # Errors
    /// `Refused` when another process has the file open, or it cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, system_clock())
    }

    /// Opens the file with a store clock of the caller's.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_with(path: impl AsRef<Path>, clock: StoreClock) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let database = Database::create(path).map_err(|error| {
            let path = path.display();
            StoreError::Refused(match error {
                redb::DatabaseError::DatabaseAlreadyOpen => format!(
                    "`{path}` is in use by another signalbox process. Stop that one, or set SIGNALBOX_DATA to another file, or use REDIS_URL: \
                     several processes can share a Redis"
                ),
                error => format!("`{path}` cannot be opened: {error}"),
            })
        })?;
        Self::start(database, clock, true)
    }

    /// A store that ends with the process, for tests and demonstrations.
    ///
    /// # Errors
    /// `Refused` when the writer thread cannot be started.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::in_memory_with(system_clock())
    }

    /// A store that ends with the process, with a store clock of the caller's.
    ///
    /// # Errors
    /// As [`Embedded::in_memory`].
    pub fn in_memory_with(clock: StoreClock) -> Result<Self, StoreError> {
        let backend = redb::backends::InMemoryBackend::new();
        let database = Database::builder().create_with_backend(backend).map_err(fault)?;
        Self::start(database, clock, false)
    }

    fn start(database: Database, clock: StoreClock, file: bool) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            database,
            clock,
            file,
            asked: Mutex::default(),
        });
        // The table must exist before the first reader comes; and a lease that was given before the file was closed has no holder any more.
        shared.transact(&[Work::EndLeases])?;
        let (jobs, waiting) = channel();
        let writer = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("signalbox-store".to_owned())
            .spawn(move || writer.write_until_closed(&waiting))
            .map_err(|error| StoreError::Refused(format!("the writer thread did not start: {error}")))?;
        Ok(Self {
            shared,
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            turns: Mutex::default(),
        })
    }

    /// Writes finished records in bulk with the version they have reached, each with one ledger row: to move or to measure a store. Records that
    /// exist are replaced.
    ///
    /// # Errors
    /// What the file answers; then nothing was written.
    pub async fn import(&self, slot: &ServiceId, records: Vec<(Write, u64)>) -> Result<(), StoreError> {
        self.ask(Work::Import(slot.clone(), records)).await.map(|_| ())
    }

    async fn ask(&self, work: Work) -> Result<Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        let closed = || StoreError::Refused("the store is closed".to_owned());
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or_else(closed)?
            .send(Job { work, answer })
            .map_err(|_| closed())?;
        answered.await.map_err(|_| StoreError::Unknown)?
    }

    /// Reads off the runtime's threads: the file may have to be read from disk.
    async fn read<T: Send + 'static>(
        &self,
        slot: &ServiceId,
        read: impl FnOnce(&ReadTables, StoreTime) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        shared.asked().entry(slot.clone()).or_insert(Timestamp(i64::MAX));
        let reading = tokio::task::spawn_blocking(move || read(&shared.snapshot()?, shared.now()));
        reading
            .await
            .map_err(|error| StoreError::Refused(format!("the reader ended early: {error}")))?
    }
}

impl Drop for Embedded {
    /// Waits for the writer, so that the file can be opened again at once.
    fn drop(&mut self) {
        self.jobs.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer thread panicked");
        }
    }
}

impl Shared {
    fn now(&self) -> StoreTime {
        StoreTime((self.clock)())
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeMap<ServiceId, Timestamp>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> Result<ReadTables, StoreError> {
        let transaction = self.database.begin_read().map_err(fault)?;
        Ok(ReadTables(transaction.open_table(ROWS).map_err(fault)?))
    }

    fn write_until_closed(&self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let (mut work, mut answers) = (vec![first.work], vec![first.answer]);
            for job in waiting.try_iter().take(GROUP - 1) {
                work.push(job.work);
                answers.push(job.answer);
            }
            for (answer, result) in answers.into_iter().zip(self.carry_out(&work)) {
                // Nobody waits any more: the commit stands all the same, and its id answers when it is asked for again.
                drop(answer.send(result));
            }
        }
    }

    /// One transaction for all; if one piece of work fails, one for each, so that it fails alone.
    fn carry_out(&self, work: &[Work]) -> Vec<Result<Answer, StoreError>> {
        match self.transact(work) {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(error) if work.len() == 1 => vec![Err(error)],
            Err(_) => work
                .iter()
                .flat_map(|one| self.carry_out(std::slice::from_ref(one)))
                .collect(),
        }
    }

    fn transact(&self, work: &[Work]) -> Result<Vec<Answer>, StoreError> {
        // Immediate durability is redb's default: the commit returns when the file is synced.
        let transaction = self.database.begin_write().map_err(fault)?;
        let mut answers = Vec::with_capacity(work.len());
        {
            let mut tables = WriteTables(transaction.open_table(ROWS).map_err(fault)?);
            for one in work {
                answers.push(carry_out(&mut tables, one, self.now())?);
            }
        }
        transaction.commit().map_err(|error| {
            tracing::error!(%error, "the store's file could not be written");
            StoreError::Unknown
        })?;
        Ok(answers)
    }
}

fn carry_out(tables: &mut WriteTables<'_>, work: &Work, now: StoreTime) -> Result<Answer, StoreError> {
    Ok(match work {
        Work::Commit(commit) => Answer::Committed(apply::apply(tables, commit, now)?),
        Work::Poll(poll) => Answer::Polled(read::poll(tables, poll, now)?),
        Work::Import(slot, records) => {
            import(tables, slot, records)?;
            Answer::Written
        }
        Work::EndLeases => {
            apply::end_leases(tables)?;
            Answer::Written
        }
    })
}

fn import(tables: &mut impl TablesMut, slot: &ServiceId, records: &[(Write, u64)]) -> Result<(), StoreError> {
    let mut entries = Vec::with_capacity(records.len());
    for (write, version) in records {
        let line = imported(write, *version);
        entries.push(codec::ledger_line(*version, &line.head, &write.id));
        let old = tables.get(Table::Records, &key(slot, write.id.as_str()))?;
        let old = old.map(|old| RecordLine::parse(&old)).transpose()?;
        apply::put_record(tables, slot, write, (old.and_then(|old| old.wake), &line))?;
    }
    apply::append_ledger(tables, slot, &entries)
}

/// A record that is written in bulk; it begins with its first journal row.
pub(crate) fn imported(write: &Write, version: u64) -> RecordLine {
    let head = codec::shorten(write.rows.last().map_or("", |row| &row.mac));
    RecordLine {
        version,
        wake: write.next_wake,
        rows: write.rows.len() as u64,
        head,
        fold: write.fold.clone(),
    }
}

#[async_trait]
impl Store for Embedded {
    async fn load(&self, load: Load) -> Result<Loaded, StoreError> {
        self.read(&load.slot.clone(), move |tables, now| read::load(tables, &load, now))
            .await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        apply::check_shape(&commit)?;
        match self.ask(Work::Commit(Box::new(commit))).await? {
            Answer::Committed(answer) => Ok(answer),
            Answer::Polled(_) | Answer::Written => Err(StoreError::Unknown),
        }
    }

    async fn poll(&self, poll: Poll) -> Result<Polled, StoreError> {
        let asked = poll.clone();
        let idle = self
            .read(&poll.slot, move |tables, now| read::idle(tables, &asked, now))
            .await?;
        self.shared.asked().insert(poll.slot.clone(), poll.now);
        if let Some(idle) = idle {
            return Ok(idle);
        }
        match self.ask(Work::Poll(poll)).await? {
            Answer::Polled(answer) => Ok(answer),
            Answer::Committed(_) | Answer::Written => Err(StoreError::Unknown),
        }
    }

    async fn journal(
        &self,
        slot: &ServiceId,
        record: &RecordId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let wanted = (slot.clone(), record.clone());
        self.read(slot, move |tables, _| {
            read::journal(tables, (&wanted.0, &wanted.1), after, limit)
        })
        .await
    }

    async fn ledger(&self, slot: &ServiceId, after: u64, limit: usize) -> Result<Vec<LedgerRow>, StoreError> {
        let wanted = slot.clone();
        self.read(slot, move |tables, _| read::ledger(tables, &wanted, after, limit))
            .await
    }

    async fn records(
        &self,
        slot: &ServiceId,
        prefix: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Stored>, StoreError> {
        let (wanted, cursor) = ((slot.clone(), prefix.to_owned()), cursor.map(str::to_owned));
        self.read(slot, move |tables, _| {
            read::records(tables, (&wanted.0, &wanted.1), cursor.as_deref(), limit)
        })
        .await
    }

    async fn outbox(&self, slot: &ServiceId) -> Result<Vec<Effect>, StoreError> {
        let wanted = slot.clone();
        self.read(slot, move |tables, _| read::outbox(tables, &wanted)).await
    }

    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        Ok(self.turns.lock().unwrap_or_else(PoisonError::into_inner).take(&turn))
    }

    async fn health(&self) -> Result<Health, StoreError> {
        let shared = Arc::clone(&self.shared);
        let counting = tokio::task::spawn_blocking(move || {
            let (tables, asked) = (shared.snapshot()?, shared.asked().clone());
            asked
                .iter()
                .try_fold(0, |sum, (slot, now)| Ok(sum + read::pressing(&tables, slot, *now)?))
        });
        let outbox = counting
            .await
            .map_err(|error| StoreError::Refused(format!("the reader ended early: {error}")))?;
        let notes = if self.shared.file {
            vec!["Each commit is synced to its file before it is answered. One process at a time; copy the file while it is stopped.".to_owned()]
        } else {
            vec!["Everything is in memory and ends with the process.".to_owned()]
        };
        let durable = Some(self.shared.file);
        Ok(Health {
            server: "embedded".to_owned(),
            durable,
            evicts: Some(false),
            notes,
            outbox: outbox?,
        })
    }
}
