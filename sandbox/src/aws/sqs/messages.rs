//! Messages: sent, received, hidden, deleted.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{ANY, RETENTION_MS, VISIBILITY_S};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::ids;
use crate::aws::region::Region;

/// The largest body.
const BODY_LIMIT: usize = 1_048_576;

/// How long a `ReceiveMessage` may wait (seconds), or `None` when it would find something now (or fail).
pub(crate) fn must_wait(region: &mut Region, args: Args<'_>) -> Option<u64> {
    let now_ms = region.now_ms;
    let queue = region.queues.of(args).ok()?;
    let wait_s = args.number("WaitTimeSeconds", 0, 20).ok()?.unwrap_or(queue.wait_s);
    let found = queue.messages.iter().any(|message| message.visible_ms <= now_ms);
    u64::try_from(wait_s).ok().filter(|seconds| !found && *seconds > 0)
}

/// `SendMessage`.
pub(super) fn send(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let body = args.need("MessageBody", &ANY)?.to_owned();
    let delay_s = args.number("DelaySeconds", 0, 900)?.unwrap_or(0);
    if body.is_empty() || body.len() > BODY_LIMIT {
        return Err(AwsError::new(
            "InvalidParameterValue",
            "The message must be between 1 and 1048576 bytes long.",
        ));
    }
    let id = region.queues.of(args)?.put(&body, now_ms, delay_s);
    region.queues.arrivals.send_modify(|count| *count += 1);
    Ok(json!({"MessageId": id, "MD5OfMessageBody": md5_of(&body)}))
}

/// `ReceiveMessage`: what is visible now; the wait of a long poll is over when this is called.
pub(super) fn receive(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let most = usize::try_from(bounded(args, "MaxNumberOfMessages", (1, 10))?.unwrap_or(1)).unwrap_or(1);
    let visibility_s = bounded(args, "VisibilityTimeout", (0, 43_200))?;
    bounded(args, "WaitTimeSeconds", (0, 20))?;
    region.queues.of(args)?;
    region.queues.bury(super::name_of(args)?, now_ms);
    let queue = region.queues.of(args)?;
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
pub(super) fn delete(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let handle = args.need("ReceiptHandle", &ANY)?;
    if handle.len() != 64 {
        let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        return Err(AwsError::new("ReceiptHandleIsInvalid", message));
    }
    let queue = region.queues.of(args)?;
    queue
        .messages
        .retain(|message| message.receipt.as_deref() != Some(handle));
    Ok(json!({}))
}

/// `DeleteMessageBatch`.
pub(super) fn delete_batch(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
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
    region.queues.of(args)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = Args(entry).need("Id", &Rule::length(1, 80))?;
        let one = json!({"QueueUrl": args.need("QueueUrl", &ANY)?, "ReceiptHandle": entry["ReceiptHandle"]});
        match delete(region, Args(&one)) {
            Ok(_) => successful.push(json!({"Id": id})),
            Err(error) => {
                failed.push(json!({"Id": id, "SenderFault": true, "Code": error.code, "Message": error.message}));
            }
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

/// `ChangeMessageVisibility`.
pub(super) fn change_visibility(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let handle = args.need("ReceiptHandle", &ANY)?;
    let seconds = bounded(args, "VisibilityTimeout", (0, 43_200))?.unwrap_or(VISIBILITY_S);
    let queue = region.queues.of(args)?;
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
    region.queues.arrivals.send_modify(|count| *count += 1);
    Ok(json!({}))
}

pub(super) fn bounded(args: Args<'_>, member: &str, (min, max): (i64, i64)) -> Result<Option<i64>, AwsError> {
    args.number(member, min, max).map_err(|error| {
        let message = format!(
            "Value for parameter {member} is invalid. Reason: Must be between {min} and {max}. {}",
            error.message
        );
        AwsError::new("InvalidParameterValue", message)
    })
}

fn md5_of(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}
