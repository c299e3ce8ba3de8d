//! Who sent a request, and for which region and service it is signed. Signatures must be there but are not verified: the sandbox knows no secrets.

use http::{HeaderMap, StatusCode};

use super::account::Account;
use super::error::AwsError;
use super::pipeline::REGION;
use super::place::Place;
use super::sts::{Caller, Signature};

/// A header as text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A request's signature, taken out of it.
pub(super) struct Signed {
    access_key: Option<String>,
    session_token: Option<String>,
    at_ms: i64,
    region: String,
    /// The service's name in the credential scope; empty when nobody signed.
    pub(super) scope: String,
}

impl Signed {
    /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …` and the headers beside it.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let credential = header(headers, "authorization").and_then(|text| {
            let (_, rest) = text.split_once("Credential=")?;
            rest.split([',', ' ']).next()
        });
        let mut parts = credential.unwrap_or_default().split('/');
        let access_key = parts.next().filter(|key| !key.is_empty());
        let mut part = |at: usize| parts.nth(at).unwrap_or_default().to_owned();
        let (region, scope) = (part(1), part(0));
        let date = header(headers, "x-amz-date")
            .and_then(|date| chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").ok());
        Self {
            access_key: access_key.map(str::to_owned),
            session_token: header(headers, "x-amz-security-token").map(str::to_owned),
            at_ms: date.map_or(0, |date| date.and_utc().timestamp_millis()),
            region: if region.is_empty() { REGION.to_owned() } else { region },
            scope,
        }
    }

    /// Who sent the request.
    pub(super) fn caller(&self, account: &Account) -> Result<Caller, AwsError> {
        let missing = || AwsError::new("MissingAuthenticationTokenException", "Missing Authentication Token");
        let access_key = self
            .access_key
            .as_deref()
            .ok_or_else(|| missing().with_status(StatusCode::FORBIDDEN))?;
        let session_token = self.session_token.as_deref();
        account.sessions.caller(&Signature {
            access_key,
            session_token,
            at_ms: self.at_ms,
        })
    }

    /// The caller's account in the region that the request is signed for.
    pub(super) fn place(&self, caller: &Caller) -> Place {
        Place::new(&caller.account, &self.region)
    }
}
