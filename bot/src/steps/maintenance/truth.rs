//! Whether maintenance mode is on, read outside of any run: for the check that asks people about it.

use std::collections::BTreeMap;

use commands::catalog::MaintenanceMode;
use commands::effect::{CallPhase, StepCall, StepOutcome};
use commands::ids::{StepName, UserId};
use commands::operation::maintenance::reading;
use commands::runbook::{Step, Values};
use commands::step::Action;
use serde_json::Value;

use super::{At, State, StepError, read};
use crate::aws::Actor;
use crate::checks::Ask;

/// What was read, with the words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It is on everywhere.
    On(String),
    /// It is off everywhere.
    Off(String),
    /// Nothing is configured that tells.
    Unread,
}

/// What the steps before have found.
type Found = BTreeMap<StepName, BTreeMap<String, String>>;

/// Reads it wherever the environment has it.
///
/// # Errors
/// When it cannot be read, or is neither on nor off.
pub(crate) async fn maintenance_truth(ask: &Ask<'_>, mode: &MaintenanceMode) -> Result<Truth, StepError> {
    let mut found = Found::new();
    let mut truth: Option<Truth> = None;
    for step in reading(mode, ask.environment) {
        let call = call(ask, &step, &found)?;
        let at = At {
            engine: ask.engine,
            service: ask.service,
            call: &call,
            lease: ask.lease,
            actor: &Actor::Bot,
            now: ask.now,
            attempt: 1,
        };
        let Action::Maintenance(looked) = &call.action else {
            found.insert(step.name, outputs(at).await?);
            continue;
        };
        let seen = read(looked, at).await?;
        let here = match seen.state {
            State::On => Truth::On(seen.words),
            State::Off => Truth::Off(seen.words),
            State::Unread => Truth::Unread,
            State::Mixed(words) => return Err(StepError::failed("mixed", format!("it is {words}"))),
        };
        truth = Some(match truth {
            Some(before) if std::mem::discriminant(&before) != std::mem::discriminant(&here) => {
                return Err(StepError::failed("mixed", "it is not the same in every region"));
            }
            before => before.unwrap_or(here),
        });
    }
    Ok(truth.unwrap_or(Truth::Unread))
}

/// What another kind of step finds that is read first: the color that is live.
async fn outputs(at: At<'_>) -> Result<BTreeMap<String, String>, StepError> {
    let executor = crate::steps::executor(&at.call.action);
    let executor = executor.ok_or_else(|| StepError::failed("bug", "a step that reads nothing"))?;
    match executor.prepare(at).await? {
        StepOutcome::Prepared { outputs, .. } => Ok(outputs),
        _ => Err(StepError::failed("bug", "a step that was not read")),
    }
}

fn call(ask: &Ask<'_>, step: &Step, found: &Found) -> Result<StepCall, StepError> {
    let values = Values {
        service: &ask.service.id,
        environment: &ask.environment.id,
        parameters: &BTreeMap::new(),
        outputs: found,
    };
    let action = step.action.fill(|text| values.fill(text));
    let action = action.map_err(|missing| StepError::failed("no_value", format!("nothing is known for {missing}")))?;
    let nobody = UserId::parse("os:signalbox").map_err(|error| StepError::failed("bug", error.to_string()))?;
    let mut aws = ask.environment.aws.clone();
    if let Some(region) = &step.region {
        aws.region.clone_from(region);
    }
    Ok(StepCall {
        run: ask.run.clone(),
        step: step.name.clone(),
        phase: CallPhase::Prepare,
        number: 1,
        action,
        memo: Value::Null,
        unseen: false,
        environment: ask.environment.id.clone(),
        aws,
        actor: nobody,
        run_began: ask.now,
        by_itself: true,
        then: None,
        known: Vec::new(),
    })
}
