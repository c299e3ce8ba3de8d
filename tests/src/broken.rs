//! Bots that lack one safeguard. A proof that such a bot passes sees nothing.

use async_trait::async_trait;
use commands::ids::RecordId;
use state::audit::{Draft, Key, Row};
use state::{Commit, Committed, Load, Store, StoreError, StoreTime, Stored, Wanted};

use crate::layer::Layer;
use crate::witness::AUDIT_KEY;

/// Without the version check when somebody presses a button: what was read may have changed since, and is overwritten. The journal is chained all the same.
pub struct Careless;

#[async_trait]
impl Layer for Careless {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        if !commit.id.starts_with("block_actions") {
            return store.commit(commit).await;
        }
        loop {
            let now = standing(store, &commit).await?;
            let answer = store.commit(renewed(&commit, &now)).await?;
            if answer != Committed::Conflict {
                return Ok(answer);
            }
        }
    }
}

/// The records that a commit has read, as they are now.
async fn standing(store: &dyn Store, commit: &Commit) -> Result<Vec<Stored>, StoreError> {
    let wanted = |id: &RecordId| Wanted {
        id: id.clone(),
        known: 0,
    };
    let load = Load {
        slot: commit.slot.clone(),
        records: commit.read.iter().map(|(id, _)| wanted(id)).collect(),
        open_under: None,
        held: Vec::new(),
        delivery: None,
    };
    Ok(store.load(load).await?.records)
}

/// The same commit, as if it had been decided on what is there now.
fn renewed(commit: &Commit, now: &[Stored]) -> Commit {
    let key = Key::new(AUDIT_KEY).expect("a key");
    let of = |id: &RecordId| now.iter().find(|stored| stored.id == *id);
    let mut commit = commit.clone();
    for (id, version) in &mut commit.read {
        *version = of(id).map_or(0, |stored| stored.version);
    }
    for write in &mut commit.write {
        let (mut rows, mut head) =
            of(&write.id).map_or((0, String::new()), |stored| (stored.rows, stored.head.clone()));
        for row in &mut write.rows {
            *row = Row::chain(&key, &commit.slot, (rows, &head), draft(row));
            rows += 1;
            head.clone_from(&row.mac);
        }
    }
    commit
}

fn draft(row: &Row) -> Draft {
    let row = row.clone();
    Draft {
        record: row.record,
        at: row.at,
        actor: row.actor,
        channel: row.channel,
        cause: row.cause,
        reason: row.reason,
        config: row.config,
        event: row.event,
    }
}

/// Without the deadline: a commit is carried out whenever it arrives.
pub struct Timeless;

#[async_trait]
impl Layer for Timeless {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        let deadline = StoreTime(i64::MAX);
        store.commit(Commit { deadline, ..commit }).await
    }
}
