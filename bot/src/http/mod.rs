//! What comes in over HTTP: Slack's deliveries, and what monitors ask.
//!
//! A delivery is capped, then verified, then parsed with tolerant structs of our own (Slack adds fields and kinds whenever it likes), and handed to
//! the bot as a [`Heard`]. Nothing here decides anything.

mod events;
mod health;
mod interaction;
mod signed;
mod slash;
mod sns;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use bytes::Bytes;
use commands::ids::{ChannelId, DeliveryId, GroupId, TeamId, UserId};
use commands::view::Message;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use tower_http::timeout::TimeoutLayer;

pub use health::{Probe, Readiness};
pub use signed::{Unsigned, sign, verify};
pub use text::unescape;

use crate::aws::events::Hint;
use crate::aws::sns::Topics;
use crate::clock::Clock;
use crate::secret::Secret;

/// Deliveries that are worked on at the same time; what comes on top is told to come back, for a queue would only make everybody late.
const MAX_CONCURRENT: usize = 512;
/// Slack hangs up after 3 s; whoever still waits by then is not Slack.
const MAX_DURATION: Duration = Duration::from_secs(10);

/// Something that a person did in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Who, as the delivery says.
    pub who: Who,
    /// Where; nowhere for a form that was opened outside of a channel.
    pub channel: Option<ChannelId>,
    /// The `ts` of the thread's parent, in a thread.
    pub thread_ts: Option<String>,
    /// The delivery: the same one delivered again has the same id.
    pub delivery: DeliveryId,
    /// Opens a form, once and within 3 s.
    pub trigger_id: Option<String>,
    /// Where a reply goes: 5 times within 30 minutes. Opaque: whoever knows it can speak there.
    pub response_url: Option<Secret>,
    /// What they did.
    pub kind: Kind,
}

/// The identities that a delivery carries, none of them looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The Slack app that the delivery is for.
    pub app: Option<String>,
    /// The enterprise, on Grid.
    pub enterprise: Option<TeamId>,
    /// The workspace; `None` when the app is installed for a whole enterprise.
    pub team: Option<TeamId>,
    /// The user.
    pub user: UserId,
    /// The user's own workspace, where the delivery tells: someone from another company carries theirs.
    pub user_team: Option<TeamId>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A slash command.
    Command {
        /// With its slash: `/deploy`.
        command: String,
        /// What follows it; see [`unescape`].
        text: String,
    },
    /// A button.
    Press {
        /// The button's action.
        action: String,
        /// Its value.
        value: String,
        /// The message it stands under.
        message_ts: Option<String>,
    },
    /// A form that was sent.
    Form {
        /// Which form.
        form: String,
        /// What it is about, as it was told when the form was opened. Visible to clients: to be checked again.
        about: String,
        /// Its fields by name; empty ones are there too.
        fields: BTreeMap<String, String>,
    },
    /// A form that was closed without sending.
    FormClosed {
        /// Which form.
        form: String,
        /// What it is about.
        about: String,
    },
    /// A message that speaks to the bot.
    Mention {
        /// What follows the mention; see [`unescape`].
        text: String,
        /// The message.
        ts: String,
    },
    /// A message in a thread that does not speak to the bot.
    ThreadReply {
        /// Its text; see [`unescape`].
        text: String,
        /// The message.
        ts: String,
        /// The thread's parent.
        parent: String,
    },
}

/// Something about the workspace that changed: what was remembered of it is out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A group has other members now.
    GroupChanged(GroupId),
    /// A person was changed: deactivated, made a guest, renamed.
    PersonChanged(UserId),
    /// A channel was renamed, archived, unarchived, shared, or is no longer shared.
    ChannelChanged(ChannelId),
}

/// What a delivery is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer {
    /// Heard; whatever there is to say is said elsewhere.
    #[default]
    Empty,
    /// To a command: something only the speaker sees. Other deliveries have no room for words: reply through their `response_url`.
    Private(Message),
    /// To a command: something that everyone in the channel sees.
    Public(Message),
    /// To a command: what only the speaker sees, drawn already.
    Drawn(Bytes),
    /// To a form: errors beside its fields, by name.
    FormErrors(BTreeMap<String, String>),
    /// To a form: close it and all forms below it.
    CloseForms,
}

/// The bot, as HTTP sees it.
#[async_trait]
pub trait Inbound: Send + Sync + 'static {
    /// Hears one delivery. It answers within Slack's 3 s, and only when what it answers is durable.
    async fn hear(&self, heard: Heard) -> Answer;

    /// Hears that something remembered is out of date.
    async fn notice(&self, notice: Notice);

    /// Hears that something happened to a pipeline.
    async fn hint(&self, hint: Hint);
}

/// What the routes need.
pub struct Http {
    /// The bot.
    pub bot: Arc<dyn Inbound>,
    /// The secret with which Slack signs.
    pub signing_secret: Secret,
    /// By which signatures are old or new.
    pub clock: Arc<dyn Clock>,
    /// Answers whether the bot is ready.
    pub probe: Arc<dyn Probe>,
    /// The SNS topics that may send hints; without any `/aws/sns` is not there.
    pub topics: Option<Topics>,
    /// Renders the metrics; without it `/metrics` is not there.
    pub metrics: Option<PrometheusHandle>,
}

struct Shared {
    http: Http,
    room: Semaphore,
}

/// All routes.
pub fn router(http: Http) -> Router {
    let shared = Arc::new(Shared {
        http,
        room: Semaphore::new(MAX_CONCURRENT),
    });
    let slack = Router::new()
        .route("/slack/commands", post(slash::receive))
        .route("/slack/interactions", post(interaction::receive))
        .route("/slack/events", post(events::receive))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), signed::guard));
    let aws = Router::new()
        .route("/aws/sns", post(sns::receive))
        .layer(DefaultBodyLimit::max(signed::MAX_BODY));
    Router::new()
        .merge(slack)
        .merge(aws)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .layer(TimeoutLayer::with_status_code(
            http::StatusCode::REQUEST_TIMEOUT,
            MAX_DURATION,
        ))
        .with_state(shared)
}

#[cfg(test)]
mod tests;
