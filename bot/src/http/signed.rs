//! Whether a delivery is Slack's: the body is capped before it is read, read before it is verified, and verified before it is parsed.
//!
//! `now` is an argument, so that a steered clock steers this too. A bad delivery learns nothing but 401: which part was wrong is for the metrics.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use commands::time::{Span, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use metrics::counter;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Shared;
use crate::secret::Secret;

/// Slack's largest deliveries are a few dozen kilobytes.
pub(super) const MAX_BODY: usize = 256 << 10;
/// For how long a body may trickle in.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How far a delivery's stamp may lie from now, on either side.
const WINDOW: Span = Span::minutes(5);
const SIGNATURE: &str = "x-slack-signature";
const STAMP: &str = "x-slack-request-timestamp";

/// Why a delivery is not Slack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// A header is missing, doubled, or not what it should look like.
    Headers,
    /// The stamp is too old or too new.
    Stamp,
    /// The signature is not the body's.
    Signature,
}

impl Unsigned {
    const fn name(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Stamp => "stamp",
            Self::Signature => "signature",
        }
    }
}

/// Whether Slack signed this body, lately.
///
/// # Errors
/// When it did not, or not lately.
pub fn verify(secret: &Secret, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Unsigned> {
    let only = |name: &str| {
        let mut all = headers.get_all(name).iter();
        match (all.next(), all.next()) {
            (Some(value), None) => value.to_str().map_err(|_| Unsigned::Headers),
            _ => Err(Unsigned::Headers),
        }
    };
    let (stamp, given) = (only(STAMP)?, only(SIGNATURE)?);
    if stamp.is_empty() || stamp.len() > 12 || !stamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Unsigned::Headers);
    }
    let seconds: i64 = stamp.parse().map_err(|_| Unsigned::Headers)?;
    if (now.seconds() - seconds).abs() > WINDOW.0 / 1000 {
        return Err(Unsigned::Stamp);
    }
    let expected = sign(secret, stamp, body).ok_or(Unsigned::Signature)?;
    if bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
        Ok(())
    } else {
        Err(Unsigned::Signature)
    }
}

/// The signature of a body in Slack's scheme `v0`; nothing under an empty secret, which would sign everything for everybody.
#[must_use]
pub fn sign(secret: &Secret, stamp: &str, body: &[u8]) -> Option<String> {
    if secret.expose().is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(b"v0:");
    mac.update(stamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    Some(format!("v0={}", hex::encode(mac.finalize().into_bytes())))
}

/// Lets Slack's deliveries through, as many at a time as there is room for.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Ok(_room) = shared.room.try_acquire() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "no_room");
    };
    let (parts, body) = request.into_parts();
    let declared = parts
        .headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > MAX_BODY) {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    }
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT, "too_slow"),
    };
    let http = &shared.http;
    match verify(&http.signing_secret, &parts.headers, &body, http.clock.now()) {
        Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(why) => refused(StatusCode::UNAUTHORIZED, why.name()),
    }
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    counter!("signalbox_deliveries_refused_total", "why" => why).increment(1);
    status.into_response()
}
