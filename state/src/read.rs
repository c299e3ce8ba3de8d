//! What the tables hold, as the port gives it out; and the one reading that writes: taking effects on a lease.

use commands::ids::{EffectKey, RecordId, ServiceId};
use commands::time::Timestamp;

use crate::audit::{LedgerRow, Row};
use crate::codec::{self, EffectLine, RecordLine};
use crate::commit::Effect;
use crate::store::{Load, Loaded, Page, Poll, Polled, StoreError, StoreTime, Stored};
use crate::tables::{Table, Tables, TablesMut, beyond, key, name, numbered, time_and_name, timed};

/// Reads what [`Load`] asks for.
///
/// # Errors
/// When the tables cannot be read.
pub fn load(tables: &impl Tables, load: &Load, now: StoreTime) -> Result<Loaded, StoreError> {
    let slot = &load.slot;
    let mut records: Vec<Stored> = Vec::with_capacity(load.records.len());
    let mut add = |id: RecordId, known: u64| -> Result<(), StoreError> {
        if records.iter().any(|record| record.id == id) {
            return Ok(());
        }
        if let Some(line) = tables.get(Table::Records, &key(slot, id.as_str()))? {
            records.push(RecordLine::parse(&line)?.stored(id, known)?);
        }
        Ok(())
    };
    for wanted in &load.records {
        add(wanted.id.clone(), wanted.known)?;
    }
    if let Some(prefix) = &load.open_under {
        let from = key(slot, prefix);
        for (open, _) in tables.scan(Table::Open, (&from, &beyond(from.clone())), usize::MAX)? {
            let id = codec::record_id(name(slot, &open)?)?;
            let known = load.held.iter().find(|held| held.id == id).map_or(0, |held| held.known);
            add(id, known)?;
        }
    }
    let mut claims = std::collections::BTreeMap::new();
    let from = key(slot, "");
    for (claim, holder) in tables.scan(Table::Claims, (&from, &beyond(from.clone())), usize::MAX)? {
        claims.insert(name(slot, &claim)?.to_owned(), codec::record_id(&holder)?);
    }
    let answered = match &load.delivery {
        Some(id) => tables.get(Table::Seen, &key(slot, id.as_str()))?,
        None => None,
    };
    let answered = answered
        .map(|line| codec::remembered(&line, now))
        .transpose()?
        .flatten();
    Ok(Loaded {
        now,
        records,
        claims,
        answered,
    })
}

/// Takes due effects on a lease and names due records.
///
/// # Errors
/// When the tables cannot be read or written.
pub fn poll(tables: &mut impl TablesMut, poll: &Poll, now: StoreTime) -> Result<Polled, StoreError> {
    let slot = &poll.slot;
    let mut effects = Vec::new();
    for (index, effect) in claimable(tables, poll, now)? {
        let Some(line) = tables.get(Table::Effects, &key(slot, effect.as_str()))? else {
            continue;
        };
        let line = EffectLine::parse(&line)?;
        let table = if line.leased_until.is_some() {
            Table::Leases
        } else {
            Table::Due
        };
        tables.delete(table, &index)?;
        let fence = next_fence(tables, slot)?;
        let until = now.0.saturating_add(poll.lease.0);
        let line = EffectLine {
            attempt: line.attempt + 1,
            fence,
            leased_until: Some(until),
            again: false,
            ..line
        };
        tables.put(Table::Leases, &timed(slot, until, effect.as_str()), "")?;
        tables.put(Table::Effects, &key(slot, effect.as_str()), &line.line())?;
        effects.push(line.effect(effect));
    }
    effects.sort_by(|a, b| (a.due, &a.key).cmp(&(b.due, &b.key)));
    let wakes = due_wakes(tables, poll)?;
    let next = next(tables, poll, now)?;
    Ok(Polled {
        now,
        effects,
        wakes,
        next,
    })
}

/// The answer to a poll when there is no effect to take, so that nothing has to be written; else `None`.
pub(crate) fn idle(tables: &impl Tables, poll: &Poll, now: StoreTime) -> Result<Option<Polled>, StoreError> {
    if !claimable(tables, poll, now)?.is_empty() {
        return Ok(None);
    }
    Ok(Some(Polled {
        now,
        effects: Vec::new(),
        wakes: due_wakes(tables, poll)?,
        next: next(tables, poll, now)?,
    }))
}

/// Effects whose lease has ended, then effects that are due, each with its key in the index it stands in; none for a poll that comes too late.
fn claimable(tables: &impl Tables, poll: &Poll, now: StoreTime) -> Result<Vec<(Vec<u8>, EffectKey)>, StoreError> {
    let slot = &poll.slot;
    if now > poll.deadline {
        return Ok(Vec::new());
    }
    let from = key(slot, "");
    let ended = timed(slot, now.0.saturating_add(1), "");
    let mut found = tables.scan(Table::Leases, (&from, &ended), poll.effects)?;
    let due = timed(slot, poll.now.0.saturating_add(1), "");
    found.extend(tables.scan(Table::Due, (&from, &due), poll.effects - found.len())?);
    let named = |(index, _): (Vec<u8>, String)| {
        let effect = codec::effect_key(time_and_name(slot, &index)?.1)?;
        Ok((index, effect))
    };
    found.into_iter().map(named).collect()
}

/// Fences count per slot, not per effect: an effect that was done and is owed anew cannot meet its former holder's fence.
fn next_fence(tables: &mut impl TablesMut, slot: &ServiceId) -> Result<u64, StoreError> {
    let counter = key(slot, "fence");
    let fence: u64 = match tables.get(Table::Counters, &counter)? {
        Some(count) => codec::number("counter", &count)?,
        None => 0,
    };
    tables.put(Table::Counters, &counter, &(fence + 1).to_string())?;
    Ok(fence + 1)
}

fn due_wakes(tables: &impl Tables, poll: &Poll) -> Result<Vec<(RecordId, u64)>, StoreError> {
    let slot = &poll.slot;
    let due = timed(slot, poll.now.0.saturating_add(1), "");
    let mut wakes = Vec::new();
    for (wake, _) in tables.scan(Table::Wakes, (&key(slot, ""), &due), poll.wakes)? {
        let id = codec::record_id(time_and_name(slot, &wake)?.1)?;
        if let Some(line) = tables.get(Table::Records, &key(slot, id.as_str()))? {
            wakes.push((id, RecordLine::parse(&line)?.version));
        }
    }
    Ok(wakes)
}

/// When there is more to do: now, if a limit cut the answer short; else the first wake, due time or end of a lease ahead.
fn next(tables: &impl Tables, poll: &Poll, now: StoreTime) -> Result<Option<Timestamp>, StoreError> {
    let slot = &poll.slot;
    let (from, end) = (key(slot, ""), beyond(key(slot, "")));
    let ahead = timed(slot, poll.now.0.saturating_add(1), "");
    let first = |table, from: &[u8]| -> Result<Option<i64>, StoreError> {
        let found = tables.scan(table, (from, &end), 1)?;
        found
            .first()
            .map(|(key, _)| time_and_name(slot, key).map(|(at, _)| at))
            .transpose()
    };
    let due_now = tables
        .scan(Table::Wakes, (&from, &ahead), poll.wakes.saturating_add(1))?
        .len();
    let candidates = [
        (due_now > poll.wakes).then_some(poll.now.0),
        first(Table::Wakes, &ahead)?,
        first(Table::Due, &from)?,
        first(Table::Leases, &from)?.map(|until| until.saturating_sub(now.0).saturating_add(poll.now.0)),
    ];
    Ok(candidates
        .into_iter()
        .flatten()
        .min()
        .map(|at| Timestamp(at.max(poll.now.0))))
}

/// A record's journal rows after `after`, oldest first.
///
/// # Errors
/// When the tables cannot be read.
pub fn journal(
    tables: &impl Tables,
    (slot, record): (&ServiceId, &RecordId),
    after: u64,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let place = |seq| numbered(slot, Some(record), seq);
    let before = if after == 0 {
        None
    } else {
        tables.get(Table::Journal, &place(after))?
    };
    let found = tables.scan(
        Table::Journal,
        (&place(after.saturating_add(1)), &place(u64::MAX)),
        limit,
    )?;
    let lines: Vec<String> = found.into_iter().map(|(_, line)| line).collect();
    codec::rows(record, after.saturating_add(1), before.as_deref(), &lines)
}

/// The slot's ledger rows after `after`, oldest first.
///
/// # Errors
/// When the tables cannot be read.
pub fn ledger(tables: &impl Tables, slot: &ServiceId, after: u64, limit: usize) -> Result<Vec<LedgerRow>, StoreError> {
    let place = |seq| numbered(slot, None, seq);
    let first = after.saturating_add(1);
    let found = tables.scan(Table::Ledger, (&place(first), &place(u64::MAX)), limit)?;
    (first..)
        .zip(found)
        .map(|(seq, (_, line))| codec::ledger_row(seq, &line))
        .collect()
}

/// The slot's records whose id starts with `prefix`, in id order.
///
/// # Errors
/// When the tables cannot be read.
pub fn records(
    tables: &impl Tables,
    (slot, prefix): (&ServiceId, &str),
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<Stored>, StoreError> {
    let from = match cursor {
        Some(last) => [&key(slot, last)[..], &[0]].concat(),
        None => key(slot, prefix),
    };
    let mut found = tables.scan(
        Table::Records,
        (&from, &beyond(key(slot, prefix))),
        limit.saturating_add(1),
    )?;
    let more = found.len() > limit;
    found.truncate(limit);
    let mut rows = Vec::with_capacity(found.len());
    for (id, line) in found {
        rows.push(RecordLine::parse(&line)?.stored(codec::record_id(name(slot, &id)?)?, 0)?);
    }
    let next = rows.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Page { rows, next })
}

/// Every effect row of the slot, in key order.
///
/// # Errors
/// When the tables cannot be read.
pub fn outbox(tables: &impl Tables, slot: &ServiceId) -> Result<Vec<Effect>, StoreError> {
    let from = key(slot, "");
    let found = tables.scan(Table::Effects, (&from, &beyond(from.clone())), usize::MAX)?;
    let row = |(effect, line): (Vec<u8>, String)| {
        Ok(EffectLine::parse(&line)?.effect(codec::effect_key(name(slot, &effect)?)?))
    };
    found.into_iter().map(row).collect()
}

/// How many effects of the slot are due at `now` or leased.
pub(crate) fn pressing(tables: &impl Tables, slot: &ServiceId, now: Timestamp) -> Result<u64, StoreError> {
    let (from, end) = (key(slot, ""), beyond(key(slot, "")));
    let due = timed(slot, now.0.saturating_add(1), "");
    let due = tables.scan(Table::Due, (&from, &due), usize::MAX)?.len();
    Ok((due + tables.scan(Table::Leases, (&from, &end), usize::MAX)?.len()) as u64)
}
