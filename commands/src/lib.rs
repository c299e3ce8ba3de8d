//! The core of Signalbox: what people argue about, as pure functions.
//!
//! Nothing here waits, reads a clock, rolls a die or talks to anyone. Text comes in and is parsed; facts come in and are judged; what should
//! happen goes out as data.

pub mod digest;
pub mod ids;
pub mod time;
