//! Turns: how fast all processes together may do what somebody else counts, such as calls of one method of Slack's.
//!
//! A limit is one instant: when the turns that were taken would be used up, were they spread evenly. That is all that has to be shared, and a process
//! that dies owes nothing. Instants are the `Clock`'s, which all processes read alike.

use std::collections::BTreeMap;

use commands::time::{Span, Timestamp};

/// An instant farther ahead than this was written before the clock was put back; it holds nobody off.
pub(crate) const FAR: Span = Span::hours(2);

/// How often something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What is limited: all who use this name share it.
    pub name: String,
    /// One turn in this span, in the long run.
    pub each: Span,
    /// So many turns may be taken at once after a pause; at least 1.
    pub burst: u32,
}

/// A wish to do something now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Every one of them has to have a turn left; none is taken from any otherwise.
    pub limits: Vec<Limit>,
    /// Now, by the `Clock`.
    pub now: Timestamp,
    /// It is done whatever the limits say: nobody else has a turn for [`Limit::each`] from now.
    pub insists: bool,
}

/// What came of the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// Whether it may be done now.
    pub taken: bool,
    /// For each limit, when the turns taken so far are used up: what [`Turns::adopt`] takes.
    pub spent: Vec<Timestamp>,
}

/// The limits of one process, or what it knows of those that it shares.
#[derive(Debug, Clone, Default)]
pub struct Turns(BTreeMap<String, Timestamp>);

impl Limit {
    /// From when on there is a turn, when turns are used up then.
    fn ready(&self, spent: Timestamp) -> Timestamp {
        let saved = self.each.0.saturating_mul(i64::from(self.burst.max(1)) - 1);
        Timestamp(spent.0.saturating_sub(saved))
    }
}

impl Turns {
    /// Takes a turn, or says that there is none. This *is* what a turn means; the Redis script is compared with it.
    pub fn take(&mut self, turn: &Turn) -> Turned {
        let now = turn.now;
        let mut spent: Vec<Timestamp> = turn.limits.iter().map(|limit| self.spent(limit, now)).collect();
        let early = turn
            .limits
            .iter()
            .zip(&spent)
            .any(|(limit, spent)| limit.ready(*spent) > now);
        let taken = turn.insists || !early;
        for (limit, spent) in turn.limits.iter().zip(&mut spent).filter(|_| taken) {
            *spent = if turn.insists {
                (now + limit.each).max(*spent)
            } else {
                *spent + limit.each
            };
        }
        if taken {
            self.0.retain(|_, until| *until > now);
            self.adopt(&turn.limits, &spent);
        }
        Turned { taken, spent }
    }

    /// From when on all limits have a turn, as far as is known here; `None`: now.
    #[must_use]
    pub fn ready_at(&self, limits: &[Limit], now: Timestamp) -> Option<Timestamp> {
        let ready = limits.iter().map(|limit| limit.ready(self.spent(limit, now)));
        ready.max().filter(|at| *at > now)
    }

    /// Believes what whoever keeps the limits has said of them.
    pub fn adopt(&mut self, limits: &[Limit], spent: &[Timestamp]) {
        for (limit, spent) in limits.iter().zip(spent) {
            self.0.insert(limit.name.clone(), *spent);
        }
    }

    fn spent(&self, limit: &Limit, now: Timestamp) -> Timestamp {
        let known = self.0.get(&limit.name).copied().unwrap_or(now);
        if known > now && known <= now + FAR { known } else { now }
    }
}
