//! The runner: what happens between a delivery and its effects.
//!
//! *Somebody speaks* ([`hear`]): load, decide, commit, reply. *The bot acts* ([`worker`]): effects are claimed under a lease, carried out ([`execute`]), and
//! their outcomes decided on in the commit that finishes them. *Time passes*: records are woken. Every change goes through [`decide`].

pub mod commit;
pub mod decide;
pub mod drawings;
pub mod engine;
mod execute;
pub mod hear;
mod looks;
mod queues;
mod reply;
pub mod seals;
pub mod snapshot;
pub mod start;
pub mod worker;

pub use engine::Engine;
pub(crate) use execute::say;
pub use hear::Ears;
