//! `lambda`: one invocation. Nothing tells later whether it took place, so a lost answer is a question to people, unless the runbook says that a
//! second one does no harm.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use commands::effect::StepOutcome;
use commands::step::Lambda;
use http::{HeaderMap, Method};
use serde_json::Value;
use std::time::Duration;

use super::lines::{cut_at, shown};
use super::{Answer, At, Executor, Probe, StepError, found, told_by_log};
use crate::aws::AwsError;
use crate::aws::api::LAMBDA;
use crate::aws::signed::Ask;

const VERSION: &str = "2015-03-31";
/// How long a function is waited for: what a lease leaves, but for what comes before and for the report of it. Lambda itself lets one run for 15 minutes.
const PATIENCE: Duration = Duration::from_secs(33);
/// How much is shown of an answer, or of why there is none, in characters.
const SHOWN: usize = 300;
/// The longest answer that later steps are told, in characters.
const LONGEST: usize = 200;

#[async_trait]
impl Executor for Lambda {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let path = vec![VERSION, "functions", &self.function, "configuration"];
        let told = at
            .aws(LAMBDA, Ask::rest("GetFunctionConfiguration", Method::GET, path, None))
            .await?;
        let status = told.body["LastUpdateStatus"].as_str().unwrap_or("Successful");
        if status == "InProgress" {
            return Err(StepError::Later(format!("{} is being updated", self.function)));
        }
        let mut evidence = vec![format!(
            "{} is there, last updated {}",
            self.function,
            told.body["LastModified"].as_str().unwrap_or("at an unknown time")
        )];
        evidence.extend(told.body["Timeout"].as_u64().and_then(outlasts));
        Ok(found(Value::Null, evidence))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let payload = serde_json::from_str(&self.payload)
            .map_err(|_| StepError::failed("bad_payload", format!("`{}` is no JSON", self.payload)))?;
        let path = vec![VERSION, "functions", &self.function, "invocations"];
        let ask = Ask {
            timeout: PATIENCE,
            ..Ask::rest("Invoke", Method::POST, path, Some(payload))
        };
        let told = match at.aws(LAMBDA, ask).await {
            Ok(told) => told,
            // It certainly was not invoked: that is worth saying, for a second try could not know it.
            Err(AwsError::Retryable { code, message }) if !self.repeatable => {
                return Err(StepError::Failed {
                    code,
                    message: format!("it was not invoked: {message}"),
                });
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(kind) = told.headers.get("x-amz-function-error") {
            let kind = String::from_utf8_lossy(kind.as_bytes()).into_owned();
            let log: Vec<String> = tail(&told.headers).into_iter().collect();
            return Err(told_by_log::explained(
                at,
                (format!("function_error ({kind})"), why(&told.body)),
                &log,
            ));
        }
        Ok(answered(&told.body))
    }

    async fn probe(&self, _: At<'_>) -> Result<Probe, StepError> {
        Ok(if self.repeatable {
            Probe::NotDone
        } else {
            Probe::CannotTell("the answer of an invocation was lost: it may or may not have taken place".to_owned())
        })
    }
}

/// What is to be known of a function that may run longer than it is waited for.
fn outlasts(seconds: u64) -> Option<String> {
    let patience = PATIENCE.as_secs();
    (seconds > patience).then(|| format!("it may run for {seconds} s; its answer is waited for {patience} s"))
}

/// Why the function failed, in its words.
fn why(body: &Value) -> String {
    let said = body["errorMessage"]
        .as_str()
        .map_or_else(|| body.to_string(), str::to_owned);
    let shown = shown(&said);
    if shown.is_empty() {
        return "it does not say why".to_owned();
    }
    cut_at(&shown, SHOWN)
}

/// What the function answered. Later steps are told all of it or nothing: a part would be taken for the whole.
fn answered(body: &Value) -> StepOutcome {
    let answer = body.to_string();
    let plain = shown(&answer);
    let told = plain == answer && answer.chars().count() <= LONGEST;
    let untold = if told {
        ""
    } else {
        ", of which later steps are told nothing"
    };
    StepOutcome::Finished {
        outputs: told.then(|| ("answer".to_owned(), answer)).into_iter().collect(),
        evidence: vec![format!("it answered {}{untold}", cut_at(&plain, SHOWN))],
    }
}

/// The end of the invocation's log; nothing where Lambda does not hand it out.
fn tail(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get("x-amz-log-result")?.as_bytes();
    let bytes = STANDARD.decode(encoded).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_shown_without_secrets_and_told_whole_or_not_at_all() {
        let came = |body: Value| match answered(&body) {
            StepOutcome::Finished { outputs, evidence } => (outputs.get("answer").cloned(), evidence.concat()),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            came(json!({ "ok": true })),
            (Some("{\"ok\":true}".to_owned()), "it answered {\"ok\":true}".to_owned())
        );
        assert_eq!(
            came(json!({ "a": 1, "password": "hunter2" })),
            (
                None,
                "it answered {\"a\":1,\"password\":…, of which later steps are told nothing".to_owned()
            )
        );
        let (told, shown) = came(json!("x".repeat(100_000)));
        assert!(told.is_none() && shown.chars().count() < 400, "{shown}");
    }

    #[test]
    fn a_function_is_waited_for_as_long_as_a_lease_allows_and_one_that_may_outlast_it_is_said() {
        let lease = Duration::from_millis(u64::try_from(crate::runner::worker::LEASE.0).unwrap());
        assert!(PATIENCE > Duration::from_secs(30) && PATIENCE + Duration::from_secs(5) <= lease);
        assert_eq!(outlasts(33), None);
        assert_eq!(
            outlasts(900).unwrap(),
            "it may run for 900 s; its answer is waited for 33 s"
        );
    }

    #[test]
    fn why_a_function_failed_is_one_short_line_without_secrets() {
        let said = json!({ "errorMessage": "cannot reach\n redis://ann:hunter2@cache:6379" });
        assert_eq!(why(&said), "cannot reach redis://***@cache:6379");
        assert_eq!(
            why(&json!({ "errorMessage": "x".repeat(100_000) })).chars().count(),
            SHOWN
        );
        assert_eq!(why(&json!({ "errorMessage": "" })), "it does not say why");
    }
}
