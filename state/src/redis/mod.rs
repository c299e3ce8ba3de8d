//! The backend for production: Redis, Valkey, a cluster of them, or a managed service that speaks their protocol.
//!
//! A commit, a poll and a load of open records are one script each, embedded in the program and sent by hash; records are loaded by name in one
//! transaction of plain commands. All use only commands of Redis 6.2. The store's time is the server's, read by the very request, so that a deadline
//! holds even for one that lay in a stalled server's socket.

mod address;
mod codec;
pub mod foreign;
mod health;
mod keys;
mod link;
#[cfg(test)]
mod model;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ::redis::{Cmd, Script, Value, cmd, pipe};
use async_trait::async_trait;
use commands::ids::{RecordId, ServiceId};
use commands::time::Timestamp;

use self::codec::Answer;
use self::keys::{FIXED, Keys};
pub use self::link::Timeouts;
use self::link::{Form, Link, Packet};
use crate::apply;
use crate::audit::{LedgerRow, Row};
use crate::codec as lines;
use crate::commit::{Commit, Committed, Effect, Write};
use crate::embedded::imported;
use crate::store::{Health, Load, Loaded, Page, Poll, Polled, Store, StoreError, StoreTime, Stored};
use crate::turn::{Turn, Turned};

/// How many records one pipeline of [`Redis::import`] writes.
const BULK: usize = 1000;
/// Room for a usual request, so that it does not grow by copying: arguments, and bytes of all of them.
const ARGUMENTS: usize = 80;
const PACKET: usize = 12 << 10;

/// Where the leases of a service are: a test ends them, as if their time had passed.
#[cfg(any(test, feature = "contract"))]
pub(crate) fn leases(slot: &ServiceId) -> String {
    keys::Keys::of(slot).leases().to_owned()
}

/// A store in Redis.
#[derive(Debug)]
pub struct Redis {
    link: Link,
    scripts: Scripts,
    /// The slots that were asked about, and up to when by the `Clock` effects were asked for.
    asked: Mutex<BTreeMap<ServiceId, Timestamp>>,
}

#[derive(Debug)]
struct Scripts {
    commit: Source,
    load: Source,
    poll: Source,
    records: Source,
    turn: Source,
}

/// A script's text beside its hash: the hash is sent, and the text when the server does not know it yet.
struct Source {
    text: String,
    hash: String,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hash)
    }
}

impl Source {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            hash: Script::new(text).get_hash().to_owned(),
        }
    }
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            commit: Source::new(include_str!("scripts/commit.lua")),
            load: Source::new(include_str!("scripts/load.lua")),
            poll: Source::new(include_str!("scripts/poll.lua")),
            records: Source::new(include_str!("scripts/records.lua")),
            turn: Source::new(include_str!("scripts/turn.lua")),
        }
    }
}

impl Redis {
    /// Understands the URL; the first request connects. `redis://`, `rediss://` (TLS) and `redis+unix://` name one server; `redis+cluster://` and
    /// `rediss+cluster://` nodes of a cluster, with commas between; `redis+sentinel://` and `rediss+sentinel://` sentinels, then the master's name.
    ///
    /// # Errors
    /// `Refused` when the URL cannot be used; the text never quotes it.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Timeouts::default())
    }

    /// As [`Redis::open`], with other timeouts.
    ///
    /// # Errors
    /// As [`Redis::open`].
    pub fn open_with(url: &str, timeouts: Timeouts) -> Result<Self, StoreError> {
        Ok(Self {
            link: Link::new(url, timeouts)?,
            scripts: Scripts::default(),
            asked: Mutex::default(),
        })
    }

    /// Writes finished records in bulk with the version they have reached, each with one ledger row: to move or to measure a store. The records
    /// must not exist yet, and it is not one transaction.
    ///
    /// # Errors
    /// What Redis answers; a part may have been written.
    pub async fn import(&self, slot: &ServiceId, records: Vec<(Write, u64)>) -> Result<(), StoreError> {
        let keys = Keys::of(slot);
        for part in records.chunks(BULK) {
            let mut pipeline = ::redis::pipe();
            for (write, version) in part {
                let (line, id) = (imported(write, *version), write.id.as_str());
                pipeline
                    .cmd("HSET")
                    .arg(keys.records())
                    .arg(id)
                    .arg(line.place())
                    .ignore();
                pipeline.cmd("HSET").arg(keys.folds()).arg(id).arg(&line.fold).ignore();
                pipeline.cmd("ZADD").arg(keys.ids()).arg(0).arg(id).ignore();
                if let Some(at) = write.next_wake {
                    pipeline.cmd("ZADD").arg(keys.wakes()).arg(at.0).arg(id).ignore();
                    pipeline.cmd("ZADD").arg(keys.open()).arg(0).arg(id).ignore();
                }
                if !write.rows.is_empty() {
                    let rows: Vec<String> = write.rows.iter().map(lines::row_line).collect();
                    pipeline.cmd("RPUSH").arg(keys.journal(&write.id)).arg(rows).ignore();
                }
                pipeline
                    .cmd("RPUSH")
                    .arg(keys.ledger())
                    .arg(lines::ledger_line(*version, &line.head, &write.id))
                    .ignore();
            }
            self.link.ask_all(&pipeline).await?;
        }
        Ok(())
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeMap<ServiceId, Timestamp>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of a slot, which counts as asked about from now on.
    fn keys(&self, slot: &ServiceId) -> Keys {
        let mut asked = self.asked();
        if !asked.contains_key(slot) {
            asked.insert(slot.clone(), Timestamp(i64::MAX));
        }
        Keys::of(slot)
    }

    /// Runs a script on the keys of a slot.
    async fn run(
        &self,
        script: &Source,
        journals: &[String],
        keys: &Keys,
        args: impl Fn(&mut Cmd) + Sync,
    ) -> Result<Value, StoreError> {
        self.evaluate(script, FIXED + journals.len(), |command| {
            command.arg(&keys.fixed).arg(journals);
            args(command);
        })
        .await
    }

    /// Runs a script: by its hash, and with its text when the server does not know the hash. `rest` is so many keys, then the arguments.
    async fn evaluate(
        &self,
        script: &Source,
        keys: usize,
        rest: impl Fn(&mut Cmd) + Sync,
    ) -> Result<Value, StoreError> {
        let request = |form| {
            let (verb, script) = match form {
                Form::Short => ("EVALSHA", &script.hash),
                Form::Full => ("EVAL", &script.text),
            };
            let mut command = Cmd::with_capacity(ARGUMENTS, PACKET);
            command.arg(verb).arg(script).arg(keys);
            rest(&mut command);
            Packet::One(command)
        };
        self.link.ask(&request).await?.map_err(|error| link::cause(&error))
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.link
            .ask(&|_| Packet::One(command.clone()))
            .await?
            .map_err(|error| link::cause(&error))
    }

    /// A commit, and the store's time at which it was decided.
    async fn commit_at(&self, commit: &Commit) -> Result<(StoreTime, Committed), StoreError> {
        apply::check_shape(commit)?;
        let keys = self.keys(&commit.slot);
        let journals: Vec<String> = commit.write.iter().map(|write| keys.journal(&write.id)).collect();
        let value = self
            .run(&self.scripts.commit, &journals, &keys, |command| {
                codec::commit(command, commit)
            })
            .await?;
        codec::committed(value)
    }

    /// Loads records by their names: plain commands in a transaction, which cost the server a third of what a script does. They cannot compare, so a
    /// fold that the caller holds is not asked for. `None`: it holds an old one, or the server refuses.
    async fn load_named(&self, keys: &Keys, load: &Load) -> Result<Option<Loaded>, StoreError> {
        let request = |_| {
            let mut commands = pipe();
            commands.atomic();
            codec::load_named(&mut commands, keys, load);
            Packet::Together(commands)
        };
        let value = self.link.ask(&request).await?.map_err(|error| link::cause(&error))?;
        // The script is refused as well, and says why.
        if value == Value::Nil {
            return Ok(None);
        }
        codec::loaded_named(value, load)
    }

    async fn lines(&self, key: &str, after: u64, limit: usize) -> Result<Vec<String>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let last = after.saturating_add(limit as u64 - 1).min(i64::MAX as u64);
        let mut command = cmd("LRANGE");
        command.arg(key).arg(after.min(i64::MAX as u64)).arg(last);
        Answer::of(self.ask(&command).await?)?.texts()
    }
}

#[async_trait]
impl Store for Redis {
    async fn load(&self, load: Load) -> Result<Loaded, StoreError> {
        let keys = self.keys(&load.slot);
        if load.open_under.is_none()
            && let Some(loaded) = self.load_named(&keys, &load).await?
        {
            return Ok(loaded);
        }
        let value = self
            .run(&self.scripts.load, &[], &keys, |command| codec::load(command, &load))
            .await?;
        codec::loaded(value, &load)
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.commit_at(&commit).await.map(|(_, answer)| answer)
    }

    async fn poll(&self, poll: Poll) -> Result<Polled, StoreError> {
        let keys = self.keys(&poll.slot);
        let value = self
            .run(&self.scripts.poll, &[], &keys, |command| codec::poll(command, &poll))
            .await?;
        self.asked().insert(poll.slot, poll.now);
        codec::polled(value)
    }

    async fn journal(
        &self,
        slot: &ServiceId,
        record: &RecordId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let key = self.keys(slot).journal(record);
        if after == 0 {
            return lines::rows(record, 1, None, &self.lines(&key, 0, limit).await?);
        }
        // One more in front: a row's predecessor is not repeated in the row.
        let found = self.lines(&key, after - 1, limit.saturating_add(1)).await?;
        match found.split_first() {
            Some((before, rows)) => lines::rows(record, after + 1, Some(before), rows),
            None => Ok(Vec::new()),
        }
    }

    async fn ledger(&self, slot: &ServiceId, after: u64, limit: usize) -> Result<Vec<LedgerRow>, StoreError> {
        let found = self.lines(self.keys(slot).ledger(), after, limit).await?;
        (after + 1..)
            .zip(&found)
            .map(|(seq, line)| lines::ledger_row(seq, line))
            .collect()
    }

    async fn records(
        &self,
        slot: &ServiceId,
        prefix: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Stored>, StoreError> {
        let keys = self.keys(slot);
        let from = cursor.map_or_else(|| format!("[{prefix}"), |last| format!("({last}"));
        let value = self
            .run(&self.scripts.records, &[], &keys, |command| {
                command
                    .arg(&from)
                    .arg(codec::under(prefix))
                    .arg(limit.saturating_add(1).min(1_000_000));
            })
            .await?;
        let mut rows = codec::listed(value)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| last.id.to_string());
        Ok(Page { rows, next })
    }

    async fn outbox(&self, slot: &ServiceId) -> Result<Vec<Effect>, StoreError> {
        let value = self.ask(cmd("HGETALL").arg(self.keys(slot).effects())).await?;
        let mut effects = codec::effects(Answer::of(value)?)?;
        effects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(effects)
    }

    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        let value = self
            .evaluate(&self.scripts.turn, turn.limits.len(), |command| {
                codec::turn(command, &turn)
            })
            .await?;
        codec::turned(value, &turn)
    }

    async fn health(&self) -> Result<Health, StoreError> {
        health::health(self).await
    }
}
