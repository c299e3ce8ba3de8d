//! The core of Signalbox: what people argue about, as pure functions.
//!
//! Nothing here waits, reads a clock, rolls a die or talks to anyone. Text comes in and is parsed; facts come in and are judged; what should
//! happen goes out as data.
//!
//! | module | holds |
//! |---|---|
//! | [`catalog`] | what the configuration says |
//! | [`run`], [`desk`], [`watch`] | the three kinds of record: their events and folds |
//! | [`round`], [`check`] | one request for approval, what it would ship, and the evidence |
//! | [`effect`] | what the bot owes the world |
//! | [`facts`], [`decision`] | what a decision looks at, and what it is |
//! | [`view`] | what people see |

pub mod catalog;
pub mod check;
pub mod decision;
pub mod desk;
pub mod digest;
pub mod effect;
pub mod facts;
pub mod ids;
pub mod reason;
pub mod round;
pub mod run;
pub mod time;
pub mod view;
pub mod watch;
