//! Requests as positional arguments, and answers back from what the scripts return.

use ::redis::{Cmd, Pipeline, Value};
use std::collections::BTreeMap;

use commands::ids::RecordId;
use commands::time::Timestamp;

use super::keys::{self, Keys};
use crate::apply::discontinuous;
use crate::codec::{self, EffectLine, RecordLine};
use crate::commit::{Commit, Committed, Effect, Finish, Then};
use crate::store::{Load, Loaded, Poll, Polled, StoreError, StoreTime, Stored, Wanted};
use crate::turn::{FAR, Turn, Turned};

/// Adds the arguments of a commit, in the order in which the script takes them.
pub(super) fn commit(command: &mut Cmd, commit: &Commit) {
    command
        .arg(&commit.id)
        .arg(commit.remember.0)
        .arg(commit.deadline.0)
        .arg(&commit.reply);
    match &commit.finish {
        None => command.arg("").arg("").arg("").arg(""),
        Some(Finish { key, fence, then }) => {
            let (then, at) = match then {
                Then::Done => ("done", 0),
                Then::Again(at) => ("again", at.0),
            };
            command.arg(key.as_str()).arg(*fence).arg(then).arg(at)
        }
    };
    command.arg(commit.read.len());
    for (id, version) in &commit.read {
        command.arg(id.as_str()).arg(*version);
    }
    command.arg(commit.write.len());
    for write in &commit.write {
        command
            .arg(write.id.as_str())
            .arg(codec::wake_word(write.next_wake))
            .arg(&write.fold)
            .arg(write.rows.len());
        if let (Some(first), Some(last)) = (write.rows.first(), write.rows.last()) {
            command
                .arg(first.seq)
                .arg(codec::shorten(&first.prev))
                .arg(codec::shorten(&last.mac));
        }
        for row in &write.rows {
            command.arg(codec::row_line(row));
        }
    }
    for claims in [&commit.free, &commit.take] {
        command.arg(claims.len());
        for claim in claims {
            command.arg(&claim.name).arg(claim.holder.as_str());
        }
    }
    command.arg(commit.effects.len());
    for effect in &commit.effects {
        command.arg(effect.key.as_str()).arg(effect.due.0).arg(&effect.body);
    }
    command.arg(commit.refusals.len());
    for row in &commit.refusals {
        command.arg(codec::refusal_line(row));
    }
}

/// The answer to a commit, with the store's time at which it was given.
pub(super) fn committed(value: Value) -> Result<(StoreTime, Committed), StoreError> {
    let mut answer = Answer::of(value)?;
    let word = answer.text()?;
    let now = StoreTime(answer.integer()?);
    let answer = match word.as_str() {
        "done" => Committed::Done {
            reply: answer.text()?,
            again: false,
        },
        "again" => Committed::Done {
            reply: answer.text()?,
            again: true,
        },
        "conflict" => Committed::Conflict,
        "stale" => Committed::Stale,
        "late" => Committed::Late,
        "held" => Committed::Held {
            name: answer.text()?,
            by: answer.record()?,
        },
        "refused" => return Err(discontinuous(&answer.text()?)),
        _ => return Err(strange()),
    };
    Ok((now, answer))
}

/// Adds the arguments of a load.
pub(super) fn load(command: &mut Cmd, load: &Load) {
    command.arg(load.delivery.as_ref().map_or("", |id| id.as_str()));
    match &load.open_under {
        Some(prefix) => command.arg("1").arg(format!("[{prefix}")).arg(under(prefix)),
        None => command.arg("0").arg("").arg(""),
    };
    for wanted in &load.records {
        command.arg(wanted.id.as_str()).arg(wanted.known);
    }
    if !load.held.is_empty() {
        command.arg("").arg("");
    }
    for held in &load.held {
        command.arg(held.id.as_str()).arg(held.known);
    }
}

/// Adds the commands that load records by their names.
pub(super) fn load_named(commands: &mut Pipeline, keys: &Keys, load: &Load) {
    let delivery = load.delivery.as_ref().map_or("", |id| id.as_str());
    let ids: Vec<&str> = load.records.iter().map(|wanted| wanted.id.as_str()).collect();
    let folds: Vec<&str> = unknown(load).map(|wanted| wanted.id.as_str()).collect();
    commands.cmd("TIME");
    commands.cmd("HGETALL").arg(keys.claims());
    commands.cmd("HGET").arg(keys.seen()).arg(delivery);
    if !ids.is_empty() {
        commands.cmd("HMGET").arg(keys.records()).arg(ids);
    }
    if !folds.is_empty() {
        commands.cmd("HMGET").arg(keys.folds()).arg(folds);
    }
}

/// The records of which the caller holds nothing.
fn unknown(load: &Load) -> impl Iterator<Item = &Wanted> {
    load.records.iter().filter(|wanted| wanted.known == 0)
}

/// What was loaded by name; `None` when the caller holds an old fold.
pub(super) fn loaded_named(value: Value, load: &Load) -> Result<Option<Loaded>, StoreError> {
    let mut answer = Answer::of(value)?;
    let time = answer.list()?.texts()?;
    let [seconds, micros] = time.as_slice() else {
        return Err(strange());
    };
    let now = StoreTime(codec::number::<i64>("time", seconds)? * 1000 + codec::number::<i64>("time", micros)? / 1000);
    let claims = claims(answer.list()?)?;
    let remembered = answer.maybe_text()?;
    let answered = remembered
        .map(|text| codec::remembered(&text, now))
        .transpose()?
        .flatten();
    let mut places = if load.records.is_empty() {
        Answer::empty()
    } else {
        answer.list()?
    };
    let mut folds = if unknown(load).next().is_none() {
        Answer::empty()
    } else {
        answer.list()?
    };
    let mut records: Vec<Stored> = Vec::with_capacity(load.records.len());
    for wanted in &load.records {
        let place = places.maybe_text()?;
        let fold = if wanted.known == 0 { folds.maybe_text()? } else { None };
        let Some(place) = place else { continue };
        let record = RecordLine::with_fold(&place, fold.unwrap_or_default())?;
        if wanted.known != 0 && wanted.known != record.version {
            return Ok(None);
        }
        // Each once, however often it was asked for.
        if !records.iter().any(|known| known.id == wanted.id) {
            records.push(record.stored(wanted.id.clone(), wanted.known)?);
        }
    }
    Ok(Some(Loaded {
        now,
        records,
        claims,
        answered,
    }))
}

/// Environment, run, environment, run.
fn claims(mut pairs: Answer) -> Result<BTreeMap<String, RecordId>, StoreError> {
    let mut claims = BTreeMap::new();
    while let Some(name) = pairs.next_text()? {
        claims.insert(name, pairs.record()?);
    }
    Ok(claims)
}

/// The end of the range of names that start with `prefix`. No name holds a byte 255.
pub(super) fn under(prefix: &str) -> Vec<u8> {
    [b"(", prefix.as_bytes(), &[u8::MAX]].concat()
}

/// What was loaded.
pub(super) fn loaded(value: Value, load: &Load) -> Result<Loaded, StoreError> {
    let mut answer = Answer::of(value)?;
    let now = StoreTime(answer.integer()?);
    let remembered = answer.text()?;
    let answered = if remembered.is_empty() {
        None
    } else {
        codec::remembered(&remembered, now)?
    };
    let claims = claims(answer.list()?)?;
    let mut lines = answer.list()?;
    let mut records = Vec::with_capacity(load.records.len() + load.held.len());
    while let Some(id) = lines.next_text()? {
        let known: u64 = codec::number("version", &lines.text()?)?;
        let record = RecordLine::with_fold(&lines.text()?, lines.text()?)?;
        records.push(record.stored(codec::record_id(&id)?, known)?);
    }
    Ok(Loaded {
        now,
        records,
        claims,
        answered,
    })
}

/// Adds the arguments of a poll.
pub(super) fn poll(command: &mut Cmd, poll: &Poll) {
    const MOST: usize = 1_000_000;
    command
        .arg(poll.now.0)
        .arg(poll.effects.min(MOST))
        .arg(poll.wakes.min(MOST))
        .arg(poll.lease.0)
        .arg(poll.deadline.0);
}

/// The work there is.
pub(super) fn polled(value: Value) -> Result<Polled, StoreError> {
    let mut answer = Answer::of(value)?;
    let now = StoreTime(answer.integer()?);
    let next = answer.text()?;
    // A score is a double: one beyond the last exact one comes back rounded, at worst past the end of i64.
    let next = if next.is_empty() {
        None
    } else {
        Some(Timestamp(codec::number::<i64>("score", &next).unwrap_or(i64::MAX)))
    };
    let mut effects = effects(answer.list()?)?;
    effects.sort_by(|a, b| (a.due, &a.key).cmp(&(b.due, &b.key)));
    let mut wakes = Vec::new();
    let mut named = answer.list()?;
    while let Some(id) = named.next_text()? {
        wakes.push((codec::record_id(&id)?, codec::number("version", &named.text()?)?));
    }
    Ok(Polled {
        now,
        effects,
        wakes,
        next,
    })
}

/// Effects, as the hash keeps them: key, line, key, line.
pub(super) fn effects(mut pairs: Answer) -> Result<Vec<Effect>, StoreError> {
    let mut effects = Vec::new();
    while let Some(key) = pairs.next_text()? {
        effects.push(EffectLine::parse(&pairs.text()?)?.effect(codec::effect_key(&key)?));
    }
    Ok(effects)
}

/// Records, as the script lists them: id, line, fold.
pub(super) fn listed(value: Value) -> Result<Vec<Stored>, StoreError> {
    let mut pairs = Answer::of(value)?;
    let mut records = Vec::new();
    while let Some(id) = pairs.next_text()? {
        let record = RecordLine::with_fold(&pairs.text()?, pairs.text()?)?;
        records.push(record.stored(codec::record_id(&id)?, 0)?);
    }
    Ok(records)
}

/// A wish for a turn: the limits' keys, then the arguments of the script.
pub(super) fn turn(command: &mut Cmd, turn: &Turn) {
    for limit in &turn.limits {
        command.arg(keys::limit(&limit.name));
    }
    command.arg(turn.now.0).arg(u8::from(turn.insists)).arg(FAR.0);
    for limit in &turn.limits {
        command.arg(limit.each.0).arg(limit.burst.max(1));
    }
}

pub(super) fn turned(value: Value, turn: &Turn) -> Result<Turned, StoreError> {
    let mut answer = Answer::of(value)?;
    let taken = answer.integer()? == 1;
    let spent = turn.limits.iter().map(|_| answer.integer().map(Timestamp));
    Ok(Turned {
        taken,
        spent: spent.collect::<Result<_, _>>()?,
    })
}

fn strange() -> StoreError {
    StoreError::Corrupt("Redis gave an answer of another shape than the script's".to_owned())
}

/// A list that is read from the front.
pub(super) struct Answer(std::vec::IntoIter<Value>);

impl Answer {
    pub(super) fn of(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(values) => Ok(Self(values.into_iter())),
            // Hashes come as maps when the connection speaks the newer protocol.
            Value::Map(pairs) => Ok(Self(
                pairs
                    .into_iter()
                    .flat_map(|(key, value)| [key, value])
                    .collect::<Vec<_>>()
                    .into_iter(),
            )),
            _ => Err(strange()),
        }
    }

    fn empty() -> Self {
        Self(Vec::new().into_iter())
    }

    /// The next text, or that there is none in its place.
    fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next().ok_or_else(strange)? {
            Value::Nil => Ok(None),
            value => text(value).map(Some),
        }
    }

    pub(super) fn texts(self) -> Result<Vec<String>, StoreError> {
        self.0.map(text).collect()
    }

    fn list(&mut self) -> Result<Self, StoreError> {
        Self::of(self.0.next().ok_or_else(strange)?)
    }

    fn next_text(&mut self) -> Result<Option<String>, StoreError> {
        self.0.next().map(text).transpose()
    }

    fn text(&mut self) -> Result<String, StoreError> {
        self.next_text()?.ok_or_else(strange)
    }

    fn record(&mut self) -> Result<RecordId, StoreError> {
        codec::record_id(&self.text()?)
    }

    fn integer(&mut self) -> Result<i64, StoreError> {
        match self.0.next() {
            Some(Value::Int(number)) => Ok(number),
            _ => Err(strange()),
        }
    }
}

fn text(value: Value) -> Result<String, StoreError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| strange()),
        Value::SimpleString(text) => Ok(text),
        _ => Err(strange()),
    }
}
