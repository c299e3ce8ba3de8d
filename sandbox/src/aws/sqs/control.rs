//! Making queues, filling them, and draining them at a rate.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Message, Queue, Queues, Redrive, STEP_MS, VISIBILITY_S, no_queue};
use crate::aws::error::AwsError;
use crate::aws::ids;
use crate::aws::region::Region;

/// A queue that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueSeed {
    name: String,
    /// The queue's dead-letter queue; it must be there or come with the same seed.
    #[serde(default)]
    dead_letters: Option<String>,
    #[serde(default = "receives")]
    max_receives: u32,
    #[serde(default = "visibility")]
    visibility_seconds: i64,
    /// How many messages it holds.
    #[serde(default)]
    messages: usize,
}

const fn receives() -> u32 {
    10
}

const fn visibility() -> i64 {
    VISIBILITY_S
}

/// A consumer: how fast it works, how much it holds, and how much of it fails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draining {
    queue: String,
    per_second: f64,
    /// How many messages it holds in flight while there are so many.
    #[serde(default)]
    in_flight: usize,
    /// How many of the next messages end in the dead-letter queue.
    #[serde(default)]
    fail: usize,
}

/// A consumer at work.
#[derive(Debug, Clone)]
pub(super) struct Drain {
    per_second: f64,
    in_flight: usize,
    fail: usize,
    /// What is left of a message when the rate is not a whole number.
    credit: f64,
    pub(super) last_ms: i64,
}

/// What can be done to queues.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Messages arrive: so many with a body that does not matter, or these.
    Put {
        queue: String,
        #[serde(default)]
        count: usize,
        #[serde(default)]
        bodies: Vec<String>,
        /// After so many seconds.
        #[serde(default)]
        delay_seconds: i64,
    },
    /// A consumer takes so many messages and holds them for the visibility timeout.
    Take { queue: String, count: usize },
    /// A consumer works from now on; it replaces the one before. With nothing a second it stops.
    Drain(Draining),
    /// So many messages fail for good: they are in the dead-letter queue now.
    Fail { queue: String, count: usize },
    /// Somebody empties the queue.
    Clear { queue: String },
    /// The queue is gone.
    Remove { queue: String },
}

impl Region {
    /// Adds a queue, or replaces the one of the same name.
    pub(crate) fn plant_queue(&mut self, seed: &QueueSeed) {
        let mut queue = Queue::new(self.now_ms);
        queue.visibility_s = seed.visibility_seconds;
        queue.redrive = seed.dead_letters.as_ref().map(|name| Redrive {
            queue: name.clone(),
            receives: seed.max_receives,
        });
        for number in 0..seed.messages {
            queue.add(&body(number), self.now_ms, 0);
        }
        self.queues.queues.insert(seed.name.clone(), queue);
    }
}

fn body(number: usize) -> String {
    json!({ "segment": number }).to_string()
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let queues = &mut region.queues;
    let (Deed::Put { queue: name, .. }
    | Deed::Take { queue: name, .. }
    | Deed::Drain(Draining { queue: name, .. })
    | Deed::Fail { queue: name, .. }
    | Deed::Clear { queue: name }
    | Deed::Remove { queue: name }) = deed;
    let queue = queues.queues.get_mut(name).ok_or_else(no_queue)?;
    match deed {
        Deed::Put {
            count,
            bodies,
            delay_seconds,
            ..
        } => {
            for number in 0..*count {
                queue.add(&body(number), now_ms, *delay_seconds);
            }
            for body in bodies {
                queue.add(body, now_ms, *delay_seconds);
            }
            queues.arrivals.send_modify(|count| *count += 1);
        }
        Deed::Take { count, .. } => queue.take(*count, now_ms),
        Deed::Drain(draining) => {
            queue.drain = (draining.per_second > 0.0).then_some(Drain {
                per_second: draining.per_second,
                in_flight: draining.in_flight,
                fail: draining.fail,
                credit: 0.0,
                last_ms: now_ms,
            });
            if let Some(drain) = &queue.drain {
                queue.take(drain.in_flight, now_ms);
            }
        }
        Deed::Fail { count, .. } => {
            let failed = queue.finish(*count, now_ms);
            let dead_letters = queue.redrive.as_ref().map(|redrive| redrive.queue.clone());
            let none = || AwsError::new("NoDeadLetterQueue", format!("{name} has no dead-letter queue"));
            queues.arrive(&dead_letters.ok_or_else(none)?, failed, now_ms);
        }
        Deed::Clear { .. } => queue.messages.clear(),
        Deed::Remove { .. } => drop(queues.queues.remove(name)),
    }
    Ok(json!({}))
}

impl Queue {
    /// A consumer takes visible messages until it holds `count`.
    fn take(&mut self, count: usize, now_ms: i64) {
        let until_ms = now_ms + self.visibility_s * 1000;
        let (_, held, _) = self.counts(now_ms);
        let visible = self.messages.iter_mut().filter(|message| message.visible_ms <= now_ms);
        for message in visible.take(count.saturating_sub(held)) {
            message.visible_ms = until_ms;
            message.receipt = Some(ids::version_id() + &ids::version_id());
            message.receives += 1;
            message.first_received_ms.get_or_insert(now_ms);
        }
    }

    /// Takes out so many messages: those in flight first, then those that are visible.
    fn finish(&mut self, count: usize, now_ms: i64) -> Vec<Message> {
        let mut done = Vec::new();
        for wanted in [true, false] {
            self.messages.retain(|message| {
                let in_flight = message.visible_ms > now_ms && message.receipt.is_some();
                let fits = in_flight == wanted && (in_flight || message.visible_ms <= now_ms);
                let take = fits && done.len() < count;
                if take {
                    done.push(message.clone());
                }
                !take
            });
        }
        done
    }
}

impl Queues {
    /// The queues as the page shows them.
    pub(crate) fn snapshot(&self, now_ms: i64) -> Vec<Value> {
        let queues = self.queues.iter().map(|(name, queue)| {
            let (visible, in_flight, delayed) = queue.counts(now_ms);
            let drain = queue.drain.as_ref();
            json!({
                "name": name, "visible": visible, "in_flight": in_flight, "delayed": delayed,
                "dead_letters": queue.redrive.as_ref().map(|redrive| &redrive.queue),
                "drain": drain.map(|drain| json!({"per_second": drain.per_second, "in_flight": drain.in_flight})),
            })
        });
        queues.collect()
    }

    /// A second of a consumer's work.
    pub(super) fn drain_step(&mut self, name: &str, now_ms: i64) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some(mut drain) = queue.drain.take() else { return };
        if queue.messages.is_empty() || drain.last_ms + STEP_MS > now_ms {
            queue.drain = Some(drain);
            return;
        }
        drain.last_ms += STEP_MS;
        drain.credit += drain.per_second;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is positive, and a float that is too large becomes the largest number"
        )]
        let count = drain.credit as usize;
        drain.credit = drain.credit.fract();
        let mut done = queue.finish(count, now_ms);
        let failed = done.split_off(done.len().saturating_sub(drain.fail));
        queue.take(drain.in_flight, now_ms);
        let dead_letters = queue.redrive.as_ref().map(|redrive| redrive.queue.clone());
        if let Some(dead_letters) = dead_letters {
            drain.fail -= failed.len().min(drain.fail);
            self.arrive(&dead_letters, failed, now_ms);
        }
        if let Some(queue) = self.queues.get_mut(name) {
            queue.drain = Some(drain);
        }
    }
}
