//! The HTTP side of all services: who is asked, which call it is, and what a fault looks like.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Api, Asked, Services, Shown, Told};
use super::{awx, circleci, heroku, jenkins, mailgun, pingdom, twilio};
use crate::aws::percent_decoded;
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::{Change, World};

/// No body of a call is larger.
const MAX_BODY: usize = 1 << 20;

/// Everything under `/services`; the first part of the path names the service.
pub(crate) fn routes(world: &Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(world))
}

async fn handle(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let path = parts.uri.path().trim_start_matches('/');
    let (service, rest) = path.split_once('/').unwrap_or((path, ""));
    let host = header(&parts.headers, "host");
    let kind = header(&parts.headers, "content-type");
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    let asked = Asked {
        method: parts.method.clone(),
        path: rest
            .split('/')
            .filter(|part| !part.is_empty())
            .map(percent_decoded)
            .collect(),
        query: serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default(),
        form: if is_form {
            serde_urlencoded::from_bytes(&body).unwrap_or_default()
        } else {
            Vec::new()
        },
        json: serde_json::from_slice(&body).unwrap_or_default(),
        accept: header(&parts.headers, "accept"),
        shown: shown(&parts.headers),
        base: format!("http://{host}/services/{service}"),
        now_ms: world.clock.now_ms(),
    };
    let Some(service) = of(service) else {
        return respond(&Told::of(404, json!({ "message": "the sandbox has no such service" })));
    };
    let name = (service.name)(&asked);
    let call = Call {
        name: format!("{}.{}", service.id, name.unwrap_or("unknown")),
        arguments: json!({ "method": asked.method.as_str(), "path": rest, "form": asked.form, "json": asked.json }),
    };
    let (inner, refusal) = (Arc::clone(&world), service.refusal);
    guarded(&world, call, Words(refusal), move || {
        let Some(name) = name else {
            return Answer::refused(respond(&Told::of(404, refusal(404, "there is no such path"))), "404");
        };
        let told = (service.answer)(&mut inner.services(), name, &asked);
        inner.changed(Change::Services);
        let response = respond(&told);
        if told.status < 400 {
            Answer::done(response)
        } else {
            Answer::refused(response, told.status.to_string())
        }
    })
    .await
}

/// One of the services.
struct Service {
    id: &'static str,
    name: fn(&Asked) -> Option<&'static str>,
    answer: fn(&mut Services, &str, &Asked) -> Told,
    refusal: fn(u16, &str) -> Value,
}

fn of(name: &str) -> Option<Service> {
    fn service<A: Api>(id: &'static str, answer: fn(&mut Services, &str, &Asked) -> Told) -> Service {
        Service {
            id,
            name: A::name,
            answer,
            refusal: A::refusal,
        }
    }
    Some(match name {
        "heroku" => service::<heroku::Heroku>("heroku", |all, name, asked| all.heroku.answer(name, asked)),
        "twilio" => service::<twilio::Twilio>("twilio", |all, name, asked| all.twilio.answer(name, asked)),
        "mailgun" => service::<mailgun::Mailgun>("mailgun", |all, name, asked| all.mailgun.answer(name, asked)),
        "pingdom" => service::<pingdom::Pingdom>("pingdom", |all, name, asked| all.pingdom.answer(name, asked)),
        "jenkins" => service::<jenkins::Jenkins>("jenkins", |all, name, asked| all.jenkins.answer(name, asked)),
        "circleci" => service::<circleci::CircleCi>("circleci", |all, name, asked| all.circleci.answer(name, asked)),
        "awx" => service::<awx::Awx>("awx", |all, name, asked| all.awx.answer(name, asked)),
        _ => return None,
    })
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn shown(headers: &HeaderMap) -> Shown {
    let token = header(headers, "circle-token");
    if !token.is_empty() {
        return Shown::Token(token);
    }
    let authorization = header(headers, "authorization");
    match authorization.split_once(' ') {
        Some(("Bearer", secret)) => Shown::Bearer(secret.to_owned()),
        Some(("Basic", encoded)) => {
            let decoded = STANDARD.decode(encoded).unwrap_or_default();
            let text = String::from_utf8_lossy(&decoded).into_owned();
            let (user, password) = text.split_once(':').unwrap_or((&text, ""));
            Shown::Basic(user.to_owned(), password.to_owned())
        }
        _ => Shown::Nothing,
    }
}

fn respond(told: &Told) -> Response {
    let status = StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if told.text.is_some() {
        "text/plain;charset=UTF-8"
    } else {
        "application/json"
    };
    let mut response = Response::builder().status(status).header("content-type", kind);
    for (name, value) in &told.headers {
        response = response.header(*name, value);
    }
    let body = match &told.text {
        Some(text) => text.clone(),
        None if told.body.is_null() => String::new(),
        None => told.body.to_string(),
    };
    response.body(Body::from(body)).unwrap_or_default()
}

/// How a service words its failures.
struct Words(fn(u16, &str) -> Value);

impl Vendor for Words {
    fn throttled(&self, _retry_after: u64) -> Response {
        respond(&Told::of(429, (self.0)(429, "too many requests")))
    }

    fn failed(&self) -> Response {
        respond(&Told::of(500, (self.0)(500, "internal server error")))
    }

    fn refused(&self, error: &str) -> Response {
        let status = error.parse().unwrap_or(400);
        respond(&Told::of(status, (self.0)(status, error)))
    }
}
