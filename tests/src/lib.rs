//! What the scenarios share: a harness around the demo, and the proofs.
#![expect(clippy::expect_used, clippy::panic, reason = "a scenario fails by panicking")]

pub mod broken;
pub mod court;
pub mod cut;
pub mod cuts;
pub mod fault;
pub mod kinds;
pub mod layer;
pub mod ministack;
pub mod network;
pub mod operations;
pub mod overtaken;
pub mod process;
pub mod proof;
pub mod repeat;
pub mod rush;
pub mod scenario;
pub mod scenes;
pub mod stages;
pub mod tap;
pub mod witness;
