//! AWS, as the bot calls it. The SDK's types end here.
//!
//! Reads are tried again by the SDK. What changes something is sent once: the worker tries again, after a look at what the first try did.

mod actor;
pub(crate) mod api;
pub mod clients;
pub mod cloudwatch;
pub mod codepipeline;
mod connector;
mod encoded_words;
mod error;
pub mod events;
pub(crate) mod metrics;
mod s3;
mod session;
pub(crate) mod signed;
pub mod sns;
mod told;
pub(crate) mod xml;

pub use actor::Actor;
pub use clients::Clients;
pub use error::AwsError;
