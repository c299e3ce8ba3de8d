//! What a service answers to a signed call: JSON or XML, and the same meaning for every failure.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::api::Protocol;
use super::error::AwsError;
use super::xml;

/// What came back.
#[derive(Debug)]
pub(crate) struct Told {
    /// The body; `null` when there was none, text as a string when it was no JSON. Of XML what is in the root, or in the result that it wraps.
    pub body: Value,
    /// The headers.
    pub headers: http::HeaderMap,
}

/// Reads an answer of a service that speaks so.
pub(super) fn read(protocol: Protocol, operation: &str, answer: Response<Bytes>) -> Result<Told, AwsError> {
    let (parts, body) = answer.into_parts();
    if matches!(protocol, Protocol::Query(_) | Protocol::RestXml | Protocol::S3) {
        return read_xml(operation, &parts, &body);
    }
    let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    let value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).unwrap_or_else(|_| text())
    };
    if parts.status.is_success() {
        return Ok(Told {
            body: value,
            headers: parts.headers,
        });
    }
    let header = parts
        .headers
        .get("x-amzn-errortype")
        .and_then(|value| value.to_str().ok());
    let code = header
        .or_else(|| value.get("__type")?.as_str())
        .or_else(|| value.get("code")?.as_str())
        .or_else(|| value.pointer("/error/type")?.as_str())
        .unwrap_or("Unknown");
    // `com.amazonaws.dynamodb#ResourceNotFoundException`, `ResourceNotFoundException:http://…`
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code);
    let message = value
        .get("message")
        .or_else(|| value.get("Message"))
        .or_else(|| value.pointer("/error/reason"))
        .and_then(Value::as_str)
        .unwrap_or("no message");
    Err(AwsError::of(code, message, parts.status.as_u16()))
}

fn read_xml(operation: &str, parts: &http::response::Parts, body: &[u8]) -> Result<Told, AwsError> {
    let status = parts.status;
    let read = xml::read(&String::from_utf8_lossy(body));
    if status.is_success() {
        let mut body = match (read, body.is_empty()) {
            (_, true) => Value::Null,
            (Some((_, content)), false) => content,
            (None, false) => {
                let why = "an answer that cannot be read".to_owned();
                return Err(AwsError::Unknown { why });
            }
        };
        if let Some(result) = body.get_mut(format!("{operation}Result")) {
            body = result.take();
        }
        return Ok(Told {
            body,
            headers: parts.headers.clone(),
        });
    }
    let (code, mut words) = match (&read, status) {
        (Some(read), _) => xml::refusal(read),
        // A refused `HEAD` has no body to say why.
        (None, http::StatusCode::NOT_FOUND) => ("NotFound".to_owned(), "it is not there".to_owned()),
        (None, http::StatusCode::FORBIDDEN) => ("Forbidden".to_owned(), "the role may not".to_owned()),
        (None, _) => ("Unknown".to_owned(), "no message".to_owned()),
    };
    let home = parts
        .headers
        .get("x-amz-bucket-region")
        .and_then(|region| region.to_str().ok());
    if let (true, Some(home)) = (status.is_redirection(), home) {
        words = format!("the bucket is in {home}: say `region` in the runbook");
    }
    Err(AwsError::of(&code, &words, status.as_u16()))
}

#[cfg(test)]
mod tests {
    use super::super::api::{DYNAMODB, RDS};
    use super::*;

    #[test]
    fn xml_is_read_without_what_is_wrapped_around_it() {
        let answer = |status: u16, body: &'static str| {
            let answer = Response::builder()
                .status(status)
                .body(Bytes::from_static(body.as_bytes()));
            read(RDS.protocol, "GetX", answer.unwrap())
        };
        let told = answer(200, "<GetXResponse><GetXResult><A>1</A></GetXResult></GetXResponse>").unwrap();
        assert_eq!(told.body, serde_json::json!({ "A": "1" }));
        assert_eq!(answer(200, "<Other><A>1</A></Other>").unwrap().body["A"], "1");
        assert!(matches!(answer(200, "<html>").unwrap_err(), AwsError::Unknown { .. }));
        assert_eq!(answer(404, "").unwrap_err().code(), Some("NotFound"));
        let error =
            "<ErrorResponse><Error><Code>DBSnapshotNotFound</Code><Message>no</Message></Error></ErrorResponse>";
        assert_eq!(
            answer(404, error).unwrap_err(),
            AwsError::fatal("DBSnapshotNotFound", "no")
        );
        let slow = "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>";
        assert!(matches!(answer(503, slow).unwrap_err(), AwsError::Retryable { .. }));
    }

    #[test]
    fn failures_have_their_codes_wherever_they_stand() {
        let answer = |header: &str, body: &'static str, status: u16| {
            let answer = Response::builder().status(status).header("x-amzn-errortype", header);
            let answer = if header.is_empty() {
                Response::builder().status(status)
            } else {
                answer
            };
            let answer = answer.body(Bytes::from_static(body.as_bytes())).unwrap();
            read(DYNAMODB.protocol, "GetItem", answer).unwrap_err()
        };
        for (header, body) in [
            (
                "",
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}"#,
            ),
            ("ConditionalCheckFailedException:http://x/", r#"{"Message":"no"}"#),
        ] {
            let error = answer(header, body, 400);
            assert_eq!(error, AwsError::fatal("ConditionalCheckFailedException", "no"));
        }
        assert!(matches!(
            answer("", r#"{"__type":"ThrottlingException"}"#, 400),
            AwsError::Retryable { .. }
        ));
        assert!(matches!(answer("", "<html>", 502), AwsError::Unknown { .. }));
    }
}
