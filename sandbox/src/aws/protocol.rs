//! How answers and refusals are written in each of AWS's protocols.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::error::AwsError;
use super::service;
use super::signature::header;
use super::{cbor, ids, query, value};
use crate::faults_http::Vendor;

/// How a request is written.
#[derive(Debug, Clone)]
pub(super) enum Protocol {
    /// awsJson: the content type, which the answer repeats.
    Json(String),
    /// Smithy RPC v2 with CBOR.
    Cbor,
    /// Forms in, XML of this namespace out.
    Query(&'static str),
    /// The same in EC2's dialect.
    Ec2(&'static str),
    /// Paths and JSON.
    RestJson,
    /// Paths and XML of this namespace.
    RestXml(&'static str),
}

impl Protocol {
    /// The protocol of a request, as far as its head tells.
    pub(super) fn of(headers: &HeaderMap, scope: &str) -> Self {
        let content_type = header(headers, "content-type").unwrap_or_default();
        if header(headers, "smithy-protocol").is_some() || content_type == "application/cbor" {
            Self::Cbor
        } else if content_type.starts_with("application/x-amz-json") {
            Self::Json(content_type.to_owned())
        } else if let Some((_, dialect)) = service::of_scope(scope).next() {
            match dialect.namespace {
                "" => Self::RestJson,
                namespace => Self::RestXml(namespace),
            }
        } else {
            Self::Query("https://sts.amazonaws.com/doc/2011-06-15/")
        }
    }

    /// The answer of an operation.
    pub(super) fn answer(&self, operation: &str, answer: Value) -> Response {
        let id = ids::uuid();
        if let Some(raw) = value::as_raw(&answer) {
            let mut response = self.respond(raw.status, &id, raw.body.into_bytes());
            for (name, text) in raw.headers {
                if let (Ok(name), Ok(text)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(text)) {
                    response.headers_mut().insert(name, text);
                }
            }
            return response;
        }
        let body = match self {
            Self::Json(_) | Self::RestJson => value::to_json(answer).to_string(),
            Self::Cbor => return self.respond(StatusCode::OK, &id, cbor::encode(&answer)),
            Self::Query(namespace) => query::answer(operation, namespace, &value::to_text(answer), &id),
            Self::Ec2(namespace) => query::ec2_answer(operation, namespace, &value::to_text(answer), &id),
            Self::RestXml(namespace) => {
                let mut xml =
                    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{operation}Response xmlns=\"{namespace}\">");
                query::write(&mut xml, &value::to_text(answer));
                xml + &format!("</{operation}Response>")
            }
        };
        self.respond(StatusCode::OK, &id, body.into_bytes())
    }

    /// The refusal of an operation.
    pub(super) fn refuse(&self, error: &AwsError) -> Response {
        let id = ids::uuid();
        let mut told = json!({"__type": error.code, "message": error.message});
        if let (Some(told), Some(Value::Object(members))) = (told.as_object_mut(), &error.members) {
            told.extend(members.clone());
        }
        let body = match self {
            Self::Json(_) | Self::RestJson => value::to_json(told).to_string().into_bytes(),
            Self::Cbor => cbor::encode(&told),
            Self::Query(_) | Self::RestXml(_) => query::refusal(query_code(error), &error.message, &id).into_bytes(),
            Self::Ec2(_) => query::ec2_refusal(query_code(error), &error.message, &id).into_bytes(),
        };
        let mut response = self.respond(error.status, &id, body);
        if let Some(code) = error.query_code
            && let Ok(code) = http::HeaderValue::from_str(&format!("{code};Sender"))
        {
            response.headers_mut().insert("x-amzn-query-error", code);
        }
        if let (Self::RestJson, Ok(code)) = (self, http::HeaderValue::from_str(&error.code)) {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        response
    }

    fn respond(&self, status: StatusCode, request_id: &str, body: Vec<u8>) -> Response {
        let content_type = match self {
            Self::Json(content_type) => content_type.as_str(),
            Self::Cbor => "application/cbor",
            Self::Query(_) | Self::Ec2(_) | Self::RestXml(_) => "text/xml",
            Self::RestJson => "application/json",
        };
        let mut response = Response::builder()
            .status(status)
            .header("content-type", content_type)
            .header("x-amzn-requestid", request_id);
        if matches!(self, Self::Cbor) {
            response = response.header("smithy-protocol", "rpc-v2-cbor");
        }
        response.body(Body::from(body)).unwrap_or_default()
    }
}

/// The old protocol knows some errors by shorter names.
fn query_code(error: &AwsError) -> &str {
    match error.code.as_str() {
        "ValidationException" => "ValidationError",
        "ThrottlingException" => "Throttling",
        "UnknownOperationException" => "InvalidAction",
        "ExpiredTokenException" => "ExpiredToken",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        code => error.query_code.unwrap_or(code),
    }
}

impl Vendor for Protocol {
    fn throttled(&self, _retry_after: u64) -> Response {
        let slow = |code: &str, status| AwsError::new(code, "Rate exceeded").with_status(status);
        self.refuse(&match self {
            Self::RestJson => slow("TooManyRequestsException", StatusCode::TOO_MANY_REQUESTS),
            Self::Ec2(_) => slow("RequestLimitExceeded", StatusCode::SERVICE_UNAVAILABLE),
            _ => slow("ThrottlingException", StatusCode::BAD_REQUEST),
        })
    }

    fn failed(&self) -> Response {
        let code = if matches!(self, Self::RestJson) {
            "ServiceException"
        } else {
            "InternalFailure"
        };
        let error = AwsError::new(code, "An internal error occurred. Try again later.");
        self.refuse(&error.with_status(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn refused(&self, error: &str) -> Response {
        let denied = error.starts_with("AccessDenied");
        let status = if denied {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::BAD_REQUEST
        };
        self.refuse(&AwsError::new(error, "refused on request of the sandbox's controls").with_status(status))
    }
}
