//! What a workspace is made of.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

/// The workspace in which the app is installed.
pub const TEAM: &str = "T0SIGNAL";
/// Its sub-domain.
pub const DOMAIN: &str = "acme";
/// The app.
pub const APP: &str = "A0SIGNAL";
/// The bot's user.
pub const BOT_USER: &str = "U0SIGNAL";
/// The bot.
pub const BOT: &str = "B0SIGNAL";
/// The name by which people mention it.
pub const BOT_NAME: &str = "signalbox";
/// Slack's own user, who tells people of failed commands.
pub const SLACKBOT: &str = "USLACKBOT";

/// Somebody who can see or press something.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// `U0ANN`.
    pub id: String,
    /// The handle: `ann`.
    pub name: String,
    /// First and last name.
    pub real_name: String,
    /// The address by which `users.lookupByEmail` finds them.
    pub email: String,
    /// The job title in the profile.
    pub title: String,
    /// What the page's user switcher calls them: `approver`, `guest`, …
    pub role: String,
    /// The home workspace: another one for a stranger.
    pub team_id: String,
    /// IANA name of the time zone.
    pub tz: String,
    /// Slack's English label of the zone.
    pub tz_label: String,
    /// Seconds east of UTC.
    pub tz_offset: i32,
    /// Of the avatar, as CSS writes it.
    pub color: String,
    /// On the avatar.
    pub initials: String,
    /// A guest.
    pub is_restricted: bool,
    /// Of another workspace, met in a shared channel.
    pub is_stranger: bool,
    /// Deactivated.
    pub deleted: bool,
}

/// A user group.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// `S0WALLET`.
    pub id: String,
    /// Without the `@`.
    pub handle: String,
    /// Its display name.
    pub name: String,
    /// Members' ids.
    pub users: Vec<String>,
}

/// A channel or a direct message.
#[derive(Debug, Clone)]
pub struct Channel {
    /// `C…` or `D…`.
    pub id: String,
    /// Empty for a direct message.
    pub name: String,
    /// What it is for.
    pub topic: String,
    /// The other person, when this is a direct message with the bot.
    pub im_with: Option<String>,
    /// Users' ids, the bot's too.
    pub members: Vec<String>,
    /// Read-only since.
    pub is_archived: bool,
    /// Shared with another workspace.
    pub is_ext_shared: bool,
    /// Names it had, oldest first.
    pub previous_names: Vec<String>,
    /// By timestamp; replies lie among the rest.
    pub messages: BTreeMap<String, Message>,
}

impl Channel {
    /// Whether this user reads here.
    #[must_use]
    pub fn has(&self, user: &str) -> bool {
        self.members.iter().any(|member| member == user)
    }

    /// The replies in a thread, oldest first.
    pub fn replies<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a Message> {
        self.messages
            .values()
            .filter(move |message| message.thread_ts.as_deref() == Some(parent) && message.ts != parent)
    }
}

/// A message, ephemeral ones too.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Its name within the channel: Unix seconds with six decimals.
    pub ts: String,
    /// Who wrote it; the bot's own user for the app's messages.
    pub user: String,
    /// Slack's markup, entities escaped.
    pub text: String,
    /// As stored: every block has an id, every element too.
    pub blocks: Vec<Value>,
    /// Secondary attachments, kept as they came.
    pub attachments: Vec<Value>,
    /// `{event_type, event_payload}`.
    pub metadata: Option<Value>,
    /// The parent, for replies.
    pub thread_ts: Option<String>,
    /// A reply that is shown in the channel too.
    pub broadcast: bool,
    /// Who edited it last, and when.
    pub edited: Option<(String, String)>,
    /// Emoji name and who reacted.
    pub reactions: Vec<(String, Vec<String>)>,
    /// Uploaded files.
    pub files: Vec<Value>,
    /// Deleted, but kept as a stub because it has replies.
    pub tombstone: bool,
}

impl Message {
    /// Whether the app wrote it.
    #[must_use]
    pub fn is_bots(&self) -> bool {
        self.user == BOT_USER
    }

    /// Whether the channel itself shows it: a reply that was not broadcast stays in its thread.
    #[must_use]
    pub fn is_in_channel(&self) -> bool {
        self.broadcast || self.thread_ts.as_ref().is_none_or(|thread| *thread == self.ts)
    }

    /// As Slack shows it in an API answer or in a payload; metadata only where it is asked for.
    #[must_use]
    pub fn to_slack(&self, with_metadata: bool) -> Value {
        let mut value = json!({"type": "message", "ts": self.ts, "user": self.user, "text": self.text, "team": TEAM});
        if self.is_bots() {
            value["bot_id"] = json!(BOT);
            value["app_id"] = json!(APP);
            value["bot_profile"] =
                json!({"id": BOT, "app_id": APP, "name": BOT_NAME, "deleted": false, "team_id": TEAM});
        }
        if !self.blocks.is_empty() {
            value["blocks"] = json!(self.blocks);
        }
        if !self.attachments.is_empty() {
            value["attachments"] = json!(self.attachments);
        }
        if !self.files.is_empty() {
            value["files"] = json!(self.files);
        }
        if let Some(metadata) = self.metadata.as_ref().filter(|_| with_metadata) {
            value["metadata"] = metadata.clone();
        }
        if let Some(thread_ts) = &self.thread_ts {
            value["thread_ts"] = json!(thread_ts);
        }
        if self.broadcast {
            value["subtype"] = json!("thread_broadcast");
        }
        if self.tombstone {
            value["subtype"] = json!("tombstone");
            value["hidden"] = json!(true);
        }
        if let Some((user, ts)) = &self.edited {
            value["edited"] = json!({"user": user, "ts": ts});
        }
        if !self.reactions.is_empty() {
            let reactions = self
                .reactions
                .iter()
                .map(|(name, users)| json!({"name": name, "users": users, "count": users.len()}));
            value["reactions"] = reactions.collect();
        }
        value
    }
}

/// A message that only one person sees; it is in no history.
#[derive(Debug, Clone)]
pub struct Ephemeral {
    /// Who sees it.
    pub user: String,
    /// Where.
    pub channel: String,
    /// What.
    pub message: Message,
}
