//! The transition table: (run, event) → run, or a refusal. Live decisions and replay after a restart go through this one function, so they cannot disagree.

use std::collections::BTreeMap;

use super::{Ballot, Decision, Event, Run, Status, StoredEvent};
use crate::ids::RecordId;
use crate::time::Timestamp;

/// An event that cannot happen to a run in this state: the history is damaged, or the program is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("run {run}: `{event}` cannot follow {status}")]
pub struct Illegal {
    run: String,
    event: String,
    status: String,
}

impl Illegal {
    /// A refusal of an event of any kind of record. Only the event's name is told: its data may hold foreign text.
    pub(crate) fn new(id: &RecordId, event: &impl serde::Serialize, status: &str) -> Self {
        Self {
            run: id.to_string(),
            event: name(event),
            status: status.to_owned(),
        }
    }
}

/// Folds a history from its start.
///
/// # Errors
/// When it does not begin with `Opened`, or holds an event that cannot follow.
pub fn replay(id: &RecordId, history: impl IntoIterator<Item = StoredEvent>) -> Result<Option<Run>, Illegal> {
    let mut run = None;
    for StoredEvent { at, event } in history {
        run = Some(Run::apply(run, id, &event, at)?);
    }
    Ok(run)
}

impl Run {
    /// The run after one more event.
    ///
    /// # Errors
    /// When the event cannot follow.
    pub fn apply(run: Option<Self>, id: &RecordId, event: &Event, at: Timestamp) -> Result<Self, Illegal> {
        match (run, event) {
            (None, Event::Opened(pinned)) if !pinned.environments.is_empty() => Ok(Self {
                id: id.clone(),
                pinned: (**pinned).clone(),
                status: Status::Waiting,
                change: None,
                verdicts: BTreeMap::new(),
                votes: Vec::new(),
                decision: None,
                lapsed: 0,
                answer: None,
                behind: Vec::new(),
                stages: Vec::new(),
                failures: Vec::new(),
                trouble: None,
                card: None,
                reposts: 0,
                notes: Vec::new(),
                retries: 0,
                changed_at: at,
            }),
            (Some(mut run), event) => {
                run.status = run.next_status(event, at).ok_or_else(|| run.illegal(event))?;
                run.absorb(event, at);
                run.changed_at = at;
                Ok(run)
            }
            (None, event) => Err(Illegal::new(id, event, "nothing")),
        }
    }

    fn illegal(&self, event: &Event) -> Illegal {
        Illegal::new(&self.id, event, &format!("{:?}", self.status))
    }

    /// What may follow what. `None`: it may not.
    fn next_status(&self, event: &Event, at: Timestamp) -> Option<Status> {
        use Status::{Answering, Ended, Following, Waiting};
        let status = match (self.status, event) {
            (_, Event::Opened(_)) => return None,
            (Waiting, Event::Voted { .. } | Event::VoteVoided { .. }) => Waiting,
            (Waiting, Event::Decided { .. }) => Answering,
            (Answering, Event::Lapsed) => Waiting,
            // Reality is never refused: the console may have answered while we were still collecting votes.
            (Waiting | Answering, Event::Answered { answer }) => match answer.ballot {
                Ballot::Approve => Following,
                // CodePipeline fails the execution at once, but it is the observation that ends the run.
                Ballot::Reject => Following,
            },
            (Waiting | Answering | Following, Event::Ended { reason }) => Ended { reason: *reason, at },
            (Ended { .. }, Event::Retried) => Following,
            (_, Event::Voted { .. } | Event::VoteVoided { .. } | Event::Decided { .. } | Event::Lapsed) => return None,
            (_, Event::Answered { .. } | Event::Ended { .. } | Event::Retried) => return None,
            // Evidence, cards, notes and trouble come in at any time, also after the end.
            (status, _) => status,
        };
        Some(status)
    }

    /// Takes in what the event tells, beside the status.
    fn absorb(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::ChangeGathered { change } => self.change = Some(change.clone()),
            Event::VerdictGiven { verdict } => drop(self.verdicts.insert(verdict.check.clone(), verdict.clone())),
            Event::QueueSeen { behind } => self.behind.clone_from(behind),
            Event::Voted { vote } => {
                self.votes.retain(|earlier| earlier.user != vote.user);
                self.votes.push(vote.clone());
            }
            Event::VoteVoided { user, .. } => self.votes.retain(|vote| vote.user != *user),
            Event::Decided {
                ballot,
                by,
                reason,
                overridden,
            } => {
                self.decision = Some(Decision {
                    ballot: *ballot,
                    by: by.clone(),
                    at,
                    reason: reason.clone(),
                    overridden: overridden.is_some(),
                    passed: overridden.clone().unwrap_or_default(),
                    number: self.decision_number() + 1,
                });
            }
            Event::Lapsed => self.lapse(),
            Event::Answered { answer } => {
                self.answer = Some(answer.clone());
                self.trouble = None;
            }
            Event::TroubleMet { trouble } => self.trouble = Some(trouble.clone()),
            Event::TroubleSettled => self.trouble = None,
            Event::StagesSeen { stages } => self.stages.clone_from(stages),
            Event::FailureSeen { failure } => self.failures.push(failure.clone()),
            Event::Retried => {
                self.retries += 1;
                self.trouble = None;
            }
            Event::CardPosted { card } => self.card = Some(card.clone()),
            Event::CardLost => {
                self.card = None;
                self.reposts += 1;
            }
            Event::Noted { note } => self.notes.push(note.clone()),
            Event::Ended { .. } => self.behind.clear(),
            Event::Opened(_) | Event::Asked { .. } => {}
        }
    }

    /// Decisions are counted over lapses, so that an old answer of ours is not taken for the new one.
    fn decision_number(&self) -> u32 {
        self.decision.as_ref().map_or(self.lapsed, |decision| decision.number)
    }

    fn lapse(&mut self) {
        self.lapsed = self.decision_number();
        self.decision = None;
        self.votes.clear();
    }
}

fn name(event: &impl serde::Serialize) -> String {
    serde_json::to_value(event)
        .ok()
        .and_then(|value| Some(value.get("event")?.as_str()?.to_owned()))
        .unwrap_or_default()
}
