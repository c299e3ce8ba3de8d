//! Hints from a queue: CodePipeline's events, by way of EventBridge. They say where to look, never what is true.

use std::sync::Arc;
use std::time::Duration;

use commands::catalog::AwsTarget;
use commands::time::Span;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::actor::Actor;
use super::clients::{Clients, Within};
use super::error::AwsError;
use crate::clock::Clock;
use crate::door::Lease;

/// The longest SQS waits for a message.
const WAIT: Duration = Duration::from_secs(20);
/// After a failure, so that an outage is not met with a storm.
const PAUSE: Span = Span::seconds(15);

/// Something happened to a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The pipeline.
    pub pipeline: String,
    /// Where, when the event tells.
    pub region: Option<String>,
    /// The account, when the event tells.
    pub account: Option<String>,
}

/// A queue of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its address.
    pub url: String,
    /// Through which account.
    pub aws: AwsTarget,
}

/// Listens to a queue.
pub struct Events {
    clients: Arc<Clients>,
    clock: Arc<dyn Clock>,
    queue: Queue,
}

impl Events {
    /// Listens to this queue.
    #[must_use]
    pub const fn new(clients: Arc<Clients>, clock: Arc<dyn Clock>, queue: Queue) -> Self {
        Self { clients, clock, queue }
    }

    /// Tells every hint, until it is canceled or nobody listens. A message is deleted when it is read: losing one costs a minute, the next read of the
    /// pipeline finds the truth.
    pub async fn listen(&self, canceled: CancellationToken, tell: mpsc::Sender<Hint>) {
        loop {
            let heard = tokio::select! {
                () = canceled.cancelled() => return,
                heard = self.receive() => heard,
            };
            match heard {
                Ok(hints) => {
                    for hint in hints {
                        if tell.send(hint).await.is_err() {
                            return;
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the queue of events cannot be read; pipelines are read on their schedule");
                    tokio::select! {
                        () = canceled.cancelled() => return,
                        () = self.clock.sleep(PAUSE) => {}
                    }
                }
            }
        }
    }

    /// One long poll: the hints of the messages that came, which are deleted.
    async fn receive(&self) -> Result<Vec<Hint>, AwsError> {
        let within = Within {
            target: &self.queue.aws,
            actor: &Actor::Bot,
            lease: Lease::NONE,
        };
        let client = self.clients.sqs(within, WAIT).await?;
        let ask = client.receive_message().queue_url(&self.queue.url);
        let wait = i32::try_from(WAIT.as_secs()).unwrap_or(20);
        let answer = ask.wait_time_seconds(wait).max_number_of_messages(10).send().await;
        let batch = self.clients.heed(within, answer.map_err(AwsError::from))?;
        let mut hints = Vec::new();
        for message in batch.messages() {
            hints.extend(message.body().and_then(hint).filter(|hint| !hints.contains(hint)));
            if let Some(receipt) = message.receipt_handle() {
                let gone = client
                    .delete_message()
                    .queue_url(&self.queue.url)
                    .receipt_handle(receipt);
                if let Err(error) = gone.send().await.map_err(AwsError::from) {
                    tracing::debug!(%error, "a message was not deleted and comes again");
                }
            }
        }
        Ok(hints)
    }
}

/// What a message says: an event of EventBridge's, by itself or wrapped by SNS. Anything else says nothing.
pub(super) fn hint(body: &str) -> Option<Hint> {
    let event: Value = serde_json::from_str(body).ok()?;
    let wrapped = event.get("Message").and_then(Value::as_str);
    let event = match wrapped {
        Some(inner) => serde_json::from_str(inner).ok()?,
        None => event,
    };
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    // Notification rules spell the key another way.
    let kind = text("/detail-type").or_else(|| text("/detailType"))?;
    if !kind.starts_with("CodePipeline ") {
        return None;
    }
    Some(Hint {
        pipeline: text("/detail/pipeline").filter(|name| name.len() <= 100)?,
        region: text("/region"),
        account: text("/account"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_whatever_shape_their_numbers_have() {
        let event = r#"{"detail-type": "CodePipeline Action Execution State Change", "source": "aws.codepipeline", "account": "111122223333",
            "region": "eu-central-1", "detail": {"pipeline": "wallet", "version": 3.0, "state": "SOMETHING_NEW"}}"#;
        let expected = Hint {
            pipeline: "wallet".to_owned(),
            region: Some("eu-central-1".to_owned()),
            account: Some("111122223333".to_owned()),
        };
        assert_eq!(hint(event).as_ref(), Some(&expected));
        let wrapped = serde_json::json!({"Type": "Notification", "Message": event}).to_string();
        assert_eq!(hint(&wrapped), Some(expected));
        for other in [
            "",
            "[]",
            "{}",
            r#"{"detail-type": "EC2 Instance State-change Notification", "detail": {}}"#,
        ] {
            assert_eq!(hint(other), None, "{other}");
        }
    }
}
