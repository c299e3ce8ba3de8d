//! A Slack workspace and an AWS account on a laptop.
//!
//! One server on one port. It speaks the real wire protocols, so an unmodified client of either vendor works
//! against it: Slack's Web API under `/slack/api`, AWS under `/aws`, GitHub's REST API under `/github`, some other services under `/services`, the page that
//! people use under `/`, and what the page's controls do under `/control`. It signs what it sends, enforces the vendors' limits and errors, and
//! can be told to be slow, throttle, fail, or do the work and lose the answer ([`faults`]).
//!
//! It depends on nothing of the bot: what it knows of Slack and AWS, it knows from their documentation. That is what makes it a witness.

pub mod aws;
pub mod clock;
pub mod control;
mod dns;
pub mod faults;
pub mod faults_http;
pub mod github;
pub mod host;
mod page;
mod server;
pub mod services;
pub mod slack;
pub mod wire_log;
mod world;

pub use server::{Options, Sandbox};
pub use world::{Change, World};
