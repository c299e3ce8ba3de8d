//! Lambda: functions whose configuration can be changed and which answer as they were told to, and the mappings that feed them.
//!
//! A change takes a while on the sandbox's clock, and so does switching a mapping; both refuse a second change meanwhile, as the service does.

mod control;
mod functions;
mod invoke;
mod mappings;
mod rest;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::account::Account;
use super::deed::Directed;
use super::error::AwsError;
use super::region::Region;
use super::service::{Request, RestDialect, Service};

pub use control::variables;
pub(crate) use control::{Deed, FunctionSeed, MappingSeed, act, snapshot};
pub(crate) use invoke::Reaction;

/// Lambda on the wire.
pub(crate) const SERVICE: Service = Service {
    target: "",
    query: None,
    rest: Some(RestDialect {
        scope: "lambda",
        namespace: "",
        route: rest::route,
    }),
    call,
};

/// How long a change of a function's configuration is under way, in milliseconds.
const UPDATE_MS: i64 = 3_000;
/// How long a mapping takes to be switched on or off, in milliseconds. The service takes up to a minute or so.
const SWITCH_MS: i64 = 5_000;

/// A function.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) runtime: String,
    pub(crate) handler: String,
    pub(crate) description: String,
    pub(crate) timeout_s: i64,
    pub(crate) memory_mb: i64,
    pub(crate) variables: BTreeMap<String, String>,
    /// What KMS says when the variables cannot be decrypted; then nobody is shown any.
    pub(crate) kms_error: Option<String>,
    pub(crate) logging: Option<Value>,
    pub(crate) code_sha256: String,
    pub(crate) revision: String,
    pub(crate) modified_ms: i64,
    pub(crate) update: Update,
    /// Why the next update will fail.
    pub(crate) fail_update: Option<String>,
    /// What it answers, by what it is given; the first that fits.
    pub(crate) reactions: Vec<Reaction>,
    /// How it was invoked, oldest first.
    pub(crate) invocations: VecDeque<invoke::Invocation>,
}

/// Where the last change of a function's configuration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Update {
    Done,
    Running { until_ms: i64, fails: Option<String> },
    Failed(String),
}

/// What feeds a function from a queue or a stream.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) uuid: String,
    pub(crate) function: String,
    pub(crate) source_arn: String,
    pub(crate) batch_size: i64,
    pub(crate) enabled: bool,
    /// When a switch that is under way is done, and what it is called meanwhile.
    pub(crate) switching: Option<(i64, &'static str)>,
    pub(crate) last_result: String,
    pub(crate) modified_ms: i64,
}

/// The functions and mappings of a region.
#[derive(Debug, Default)]
pub(crate) struct Lambda {
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) mappings: BTreeMap<String, Mapping>,
}

impl Lambda {
    /// When the next change is done.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let updates = self.functions.values().filter_map(|function| match function.update {
            Update::Running { until_ms, .. } => Some(until_ms),
            _ => None,
        });
        let switches = self.mappings.values().filter_map(|mapping| mapping.switching);
        updates.chain(switches.map(|(until_ms, _)| until_ms)).min()
    }

    /// Ends every change whose time has come.
    pub(crate) fn settle(&mut self, now_ms: i64) {
        for function in self.functions.values_mut() {
            if let Update::Running { until_ms, fails } = &function.update
                && *until_ms <= now_ms
            {
                function.update = fails.clone().map_or(Update::Done, Update::Failed);
                // The end of an update is a new revision: who writes again must read again.
                function.revision = super::ids::uuid();
            }
        }
        for mapping in self.mappings.values_mut() {
            if mapping.switching.is_some_and(|(until_ms, _)| until_ms <= now_ms) {
                mapping.switching = None;
            }
        }
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let region = account.region(&request.place);
    Some(match request.operation {
        "ListFunctions" => functions::list(region, args),
        "GetFunction" => functions::get(region, args),
        "GetFunctionConfiguration" => functions::get_configuration(region, args),
        "UpdateFunctionConfiguration" => functions::update_configuration(region, args),
        "Invoke" => invoke::invoke(region, args),
        "ListEventSourceMappings" => mappings::list(region, args),
        "GetEventSourceMapping" => mappings::get(region, args),
        "UpdateEventSourceMapping" => mappings::update(region, args),
        _ => return None,
    })
}

/// The name in what callers write: a name, an ARN, a part of one; with or without a qualifier.
fn name_of(text: &str) -> &str {
    let rest = text.split_once("function:").map_or(text, |(_, rest)| rest);
    rest.split(':').next().unwrap_or_default()
}

fn arn(region: &Region, name: &str) -> String {
    region.place.arn("lambda", &format!("function:{name}"))
}

/// Lambda's errors say whose fault they are.
fn refused(code: &str, message: impl Into<String>) -> AwsError {
    AwsError::new(code, message).with_members(json!({"Type": "User"}))
}

fn invalid(message: impl Into<String>) -> AwsError {
    refused("InvalidParameterValueException", message)
}

/// A deed of a reaction, to be done where the function is.
fn schedule(region: &mut Region, deeds: &[Directed]) {
    region.outbox.extend(deeds.iter().cloned());
}
