//! Queues: made, found, counted, emptied.

use http::StatusCode;
use serde_json::{Value, json};

use super::messages::bounded;
use super::{ANY, Queue, RETENTION_MS, Redrive, VISIBILITY_S, name_of, no_queue};
use crate::aws::args::Args;
use crate::aws::error::AwsError;
use crate::aws::page;
use crate::aws::region::Region;
use crate::aws::value::structure;

/// How long after a purge the next one is refused, in milliseconds.
const PURGE_MS: i64 = 60_000;

fn url(region: &Region, endpoint: &str, name: &str) -> String {
    format!("{endpoint}/{}/{name}", region.place.account)
}

/// `CreateQueue`; `endpoint` is where the caller reached the account.
pub(super) fn create(region: &mut Region, args: Args<'_>, endpoint: &str) -> Result<Value, AwsError> {
    let name = args.need("QueueName", &ANY)?;
    let good = (1..=80).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !good {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(AwsError::new("InvalidParameterValue", message));
    }
    let mut queue = Queue::new(region.now_ms);
    if let Some(attributes) = args.structure("Attributes")? {
        queue.visibility_s = attributes
            .number("VisibilityTimeout", 0, 43_200)?
            .unwrap_or(VISIBILITY_S);
        queue.wait_s = attributes.number("ReceiveMessageWaitTimeSeconds", 0, 20)?.unwrap_or(0);
        queue.redrive = attributes.text("RedrivePolicy", &ANY)?.map(redrive).transpose()?;
    }
    region.queues.queues.entry(name.to_owned()).or_insert(queue);
    Ok(json!({"QueueUrl": url(region, endpoint, name)}))
}

fn redrive(policy: &str) -> Result<Redrive, AwsError> {
    let wrong = || {
        let message = format!("Value {policy} for parameter RedrivePolicy is invalid.");
        AwsError::new("InvalidParameterValue", message)
    };
    let policy: Value = serde_json::from_str(policy).map_err(|_| wrong())?;
    let arn = policy["deadLetterTargetArn"].as_str().ok_or_else(wrong)?;
    let receives = &policy["maxReceiveCount"];
    let receives = receives
        .as_u64()
        .or_else(|| receives.as_str()?.parse().ok())
        .ok_or_else(wrong)?;
    Ok(Redrive {
        queue: arn.rsplit(':').next().unwrap_or_default().to_owned(),
        receives: u32::try_from(receives).map_err(|_| wrong())?,
    })
}

/// `GetQueueUrl`.
pub(super) fn get_url(region: &mut Region, args: Args<'_>, endpoint: &str) -> Result<Value, AwsError> {
    let name = args.need("QueueName", &ANY)?;
    let known = region.queues.queues.contains_key(name);
    known
        .then(|| json!({"QueueUrl": url(region, endpoint, name)}))
        .ok_or_else(no_queue)
}

/// `ListQueues`: all at once, unless the caller asks for pages.
pub(super) fn list(region: &mut Region, args: Args<'_>, endpoint: &str) -> Result<Value, AwsError> {
    let prefix = args.text("QueueNamePrefix", &ANY)?.unwrap_or_default();
    let size = bounded(args, "MaxResults", (1, 1000))?.unwrap_or(1000);
    let names: Vec<&String> = region
        .queues
        .queues
        .keys()
        .filter(|name| name.starts_with(prefix))
        .collect();
    let bad_token = || AwsError::new("InvalidParameterValue", "Invalid or expired next token.");
    let page = page::forward(&names, size, args.text("NextToken", &ANY)?);
    let (names, next) = page.ok_or_else(bad_token)?;
    let urls: Vec<String> = names.iter().map(|name| url(region, endpoint, name)).collect();
    Ok(structure([
        ("QueueUrls", (!urls.is_empty()).then(|| json!(urls))),
        ("NextToken", next.map(Value::from)),
    ]))
}

/// `PurgeQueue`.
pub(super) fn purge(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let name = name_of(args)?;
    let queue = region.queues.of(args)?;
    if queue.purged_ms.is_some_and(|at_ms| now_ms < at_ms + PURGE_MS) {
        let message = format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
        return Err(AwsError::new("PurgeQueueInProgress", message)
            .with_status(StatusCode::FORBIDDEN)
            .with_query_code("AWS.SimpleQueueService.PurgeQueueInProgress"));
    }
    queue.purged_ms = Some(now_ms);
    queue.messages.clear();
    Ok(json!({}))
}

/// `GetQueueAttributes`.
pub(super) fn get(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let asked = args.texts("AttributeNames")?;
    let name = name_of(args)?;
    let arn = region.place.arn("sqs", "");
    let queue = region.queues.of(args)?;
    let (visible, in_flight, delayed) = queue.counts(now_ms);
    let mut all = vec![
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
        ("VisibilityTimeout", queue.visibility_s.to_string()),
        ("ReceiveMessageWaitTimeSeconds", queue.wait_s.to_string()),
        ("MessageRetentionPeriod", (RETENTION_MS / 1000).to_string()),
        ("CreatedTimestamp", (queue.created_ms / 1000).to_string()),
        ("LastModifiedTimestamp", (queue.created_ms / 1000).to_string()),
        ("MaximumMessageSize", "1048576".to_owned()),
        ("DelaySeconds", "0".to_owned()),
        ("SqsManagedSseEnabled", "true".to_owned()),
        ("QueueArn", format!("{arn}{name}")),
    ];
    if let Some(redrive) = &queue.redrive {
        let policy =
            json!({"deadLetterTargetArn": format!("{arn}{}", redrive.queue), "maxReceiveCount": redrive.receives});
        all.push(("RedrivePolicy", policy.to_string()));
    }
    let known = |name: &str| name == "RedrivePolicy" || all.iter().any(|(known, _)| *known == name);
    if let Some(unknown) = asked.iter().find(|name| **name != "All" && !known(name)) {
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
