//! Slack, as the bot calls it. Slack's types end here.

pub mod client;
pub mod limiter;
pub mod limits;
mod mrkdwn;
pub mod people;
pub mod render;

pub use client::{Found, Home, Post, Slack, SlackError};
pub use limiter::Limiter;
pub use people::People;
