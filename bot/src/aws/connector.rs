//! The SDK's HTTP, through the door.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use url::Url;

use crate::door::{Call, Destination, DoorError, Lease, Limits, Outgoing};

/// Hands the SDK's requests to the door, under one lease.
#[derive(Clone)]
pub(super) struct DoorHttp {
    pub(super) door: Arc<dyn Outgoing>,
    pub(super) lease: Lease,
    pub(super) timeout: Duration,
    /// Where AWS is, when it is not where it always is.
    pub(super) endpoint: Option<Arc<Url>>,
}

impl fmt::Debug for DoorHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DoorHttp")
    }
}

impl HttpClient for DoorHttp {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for DoorHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.pass(request).await })
    }
}

impl DoorHttp {
    async fn pass(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let user = |why: &str| ConnectorError::user(DoorError::NotSent(why.to_owned()).into());
        let (parts, body) = request
            .try_into_http1x()
            .map_err(|_| user("not an HTTP request"))?
            .into_parts();
        let Some(body) = body.bytes().map(Bytes::copy_from_slice) else {
            return Err(user("a body that is a stream"));
        };
        let call = Call {
            destination: self.destination(&parts.uri),
            name: name(&parts, &body),
            request: http::Request::from_parts(parts, body),
            limits: Limits {
                timeout: self.timeout,
                lease: self.lease,
            },
        };
        let answer = self
            .door
            .send(call)
            .await
            .map_err(|error| ConnectorError::io(error.into()))?;
        HttpResponse::try_from(answer.map(SdkBody::from))
            .map_err(|_| ConnectorError::io(DoorError::Unknown("an answer that is not HTTP".to_owned()).into()))
    }

    /// The credentials of a container or machine come from hosts of their own.
    fn destination(&self, uri: &http::Uri) -> Destination {
        let host = uri.host().unwrap_or_default();
        let overridden = self.endpoint.as_ref().and_then(|url| url.host_str());
        if host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn") || overridden == Some(host) {
            Destination::Aws
        } else {
            Destination::AwsCredentials
        }
    }
}

/// `CodePipeline.GetPipelineState`: each of AWS's protocols says it in another place.
fn name(parts: &http::request::Parts, body: &[u8]) -> String {
    let target = parts
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let action = || {
        let (_, action) = url::form_urlencoded::parse(body).find(|(key, _)| key == "Action")?;
        Some(format!("aws.{action}"))
    };
    let name = match (
        target.and_then(|target| target.split_once('.')),
        parts.uri.path().rsplit_once("/operation/"),
    ) {
        (Some((service, operation)), _) => {
            Some(format!("{}.{operation}", service.split('_').next().unwrap_or(service)))
        }
        (None, Some((_, operation))) => Some(format!("aws.{operation}")),
        (None, None) => action(),
    };
    name.filter(|name| name.len() < 80 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'))
        .unwrap_or_else(|| "aws.other".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(uri: &str, target: Option<&str>, body: &str) -> String {
        let mut request = http::Request::post(uri);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        name(&request.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[test]
    fn every_protocol_has_its_name() {
        let pipeline = named("https://x/", Some("CodePipeline_20150709.GetPipelineState"), "{}");
        assert_eq!(pipeline, "CodePipeline.GetPipelineState");
        let alarms = named(
            "https://x/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
            None,
            "",
        );
        assert_eq!(alarms, "aws.DescribeAlarms");
        assert_eq!(
            named("https://x/", None, "Action=AssumeRole&Version=1"),
            "aws.AssumeRole"
        );
        assert_eq!(named("https://x/", None, "Action=%3Cscript%3E"), "aws.other");
    }
}
