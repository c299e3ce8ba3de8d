//! `event_source`: a Lambda function's mapping, on or off, and seen to be; or only seen.

use async_trait::async_trait;
use commands::step::EventSource;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, Probe, StepError, acted, already, finished, found, none, pending};
use crate::aws::api::LAMBDA;
use crate::aws::signed::Ask;

const VERSION: &str = "2015-03-31";

#[async_trait]
impl Executor for EventSource {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let mapping = find(self, at).await?;
        let state = state(&mapping);
        let source = mapping["EventSourceArn"].as_str().unwrap_or("an unnamed source");
        let standing = format!("the mapping of {} from {source} is {state}", self.function);
        let was = match state {
            "Enabled" => true,
            "Disabled" => false,
            other => return Err(StepError::Later(format!("the mapping is {other}"))),
        };
        let Some(wanted) = self.enabled else {
            let state = if was { "on" } else { "off" };
            let outputs = BTreeMap::from([
                ("state".to_owned(), state.to_owned()),
                ("from".to_owned(), named(source).to_owned()),
            ]);
            return Ok(already(outputs, standing));
        };
        if was == wanted {
            return Ok(already(BTreeMap::new(), format!("{standing} already")));
        }
        Ok(found(json!({ "uuid": mapping["UUID"], "was": was }), vec![standing]))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        turn(at, wanted(self)?).await
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let mapping = get(at).await?;
        Ok(if is_turning(state(&mapping), wanted(self)?) {
            Probe::Done(acted(at.call.memo.clone()))
        } else {
            Probe::NotDone
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        look(self, at, wanted(self)?).await
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        let was = before(self, at)?;
        if is_turning(state(&get(at).await?), was) {
            return Ok(acted(at.call.memo.clone()));
        }
        turn(at, was).await
    }

    async fn undo_watch(&self, at: At<'_>) -> Answer {
        look(self, at, before(self, at)?).await
    }
}

/// The name of the table or queue that an ARN is of: what stands behind `table/` up to the stream's own name, or behind the last colon.
fn named(source: &str) -> &str {
    let last = source.rsplit(':').next().unwrap_or(source);
    let table = source
        .split_once(":table/")
        .and_then(|(_, rest)| rest.split('/').next());
    table.unwrap_or(last)
}

/// What it should be; one that is only read is never turned.
fn wanted(step: &EventSource) -> Result<bool, StepError> {
    step.enabled.ok_or_else(|| none("act"))
}

/// What it was.
fn before(step: &EventSource, at: At<'_>) -> Result<bool, StepError> {
    Ok(at.call.memo["was"].as_bool().unwrap_or(!wanted(step)?))
}

/// The function's mapping; the only one, or the only one with that source.
async fn find(step: &EventSource, at: At<'_>) -> Result<Value, StepError> {
    let all = mappings(&step.function, at).await?;
    let fits = |mapping: &Value| {
        let arn = mapping["EventSourceArn"].as_str().unwrap_or_default();
        step.source.as_ref().is_none_or(|part| arn.contains(part.as_str()))
    };
    let mut fitting: Vec<Value> = all.into_iter().filter(fits).collect();
    match (fitting.pop(), fitting.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(StepError::failed(
            "no_mapping",
            format!("{} has no such event source mapping", step.function),
        )),
        (Some(_), more) => Err(StepError::failed(
            "several_mappings",
            format!(
                "{} has {} event source mappings: say which with `source`",
                step.function,
                more + 1
            ),
        )),
    }
}

/// Everything that a function reads from.
pub(super) async fn mappings(function: &str, at: At<'_>) -> Result<Vec<Value>, StepError> {
    let mut ask = Ask::rest(
        "ListEventSourceMappings",
        Method::GET,
        vec![VERSION, "event-source-mappings", ""],
        None,
    );
    ask.query = vec![("FunctionName", function)];
    let told = at.aws(LAMBDA, ask).await?;
    Ok(told.body["EventSourceMappings"].as_array().cloned().unwrap_or_default())
}

async fn get(at: At<'_>) -> Result<Value, StepError> {
    let uuid = at.call.memo["uuid"].as_str().unwrap_or_default();
    let path = vec![VERSION, "event-source-mappings", uuid];
    let told = at
        .aws(LAMBDA, Ask::rest("GetEventSourceMapping", Method::GET, path, None))
        .await?;
    Ok(told.body)
}

async fn turn(at: At<'_>, enabled: bool) -> Answer {
    let uuid = at.call.memo["uuid"].as_str().unwrap_or_default();
    let path = vec![VERSION, "event-source-mappings", uuid];
    let body = Some(json!({ "Enabled": enabled }));
    at.aws(LAMBDA, Ask::rest("UpdateEventSourceMapping", Method::PUT, path, body))
        .await?;
    Ok(acted(at.call.memo.clone()))
}

async fn look(step: &EventSource, at: At<'_>, enabled: bool) -> Answer {
    let mapping = get(at).await?;
    let state = state(&mapping);
    let wanted = if enabled { "Enabled" } else { "Disabled" };
    let seen = format!("the mapping of {} is {state}", step.function);
    Ok(if state == wanted {
        finished(seen)
    } else {
        pending(at.call.memo.clone(), seen)
    })
}

fn state(mapping: &Value) -> &str {
    mapping["State"].as_str().unwrap_or("in an unknown state")
}

/// Whether a mapping is on its way to what is wanted, or there.
fn is_turning(state: &str, enabled: bool) -> bool {
    if enabled {
        matches!(state, "Enabled" | "Enabling")
    } else {
        matches!(state, "Disabled" | "Disabling")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_by_its_table_or_queue() {
        let stream = "arn:aws:dynamodb:us-east-1:1:table/efcms-stg-alpha/stream/2026-11-21T17:00:00.000";
        assert_eq!(named(stream), "efcms-stg-alpha");
        assert_eq!(named("arn:aws:sqs:us-east-1:1:work"), "work");
        assert_eq!(named("an unnamed source"), "an unnamed source");
    }
}
