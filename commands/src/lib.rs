//! The core of Signalbox: what people argue about, as pure functions.
//!
//! Nothing here waits, reads a clock, rolls a die or talks to anyone. Text comes in and is parsed; facts come in and are judged; what should
//! happen goes out as data.
//!
//! | module | holds |
//! |---|---|
//! | [`catalog`] | what the configuration says |
//! | [`run`], [`operation`], [`desk`], [`watch`] | the four kinds of record: their events and folds |
//! | [`approval`] | the steps of an approval: votes, answer, follow |
//! | [`runbook`], [`step`], [`credential`] | what a team's own runbook is made of, and the secrets that it names |
//! | [`round`], [`check`] | one request for approval, what it would ship, and the evidence |
//! | [`effect`] | what the bot owes the world |
//! | [`gate`] | the rules over people and state |
//! | [`facts`], [`decision`] | what a decision looks at, and what it is |
//! | [`view`] | what people see |

pub mod approval;
pub mod catalog;
pub mod check;
pub mod credential;
pub mod decision;
pub mod desk;
pub mod digest;
pub mod effect;
pub mod facts;
pub mod gate;
pub mod grammar;
pub mod ids;
pub mod operation;
pub mod outcome;
pub mod plan;
pub mod reason;
pub mod round;
pub mod run;
pub mod runbook;
pub mod step;
#[cfg(test)]
mod test_support;
pub mod time;
pub mod verb;
pub mod view;
pub mod wake;
pub mod watch;
