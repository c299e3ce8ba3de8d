//! The transition table: (operation, event) → operation, or a refusal. Live decisions and replay after a restart go through this one function.

use std::collections::BTreeMap;

use super::clock::DEADLINE_PASSED;
use super::failure::UNKNOWN;
use super::{Event, Failure, Operation, Phase, Status, StepState, StoredEvent};
use crate::ids::{RecordId, UserId};
use crate::time::Timestamp;

pub use crate::run::Illegal;

/// Folds a history from its start.
///
/// # Errors
/// When it does not begin with `Started`, or holds an event that cannot follow.
pub fn replay(id: &RecordId, history: impl IntoIterator<Item = StoredEvent>) -> Result<Option<Operation>, Illegal> {
    let mut operation = None;
    for StoredEvent { at, event } in history {
        operation = Some(Operation::apply(operation, id, &event, at)?);
    }
    Ok(operation)
}

impl Operation {
    /// The operation after one more event.
    ///
    /// # Errors
    /// When the event cannot follow.
    pub fn apply(operation: Option<Self>, id: &RecordId, event: &Event, at: Timestamp) -> Result<Self, Illegal> {
        match (operation, event) {
            (None, Event::Started(pinned)) => Ok(Self {
                id: id.clone(),
                steps: vec![StepState::default(); pinned.steps.len()],
                pinned: (**pinned).clone(),
                status: Status::Running,
                undone_by: None,
                card: None,
                reposts: 0,
                notes: Vec::new(),
                changed_at: at,
            }),
            (Some(mut operation), event) => {
                let illegal = || illegal(id, event, &operation);
                match event.step() {
                    Some(step) => {
                        let index = operation.index(step).ok_or_else(illegal)?;
                        let state = operation.steps.get(index).ok_or_else(illegal)?;
                        let next = next_phase(state.phase, event).ok_or_else(illegal)?;
                        if let Some(state) = operation.steps.get_mut(index) {
                            absorb(state, event, at);
                            state.phase = next;
                        }
                    }
                    None => operation.status = operation.next_status(event, at).ok_or_else(illegal)?,
                }
                operation.absorb(event);
                operation.changed_at = at;
                Ok(operation)
            }
            (None, event) => Err(Illegal::new(id, event, "nothing")),
        }
    }

    /// Where the whole of it goes. `None`: the event cannot follow.
    fn next_status(&self, event: &Event, at: Timestamp) -> Option<Status> {
        use Status::{Ended, Running, Stopped, Undoing};
        Some(match (self.status, event) {
            // What is said about it comes in at any time, also after the end.
            (status, Event::CardPosted { .. } | Event::CardLost | Event::Noted { .. }) => status,
            (Running | Undoing, Event::Stopped) => Stopped,
            (Stopped, Event::Resumed) if self.undone_by.is_some() => Undoing,
            (Stopped, Event::Resumed) => Running,
            (Running | Stopped, Event::UndoAsked { .. }) => Undoing,
            (Running | Stopped | Undoing, Event::Ended { reason }) => Ended { reason: *reason, at },
            _ => return None,
        })
    }

    fn absorb(&mut self, event: &Event) {
        match event {
            Event::UndoAsked { by, reason } => self.undone_by = Some((by.clone(), reason.clone())),
            Event::CardPosted { card } => self.card = Some(card.clone()),
            Event::CardLost => {
                self.card = None;
                self.reposts += 1;
            }
            Event::Noted { note } => self.notes.push(note.clone()),
            _ => {}
        }
    }
}

/// Where a step goes. `None`: the event cannot follow.
fn next_phase(phase: Phase, event: &Event) -> Option<Phase> {
    use Phase::{
        Acting, Ahead, Asking, Confirming, Done, Failed, Planned, Preparing, Skipped, UndoFailed, UndoWatching,
        Undoing, Undone, Unknown, Watching,
    };
    Some(match (phase, event) {
        (Ahead, Event::StepAsked { .. }) => Asking,
        (Asking, Event::StepCleared { .. }) => Ahead,
        (Asking, Event::StepVoted { .. }) => Asking,
        (Asking, Event::StepTicked { .. }) => Done,
        (Ahead, Event::StepBegan { reads: true, .. }) => Preparing,
        (Ahead, Event::StepBegan { reads: false, .. }) => Watching,
        (Preparing, Event::StepPrepared { acts: true, .. }) => Acting,
        (Preparing, Event::StepPrepared { acts: false, .. }) | (Acting, Event::StepActed { .. }) => Watching,
        (Preparing, Event::StepShown { .. }) => Confirming,
        (Confirming, Event::StepTyped { .. }) => Acting,
        (Watching, Event::StepSeen { .. }) => Watching,
        (Acting, Event::StepSeen { .. }) => Acting,
        (Ahead | Asking | Preparing | Acting | Watching, Event::StepDone { .. }) => Done,
        // A person who knows settles what nobody else can.
        (Unknown, Event::StepTicked { .. }) => Done,
        (Unknown, Event::StepFollowed { .. }) => Watching,
        (Ahead | Preparing, Event::StepPlanned { .. }) => Planned,
        (Ahead | Asking | Preparing | Confirming | Acting | Watching, Event::StepFailed { .. }) => Failed,
        (Acting | Watching, Event::StepUnknown { .. }) => Unknown,
        (Ahead | Asking | Confirming | Failed | Unknown, Event::StepSkipped { .. }) => Skipped,
        // What is done is tried anew only when it is a remedy that is needed again.
        (Failed | Unknown | Done | Skipped, Event::StepRetried { .. }) => Ahead,
        (Failed, Event::RemedyChosen { .. }) => Failed,
        (phase, Event::StepOverran { .. }) => phase,
        (Done | Watching | Failed | Skipped | Unknown | UndoFailed, Event::UndoStarted { .. }) => Undoing,
        (Undoing, Event::UndoGoesOn { .. }) => Undoing,
        (Undoing | UndoWatching, Event::UndoSeen { .. }) => UndoWatching,
        (Undoing | UndoWatching, Event::UndoFinished { .. }) => Undone,
        (Undoing | UndoWatching, Event::UndoFailed { .. }) => UndoFailed,
        // A person leaves it as it is.
        (UndoFailed, Event::StepSkipped { .. }) => Skipped,
        _ => return None,
    })
}

/// Takes in what an event tells about a step, beside its phase.
fn absorb(state: &mut StepState, event: &Event, at: Timestamp) {
    match event {
        Event::StepAsked { .. } => begin(state, at),
        Event::StepBegan { .. } => {
            // A person who was asked first has taken their time; the step's own begins now.
            begin(state, at);
            state.number += 1;
        }
        Event::StepPrepared {
            memo,
            outputs,
            evidence,
            ..
        }
        | Event::StepShown {
            memo,
            outputs,
            evidence,
            ..
        } => {
            state.memo = memo.clone();
            state.outputs.extend(outputs.clone());
            state.evidence.clone_from(evidence);
            if let Event::StepPrepared { acts, .. } = event {
                state.acted = *acts;
            }
        }
        Event::StepActed { memo, .. } => state.memo = memo.clone(),
        Event::StepSeen { memo, progress, .. } => {
            state.memo = memo.clone();
            state.progress = Some(progress.clone());
        }
        Event::StepDone { outputs, evidence, .. } => found(state, outputs, evidence, at),
        Event::StepPlanned {
            outputs,
            evidence,
            unknown,
            met,
            ..
        } => {
            found(state, outputs, evidence, at);
            state.failure.clone_from(unknown);
            state.met = *met;
        }
        Event::StepFailed { failure, .. } => fail(state, failure, at),
        Event::StepUnknown { why, .. } => fail(state, &Failure::new(UNKNOWN, why), at),
        Event::StepSkipped { by, reason, .. } => {
            state.by.clone_from(by);
            end(state, vec![reason.clone()], at);
        }
        Event::StepOverran { .. } => state.overran = true,
        Event::StepRetried { .. }
        | Event::RemedyChosen { .. }
        | Event::StepCleared { .. }
        | Event::StepVoted { .. }
        | Event::StepTicked { .. }
        | Event::StepFollowed { .. }
        | Event::StepTyped { .. } => said(state, event, at),
        _ => absorb_undo(state, event, at),
    }
}

/// The same for what people say about it.
fn said(state: &mut StepState, event: &Event, at: Timestamp) {
    match event {
        Event::StepRetried { by, .. } => {
            state.by.clone_from(by);
            state.failure = None;
            state.remedy = None;
            state.progress = None;
        }
        Event::RemedyChosen { remedy, .. } => state.remedy = Some(remedy.clone()),
        Event::StepCleared { by, .. } => {
            state.cleared = true;
            vote(state, by);
        }
        Event::StepVoted { by, os_user, words, .. } => {
            vote(state, by);
            state.os_users.extend(os_user.clone());
            state.evidence.extend(words.clone());
        }
        Event::StepTyped { by, .. } => {
            state.by = Some(by.clone());
            state.acted = true;
        }
        Event::StepTicked { by, evidence, .. } => {
            state.by = Some(by.clone());
            state.failure = None;
            state.unseen = false;
            end(state, words(evidence), at);
        }
        Event::StepFollowed { by, evidence, .. } => {
            // People had their time; that of the step begins now.
            begin(state, at);
            state.by = Some(by.clone());
            state.evidence = words(evidence);
        }
        _ => {}
    }
}

/// What a person saw, if they said so.
fn words(evidence: &str) -> Vec<String> {
    let said = Some(evidence.to_owned()).filter(|words| !words.is_empty());
    said.into_iter().collect()
}

/// The same for its undoing.
fn absorb_undo(state: &mut StepState, event: &Event, at: Timestamp) {
    match event {
        Event::UndoStarted { .. } => {
            state.failure = None;
            state.progress = None;
            state.number += 1;
        }
        Event::UndoGoesOn { memo, .. } => state.memo = memo.clone(),
        Event::UndoSeen { memo, progress, .. } => {
            state.memo = memo.clone();
            state.progress.clone_from(progress);
        }
        Event::UndoFinished { evidence, .. } => end(state, evidence.clone(), at),
        Event::UndoFailed { failure, .. } => fail(state, failure, at),
        _ => {}
    }
}

fn begin(state: &mut StepState, at: Timestamp) {
    state.began = Some(at);
    state.ended = None;
    state.overran = false;
    state.failure = None;
    state.evidence.clear();
}

fn end(state: &mut StepState, evidence: Vec<String>, at: Timestamp) {
    state.ended = Some(at);
    state.progress = None;
    state.evidence = evidence;
}

fn found(state: &mut StepState, outputs: &BTreeMap<String, String>, evidence: &[String], at: Timestamp) {
    state.outputs.extend(outputs.clone());
    state.unseen = false;
    end(state, evidence.to_vec(), at);
}

fn fail(state: &mut StepState, failure: &Failure, at: Timestamp) {
    state.ended = Some(at);
    // What was given up, or never answered, may be under way.
    state.unseen = [DEADLINE_PASSED, UNKNOWN].contains(&failure.code.as_str());
    state.failure = Some(failure.clone());
}

fn vote(state: &mut StepState, by: &UserId) {
    if !state.yes.contains(by) {
        state.yes.push(by.clone());
    }
}

fn illegal(id: &RecordId, event: &Event, operation: &Operation) -> Illegal {
    let phase = event
        .step()
        .and_then(|step| operation.step(step))
        .map(|(step, state)| format!(" with {} {:?}", step.name, state.phase));
    Illegal::new(
        id,
        event,
        &format!("{:?}{}", operation.status, phase.unwrap_or_default()),
    )
}
