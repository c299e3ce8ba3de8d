//! One worker per service: it takes up effects that are due, under a lease, and wakes records whose time has come.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use commands::catalog::{Environment, Service, Site};
use commands::decision::Reply;
use commands::effect::{Effect, Outcome};
use commands::facts::Needs;
use commands::ids::{RecordId, ServiceId};
use commands::outcome;
use commands::step::Action;
use commands::time::{Span, Timestamp};
use commands::wake;
use commands::watch::{self, Watch};
use state::{Commit, Committed, Effect as Owed, Finish, Poll, StoreTime, Then};
use tokio::sync::Semaphore;

use super::commit::{Cause, REMEMBER_REPORT, STORE_TIME};
use super::decide::{Matter, Settled, Trouble};
use super::engine::Engine;
use super::execute::{self, Done};
use crate::door::Lease;

/// How long a claim on an effect holds. Three calls of ten seconds fit; what died with its worker is taken up again this much later.
pub const LEASE: Span = Span::seconds(40);
/// Before the lease ends the door closes: the other side's clock may run faster.
const LEASE_MARGIN: Duration = Duration::from_secs(2);
/// How many effects of one service are carried out at the same time.
const AT_ONCE: usize = 16;
/// How long a worker sleeps when it knows of nothing that is due: other replicas owe effects too.
pub(super) const IDLE: Span = Span::seconds(1);
/// The longest pause between two tries of an effect.
const LONGEST_PAUSE: Span = Span::minutes(2);
/// The pause before something is reported again that the store did not take.
const REPORT_PAUSE: Span = Span::seconds(1);
/// With less left of a lease nothing is reported again: the store may take so long to answer.
const REPORT_TIME: Duration = Duration::from_secs(2);

/// The store's time when it was last told, and when that was asked for.
#[derive(Default)]
struct Known(Option<(StoreTime, Duration)>);

impl Known {
    /// Up to when the store may still give work to somebody who asks now. A request that lies in the socket of a store that stands still is carried out
    /// when nobody waits for its answer any more; what it took, nobody would do until the lease is over. Nothing is known of the first request's.
    fn deadline(&self, now: Duration) -> StoreTime {
        self.0.map_or(StoreTime(i64::MAX), |(then, asked)| {
            let passed = i64::try_from(now.saturating_sub(asked).as_millis()).unwrap_or(i64::MAX);
            StoreTime(then.0.saturating_add(passed).saturating_add(STORE_TIME.0))
        })
    }
}

impl Engine {
    /// Works for one service until it is stopped; what it has begun by then is finished.
    pub async fn work(self: Arc<Self>, slot: ServiceId) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut known = Known::default();
        while !self.stop.is_cancelled() {
            let claimed_at = self.clock.monotonic();
            let poll = Poll {
                slot: slot.clone(),
                now: self.clock.now(),
                effects: room.available_permits(),
                wakes: AT_ONCE,
                lease: LEASE,
                deadline: known.deadline(claimed_at),
            };
            let next = match self.store.poll(poll).await {
                Ok(polled) => {
                    known = Known(Some((polled.now, claimed_at)));
                    for owed in polled.effects {
                        self.take_up(&slot, owed, claimed_at, &room).await;
                    }
                    for (record, version) in polled.wakes {
                        self.wake(&slot, record, version).await;
                    }
                    polled.next
                }
                Err(error) => {
                    tracing::warn!(%slot, %error, "the store gives no work");
                    None
                }
            };
            self.pause(&slot, next).await;
        }
    }

    /// Until something is due, or somebody says that something is.
    async fn pause(&self, slot: &ServiceId, next: Option<Timestamp>) {
        let now = self.clock.now();
        let until = next.unwrap_or(now + IDLE).min(now + IDLE);
        let poked = async {
            match self.pokes.get(slot) {
                Some(poke) => poke.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.clock.sleep_until(until) => {}
            () = poked => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn take_up(self: &Arc<Self>, slot: &ServiceId, owed: Owed, claimed_at: Duration, room: &Arc<Semaphore>) {
        let Ok(permit) = Arc::clone(room).acquire_owned().await else {
            return;
        };
        let (engine, slot) = (Arc::clone(self), slot.clone());
        let ends =
            claimed_at + Duration::from_millis(u64::try_from(LEASE.0).unwrap_or_default()).saturating_sub(LEASE_MARGIN);
        self.tasks.spawn(async move {
            engine.carry_out(&slot, &owed, Lease::until(ends)).await;
            drop(permit);
            engine.poke(&slot);
        });
    }

    async fn carry_out(self: &Arc<Self>, slot: &ServiceId, owed: &Owed, lease: Lease) {
        let effect: Effect = match serde_json::from_str(&owed.body) {
            Ok(effect) => effect,
            Err(error) => {
                // A newer version owes it and will carry it out; this one keeps out of its way.
                tracing::warn!(key = %owed.key, %error, "an effect is not known to this version");
                return self
                    .put_off((slot, owed), self.clock.now() + LONGEST_PAUSE, lease)
                    .await;
            }
        };
        let Some(service) = self.catalog.services.get(slot) else {
            return;
        };
        let done = execute::execute(
            self,
            service,
            &effect,
            execute::Try {
                attempt: owed.attempt,
                lease,
                key: &owed.key,
            },
        )
        .await;
        match done {
            Done::Outcome(outcome) => {
                metrics::counter!("signalbox_effects_total", "effect" => effect.name(), "outcome" => name(&outcome))
                    .increment(1);
                self.report((service, owed, &effect), &outcome, lease).await;
            }
            Done::Later { after, why } => {
                metrics::counter!("signalbox_effects_total", "effect" => effect.name(), "outcome" => "later")
                    .increment(1);
                tracing::info!(key = %owed.key, attempt = owed.attempt, why, "an effect is tried again later");
                let pause = after.unwrap_or_else(|| backoff(owed.attempt));
                self.put_off((slot, owed), self.clock.now() + pause, lease).await;
            }
        }
    }

    /// Decides on an outcome in the commit that finishes the effect. A store that is away for a while hears of it when it is back: what came of a call
    /// that cannot be repeated is known to nobody else. When the lease is over, somebody takes the effect up again, and begins with a look.
    async fn report(self: &Arc<Self>, at: (&Service, &Owed, &Effect), outcome: &Outcome, lease: Lease) {
        let (service, owed, effect) = at;
        let mut open: Option<Box<Commit>> = None;
        loop {
            let settled = match open.take() {
                Some(commit) => self.settled(*commit).await,
                None => self.tell(at, outcome).await.map(Some),
            };
            match settled {
                Ok(Some(Settled::Stale)) => return execute::disown(self, service, effect, outcome).await,
                Ok(Some(_)) => return,
                Ok(None) => {}
                Err(trouble) => {
                    log(&trouble, owed.key.as_str());
                    if matches!(trouble, Trouble::Fault(_)) || !self.may_report_again(lease).await {
                        return;
                    }
                    if let Trouble::Unknown(commit) = trouble {
                        open = Some(commit);
                    }
                }
            }
        }
    }

    async fn tell(&self, at: (&Service, &Owed, &Effect), outcome: &Outcome) -> Result<Settled, Trouble> {
        let (service, owed, effect) = at;
        let (needs, records) = needed(service, effect, outcome);
        let pace = self.pace(service);
        let matter = Matter {
            service,
            needs,
            records,
            delivery: None,
            people: BTreeSet::new(),
            cause: Cause {
                id: format!("{}@{}", owed.key, owed.fence),
                actor: "signalbox",
                channel: "",
                remember: REMEMBER_REPORT,
            },
            finish: Some(Finish {
                key: owed.key.clone(),
                fence: owed.fence,
                then: Then::Done,
            }),
        };
        self.settle(
            matter,
            |_| {},
            |facts, watch| outcome::hear(facts, effect, outcome, watch, pace),
        )
        .await
    }

    /// What became of a commit of which nobody knew. Nothing: it certainly was not carried out and never will be, so it has to be decided anew.
    async fn settled(&self, commit: Commit) -> Result<Option<Settled>, Trouble> {
        Ok(match self.commit(commit).await? {
            Committed::Done { .. } => Some(Settled::Done(Reply::None)),
            Committed::Stale => Some(Settled::Stale),
            Committed::Late | Committed::Conflict | Committed::Held { .. } => None,
        })
    }

    /// Waits a moment, if the lease has time for another report.
    async fn may_report_again(&self, lease: Lease) -> bool {
        let left = lease.left(self.clock.monotonic());
        if self.stop.is_cancelled() || left.is_some_and(|left| left < REPORT_TIME) {
            return false;
        }
        tokio::select! {
            () = self.clock.sleep(REPORT_PAUSE) => {}
            () = self.stop.cancelled() => {}
        }
        true
    }

    async fn put_off(&self, (slot, owed): (&ServiceId, &Owed), until: Timestamp, lease: Lease) {
        // Nothing is decided, so nothing is read: the fence alone says whether this is still ours.
        let commit = Commit {
            slot: slot.clone(),
            id: format!("{}@{}", owed.key, owed.fence),
            remember: REMEMBER_REPORT,
            deadline: owed.leased_until.unwrap_or_default(),
            read: Vec::new(),
            write: Vec::new(),
            effects: Vec::new(),
            finish: Some(Finish {
                key: owed.key.clone(),
                fence: owed.fence,
                then: Then::Again(until),
            }),
            take: Vec::new(),
            free: Vec::new(),
            refusals: Vec::new(),
            reply: String::new(),
        };
        loop {
            match self.commit(commit.clone()).await {
                Ok(Committed::Done { .. } | Committed::Stale) => return,
                Ok(other) => return tracing::warn!(key = %owed.key, ?other, "an effect could not be put off"),
                Err(trouble) => {
                    log(&trouble, owed.key.as_str());
                    if !self.may_report_again(lease).await {
                        return;
                    }
                }
            }
        }
    }

    async fn wake(self: &Arc<Self>, slot: &ServiceId, record: RecordId, version: u64) {
        let Some(service) = self.catalog.services.get(slot) else {
            return;
        };
        let id = record.as_str();
        let needs = if id.starts_with("run/") {
            Needs {
                runs: BTreeSet::from([record.clone()]),
                ..Needs::default()
            }
        } else {
            Needs {
                every_open: true,
                ..Needs::default()
            }
        };
        let records = if id.starts_with("watch/") {
            vec![record.clone()]
        } else {
            Vec::new()
        };
        let pace = self.pace(service);
        let matter = Matter {
            service,
            needs,
            records,
            delivery: None,
            people: BTreeSet::new(),
            cause: Cause {
                id: format!("wake:{record}@{version}"),
                actor: "signalbox",
                channel: "",
                remember: REMEMBER_REPORT,
            },
            finish: None,
        };
        let decide = |facts: &commands::facts::Facts<'_>, watch: Option<&Watch>| match watch {
            Some(watch) => Ok(wake::watch(facts, watch, pace)),
            _ if record == RecordId::desk() => wake::desk(facts),
            _ => wake::run(facts, &record),
        };
        if let Err(trouble) = self.settle(matter, |_| {}, decide).await {
            log(&trouble, id);
        }
    }
}

/// What has to be loaded to decide on an outcome.
fn needed(service: &Service, effect: &Effect, outcome: &Outcome) -> (Needs, Vec<RecordId>) {
    let run = |run: &RecordId| {
        (
            Needs {
                runs: BTreeSet::from([run.clone()]),
                ..Needs::default()
            },
            Vec::new(),
        )
    };
    match effect {
        Effect::DrawCard { run: id }
        | Effect::PostInThread { run: id, .. }
        | Effect::GatherChange { run: id, .. }
        | Effect::GatherCheck { run: id, .. }
        | Effect::AnswerApproval { run: id, .. }
        | Effect::RetryStage { run: id, .. }
        | Effect::StopExecution { run: id, .. } => run(id),
        Effect::Step(call) => {
            let (mut needs, records) = run(&call.run);
            // The cards that wait beside maintenance mode look again when it was turned.
            needs.every_open = matches!(&call.action, Action::Maintenance(turned) if turned.on.is_some());
            if let Some(then) = &call.then {
                needs.runs.insert(then.clone());
                needs
                    .groups
                    .extend(service.environments.iter().flat_map(Environment::groups));
            }
            (needs, records)
        }
        Effect::ReadPipeline {
            watch, pipeline, aws, ..
        } => {
            let mut needs = Needs {
                every_open: true,
                ..Needs::default()
            };
            if let Outcome::Observed { observation } = outcome {
                let site = Site::of(pipeline, aws);
                needs.runs.extend(watch::runs_of(service, &site, observation));
            }
            (needs, vec![watch.clone()])
        }
        Effect::Post { .. } | Effect::SpreadFreeze { .. } => (Needs::default(), Vec::new()),
    }
}

/// A second, two, four …, with no more than the longest pause.
fn backoff(attempt: u32) -> Span {
    Span::seconds(1_i64 << attempt.min(7)).min(LONGEST_PAUSE)
}

fn log(trouble: &Trouble, about: &str) {
    match trouble {
        Trouble::NotRecorded(why) => tracing::warn!(about, why, "not recorded; it is tried again"),
        Trouble::Unknown(_) => tracing::warn!(about, "the store did not answer; it is tried again"),
        Trouble::Fault(why) => tracing::error!(about, why, "a fault"),
    }
}

const fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unknown { .. } => "unknown",
        Outcome::Refused { .. } | Outcome::ReadFailed { .. } => "refused",
        Outcome::Undeliverable { .. } => "undeliverable",
        _ => "done",
    }
}
