//! Step `votes`: collects votes until they suffice, or until one says no.

use crate::facts::{Facts, Standing};
use crate::gate::tally;
use crate::ids::{RecordId, UserId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Ballot, Event, Illegal, Run};

/// Counts, and tells the decision if there is one. At the deciding vote the rights of *all* voters are judged again: who has left the group,
/// been deactivated or turned out to be an author since then does not count.
pub(super) fn settle(plan: &mut Plan<'_>, id: &RecordId, overridden: Option<Vec<Reason>>) -> Result<bool, Illegal> {
    let Some(run) = plan.run(id) else { return Ok(false) };
    if let Some(no) = run.votes_for(Ballot::Reject).last() {
        let (by, reason) = (vec![no.user.clone()], no.reason.clone());
        plan.tell(
            id,
            Event::Decided {
                ballot: Ballot::Reject,
                by,
                reason,
                overridden: None,
            },
            Reason::Decided,
        )?;
        return Ok(true);
    }
    if overridden.is_none() {
        if !tally::count(plan.facts, run).suffices() {
            return Ok(false);
        }
        for (user, reason) in lapsed_rights(plan.facts, run) {
            plan.tell(id, Event::VoteVoided { user, reason }, reason)?;
        }
    }
    let Some(run) = plan.run(id) else { return Ok(false) };
    let tally = tally::count(plan.facts, run);
    if overridden.is_none() && !tally.suffices() {
        return Ok(false);
    }
    let reason = run
        .votes_for(Ballot::Approve)
        .last()
        .map(|vote| vote.reason.clone())
        .unwrap_or_default();
    let code = if overridden.is_some() {
        Reason::Override
    } else {
        Reason::Decided
    };
    plan.tell(
        id,
        Event::Decided {
            ballot: Ballot::Approve,
            by: tally.approved,
            reason,
            overridden,
        },
        code,
    )?;
    Ok(true)
}

/// The voters who may not vote for this any more, and why.
fn lapsed_rights(facts: &Facts<'_>, run: &Run) -> Vec<(UserId, Reason)> {
    run.votes_for(Ballot::Approve)
        .filter_map(|vote| Some((vote.user.clone(), lapsed_right(facts, run, &vote.user)?)))
        .collect()
}

fn lapsed_right(facts: &Facts<'_>, run: &Run, user: &UserId) -> Option<Reason> {
    if facts.standing(user) != Standing::Member {
        return Some(Reason::Identity);
    }
    for environment in run.environments().filter_map(|id| facts.service.environment(id)) {
        if facts.is_among(user, &environment.approvers.people) != Some(true) {
            return Some(Reason::Role);
        }
        let wrote = run
            .change
            .as_ref()
            .is_some_and(|change| change.authors().contains(user));
        if !environment.approvers.self_approval && (wrote || run.pinned.starter.user.as_ref() == Some(user)) {
            return Some(Reason::SelfApproval);
        }
    }
    None
}
