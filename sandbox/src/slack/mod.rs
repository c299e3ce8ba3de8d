//! The Slack workspace: who is there, what was said, and what the app may do about it.
//!
//! Two directions. The bot calls the Web API ([`api`]) and the `response_url`s; people act ([`act`]), and what they do
//! is signed and delivered to the bot ([`deliver`]). Both work on one [`Workspace`] under one lock, which is never held across an await.

pub(crate) mod act;
mod api;
pub(crate) mod deliver;
mod events;
mod household;
mod kit;
mod limits;
pub mod model;
mod payload;
mod response_url;
mod seed;
mod shown;
pub mod sign;
mod tables;
pub mod text;
mod view;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};

use crate::world::World;
pub use model::Message;
use model::{BOT_USER, Channel, Ephemeral, Group, Person};

pub use view::View;

/// The token that the Web API accepts.
pub const BOT_TOKEN: &str = "xoxb-sandbox";

/// How the workspace reaches the bot.
#[derive(Debug, Clone)]
pub struct Link {
    /// `http://127.0.0.1:8080`; paths are appended.
    pub bot_url: String,
    /// With what requests are signed.
    pub signing_secret: String,
    /// The sandbox's own address, for `response_url`s and uploads.
    pub own_url: String,
    /// How long Slack waits for an answer (3 s), in machine time.
    pub ack_deadline: Duration,
    /// The pauses before an event's three retries, in machine time; Slack's own are none, one minute and five.
    pub retry_pauses: [Duration; 3],
    /// Whether the bot hears its own messages and edits as `message` events, as it does from Slack.
    pub echo: bool,
}

/// The workspace.
#[derive(Debug)]
pub struct Workspace {
    /// Everyone but the bot.
    pub people: Vec<Person>,
    /// The user groups.
    pub groups: Vec<Group>,
    /// Channels, and direct messages that were opened.
    pub channels: Vec<Channel>,
    /// What only one person sees, oldest first.
    pub ephemerals: Vec<Ephemeral>,
    /// Whether calls are limited.
    pub rate_limits: bool,
    /// The scopes of the bot's token, as the `x-oauth-scopes` header says them.
    pub scopes: String,
    /// How the bot is reached.
    pub link: Link,
    views: BTreeMap<String, Vec<View>>,
    homes: BTreeMap<String, View>,
    tables: tables::Tables,
    limiter: limits::Limiter,
    last_micros: i64,
    raised: Vec<events::Event>,
    deliveries: VecDeque<deliver::Kept>,
    recorder: Option<File>,
    files: HashMap<String, api::files::Upload>,
}

/// How many deliveries can be sent again.
const DELIVERIES_KEPT: usize = 2_000;

/// How many ephemeral messages are shown at most: Slack forgets them at a reload.
const EPHEMERALS_KEPT: usize = 2_000;

impl Workspace {
    /// The people, groups and channels of the demo.
    #[must_use]
    pub fn seed() -> Self {
        Self {
            people: seed::people(),
            groups: seed::groups(),
            channels: seed::channels(),
            ephemerals: Vec::new(),
            rate_limits: true,
            scopes: "app_mentions:read,channels:history,channels:join,channels:read,chat:write,commands,files:write,groups:read,\
                     im:write,reactions:write,team:read,usergroups:read,users:read,users:read.email"
                .to_owned(),
            link: Link {
                bot_url: String::new(),
                signing_secret: String::new(),
                own_url: String::new(),
                ack_deadline: Duration::from_secs(3),
                retry_pauses: [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)],
                echo: true,
            },
            views: BTreeMap::new(),
            homes: BTreeMap::new(),
            tables: tables::Tables::default(),
            limiter: limits::Limiter::default(),
            last_micros: 0,
            raised: Vec::new(),
            deliveries: VecDeque::new(),
            recorder: None,
            files: HashMap::new(),
        }
    }

    /// Says where the bot listens and with what it checks signatures.
    pub fn connect(&mut self, bot_url: &str, signing_secret: &str) {
        bot_url.trim_end_matches('/').clone_into(&mut self.link.bot_url);
        signing_secret.clone_into(&mut self.link.signing_secret);
    }

    /// From now on every body that the bot sends is appended to a new file in this folder, one JSON object a line.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn record_bodies(&mut self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let name = format!("{:016x}.jsonl", rand::random::<u64>());
        self.recorder = Some(File::options().create_new(true).append(true).open(folder.join(name))?);
        Ok(())
    }

    /// A person by id.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// A channel by id.
    #[must_use]
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// A channel by id, to change it.
    pub fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == id)
    }

    /// A message in a channel.
    #[must_use]
    pub fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.channel(channel)?.messages.get(ts)
    }

    /// A channel's messages, oldest first, with the replies of its threads.
    pub fn messages(&self, channel: &str) -> impl Iterator<Item = &Message> {
        self.channel(channel)
            .into_iter()
            .flat_map(|channel| channel.messages.values())
    }

    /// What only this person sees in this channel, oldest first.
    pub fn ephemerals_for<'a>(&'a self, user: &'a str, channel: &'a str) -> impl Iterator<Item = &'a Message> {
        let theirs = move |ephemeral: &&Ephemeral| ephemeral.user == user && ephemeral.channel == channel;
        self.ephemerals
            .iter()
            .filter(theirs)
            .map(|ephemeral| &ephemeral.message)
    }

    /// The modals that are open before a person, bottom first.
    #[must_use]
    pub fn modals_of(&self, user: &str) -> &[View] {
        self.views.get(user).map_or(&[], Vec::as_slice)
    }

    /// The direct message between the bot and a person, opened if need be; its id.
    pub(crate) fn open_direct_message(&mut self, user: &str) -> String {
        let im = seed::direct_message(user);
        let id = im.id.clone();
        if self.channel(&id).is_none() {
            self.channels.push(im);
        }
        id
    }

    /// A timestamp that no message has yet: Unix seconds with six decimals, rising even when the clock does not.
    pub(crate) fn next_ts(&mut self, now_ms: i64) -> String {
        self.last_micros = (now_ms * 1000).max(self.last_micros + 1);
        format!(
            "{}.{:06}",
            self.last_micros.div_euclid(1_000_000),
            self.last_micros.rem_euclid(1_000_000)
        )
    }

    /// Puts a message into a channel and lets the bot hear it; its timestamp. `None` when there is no such channel.
    pub(crate) fn put(&mut self, channel: &str, mut message: Message, now_ms: i64) -> Option<String> {
        message.ts = self.next_ts(now_ms);
        let ts = message.ts.clone();
        let event = events::message(self.channel(channel)?, &message);
        self.channel_mut(channel)?.messages.insert(ts.clone(), message.clone());
        if !message.is_bots() || self.link.echo {
            self.raise(channel, event);
        }
        if message.text.contains(&format!("<@{BOT_USER}>")) && !message.is_bots() {
            let mention = self.channel(channel).map(|channel| events::mention(channel, &message));
            mention.into_iter().for_each(|mention| self.raise(channel, mention));
        }
        Some(ts)
    }

    /// Shows a message to one person only; its timestamp.
    pub(crate) fn whisper(&mut self, user: &str, channel: &str, mut message: Message, now_ms: i64) -> String {
        message.ts = self.next_ts(now_ms);
        let ts = message.ts.clone();
        if self.ephemerals.len() >= EPHEMERALS_KEPT {
            self.ephemerals.remove(0);
        }
        self.ephemerals.push(Ephemeral {
            user: user.to_owned(),
            channel: channel.to_owned(),
            message,
        });
        ts
    }

    /// Takes a message away; the parent of a thread leaves a stub. Whether it was there.
    pub(crate) fn delete(&mut self, channel: &str, ts: &str) -> bool {
        let Some(found) = self.channel_mut(channel) else {
            return false;
        };
        let has_replies = found.replies(ts).next().is_some();
        let Some(old) = found.messages.remove(ts).filter(|message| !message.tombstone) else {
            return false;
        };
        if has_replies {
            let stub = Message {
                ts: ts.to_owned(),
                user: model::SLACKBOT.to_owned(),
                text: "This message was deleted.".to_owned(),
                thread_ts: Some(ts.to_owned()),
                tombstone: true,
                ..Message::default()
            };
            found.messages.insert(ts.to_owned(), stub);
        }
        let event = events::deleted(found, &old);
        if !old.is_bots() || self.link.echo {
            self.raise(channel, event);
        }
        true
    }

    /// Puts new content in the place of a message's; the message as Slack shows it, or `None` when it is gone.
    fn edit(&mut self, channel: &str, ts: &str, draft: api::draft::Draft, now_ms: i64) -> Option<Value> {
        let at = self.next_ts(now_ms);
        let message = self
            .channel_mut(channel)?
            .messages
            .get_mut(ts)
            .filter(|message| !message.tombstone)?;
        let before = message.clone();
        draft.replace(message, at.clone());
        let after = message.clone();
        if self.link.echo {
            let event = events::changed(self.channel(channel)?, (&before, &after), &at);
            self.raise(channel, event);
        }
        Some(after.to_slack(true))
    }

    /// Keeps an event for delivery, if the bot is a member of the channel.
    fn raise(&mut self, channel: &str, event: events::Event) {
        if self
            .channel(channel)
            .is_some_and(|channel| channel.has(BOT_USER) && channel.im_with.is_none())
        {
            self.raised.push(event);
        }
    }

    fn keep(&mut self, delivery: deliver::Kept) {
        self.deliveries.push_back(delivery);
        if self.deliveries.len() > DELIVERIES_KEPT {
            self.deliveries.pop_front();
        }
    }

    /// Writes a body that the bot sent to the recording, if one is made.
    fn note_body(&mut self, method: &str, body: &Value) {
        if let Some(file) = &mut self.recorder
            && let Err(error) = writeln!(file, "{}", json!({"method": method, "body": body}))
        {
            tracing::error!(%error, "a recorded body was not written");
        }
    }
}

/// Sends the bot what was raised since the last time, in the background.
pub(crate) fn deliver_events(world: &Arc<World>) {
    if !world.slack().raised.is_empty() {
        drop(events::flush(world));
    }
}

/// The routes under `/slack`; `address` is where the server listens.
pub fn routes(world: &Arc<World>, address: SocketAddr) -> Router {
    world.slack().link.own_url = format!("http://{address}");
    Router::new()
        .merge(api::routes(world))
        .merge(response_url::routes(world))
}
