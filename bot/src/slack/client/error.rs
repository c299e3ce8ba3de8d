//! What may go wrong with Slack, by what it means for the caller.

use commands::time::Span;

use crate::door::DoorError;

/// Why Slack did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Slack said no.
    #[error("Slack refused: {code}")]
    Refused {
        /// Slack's code: `channel_not_found`.
        code: String,
    },
    /// Too fast; nothing was done.
    #[error("Slack asks to slow down")]
    RateLimited {
        /// For how long, if Slack says.
        retry_after: Option<Span>,
    },
    /// Slack certainly did not hear it.
    #[error("Slack was not reached: {0}")]
    NotSent(String),
    /// It may have been done.
    #[error("Slack did not answer: {0}")]
    Unknown(String),
}

impl From<DoorError> for SlackError {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::NotSent(why) => Self::NotSent(why),
            DoorError::NotPermitted => Self::NotSent(error.to_string()),
            DoorError::Unknown(why) => Self::Unknown(why),
        }
    }
}
