//! A decision as a commit: events become chained journal rows, states become folds, effects become rows of the outbox.

use commands::decision::{Change, Decision, Refusal};
use commands::ids::RecordId;
use commands::reason::Reason;
use commands::time::{Span, Timestamp};
use commands::view::plain;
use serde::Serialize;
use state::audit::{Draft, Key, Row};
use state::{Claim, Commit, Finish, NewEffect, StoreTime, Write};

use super::snapshot::{Position, Snapshot};

/// For how long the store has to carry a commit out. Slack waits 3 s for everything.
pub const STORE_TIME: Span = Span::seconds(2);
/// For how long the answer to a delivery is remembered: Slack repeats an event for about an hour, people scroll back for a day.
pub const REMEMBER_DELIVERY: Span = Span::days(1);
/// For how long the answer to a report or a wake is remembered: its sender repeats it within seconds.
pub const REMEMBER_REPORT: Span = Span::minutes(10);

/// Who or what a commit is made for.
#[derive(Debug, Clone)]
pub struct Cause<'a> {
    /// The commit's id: the same again changes nothing.
    pub id: String,
    /// Who: a Slack user id, `os:<user>`, `signalbox`, `aws`.
    pub actor: &'a str,
    /// Where it was said; empty when it was not said.
    pub channel: &'a str,
    /// For how long the id is remembered.
    pub remember: Span,
}

/// What a decision is written down with.
#[derive(Debug)]
pub struct Occasion<'a> {
    /// For whom or what.
    pub cause: &'a Cause<'a>,
    /// When, by the `Clock`.
    pub now: Timestamp,
    /// The effect that is reported about.
    pub finish: Option<Finish>,
}

/// What makes rows out of events: the secret and the configuration they name.
#[derive(Debug, Clone)]
pub struct Clerk {
    /// The key under which rows are chained.
    pub key: Key,
    /// The short hash of the configuration.
    pub config: String,
}

impl Clerk {
    /// Writes a decision down. The deadline counts from the load.
    ///
    /// # Errors
    /// When a state cannot be written as JSON, which would be a bug.
    pub fn write(
        &self,
        snapshot: &Snapshot,
        decision: &Decision,
        occasion: &Occasion<'_>,
    ) -> Result<Commit, serde_json::Error> {
        let mut read: Vec<(RecordId, u64)> = snapshot
            .positions
            .iter()
            .map(|(id, position)| (id.clone(), position.version))
            .collect();
        let mut write = Vec::new();
        for change in &decision.changes {
            let one = self.change(snapshot, change, occasion)?;
            if !read.iter().any(|(id, _)| *id == one.id) {
                read.push((one.id.clone(), 0));
            }
            write.push(one);
        }
        let claim = |(environment, holder): &(commands::ids::EnvironmentId, RecordId)| Claim {
            name: environment.to_string(),
            holder: holder.clone(),
        };
        Ok(Commit {
            slot: snapshot.slot.clone(),
            id: occasion.cause.id.clone(),
            remember: occasion.cause.remember,
            deadline: StoreTime(snapshot.now.0 + STORE_TIME.0),
            read,
            write,
            effects: decision
                .effects
                .iter()
                .map(|(effect, due)| {
                    Ok(NewEffect {
                        key: effect.key(),
                        body: serde_json::to_string(effect)?,
                        due: *due,
                    })
                })
                .collect::<Result<_, serde_json::Error>>()?,
            finish: occasion.finish.clone(),
            take: decision.take.iter().map(claim).collect(),
            free: decision.free.iter().map(claim).collect(),
            refusals: decision
                .refusals
                .iter()
                .map(|refusal| self.refusal(snapshot, refusal, occasion))
                .collect(),
            reply: serde_json::to_string(&decision.reply)?,
        })
    }

    fn change(
        &self,
        snapshot: &Snapshot,
        change: &Change,
        occasion: &Occasion<'_>,
    ) -> Result<Write, serde_json::Error> {
        let place = |id: RecordId| {
            let position = snapshot.positions.get(&id).cloned().unwrap_or_default();
            Place {
                clerk: self,
                snapshot,
                occasion,
                id,
                position,
            }
        };
        Ok(match change {
            Change::Run { run, events, next_wake } => place(run.id.clone()).write(&**run, events, *next_wake)?,
            Change::Operation {
                operation,
                events,
                next_wake,
            } => place(operation.id.clone()).write(&**operation, events, *next_wake)?,
            Change::Desk {
                desk,
                events,
                next_wake,
            } => place(RecordId::desk()).write(&**desk, events, *next_wake)?,
            Change::Watch {
                id,
                watch,
                events,
                next_wake,
            } => place(id.clone()).write(watch, events, *next_wake)?,
        })
    }

    fn refusal(&self, snapshot: &Snapshot, refusal: &Refusal, occasion: &Occasion<'_>) -> Row {
        let record = refusal.about.clone().unwrap_or_else(RecordId::desk);
        let event = serde_json::json!({ "event": "refused", "why": plain(&refusal.message) }).to_string();
        Row::refusal(
            &self.key,
            &snapshot.slot,
            self.draft(record, refusal.reason, event, occasion),
        )
    }

    fn draft(&self, record: RecordId, reason: Reason, event: String, occasion: &Occasion<'_>) -> Draft {
        Draft {
            record,
            at: occasion.now,
            actor: occasion.cause.actor.to_owned(),
            channel: occasion.cause.channel.to_owned(),
            cause: occasion.cause.id.clone(),
            reason: reason.code().to_owned(),
            config: self.config.clone(),
            event,
        }
    }
}

/// A record that is being written.
struct Place<'a> {
    clerk: &'a Clerk,
    snapshot: &'a Snapshot,
    occasion: &'a Occasion<'a>,
    id: RecordId,
    position: Position,
}

impl Place<'_> {
    fn write<S: Serialize, E: Serialize>(
        mut self,
        state: &S,
        events: &[(E, Reason)],
        next_wake: Option<Timestamp>,
    ) -> Result<Write, serde_json::Error> {
        let mut rows = Vec::with_capacity(events.len());
        for (event, reason) in events {
            let event = serde_json::to_string(event)?;
            let draft = self.clerk.draft(self.id.clone(), *reason, event, self.occasion);
            let row = Row::chain(
                &self.clerk.key,
                &self.snapshot.slot,
                (self.position.rows, &self.position.head),
                draft,
            );
            self.position.rows += 1;
            self.position.head.clone_from(&row.mac);
            rows.push(row);
        }
        Ok(Write {
            id: self.id,
            fold: serde_json::to_string(state)?,
            next_wake,
            rows,
        })
    }
}
