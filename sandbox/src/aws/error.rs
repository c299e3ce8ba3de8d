//! A refusal in AWS's words.

use http::StatusCode;
use serde_json::Value;

/// What AWS answers when it does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The error's name: `InvalidApprovalTokenException`.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// The code that clients of the old Query protocol know, where it differs (SQS).
    pub query_code: Option<&'static str>,
    /// What else the error tells, where its model has more members than a message.
    pub members: Option<Value>,
}

impl AwsError {
    /// A refusal with status 400.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: StatusCode::BAD_REQUEST,
            query_code: None,
            members: None,
        }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_query_code(mut self, code: &'static str) -> Self {
        self.query_code = Some(code);
        self
    }

    pub(crate) fn with_members(mut self, members: Value) -> Self {
        self.members = Some(members);
        self
    }

    /// A refusal with status 404.
    pub(crate) fn missing(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, message).with_status(StatusCode::NOT_FOUND)
    }

    /// A constraint of the service's model was broken.
    pub(crate) fn validation(value: &str, member: &str, constraint: &str) -> Self {
        let message = format!(
            "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"
        );
        Self::new("ValidationException", message)
    }

    /// The caller is not allowed to.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
    }

    /// The operation is not one of those that this account offers.
    pub(crate) fn unknown_operation(operation: &str) -> Self {
        Self::new(
            "UnknownOperationException",
            format!("the sandbox does not know the operation {operation}"),
        )
    }
}
