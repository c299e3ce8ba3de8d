//! Slack's Web API: requests by the library's models, answers by tolerant structs of our own.
//!
//! Slack answers 200 to nearly everything; whether it did what was asked is in the body. What matters to the callers is which failures are harmless:
//! after [`SlackError::Unknown`] a post may be there, and its marker in the message's metadata tells.

mod answers;
mod error;
mod speak;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use commands::ids::{ChannelId, GroupId, UserId};
use commands::time::Timestamp;
use commands::view::{Message, Modal};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use slack_morphism::prelude::*;
use state::Store;
use url::Url;

use self::answers::{AuthTest, ChannelAnswer, History, Members, Opened, Posted, UserAnswer, ViewAnswer};
pub use self::answers::{ChannelInfo, Found, Home, UserInfo};
pub use self::error::SlackError;
use self::wire::{Ask, not_sent, read, retry_after};
use super::limiter::Limiter;
use super::render::{self, Drawn};
use crate::clock::Clock;
use crate::door::{Call, Destination, Lease, Limits, Outgoing};
use crate::secret::Secret;

/// The metadata type of our messages.
const EVENT_TYPE: &str = "signalbox";
/// The name of the marker in it.
const EVENT_KEY: &str = "key";
/// For what a worker does.
const PATIENT: Duration = Duration::from_secs(10);
/// For what a person waits for, within Slack's own 3 s.
const PROMPT: Duration = Duration::from_millis(1_500);
const HISTORY_PAGE: u16 = 200;
const HISTORY_PAGES: usize = 10;

/// A message to post.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Where.
    pub channel: &'a ChannelId,
    /// In the thread of this message.
    pub thread: Option<&'a str>,
    /// What.
    pub drawn: &'a Drawn,
    /// Goes into the metadata, which anybody in the workspace can read: by it the message is found again. No secrets.
    pub marker: &'a str,
}

/// Slack's Web API, with one token.
pub struct Slack {
    door: Arc<dyn Outgoing>,
    clock: Arc<dyn Clock>,
    base: Url,
    token: Secret,
    limiter: Limiter,
    health: AtomicU8,
}

impl Slack {
    /// The API at this base address (`https://slack.com/api`), through this door.
    #[must_use]
    pub fn new(door: Arc<dyn Outgoing>, clock: Arc<dyn Clock>, base: Url, token: Secret) -> Self {
        Self {
            door,
            clock,
            base,
            token,
            limiter: Limiter::default(),
            health: AtomicU8::new(0),
        }
    }

    /// Shares the pace of this token's calls with every replica on this store.
    #[must_use]
    pub fn paced_with(mut self, store: Arc<dyn Store>) -> Self {
        self.limiter = Limiter::shared(store);
        self
    }

    /// The pace of this token's calls. Whoever posts or edits takes a turn first; other calls of workers take theirs here.
    #[must_use]
    pub const fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// Whether the last call was answered at all; nothing before the first.
    #[must_use]
    pub fn answered(&self) -> Option<bool> {
        match self.health.load(Ordering::Relaxed) {
            0 => None,
            state => Some(state == 1),
        }
    }

    /// Who the token is (`auth.test`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn whoami(&self) -> Result<Home, SlackError> {
        let (answer, headers) = self
            .send::<AuthTest>("auth.test", &Ask::form(&[]), PATIENT, Lease::NONE)
            .await?;
        Ok(answer.home(&headers))
    }

    /// A person (`users.info`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn user(&self, user: &UserId) -> Result<UserInfo, SlackError> {
        let ask = Ask::form(&[("user", user.as_str())]);
        let answer: UserAnswer = self.call("users.info", &ask, PROMPT, Lease::NONE).await?;
        answer.info()
    }

    /// A person by e-mail (`users.lookupByEmail`); `None` when Slack knows none.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserId>, SlackError> {
        let ask = Ask::form(&[("email", email)]);
        match self
            .call::<UserAnswer>("users.lookupByEmail", &ask, PROMPT, Lease::NONE)
            .await
        {
            Ok(answer) => Ok(Some(answer.info()?.id)),
            Err(SlackError::Refused { code }) if code == "users_not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The members of a user group (`usergroups.users.list`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn group_members(&self, group: &GroupId) -> Result<std::collections::BTreeSet<UserId>, SlackError> {
        let ask = Ask::form(&[("usergroup", group.as_str())]);
        let answer: Members = self.call("usergroups.users.list", &ask, PROMPT, Lease::NONE).await?;
        Ok(answer.users())
    }

    /// A channel (`conversations.info`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn channel(&self, channel: &ChannelId) -> Result<ChannelInfo, SlackError> {
        let ask = Ask::form(&[("channel", channel.as_str())]);
        let answer: ChannelAnswer = self.call("conversations.info", &ask, PROMPT, Lease::NONE).await?;
        Ok(answer.channel)
    }

    /// The direct messages with a person (`conversations.open`); opened again they are the same.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn open_direct(&self, user: &UserId, lease: Lease) -> Result<ChannelId, SlackError> {
        let ask = Ask::form(&[("users", user.as_str())]).paced();
        let answer: Opened = self.call("conversations.open", &ask, PATIENT, lease).await?;
        ChannelId::parse(&answer.channel.id).map_err(|_| SlackError::Unknown("an id that is no channel's".to_owned()))
    }

    /// Posts (`chat.postMessage`) and returns the message's `ts`.
    ///
    /// # Errors
    /// See [`SlackError`]. After [`SlackError::Unknown`] look with [`Slack::find`] before posting again.
    pub async fn post(&self, post: Post<'_>, lease: Lease) -> Result<String, SlackError> {
        let payload = HashMap::from([(EVENT_KEY.to_owned(), post.marker.to_owned())]);
        let content = content(post.drawn)
            .with_metadata(SlackMessageMetadata::new(EVENT_TYPE.to_owned()).with_event_payload(payload));
        let mut body = SlackApiChatPostMessageRequest::new(post.channel.as_str().to_owned().into(), content)
            .with_unfurl_links(false)
            .with_unfurl_media(false);
        if let Some(thread) = post.thread {
            body = body.with_thread_ts(thread.to_owned().into());
        }
        let ask = Ask::json(&body)?;
        Ok(self.call::<Posted>("chat.postMessage", &ask, PATIENT, lease).await?.ts)
    }

    /// Edits a message in place (`chat.update`). Its metadata stays as it is.
    ///
    /// # Errors
    /// See [`SlackError`]; the same edit can be made again.
    pub async fn update(&self, channel: &ChannelId, ts: &str, drawn: &Drawn, lease: Lease) -> Result<(), SlackError> {
        let body =
            SlackApiChatUpdateRequest::new(channel.as_str().to_owned().into(), content(drawn), ts.to_owned().into());
        self.call::<Done>("chat.update", &Ask::json(&body)?, PATIENT, lease)
            .await
            .map(drop)
    }

    /// Deletes a message (`chat.delete`); one that is gone already counts as deleted.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn delete(&self, channel: &ChannelId, ts: &str, lease: Lease) -> Result<(), SlackError> {
        let body = SlackApiChatDeleteRequest::new(channel.as_str().to_owned().into(), ts.to_owned().into());
        match self
            .call::<Done>("chat.delete", &Ask::json(&body)?.paced(), PATIENT, lease)
            .await
        {
            Err(SlackError::Refused { code }) if code == "message_not_found" => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Our own messages that carry a marker, oldest first, since an instant; in a channel, or in one thread of it.
    ///
    /// # Errors
    /// See [`SlackError`]. When the history since then is too long to be read whole, that is [`SlackError::Unknown`]: a message that was not seen
    /// may be there all the same.
    pub async fn find(&self, search: Search<'_>, home: &Home, lease: Lease) -> Result<Vec<Found>, SlackError> {
        let method = if search.thread.is_some() {
            "conversations.replies"
        } else {
            "conversations.history"
        };
        let oldest = format!("{}.000000", search.since.seconds().max(0));
        let limit = HISTORY_PAGE.to_string();
        let mut found = Vec::new();
        let mut cursor = String::new();
        for _ in 0..HISTORY_PAGES {
            let ask = Ask::form(&[
                ("channel", search.channel.as_str()),
                ("ts", search.thread.unwrap_or_default()),
                ("oldest", &oldest),
                ("limit", &limit),
                ("cursor", &cursor),
                ("include_all_metadata", "true"),
                ("inclusive", "true"),
            ])
            .paced();
            let page: History = self.call(method, &ask, PATIENT, lease).await?;
            found.extend(page.marked(EVENT_TYPE, EVENT_KEY, search.marker, home));
            cursor = page.next().unwrap_or_default();
            if cursor.is_empty() {
                found.sort_by(|one: &Found, other| one.ts.cmp(&other.ts));
                return Ok(found);
            }
        }
        Err(SlackError::Unknown("the history is too long to be searched".to_owned()))
    }

    /// Opens a form (`views.open`) and returns its id. The trigger lives for 3 s.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn open_view(&self, trigger_id: &str, modal: &Modal) -> Result<String, SlackError> {
        let body = SlackApiViewsOpenRequest::new(trigger_id.to_owned().into(), render::modal(modal));
        let answer: ViewAnswer = self.call("views.open", &Ask::json(&body)?, PROMPT, Lease::NONE).await?;
        Ok(answer.view.id)
    }

    /// Replies at a `response_url`: to the speaker only, or to the channel. It works 5 times within 30 minutes.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn respond(&self, response_url: &Secret, message: &Message, public: bool) -> Result<(), SlackError> {
        let body = serde_json::to_vec(&render::reply(message, public)).map_err(|error| not_sent(&error))?;
        let request = http::Request::post(response_url.expose())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(Bytes::from(body))
            .map_err(|error| not_sent(&error))?;
        let call = Call {
            destination: Destination::SlackResponse,
            name: "response_url".to_owned(),
            request,
            limits: Limits {
                timeout: PATIENT,
                lease: Lease::NONE,
            },
        };
        let answer = self.door.send(call).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::TOO_MANY_REQUESTS => Err(SlackError::RateLimited {
                retry_after: retry_after(answer.headers()),
            }),
            status if status.is_client_error() => Err(SlackError::Refused {
                code: "response_url".to_owned(),
            }),
            status => Err(SlackError::Unknown(format!("HTTP {status}"))),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        ask: &Ask,
        timeout: Duration,
        lease: Lease,
    ) -> Result<T, SlackError> {
        self.send(method, ask, timeout, lease).await.map(|(answer, _)| answer)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: &'static str,
        ask: &Ask,
        timeout: Duration,
        lease: Lease,
    ) -> Result<(T, HeaderMap), SlackError> {
        let request = http::Request::post(format!("{}/{method}", self.base.as_str().trim_end_matches('/')))
            .header(AUTHORIZATION, format!("Bearer {}", self.token.expose()))
            .header(CONTENT_TYPE, ask.content_type)
            .body(ask.body.clone())
            .map_err(|error| not_sent(&error))?;
        let call = Call {
            destination: Destination::Slack,
            name: method.to_owned(),
            request,
            limits: Limits { timeout, lease },
        };
        if ask.paced
            && let Some(at) = self.limiter.turn(method, None, self.clock.now()).await
        {
            let retry_after = Some(at - self.clock.now());
            return Err(SlackError::RateLimited { retry_after });
        }
        let answer = self.door.send(call).await;
        self.health.store(if answer.is_ok() { 1 } else { 2 }, Ordering::Relaxed);
        let (parts, body) = answer?.into_parts();
        let result = read(parts.status, &parts.headers, &body);
        if let Err(SlackError::RateLimited { retry_after }) = &result {
            self.limiter.limited(method, *retry_after, self.clock.now()).await;
        }
        result.map(|answer| (answer, parts.headers))
    }
}

/// Where to look for a message of ours.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// The channel.
    pub channel: &'a ChannelId,
    /// The thread, by its parent's `ts`.
    pub thread: Option<&'a str>,
    /// The marker it was posted with.
    pub marker: &'a str,
    /// It cannot be older than this.
    pub since: Timestamp,
}

#[derive(serde::Deserialize)]
struct Done {}

/// Both parts always: Slack keeps or drops what an edit leaves out as it pleases.
fn content(drawn: &Drawn) -> SlackMessageContent {
    SlackMessageContent::new()
        .with_text(drawn.text.clone())
        .with_blocks(drawn.blocks.clone())
}

#[cfg(test)]
mod tests;
