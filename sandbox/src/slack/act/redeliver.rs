//! The same delivery again: what a network, a retry or an attacker does.

use std::sync::Arc;

use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Denied;
use crate::slack::deliver::{Endpoint, Sent, send, send_as_of};
use crate::world::World;

/// Which delivery, and how often.
#[derive(Debug, Deserialize)]
pub(crate) struct Again {
    seq: u64,
    times: usize,
    /// With the signature and timestamp of the first time.
    #[serde(default)]
    verbatim: bool,
    /// All at once.
    #[serde(default)]
    together: bool,
}

/// Sends a logged delivery again; the answers are reported, not shown to anyone.
pub(crate) async fn redeliver(world: &Arc<World>, again: Again) -> Result<Value, Denied> {
    let kept = world
        .slack()
        .deliveries
        .iter()
        .find(|kept| kept.seq == again.seq)
        .cloned();
    let kept = kept.ok_or_else(|| Denied::missing("delivery_not_found", "such delivery, or it is too long ago"))?;
    let once = async |attempt: usize| -> Sent {
        // Only events are retried by Slack, and only retries carry the header.
        let retry = (kept.delivery.endpoint == Endpoint::Events).then_some((attempt, "http_timeout"));
        if again.verbatim {
            send_as_of(world, &kept.delivery, &kept.timestamp, retry).await
        } else {
            send(world, &kept.delivery, retry).await
        }
    };
    let answers: Vec<Sent> = if again.together {
        join_all((1..=again.times).map(&once)).await
    } else {
        let mut answers = Vec::new();
        for attempt in 1..=again.times {
            answers.push(once(attempt).await);
        }
        answers
    };
    let statuses: Vec<u16> = answers.iter().map(|sent| sent.status).collect();
    let bodies: Vec<&str> = answers.iter().map(|sent| sent.body.as_str()).collect();
    Ok(json!({"statuses": statuses, "bodies": bodies}))
}
