//! The one way out: every HTTP request that the bot sends, to whomever, goes through an [`Outgoing`].
//!
//! What is true of all of them is said once here: which hosts may be spoken to, how long an answer may take, how large it may be, that nothing
//! is sent when the lease under which it is sent could run out first, and what is measured. What matters most to the callers is the kind of failure:
//! [`DoorError::NotSent`] is harmless, after [`DoorError::Unknown`] somebody has to look.

mod allowed;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use metrics::histogram;
use url::Url;

pub use allowed::Allowed;

use crate::clock::Clock;

/// No answer is larger than this; what is gets cut off and counts as no answer.
const MAX_ANSWER: usize = 8 << 20;
const CONNECT: Duration = Duration::from_secs(3);
/// How many connections to one host are kept for the next calls. Two hundred runs that look at their queues in the same second need as many for a
/// moment; kept, each holds some 40 KiB, and more with TLS.
const IDLE: usize = 32;

/// To whom a request goes; the hosts that belong to it are listed in [`Allowed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// Slack's Web API.
    Slack,
    /// A `response_url` of Slack's.
    SlackResponse,
    /// AWS.
    Aws,
    /// SNS: where it keeps its certificates, and confirms subscriptions.
    Sns,
    /// Where the credentials of a container or a machine come from.
    AwsCredentials,
    /// GitHub's REST API.
    GitHub,
    /// A host that a service lists for its steps.
    Listed,
}

impl Destination {
    /// Its name in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::SlackResponse => "slack_response",
            Self::Aws => "aws",
            Self::Sns => "sns",
            Self::AwsCredentials => "aws_credentials",
            Self::GitHub => "github",
            Self::Listed => "listed",
        }
    }
}

/// A server by scheme, host and port, as configuration lists it: `https://health.example.org`.
#[must_use]
pub fn origin_name(url: &url::Url) -> String {
    url.origin().ascii_serialization()
}

/// The end of the lease under which a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lease(Option<Duration>);

impl Lease {
    /// No lease: a reply to a person, or a look-up that changes nothing.
    pub const NONE: Self = Self(None);

    /// A lease that ends when [`Clock::monotonic`] says `end`.
    #[must_use]
    pub const fn until(end: Duration) -> Self {
        Self(Some(end))
    }

    /// What is left of it, when there is one.
    #[must_use]
    pub fn left(self, monotonic: Duration) -> Option<Duration> {
        self.0.map(|end| end.saturating_sub(monotonic))
    }
}

/// How long a call may take, and under which lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first attempt to connect to the last byte of the answer.
    pub timeout: Duration,
    /// The lease.
    pub lease: Lease,
}

/// One request on its way out.
pub struct Call {
    /// To whom.
    pub destination: Destination,
    /// Which call, for metrics: `chat.postMessage`, `codepipeline.GetPipelineState`. Never anything foreign.
    pub name: String,
    /// The request, with an absolute address.
    pub request: http::Request<Bytes>,
    /// Its limits.
    pub limits: Limits,
}

/// Addresses, headers and bodies hold tokens: only the name is shown.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {})", self.destination.name(), self.name)
    }
}

/// Why there is no answer. The text holds no address, header or body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoorError {
    /// The request certainly did not reach the other side.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The address is not on the list of those that may be spoken to; nothing was sent.
    #[error("not sent: the host is not on the list of those that may be spoken to")]
    NotPermitted,
    /// The request may have been carried out.
    #[error("no complete answer: {0}")]
    Unknown(String),
}

/// Sends requests. A test decorates it to cut the wire before, during or after a call.
#[async_trait]
pub trait Outgoing: Send + Sync + 'static {
    /// Sends one request and reads the whole answer. Any HTTP status is an answer.
    ///
    /// # Errors
    /// See [`DoorError`].
    async fn send(&self, call: Call) -> Result<http::Response<Bytes>, DoorError>;
}

/// The real way out.
pub struct Door {
    allowed: Allowed,
    clock: Arc<dyn Clock>,
    proxy: Option<Url>,
    // Reading the system's certificates takes longer than starting up may, and a machine that only speaks to a loopback server needs none.
    secure: OnceLock<Result<reqwest::Client, String>>,
    plain: OnceLock<Result<reqwest::Client, String>>,
}

impl Door {
    /// A door that opens to these hosts. `proxy` carries what goes over `https`.
    #[must_use]
    pub fn new(allowed: Allowed, clock: Arc<dyn Clock>, proxy: Option<Url>) -> Self {
        Self {
            allowed,
            clock,
            proxy,
            secure: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    fn client(&self, secure: bool) -> Result<&reqwest::Client, DoorError> {
        let client = if secure {
            self.secure.get_or_init(|| secure_client(self.proxy.as_ref()))
        } else {
            self.plain.get_or_init(plain_client)
        };
        client.as_ref().map_err(|why| DoorError::NotSent(why.clone()))
    }

    async fn pass(&self, call: Call) -> Result<http::Response<Bytes>, DoorError> {
        let not_sent = |why: &str| Err(DoorError::NotSent(why.to_owned()));
        let Ok(url) = call.request.uri().to_string().parse::<Url>() else {
            return not_sent("the address cannot be read");
        };
        if !self.allowed.permits(call.destination, &url) {
            return Err(DoorError::NotPermitted);
        }
        if let Some(left) = call.limits.lease.left(self.clock.monotonic())
            && left < call.limits.timeout
        {
            return not_sent("the lease has less left than the call may take");
        }
        let client = self.client(url.scheme() == "https")?;
        let (parts, body) = call.request.into_parts();
        let request = client
            .request(parts.method, url)
            .headers(parts.headers)
            .timeout(call.limits.timeout)
            .body(body);
        read(request.send().await.map_err(failure)?).await
    }
}

#[async_trait]
impl Outgoing for Door {
    async fn send(&self, call: Call) -> Result<http::Response<Bytes>, DoorError> {
        let (destination, name) = (call.destination.name(), call.name.clone());
        let started = self.clock.monotonic();
        let answer = self.pass(call).await;
        let result = match &answer {
            Ok(response) if response.status().is_server_error() => "server_error",
            Ok(response) if response.status() == http::StatusCode::TOO_MANY_REQUESTS => "limited",
            Ok(response) if response.status().is_client_error() => "refused",
            Ok(_) => "ok",
            Err(DoorError::NotSent(_) | DoorError::NotPermitted) => "not_sent",
            Err(DoorError::Unknown(_)) => "unknown",
        };
        let took = self.clock.monotonic().saturating_sub(started);
        histogram!("signalbox_call_seconds", "destination" => destination, "call" => name.clone(), "result" => result)
            .record(took.as_secs_f64());
        if let Err(error) = &answer {
            tracing::debug!(destination, call = name, %error, "a call got no answer");
        }
        answer
    }
}

async fn read(mut response: reqwest::Response) -> Result<http::Response<Bytes>, DoorError> {
    let mut answer = http::Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        std::mem::swap(headers, response.headers_mut());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(DoorError::Unknown(format!(
                "the answer is larger than {MAX_ANSWER} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    answer
        .body(body.freeze())
        .map_err(|error| DoorError::Unknown(error.to_string()))
}

/// Only what failed before a connection stood certainly was not sent.
fn failure(error: reqwest::Error) -> DoorError {
    let not_sent = error.is_connect() || error.is_builder();
    let error = error.without_url();
    let mut why = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        why = cause.to_string();
        source = cause.source();
    }
    if not_sent {
        DoorError::NotSent(why)
    } else {
        DoorError::Unknown(why)
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("signalbox/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Who repeats a request decides that knowing what it does; the transport does not.
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(IDLE)
        .no_proxy()
}

fn secure_client(proxy: Option<&Url>) -> Result<reqwest::Client, String> {
    // Whoever was first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = builder().https_only(true);
    if let Some(proxy) = proxy {
        client = client.proxy(reqwest::Proxy::https(proxy.clone()).map_err(|error| error.without_url().to_string())?);
    }
    client
        .build()
        .map_err(|error| format!("no TLS client: {error}; are CA certificates installed?"))
}

/// For loopback and overridden hosts: trusts nobody, so it could not speak TLS if it wanted to.
fn plain_client() -> Result<reqwest::Client, String> {
    let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    builder()
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
