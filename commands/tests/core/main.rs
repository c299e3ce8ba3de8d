//! The core as its users meet it: people speak, pipelines move, time passes; no store, no network, no clock.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "a test fails by panicking, and its modules share what they like"
)]

mod approval;
mod grammar;
mod grid;
mod guarded;
mod levels;
mod maintenance;
mod observe;
mod order;
mod replay;
mod runbook;
mod show;
mod standing;
mod switch;
mod told;
mod unseen;
mod world;
