//! What is read once, at the start: the environment and the configuration files.

mod secret;

pub use secret::Secret;
