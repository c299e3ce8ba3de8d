//! Messages that people write.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Denied, living, open_channel_of};
use crate::slack::api::mark_parent;
use crate::slack::events::{Delivered, flush};
use crate::slack::model::Message;
use crate::slack::text::{Names, encode};
use crate::world::{Change, World};

/// What somebody wrote, and where.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    user: String,
    channel: String,
    text: String,
    thread_ts: Option<String>,
    /// Whether to answer only when the app has heard it.
    #[serde(default)]
    wait: bool,
}

/// Posts a person's message; what the control API says of it.
pub(crate) async fn message(world: &Arc<World>, said: Said) -> Result<Value, Denied> {
    let now_ms = world.clock.now_ms();
    let (ts, shown) = {
        let mut workspace = world.slack();
        living(&workspace, &said.user)?;
        let channel = open_channel_of(&workspace, &said.user, &said.channel)?;
        if said.text.trim().is_empty() {
            return Err(Denied::new(400, "no_text", "there is nothing to send"));
        }
        let thread_ts = match said.thread_ts.as_deref().filter(|ts| !ts.is_empty()) {
            Some(ts) => {
                let parent = channel
                    .messages
                    .get(ts)
                    .ok_or_else(|| Denied::missing("thread_not_found", "such thread"))?;
                Some(parent.thread_ts.clone().unwrap_or_else(|| ts.to_owned()))
            }
            None => None,
        };
        let text = encode(&workspace, said.text.trim(), Names::Hidden);
        let message = Message {
            user: said.user.clone(),
            text,
            thread_ts,
            ..Message::default()
        };
        let ts = workspace
            .put(&said.channel, message, now_ms)
            .ok_or_else(|| Denied::missing("channel_not_found", "such channel"))?;
        mark_parent(&mut workspace, &said.channel, &ts);
        let shown = workspace
            .message(&said.channel, &ts)
            .map(|message| workspace.shown(message, false));
        (ts, shown)
    };
    world.changed(Change::Slack);
    let (pending, task) = flush(world);
    let deliveries = if said.wait {
        task.await.unwrap_or(pending)
    } else {
        pending
    };
    let deliveries: Vec<Value> = deliveries.iter().map(Delivered::to_json).collect();
    Ok(json!({"ts": ts, "message": shown, "deliveries": deliveries}))
}
