//! `lambda`: one invocation. Nothing tells later whether it took place, so a lost answer is a question to people, unless the runbook says that a
//! second one does no harm.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use commands::effect::StepOutcome;
use commands::step::Lambda;
use http::{HeaderMap, Method};
use serde_json::Value;
use std::collections::BTreeMap;

use super::{Answer, At, Executor, Probe, StepError, told_by_log};
use crate::aws::AwsError;
use crate::aws::api::LAMBDA;
use crate::aws::signed::Ask;

const VERSION: &str = "2015-03-31";
/// How much of an answer is kept as evidence.
const EVIDENCE: usize = 300;

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
        Ok(StepOutcome::Prepared {
            memo: Value::Null,
            outputs: BTreeMap::new(),
            evidence: vec![format!(
                "{} is there, last updated {}",
                self.function,
                told.body["LastModified"].as_str().unwrap_or("at an unknown time")
            )],
            done: false,
        })
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let payload = serde_json::from_str(&self.payload)
            .map_err(|_| StepError::failed("bad_payload", format!("`{}` is no JSON", self.payload)))?;
        let path = vec![VERSION, "functions", &self.function, "invocations"];
        let told = match at
            .aws(LAMBDA, Ask::rest("Invoke", Method::POST, path, Some(payload)))
            .await
        {
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
        let answer: String = told.body.to_string().chars().take(EVIDENCE).collect();
        if let Some(kind) = told.headers.get("x-amz-function-error") {
            let kind = String::from_utf8_lossy(kind.as_bytes()).into_owned();
            let message = told.body["errorMessage"].as_str().map_or(answer, str::to_owned);
            let code = format!("function_error ({kind})");
            let log: Vec<String> = tail(&told.headers).into_iter().collect();
            return Err(told_by_log::explained(at, (code, message), &log));
        }
        Ok(StepOutcome::Finished {
            outputs: BTreeMap::from([("answer".to_owned(), told.body.to_string())]),
            evidence: vec![format!("it answered {answer}")],
        })
    }

    async fn probe(&self, _: At<'_>) -> Result<Probe, StepError> {
        Ok(if self.repeatable {
            Probe::NotDone
        } else {
            Probe::CannotTell("the answer of an invocation was lost: it may or may not have taken place".to_owned())
        })
    }
}

/// The end of the invocation's log; nothing where Lambda does not hand it out.
fn tail(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get("x-amz-log-result")?.as_bytes();
    let bytes = STANDARD.decode(encoded).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
