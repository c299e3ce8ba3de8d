//! SQS: standard queues with visibility, long polling and dead-letter queues, and tasks that move messages back.
//!
//! Messages hide in the sandbox's time, so a jump past the visibility timeout makes them appear again, as a dead consumer would. A queue can
//! be drained at a rate, so that a watched migration makes progress.

mod attributes;
mod control;
mod messages;
mod moves;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::watch;

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::ids;
use super::place::Place;
use super::service::{Request, Service};

use control::Drain;
pub(crate) use control::{Deed, QueueSeed, act};
pub(crate) use messages::must_wait;
use moves::Move;

/// SQS on the wire.
pub(crate) const SERVICE: Service = Service::json("AmazonSQS", call);

/// How long a received message hides when nobody says otherwise, in seconds.
const VISIBILITY_S: i64 = 30;
/// How long messages are kept, in milliseconds: SQS's default of four days.
const RETENTION_MS: i64 = 4 * 24 * 3_600_000;
/// How often drains and moves take their next messages, in milliseconds.
const STEP_MS: i64 = 1_000;
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

/// Where messages go that nobody could process.
#[derive(Debug, Clone)]
struct Redrive {
    queue: String,
    /// After so many receives.
    receives: u32,
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    messages: Vec<Message>,
    visibility_s: i64,
    wait_s: i64,
    created_ms: i64,
    redrive: Option<Redrive>,
    purged_ms: Option<i64>,
    drain: Option<Drain>,
}

impl Queue {
    const fn new(created_ms: i64) -> Self {
        Self {
            messages: Vec::new(),
            visibility_s: VISIBILITY_S,
            wait_s: 0,
            created_ms,
            redrive: None,
            purged_ms: None,
            drain: None,
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
        self.add(body, now_ms, delay_s)
    }

    /// As [`Queue::put`], without looking for messages that are too old.
    fn add(&mut self, body: &str, now_ms: i64, delay_s: i64) -> String {
        self.wake_drain(now_ms);
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

    /// A consumer that had nothing to do until now has saved no time up.
    fn wake_drain(&mut self, now_ms: i64) {
        if let Some(drain) = self.drain.as_mut().filter(|_| self.messages.is_empty()) {
            drain.last_ms = now_ms;
        }
    }
}

/// A region's queues by name, and the tasks that move messages between them.
#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) queues: BTreeMap<String, Queue>,
    moves: Vec<Move>,
    arrivals: watch::Sender<u64>,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            queues: BTreeMap::new(),
            moves: Vec::new(),
            arrivals: watch::channel(0).0,
        }
    }
}

impl Queues {
    /// Makes a queue, if there is none of that name.
    pub(crate) fn create(&mut self, name: &str, now_ms: i64) {
        self.queues.entry(name.to_owned()).or_insert(Queue::new(now_ms));
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

    /// When the next drain or move takes messages.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let drains = self.queues.values().filter(|queue| !queue.messages.is_empty());
        let drains = drains.filter_map(|queue| Some(queue.drain.as_ref()?.last_ms + STEP_MS));
        let moves = self.moves.iter().filter_map(Move::next_due);
        drains.chain(moves).min()
    }

    /// Takes what is due.
    pub(crate) fn settle(&mut self, now_ms: i64) {
        let names: Vec<String> = self.queues.keys().cloned().collect();
        for name in names {
            self.drain_step(&name, now_ms);
        }
        self.move_step(now_ms);
    }

    fn of(&mut self, args: Args<'_>) -> Result<&mut Queue, AwsError> {
        self.queues.get_mut(name_of(args)?).ok_or_else(no_queue)
    }

    /// Moves what was received too often to the dead-letter queue, as the service does when such a message would be received again.
    fn bury(&mut self, name: &str, now_ms: i64) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some(redrive) = queue.redrive.clone() else { return };
        let dead = |message: &Message| message.visible_ms <= now_ms && message.receives >= redrive.receives;
        let (buried, kept) = std::mem::take(&mut queue.messages).into_iter().partition(dead);
        queue.messages = kept;
        self.arrive(&redrive.queue, buried, now_ms);
    }

    /// Messages of another queue arrive: they keep their id and their age.
    fn arrive(&mut self, name: &str, messages: Vec<Message>, now_ms: i64) {
        let Some(queue) = self.queues.get_mut(name).filter(|_| !messages.is_empty()) else {
            return;
        };
        queue.wake_drain(now_ms);
        for message in messages {
            queue.messages.push(Message {
                visible_ms: now_ms,
                receipt: None,
                ..message
            });
        }
        self.arrivals.send_modify(|count| *count += 1);
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let place = place_of(args, &request.place);
    let region = account.region(&place);
    Some(match request.operation {
        "CreateQueue" => attributes::create(region, args, request.endpoint),
        "GetQueueUrl" => attributes::get_url(region, args, request.endpoint),
        "ListQueues" => attributes::list(region, args, request.endpoint),
        "GetQueueAttributes" => attributes::get(region, args),
        "PurgeQueue" => attributes::purge(region, args),
        "SendMessage" => messages::send(region, args),
        "ReceiveMessage" => messages::receive(region, args),
        "DeleteMessage" => messages::delete(region, args),
        "DeleteMessageBatch" => messages::delete_batch(region, args),
        "ChangeMessageVisibility" => messages::change_visibility(region, args),
        "StartMessageMoveTask" => moves::start(region, args),
        "ListMessageMoveTasks" => moves::list(region, args),
        "CancelMessageMoveTask" => moves::cancel(region, args),
        _ => return None,
    })
}

/// Where the queue is that a call names: its URL says whose it is, the signature says in which region.
pub(crate) fn place_of(args: Args<'_>, here: &Place) -> Place {
    let url = args.0.get("QueueUrl").and_then(Value::as_str).unwrap_or_default();
    let owner = url.rsplit('/').nth(1).filter(|part| part.len() == 12);
    let owner = owner.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    Place::new(owner.unwrap_or(&here.account), &here.region)
}

fn name_of<'a>(args: Args<'a>) -> Result<&'a str, AwsError> {
    let url = args.need("QueueUrl", &ANY)?;
    Ok(url.rsplit('/').next().unwrap_or_default())
}

fn no_queue() -> AwsError {
    AwsError::new("QueueDoesNotExist", "The specified queue does not exist.")
        .with_query_code("AWS.SimpleQueueService.NonExistentQueue")
}
