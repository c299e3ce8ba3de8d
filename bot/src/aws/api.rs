//! The services that steps speak to, and how each is spoken to.

/// A service and how it is spoken to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    /// Its name in signatures and metrics.
    pub name: &'static str,
    /// The first part of its host.
    pub host: &'static str,
    /// How operations are named.
    pub protocol: Protocol,
    /// Whether all regions share one: it is signed for the first of them.
    pub global: bool,
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
    /// Methods and paths, with JSON.
    Rest,
    /// `POST /` with a form that names the operation and this version; XML comes back.
    Query(&'static str),
    /// Methods and paths, with XML.
    RestXml,
    /// The same as S3 does it: the first part of the path is the bucket, paths are signed as they are, and so is the body's hash.
    S3,
}

pub(crate) const DYNAMODB: Api = json("dynamodb", "DynamoDB_20120810", "1.0");
pub(crate) const SQS: Api = json("sqs", "AmazonSQS", "1.0");
pub(crate) const SSM: Api = json("ssm", "AmazonSSM", "1.1");
pub(crate) const CODEBUILD: Api = json("codebuild", "CodeBuild_20161006", "1.1");
pub(crate) const EVENTS: Api = json("events", "AWSEvents", "1.1");
pub(crate) const ACM: Api = json("acm", "CertificateManager", "1.1");
pub(crate) const LOGS: Api = json("logs", "Logs_20140328", "1.1");
pub(crate) const LAMBDA: Api = of("lambda", Protocol::Rest);
pub(crate) const API_GATEWAY: Api = of("apigateway", Protocol::Rest);
pub(crate) const RDS: Api = of("rds", Protocol::Query("2014-10-31"));
pub(crate) const EC2: Api = of("ec2", Protocol::Query("2016-11-15"));
pub(crate) const S3: Api = of("s3", Protocol::S3);
pub(crate) const IAM: Api = global("iam", Protocol::Query("2010-05-08"));
pub(crate) const ROUTE53: Api = global("route53", Protocol::RestXml);

/// OpenSearch's data plane. Every domain has an address of its own, which a service lists: see [`Clients::signed_at`](super::clients::Clients::signed_at).
pub(crate) const SEARCH: Api = of("es", Protocol::Rest);

/// The hosts of all of them: the door knows no others. A bucket of S3 has a host of its own.
pub(crate) const HOSTS: [&str; 12] = [
    DYNAMODB.host,
    SQS.host,
    SSM.host,
    CODEBUILD.host,
    LOGS.host,
    EVENTS.host,
    ACM.host,
    LAMBDA.host,
    API_GATEWAY.host,
    RDS.host,
    EC2.host,
    S3.host,
];
/// The hosts of those that all regions share.
pub(crate) const GLOBAL_HOSTS: [&str; 2] = [IAM.host, ROUTE53.host];

const fn of(name: &'static str, protocol: Protocol) -> Api {
    Api {
        name,
        host: name,
        protocol,
        global: false,
    }
}

const fn global(name: &'static str, protocol: Protocol) -> Api {
    Api {
        global: true,
        ..of(name, protocol)
    }
}

const fn json(name: &'static str, prefix: &'static str, version: &'static str) -> Api {
    of(name, Protocol::Target { prefix, version })
}
