//! `schedule`: an EventBridge rule, on or off, and seen to be.

use async_trait::async_trait;
use commands::step::Schedule;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, Probe, StepError, acted, already, finished, found, pending};
use crate::aws::api::EVENTS;
use crate::aws::signed::Ask;

#[async_trait]
impl Executor for Schedule {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let rule = describe(self, at).await?;
        let state = state(&rule);
        let when = rule["ScheduleExpression"].as_str().map(|text| format!(", {text}"));
        let standing = format!("the rule {}{} is {state}", self.rule, when.unwrap_or_default());
        let Some(was) = is_on(state) else {
            return Err(StepError::failed("odd_state", standing));
        };
        if was == self.enabled {
            return Ok(already(BTreeMap::new(), format!("{standing} already")));
        }
        if let Some(owner) = rule["ManagedBy"].as_str() {
            let why = format!("{standing} and managed by {owner}, which alone may change it");
            return Err(StepError::failed("managed_rule", why));
        }
        if was && state != "ENABLED" {
            // Turning it on again would make it hear less than before.
            let why = format!("{standing}: what is turned off here could not be undone, so do it by hand");
            return Err(StepError::failed("not_restorable", why));
        }
        Ok(found(json!({ "was": was }), vec![standing]))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        turn(self, at, self.enabled).await
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let rule = describe(self, at).await?;
        Ok(if is_on(state(&rule)) == Some(self.enabled) {
            Probe::Done(acted(at.call.memo.clone()))
        } else {
            Probe::NotDone
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        look(self, at, self.enabled).await
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        let was = was(self, at);
        if is_on(state(&describe(self, at).await?)) == Some(was) {
            return Ok(acted(at.call.memo.clone()));
        }
        turn(self, at, was).await
    }

    async fn undo_watch(&self, at: At<'_>) -> Answer {
        look(self, at, was(self, at)).await
    }
}

fn was(step: &Schedule, at: At<'_>) -> bool {
    at.call.memo["was"].as_bool().unwrap_or(!step.enabled)
}

fn ask(step: &Schedule) -> Value {
    let mut ask = json!({ "Name": step.rule });
    if let Some(bus) = &step.bus {
        ask["EventBusName"] = json!(bus);
    }
    ask
}

async fn describe(step: &Schedule, at: At<'_>) -> Result<Value, StepError> {
    Ok(at.aws(EVENTS, Ask::target("DescribeRule", ask(step))).await?.body)
}

async fn turn(step: &Schedule, at: At<'_>, enabled: bool) -> Answer {
    let operation = if enabled { "EnableRule" } else { "DisableRule" };
    at.aws(EVENTS, Ask::target(operation, ask(step))).await?;
    Ok(acted(at.call.memo.clone()))
}

async fn look(step: &Schedule, at: At<'_>, enabled: bool) -> Answer {
    let rule = describe(step, at).await?;
    let words = format!("the rule {} is {}", step.rule, state(&rule));
    Ok(if is_on(state(&rule)) == Some(enabled) {
        finished(words)
    } else {
        pending(at.call.memo.clone(), words)
    })
}

fn state(rule: &Value) -> &str {
    rule["State"].as_str().unwrap_or("in an unknown state")
}

/// Whether a rule in this state runs; `None`: EventBridge says something that this version does not know.
fn is_on(state: &str) -> Option<bool> {
    match state {
        "ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => Some(true),
        "DISABLED" => Some(false),
        _ => None,
    }
}
