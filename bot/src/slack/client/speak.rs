//! Replies that no acknowledgement and no `response_url` carries: to mentions, forms, and those who were told to wait. Best effort, and marked with nothing.

use commands::ids::{ChannelId, UserId};
use commands::view::Message;
use serde::Serialize;

use super::{Ask, Done, PROMPT, Slack, SlackError};
use crate::door::Lease;
use crate::slack::render::{self, Drawn};

#[derive(Serialize)]
struct Words<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a str>,
    #[serde(flatten)]
    drawn: Drawn,
}

impl Slack {
    /// Says something that only one person sees (`chat.postEphemeral`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn whisper(
        &self,
        channel: &ChannelId,
        thread: Option<&str>,
        user: &UserId,
        message: &Message,
    ) -> Result<(), SlackError> {
        let body = Words {
            channel: channel.as_str(),
            user: Some(user.as_str()),
            thread_ts: thread,
            drawn: render::message(message),
        };
        self.call::<Done>("chat.postEphemeral", &Ask::json(&body)?, PROMPT, Lease::NONE)
            .await
            .map(drop)
    }

    /// Says something that everyone in the channel sees (`chat.postMessage`), once at most: it is not repeated when the answer is lost.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn speak(&self, channel: &ChannelId, thread: Option<&str>, message: &Message) -> Result<(), SlackError> {
        let body = Words {
            channel: channel.as_str(),
            user: None,
            thread_ts: thread,
            drawn: render::message(message),
        };
        // Whoever asked waits for it: it takes the channel's turn, and does not wait for one.
        self.limiter.posted(channel.as_str(), self.clock.now()).await;
        self.call::<Done>("chat.postMessage", &Ask::json(&body)?, PROMPT, Lease::NONE)
            .await
            .map(drop)
    }
}
