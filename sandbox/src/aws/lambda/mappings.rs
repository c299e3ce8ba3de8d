//! Event source mappings: on, off, and on the way between the two.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Mapping, SWITCH_MS, arn, invalid, name_of, refused};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::page;
use crate::aws::region::Region;
use crate::aws::value::{structure, timestamp};

const ANY: Rule = Rule::length(0, usize::MAX);
/// A page has at most so many mappings.
const PAGE: i64 = 100;

pub(super) fn list(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let function = args.text("FunctionName", &ANY)?.map(name_of);
    let source = args.text("EventSourceArn", &ANY)?;
    let fits = |mapping: &&Mapping| {
        function.is_none_or(|name| name == mapping.function) && source.is_none_or(|arn| arn == mapping.source_arn)
    };
    let mappings: Vec<&Mapping> = region.lambda.mappings.values().filter(fits).collect();
    let size = args.number("MaxItems", 1, 10_000)?.unwrap_or(PAGE).min(PAGE);
    let page = page::forward(&mappings, size, args.text("Marker", &ANY)?);
    let (mappings, next) = page.ok_or_else(|| invalid("Invalid token: the marker is not one of this list's"))?;
    let shown: Vec<Value> = mappings.into_iter().map(|mapping| render(region, mapping)).collect();
    Ok(structure([
        ("EventSourceMappings", Some(json!(shown))),
        ("NextMarker", next.map(Value::from)),
    ]))
}

pub(super) fn get(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let mapping = find(region, args)?.clone();
    Ok(render(region, &mapping))
}

pub(super) fn update(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let enabled = args
        .0
        .get("Enabled")
        .is_some()
        .then(|| args.flag("Enabled"))
        .transpose()?;
    let batch = args.number("BatchSize", 1, 10_000)?;
    let function = args.text("FunctionName", &ANY)?.map(name_of);
    if let Some(name) = function
        && !region.lambda.functions.contains_key(name)
    {
        let message = format!("Function not found: {}", arn(region, name));
        return Err(refused("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND));
    }
    let mapping = find(region, args)?;
    if mapping.switching.is_some() {
        let message = "Cannot update the event source mapping because it is in use.";
        return Err(refused("ResourceInUseException", message));
    }
    mapping.switch(enabled, now_ms);
    mapping.batch_size = batch.unwrap_or(mapping.batch_size);
    if let Some(name) = function {
        name.clone_into(&mut mapping.function);
    }
    let mapping = mapping.clone();
    Ok(render(region, &mapping))
}

impl Mapping {
    /// Begins to switch. An update that says nothing of `Enabled` changes nothing about it: that is how a switch that forgot the flag goes
    /// unnoticed.
    pub(super) fn switch(&mut self, enabled: Option<bool>, now_ms: i64) {
        let meanwhile = match enabled {
            Some(true) if !self.enabled => "Enabling",
            Some(false) if self.enabled => "Disabling",
            _ => "Updating",
        };
        self.switching = Some((now_ms + SWITCH_MS, meanwhile));
        self.enabled = enabled.unwrap_or(self.enabled);
        self.modified_ms = now_ms;
    }
}

fn find<'a>(region: &'a mut Region, args: Args<'_>) -> Result<&'a mut Mapping, AwsError> {
    let uuid = args.need("UUID", &ANY)?;
    let missing = || {
        let message = "The resource you requested does not exist.";
        refused("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND)
    };
    region.lambda.mappings.get_mut(uuid).ok_or_else(missing)
}

/// The state as the service words it.
pub(super) fn state(mapping: &Mapping) -> &'static str {
    match (mapping.switching, mapping.enabled) {
        (Some((_, meanwhile)), _) => meanwhile,
        (None, true) => "Enabled",
        (None, false) => "Disabled",
    }
}

fn render(region: &Region, mapping: &Mapping) -> Value {
    let stream = mapping.source_arn.contains(":dynamodb:") || mapping.source_arn.contains(":kinesis:");
    structure([
        ("UUID", Some(json!(mapping.uuid))),
        ("StartingPosition", stream.then(|| json!("LATEST"))),
        ("BatchSize", Some(json!(mapping.batch_size))),
        ("MaximumBatchingWindowInSeconds", Some(json!(0))),
        ("EventSourceArn", Some(json!(mapping.source_arn))),
        ("FunctionArn", Some(json!(arn(region, &mapping.function)))),
        ("LastModified", Some(timestamp(mapping.modified_ms))),
        ("LastProcessingResult", stream.then(|| json!(mapping.last_result))),
        ("State", Some(json!(state(mapping)))),
        (
            "StateTransitionReason",
            Some(json!(if stream { "User action" } else { "USER_INITIATED" })),
        ),
    ])
}
