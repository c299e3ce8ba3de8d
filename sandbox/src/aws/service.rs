//! The account's services: how each is named on the wire, and what carries out its operations. A new service is one line in [`SERVICES`].

use http::{HeaderMap, Method};
use serde_json::Value;

use super::account::Account;
use super::args::Args;
use super::error::AwsError;
use super::place::Place;
use super::sts::Caller;

/// Every service that speaks one of the RPC protocols or REST with JSON or XML bodies. S3 is apart: its bodies are objects.
pub(super) const SERVICES: &[&Service] = &[
    &super::codepipeline::SERVICE,
    &super::cloudwatch::SERVICE,
    &super::sqs::SERVICE,
    &super::sts::SERVICE,
    &super::lambda::SERVICE,
    &super::ssm::SERVICE,
    &super::secrets::SERVICE,
    &super::dynamodb::SERVICE,
    &super::codebuild::SERVICE,
    &super::logs::SERVICE,
    &super::rules::SERVICE,
    &super::apigateway::SERVICE,
    &super::route53::SERVICE,
    &super::rds::SERVICE,
    &super::posture::EC2,
    &super::posture::IAM,
    &super::posture::ACM,
    &super::posture::ECR,
];

/// What carries out an operation; `None` when the service does not offer it.
type Carry = fn(&mut Account, &Request<'_>) -> Option<Result<Value, AwsError>>;

/// A service of the account.
pub(crate) struct Service {
    /// Its name in `x-amz-target` and in the paths of RPC v2; empty when it speaks neither.
    pub(crate) target: &'static str,
    /// How it speaks the Query protocol, if it does.
    pub(crate) query: Option<QueryDialect>,
    /// How it speaks REST, if it does.
    pub(crate) rest: Option<RestDialect>,
    /// What carries out its operations.
    pub(crate) call: Carry,
}

impl Service {
    /// A service of the JSON protocols.
    pub(crate) const fn json(target: &'static str, call: Carry) -> Self {
        Self {
            target,
            query: None,
            rest: None,
            call,
        }
    }
}

/// A service in the Query protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryDialect {
    /// `2011-06-15`: what tells services of this protocol apart.
    pub(crate) version: &'static str,
    /// The namespace of its answers.
    pub(crate) namespace: &'static str,
    /// Whether it is EC2, whose answers are built differently.
    pub(crate) ec2: bool,
}

/// A service in REST.
#[derive(Clone, Copy)]
pub(crate) struct RestDialect {
    /// Its name in credential scopes: that is how requests of different services are told apart.
    pub(crate) scope: &'static str,
    /// The namespace of its answers when they are XML; empty for JSON.
    pub(crate) namespace: &'static str,
    /// What a request means: operation and arguments. `None`: the service has no such path.
    pub(crate) route: fn(&Rest<'_>) -> Option<Meant>,
}

/// What a request of a REST service means: operation and arguments.
pub(crate) type Meant = Result<(&'static str, Value), AwsError>;

/// An operation that was asked for, with its sender.
pub(crate) struct Request<'a> {
    /// `PutApprovalResult`.
    pub(crate) operation: &'a str,
    pub(crate) args: Args<'a>,
    pub(crate) caller: &'a Caller,
    /// The caller's account, and the region for which the request is signed.
    pub(crate) place: Place,
    /// Where the caller reached the account: `http://127.0.0.1:8700/aws`.
    pub(crate) endpoint: &'a str,
}

/// A request of a REST service, taken apart.
pub(crate) struct Rest<'a> {
    pub(crate) method: &'a Method,
    /// The path's segments, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Rest<'_> {
    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as a JSON structure; an empty body is an empty one.
    pub(crate) fn json(&self) -> Result<Value, AwsError> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        let broken = |_| AwsError::new("SerializationException", "the body is not JSON");
        serde_json::from_slice(self.body).map_err(broken)
    }
}

/// The service of a target's or path's name.
pub(super) fn of_target(name: &str) -> Result<&'static Service, AwsError> {
    let found = SERVICES
        .iter()
        .find(|service| service.target == name && !name.is_empty());
    found.copied().ok_or_else(|| AwsError::unknown_operation(name))
}

/// The service that speaks a version of the Query protocol.
pub(super) fn of_version(version: &str) -> Option<(&'static Service, QueryDialect)> {
    SERVICES.iter().find_map(|service| {
        let dialect = service.query.filter(|dialect| dialect.version == version)?;
        Some((*service, dialect))
    })
}

/// The REST services of a credential scope: API Gateway's two versions share one.
pub(super) fn of_scope(scope: &str) -> impl Iterator<Item = (&'static Service, RestDialect)> {
    SERVICES.iter().filter_map(move |service| {
        let dialect = service.rest.filter(|dialect| dialect.scope == scope)?;
        Some((*service, dialect))
    })
}
