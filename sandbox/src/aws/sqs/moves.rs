//! Tasks that move a dead-letter queue's messages back, or to another queue.

use serde_json::{Value, json};

use super::{ANY, Queues, STEP_MS};
use crate::aws::args::Args;
use crate::aws::error::AwsError;
use crate::aws::ids;
use crate::aws::region::Region;
use crate::aws::value::structure;

/// How many messages a second are moved when nobody says otherwise.
const RATE: i64 = 50;

/// Where a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Running,
    Cancelling,
    Cancelled,
    Completed,
    Failed,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// A task.
#[derive(Debug, Clone)]
pub(super) struct Move {
    handle: String,
    source: String,
    /// The queue that is named, or the one whose messages the source takes.
    destination: String,
    destination_named: bool,
    rate: Option<i64>,
    status: Status,
    moved: usize,
    to_move: usize,
    started_ms: i64,
    last_ms: i64,
    failure: Option<String>,
}

impl Move {
    /// When it takes its next messages.
    pub(super) fn next_due(&self) -> Option<i64> {
        matches!(self.status, Status::Running | Status::Cancelling).then_some(self.last_ms + STEP_MS)
    }
}

impl Queues {
    /// Moves the next messages of every task that is due.
    pub(super) fn move_step(&mut self, now_ms: i64) {
        for at in 0..self.moves.len() {
            if self.moves[at].next_due().is_none_or(|due_ms| due_ms > now_ms) {
                continue;
            }
            let mut task = self.moves[at].clone();
            task.last_ms = now_ms;
            self.advance(&mut task, now_ms);
            self.moves[at] = task;
        }
    }

    fn advance(&mut self, task: &mut Move, now_ms: i64) {
        if task.status == Status::Cancelling {
            task.status = Status::Cancelled;
            return;
        }
        if !self.queues.contains_key(&task.destination) {
            task.status = Status::Failed;
            task.failure = Some("AWS.SimpleQueueService.NonExistentQueue".to_owned());
            return;
        }
        let Some(source) = self.queues.get_mut(&task.source) else {
            task.status = Status::Failed;
            task.failure = Some("AWS.SimpleQueueService.NonExistentQueue".to_owned());
            return;
        };
        let most = usize::try_from(task.rate.unwrap_or(RATE)).unwrap_or(1);
        let mut taken = Vec::new();
        source.messages.retain(|message| {
            let take = taken.len() < most && message.visible_ms <= now_ms;
            if take {
                // A message that is moved begins anew: its receives are forgotten.
                taken.push(super::Message {
                    receives: 0,
                    first_received_ms: None,
                    ..message.clone()
                });
            }
            !take
        });
        task.moved += taken.len();
        let empty = source.messages.is_empty() || taken.is_empty();
        let destination = task.destination.clone();
        self.arrive(&destination, taken, now_ms);
        if empty {
            task.status = Status::Completed;
        }
    }
}

fn queue_name<'a>(region: &Region, arn: &'a str, member: &str) -> Result<&'a str, AwsError> {
    let missing = || {
        let message = format!("The resource that you specified for the {member} parameter doesn't exist.");
        AwsError::new("ResourceNotFoundException", message)
    };
    let name = arn.strip_prefix(&region.place.arn("sqs", ""));
    name.filter(|name| region.queues.queues.contains_key(*name))
        .ok_or_else(missing)
}

/// `StartMessageMoveTask`.
pub(super) fn start(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let refuse = |message: &str| Err(AwsError::new("InvalidParameterValue", message));
    let source = queue_name(region, args.need("SourceArn", &ANY)?, "SourceArn")?;
    let feeds = |queue: &super::Queue| queue.redrive.as_ref().is_some_and(|redrive| redrive.queue == source);
    let origin = region
        .queues
        .queues
        .iter()
        .find(|(_, queue)| feeds(queue))
        .map(|(name, _)| name.clone());
    let Some(origin) = origin else {
        return refuse("Source queue must be configured as a Dead Letter Queue.");
    };
    let named = args.text("DestinationArn", &ANY)?;
    let destination = match named {
        Some(arn) => queue_name(region, arn, "DestinationArn")?.to_owned(),
        None => origin,
    };
    if destination == source {
        return refuse("Source queue arn and destination queue arn must be different.");
    }
    let rate = super::messages::bounded(args, "MaxNumberOfMessagesPerSecond", (1, 500))?;
    let running = |task: &Move| task.source == source && task.next_due().is_some();
    if region.queues.moves.iter().any(running) {
        return refuse(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        );
    }
    let handle = format!("{}{}", ids::version_id(), ids::version_id());
    let to_move = region.queues.queues[source].counts(region.now_ms).0;
    region.queues.moves.push(Move {
        handle: handle.clone(),
        source: source.to_owned(),
        destination,
        destination_named: named.is_some(),
        rate,
        status: Status::Running,
        moved: 0,
        to_move,
        started_ms: region.now_ms,
        last_ms: region.now_ms,
        failure: None,
    });
    Ok(json!({ "TaskHandle": handle }))
}

/// `ListMessageMoveTasks`: the newest first.
pub(super) fn list(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let source = queue_name(region, args.need("SourceArn", &ANY)?, "SourceArn")?;
    let most = super::messages::bounded(args, "MaxResults", (1, 10))?.unwrap_or(1);
    let tasks = region.queues.moves.iter().rev().filter(|task| task.source == source);
    let arn = |name: &str| json!(region.place.arn("sqs", name));
    let shown = tasks.take(usize::try_from(most).unwrap_or(1)).map(|task| {
        structure([
            (
                "TaskHandle",
                (task.status == Status::Running).then(|| json!(task.handle)),
            ),
            ("Status", Some(json!(task.status.as_str()))),
            ("SourceArn", Some(arn(&task.source))),
            ("DestinationArn", task.destination_named.then(|| arn(&task.destination))),
            ("MaxNumberOfMessagesPerSecond", task.rate.map(Value::from)),
            ("ApproximateNumberOfMessagesMoved", Some(json!(task.moved))),
            ("ApproximateNumberOfMessagesToMove", Some(json!(task.to_move))),
            ("FailureReason", task.failure.as_ref().map(|reason| json!(reason))),
            ("StartedTimestamp", Some(json!(task.started_ms))),
        ])
    });
    Ok(json!({"Results": shown.collect::<Vec<_>>()}))
}

/// `CancelMessageMoveTask`.
pub(super) fn cancel(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let handle = args.need("TaskHandle", &ANY)?;
    let task = region.queues.moves.iter_mut().find(|task| task.handle == handle);
    let missing = || AwsError::new("ResourceNotFoundException", "Task does not exist.");
    let task = task.ok_or_else(missing)?;
    if task.status != Status::Running {
        let message = "Only active tasks can be canceled.";
        return Err(AwsError::new("ResourceNotFoundException", message));
    }
    task.status = Status::Cancelling;
    Ok(json!({"ApproximateNumberOfMessagesMoved": task.moved}))
}
