//! Hints that AWS brings by itself: EventBridge → SNS → HTTPS. Whoever finds the address can speak to it, so nothing is believed before its
//! signature has been verified, and then it is still only a hint.
//!
//! The rules are those of "Verifying the signatures of Amazon SNS messages": the topic is one of ours, the certificate comes over HTTPS from SNS's own
//! host in the topic's region (which is what [`Destination::Sns`] lets through), and the signature is that of the documented fields.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use serde::Deserialize;
use url::Url;

use super::events::{Hint, hint};
use crate::clock::Clock;
use crate::door::{Call, Destination, DoorError, Lease, Limits, Outgoing};

/// SNS waits 15 s for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A certificate has its own name, so it does not change under it; but it is not kept for ever.
const CERTIFICATE_FOR: Duration = Duration::from_secs(24 * 3600);
/// There is about one certificate at a time; more than these are somebody's mischief.
const CERTIFICATES: usize = 16;
/// A certificate is about 2 kB.
const LARGEST_CERTIFICATE: usize = 32 << 10;

/// The topics that may speak.
pub struct Topics {
    door: Arc<dyn Outgoing>,
    clock: Arc<dyn Clock>,
    arns: BTreeSet<String>,
    certificates: Mutex<HashMap<Url, (Duration, Arc<CertificateDer<'static>>)>>,
}

/// What a message said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Something happened to a pipeline.
    Hint(Hint),
    /// The subscription was asked for, and is confirmed now.
    Subscribed,
    /// Nothing that concerns the bot.
    Nothing,
}

/// Why a message is not heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    /// It is no message of SNS's.
    #[error("it is no message of SNS")]
    Shape,
    /// The topic is not one of the configuration.
    #[error("its topic is not configured")]
    Topic,
    /// The certificate is not where SNS keeps its own, or is none.
    #[error("its certificate is not one of SNS")]
    Certificate,
    /// It was not signed by the holder of the certificate.
    #[error("its signature is wrong")]
    Signature,
    /// SNS could not be asked for the certificate, or for the confirmation; it sends the message again.
    #[error("SNS cannot be asked: {0}")]
    NotNow(String),
}

impl Unheard {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Shape => "sns_shape",
            Self::Topic => "sns_topic",
            Self::Certificate => "sns_certificate",
            Self::Signature => "sns_signature",
            Self::NotNow(_) => "sns_not_now",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
}

impl Envelope {
    /// The text that SNS signed: names and values of the fields that its documentation lists, in the order of their names.
    fn signed_text(&self) -> String {
        let all = if self.kind == "Notification" {
            vec![
                ("Message", Some(&self.message)),
                ("MessageId", Some(&self.message_id)),
                ("Subject", self.subject.as_ref()),
                ("Timestamp", Some(&self.timestamp)),
                ("TopicArn", Some(&self.topic_arn)),
                ("Type", Some(&self.kind)),
            ]
        } else {
            vec![
                ("Message", Some(&self.message)),
                ("MessageId", Some(&self.message_id)),
                ("SubscribeURL", self.subscribe_url.as_ref()),
                ("Timestamp", Some(&self.timestamp)),
                ("Token", self.token.as_ref()),
                ("TopicArn", Some(&self.topic_arn)),
                ("Type", Some(&self.kind)),
            ]
        };
        all.into_iter()
            .filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?)))
            .collect()
    }
}

impl Topics {
    /// Topics by ARN.
    #[must_use]
    pub fn new(door: Arc<dyn Outgoing>, clock: Arc<dyn Clock>, arns: impl IntoIterator<Item = String>) -> Self {
        Self {
            door,
            clock,
            arns: arns.into_iter().collect(),
            certificates: Mutex::default(),
        }
    }

    /// Hears a message; confirms the subscription of a topic that is configured.
    ///
    /// # Errors
    /// See [`Unheard`].
    pub async fn hear(&self, body: &[u8]) -> Result<Told, Unheard> {
        let said: Envelope = serde_json::from_slice(body).map_err(|_| Unheard::Shape)?;
        // Before anything is fetched: a stranger makes the bot ask nobody.
        if !self.arns.contains(&said.topic_arn) {
            return Err(Unheard::Topic);
        }
        let certificate = self.certificate(&said.signing_cert_url).await?;
        verify(&said, &certificate)?;
        match said.kind.as_str() {
            "Notification" => Ok(hint(&said.message).map_or(Told::Nothing, Told::Hint)),
            "SubscriptionConfirmation" => {
                self.confirm(said.subscribe_url.as_deref().unwrap_or_default()).await?;
                tracing::info!(topic = said.topic_arn, "subscribed");
                Ok(Told::Subscribed)
            }
            "UnsubscribeConfirmation" => {
                tracing::warn!(
                    topic = said.topic_arn,
                    "this topic was unsubscribed: pipelines are read on their schedule"
                );
                Ok(Told::Nothing)
            }
            _ => Err(Unheard::Shape),
        }
    }

    async fn confirm(&self, address: &str) -> Result<(), Unheard> {
        let answer = self.get("sns.ConfirmSubscription", address).await?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(Unheard::NotNow(format!("HTTP {}", answer.status())))
        }
    }

    async fn certificate(&self, address: &str) -> Result<Arc<CertificateDer<'static>>, Unheard> {
        let url: Url = address.parse().map_err(|_| Unheard::Certificate)?;
        if !url.path().ends_with(".pem") || url.query().is_some() {
            return Err(Unheard::Certificate);
        }
        let now = self.clock.monotonic();
        if let Some((at, known)) = self.known().get(&url)
            && now.saturating_sub(*at) < CERTIFICATE_FOR
        {
            return Ok(Arc::clone(known));
        }
        let answer = self.get("sns.SigningCert", address).await?;
        if answer.status() != StatusCode::OK {
            return Err(Unheard::NotNow(format!("HTTP {}", answer.status())));
        }
        let pem = answer.body().get(..LARGEST_CERTIFICATE.min(answer.body().len()));
        let certificate = CertificateDer::from_pem_slice(pem.unwrap_or_default()).map_err(|_| Unheard::Certificate)?;
        let certificate = Arc::new(certificate);
        let mut known = self.known();
        if known.len() >= CERTIFICATES {
            known.clear();
        }
        known.insert(url, (now, Arc::clone(&certificate)));
        Ok(certificate)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Url, (Duration, Arc<CertificateDer<'static>>)>> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The door lets nothing through but SNS's own hosts.
    async fn get(&self, name: &str, address: &str) -> Result<http::Response<Bytes>, Unheard> {
        let request = http::Request::get(address).body(Bytes::new());
        let call = Call {
            destination: Destination::Sns,
            name: name.to_owned(),
            request: request.map_err(|_| Unheard::Certificate)?,
            limits: Limits {
                timeout: TIMEOUT,
                lease: Lease::NONE,
            },
        };
        self.door.send(call).await.map_err(|error| match error {
            DoorError::NotPermitted => Unheard::Certificate,
            DoorError::NotSent(why) | DoorError::Unknown(why) => Unheard::NotNow(why),
        })
    }
}

/// RSA with PKCS #1 v1.5 padding, over the hash of the signature's version.
#[derive(Debug)]
struct Rsa(&'static ring::signature::RsaParameters);

impl SignatureVerificationAlgorithm for Rsa {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        ring::signature::UnparsedPublicKey::new(self.0, key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    /// Which hash it was is told by the message, not by an identifier.
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_PKCS1_SHA256
    }
}

fn verify(said: &Envelope, certificate: &CertificateDer<'_>) -> Result<(), Unheard> {
    use base64::Engine as _;
    let rsa = match said.signature_version.as_str() {
        "1" => Rsa(&ring::signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
        "2" => Rsa(&ring::signature::RSA_PKCS1_2048_8192_SHA256),
        _ => return Err(Unheard::Signature),
    };
    let signature = base64::engine::general_purpose::STANDARD
        .decode(&said.signature)
        .map_err(|_| Unheard::Signature)?;
    let certificate = webpki::EndEntityCert::try_from(certificate).map_err(|_| Unheard::Certificate)?;
    certificate
        .verify_signature(&rsa, said.signed_text().as_bytes(), &signature)
        .map_err(|_| Unheard::Signature)
}

#[cfg(test)]
pub(crate) mod tests;
