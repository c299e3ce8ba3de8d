//! What the scenarios share: a harness around the demo, and the proofs.
#![expect(clippy::expect_used, clippy::panic, reason = "a scenario fails by panicking")]

pub mod cut;
pub mod fault;
pub mod process;
pub mod proof;
pub mod scenario;
pub mod scenes;
