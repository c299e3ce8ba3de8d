//! The metadata of an S3 object: one signed `HEAD`, for which the S3 SDK would be a large guest.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::StatusCode;
use url::Url;

use super::clients::{Attempts, Clients, Within, domain};
use super::encoded_words;
use super::error::AwsError;
use crate::clock::SystemClock;
use crate::door::{Call, Destination, DoorError, Limits};

const TIMEOUT: Duration = Duration::from_secs(10);
const PREFIX: &str = "x-amz-meta-";
/// The hash of no body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What the uploader wrote on an object, by lower-case name.
pub(super) type Metadata = BTreeMap<String, String>;

/// An object at one version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) version: &'a str,
}

impl Clients {
    /// The metadata of an object.
    pub(super) async fn head(&self, within: Within<'_>, object: Object<'_>) -> Result<Metadata, AwsError> {
        let identity = self.identity(within, Attempts::Read).await?;
        let url = address(self.endpoint(), &within.target.region, object)
            .ok_or_else(|| AwsError::fatal("InvalidRequest", "the object's address cannot be built"))?;
        let request = signed(&url, &within.target.region, identity)
            .ok_or_else(|| AwsError::fatal("InvalidRequest", "the request could not be signed"))?;
        let call = Call {
            destination: Destination::Aws,
            name: "aws.HeadObject".to_owned(),
            request,
            limits: Limits {
                timeout: TIMEOUT,
                lease: within.lease,
            },
        };
        match self.door().send(call).await {
            Ok(answer) => read(&answer),
            Err(DoorError::NotSent(why) | DoorError::Unknown(why)) => Err(AwsError::retryable("HeadObject", &why)),
            Err(error @ DoorError::NotPermitted) => Err(AwsError::retryable("HeadObject", &error.to_string())),
        }
    }
}

/// A bucket with a dot in its name does not fit the certificate of its own host, so the path names it; so it does at an endpoint of another kind.
fn address(endpoint: Option<&Url>, region: &str, object: Object<'_>) -> Option<Url> {
    let suffix = domain(region);
    let host = format!("s3.{region}.{suffix}");
    let (mut url, in_path) = match endpoint {
        Some(endpoint) => (endpoint.clone(), true),
        None if object.bucket.contains('.') => (format!("https://{host}/").parse().ok()?, true),
        None => (format!("https://{}.{host}/", object.bucket).parse().ok()?, false),
    };
    {
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty();
        if in_path {
            path.push(object.bucket);
        }
        path.extend(object.key.split('/'));
    }
    url.query_pairs_mut().append_pair("versionId", object.version);
    Some(url)
}

fn signed(url: &Url, region: &str, identity: Identity) -> Option<http::Request<Bytes>> {
    let mut settings = SigningSettings::default();
    // S3 takes paths as they are.
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let now = u64::try_from(SystemClock::machine_ms()).ok()?;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("s3")
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(now))
        .settings(settings)
        .build()
        .ok()?
        .into();
    let body = SignableBody::Precomputed(EMPTY.to_owned());
    let signable = SignableRequest::new("HEAD", url.as_str(), std::iter::empty(), body).ok()?;
    let (instructions, _) = sign(signable, &params).ok()?.into_parts();
    let mut request = http::Request::head(url.as_str()).body(Bytes::new()).ok()?;
    instructions.apply_to_request_http1x(&mut request);
    Some(request)
}

/// A refused `HEAD` has no body to say why: the status is all there is.
fn read(answer: &http::Response<Bytes>) -> Result<Metadata, AwsError> {
    match answer.status() {
        StatusCode::OK => Ok(metadata(answer.headers())),
        StatusCode::NOT_FOUND => Err(AwsError::fatal("NotFound", "the S3 object is gone")),
        StatusCode::FORBIDDEN => Err(AwsError::fatal(
            "Forbidden",
            "the role may not read the S3 object's metadata",
        )),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(AwsError::retryable("HeadObject", &format!("HTTP {status}")))
        }
        status => Err(AwsError::fatal("HeadObject", &format!("HTTP {status}"))),
    }
}

fn metadata(headers: &http::HeaderMap) -> Metadata {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(PREFIX)?;
            let value = String::from_utf8_lossy(value.as_bytes());
            let value = encoded_words::decode(value.trim()).chars().take(2_048).collect();
            Some((name.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: Object<'_> = Object {
        bucket: "artifacts",
        key: "wallet/source code.zip",
        version: "v+1",
    };

    #[test]
    fn the_bucket_is_a_host_or_a_part_of_the_path() {
        let at = |endpoint: Option<&str>, object| {
            let endpoint = endpoint.map(|url| url.parse().unwrap());
            address(endpoint.as_ref(), "eu-central-1", object).unwrap().to_string()
        };
        assert_eq!(
            at(None, OBJECT),
            "https://artifacts.s3.eu-central-1.amazonaws.com/wallet/source%20code.zip?versionId=v%2B1"
        );
        let dotted = Object {
            bucket: "a.b",
            ..OBJECT
        };
        assert!(at(None, dotted).starts_with("https://s3.eu-central-1.amazonaws.com/a.b/wallet/"));
        assert!(
            at(Some("http://127.0.0.1:8700/aws"), OBJECT).starts_with("http://127.0.0.1:8700/aws/artifacts/wallet/")
        );
    }

    #[test]
    fn a_signed_request_names_the_service_and_the_region() {
        let credentials = aws_credential_types::Credentials::new("AKIDEXAMPLE", "key", None, None, "test");
        let url = address(None, "eu-central-1", OBJECT).unwrap();
        let request = signed(&url, "eu-central-1", credentials.into()).unwrap();
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(
            authorization.contains("/eu-central-1/s3/aws4_request"),
            "{authorization}"
        );
        assert_eq!(request.headers()["x-amz-content-sha256"], EMPTY);
    }

    #[test]
    fn metadata_is_told_by_its_prefix() {
        let answer = http::Response::builder()
            .header("x-amz-meta-git-ref", "refs/tags/v1")
            .header("x-amz-meta-summary", "=?UTF-8?Q?caf=C3=A9?=")
            .header("x-amz-version-id", "1")
            .body(Bytes::new())
            .unwrap();
        let metadata = read(&answer).unwrap();
        assert_eq!(metadata.len(), 2);
        assert_eq!(metadata["summary"], "café");
        assert_eq!(metadata["git-ref"], "refs/tags/v1");
    }
}
