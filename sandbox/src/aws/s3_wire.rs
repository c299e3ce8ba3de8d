//! S3's REST: objects and buckets by path, metadata as headers, lists and settings as XML.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::account::Account;
use super::error::AwsError;
use super::signature::Signed;
use super::{ids, query};
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::{Change, World};

/// How S3 words an answer: `HEAD` has no body, so its refusals are a bare status.
#[derive(Clone, Copy)]
struct S3 {
    head: bool,
}

/// What is asked for.
struct Asked {
    operation: &'static str,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Asked {
    fn of(parts: &Parts, body: &[u8]) -> Self {
        let path = parts.uri.path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let query: BTreeMap<String, String> = pairs.into_iter().collect();
        let has = |name: &str| query.contains_key(name);
        let operation = match (&parts.method, key.is_empty()) {
            (&Method::HEAD, true) => "HeadBucket",
            (&Method::HEAD, false) => "HeadObject",
            (&Method::GET, true) if has("list-type") => "ListObjectsV2",
            (&Method::GET, true) if has("versioning") => "GetBucketVersioning",
            (&Method::GET, true) if has("encryption") => "GetBucketEncryption",
            (&Method::GET, true) if has("publicAccessBlock") => "GetPublicAccessBlock",
            (&Method::GET, false) => "GetObject",
            (&Method::DELETE, true) => "DeleteBucket",
            (&Method::POST, true) if has("delete") => "DeleteObjects",
            _ => "Unknown",
        };
        Self {
            operation,
            bucket: bucket.to_owned(),
            key: percent_decoded(key),
            query,
            body: body.to_vec(),
        }
    }

    fn version(&self) -> Option<&str> {
        self.query.get("versionId").map(String::as_str)
    }
}

/// Answers a request that is signed for S3, or for nobody.
pub(super) async fn handle(world: &Arc<World>, parts: &Parts, body: &[u8]) -> Response {
    let asked = Asked::of(parts, body);
    let vendor = S3 {
        head: parts.method == Method::HEAD,
    };
    let signed = Signed::of(&parts.headers);
    let call = Call {
        name: format!("aws.{}", asked.operation),
        arguments: json!({"Bucket": asked.bucket, "Key": asked.key, "VersionId": asked.version()}),
    };
    let inner = Arc::clone(world);
    guarded(world, call, vendor, move || {
        let answer = {
            let mut account = inner.aws();
            account.advance(inner.clock.now_ms());
            let allowed = signed.caller(&account).map_err(|_| AwsError::denied("Access Denied"));
            allowed.and_then(|_| vendor.perform(&mut account, &asked))
        };
        if asked.operation.starts_with("Delete") {
            inner.changed(Change::Aws);
        }
        match answer {
            Ok(response) => Answer::done(response),
            Err(error) => Answer::refused(vendor.refuse(&error), error.code),
        }
    })
    .await
}

/// A part of a path as it was meant.
pub(crate) fn percent_decoded(text: &str) -> String {
    // A form decoder would turn a plus sign into a space, which in a path it is not.
    let form = format!("k={}", text.replace('+', "%2B").replace('&', "%26"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&form).unwrap_or_default();
    pairs
        .into_iter()
        .next()
        .map_or_else(|| text.to_owned(), |(_, value)| value)
}

impl S3 {
    fn perform(self, account: &mut Account, asked: &Asked) -> Result<Response, AwsError> {
        let now_ms = account.now_ms;
        let (buckets, bucket) = (&mut account.bucket, asked.bucket.as_str());
        match asked.operation {
            "HeadObject" | "GetObject" => {
                let found = buckets.get(bucket, &asked.key, asked.version())?;
                Ok(self.object(found))
            }
            "HeadBucket" => buckets.check(bucket).map(|()| empty(StatusCode::OK)),
            "ListObjectsV2" => Ok(document("ListBucketResult", &buckets.list(bucket, &asked.query)?)),
            "GetBucketVersioning" => Ok(document("VersioningConfiguration", &buckets.versioning(bucket)?)),
            "GetBucketEncryption" => {
                let settings = buckets.encryption(bucket)?;
                Ok(document("ServerSideEncryptionConfiguration", &settings))
            }
            "GetPublicAccessBlock" => {
                let settings = buckets.public_access_block(bucket)?;
                Ok(document("PublicAccessBlockConfiguration", &settings))
            }
            "DeleteBucket" => buckets.delete_bucket(bucket).map(|()| empty(StatusCode::NO_CONTENT)),
            "DeleteObjects" => {
                let deleted = buckets.delete_objects(bucket, &asked.body, now_ms)?;
                Ok(document("DeleteResult", &deleted))
            }
            _ => {
                let message = "The specified method is not allowed against this resource.";
                let error = AwsError::new("MethodNotAllowed", message);
                Err(error.with_status(StatusCode::METHOD_NOT_ALLOWED))
            }
        }
    }

    fn object(self, version: &super::s3::Version) -> Response {
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

    fn refuse(self, error: &AwsError) -> Response {
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

fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// An answer as XML.
fn document(name: &str, value: &Value) -> Response {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    );
    query::write(&mut xml, value);
    xml.push_str(&format!("</{name}>"));
    let response = Response::builder().header("content-type", "application/xml");
    response.body(Body::from(xml)).unwrap_or_default()
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
