//! A desk: the standing state of one service. Locks, freezes, who waits to be told, what is live where, the last runs of each environment, and
//! what errands left standing.

mod fold;
mod standing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use standing::{Level, Maintenance};

use crate::ids::{ChannelId, EnvironmentId, RecordId, UserId};
use crate::operation::Matter;
use crate::reason::Reason;
use crate::round::Revision;
use crate::run::Live;
use crate::time::{Span, Timestamp};

/// How many finished runs an environment's desk remembers; older ones are in the store and in `audit export`.
pub const RECENT: usize = 20;

/// The standing state of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Desk {
    /// Who holds which environment.
    #[serde(default)]
    pub locks: BTreeMap<EnvironmentId, Lock>,
    /// The freezes put on by hand: one environment's, or (under no name) all of them.
    #[serde(default)]
    pub freezes: Vec<Freeze>,
    /// What is live where.
    #[serde(default)]
    pub live: BTreeMap<EnvironmentId, Live>,
    /// The last finished runs of each environment, newest first.
    #[serde(default)]
    pub recent: BTreeMap<EnvironmentId, Vec<Finished>>,
    /// The last runs of runbooks and errands in each environment that changed something, newest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conducted: BTreeMap<EnvironmentId, Vec<Conducted>>,
    /// Who wants to be told when an environment is free.
    #[serde(default)]
    pub waiters: BTreeMap<EnvironmentId, Vec<UserId>>,
    /// The functions that somebody left at a level of their own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub levels: BTreeMap<EnvironmentId, BTreeMap<String, Level>>,
    /// Where maintenance mode was turned on from here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub maintenance: BTreeMap<EnvironmentId, Maintenance>,
    /// The errands that are under way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errands: BTreeMap<EnvironmentId, BTreeMap<Matter, RecordId>>,
}

/// One person holds an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Who.
    pub owner: UserId,
    /// Why; foreign text, may be empty.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: until it is taken off.
    pub until: Option<Timestamp>,
}

/// Nobody releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Where; `None`: every environment of the service.
    pub environment: Option<EnvironmentId>,
    /// Whether it came with a freeze of all services: only `unfreeze all` takes it off.
    pub everywhere: bool,
    /// Who.
    pub by: UserId,
    /// Why; foreign text, may be empty.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: until it is taken off.
    pub until: Option<Timestamp>,
}

/// A run that is over, in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// The run.
    pub run: RecordId,
    /// How it ended.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
    /// What it carried.
    pub revision: Revision,
    /// The pipeline execution.
    pub execution: String,
    /// Who decided.
    pub by: Vec<UserId>,
    /// From the answer to the end; `None` when it was never answered with yes.
    pub took: Option<Span>,
    /// Whether the glass was broken.
    pub overridden: bool,
    /// The card, for a link.
    pub card: Option<(ChannelId, String)>,
}

/// A runbook's run or an errand that is over, in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conducted {
    /// The run.
    pub run: RecordId,
    /// What it was, as people call it: the runbook's name, or what the errand did.
    pub what: String,
    /// How it ended.
    pub reason: Reason,
    /// Whether a person ended it so and nothing was undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aborted: bool,
    /// When.
    pub at: Timestamp,
    /// From its start to its end.
    pub took: Span,
    /// Who started it; `None`: a span was over.
    pub by: Option<UserId>,
    /// The card, for a link.
    pub card: Option<(ChannelId, String)>,
}

/// Something that happened to a desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody took an environment; from somebody else, if it was held.
    Locked {
        /// Which.
        environment: EnvironmentId,
        /// The lock.
        lock: Lock,
        /// From whom it was taken.
        stolen_from: Option<UserId>,
    },
    /// A lock came off, or ran out.
    Unlocked {
        /// Which.
        environment: EnvironmentId,
        /// By whom; `None`: it ran out.
        by: Option<UserId>,
    },
    /// A freeze was put on.
    Frozen {
        /// The freeze.
        freeze: Freeze,
    },
    /// A freeze came off, or ran out.
    Unfrozen {
        /// Where; `None`: the service's own, all environments.
        environment: Option<EnvironmentId>,
        /// Whether the one that came with a freeze of all services is meant.
        everywhere: bool,
        /// By whom; `None`: it ran out.
        by: Option<UserId>,
    },
    /// Somebody wants to be told when an environment is free.
    Waits {
        /// Which.
        environment: EnvironmentId,
        /// Who.
        user: UserId,
    },
    /// Those who waited were told.
    Told {
        /// Which.
        environment: EnvironmentId,
    },
    /// What is live was learned: a run succeeded, or the pipeline's history told.
    LiveSeen {
        /// Where.
        environment: EnvironmentId,
        /// What.
        live: Live,
    },
    /// A run ended.
    RunEnded {
        /// Where.
        environment: EnvironmentId,
        /// The run.
        finished: Finished,
    },
    /// A run of a runbook, or an errand, that changed something is over.
    OperationEnded {
        /// Where.
        environment: EnvironmentId,
        /// The run.
        conducted: Conducted,
    },
    /// An errand began: no other of its kind begins there until it has ended.
    ErrandBegun {
        /// Where.
        environment: EnvironmentId,
        /// What it is about.
        matter: Matter,
        /// The errand.
        run: RecordId,
    },
    /// An errand is over.
    ErrandEnded {
        /// Where.
        environment: EnvironmentId,
        /// What it was about.
        matter: Matter,
        /// The errand.
        run: RecordId,
    },
    /// Functions log at another level; those without one are where they were before anybody set them here.
    LevelsSet {
        /// Where.
        environment: EnvironmentId,
        /// By function.
        set: BTreeMap<String, Option<Level>>,
    },
    /// Maintenance mode was turned on, or off.
    MaintenanceTurned {
        /// Where.
        environment: EnvironmentId,
        /// On, with whose it is; `None`: off.
        on: Option<Maintenance>,
    },
    /// People were reminded of it.
    MaintenanceTold {
        /// Where.
        environment: EnvironmentId,
        /// When.
        at: Timestamp,
    },
}

/// A desk's event with its instant, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

impl Desk {
    /// The lock on an environment, unless it has run out.
    #[must_use]
    pub fn lock(&self, environment: &EnvironmentId, now: Timestamp) -> Option<&Lock> {
        self.locks
            .get(environment)
            .filter(|lock| lock.until.is_none_or(|until| now < until))
    }

    /// The freezes put on by hand that cover an environment now.
    pub fn freezes_on<'a>(
        &'a self,
        environment: &'a EnvironmentId,
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Freeze> {
        self.freezes.iter().filter(move |freeze| {
            freeze.environment.as_ref().is_none_or(|one| one == environment)
                && freeze.until.is_none_or(|until| now < until)
        })
    }

    /// When the next lock or freeze runs out, a level goes back, or people are reminded of maintenance mode.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let locks = self.locks.values().filter_map(|lock| lock.until);
        let freezes = self.freezes.iter().filter_map(|freeze| freeze.until);
        locks
            .chain(freezes)
            .chain(self.next_return())
            .chain(self.next_reminder())
            .min()
    }

    /// What ended last in an environment, newest first: a release, and a run of a runbook or an errand.
    pub fn newest(&self, environment: &EnvironmentId) -> impl Iterator<Item = &RecordId> {
        let release = self.recent.get(environment).and_then(|all| all.first());
        let conducted = self.conducted.get(environment).and_then(|all| all.first());
        let release = release.map(|one| (one.at, &one.run));
        let conducted = conducted.map(|one| (one.at, &one.run));
        let mut both: Vec<_> = release.into_iter().chain(conducted).collect();
        both.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        both.into_iter().map(|(_, run)| run)
    }

    /// How long releases to this environment usually take: the median of those that succeeded; `None` with fewer than three.
    #[must_use]
    pub fn usual(&self, environment: &EnvironmentId) -> Option<Span> {
        let mut spans: Vec<_> = self
            .recent
            .get(environment)?
            .iter()
            .filter(|finished| finished.reason == Reason::Succeeded)
            .filter_map(|finished| finished.took)
            .collect();
        spans.sort_unstable();
        (spans.len() >= 3).then(|| spans[spans.len() / 2])
    }
}
