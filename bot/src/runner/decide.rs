//! Load, decide, commit: the one way in which anything changes, with its conflicts and its lost answers.

use std::collections::BTreeSet;

use commands::catalog::Service;
use commands::decision::{Change, Decision, Reply};
use commands::effect::Effect;
use commands::facts::{Facts, Needs};
use commands::ids::{DeliveryId, RecordId, UserId};
use commands::run::Illegal;
use commands::time::Timestamp;
use commands::watch::Watch;
use state::{Commit, Committed, Finish, StoreError};

use super::commit::{Cause, Occasion};
use super::engine::{Crowd, Engine, asked, owners, voters};
use super::execute::card;
use super::snapshot::{self, Snapshot};
use super::worker::IDLE;

/// How often a conflict is decided anew before it counts as a fault.
const TRIES: usize = 8;
/// How often a commit whose answer was lost is sent again.
const RESENDS: usize = 2;

/// What is decided on.
pub struct Matter<'a> {
    /// The service.
    pub service: &'a Service,
    /// What to load.
    pub needs: Needs,
    /// Records beside runs.
    pub records: Vec<RecordId>,
    /// The delivery, when somebody spoke.
    pub delivery: Option<DeliveryId>,
    /// People to look up beside those who voted.
    pub people: BTreeSet<UserId>,
    /// For whom the commit is made.
    pub cause: Cause<'a>,
    /// The effect that is reported about.
    pub finish: Option<Finish>,
}

/// What came of it.
#[derive(Debug)]
pub enum Settled {
    /// Something is durable that was not before: this is the reply.
    Done(Reply),
    /// There was nothing to write: this is the reply.
    Nothing(Reply),
    /// It was refused, and that is in the journal: this is the reply.
    Refused(Reply),
    /// The effect that was reported about is somebody else's now.
    Stale,
}

/// Why nothing came of it.
#[derive(Debug)]
pub enum Trouble {
    /// The store certainly has nothing of it.
    NotRecorded(String),
    /// Nobody knows; the commit can be sent again, or looked for.
    Unknown(Box<Commit>),
    /// The program is wrong, or stored data cannot be read.
    Fault(String),
}

impl From<Illegal> for Trouble {
    fn from(illegal: Illegal) -> Self {
        Self::Fault(illegal.to_string())
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(why) => Self::Fault(why),
            StoreError::Refused(why) => Self::NotRecorded(why),
            // Only a load ends here: nothing was asked to be written.
            StoreError::Unknown => Self::NotRecorded("the store did not answer".to_owned()),
        }
    }
}

impl Engine {
    /// Decides a matter and commits the decision. The decision is made anew when what it rests on has changed meanwhile.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn settle<D>(&self, matter: Matter<'_>, amend: impl Fn(&mut Crowd), decide: D) -> Result<Settled, Trouble>
    where
        D: Fn(&Facts<'_>, Option<&Watch>) -> Result<Decision, Illegal>,
    {
        for _ in 0..TRIES {
            let snapshot = self.load(&matter).await?;
            if let Some(answered) = &snapshot.answered {
                return Ok(Settled::Done(reply(answered)?));
            }
            let mut people = voters(snapshot.runs.values());
            people.extend(asked(snapshot.operations.values()));
            people.extend(matter.people.iter().cloned());
            people.extend(owners(&snapshot.desk));
            let mut crowd = self.crowd(people, &matter.needs.groups).await;
            amend(&mut crowd);
            let now = self.clock.now();
            let watch = snapshot.watches.values().next();
            let mut decision = decide(
                &self.facts(matter.service, &snapshot, &crowd, now),
                watch.map(|watch| &**watch),
            )?;
            if decision.is_empty() && decision.refusals.is_empty() && matter.finish.is_none() {
                return Ok(Settled::Nothing(decision.reply));
            }
            let soon = self.paced(&mut decision, &snapshot, now);
            let commit = self
                .clerk
                .write(
                    &snapshot,
                    &decision,
                    &Occasion {
                        cause: &matter.cause,
                        now,
                        finish: matter.finish.clone(),
                    },
                )
                .map_err(|error| Trouble::Fault(error.to_string()))?;
            match self.commit(commit).await? {
                Committed::Done { reply: stored, again } => {
                    if soon {
                        self.poke(&matter.service.id);
                    }
                    let refused = !decision.refusals.is_empty();
                    // What is stored is what was just decided, unless this was decided before.
                    let reply = if again { reply(&stored)? } else { decision.reply };
                    return Ok(if refused {
                        Settled::Refused(reply)
                    } else {
                        Settled::Done(reply)
                    });
                }
                Committed::Stale => return Ok(Settled::Stale),
                Committed::Late => return Err(Trouble::NotRecorded("it took too long".to_owned())),
                // Somebody was faster: look again. A claim that is held shows in what is loaded next.
                Committed::Conflict | Committed::Held { .. } => {}
            }
        }
        Err(Trouble::NotRecorded("too many people were at it at once".to_owned()))
    }

    /// Cards of which Slack does not want to hear yet are due when it does: taken up sooner, they would only be put back. Answers whether the worker
    /// has something to do before it looks by itself.
    fn paced(&self, decision: &mut Decision, snapshot: &Snapshot, now: Timestamp) -> bool {
        let changed = |id: &RecordId| {
            decision.changes.iter().find_map(|change| match change {
                Change::Run { run, .. } if run.id == *id => Some(&**run),
                _ => None,
            })
        };
        for (effect, due) in &mut decision.effects {
            if let Effect::DrawCard { run } = effect
                && let Some(run) = changed(run).or_else(|| snapshot.runs.get(run))
                && let Some(at) = card::ready_at(self, run, now)
            {
                *due = at.max(*due);
            }
        }
        let wakes = decision.changes.iter().filter_map(|change| match change {
            Change::Run { next_wake, .. }
            | Change::Operation { next_wake, .. }
            | Change::Desk { next_wake, .. }
            | Change::Watch { next_wake, .. } => *next_wake,
        });
        let mut dues = decision.effects.iter().map(|(_, due)| *due).chain(wakes);
        dues.any(|due| due < now + IDLE)
    }

    async fn load(&self, matter: &Matter<'_>) -> Result<Snapshot, Trouble> {
        let request = snapshot::Request {
            slot: &matter.service.id,
            needs: &matter.needs,
            records: &matter.records,
            delivery: matter.delivery.as_ref(),
        };
        Ok(snapshot::load(&*self.store, &self.cache, request).await?)
    }

    /// Sends a commit, and again when its answer is lost: the same id changes nothing twice.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn commit(&self, commit: Commit) -> Result<Committed, Trouble> {
        for _ in 0..=RESENDS {
            match self.store.commit(commit.clone()).await {
                Ok(committed) => return Ok(committed),
                Err(StoreError::Unknown) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Trouble::Unknown(Box::new(commit)))
    }
}

fn reply(stored: &str) -> Result<Reply, Trouble> {
    if stored.is_empty() {
        return Ok(Reply::None);
    }
    serde_json::from_str(stored).map_err(|error| Trouble::Fault(error.to_string()))
}
