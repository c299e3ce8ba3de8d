//! Invocations: a function answers what its reactions say, and does what they say to the account.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
const LOG_TYPE: Rule = Rule::one_of(&["None", "Tail"]);
/// So many bytes of the end of its log an invocation hands out to whoever asks for them.
const TAIL: usize = 4096;

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
    /// What it writes into its log.
    #[serde(default)]
    lines: Vec<String>,
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
    let tail = args.text("LogType", &LOG_TYPE)? == Some("Tail");
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
    let lines = reaction.as_ref().map_or(&[][..], |reaction| reaction.lines.as_slice());
    let log = witness(region, &name, (lines, failure.as_deref()));
    let log = STANDARD.encode(&log.as_bytes()[log.len().saturating_sub(TAIL)..]);
    let mut headers = vec![("x-amz-executed-version", "$LATEST")];
    headers.extend(tail.then_some(("x-amz-log-result", log.as_str())));
    Ok(match (kind.as_str(), failure) {
        ("Event", _) => raw(StatusCode::ACCEPTED, &[], ""),
        (_, Some(message)) => {
            let body = json!({"errorMessage": message, "errorType": "Error", "trace": []}).to_string();
            headers.push(("x-amz-function-error", "Unhandled"));
            raw(StatusCode::OK, &headers, &body)
        }
        (_, None) => {
            let answer = reaction.map_or(Value::Null, |reaction| reaction.answer);
            raw(StatusCode::OK, &headers, &answer.to_string())
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

/// What an invocation leaves behind: lines in the function's log, which are answered, and points in its metrics.
fn witness(region: &mut Region, name: &str, (said, failure): (&[String], Option<&str>)) -> String {
    let now_ms = region.now_ms;
    let id = crate::aws::ids::uuid();
    let group = format!("/aws/lambda/{name}");
    let mut lines = vec![format!("START RequestId: {id} Version: $LATEST")];
    lines.extend(said.iter().cloned());
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
    lines.join("\n")
}
