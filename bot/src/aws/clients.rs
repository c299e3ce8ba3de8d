//! SDK clients, made per call.
//!
//! A client is cheap: what costs (credentials, connections) is shared. So each call has the client that fits it: the account and role it is for, the person it is
//! done for, the lease it is done under.

use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::identity::Identity;
use commands::catalog::AwsTarget;
use url::Url;

use super::actor::Actor;
use super::connector::DoorHttp;
use super::error::AwsError;
use super::session::Sessions;
use crate::clock::Clock;
use crate::door::{Lease, Outgoing};
use crate::secret::Secret;

/// One try of a call.
const ATTEMPT: Duration = Duration::from_secs(10);
/// A read with all its tries.
const OPERATION: Duration = Duration::from_secs(30);
const READ_ATTEMPTS: u32 = 4;

/// For whom and under which lease a call is made.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// The account and role.
    pub target: &'a AwsTarget,
    /// The person.
    pub actor: &'a Actor,
    /// The lease.
    pub lease: Lease,
}

/// What a call may do to the world, which is how often the SDK may try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempts {
    /// It reads.
    Read,
    /// It changes something.
    Once,
    /// It waits for so long for something to read.
    LongPoll(Duration),
}

/// Makes clients.
pub struct Clients {
    base: SdkConfig,
    http: DoorHttp,
    sessions: Sessions,
}

impl Clients {
    /// Reads the SDK's own settings (profile, environment, container, machine). `endpoint` is where AWS is, if not where it always is.
    pub async fn load(door: Arc<dyn Outgoing>, clock: Arc<dyn Clock>, endpoint: Option<Url>) -> Self {
        let http = http(door, endpoint);
        let mut settings = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http.clone());
        if let Some(endpoint) = &http.endpoint {
            settings = settings.endpoint_url(endpoint.as_str());
        }
        Self {
            base: settings.load().await,
            http,
            sessions: Sessions::new(clock),
        }
    }

    /// With a pair of keys, and nothing read from anywhere: for AWS at `endpoint`, which is none.
    #[must_use]
    pub fn with_keys(door: Arc<dyn Outgoing>, clock: Arc<dyn Clock>, endpoint: Url, id: &str, secret: &Secret) -> Self {
        let keys = Credentials::new(id, secret.expose(), None, None, "signalbox-keys");
        let base = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(endpoint.as_str())
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .build();
        Self {
            base,
            http: http(door, Some(endpoint)),
            sessions: Sessions::new(clock),
        }
    }

    /// Whether AWS is somewhere else than it always is.
    pub(super) fn endpoint(&self) -> Option<&Url> {
        self.http.endpoint.as_deref()
    }

    pub(super) fn door(&self) -> &Arc<dyn Outgoing> {
        &self.http.door
    }

    pub(super) async fn codepipeline(
        &self,
        within: Within<'_>,
        attempts: Attempts,
    ) -> Result<aws_sdk_codepipeline::Client, AwsError> {
        Ok(aws_sdk_codepipeline::Client::new(&self.config(within, attempts).await?))
    }

    pub(super) async fn cloudwatch(&self, within: Within<'_>) -> Result<aws_sdk_cloudwatch::Client, AwsError> {
        Ok(aws_sdk_cloudwatch::Client::new(
            &self.config(within, Attempts::Read).await?,
        ))
    }

    pub(super) async fn sqs(&self, within: Within<'_>, wait: Duration) -> Result<aws_sdk_sqs::Client, AwsError> {
        let config = self.config(within, Attempts::LongPoll(wait)).await?;
        Ok(aws_sdk_sqs::Client::new(&config))
    }

    /// Looks at what a call came back with: credentials that are no longer taken are not used again.
    pub(super) fn heed<T>(&self, within: Within<'_>, answer: Result<T, AwsError>) -> Result<T, AwsError> {
        match answer {
            Err(error) if error.is_expired() => {
                self.sessions.forget(within.target, within.actor);
                Err(AwsError::retryable(
                    error.code().unwrap_or_default(),
                    "the session ran out",
                ))
            }
            answer => answer,
        }
    }

    /// The SDK's settings for a call.
    pub(super) async fn config(&self, within: Within<'_>, attempts: Attempts) -> Result<SdkConfig, AwsError> {
        let settings = self.settings(within, attempts);
        if within.target.role_arn.is_none() {
            return Ok(settings);
        }
        let sts = aws_sdk_sts::Client::new(&self.settings(within, Attempts::Read));
        let credentials = self.sessions.credentials(&sts, within.target, within.actor).await?;
        Ok(settings
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(IdentityCache::no_cache())
            .build())
    }

    /// Who signs a call that is made without an SDK's client.
    pub(super) async fn identity(&self, within: Within<'_>, attempts: Attempts) -> Result<Identity, AwsError> {
        let config = self.config(within, attempts).await?;
        let provider = config
            .credentials_provider()
            .ok_or_else(|| AwsError::retryable("NoCredentials", "there are no credentials"))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|_| AwsError::retryable("NoCredentials", "credentials for the call could not be had"))?;
        Ok(credentials.into())
    }

    fn settings(&self, within: Within<'_>, attempts: Attempts) -> SdkConfig {
        let (tries, attempt) = match attempts {
            Attempts::Read => (READ_ATTEMPTS, ATTEMPT),
            Attempts::Once => (1, ATTEMPT),
            Attempts::LongPoll(wait) => (1, wait + ATTEMPT),
        };
        let http = DoorHttp {
            lease: within.lease,
            timeout: attempt,
            ..self.http.clone()
        };
        let timeouts = TimeoutConfig::builder()
            // The door cuts first, and knows whether anything was sent.
            .operation_attempt_timeout(attempt + Duration::from_secs(2))
            .operation_timeout(OPERATION.max(attempt + Duration::from_secs(4)))
            .build();
        self.base
            .to_builder()
            .region(Region::new(within.target.region.clone()))
            .http_client(http)
            // Answers come whole from the door: there is no stream that could stall.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::standard().with_max_attempts(tries))
            .timeout_config(timeouts)
            .build()
    }
}

/// The domain under which AWS's hosts of a region are: China has its own.
pub(crate) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

fn http(door: Arc<dyn Outgoing>, endpoint: Option<Url>) -> DoorHttp {
    DoorHttp {
        door,
        lease: Lease::NONE,
        timeout: ATTEMPT,
        endpoint: endpoint.map(Arc::new),
    }
}
