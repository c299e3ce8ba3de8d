//! The workspace as the page and the tests see it through the control API.

use serde_json::{Value, json};

use super::Workspace;
use super::model::{APP, BOT, BOT_NAME, BOT_USER, Channel, DOMAIN, Message, SLACKBOT, TEAM};

impl Workspace {
    /// A message with the fields that the page needs beside Slack's own.
    pub(crate) fn shown(&self, message: &Message, ephemeral: bool) -> Value {
        let mut value = message.to_slack(true);
        value["ephemeral"] = json!(ephemeral);
        value["broadcast"] = json!(message.broadcast);
        value["replies"] = json!([]);
        value["who"] = self.who(&message.user);
        value
    }

    fn who(&self, user: &str) -> Value {
        let who = |name: &str, real_name: &str, initials: &str, color: &str| json!({"name": name, "real_name": real_name, "initials": initials, "color": color});
        match user {
            BOT_USER => who(BOT_NAME, BOT_NAME, "SB", "#2c3e50"),
            SLACKBOT => who("slackbot", "Slackbot", "SL", "#611f69"),
            _ => match self.person(user) {
                Some(person) => who(&person.name, &person.real_name, &person.initials, &person.color),
                None => who(user, user, "?", "#7f7f7f"),
            },
        }
    }

    /// What a person sees in a channel: threads folded under their parents, what only they see among the rest.
    pub(crate) fn seen_by(&self, user: &str, channel: &Channel) -> Vec<Value> {
        let stored = channel.messages.values().map(|message| (message, false));
        let own = self.ephemerals_for(user, &channel.id).map(|message| (message, true));
        let mut all: Vec<(&Message, bool)> = stored.chain(own).collect();
        all.sort_by(|(left, _), (right, _)| left.ts.cmp(&right.ts));
        let parent_of = |message: &Message| message.thread_ts.clone().filter(|parent| *parent != message.ts);
        let mut seen = Vec::new();
        for (message, ephemeral) in &all {
            let parent = parent_of(message);
            if parent.is_some() && !message.broadcast {
                continue;
            }
            let mut value = self.shown(message, *ephemeral);
            if parent.is_none() {
                let replies = all
                    .iter()
                    .filter(|(reply, _)| parent_of(reply).as_deref() == Some(&message.ts));
                let replies: Vec<Value> = replies
                    .map(|(reply, ephemeral)| self.shown(reply, *ephemeral))
                    .collect();
                value["reply_count"] = json!(channel.replies(&message.ts).count());
                value["replies"] = json!(replies);
            }
            seen.push(value);
        }
        seen
    }

    /// The workspace's part of the snapshot.
    pub(crate) fn snapshot(&self) -> Value {
        let channels = self.channels.iter().map(|channel| {
            // A badge is about the channel; replies that stay in their threads are not in it.
            let in_view = || channel.messages.values().filter(|message| message.is_in_channel());
            json!({
                "id": channel.id, "name": channel.name, "topic": channel.topic,
                "kind": if channel.im_with.is_some() { "im" } else { "channel" }, "user": channel.im_with,
                "bot_is_member": channel.has(BOT_USER), "members": channel.members, "is_archived": channel.is_archived,
                "is_ext_shared": channel.is_ext_shared, "message_count": in_view().count(),
                "last_ts": in_view().next_back().map(|message| &message.ts),
            })
        });
        let modals = self
            .views
            .iter()
            .filter(|(_, views)| !views.is_empty())
            .map(|(user, views)| {
                let views = views.iter().map(|view| {
                    let mut value = view.to_slack(&json!({}));
                    value["errors"] = json!(view.errors);
                    value
                });
                json!({"user": user, "views": views.collect::<Vec<Value>>()})
            });
        json!({
            "team": {"id": TEAM, "name": "Acme", "domain": DOMAIN},
            "bot": {"user": BOT_USER, "bot_id": BOT, "app_id": APP, "name": BOT_NAME},
            "people": self.people,
            "groups": self.groups,
            "channels": channels.collect::<Vec<Value>>(),
            "modals": modals.collect::<Vec<Value>>(),
        })
    }
}
