//! Durability: what the bot knows survives it.
//!
//! A [`Store`] keeps *records* (a run, a desk, a watch) with a version and a next wake, their journals, the *effects* that are owed to the
//! outside world, the *claims* of runs on environments, and the answers already given. It changes in one way only: [`Store::commit`] checks
//! everything, then writes everything, or writes nothing.
//!
//! Two backends keep the same promises: [`redis`] for production and [`embedded`] for a single process with one file. The meaning of a commit is
//! one function over tables ([`apply`]); it *is* the embedded backend, and it is the model against which the Redis script is tested.
//!
//! Folds, effect bodies and replies are opaque text here: what they mean is the core's affair.

pub mod apply;
pub mod audit;
mod codec;
pub mod commit;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod embedded;
mod read;
pub mod redis;
mod store;
mod tables;
#[cfg(any(test, feature = "contract"))]
pub mod testing;
mod turn;

pub use commit::{Claim, Commit, Committed, Effect, Finish, NewEffect, Then, Write};
pub use store::{Health, Load, Loaded, Page, Poll, Polled, Store, StoreError, StoreTime, Stored, Wanted};
pub use turn::{Limit, Turn, Turned, Turns};
