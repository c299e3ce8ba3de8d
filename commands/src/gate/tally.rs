//! The tally: whose votes count, and what is missing.

use std::collections::BTreeSet;

use crate::catalog::Approvers;
use crate::facts::Facts;
use crate::ids::{GroupId, UserId};
use crate::run::{Ballot, Run};

/// How far the votes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Who approved, in order.
    pub approved: Vec<UserId>,
    /// How many it takes, over all environments of the run.
    pub required: usize,
    /// Groups of which one member has to be among them and is not yet.
    pub missing: BTreeSet<GroupId>,
}

impl Tally {
    /// Whether the votes suffice.
    #[must_use]
    pub fn suffices(&self) -> bool {
        self.approved.len() >= self.required && self.missing.is_empty()
    }
}

/// Counts the votes on a run, by the rules of all its environments.
#[must_use]
pub fn count(facts: &Facts<'_>, run: &Run) -> Tally {
    let approved: Vec<UserId> = run.votes_for(Ballot::Approve).map(|vote| vote.user.clone()).collect();
    let rules = run
        .environments()
        .filter_map(|id| facts.service.environment(id))
        .map(|environment| &environment.approvers);
    let mut tally = Tally {
        required: 1,
        missing: BTreeSet::new(),
        approved,
    };
    for rule in rules {
        tally.required = tally.required.max(rule.required).max(rule.all_of.len());
        tally.missing.extend(missing_groups(facts, rule, &tally.approved));
    }
    tally
}

/// The groups that nobody stands for when every person stands for at most one: a maximum matching, grown group by group.
fn missing_groups(facts: &Facts<'_>, rule: &Approvers, approved: &[UserId]) -> Vec<GroupId> {
    let mut stands_for: Vec<Option<usize>> = vec![None; approved.len()];
    let fits = |group: usize, person: usize| facts.is_member(&approved[person], &rule.all_of[group]) == Some(true);
    (0..rule.all_of.len())
        .filter(|group| !place(*group, &fits, &mut stands_for, &mut vec![false; approved.len()]))
        .map(|group| rule.all_of[group].clone())
        .collect()
}

/// Finds a person for a group, moving others if need be (Kuhn's augmenting path).
fn place(
    group: usize,
    fits: &dyn Fn(usize, usize) -> bool,
    stands_for: &mut [Option<usize>],
    tried: &mut Vec<bool>,
) -> bool {
    for person in 0..stands_for.len() {
        if tried[person] || !fits(group, person) {
            continue;
        }
        tried[person] = true;
        let free = match stands_for[person] {
            None => true,
            Some(other) => place(other, fits, stands_for, tried),
        };
        if free {
            stands_for[person] = Some(group);
            return true;
        }
    }
    false
}
