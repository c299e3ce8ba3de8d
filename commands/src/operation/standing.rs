//! What an operation leaves standing: written to the desk by the commit that ends it.

use std::collections::BTreeMap;

use super::backward::is_aborted;
use super::{Operation, Phase, StepState};
use crate::desk::{self, Conducted, Level, Maintenance};
use crate::ids::EnvironmentId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Status;
use crate::runbook::Step;
use crate::step::{Action, Leveled, Levels, LogLevel, Stage};
use crate::view;
use crate::watch;

/// Writes down what is different now, and that an errand is over.
pub(super) fn settle(plan: &mut Plan<'_>, operation: &Operation) {
    if operation.is_plan() {
        return;
    }
    levels(plan, operation);
    maintenance(plan, operation);
    conducted(plan, operation);
    if let Some(errand) = &operation.pinned.errand {
        let ended = desk::Event::ErrandEnded {
            environment: operation.environment().clone(),
            matter: errand.matter,
            run: operation.id.clone(),
        };
        plan.tell_desk(ended, Reason::Standing);
    }
}

/// Writes it into the environment's history.
fn conducted(plan: &mut Plan<'_>, operation: &Operation) {
    let Some((reason, at)) = operation.ended() else { return };
    let pinned = &operation.pinned;
    let by_itself = pinned.errand.as_ref().is_some_and(|errand| errand.by_itself);
    let conducted = Conducted {
        run: operation.id.clone(),
        what: view::operation_name(operation),
        reason,
        aborted: reason == Reason::Undone && is_aborted(operation),
        at,
        took: pinned.started_at.age(at),
        by: (!by_itself).then(|| pinned.starter.clone()),
        card: operation
            .card
            .as_ref()
            .map(|card| (card.channel.clone(), card.ts.clone())),
    };
    let ended = desk::Event::OperationEnded {
        environment: operation.environment().clone(),
        conducted,
    };
    plan.tell_desk(ended, reason);
}

fn maintenance(plan: &mut Plan<'_>, operation: &Operation) {
    let turned = |(step, state): (&Step, &StepState)| match &step.action {
        Action::Maintenance(action) => Some((action.on?, state.phase, state.acted)),
        _ => None,
    };
    let steps: Vec<(bool, Phase, bool)> = operation.all().filter_map(turned).collect();
    let environment = operation.environment().clone();
    let known = plan.desk().maintenance.get(&environment).cloned();
    let errand = operation.pinned.errand.as_ref();
    let stands = |phase, acted| phase == Phase::Done || (acted && !matches!(phase, Phase::Undone | Phase::Skipped));
    let mut off = steps.iter().filter(|(on, ..)| !on).peekable();
    // One region that is on is on; off is what is off everywhere.
    let went_off = off.peek().is_some() && off.all(|(_, phase, _)| *phase == Phase::Done);
    let mut now = known.clone();
    for (on, phase, acted) in steps {
        if !stands(phase, acted) {
            continue;
        }
        now = match (on, now) {
            (true, _) => Some(Maintenance {
                by: operation.pinned.starter.clone(),
                reason: operation.pinned.reason.clone(),
                since: known.as_ref().map_or(plan.facts.now, |known| known.since),
                until: errand.and_then(|errand| errand.until),
                off_after: errand.is_some_and(|errand| errand.off_after),
                told: None,
            }),
            (false, _) if went_off => None,
            (false, now) => now,
        };
    }
    if errand.is_some_and(|errand| errand.by_itself)
        && let Some(left) = &mut now
    {
        // It did not go off as it should have: from now on that is for people, and they are told.
        left.off_after = false;
        left.told = Some(plan.facts.now);
    }
    if now != known {
        plan.tell_desk(
            desk::Event::MaintenanceTurned {
                environment: environment.clone(),
                on: now,
            },
            Reason::Standing,
        );
        look_again(plan, &environment);
    }
}

/// What the cards that wait there say of it, and of what is red because of it, was true before.
fn look_again(plan: &mut Plan<'_>, environment: &EnvironmentId) {
    let facts = plan.facts;
    let waiting = facts.runs.values().filter(|run| run.status == Status::Waiting);
    for run in waiting.filter(|run| run.environments().any(|one| one == environment)) {
        for effect in watch::gather_checks(facts, &run.id, std::iter::once(environment)) {
            plan.owe(effect);
        }
    }
}

fn levels(plan: &mut Plan<'_>, operation: &Operation) {
    let mut set: BTreeMap<String, Option<Level>> = BTreeMap::new();
    let by_itself = operation.pinned.errand.as_ref().is_some_and(|errand| errand.by_itself);
    for (step, state) in operation.all() {
        let Action::LogLevel(action) = &step.action else {
            continue;
        };
        if by_itself {
            let given_up = |name: &String| Some((name.clone(), Some(given_up(plan, operation, name)?)));
            set.extend(action.functions.iter().filter_map(given_up));
        }
        for one in Levels::of(&state.memo).functions {
            if let Some(level) = now_at(plan, operation, action, &one) {
                set.insert(one.name, level);
            }
        }
    }
    if !set.is_empty() {
        let event = desk::Event::LevelsSet {
            environment: operation.environment().clone(),
            set,
        };
        plan.tell_desk(event, Reason::Standing);
    }
}

/// A level that was to go back by itself, if it does not: from now on it is for people to put it back.
fn given_up(plan: &Plan<'_>, operation: &Operation, function: &str) -> Option<Level> {
    let known = plan.desk().level(operation.environment(), function)?;
    Some(Level {
        until: None,
        ..known.clone()
    })
}

/// What the desk is to remember of a function: a level somebody left, or that there is none any more. `None`: nothing changes.
fn now_at(plan: &Plan<'_>, operation: &Operation, action: &LogLevel, one: &Leveled) -> Option<Option<Level>> {
    let environment = operation.environment();
    let known = plan.desk().level(environment, &one.name);
    let errand = operation.pinned.errand.as_ref();
    let until = errand.and_then(|errand| errand.until);
    match one.stage {
        Stage::Ahead | Stage::Back | Stage::BackSeen => None,
        Stage::LeftAlone => known.map(|_| None),
        // Who asks again for what they left has another end in mind; what nobody left here is nobody's.
        Stage::Already => {
            let known = known.filter(|known| Some(&known.level) == action.level.as_ref())?;
            Some(Some(Level {
                by: operation.pinned.starter.clone(),
                reason: operation.pinned.reason.clone(),
                until,
                ..known.clone()
            }))
        }
        Stage::Sent | Stage::Seen => {
            let functions = plan.facts.service.environment(environment)?.functions.as_ref();
            let baseline = functions.map(|functions| &functions.baseline);
            // The level from before all of it is what it goes back to, also when it was set several times.
            let ours = known.filter(|known| Some(&known.level) == one.before.as_ref());
            let before = ours.map_or_else(|| one.before.clone(), |known| known.before.clone());
            let Some(level) = &action.level else {
                return Some(None);
            };
            // At the baseline nothing is left standing, unless it was set there for a while only.
            let at_rest = Some(level) == baseline && until.is_none();
            if at_rest || Some(level) == before.as_ref() {
                return Some(None);
            }
            Some(Some(Level {
                level: level.clone(),
                before,
                by: operation.pinned.starter.clone(),
                reason: operation.pinned.reason.clone(),
                since: plan.facts.now,
                until,
            }))
        }
    }
}
