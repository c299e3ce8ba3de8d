//! Requests to servers that a service lists: APIs of other services, and the team's own.
//!
//! Everything that is true of all of them is here: the list, the secret that is named and never shown, the limits, and what each failure means. A
//! server may repeat in an error what it was sent, so its words lose the secret before anybody reads them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use commands::credential::Auth;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{Method, Response};
use serde_json::Value;
use url::Url;

use super::lines::{cut_at, without_users};
use super::{At, StepError};
use crate::door::{Call, Destination, DoorError, Limits};
use crate::secret::Secret;

const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of foreign words people see.
const WORDS: usize = 200;

/// Servers as one step speaks to them.
pub(super) struct Servers<'a> {
    at: At<'a>,
    /// How its calls are named in metrics.
    name: &'static str,
    secret: Option<(Secret, Auth)>,
}

/// A request.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) headers: &'a BTreeMap<String, String>,
    pub(super) body: Body,
}

/// What is sent.
pub(super) enum Body {
    Nothing,
    Json(String),
    Form(Vec<(String, String)>),
}

/// Why a request brought nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It certainly was not carried out, and may be later: not sent, or too many at a time.
    NotDone(String),
    /// It may have been carried out.
    Unknown(String),
    /// It was refused.
    Refused(u16, String),
    /// It cannot be sent at all.
    Never(StepError),
}

impl From<Trouble> for StepError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotDone(why) | Trouble::Unknown(why) => Self::Later(why),
            Trouble::Refused(status, message) => Self::failed(&format!("http_{status}"), message),
            Trouble::Never(error) => error,
        }
    }
}

impl<'a> Servers<'a> {
    /// Takes the secret from where the runbook says.
    pub(super) fn new(at: At<'a>, name: &'static str, secret: Option<(&str, Auth)>) -> Result<Self, StepError> {
        let secret = match secret {
            None => None,
            Some((variable, auth)) => Some((at.secret(variable)?.clone(), auth)),
        };
        Ok(Self { at, name, secret })
    }

    /// Asks for JSON.
    pub(super) async fn get(&self, url: &Url) -> Result<Value, Trouble> {
        self.json(Method::GET, url, Body::Nothing).await
    }

    /// Sends something and reads JSON; `null` where there is none.
    pub(super) async fn json(&self, method: Method, url: &Url, body: Body) -> Result<Value, Trouble> {
        let headers = BTreeMap::new();
        let asked = Asked {
            method,
            url,
            headers: &headers,
            body,
        };
        let answer = self.send(asked).await?;
        Ok(serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    /// Sends a request. Only what was carried out is an answer.
    pub(super) async fn send(&self, asked: Asked<'_>) -> Result<Response<Bytes>, Trouble> {
        self.at.listed(asked.url).map_err(Trouble::Never)?;
        let broken = || Trouble::Never(StepError::failed("bad_request", "the request cannot be built"));
        let call = Call {
            destination: Destination::Listed,
            name: format!("step.{}", self.name),
            request: self.request(asked).ok_or_else(broken)?,
            limits: Limits {
                timeout: TIMEOUT,
                lease: self.at.lease,
            },
        };
        match self.at.engine.door.send(call).await {
            Ok(answer) => self.judge(answer),
            Err(error @ DoorError::NotSent(_)) => Err(Trouble::NotDone(error.to_string())),
            Err(error @ DoorError::NotPermitted) => {
                Err(Trouble::Never(StepError::failed("host_not_listed", error.to_string())))
            }
            Err(error @ DoorError::Unknown(_)) => Err(Trouble::Unknown(error.to_string())),
        }
    }

    fn request(&self, asked: Asked<'_>) -> Option<http::Request<Bytes>> {
        let mut request = http::Request::builder()
            .method(asked.method)
            .uri(asked.url.as_str())
            .header("user-agent", "signalbox");
        if !asked.headers.keys().any(|name| name.eq_ignore_ascii_case("accept")) {
            request = request.header("accept", "application/json");
        }
        for (name, value) in asked.headers {
            request = request.header(name, value);
        }
        let (kind, body) = match asked.body {
            Body::Nothing => (None, String::new()),
            Body::Json(text) => (Some("application/json"), text),
            Body::Form(fields) => (
                Some("application/x-www-form-urlencoded"),
                serde_urlencoded::to_string(fields).ok()?,
            ),
        };
        if let Some(kind) = kind.filter(|_| {
            !asked
                .headers
                .keys()
                .any(|name| name.eq_ignore_ascii_case("content-type"))
        }) {
            request = request.header(CONTENT_TYPE, kind);
        }
        let mut request = request.body(Bytes::from(body)).ok()?;
        if let Some((secret, auth)) = &self.secret {
            let (name, mut value) = shown(secret, auth)?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Some(request)
    }

    fn judge(&self, answer: Response<Bytes>) -> Result<Response<Bytes>, Trouble> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let words = self.words(&String::from_utf8_lossy(answer.body()));
        let said = match words.as_str() {
            "" => format!("it answers {}", status.as_u16()),
            words => format!("it answers {}: {words}", status.as_u16()),
        };
        if status == http::StatusCode::TOO_MANY_REQUESTS {
            return Err(Trouble::NotDone(said));
        }
        if status.is_server_error() {
            return Err(Trouble::Unknown(said));
        }
        if status.is_redirection() && answer.headers().contains_key(LOCATION) {
            return Err(Trouble::Refused(
                status.as_u16(),
                "it sends to another address, which is not followed: write that one".to_owned(),
            ));
        }
        Err(Trouble::Refused(status.as_u16(), said))
    }

    /// Foreign words as people may see them: short, on one line, without the secret.
    pub(super) fn words(&self, text: &str) -> String {
        cut(&self.without_secret(&without_users(&text.split_whitespace().collect::<Vec<_>>().join(" "))))
    }

    /// A text without the secret.
    pub(super) fn without_secret(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some((secret, auth)) = &self.secret {
            let encoded = match auth {
                Auth::Basic(user) => basic(secret, user.as_deref()),
                Auth::Bearer | Auth::Header(_) => STANDARD.encode(secret.expose()),
            };
            let parts = secret.expose().split(':').filter(|part| part.len() >= 8);
            for hidden in [secret.expose(), &encoded].into_iter().chain(parts) {
                if !hidden.is_empty() {
                    text = text.replace(hidden, "***");
                }
            }
        }
        text
    }

    /// Asks for a text, such as a log.
    pub(super) async fn text(&self, method: Method, url: &Url) -> Result<Response<Bytes>, Trouble> {
        let headers = BTreeMap::from([("accept".to_owned(), "text/plain".to_owned())]);
        let body = Body::Nothing;
        let asked = Asked {
            method,
            url,
            headers: &headers,
            body,
        };
        self.send(asked).await
    }
}

/// Foreign words, cut.
pub(super) fn cut(text: &str) -> String {
    cut_at(text, WORDS)
}

fn basic(secret: &Secret, user: Option<&str>) -> String {
    match user {
        Some(user) => STANDARD.encode(format!("{user}:{}", secret.expose())),
        None => STANDARD.encode(secret.expose()),
    }
}

/// The header that shows a secret.
fn shown(secret: &Secret, auth: &Auth) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match auth {
        Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", secret.expose())),
        Auth::Basic(user) => (AUTHORIZATION, format!("Basic {}", basic(secret, user.as_deref()))),
        Auth::Header(name) => (name.parse().ok()?, secret.expose().to_owned()),
    };
    Some((name, HeaderValue::from_str(&value).ok()?))
}

/// An address with these parts behind its path.
pub(super) fn below(base: &str, parts: &[&str]) -> Result<Url, StepError> {
    let odd = || StepError::failed("bad_address", format!("`{base}` is no address"));
    let mut url: Url = base.parse().map_err(|_| odd())?;
    url.path_segments_mut()
        .map_err(|()| odd())?
        .pop_if_empty()
        .extend(parts);
    Ok(url)
}

/// The same with a query.
pub(super) fn below_asking(base: &str, parts: &[&str], query: &[(&str, &str)]) -> Result<Url, StepError> {
    let mut url = below(base, parts)?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// The value at `checks.0.name`.
pub(super) fn at_path<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Array(values) => values.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}

/// A value as text: a text as it is, anything else as JSON.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_as_the_service_wants_it() {
        let secret = Secret::new("s3cret");
        for (auth, name, value) in [
            (Auth::Bearer, "authorization", "Bearer s3cret"),
            (
                Auth::Basic(Some("api".to_owned())),
                "authorization",
                "Basic YXBpOnMzY3JldA==",
            ),
            (Auth::Basic(None), "authorization", "Basic czNjcmV0"),
            (Auth::Header("Circle-Token".to_owned()), "circle-token", "s3cret"),
        ] {
            let (header, shown) = shown(&secret, &auth).unwrap();
            assert_eq!((header.as_str(), shown.to_str().unwrap()), (name, value));
        }
    }

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        let text = r#"forward("https://user:pass@a.example/x@y") and http://b.example, mailto:c@d.example"#;
        let shown = r#"forward("https://***@a.example/x@y") and http://b.example, mailto:c@d.example"#;
        assert_eq!(without_users(text), shown);
    }

    #[test]
    fn addresses_are_put_together_part_by_part() {
        let url = below("https://jenkins.example.org/ci/", &["job", "a b", "api", "json"]).unwrap();
        assert_eq!(url.as_str(), "https://jenkins.example.org/ci/job/a%20b/api/json");
        let url = below("https://awx.example.org", &["api", "v2", "jobs", "7", ""]).unwrap();
        assert_eq!(url.as_str(), "https://awx.example.org/api/v2/jobs/7/");
    }
}
