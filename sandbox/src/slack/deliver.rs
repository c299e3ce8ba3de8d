//! Signed requests to the bot.

use std::sync::Arc;

use serde_json::Value;

use super::sign::signature;
use crate::wire_log::{Direction, Entry};
use crate::world::World;

/// Which of the app's request URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Slash commands.
    Commands,
    /// Buttons, selects, modals.
    Interactions,
    /// The Events API.
    Events,
}

impl Endpoint {
    const fn path(self) -> &'static str {
        match self {
            Self::Commands => "/slack/commands",
            Self::Interactions => "/slack/interactions",
            Self::Events => "/slack/events",
        }
    }

    /// What the wire log calls it.
    const fn call(self) -> &'static str {
        match self {
            Self::Commands => "slack.command",
            Self::Interactions => "slack.interaction",
            Self::Events => "slack.event",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Commands | Self::Interactions => "application/x-www-form-urlencoded",
            Self::Events => "application/json",
        }
    }
}

/// One request, ready to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// Where to.
    pub(crate) endpoint: Endpoint,
    /// The body, to the byte.
    pub(crate) body: String,
    /// What the wire log says of it: no tokens.
    pub(crate) log: Value,
}

/// A request that was sent and can be sent again.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// Its line in the wire log.
    pub(crate) seq: u64,
    /// The request.
    pub(crate) delivery: Delivery,
    /// The time for which it was signed.
    pub(crate) timestamp: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The line in the wire log.
    pub(crate) seq: u64,
    /// The HTTP status; 0 without an answer.
    pub(crate) status: u16,
    /// The answer's body.
    pub(crate) body: String,
    /// What Slack tells the person, if it was not a plain 200.
    pub(crate) error: Option<&'static str>,
    /// What a retry's header says.
    pub(crate) reason: &'static str,
    /// Whether the answer asks for no retry.
    pub(crate) no_retry: bool,
}

/// Signs with the time of the sandbox's clock, sends, waits as long as Slack does, and writes the wire log.
pub(crate) async fn send(world: &Arc<World>, delivery: &Delivery, retry: Option<(usize, &str)>) -> Sent {
    let timestamp = (world.clock.now_ms() / 1000).to_string();
    send_as_of(world, delivery, &timestamp, retry).await
}

/// The same with another timestamp: a replay.
pub(crate) async fn send_as_of(
    world: &Arc<World>,
    delivery: &Delivery,
    timestamp: &str,
    retry: Option<(usize, &str)>,
) -> Sent {
    let answer = exchange(world, delivery, timestamp, retry).await;
    let mut sent = match answer {
        Ok((status, no_retry, body)) => {
            let error = (status != 200).then_some("dispatch_failed");
            Sent {
                seq: 0,
                status,
                body,
                error,
                reason: "http_error",
                no_retry,
            }
        }
        Err(error) => {
            let (error, reason) = if error.is_timeout() {
                ("operation_timeout", "http_timeout")
            } else {
                ("dispatch_failed", "connection_failed")
            };
            Sent {
                seq: 0,
                status: 0,
                body: String::new(),
                error: Some(error),
                reason,
                no_retry: false,
            }
        }
    };
    let mut arguments = delivery.log.clone();
    arguments["sent_at"] = Value::from(timestamp);
    if let Some((attempt, reason)) = retry {
        arguments["retry"] = Value::from(format!("{attempt} {reason}"));
    }
    sent.seq = world.record(Entry {
        seq: 0,
        at_ms: world.clock.now_ms(),
        direction: Direction::Sent,
        call: delivery.endpoint.call().to_owned(),
        arguments,
        status: sent.status,
        done: sent.error.is_none(),
        note: sent.error.unwrap_or_default().to_owned(),
    });
    world.slack().keep(Kept {
        seq: sent.seq,
        delivery: delivery.clone(),
        timestamp: timestamp.to_owned(),
    });
    sent
}

async fn exchange(
    world: &World,
    delivery: &Delivery,
    timestamp: &str,
    retry: Option<(usize, &str)>,
) -> Result<(u16, bool, String), reqwest::Error> {
    let link = world.slack().link.clone();
    let mut request = world
        .http()
        .post(format!("{}{}", link.bot_url, delivery.endpoint.path()))
        .timeout(link.ack_deadline)
        .header("content-type", delivery.endpoint.content_type())
        .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
        .header("x-slack-request-timestamp", timestamp)
        .header(
            "x-slack-signature",
            signature(&link.signing_secret, timestamp, delivery.body.as_bytes()),
        );
    if let Some((attempt, reason)) = retry {
        request = request
            .header("x-slack-retry-num", attempt)
            .header("x-slack-retry-reason", reason);
    }
    let answer = request.body(delivery.body.clone()).send().await?;
    let status = answer.status().as_u16();
    let no_retry = answer
        .headers()
        .get("x-slack-no-retry")
        .is_some_and(|value| value == "1");
    Ok((status, no_retry, answer.text().await?))
}
