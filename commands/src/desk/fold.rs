//! How a desk changes with each event, live and on replay.

use super::{Desk, Event, RECENT, StoredEvent};

impl Desk {
    /// Folds a history from its start.
    #[must_use]
    pub fn replay(history: impl IntoIterator<Item = StoredEvent>) -> Self {
        let mut desk = Self::default();
        for StoredEvent { event, .. } in history {
            desk.apply(&event);
        }
        desk
    }

    /// Takes in one event. Every event can follow every other.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Locked { environment, lock, .. } => drop(self.locks.insert(environment.clone(), lock.clone())),
            Event::Unlocked { environment, .. } => drop(self.locks.remove(environment)),
            Event::Frozen { freeze } => {
                self.freezes
                    .retain(|old| (&old.environment, old.everywhere) != (&freeze.environment, freeze.everywhere));
                self.freezes.push(freeze.clone());
            }
            Event::Unfrozen {
                environment,
                everywhere,
                ..
            } => {
                self.freezes
                    .retain(|old| (&old.environment, old.everywhere) != (environment, *everywhere));
            }
            Event::Waits { environment, user } => {
                let waiters = self.waiters.entry(environment.clone()).or_default();
                if !waiters.contains(user) {
                    waiters.push(user.clone());
                }
            }
            Event::Told { environment } => drop(self.waiters.remove(environment)),
            Event::LiveSeen { environment, live } => drop(self.live.insert(environment.clone(), live.clone())),
            Event::RunEnded { environment, finished } => {
                let recent = self.recent.entry(environment.clone()).or_default();
                // A run that was retried ends again: its newest end counts.
                recent.retain(|old| old.run != finished.run);
                recent.insert(0, finished.clone());
                recent.truncate(RECENT);
            }
            Event::OperationEnded { environment, conducted } => {
                let before = self.conducted.entry(environment.clone()).or_default();
                before.insert(0, conducted.clone());
                before.truncate(RECENT);
            }
            _ => self.apply_errand(event),
        }
    }

    /// The same for what errands leave standing.
    fn apply_errand(&mut self, event: &Event) {
        match event {
            Event::ErrandBegun {
                environment,
                matter,
                run,
            } => drop(
                self.errands
                    .entry(environment.clone())
                    .or_default()
                    .insert(*matter, run.clone()),
            ),
            Event::ErrandEnded {
                environment,
                matter,
                run,
            } => {
                if let Some(errands) = self.errands.get_mut(environment) {
                    errands.retain(|about, known| about != matter || known != run);
                }
                self.errands.retain(|_, errands| !errands.is_empty());
            }
            Event::LevelsSet { environment, set } => {
                let levels = self.levels.entry(environment.clone()).or_default();
                for (function, level) in set {
                    match level {
                        Some(level) => drop(levels.insert(function.clone(), level.clone())),
                        None => drop(levels.remove(function)),
                    }
                }
                self.levels.retain(|_, levels| !levels.is_empty());
            }
            Event::MaintenanceTurned { environment, on } => match on {
                Some(on) => drop(self.maintenance.insert(environment.clone(), on.clone())),
                None => drop(self.maintenance.remove(environment)),
            },
            Event::MaintenanceTold { environment, at } => {
                if let Some(standing) = self.maintenance.get_mut(environment) {
                    standing.told = Some(*at);
                }
            }
            _ => {}
        }
    }
}
