//! SQS: standard queues with visibility and long polling, enough for an intake of events.
//!
//! Messages hide in the sandbox's time, so a jump past the visibility timeout makes them appear again, as a dead consumer would.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::ids;
use super::pipeline::{ACCOUNT, REGION};

/// How long a received message hides when nobody says otherwise, in seconds.
const VISIBILITY_S: i64 = 30;
/// How long messages are kept, in milliseconds: SQS's default of four days.
const RETENTION_MS: i64 = 4 * 24 * 3_600_000;
/// The largest body.
const BODY_LIMIT: usize = 1_048_576;
const ANY: Rule = Rule::length(0, usize::MAX);

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    sent_ms: i64,
    visible_ms: i64,
    first_received_ms: Option<i64>,
    receives: u32,
    receipt: Option<String>,
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    messages: Vec<Message>,
    visibility_s: i64,
    wait_s: i64,
    created_ms: i64,
}

impl Queue {
    const fn new(created_ms: i64) -> Self {
        Self {
            messages: Vec::new(),
            visibility_s: VISIBILITY_S,
            wait_s: 0,
            created_ms,
        }
    }

    /// How many messages can be received, are with a consumer, and are delayed.
    pub(crate) fn counts(&self, now_ms: i64) -> (usize, usize, usize) {
        let hidden = self.messages.iter().filter(|message| message.visible_ms > now_ms);
        let (delayed, in_flight): (Vec<_>, Vec<_>) = hidden.partition(|message| message.receipt.is_none());
        (
            self.messages.len() - delayed.len() - in_flight.len(),
            in_flight.len(),
            delayed.len(),
        )
    }

    fn put(&mut self, body: &str, now_ms: i64, delay_s: i64) -> String {
        self.messages.retain(|message| message.sent_ms > now_ms - RETENTION_MS);
        let id = ids::uuid();
        self.messages.push(Message {
            id: id.clone(),
            body: body.to_owned(),
            sent_ms: now_ms,
            visible_ms: now_ms + delay_s * 1000,
            first_received_ms: None,
            receives: 0,
            receipt: None,
        });
        id
    }
}

/// The account's queues by name.
#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) queues: BTreeMap<String, Queue>,
    arrivals: watch::Sender<u64>,
}

impl Queues {
    /// The queue of CodePipeline's events, empty.
    pub(crate) fn new(now_ms: i64) -> Self {
        let queues = BTreeMap::from([(super::events::EVENT_QUEUE.to_owned(), Queue::new(now_ms))]);
        Self {
            queues,
            arrivals: watch::channel(0).0,
        }
    }

    /// Puts a message on a queue, if there is one of that name.
    pub(crate) fn publish(&mut self, name: &str, body: &str, now_ms: i64) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.put(body, now_ms, 0);
            self.arrivals.send_modify(|count| *count += 1);
        }
    }

    /// Empties every queue.
    pub(crate) fn purge(&mut self) {
        for queue in self.queues.values_mut() {
            queue.messages.clear();
        }
    }

    /// Changes whenever a message arrives: a long poll waits on it.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    fn of(&mut self, args: Args<'_>) -> Result<&mut Queue, AwsError> {
        let url = args.need("QueueUrl", &ANY)?;
        let name = url.rsplit('/').next().unwrap_or_default();
        self.queues.get_mut(name).ok_or_else(no_queue)
    }
}

/// How long a `ReceiveMessage` may wait (seconds), or `None` when it would find something now (or fail).
pub(crate) fn must_wait(account: &mut Account, args: Args<'_>) -> Option<u64> {
    let now_ms = account.now_ms;
    let queue = account.queues.of(args).ok()?;
    let wait_s = args.number("WaitTimeSeconds", 0, 20).ok()?.unwrap_or(queue.wait_s);
    let found = queue.messages.iter().any(|message| message.visible_ms <= now_ms);
    u64::try_from(wait_s).ok().filter(|seconds| !found && *seconds > 0)
}

/// `CreateQueue`; `endpoint` is where the caller reached the account.
pub(crate) fn create_queue(account: &mut Account, args: Args<'_>, endpoint: &str) -> Result<Value, AwsError> {
    let name = args.need("QueueName", &ANY)?;
    let good = (1..=80).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !good {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(AwsError::new("InvalidParameterValue", message));
    }
    let mut queue = Queue::new(account.now_ms);
    if let Some(attributes) = args.structure("Attributes")? {
        queue.visibility_s = attributes
            .number("VisibilityTimeout", 0, 43_200)?
            .unwrap_or(VISIBILITY_S);
        queue.wait_s = attributes.number("ReceiveMessageWaitTimeSeconds", 0, 20)?.unwrap_or(0);
    }
    account.queues.queues.entry(name.to_owned()).or_insert(queue);
    Ok(json!({"QueueUrl": url(endpoint, name)}))
}

/// `GetQueueUrl`.
pub(crate) fn get_queue_url(account: &Account, args: Args<'_>, endpoint: &str) -> Result<Value, AwsError> {
    let name = args.need("QueueName", &ANY)?;
    let known = account.queues.queues.contains_key(name);
    known
        .then(|| json!({"QueueUrl": url(endpoint, name)}))
        .ok_or_else(no_queue)
}

/// `SendMessage`.
pub(crate) fn send_message(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = account.now_ms;
    let body = args.need("MessageBody", &ANY)?.to_owned();
    let delay_s = args.number("DelaySeconds", 0, 900)?.unwrap_or(0);
    if body.is_empty() || body.len() > BODY_LIMIT {
        return Err(AwsError::new(
            "InvalidParameterValue",
            "The message must be between 1 and 1048576 bytes long.",
        ));
    }
    let id = account.queues.of(args)?.put(&body, now_ms, delay_s);
    account.queues.arrivals.send_modify(|count| *count += 1);
    Ok(json!({"MessageId": id, "MD5OfMessageBody": md5_of(&body)}))
}

/// `ReceiveMessage`: what is visible now; the wait of a long poll is over when this is called.
pub(crate) fn receive_message(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = account.now_ms;
    let most = usize::try_from(bounded(args, "MaxNumberOfMessages", (1, 10))?.unwrap_or(1)).unwrap_or(1);
    let visibility_s = bounded(args, "VisibilityTimeout", (0, 43_200))?;
    bounded(args, "WaitTimeSeconds", (0, 20))?;
    let queue = account.queues.of(args)?;
    let hide_ms = visibility_s.unwrap_or(queue.visibility_s) * 1000;
    queue.messages.retain(|message| message.sent_ms > now_ms - RETENTION_MS);
    let visible = queue.messages.iter_mut().filter(|message| message.visible_ms <= now_ms);
    let received: Vec<Value> = visible
        .take(most)
        .map(|message| {
            let receipt = format!("{}{}", ids::version_id(), ids::version_id());
            message.receipt = Some(receipt.clone());
            message.visible_ms = now_ms + hide_ms;
            message.receives += 1;
            let first_ms = *message.first_received_ms.get_or_insert(now_ms);
            json!({
                "MessageId": message.id,
                "ReceiptHandle": receipt,
                "MD5OfBody": md5_of(&message.body),
                "Body": message.body,
                "Attributes": {
                    "ApproximateReceiveCount": message.receives.to_string(),
                    "ApproximateFirstReceiveTimestamp": first_ms.to_string(),
                    "SentTimestamp": message.sent_ms.to_string(),
                    "SenderId": "events.amazonaws.com",
                },
            })
        })
        .collect();
    // The service leaves an empty list out, and so must a reader be tested.
    Ok(if received.is_empty() {
        json!({})
    } else {
        json!({ "Messages": received })
    })
}

/// `DeleteMessage`. A handle that is no longer the newest deletes nothing, as with the service's standard queues.
pub(crate) fn delete_message(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let handle = args.need("ReceiptHandle", &ANY)?;
    if handle.len() != 64 {
        let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        return Err(AwsError::new("ReceiptHandleIsInvalid", message));
    }
    let queue = account.queues.of(args)?;
    queue
        .messages
        .retain(|message| message.receipt.as_deref() != Some(handle));
    Ok(json!({}))
}

/// `DeleteMessageBatch`.
pub(crate) fn delete_message_batch(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let entries = args.list("Entries")?;
    if entries.is_empty() {
        return Err(AwsError::new(
            "EmptyBatchRequest",
            "There should be at least one entry in the request.",
        ));
    }
    if entries.len() > 10 {
        return Err(AwsError::new(
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10.",
        ));
    }
    account.queues.of(args)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = Args(entry).need("Id", &Rule::length(1, 80))?;
        let one = json!({"QueueUrl": args.need("QueueUrl", &ANY)?, "ReceiptHandle": entry["ReceiptHandle"]});
        match delete_message(account, Args(&one)) {
            Ok(_) => successful.push(json!({"Id": id})),
            Err(error) => {
                failed.push(json!({"Id": id, "SenderFault": true, "Code": error.code, "Message": error.message}));
            }
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

/// `ChangeMessageVisibility`.
pub(crate) fn change_message_visibility(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = account.now_ms;
    let handle = args.need("ReceiptHandle", &ANY)?;
    let seconds = bounded(args, "VisibilityTimeout", (0, 43_200))?.unwrap_or(VISIBILITY_S);
    let queue = account.queues.of(args)?;
    let message = queue
        .messages
        .iter_mut()
        .find(|message| message.receipt.as_deref() == Some(handle));
    match message.filter(|message| message.visible_ms > now_ms) {
        Some(message) => message.visible_ms = now_ms + seconds * 1000,
        None => {
            return Err(AwsError::new(
                "MessageNotInflight",
                "The specified message is not in flight.",
            ));
        }
    }
    account.queues.arrivals.send_modify(|count| *count += 1);
    Ok(json!({}))
}

/// `GetQueueAttributes`.
pub(crate) fn get_queue_attributes(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = account.now_ms;
    let asked = args.texts("AttributeNames")?;
    let url = args.need("QueueUrl", &ANY)?;
    let name = url.rsplit('/').next().unwrap_or_default();
    let queue = account.queues.of(args)?;
    let (visible, in_flight, delayed) = queue.counts(now_ms);
    let all = [
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
        ("VisibilityTimeout", queue.visibility_s.to_string()),
        ("ReceiveMessageWaitTimeSeconds", queue.wait_s.to_string()),
        ("MessageRetentionPeriod", (RETENTION_MS / 1000).to_string()),
        ("CreatedTimestamp", (queue.created_ms / 1000).to_string()),
        ("QueueArn", format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")),
    ];
    if let Some(unknown) = asked
        .iter()
        .find(|name| **name != "All" && !all.iter().any(|(known, _)| known == *name))
    {
        return Err(AwsError::new(
            "InvalidAttributeName",
            format!("Unknown Attribute {unknown}."),
        ));
    }
    let wanted = all
        .into_iter()
        .filter(|(name, _)| asked.contains(&"All") || asked.contains(name));
    let attributes: serde_json::Map<String, Value> =
        wanted.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    Ok(if attributes.is_empty() {
        json!({})
    } else {
        json!({ "Attributes": attributes })
    })
}

fn bounded(args: Args<'_>, member: &str, (min, max): (i64, i64)) -> Result<Option<i64>, AwsError> {
    args.number(member, min, max).map_err(|error| {
        let message = format!(
            "Value for parameter {member} is invalid. Reason: Must be between {min} and {max}. {}",
            error.message
        );
        AwsError::new("InvalidParameterValue", message)
    })
}

fn no_queue() -> AwsError {
    AwsError::new("QueueDoesNotExist", "The specified queue does not exist.")
        .with_query_code("AWS.SimpleQueueService.NonExistentQueue")
}

fn url(endpoint: &str, name: &str) -> String {
    format!("{endpoint}/{ACCOUNT}/{name}")
}

fn md5_of(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}
