//! `redrive`: a message move task, started once and followed to its end.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::Redrive;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, Probe, StepError, acted, already, found, pending_at};
use crate::aws::api::SQS;
use crate::aws::signed::Ask;

const WAITING: &str = "ApproximateNumberOfMessages";
/// SQS lists no more tasks of a queue than this, the newest first.
const TASKS: u32 = 10;

#[async_trait]
impl Executor for Redrive {
    /// The newest task that is there already tells ours from those before it: by SQS's clock, not by ours.
    async fn prepare(&self, at: At<'_>) -> Answer {
        let told = at
            .aws(SQS, Ask::target("GetQueueUrl", json!({ "QueueName": self.queue })))
            .await?;
        let ask = json!({ "QueueUrl": told.body["QueueUrl"], "AttributeNames": ["QueueArn", WAITING] });
        let told = at.aws(SQS, Ask::target("GetQueueAttributes", ask)).await?;
        let attributes = &told.body["Attributes"];
        let number = attributes[WAITING].as_str().and_then(|text| text.parse::<u64>().ok());
        let Some(waiting) = number else {
            return Err(StepError::Later(format!("SQS did not say {WAITING}")));
        };
        let standing = format!("{} holds {waiting}", self.queue);
        if waiting == 0 {
            return Ok(already(moved(0), format!("{standing}: nothing to move")));
        }
        let tasks = tasks(at, &attributes["QueueArn"]).await?;
        let newest = tasks.first();
        if newest.is_some_and(|task| matches!(status(task), "RUNNING" | "CANCELLING")) {
            let why = format!(
                "messages of {} are being moved already: wait until they are",
                self.queue
            );
            return Err(StepError::failed("task_running", why));
        }
        let before = newest.map_or(0, started);
        let memo = json!({ "arn": attributes["QueueArn"], "before": before });
        Ok(found(memo, vec![standing]))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let mut ask = json!({ "SourceArn": at.call.memo["arn"] });
        if let Some(number) = self.per_second {
            ask["MaxNumberOfMessagesPerSecond"] = json!(number);
        }
        at.aws(SQS, Ask::target("StartMessageMoveTask", ask)).await?;
        Ok(acted(at.call.memo.clone()))
    }

    /// A queue has one task at a time, so one that was started since is as good as ours: it moves the same messages.
    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        Ok(match ours(at).await? {
            Some(_) => Probe::Done(acted(at.call.memo.clone())),
            None => Probe::NotDone,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        match ours(at).await? {
            Some(task) => judge(&self.queue, &task, &at.call.memo),
            None => Err(StepError::failed(
                "no_task",
                format!(
                    "SQS lists no task of {} any more: look how many messages it holds",
                    self.queue
                ),
            )),
        }
    }
}

async fn tasks(at: At<'_>, arn: &Value) -> Result<Vec<Value>, StepError> {
    let ask = json!({ "SourceArn": arn, "MaxResults": TASKS });
    let told = at.aws(SQS, Ask::target("ListMessageMoveTasks", ask)).await?;
    let mut tasks = told.body["Results"].as_array().cloned().unwrap_or_default();
    tasks.sort_by_key(|task| std::cmp::Reverse(started(task)));
    Ok(tasks)
}

/// The first task that was started since the step looked.
async fn ours(at: At<'_>) -> Result<Option<Value>, StepError> {
    let before = at.call.memo["before"].as_i64().unwrap_or_default();
    let mut tasks = tasks(at, &at.call.memo["arn"]).await?;
    tasks.retain(|task| started(task) > before);
    Ok(tasks.pop())
}

fn started(task: &Value) -> i64 {
    task["StartedTimestamp"].as_i64().unwrap_or_default()
}

fn status(task: &Value) -> &str {
    task["Status"].as_str().unwrap_or("in an unknown state")
}

fn moved(number: u64) -> BTreeMap<String, String> {
    BTreeMap::from([("moved".to_owned(), number.to_string())])
}

fn judge(queue: &str, task: &Value, memo: &Value) -> Answer {
    let number = task["ApproximateNumberOfMessagesMoved"].as_u64().unwrap_or_default();
    let of = task["ApproximateNumberOfMessagesToMove"].as_u64();
    let words = match of {
        Some(of) => format!("about {number} of {of} messages of {queue} are back"),
        None => format!("about {number} messages of {queue} are back"),
    };
    match status(task) {
        "COMPLETED" => Ok(StepOutcome::Finished {
            outputs: moved(number),
            evidence: vec![words],
        }),
        "RUNNING" => {
            let percent = of.filter(|of| *of > 0).map(|of| number * 100 / of);
            let percent = percent.and_then(|percent| u8::try_from(percent.min(100)).ok());
            Ok(pending_at(memo.clone(), words, percent))
        }
        other => {
            let why = task["FailureReason"].as_str().unwrap_or("SQS does not say why");
            let code = format!("task_{}", other.to_lowercase());
            Err(StepError::failed(&code, format!("{words}: {why}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: &str) -> Answer {
        let task = json!({ "Status": status, "ApproximateNumberOfMessagesMoved": 30, "ApproximateNumberOfMessagesToMove": 40 });
        judge("dead", &task, &json!({}))
    }

    #[test]
    fn only_what_is_completed_is_done() {
        let StepOutcome::Finished { outputs, evidence } = judged("COMPLETED").unwrap() else {
            panic!("it is done")
        };
        assert_eq!(outputs["moved"], "30");
        assert_eq!(evidence, ["about 30 of 40 messages of dead are back"]);
        let StepOutcome::Pending { progress, .. } = judged("RUNNING").unwrap() else {
            panic!("it goes on")
        };
        assert_eq!(progress.percent, Some(75));
        for status in ["FAILED", "CANCELLED", "CANCELLING", "SOMETHING"] {
            assert!(matches!(judged(status), Err(StepError::Failed { .. })), "{status}");
        }
    }
}
