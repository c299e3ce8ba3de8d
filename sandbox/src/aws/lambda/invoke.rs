//! Invocations: a function answers what its reactions say, and does what they say to the account.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{functions, refused, schedule};
use crate::aws::args::{Args, Rule};
use crate::aws::deed::Directed;
use crate::aws::error::AwsError;
use crate::aws::region::Region;
use crate::aws::value::raw;

/// How many invocations are remembered.
const KEPT: usize = 100;
const TYPE: Rule = Rule::one_of(&["Event", "RequestResponse", "DryRun"]);

/// What a function does with what it is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reaction {
    /// Members that the payload must have, with these values; without, every payload fits.
    #[serde(default)]
    when: Option<Value>,
    /// What it answers.
    #[serde(default)]
    answer: Value,
    /// The message of the error with which it ends instead: the call itself still succeeds.
    #[serde(default)]
    error: Option<String>,
    /// How many invocations it is for; without, all.
    #[serde(default)]
    times: Option<u32>,
    /// What it does to the account.
    #[serde(default)]
    deeds: Vec<Directed>,
}

/// How a function was invoked.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Invocation {
    pub(crate) at_ms: i64,
    pub(crate) kind: String,
    pub(crate) payload: Value,
    pub(crate) failed: bool,
}

impl Reaction {
    fn fits(&self, payload: &Value) -> bool {
        let Some(Value::Object(when)) = &self.when else {
            return self.when.is_none() || self.when.as_ref() == Some(payload);
        };
        when.iter().all(|(key, value)| payload.get(key) == Some(value))
    }
}

pub(super) fn invoke(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let kind = args.need("InvocationType", &TYPE)?.to_owned();
    let text = args.text("Payload", &Rule::length(0, usize::MAX))?.unwrap_or_default();
    let function = functions::find(region, args)?;
    let payload: Value = if text.is_empty() {
        json!({})
    } else {
        let broken = |error: serde_json::Error| {
            format!("Could not parse request body into json: Could not parse payload into json: {error}")
        };
        serde_json::from_str(text).map_err(|error| refused("InvalidRequestContentException", broken(error)))?
    };
    if kind == "DryRun" {
        return Ok(raw(StatusCode::NO_CONTENT, &[], ""));
    }
    let reaction = take_reaction(&mut function.reactions, &payload);
    let failure = reaction.as_ref().and_then(|reaction| reaction.error.clone());
    function.invocations.push_back(Invocation {
        at_ms: now_ms,
        kind: kind.clone(),
        payload,
        failed: failure.is_some(),
    });
    if function.invocations.len() > KEPT {
        function.invocations.pop_front();
    }
    let name = function.name.clone();
    if let Some(reaction) = &reaction {
        schedule(region, &reaction.deeds);
    }
    witness(region, &name, failure.as_deref());
    let version = ("x-amz-executed-version", "$LATEST");
    Ok(match (kind.as_str(), failure) {
        ("Event", _) => raw(StatusCode::ACCEPTED, &[], ""),
        (_, Some(message)) => {
            let body = json!({"errorMessage": message, "errorType": "Error", "trace": []}).to_string();
            raw(StatusCode::OK, &[version, ("x-amz-function-error", "Unhandled")], &body)
        }
        (_, None) => {
            let answer = reaction.map_or(Value::Null, |reaction| reaction.answer);
            raw(StatusCode::OK, &[version], &answer.to_string())
        }
    })
}

/// The first reaction that fits, which is used up when it was for so many invocations only.
fn take_reaction(reactions: &mut Vec<Reaction>, payload: &Value) -> Option<Reaction> {
    let at = reactions.iter().position(|reaction| reaction.fits(payload))?;
    let reaction = reactions[at].clone();
    match &mut reactions[at].times {
        Some(1) => drop(reactions.remove(at)),
        Some(times) => *times -= 1,
        None => {}
    }
    Some(reaction)
}

/// What an invocation leaves behind: lines in the function's log and points in its metrics.
fn witness(region: &mut Region, name: &str, failure: Option<&str>) {
    let now_ms = region.now_ms;
    let id = crate::aws::ids::uuid();
    let group = format!("/aws/lambda/{name}");
    let mut lines = vec![format!("START RequestId: {id} Version: $LATEST")];
    lines.extend(failure.map(|message| format!("{id}\tERROR\tInvoke Error\t{message}")));
    lines.push(format!("END RequestId: {id}"));
    region.logs.append(&group, "$LATEST", &lines, now_ms);
    let dimensions = [("FunctionName", name)];
    region
        .metrics
        .add("AWS/Lambda", "Invocations", &dimensions, (now_ms, 1.0));
    let errors = if failure.is_some() { 1.0 } else { 0.0 };
    region
        .metrics
        .add("AWS/Lambda", "Errors", &dimensions, (now_ms, errors));
}
