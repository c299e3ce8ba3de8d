//! The workspace through its real edges: a client of the Web API on one side, an app's request URLs on the other.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod api;
mod faults;
mod interactions;
mod modals;
mod people;
mod support;
