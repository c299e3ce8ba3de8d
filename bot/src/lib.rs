//! The shell of Signalbox: everything that waits, speaks HTTP or reads a clock.
//!
//! The core ([`commands`]) decides; this crate brings it what it looks at and carries out what it decided. Vendor types end here, each in the module
//! that owns it.
//!
//! | module | holds |
//! |---|---|
//! | [`clock`], [`ids`], [`door`] | time, randomness and the way out, as arguments |
//! | [`config`], [`secret`] | what is read at the start: files and environment; what must not be seen |
//! | [`http`] | what Slack sends, and what monitors ask |
//! | [`slack`], [`aws`], [`github`] | whom the bot calls |
//! | [`checks`] | evidence: fetched here, judged purely |
//! | `steps` | what the steps of runbooks do outside |
//! | [`programs`] | the programs that they run beside the bot |
//! | [`runner`], [`bot`] | what happens between a delivery and its effects |
//! | [`telemetry`] | logs and metrics |

pub mod aws;
pub mod bot;
pub mod checks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod door;
pub mod github;
pub mod http;
pub mod ids;
pub mod programs;
pub mod runner;
pub mod secret;
pub mod slack;
mod steps;
pub mod telemetry;

#[cfg(test)]
mod testing;
