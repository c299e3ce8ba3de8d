//! What an operation leaves standing: written to the desk by the commit that ends it.

use std::collections::BTreeMap;

use super::{Operation, Phase, StepState};
use crate::desk::{self, Level, Maintenance};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::runbook::Step;
use crate::step::{Action, Leveled, Levels, LogLevel, Stage};

/// Writes down what is different now, and that an errand is over.
pub(super) fn settle(plan: &mut Plan<'_>, operation: &Operation) {
    if operation.is_plan() {
        return;
    }
    levels(plan, operation);
    maintenance(plan, operation);
    if let Some(errand) = &operation.pinned.errand {
        let ended = desk::Event::ErrandEnded {
            environment: operation.environment().clone(),
            matter: errand.matter,
            run: operation.id.clone(),
        };
        plan.tell_desk(ended, Reason::Standing);
    }
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
            desk::Event::MaintenanceTurned { environment, on: now },
            Reason::Standing,
        );
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
            if Some(level) == baseline || Some(level) == before.as_ref() {
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
