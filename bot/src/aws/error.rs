//! What may go wrong with AWS, by what it means for the caller.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::door::DoorError;

const MESSAGE: usize = 300;

/// Why AWS did not do what was asked. Messages are shortened and hold no tokens; they are AWS's words, so foreign text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// Nothing was done, and later it may work: throttled, not reached, credentials that ran out.
    #[error("{code}: {message}")]
    Retryable {
        /// AWS's code, or ours.
        code: String,
        /// In words.
        message: String,
    },
    /// Nothing was done, and trying again does not mend it.
    #[error("{code}: {message}")]
    Fatal {
        /// AWS's code.
        code: String,
        /// In words.
        message: String,
    },
    /// It was sent and no answer came: it may have been done.
    #[error("AWS did not answer: {why}")]
    Unknown {
        /// In words.
        why: String,
    },
}

impl AwsError {
    /// AWS's code, when AWS said something.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Retryable { code, .. } | Self::Fatal { code, .. } => Some(code),
            Self::Unknown { .. } => None,
        }
    }

    pub(crate) fn retryable(code: &str, message: &str) -> Self {
        Self::Retryable {
            code: code.to_owned(),
            message: redacted(message),
        }
    }

    pub(crate) fn fatal(code: &str, message: &str) -> Self {
        Self::Fatal {
            code: code.to_owned(),
            message: redacted(message),
        }
    }

    /// The error that AWS's code, words and HTTP status stand for.
    pub(crate) fn of(code: &str, message: &str, status: u16) -> Self {
        meaning(code, message, status)
    }

    /// Whether the session's credentials are no longer taken: the next try needs new ones.
    pub(crate) fn is_expired(&self) -> bool {
        matches!(
            self.code(),
            Some("ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId" | "UnrecognizedClientException")
        )
    }
}

impl<E> From<SdkError<E, HttpResponse>> for AwsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let unknown = |why: &str| Self::Unknown { why: why.to_owned() };
        match error {
            SdkError::ServiceError(answer) => service(answer.err(), answer.raw().status().as_u16()),
            SdkError::TimeoutError(_) => unknown("timed out"),
            SdkError::ResponseError(_) => unknown("an answer that cannot be read"),
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(error) => door(error),
                None => unknown("the connection failed"),
            },
            SdkError::ConstructionFailure(_) => Self::fatal("InvalidRequest", "the request could not be built"),
            _ => unknown("an unknown failure"),
        }
    }
}

/// A failure of the connector is the door's; anything else in that place happened before sending (no credentials, above all).
fn door(error: &(dyn std::error::Error + 'static)) -> AwsError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<DoorError>() {
            Some(DoorError::NotSent(why)) => return AwsError::retryable("NotSent", why),
            Some(error @ DoorError::NotPermitted) => return AwsError::retryable("NotSent", &error.to_string()),
            Some(DoorError::Unknown(why)) => return AwsError::Unknown { why: why.clone() },
            None => cause = error.source(),
        }
    }
    AwsError::retryable("NoCredentials", "credentials for the call could not be had")
}

fn service<E: ProvideErrorMetadata>(error: &E, status: u16) -> AwsError {
    AwsError::of(
        error.code().unwrap_or("Unknown"),
        error.message().unwrap_or("no message"),
        status,
    )
}

/// What a code and a status mean.
fn meaning(code: &str, message: &str, status: u16) -> AwsError {
    let throttled = code.starts_with("Throttl")
        || matches!(
            code,
            "TooManyRequestsException"
                | "RequestLimitExceeded"
                | "SlowDown"
                | "RequestThrottled"
                | "ProvisionedThroughputExceededException"
                | "ResourceConflictException"
                | "ResourceInUseException"
        );
    let again = matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "ConcurrentModificationException"
            | "ConflictException"
            | "IDPCommunicationError"
            | "OperationAborted"
            | "PriorRequestNotComplete"
    );
    if throttled || again || status == 429 {
        AwsError::retryable(code, message)
    } else if status >= 500 {
        // It broke on the way: how far it had got, only a look can tell.
        AwsError::Unknown {
            why: format!("{code} (HTTP {status})"),
        }
    } else {
        AwsError::fatal(code, message)
    }
}

/// Short, on one line, and without the long encoded parts that AWS puts into refusals.
fn redacted(message: &str) -> String {
    let words = message.split_whitespace().map(|word| {
        let opaque = word.len() > 120 && !word.contains('/');
        if opaque { "…" } else { word }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    if text.chars().count() <= MESSAGE {
        return text;
    }
    text.chars().take(MESSAGE - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::error::ErrorMetadata;

    fn judged(code: &str, status: u16) -> AwsError {
        service(&ErrorMetadata::builder().code(code).message("words").build(), status)
    }

    #[test]
    fn codes_and_statuses_say_what_a_caller_may_do() {
        for code in ["ThrottlingException", "Throttling", "ExpiredTokenException", "SlowDown"] {
            assert!(matches!(judged(code, 400), AwsError::Retryable { .. }), "{code}");
        }
        for code in [
            "InvalidApprovalTokenException",
            "AccessDeniedException",
            "ValidationException",
        ] {
            assert!(matches!(judged(code, 400), AwsError::Fatal { .. }), "{code}");
        }
        assert!(matches!(judged("InternalFailure", 500), AwsError::Unknown { .. }));
    }

    #[test]
    fn what_was_not_sent_is_told_from_what_may_have_been() {
        let not_sent = DoorError::NotSent("refused".to_owned());
        assert!(matches!(door(&not_sent), AwsError::Retryable { .. }));
        let unknown = DoorError::Unknown("cut".to_owned());
        assert!(matches!(door(&unknown), AwsError::Unknown { .. }));
    }

    #[test]
    fn messages_are_short_and_lose_their_opaque_parts() {
        let long = format!("denied. Encoded message: {} end", "x".repeat(500));
        let text = redacted(&long);
        assert_eq!(text, "denied. Encoded message: … end");
        assert_eq!(redacted(&"word ".repeat(200)).chars().count(), MESSAGE);
    }
}
