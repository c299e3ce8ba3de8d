//! The sandbox and the bot in one process, on one clock that can be jumped: what `scripts/demo` starts, and what the scenarios run in.
//!
//! The bot has a runtime of its own, so that killing it is what a crash is: every task ends where it stands, nothing is drained, and what is left is
//! what the store has.

mod clock;
mod host;
pub mod keys;
mod names;
mod replica;
mod rig;

pub use clock::SharedClock;
pub use host::DemoHost;
pub use rig::{DoorWrap, Options, Rig, StoreWrap, Stored};
