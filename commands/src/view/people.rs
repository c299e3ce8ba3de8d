//! Who voted, who still may, and how many are missing.

use std::collections::BTreeSet;

use super::message::{DateStyle, Inline, Line};
use super::words::{command, count, cut, listed, quoted, typed};
use crate::catalog::Environment;
use crate::facts::{Facts, Standing};
use crate::gate::{self, tally::Tally};
use crate::ids::{GroupId, UserId};
use crate::run::{Ballot, Run, Vote};

/// How many people are named one by one before a group's name says it better.
const NAMED: usize = 4;

/// A person by name, so that nobody is called: for headlines and private replies. Unknown people stay mentions, which Slack resolves.
pub(super) fn who(facts: &Facts<'_>, user: &UserId) -> Inline {
    match facts.people.get(user) {
        Some(person) if !person.name.is_empty() => Inline::Text(cut(&person.name, 60)),
        _ => Inline::Mention(user.clone()),
    }
}

/// Several people by name; those whose name is not known here are left to whoever shows it.
pub(super) fn named(facts: &Facts<'_>, users: &[UserId]) -> Line {
    listed(users.iter().map(|user| vec![who(facts, user)]).collect(), "and")
}

/// The same as mere text.
pub(super) fn names(facts: &Facts<'_>, users: &[UserId]) -> String {
    super::plain(&named(facts, users))
}

/// How many more approvals it takes: people, or groups that nobody stands for yet, whichever is more.
pub(super) fn missing(tally: &Tally) -> usize {
    tally
        .required
        .saturating_sub(tally.approved.len())
        .max(tally.missing.len())
}

/// What a run waits for: `1 of 2`, `1 approval`.
pub(super) fn wanted(tally: &Tally) -> String {
    let missing = missing(tally);
    if tally.required > 1 && missing <= tally.required {
        format!("{missing} of {}", tally.required)
    } else {
        count(missing, "approval")
    }
}

/// One vote: who, when, and their words.
pub(super) fn vote(vote: &Vote) -> Line {
    let mut line = line![&vote.user, " at ", vote.at.shown(DateStyle::Time)];
    if let Some(os_user) = &vote.os_user {
        line.push(format!(" (from the command line, as {})", cut(os_user, 40)).into());
    }
    if let Some(words) = quoted(&vote.reason, 120) {
        line.extend(line![" ", words]);
    }
    line
}

/// The votes for one side.
pub(super) fn votes(run: &Run, ballot: Ballot) -> Line {
    listed(run.votes_for(ballot).map(vote).collect(), "and")
}

/// The configured environments of a run.
pub(super) fn environments<'a>(facts: &Facts<'a>, run: &'a Run) -> Vec<&'a Environment> {
    run.environments()
        .filter_map(|id| facts.service.environment(id))
        .collect()
}

/// Everyone who may still approve a run, by every rule that does not depend on the moment; `None` when a group's members are not known.
pub(super) fn may_approve(facts: &Facts<'_>, run: &Run) -> Option<BTreeSet<UserId>> {
    let mut found: Option<BTreeSet<UserId>> = None;
    for environment in environments(facts, run) {
        let approvers = &environment.approvers;
        let mut here = approvers.people.users.clone();
        for group in &approvers.people.groups {
            here.extend(facts.groups.get(group)?.as_ref()?.iter().cloned());
        }
        if !approvers.self_approval {
            let authors = run
                .change
                .as_ref()
                .map(crate::round::Change::authors)
                .unwrap_or_default();
            here.retain(|user| !authors.contains(user) && run.pinned.starter.user.as_ref() != Some(user));
        }
        found = Some(match found {
            Some(before) => before.intersection(&here).cloned().collect(),
            None => here,
        });
    }
    let mut found = found?;
    found.retain(|user| {
        // Those who were not looked up may well be members; those who were and are not may not.
        let left = facts
            .people
            .get(user)
            .is_some_and(|person| person.standing != Standing::Member && person.standing != Standing::Unknown);
        !left && !run.votes_for(Ballot::Approve).any(|vote| vote.user == *user)
    });
    Some(found)
}

/// Who else may approve, person by person where they are few, else by group.
pub(super) fn others(facts: &Facts<'_>, run: &Run) -> Line {
    match may_approve(facts, run) {
        Some(people) if people.is_empty() => line!["nobody"],
        Some(people) if people.len() <= NAMED => {
            listed(people.iter().map(|user| vec![who(facts, user)]).collect(), "or")
        }
        _ => configured(facts, run),
    }
}

/// Who may approve, as the configuration names them; each environment's own when they differ.
pub(super) fn configured(facts: &Facts<'_>, run: &Run) -> Line {
    let found = environments(facts, run);
    match found.as_slice() {
        [] => line!["nobody (the environment is no longer configured)"],
        [first, rest @ ..]
            if rest
                .iter()
                .all(|other| other.approvers.people == first.approvers.people) =>
        {
            gate::names(&first.approvers.people)
        }
        several => {
            let each = several.iter().map(|environment| {
                let mut line = gate::names(&environment.approvers.people);
                line.push(format!(" (for {})", environment.id).into());
                line
            });
            listed(each.collect(), "and")
        }
    }
}

/// What is left when nobody may approve: the broken glass, for those whom every environment names, or no at all.
pub(super) fn way_out(facts: &Facts<'_>, run: &Run) -> Line {
    let found = environments(facts, run);
    match found.first().map(|first| &first.overriders) {
        Some(people) if !people.is_empty() && found.iter().all(|other| other.overriders == *people) => {
            let mut line = gate::names(people);
            let words = command(
                facts,
                "approve",
                run.home(),
                &format!("{} --override <reason>", typed(run)),
            );
            line.extend(line![" may break the glass: ", super::code(words)]);
            line
        }
        _ => line!["Reject it, and start it again as somebody else."],
    }
}

/// "one of @ops has to be among them", for groups that nobody stands for yet.
pub(super) fn missing_groups(groups: &BTreeSet<GroupId>) -> Option<Line> {
    if groups.is_empty() {
        return None;
    }
    let mut line = line!["one of "];
    line.extend(listed(
        groups.iter().cloned().map(|group| vec![Inline::Group(group)]).collect(),
        "and one of",
    ));
    line.push(
        if groups.len() == 1 {
            " has to be among them"
        } else {
            " have to be among them"
        }
        .into(),
    );
    Some(line)
}
