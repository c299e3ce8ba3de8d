//! Pictures of every state, and the rules that no picture may break.

mod cards;
mod replies;
mod rules;
