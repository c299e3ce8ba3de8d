//! What a commit means: one function over tables.
//!
//! The embedded backend runs it on its file; the Redis script is written in other words and compared with it, operation by operation, on random
//! histories. Every check comes before the first write, so that an answer other than `Done` has changed nothing.

use std::collections::{BTreeMap, BTreeSet};

use commands::ids::{RecordId, ServiceId};
use commands::time::Timestamp;

use crate::codec::{self, EffectLine, RecordLine};
use crate::commit::{Claim, Commit, Committed, Finish, NewEffect, Then, Write};
use crate::store::{StoreError, StoreTime};
pub use crate::tables::{Entries, MemoryTables, Table, Tables, TablesMut};
use crate::tables::{key, numbered, time_and_name, timed};

pub use crate::read::{journal, ledger, load, outbox, poll, records};

/// How many forgotten ids one commit removes: more than the one it adds, so that the table shrinks back after a burst.
pub(crate) const PRUNE: usize = 32;

/// Carries out a commit at `now`, or answers why not.
///
/// # Errors
/// `Refused` when the commit contradicts itself or the journal it appends to (a bug of the caller), and what the tables answer.
pub fn apply(tables: &mut impl TablesMut, commit: &Commit, now: StoreTime) -> Result<Committed, StoreError> {
    check_shape(commit)?;
    if let Some(line) = tables.get(Table::Seen, &key(&commit.slot, &commit.id))?
        && let Some(reply) = codec::remembered(&line, now)?
    {
        return Ok(Committed::Done { reply, again: true });
    }
    if now > commit.deadline {
        return Ok(Committed::Late);
    }
    let finishing = match &commit.finish {
        Some(finish) => match held_effect(tables, commit, finish)? {
            Some(line) => Some((finish, line)),
            None => return Ok(Committed::Stale),
        },
        None => None,
    };
    let current = current(tables, commit)?;
    let Some(current) = current else {
        return Ok(Committed::Conflict);
    };
    check_chains(commit, &current)?;
    if let Some((name, by)) = held(tables, commit)? {
        return Ok(Committed::Held { name, by });
    }
    remember(tables, commit, now)?;
    if let Some((finish, line)) = finishing {
        finish_effect(tables, commit, finish, line)?;
    }
    for effect in &commit.effects {
        owe(tables, commit, effect)?;
    }
    settle_claims(tables, commit)?;
    write_records(tables, commit, current)?;
    Ok(Committed::Done {
        reply: commit.reply.clone(),
        again: false,
    })
}

/// Refuses a commit that contradicts itself, whatever the store holds.
pub(crate) fn check_shape(commit: &Commit) -> Result<(), StoreError> {
    let bug = |what: String| Err(StoreError::Refused(format!("the commit contradicts itself: {what}")));
    if commit.id.is_empty() {
        return bug("it has no id".to_owned());
    }
    let mut written = BTreeSet::new();
    for Write { id, rows, .. } in &commit.write {
        if !commit.read.iter().any(|(read, _)| read == id) {
            return bug(format!("it writes `{id}` without having read it"));
        }
        if !written.insert(id) {
            return bug(format!("it writes `{id}` twice"));
        }
        for (row, next) in rows.iter().zip(rows.iter().skip(1).map(Some).chain([None])) {
            let follows = next.is_none_or(|next| next.seq == row.seq + 1 && next.prev == row.mac);
            if row.record != *id || !is_word(&row.mac) || !follows {
                return bug(format!("row {} of `{id}` is not in its place", row.seq));
            }
        }
    }
    if let Some(row) = commit
        .refusals
        .iter()
        .find(|row| row.seq != 0 || !row.prev.is_empty() || !is_word(&row.mac))
    {
        return bug(format!(
            "a refusal about `{}` claims a place in its journal",
            row.record
        ));
    }
    let names: BTreeSet<_> = commit.take.iter().map(|claim| &claim.name).collect();
    if names.len() < commit.take.len() {
        return bug("it takes a claim twice".to_owned());
    }
    Ok(())
}

fn is_word(mac: &str) -> bool {
    !mac.is_empty() && mac.bytes().all(|b| b.is_ascii_graphic())
}

/// The effect that is reported about, if the reporter still holds it.
fn held_effect(tables: &impl Tables, commit: &Commit, finish: &Finish) -> Result<Option<EffectLine>, StoreError> {
    let line = tables.get(Table::Effects, &key(&commit.slot, finish.key.as_str()))?;
    let line = line.map(|line| EffectLine::parse(&line)).transpose()?;
    Ok(line.filter(|line| line.fence == finish.fence && line.leased_until.is_some()))
}

type Current = BTreeMap<RecordId, Option<RecordLine>>;

/// The records that were read, as they are now; `None` when one of them has another version.
fn current(tables: &impl Tables, commit: &Commit) -> Result<Option<Current>, StoreError> {
    let mut current = Current::new();
    for (id, version) in &commit.read {
        let line = tables.get(Table::Records, &key(&commit.slot, id.as_str()))?;
        let line = line.map(|line| RecordLine::parse(&line)).transpose()?;
        if line.as_ref().map_or(0, |line| line.version) != *version {
            return Ok(None);
        }
        current.insert(id.clone(), line);
    }
    Ok(Some(current))
}

/// New rows continue the journal. The version check guarantees it for an honest caller, so that a gap is a bug.
fn check_chains(commit: &Commit, current: &Current) -> Result<(), StoreError> {
    for Write { id, rows, .. } in &commit.write {
        let Some(first) = rows.first() else { continue };
        let line = current.get(id).and_then(Option::as_ref);
        let (count, head) = line.map_or((0, "-"), |line| (line.rows, &line.head));
        if first.seq != count + 1 || codec::shorten(&first.prev) != head {
            return Err(discontinuous(id.as_str()));
        }
    }
    Ok(())
}

/// The error for rows that do not continue a journal; the same in every backend.
pub(crate) fn discontinuous(record: &str) -> StoreError {
    StoreError::Refused(format!("the rows for `{record}` do not continue its journal"))
}

/// The first claim to take that another run holds and that this commit does not free.
fn held(tables: &impl Tables, commit: &Commit) -> Result<Option<(String, RecordId)>, StoreError> {
    for claim in &commit.take {
        let Some(holder) = tables.get(Table::Claims, &key(&commit.slot, &claim.name))? else {
            continue;
        };
        let freed = commit
            .free
            .iter()
            .any(|free| free.name == claim.name && free.holder.as_str() == holder);
        if holder != claim.holder.as_str() && !freed {
            return Ok(Some((claim.name.clone(), codec::record_id(&holder)?)));
        }
    }
    Ok(None)
}

/// Remembers the answer, and forgets some of those whose time is over.
fn remember(tables: &mut impl TablesMut, commit: &Commit, now: StoreTime) -> Result<(), StoreError> {
    let slot = &commit.slot;
    let seen = key(slot, &commit.id);
    if let Some(line) = tables.get(Table::Seen, &seen)? {
        let until: i64 = codec::number("remembered answer", line.split(' ').next().unwrap_or_default())?;
        tables.delete(Table::Expiry, &timed(slot, until, &commit.id))?;
    }
    let until = now.0.saturating_add(commit.remember.0);
    tables.put(Table::Seen, &seen, &format!("{until} {}", commit.reply))?;
    tables.put(Table::Expiry, &timed(slot, until, &commit.id), "")?;
    prune(tables, commit, now)
}

fn prune(tables: &mut impl TablesMut, commit: &Commit, now: StoreTime) -> Result<(), StoreError> {
    let slot = &commit.slot;
    let over = (key(slot, ""), timed(slot, now.0.saturating_add(1), ""));
    for (expired, _) in tables.scan(Table::Expiry, (&over.0, &over.1), PRUNE)? {
        let (_, id) = time_and_name(slot, &expired)?;
        tables.delete(Table::Seen, &key(slot, id))?;
        tables.delete(Table::Expiry, &expired)?;
    }
    Ok(())
}

fn finish_effect(
    tables: &mut impl TablesMut,
    commit: &Commit,
    finish: &Finish,
    line: EffectLine,
) -> Result<(), StoreError> {
    let (slot, name) = (&commit.slot, finish.key.as_str());
    if let Some(until) = line.leased_until {
        tables.delete(Table::Leases, &timed(slot, until, name))?;
    }
    let kept = match finish.then {
        Then::Done if line.again => EffectLine {
            attempt: 0,
            leased_until: None,
            again: false,
            ..line
        },
        Then::Done => return tables.delete(Table::Effects, &key(slot, name)),
        Then::Again(Timestamp(due)) => EffectLine {
            due,
            leased_until: None,
            again: false,
            ..line
        },
    };
    tables.put(Table::Due, &timed(slot, kept.due, name), "")?;
    tables.put(Table::Effects, &key(slot, name), &kept.line())
}

/// Owes an effect. While somebody holds it, only the body and the due time change: it is done again when the holder has reported.
fn owe(tables: &mut impl TablesMut, commit: &Commit, effect: &NewEffect) -> Result<(), StoreError> {
    let (slot, name) = (&commit.slot, effect.key.as_str());
    let (due, body) = (effect.due.0, effect.body.clone());
    let owed = tables
        .get(Table::Effects, &key(slot, name))?
        .map(|line| EffectLine::parse(&line))
        .transpose()?;
    let line = match owed {
        Some(line) if line.leased_until.is_some() => EffectLine {
            due,
            body,
            again: true,
            ..line
        },
        Some(line) => {
            tables.delete(Table::Due, &timed(slot, line.due, name))?;
            EffectLine { due, body, ..line }
        }
        None => EffectLine {
            due,
            attempt: 0,
            fence: 0,
            leased_until: None,
            again: false,
            body,
        },
    };
    if line.leased_until.is_none() {
        tables.put(Table::Due, &timed(slot, due, name), "")?;
    }
    tables.put(Table::Effects, &key(slot, name), &line.line())
}

/// Frees, then takes: one commit can hand a claim over.
fn settle_claims(tables: &mut impl TablesMut, commit: &Commit) -> Result<(), StoreError> {
    for Claim { name, holder } in &commit.free {
        let key = key(&commit.slot, name);
        if tables.get(Table::Claims, &key)?.is_some_and(|by| by == holder.as_str()) {
            tables.delete(Table::Claims, &key)?;
        }
    }
    for Claim { name, holder } in &commit.take {
        tables.put(Table::Claims, &key(&commit.slot, name), holder.as_str())?;
    }
    Ok(())
}

fn write_records(tables: &mut impl TablesMut, commit: &Commit, mut current: Current) -> Result<(), StoreError> {
    let mut entries = Vec::new();
    for write in &commit.write {
        let old = current.remove(&write.id).flatten();
        let head = match (write.rows.last(), &old) {
            (Some(row), _) => codec::shorten(&row.mac),
            (None, old) => old.as_ref().map_or_else(|| "-".to_owned(), |old| old.head.clone()),
        };
        let (version, rows) = old.as_ref().map_or((0, 0), |old| (old.version, old.rows));
        let (version, rows) = (version + 1, rows + write.rows.len() as u64);
        let line = RecordLine {
            version,
            wake: write.next_wake,
            rows,
            head,
            fold: write.fold.clone(),
        };
        // A move of the wake is no fact: the ledger would grow with every look at a quiet pipeline.
        if !write.rows.is_empty() {
            entries.push(codec::ledger_line(version, &line.head, &write.id));
        }
        put_record(tables, &commit.slot, write, (old.and_then(|old| old.wake), &line))?;
    }
    entries.extend(commit.refusals.iter().map(codec::refusal_line));
    append_ledger(tables, &commit.slot, &entries)
}

/// Writes one record, its journal rows and its places in the indexes.
pub(crate) fn put_record(
    tables: &mut impl TablesMut,
    slot: &ServiceId,
    write: &Write,
    (old_wake, line): (Option<Timestamp>, &RecordLine),
) -> Result<(), StoreError> {
    let id = write.id.as_str();
    if let Some(at) = old_wake {
        tables.delete(Table::Wakes, &timed(slot, at.0, id))?;
    }
    match write.next_wake {
        Some(at) => {
            tables.put(Table::Wakes, &timed(slot, at.0, id), "")?;
            tables.put(Table::Open, &key(slot, id), "")?;
        }
        None => tables.delete(Table::Open, &key(slot, id))?,
    }
    tables.put(Table::Records, &key(slot, id), &line.line())?;
    for row in &write.rows {
        tables.put(
            Table::Journal,
            &numbered(slot, Some(&write.id), row.seq),
            &codec::row_line(row),
        )?;
    }
    Ok(())
}

/// Appends lines to the slot's ledger.
pub(crate) fn append_ledger(
    tables: &mut impl TablesMut,
    slot: &ServiceId,
    entries: &[String],
) -> Result<(), StoreError> {
    let counter = key(slot, "ledger");
    let mut seq: u64 = match tables.get(Table::Counters, &counter)? {
        Some(count) => codec::number("counter", &count)?,
        None => 0,
    };
    for line in entries {
        seq += 1;
        tables.put(Table::Ledger, &numbered(slot, None, seq), line)?;
    }
    if entries.is_empty() {
        Ok(())
    } else {
        tables.put(Table::Counters, &counter, &seq.to_string())
    }
}

/// Ends every lease of the slots in the tables. A store that only one process can open has no other holder after a start.
pub(crate) fn end_leases(tables: &mut impl TablesMut) -> Result<(), StoreError> {
    for (leased, _) in tables.scan(Table::Leases, (&[], &[u8::MAX]), usize::MAX)? {
        let Some(end) = leased.iter().position(|b| *b == 0) else {
            continue;
        };
        let slot = std::str::from_utf8(&leased[..end])
            .ok()
            .and_then(|slot| ServiceId::parse(slot).ok());
        let slot = slot.ok_or_else(|| StoreError::Corrupt("a lease belongs to no service".to_owned()))?;
        let effect = time_and_name(&slot, &leased)?.1.to_owned();
        tables.delete(Table::Leases, &leased)?;
        let Some(line) = tables.get(Table::Effects, &key(&slot, &effect))? else {
            continue;
        };
        let line = EffectLine {
            leased_until: Some(0),
            ..EffectLine::parse(&line)?
        };
        tables.put(Table::Leases, &timed(&slot, 0, &effect), "")?;
        tables.put(Table::Effects, &key(&slot, &effect), &line.line())?;
    }
    Ok(())
}

#[cfg(test)]
mod shape {
    use super::*;
    use crate::audit::Row;

    #[test]
    fn rows_must_follow_each_other() {
        let row = |seq, prev: &str, mac: &str| Row {
            record: RecordId::desk(),
            seq,
            at: Timestamp(0),
            actor: String::new(),
            channel: String::new(),
            cause: String::new(),
            reason: String::new(),
            config: String::new(),
            event: String::new(),
            prev: prev.to_owned(),
            mac: mac.to_owned(),
        };
        let commit = |rows| Commit {
            slot: ServiceId::parse("wallet").expect("a name"),
            id: "d1".to_owned(),
            remember: commands::time::Span::hours(1),
            deadline: StoreTime(1),
            read: vec![(RecordId::desk(), 0)],
            write: vec![Write {
                id: RecordId::desk(),
                fold: String::new(),
                next_wake: None,
                rows,
            }],
            effects: Vec::new(),
            finish: None,
            take: Vec::new(),
            free: Vec::new(),
            refusals: Vec::new(),
            reply: String::new(),
        };
        assert_eq!(check_shape(&commit(vec![row(1, "", "a"), row(2, "a", "b")])), Ok(()));
        for bad in [
            vec![row(1, "", "a"), row(3, "a", "b")],
            vec![row(1, "", "a"), row(2, "x", "b")],
            vec![row(1, "", "")],
        ] {
            assert!(check_shape(&commit(bad)).is_err());
        }
    }
}
