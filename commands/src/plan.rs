//! A decision in the making: events are appended to copies of the records, so that each sees what the one before it did.

use std::collections::BTreeMap;

use crate::decision::{Change, Decision, Reply};
use crate::desk::{self, Desk};
use crate::effect::Effect;
use crate::facts::Facts;
use crate::ids::{EnvironmentId, RecordId};
use crate::operation::{self, Operation};
use crate::reason::Reason;
use crate::run::{Event, Illegal, Pinned, Run, Status};
use crate::time::{Span, Timestamp};
use crate::view;

/// How old verdicts get before they are gathered again by themselves, while people are likely to look.
pub(crate) const REFRESH_AFTER: Span = Span::minutes(10);
/// For how long after a run was opened that goes on.
const REFRESH_FOR: Span = Span::hours(1);
/// How soon an open run is looked at if nothing else wakes it.
const HEARTBEAT: Span = Span::hours(1);

/// A decision in the making.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What is known.
    pub facts: &'a Facts<'a>,
    runs: BTreeMap<RecordId, (Run, Vec<(Event, Reason)>)>,
    operations: BTreeMap<RecordId, (Operation, Vec<(operation::Event, Reason)>)>,
    desk: Option<(Desk, Vec<(desk::Event, Reason)>)>,
    out: Decision,
}

impl<'a> Plan<'a> {
    /// Nothing decided yet.
    #[must_use]
    pub fn new(facts: &'a Facts<'a>) -> Self {
        Self {
            facts,
            runs: BTreeMap::new(),
            operations: BTreeMap::new(),
            desk: None,
            out: Decision::default(),
        }
    }

    /// A run as it stands after what was decided so far.
    #[must_use]
    pub fn run(&self, id: &RecordId) -> Option<&Run> {
        self.runs
            .get(id)
            .map(|(run, _)| run)
            .or_else(|| self.facts.runs.get(id))
    }

    /// The desk as it stands after what was decided so far.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        self.desk.as_ref().map_or(self.facts.desk, |(desk, _)| desk)
    }

    /// Appends an event to a run.
    ///
    /// # Errors
    /// When it cannot follow: the program is wrong, and nothing must be committed.
    pub fn tell(&mut self, id: &RecordId, event: Event, reason: Reason) -> Result<(), Illegal> {
        let before = self.run(id).cloned();
        let run = Run::apply(before, id, &event, self.facts.now)?;
        match self.runs.get_mut(id) {
            Some(entry) => {
                entry.0 = run;
                entry.1.push((event, reason));
            }
            None => drop(self.runs.insert(id.clone(), (run, vec![(event, reason)]))),
        }
        Ok(())
    }

    /// Opens a run.
    ///
    /// # Errors
    /// When one of that id exists, or it has no environment.
    pub fn open(&mut self, id: &RecordId, pinned: Pinned) -> Result<(), Illegal> {
        self.tell(id, Event::Opened(Box::new(pinned)), Reason::Opened)
    }

    /// Writes a run without an event, so that its wake moves.
    pub fn touch(&mut self, id: &RecordId) {
        if let Some(run) = self.run(id).cloned() {
            self.runs.entry(id.clone()).or_insert_with(|| (run, Vec::new()));
        }
    }

    /// An operation as it stands after what was decided so far.
    #[must_use]
    pub fn operation(&self, id: &RecordId) -> Option<&Operation> {
        self.operations
            .get(id)
            .map(|(operation, _)| operation)
            .or_else(|| self.facts.operations.get(id))
    }

    /// The operations that begin with it.
    pub fn begun(&self) -> impl Iterator<Item = &Operation> {
        let new = |operation: &&Operation| !self.facts.operations.contains_key(&operation.id);
        self.operations.values().map(|(operation, _)| operation).filter(new)
    }

    /// Appends an event to an operation.
    ///
    /// # Errors
    /// When it cannot follow: the program is wrong, and nothing must be committed.
    pub fn tell_operation(&mut self, id: &RecordId, event: operation::Event, reason: Reason) -> Result<(), Illegal> {
        let before = self.operation(id).cloned();
        let operation = Operation::apply(before, id, &event, self.facts.now)?;
        let entry = self.operations.entry(id.clone());
        let (known, events) = entry.or_insert_with(|| (operation.clone(), Vec::new()));
        *known = operation;
        events.push((event, reason));
        Ok(())
    }

    /// Writes an operation without an event, so that its wake moves.
    pub fn touch_operation(&mut self, id: &RecordId) {
        if let Some(operation) = self.operation(id).cloned() {
            self.operations
                .entry(id.clone())
                .or_insert_with(|| (operation, Vec::new()));
        }
    }

    /// Claims the environment of an operation.
    pub fn claim_operation(&mut self, id: &RecordId) {
        let Some(operation) = self.operation(id) else { return };
        let claim = (operation.environment().clone(), id.clone());
        self.out.take.push(claim);
    }

    /// Frees the environment of an operation, if it held it.
    pub fn free_operation(&mut self, id: &RecordId) {
        let Some(operation) = self.operation(id).filter(|operation| !operation.is_plan()) else {
            return;
        };
        let claim = (operation.environment().clone(), id.clone());
        self.out.take.retain(|taken| *taken != claim);
        self.out.free.push(claim);
    }

    /// Appends an event to the desk.
    pub fn tell_desk(&mut self, event: desk::Event, reason: Reason) {
        let (desk, events) = self.desk.get_or_insert_with(|| (self.facts.desk.clone(), Vec::new()));
        desk.apply(&event);
        events.push((event, reason));
    }

    /// Writes the desk without an event, so that its wake moves.
    pub fn touch_desk(&mut self) {
        self.desk.get_or_insert_with(|| (self.facts.desk.clone(), Vec::new()));
    }

    /// Owes an effect from now on.
    pub fn owe(&mut self, effect: Effect) {
        self.owe_at(effect, self.facts.now);
    }

    /// Owes an effect from an instant on.
    pub fn owe_at(&mut self, effect: Effect, due: Timestamp) {
        self.out.effects.push((effect, due));
    }

    /// Owes another drawing of a run's card.
    pub fn draw(&mut self, id: &RecordId) {
        self.owe(Effect::DrawCard { run: id.clone() });
    }

    /// Claims the environments of a run that no other run holds.
    pub fn claim(&mut self, id: &RecordId) {
        let Some(run) = self.run(id) else { return };
        let free = run
            .environments()
            .filter(|environment| self.facts.claims.get(*environment).is_none_or(|holder| holder == id));
        let wanted: Vec<(EnvironmentId, RecordId)> =
            free.map(|environment| (environment.clone(), id.clone())).collect();
        self.out.take.extend(wanted);
    }

    /// Frees the environments of a run.
    pub fn free(&mut self, id: &RecordId) {
        let Some(run) = self.run(id) else { return };
        let held: Vec<_> = run
            .environments()
            .map(|environment| (environment.clone(), id.clone()))
            .collect();
        self.out.take.retain(|claim| !held.contains(claim));
        self.out.free.extend(held);
    }

    /// Writes a watch.
    pub fn watch(&mut self, change: Change) {
        self.out.changes.push(change);
    }

    /// The decision.
    #[must_use]
    pub fn finish(mut self, reply: Reply) -> Decision {
        let facts = self.facts;
        let runs = std::mem::take(&mut self.runs);
        for (id, (run, events)) in runs {
            // Posting the card is told by the drawing itself; anything else may change the picture.
            if events
                .iter()
                .any(|(event, _)| !matches!(event, Event::CardPosted { .. }))
            {
                self.draw(&id);
            }
            let next_wake = next_wake(&run, facts);
            self.out.changes.push(Change::Run {
                run: Box::new(run),
                events,
                next_wake,
            });
        }
        for (id, (operation, events)) in std::mem::take(&mut self.operations) {
            if events
                .iter()
                .any(|(event, _)| !matches!(event, operation::Event::CardPosted { .. }))
            {
                self.draw(&id);
            }
            let next_wake = operation::clock::next_wake(&operation, facts.now);
            self.out.changes.push(Change::Operation {
                operation: Box::new(operation),
                events,
                next_wake,
            });
        }
        if let Some((desk, events)) = self.desk {
            let next_wake = desk.next_expiry();
            self.out.changes.push(Change::Desk {
                desk: Box::new(desk),
                events,
                next_wake,
            });
        }
        // One row per key: the last wish counts.
        let mut seen = std::collections::BTreeSet::new();
        self.out.effects.reverse();
        self.out.effects.retain(|(effect, _)| seen.insert(effect.key()));
        self.out.effects.reverse();
        self.out.reply = reply;
        self.out
    }
}

/// When a run wants to be looked at again; `None` when it is over.
fn next_wake(run: &Run, facts: &Facts<'_>) -> Option<Timestamp> {
    if run.ended().is_some() {
        return None;
    }
    let now = facts.now;
    let refresh = refresh_at(run, now).filter(|_| run.status == Status::Waiting);
    let soonest = [refresh, view::next_redraw(run, facts)]
        .into_iter()
        .flatten()
        .filter(|at| now < *at)
        .min();
    // A wake that has passed already would be due at once, again and again.
    Some(
        soonest
            .unwrap_or(now + HEARTBEAT)
            .min(now + HEARTBEAT)
            .max(now + Span::seconds(1)),
    )
}

/// When the oldest verdict of a young run should be gathered again.
pub(crate) fn refresh_at(run: &Run, now: Timestamp) -> Option<Timestamp> {
    let opened = run.card.as_ref().map_or(run.changed_at, |card| card.at);
    (opened.age(now) < REFRESH_FOR)
        .then(|| run.verdicts.values().map(|verdict| verdict.as_of + REFRESH_AFTER).min())
        .flatten()
}
