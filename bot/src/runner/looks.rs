//! Looks that are made together: while one look at a service is under way, those who ask meanwhile wait for the next one, and share it.
//!
//! Nobody is shown anything older than their question: a look is shared only by those who had asked before its trip to the store began. When
//! everybody asks at once, as they do when something is on fire, the store is asked as often as it can answer, and no oftener.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use commands::decision::Reply;
use commands::facts::{Needs, Speaker, Standing};
use commands::gate::Act;
use commands::ids::ServiceId;
use commands::verb::{Command, Request};
use state::StoreError;

use super::decide::Trouble;
use super::engine::{Crowd, Engine, owners, voters};
use super::snapshot::{self, Snapshot};
use crate::slack::render;

/// How many kinds of looks are kept before those that nobody waits for are swept.
const SWEEP: usize = 64;

/// The looks that somebody waits for.
#[derive(Debug, Default)]
pub struct Looks {
    open: Mutex<HashMap<Kind, Weak<Look<Seen>>>>,
}

/// At what: who asks for the same of the same service can share.
type Kind = (ServiceId, Needs);

/// One kind of look at one service.
#[derive(Debug)]
struct Look<T> {
    /// How many trips to the store have begun.
    begun: AtomicU64,
    /// The newest that has ended, with its number. Whoever holds the lock makes the next.
    newest: tokio::sync::Mutex<Option<(u64, Trip<T>)>>,
}

/// What a trip came to.
type Trip<T> = Result<Arc<T>, StoreError>;

/// What one trip brought, and what was drawn of it so far.
#[derive(Debug)]
struct Seen {
    snapshot: Snapshot,
    drawn: Mutex<Vec<Drawn>>,
}

/// An answer, and to whom it was given: the same person in the same place is told the same.
#[derive(Debug)]
struct Drawn {
    speaker: Speaker,
    request: Request,
    standing: Option<Standing>,
    body: Bytes,
}

impl Drawn {
    fn is_for(&self, speaker: &Speaker, request: &Request, standing: Option<&Standing>) -> bool {
        let mine = &self.speaker;
        mine.user == speaker.user
            && mine.channel == speaker.channel
            && mine.team == speaker.team
            && mine.thread == speaker.thread
            && mine.via == speaker.via
            && self.request == *request
            && self.standing.as_ref() == standing
    }
}

impl Looks {
    fn of(&self, service: &ServiceId, needs: &Needs) -> Arc<Look<Seen>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (service.clone(), needs.clone());
        if let Some(look) = open.get(&key).and_then(Weak::upgrade) {
            return look;
        }
        if open.len() >= SWEEP {
            open.retain(|_, look| look.strong_count() > 0);
        }
        let look = Arc::new(Look::new());
        open.insert(key, Arc::downgrade(&look));
        look
    }
}

impl<T> Look<T> {
    fn new() -> Self {
        Self {
            begun: AtomicU64::new(0),
            newest: tokio::sync::Mutex::default(),
        }
    }

    /// What a trip brings that begins after this was called: one's own, or that of somebody who came meanwhile.
    async fn take<F>(&self, trip: impl FnOnce() -> F) -> Trip<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let asked = self.begun.load(Ordering::Acquire);
        let mut newest = self.newest.lock().await;
        if let Some((number, seen)) = &*newest
            && *number > asked
        {
            return seen.clone();
        }
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let seen = trip().await.map(Arc::new);
        *newest = Some((number, seen.clone()));
        seen
    }
}

impl Engine {
    /// The answer to a command that only looks, as the body of an acknowledgement; `None` when it wants more than a look.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(super) async fn look(
        &self,
        command: &Command,
        speaker: &Speaker,
        standing: Option<&Standing>,
    ) -> Result<Option<Bytes>, Trouble> {
        let (Act::Read, Some(service)) = (command.request.spec().act, self.catalog.services.get(&command.service))
        else {
            return Ok(None);
        };
        let needs = command.request.needs(service);
        let request = snapshot::Request {
            slot: &service.id,
            needs: &needs,
            records: &[],
            delivery: None,
        };
        let look = self.looks.of(&service.id, &needs);
        let trip = || async {
            let snapshot = snapshot::load(&*self.store, &self.cache, request).await?;
            Ok(Seen {
                snapshot,
                drawn: Mutex::default(),
            })
        };
        let seen = look.take(trip).await?;
        let known = |drawn: &[Drawn]| {
            let mine = drawn.iter().find(|one| one.is_for(speaker, &command.request, standing));
            mine.map(|one| one.body.clone())
        };
        if let Some(body) = known(&lock(&seen)) {
            return Ok(Some(body));
        }
        let mut people = voters(seen.snapshot.runs.values());
        people.extend(owners(&seen.snapshot.desk));
        people.insert(speaker.user.clone());
        let mut crowd: Crowd = self.crowd(people, &needs.groups).await;
        if let Some(standing) = standing {
            crowd.stands(&speaker.user, standing);
        }
        let facts = self.facts(service, &seen.snapshot, &crowd, self.clock.now());
        let decision = command.request.decide(&facts, speaker)?;
        let pure = decision.is_empty() && decision.refusals.is_empty();
        let (true, Reply::Private(message)) = (pure, decision.reply) else {
            return Ok(None);
        };
        let body =
            serde_json::to_vec(&render::reply(&message, false)).map_err(|error| Trouble::Fault(error.to_string()))?;
        let body = Bytes::from(body);
        lock(&seen).push(Drawn {
            speaker: speaker.clone(),
            request: command.request.clone(),
            standing: standing.cloned(),
            body: body.clone(),
        });
        Ok(Some(body))
    }
}

fn lock(seen: &Seen) -> std::sync::MutexGuard<'_, Vec<Drawn>> {
    seen.drawn.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn who_asks_during_a_trip_shares_the_next() {
        let (look, trips, gate) = (Look::new(), AtomicU32::new(0), Semaphore::new(0));
        let trip = || async {
            let number = trips.fetch_add(1, Ordering::Relaxed) + 1;
            gate.acquire().await.map_err(|_| StoreError::Unknown)?.forget();
            Ok(number)
        };
        // Polled in this order: the first is on its way when the others ask, and arrives only after they did.
        let others = join_all((0..5).map(|_| look.take(trip)));
        let (first, others, ()) = futures::join!(look.take(trip), others, async { gate.add_permits(9) });
        assert_eq!(first.map(|number| *number), Ok(1));
        assert_eq!(
            others.into_iter().map(|seen| *seen.unwrap()).collect::<Vec<_>>(),
            [2; 5]
        );
        assert_eq!(*look.take(trip).await.unwrap(), 3, "what is seen is not kept");
    }

    #[tokio::test]
    async fn a_trip_that_failed_failed_for_all_who_shared_it_and_one_that_was_given_up_for_nobody() {
        let (look, trips, gate) = (Look::<u32>::new(), AtomicU32::new(0), Semaphore::new(0));
        let trip = || async {
            trips.fetch_add(1, Ordering::Relaxed);
            gate.acquire().await.map_err(|_| StoreError::Unknown)?.forget();
            Err(StoreError::Unknown)
        };
        let mut given_up = Box::pin(look.take(trip));
        assert!(futures::poll!(&mut given_up).is_pending());
        let others = join_all((0..5).map(|_| look.take(trip)));
        let after = async {
            drop(given_up);
            gate.add_permits(9);
        };
        let (others, ()) = futures::join!(others, after);
        assert!(others.iter().all(|seen| *seen == Err(StoreError::Unknown)));
        assert_eq!(trips.load(Ordering::Relaxed), 2);
    }
}
