//! S3's REST: `HEAD` and `GET` of an object by path, with its metadata as headers.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::error::AwsError;
use super::signature::Signed;
use super::{ids, query};
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::World;

/// How S3 words an answer: `HEAD` has no body, so its refusals are a bare status.
struct S3 {
    head: bool,
}

/// Answers a request that is not a `POST`.
pub(super) async fn handle(world: &Arc<World>, parts: &Parts, _body: &[u8]) -> Response {
    let head = parts.method == Method::HEAD;
    let (bucket, key) = bucket_and_key(parts.uri.path());
    let version = parts.uri.query().and_then(version_id);
    let name = match (head, parts.method == Method::GET) {
        (true, _) => "aws.HeadObject",
        (_, true) => "aws.GetObject",
        _ => "aws.Unknown",
    };
    let arguments = json!({"Bucket": bucket, "Key": key, "VersionId": version});
    let signature = Signed::of(&parts.headers);
    let inner = Arc::clone(world);
    guarded(
        world,
        Call {
            name: name.to_owned(),
            arguments,
        },
        S3 { head },
        move || {
            let vendor = S3 { head };
            let mut account = inner.aws();
            account.advance(inner.clock.now_ms());
            let denied = |_| AwsError::denied("Access Denied");
            let allowed = signature.caller(&account).map_err(denied);
            let known = if name == "aws.Unknown" {
                let error = AwsError::new(
                    "MethodNotAllowed",
                    "The specified method is not allowed against this resource.",
                );
                Err(error.with_status(StatusCode::METHOD_NOT_ALLOWED))
            } else {
                Ok(())
            };
            match allowed
                .and(known)
                .and_then(|()| account.bucket.get(&bucket, &key, version.as_deref()))
            {
                Ok(found) => Answer::done(vendor.object(found)),
                Err(error) => Answer::refused(vendor.refuse(&error), error.code),
            }
        },
    )
    .await
}

fn bucket_and_key(path: &str) -> (String, String) {
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (bucket.to_owned(), percent_decoded(key))
}

pub(super) fn percent_decoded(text: &str) -> String {
    // A form decoder would turn a plus sign into a space, which in a path it is not.
    let form = format!("k={}", text.replace('+', "%2B").replace('&', "%26"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&form).unwrap_or_default();
    pairs
        .into_iter()
        .next()
        .map_or_else(|| text.to_owned(), |(_, value)| value)
}

fn version_id(query: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    pairs
        .into_iter()
        .find(|(name, _)| name == "versionId")
        .map(|(_, value)| value)
}

impl S3 {
    fn object(&self, version: &super::s3::Version) -> Response {
        let body = if self.head {
            Body::empty()
        } else {
            Body::from(version.body.clone())
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert("content-length", HeaderValue::from(version.body.len()));
        for (name, text) in version.headers() {
            if let (Ok(name), Ok(text)) = (HeaderName::try_from(name), HeaderValue::try_from(text)) {
                headers.insert(name, text);
            }
        }
        headers.insert("x-amz-request-id", HeaderValue::from_static("SANDBOXREQUEST01"));
        response
    }

    fn refuse(&self, error: &AwsError) -> Response {
        let id = ids::uuid();
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><RequestId>{id}</RequestId></Error>",
            query::escape(&error.code),
            query::escape(&error.message)
        );
        let body = if self.head { Body::empty() } else { Body::from(xml) };
        let response = Response::builder()
            .status(error.status)
            .header("content-type", "application/xml");
        response.header("x-amz-request-id", &id).body(body).unwrap_or_default()
    }
}

impl Vendor for S3 {
    fn throttled(&self, _retry_after: u64) -> Response {
        self.refuse(
            &AwsError::new("SlowDown", "Please reduce your request rate.").with_status(StatusCode::SERVICE_UNAVAILABLE),
        )
    }

    fn failed(&self) -> Response {
        let error = AwsError::new("InternalError", "We encountered an internal error. Please try again.");
        self.refuse(&error.with_status(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn refused(&self, error: &str) -> Response {
        let status = if error.starts_with("NoSuch") {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::FORBIDDEN
        };
        self.refuse(&AwsError::new(error, "refused on request of the sandbox's controls").with_status(status))
    }
}
