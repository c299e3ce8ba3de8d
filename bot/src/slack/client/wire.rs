//! How a call looks on the wire, and what its answer means.

use bytes::Bytes;
use commands::time::Span;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SlackError;

/// What a call carries.
pub(super) struct Ask {
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
    /// A worker's call that takes its turn as it is made; it can wait.
    pub(super) paced: bool,
}

impl Ask {
    /// As a form, which every method of Slack's reads; empty values are left out.
    pub(super) fn form(fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().filter(|(_, value)| !value.is_empty());
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Self {
            content_type: "application/x-www-form-urlencoded",
            body: body.into(),
            paced: false,
        }
    }

    pub(super) fn json<T: Serialize>(body: &T) -> Result<Self, SlackError> {
        Ok(Self {
            content_type: "application/json; charset=utf-8",
            body: serde_json::to_vec(body).map_err(|error| not_sent(&error))?.into(),
            paced: false,
        })
    }

    pub(super) const fn paced(mut self) -> Self {
        self.paced = true;
        self
    }
}

pub(super) fn not_sent(error: &dyn std::error::Error) -> SlackError {
    SlackError::NotSent(error.to_string())
}

pub(super) fn retry_after(headers: &HeaderMap) -> Option<Span> {
    let seconds: i64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Span::seconds(seconds.clamp(1, 3_600)))
}

pub(super) fn read<T: DeserializeOwned>(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<T, SlackError> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        ok: bool,
        error: Option<String>,
    }
    let limited = || SlackError::RateLimited {
        retry_after: retry_after(headers),
    };
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(limited());
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else {
        return Err(SlackError::Unknown(format!("HTTP {status} without Slack's JSON")));
    };
    if envelope.ok {
        // The work is done even if the answer has changed its shape.
        return serde_json::from_slice(body)
            .map_err(|error| SlackError::Unknown(format!("an answer in another shape: {:?}", error.classify())));
    }
    match envelope.error.unwrap_or_default().as_str() {
        "ratelimited" | "rate_limited" => Err(limited()),
        // By Slack's own words some of the work may have been done.
        code @ ("fatal_error" | "internal_error" | "request_timeout" | "service_unavailable") => {
            Err(SlackError::Unknown(code.to_owned()))
        }
        code => Err(SlackError::Refused { code: code.to_owned() }),
    }
}
