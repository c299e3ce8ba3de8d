//! Words in, commands out. One grammar for slash commands, mentions and the command line.
//!
//! There is no order in which parsers are tried: the first word names the verb, the verb reads the rest.

mod args;
mod error;
mod flags;

pub use args::{Args, Scope};
pub use error::ParseError;
pub(crate) use error::closest;
pub use flags::Valued;
