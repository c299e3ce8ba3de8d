//! One signed call to an AWS service that the SDK crates here do not cover: JSON, forms or XML there, JSON or XML back, through the door.
//!
//! The services that steps speak to would cost minutes of every build as SDK crates, for a call or two each. What the SDK does for the others is done
//! here in the same way: the role's session, the signature, and the same meaning for every failure ([`AwsError`]). Nothing is sent twice: the worker
//! tries again, after a look.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::api::{Api, Protocol};
use super::clients::{Attempts, Clients, Within, domain};
use super::error::AwsError;
use super::told;
pub(crate) use super::told::Told;
use crate::clock::SystemClock;
use crate::door::{Call, Destination, DoorError, Limits};

/// How long a call may take, unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The region for which calls to services are signed that all regions share.
const GLOBAL_REGION: &str = "us-east-1";

/// What is asked: an operation with its input; for the protocols with paths also where.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    /// The operation, for the target and for metrics.
    pub operation: &'static str,
    /// The method of a REST call; anything else is `POST`.
    pub method: Method,
    /// The path of a REST call, part by part.
    pub path: Vec<&'a str>,
    /// Its query.
    pub query: Vec<(&'static str, &'a str)>,
    /// The input: of [`Protocol::Query`] an object of plain values, of those with XML the document as a text.
    pub body: Option<Value>,
    /// How long it may take. Nothing is sent under a lease that has less left.
    pub timeout: Duration,
}

impl Ask<'static> {
    /// An operation that is named by its target or in its form.
    pub(crate) fn target(operation: &'static str, input: Value) -> Self {
        Self {
            operation,
            method: Method::POST,
            path: Vec::new(),
            query: Vec::new(),
            body: Some(input),
            timeout: TIMEOUT,
        }
    }
}

impl<'a> Ask<'a> {
    /// A REST call.
    pub(crate) const fn rest(operation: &'static str, method: Method, path: Vec<&'a str>, body: Option<Value>) -> Self {
        Self {
            operation,
            method,
            path,
            query: Vec::new(),
            body,
            timeout: TIMEOUT,
        }
    }
}

impl Clients {
    /// Makes one call.
    pub(crate) async fn signed(&self, within: Within<'_>, api: Api, ask: Ask<'_>) -> Result<Told, AwsError> {
        let url = address(self.endpoint(), api, &within.target.region, &ask).ok_or_else(unbuilt)?;
        self.signed_at(within, api, (Destination::Aws, &url), ask).await
    }

    /// Makes one call to an address that is known already, with path and query.
    pub(crate) async fn signed_at(
        &self,
        within: Within<'_>,
        api: Api,
        (destination, url): (Destination, &Url),
        ask: Ask<'_>,
    ) -> Result<Told, AwsError> {
        let identity = self.identity(within, Attempts::Once).await?;
        let region = if api.global {
            GLOBAL_REGION
        } else {
            &within.target.region
        };
        let request = signed(url, api, (region, &ask), identity).ok_or_else(unbuilt)?;
        let call = Call {
            destination,
            name: format!("{}.{}", api.name, ask.operation),
            request,
            limits: Limits {
                timeout: ask.timeout,
                lease: within.lease,
            },
        };
        let answer = match self.door().send(call).await {
            Ok(answer) => told::read(api.protocol, ask.operation, answer),
            Err(DoorError::NotSent(why)) => Err(AwsError::retryable("NotSent", &why)),
            Err(error @ DoorError::NotPermitted) => Err(AwsError::fatal("NotPermitted", &error.to_string())),
            Err(DoorError::Unknown(why)) => Err(AwsError::Unknown { why }),
        };
        self.heed(within, answer)
    }
}

fn unbuilt() -> AwsError {
    AwsError::fatal("InvalidRequest", "the request could not be built")
}

fn address(endpoint: Option<&Url>, api: Api, region: &str, ask: &Ask<'_>) -> Option<Url> {
    let suffix = domain(region);
    let (mut host, mut path) = (format!("{}.{region}.{suffix}", api.host), ask.path.as_slice());
    if api.global {
        host = format!("{}.{suffix}", api.host);
    }
    // A bucket with a dot in its name does not fit the certificate of its own host, so the path names it; so it does at an endpoint of another kind.
    if let (Protocol::S3, None, Some((bucket, rest))) = (api.protocol, endpoint, path.split_first())
        && !bucket.contains('.')
    {
        host = format!("{bucket}.{host}");
        path = rest;
    }
    let mut url: Url = match endpoint {
        Some(endpoint) => endpoint.clone(),
        None => format!("https://{host}/").parse().ok()?,
    };
    let parts: Vec<String> = path.iter().map(|part| encoded(part)).collect();
    let path = format!("{}/{}", url.path().trim_end_matches('/'), parts.join("/"));
    url.set_path(&path);
    if !ask.query.is_empty() {
        let query: Vec<String> = ask
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        url.set_query(Some(&query.join("&")));
    }
    Some(url)
}

/// A part of a path or query as signatures want it: everything but letters, digits and `-._~` is encoded.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = text.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    encoded.collect()
}

/// The body of a request as its protocol wants it.
fn body(api: Api, ask: &Ask<'_>) -> String {
    match (api.protocol, &ask.body) {
        (Protocol::Query(version), input) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("Action", ask.operation);
            form.append_pair("Version", version);
            for (name, value) in input.iter().filter_map(Value::as_object).flatten() {
                match value {
                    Value::Null => continue,
                    Value::String(text) => form.append_pair(name, text),
                    other => form.append_pair(name, &other.to_string()),
                };
            }
            form.finish()
        }
        (Protocol::RestXml | Protocol::S3, Some(Value::String(document))) => document.clone(),
        (_, input) => input.as_ref().map(Value::to_string).unwrap_or_default(),
    }
}

/// The headers that a protocol wants, before the request is signed.
fn headers(api: Api, ask: &Ask<'_>, body: &str) -> Vec<(&'static str, String)> {
    match api.protocol {
        Protocol::Target { prefix, version } => vec![
            ("content-type", format!("application/x-amz-json-{version}")),
            ("x-amz-target", format!("{prefix}.{}", ask.operation)),
        ],
        // API Gateway's first version answers in HAL to whoever does not ask for JSON.
        Protocol::Rest => {
            let mut named = vec![
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ];
            // Lambda hands the last 4 KB of an invocation's log to whoever asks for them.
            named.extend((ask.operation == "Invoke").then(|| ("x-amz-log-type", "Tail".to_owned())));
            named
        }
        Protocol::Query(_) => vec![(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        )],
        Protocol::RestXml | Protocol::S3 if body.is_empty() => Vec::new(),
        Protocol::RestXml => vec![("content-type", "application/xml".to_owned())],
        // S3 takes no list of deletions without a checksum of it.
        Protocol::S3 => vec![
            ("content-type", "application/xml".to_owned()),
            ("x-amz-checksum-sha256", BASE64_STANDARD.encode(Sha256::digest(body))),
        ],
    }
}

fn settings(api: Api) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if matches!(api.protocol, Protocol::S3) {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

fn signed(url: &Url, api: Api, (region, ask): (&str, &Ask<'_>), identity: Identity) -> Option<Request<Bytes>> {
    let body = body(api, ask);
    let headers = headers(api, ask, &body);
    let now = u64::try_from(SystemClock::machine_ms()).ok()?;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(api.name)
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(now))
        .settings(settings(api))
        .build()
        .ok()?
        .into();
    let named = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(
        ask.method.as_str(),
        url.as_str(),
        named,
        SignableBody::Bytes(body.as_bytes()),
    )
    .ok()?;
    let (instructions, _) = sign(signable, &params).ok()?.into_parts();
    let mut request = Request::builder().method(ask.method.clone()).uri(url.as_str());
    for (name, value) in &headers {
        request = request.header(*name, value);
    }
    let mut request = request.body(Bytes::from(body)).ok()?;
    instructions.apply_to_request_http1x(&mut request);
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::api::{API_GATEWAY, DYNAMODB, IAM, LAMBDA, RDS, S3};

    #[test]
    fn a_call_has_its_address_target_and_signature() {
        let ask = Ask::target("GetItem", serde_json::json!({ "TableName": "t" }));
        let url = address(None, DYNAMODB, "eu-central-1", &ask).unwrap();
        assert_eq!(url.as_str(), "https://dynamodb.eu-central-1.amazonaws.com/");
        let credentials = aws_credential_types::Credentials::new("AKIDEXAMPLE", "key", None, None, "test");
        let request = signed(&url, DYNAMODB, ("eu-central-1", &ask), credentials.into()).unwrap();
        assert_eq!(request.headers()["x-amz-target"], "DynamoDB_20120810.GetItem");
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(
            authorization.contains("/eu-central-1/dynamodb/aws4_request"),
            "{authorization}"
        );
        assert!(
            authorization.contains("x-amz-target"),
            "the target is signed: {authorization}"
        );

        let path = vec!["2015-03-31", "functions", "a b", "configuration"];
        let ask = Ask::rest("GetFunctionConfiguration", Method::GET, path, None);
        let here = "http://127.0.0.1:8700/aws".parse().unwrap();
        let url = address(Some(&here), LAMBDA, "eu-central-1", &ask).unwrap();
        assert_eq!(url.path(), "/aws/2015-03-31/functions/a%20b/configuration");
    }

    fn sent(api: Api, ask: &Ask<'_>) -> (Url, Request<Bytes>) {
        let url = address(None, api, "eu-central-1", ask).unwrap();
        let credentials = aws_credential_types::Credentials::new("AKIDEXAMPLE", "key", None, None, "test");
        let request = signed(&url, api, ("eu-central-1", ask), credentials.into()).unwrap();
        (url, request)
    }

    #[test]
    fn forms_name_the_operation_its_version_and_what_is_known() {
        let input = serde_json::json!({ "Id": "a b&c", "Public": false, "Engine": null });
        let (url, request) = sent(RDS, &Ask::target("Restore", input));
        assert_eq!(url.as_str(), "https://rds.eu-central-1.amazonaws.com/");
        assert_eq!(
            request.body().as_ref(),
            b"Action=Restore&Version=2014-10-31&Id=a+b%26c&Public=false"
        );
        let (url, _) = sent(IAM, &Ask::target("GetUser", serde_json::json!({})));
        assert_eq!(url.as_str(), "https://iam.amazonaws.com/");
    }

    #[test]
    fn a_bucket_is_a_host_and_its_calls_carry_their_hash() {
        let mut ask = Ask::rest("ListObjectsV2", Method::GET, vec!["backups"], None);
        ask.query = vec![("list-type", "2"), ("prefix", "a b/ü+")];
        let (url, request) = sent(S3, &ask);
        assert_eq!(
            url.as_str(),
            "https://backups.s3.eu-central-1.amazonaws.com/?list-type=2&prefix=a%20b%2F%C3%BC%2B"
        );
        assert!(request.headers().contains_key("x-amz-content-sha256"));
        let (url, _) = sent(S3, &Ask::rest("HeadBucket", Method::HEAD, vec!["a.b"], None));
        assert_eq!(url.as_str(), "https://s3.eu-central-1.amazonaws.com/a.b");
        let document = Some(Value::String("<Delete/>".to_owned()));
        let (_, request) = sent(S3, &Ask::rest("DeleteObjects", Method::POST, vec!["backups"], document));
        assert!(request.headers().contains_key("x-amz-checksum-sha256"));
        let path = vec!["domainnames", "d", "basepathmappings", "(none)"];
        let (url, _) = sent(API_GATEWAY, &Ask::rest("GetBasePathMapping", Method::GET, path, None));
        assert_eq!(url.path(), "/domainnames/d/basepathmappings/%28none%29");
    }
}
