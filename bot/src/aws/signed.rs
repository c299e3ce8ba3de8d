//! One signed call to an AWS service that the SDK crates here do not cover: JSON there and back, through the door.
//!
//! The services that steps speak to would cost minutes of every build as SDK crates, for a call or two each. What the SDK does for the others is done
//! here in the same way: the role's session, the signature, and the same meaning for every failure ([`AwsError`]). Nothing is sent twice: the worker
//! tries again, after a look.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::Value;
use url::Url;

use super::clients::{Attempts, Clients, Within, domain};
use super::error::AwsError;
use crate::clock::SystemClock;
use crate::door::{Call, Destination, DoorError, Limits};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A service and how it is spoken to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    /// Its name in signatures and metrics.
    pub name: &'static str,
    /// The first part of its host.
    pub host: &'static str,
    /// How operations are named.
    pub protocol: Protocol,
}

/// How operations are named.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    /// `POST /` with a header `X-Amz-Target: <prefix>.<operation>`; the version of the JSON protocol is `1.0` or `1.1`.
    Target {
        /// The prefix.
        prefix: &'static str,
        /// The version.
        version: &'static str,
    },
    /// Methods and paths.
    Rest,
}

pub(crate) const DYNAMODB: Api = json("dynamodb", "DynamoDB_20120810", "1.0");
pub(crate) const SQS: Api = json("sqs", "AmazonSQS", "1.0");
pub(crate) const SSM: Api = json("ssm", "AmazonSSM", "1.1");
pub(crate) const CODEBUILD: Api = json("codebuild", "CodeBuild_20161006", "1.1");
pub(crate) const LOGS: Api = json("logs", "Logs_20140328", "1.1");
pub(crate) const LAMBDA: Api = Api {
    name: "lambda",
    host: "lambda",
    protocol: Protocol::Rest,
};

/// OpenSearch's data plane. Every domain has an address of its own, which a service lists: see [`Clients::signed_at`].
pub(crate) const SEARCH: Api = Api {
    name: "es",
    host: "es",
    protocol: Protocol::Rest,
};

/// The hosts of all of them: the door knows no others.
pub(crate) const HOSTS: [&str; 6] = [
    DYNAMODB.host,
    SQS.host,
    SSM.host,
    CODEBUILD.host,
    LOGS.host,
    LAMBDA.host,
];

const fn json(name: &'static str, prefix: &'static str, version: &'static str) -> Api {
    Api {
        name,
        host: name,
        protocol: Protocol::Target { prefix, version },
    }
}

/// What is asked: an operation with its input; for [`Protocol::Rest`] also where.
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
    /// The input.
    pub body: Option<Value>,
}

impl Ask<'static> {
    /// An operation that is named by its target.
    pub(crate) fn target(operation: &'static str, input: Value) -> Self {
        Self {
            operation,
            method: Method::POST,
            path: Vec::new(),
            query: Vec::new(),
            body: Some(input),
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
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Told {
    /// The body; `null` when there was none, text as a string when it was no JSON.
    pub body: Value,
    /// The headers.
    pub headers: http::HeaderMap,
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
        let request = signed(url, api, (&within.target.region, &ask), identity).ok_or_else(unbuilt)?;
        let call = Call {
            destination,
            name: format!("{}.{}", api.name, ask.operation),
            request,
            limits: Limits {
                timeout: TIMEOUT,
                lease: within.lease,
            },
        };
        let answer = match self.door().send(call).await {
            Ok(answer) => read(answer),
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
    let mut url = match endpoint {
        Some(endpoint) => endpoint.clone(),
        None => format!("https://{}.{region}.{suffix}/", api.host).parse().ok()?,
    };
    {
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty();
        path.extend(&ask.path);
        if ask.path.is_empty() {
            path.push("");
        }
    }
    if !ask.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&ask.query);
    }
    Some(url)
}

fn signed(url: &Url, api: Api, (region, ask): (&str, &Ask<'_>), identity: Identity) -> Option<Request<Bytes>> {
    let body = ask.body.as_ref().map(Value::to_string).unwrap_or_default();
    let mut headers: Vec<(&str, String)> = Vec::new();
    match api.protocol {
        Protocol::Target { prefix, version } => {
            headers.push(("content-type", format!("application/x-amz-json-{version}")));
            headers.push(("x-amz-target", format!("{prefix}.{}", ask.operation)));
        }
        Protocol::Rest => headers.push(("content-type", "application/json".to_owned())),
    }
    let now = u64::try_from(SystemClock::machine_ms()).ok()?;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(api.name)
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(now))
        .settings(SigningSettings::default())
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

fn read(answer: Response<Bytes>) -> Result<Told, AwsError> {
    let (parts, body) = answer.into_parts();
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn failures_have_their_codes_wherever_they_stand() {
        let answer = |header: &str, body: &'static str, status: u16| {
            let answer = Response::builder().status(status).header("x-amzn-errortype", header);
            let answer = if header.is_empty() {
                Response::builder().status(status)
            } else {
                answer
            };
            read(answer.body(Bytes::from_static(body.as_bytes())).unwrap()).unwrap_err()
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
