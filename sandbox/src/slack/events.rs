//! Events that the app is subscribed to, and how they reach it: with retries, in no promised order.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deliver::{Delivery, Endpoint, Sent, send};
use super::model::{APP, BOT_USER, Channel, Group, Message, TEAM};
use crate::world::World;

/// What happened, before it is wrapped for delivery.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Slack's inner event.
    pub(crate) inner: Value,
    shared: bool,
}

fn place(channel: &Channel, mut inner: Value) -> Event {
    inner["channel"] = json!(channel.id);
    Event {
        inner,
        shared: channel.is_ext_shared,
    }
}

/// Somebody wrote a message in a channel.
pub(super) fn message(channel: &Channel, message: &Message) -> Event {
    let mut inner = message.to_slack(true);
    inner["channel_type"] = json!("channel");
    inner["event_ts"] = json!(message.ts);
    if let Some(parent) = message.thread_ts.as_ref().and_then(|ts| channel.messages.get(ts)) {
        inner["parent_user_id"] = json!(parent.user);
    }
    place(channel, inner)
}

/// Somebody mentioned the bot.
pub(super) fn mention(channel: &Channel, message: &Message) -> Event {
    let mut inner = message.to_slack(false);
    inner["type"] = json!("app_mention");
    inner["event_ts"] = json!(message.ts);
    place(channel, inner)
}

/// A message was edited.
pub(super) fn changed(channel: &Channel, (before, after): (&Message, &Message), at: &str) -> Event {
    let inner = json!({
        "type": "message", "subtype": "message_changed", "hidden": true, "channel_type": "channel", "ts": at, "event_ts": at,
        "message": after.to_slack(true), "previous_message": before.to_slack(true),
    });
    place(channel, inner)
}

/// A message was deleted.
pub(super) fn deleted(channel: &Channel, old: &Message) -> Event {
    let inner = json!({
        "type": "message", "subtype": "message_deleted", "hidden": true, "channel_type": "channel", "ts": old.ts,
        "event_ts": old.ts, "deleted_ts": old.ts, "previous_message": old.to_slack(true),
    });
    place(channel, inner)
}

/// A channel was archived or brought back (`channel_archive`, `channel_unarchive`).
pub(crate) fn archived(channel: &Channel, by: &str, at: &str) -> Event {
    let kind = if channel.is_archived {
        "channel_archive"
    } else {
        "channel_unarchive"
    };
    place(channel, json!({"type": kind, "user": by, "event_ts": at}))
}

/// A channel has a new name.
pub(crate) fn renamed(channel: &Channel, at: &str) -> Event {
    let described =
        json!({"id": channel.id, "name": channel.name, "name_normalized": channel.name, "is_channel": true});
    Event {
        inner: json!({"type": "channel_rename", "channel": described, "event_ts": at}),
        shared: channel.is_ext_shared,
    }
}

/// A user group has other members.
pub(crate) fn members_changed(group: &Group, before: &[String], now_ms: i64) -> Event {
    let added: Vec<&String> = group.users.iter().filter(|user| !before.contains(user)).collect();
    let removed: Vec<&String> = before.iter().filter(|user| !group.users.contains(user)).collect();
    let inner = json!({
        "type": "subteam_members_changed", "subteam_id": group.id, "team_id": TEAM, "date_update": now_ms / 1000,
        "added_users": added, "added_users_count": added.len(), "removed_users": removed,
        "removed_users_count": removed.len(), "event_ts": format!("{}.000000", now_ms / 1000),
    });
    Event { inner, shared: false }
}

/// What became of an event's delivery.
#[derive(Debug, Clone)]
pub(crate) struct Delivered {
    /// The event's id.
    pub(crate) event_id: String,
    /// `app_mention`, `message`, …
    pub(crate) kind: String,
    /// The last try; `None` while it is on its way.
    pub(crate) last: Option<Sent>,
    /// How many tries there were.
    pub(crate) attempts: u8,
}

impl Delivered {
    /// As the control API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let (seq, status) = self.last.as_ref().map_or((0, 0), |last| (last.seq, last.status));
        json!({"seq": seq, "event_id": self.event_id, "type": self.kind, "status": status, "attempts": self.attempts})
    }
}

/// Delivers what was raised since the last call, in the background; the handle gives what became of it.
pub(crate) fn flush(world: &Arc<World>) -> (Vec<Delivered>, tokio::task::JoinHandle<Vec<Delivered>>) {
    let raised = std::mem::take(&mut world.slack().raised);
    let world = Arc::clone(world);
    let wrapped: Vec<(Delivered, Delivery)> = raised.iter().map(|event| wrap(event, world.clock.now_ms())).collect();
    let pending = wrapped.iter().map(|(delivered, _)| delivered.clone()).collect();
    #[expect(
        clippy::disallowed_methods,
        reason = "Slack delivers behind the caller's back; it ends after three retries"
    )]
    let task = tokio::spawn(async move {
        let mut done = Vec::new();
        for (mut delivered, delivery) in wrapped {
            deliver(&world, &delivery, &mut delivered).await;
            done.push(delivered);
        }
        done
    });
    (pending, task)
}

async fn deliver(world: &Arc<World>, delivery: &Delivery, delivered: &mut Delivered) {
    let pauses = world.slack().link.retry_pauses;
    let mut reason = "";
    for attempt in 0..=pauses.len() {
        let retry = attempt.checked_sub(1).and_then(|before| pauses.get(before));
        if let Some(pause) = retry {
            crate::clock::machine_sleep(*pause).await;
        }
        let header = retry.map(|_| (attempt, reason));
        let sent = send(world, delivery, header).await;
        delivered.attempts += 1;
        reason = sent.reason;
        let (accepted, no_retry) = ((200..300).contains(&sent.status), sent.no_retry && sent.status != 0);
        delivered.last = Some(sent);
        if accepted || no_retry {
            return;
        }
    }
}

fn wrap(event: &Event, now_ms: i64) -> (Delivered, Delivery) {
    let event_id = format!("Ev{:016X}", rand::random::<u64>());
    let kind = event.inner["type"].as_str().unwrap_or_default().to_owned();
    let body = json!({
        "team_id": TEAM, "api_app_id": APP, "event": event.inner, "type": "event_callback", "event_id": event_id,
        "event_time": now_ms / 1000, "is_ext_shared_channel": event.shared, "context_team_id": TEAM,
        "context_enterprise_id": null, "event_context": format!("4-{event_id}"),
        "authorizations": [
            {"enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true, "is_enterprise_install": false}
        ],
    });
    let log = json!({
        "type": kind, "event_id": event_id, "channel": event.inner["channel"], "user": event.inner["user"],
        "subtype": event.inner["subtype"], "ts": event.inner["ts"],
    });
    let delivery = Delivery {
        endpoint: Endpoint::Events,
        body: body.to_string(),
        log,
    };
    (
        Delivered {
            event_id,
            kind,
            last: None,
            attempts: 0,
        },
        delivery,
    )
}
