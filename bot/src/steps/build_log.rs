//! The log of a build that failed: from its end, page by page, until it tells why.
//!
//! That it cannot be read is said below the failure and holds it up no longer than a few tries.

use commands::step::CANNOT_TELL;
use commands::time::Span;
use serde_json::{Value, json};

use super::told_by_log::{self, Reading};
use super::{Answer, At, StepError, instant};
use crate::aws::AwsError;
use crate::aws::api::LOGS;
use crate::aws::signed::Ask;

/// After so many attempts what the log says is unknown.
const TRIES: u32 = 4;
/// How many pages are read; one holds up to 10,000 lines or 1 MB.
const PAGES: usize = 6;
/// The last lines of a build arrive a few seconds after its end.
const ARRIVES: Span = Span::seconds(15);

/// What a look at a build came to; where it failed, with what its log says.
pub(super) async fn explained(at: At<'_>, build: &Value, came: Answer) -> Answer {
    let ended_badly = !matches!(build["buildStatus"].as_str(), None | Some("SUCCEEDED" | "IN_PROGRESS"));
    let (code, message) = match came {
        Err(StepError::Failed { code, message }) if ended_badly => (code, message),
        other => return other,
    };
    let mut reading = Reading::new(&at.call.known, (&code, &message));
    let blind = match read(at, build, &mut reading).await {
        Ok(Read::Whole) => {
            let ended = instant(&build["endTime"]).map_or(ARRIVES, |ended| ended.age(at.now));
            if reading.is_in_vain() && ended < ARRIVES && at.attempt < TRIES {
                return Err(StepError::Later(
                    "the last lines of the build's log may be on their way".to_owned(),
                ));
            }
            None
        }
        Ok(Read::Part) if reading.is_in_vain() => {
            let lines = reading.len();
            Some(format!(
                "{CANNOT_TELL} whether it is a known failure: only the newest {lines} lines of the log were read"
            ))
        }
        Ok(Read::Part) => None,
        Err(Blind::NotNow(why)) if at.attempt < TRIES => return Err(StepError::Later(why)),
        Err(Blind::NotNow(why) | Blind::Never(why)) => Some(format!("{CANNOT_TELL} what the build's log says: {why}")),
    };
    let mut lines = reading.lines();
    lines.extend(blind);
    Err(told_by_log::with((code, message), &lines))
}

/// How much of a log was read.
enum Read {
    /// All of it, or all that can tell more.
    Whole,
    /// Its newest part.
    Part,
}

/// Why a log could not be read.
enum Blind {
    /// It may be readable in a moment.
    NotNow(String),
    /// It will not.
    Never(String),
}

impl From<AwsError> for Blind {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::Fatal { code, message } => Self::Never(format!("{code}: {message}")),
            AwsError::Retryable { .. } | AwsError::Unknown { .. } => Self::NotNow(error.to_string()),
        }
    }
}

async fn read(at: At<'_>, build: &Value, reading: &mut Reading) -> Result<Read, Blind> {
    let name = |key: &str| build["logs"][key].as_str().filter(|name| !name.is_empty());
    let Some((group, stream)) = name("groupName").zip(name("streamName")) else {
        return Err(Blind::Never("it has none in CloudWatch Logs".to_owned()));
    };
    let mut token: Option<String> = None;
    for _ in 0..PAGES {
        let mut ask = json!({ "logGroupName": group, "logStreamName": stream, "startFromHead": false });
        if let Some(token) = &token {
            ask["nextToken"] = json!(token);
        }
        let told = match at.aws(LOGS, Ask::target("GetLogEvents", ask)).await {
            Ok(told) => told,
            Err(AwsError::Fatal { code, .. }) if code == "ResourceNotFoundException" => {
                return Err(Blind::Never(format!(
                    "there is no stream {stream} in the log group {group}"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        let events = told.body["events"].as_array().map_or(&[][..], Vec::as_slice);
        reading.part(events.iter().filter_map(|event| event["message"].as_str()));
        let next = told.body["nextBackwardToken"].as_str();
        // At its beginning a log answers with the token that it was asked with. A page may be empty before that.
        if reading.is_enough() || next.is_none() || next == token.as_deref() {
            return Ok(Read::Whole);
        }
        token = next.map(str::to_owned);
    }
    Ok(Read::Part)
}
