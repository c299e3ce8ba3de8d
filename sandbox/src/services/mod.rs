//! Other services' APIs, small and true in what they have: Heroku, Twilio, Mailgun and Pingdom; Jenkins, CircleCI and AWX. Each is at
//! `/services/<name>`, with the paths that it has at home.

mod awx;
mod circleci;
mod heroku;
mod jenkins;
mod mailgun;
mod pingdom;
mod tree;
mod twilio;
mod wire;

use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use wire::routes;

/// What the services hold.
#[derive(Debug, Default)]
pub struct Services {
    heroku: heroku::Heroku,
    twilio: twilio::Twilio,
    mailgun: mailgun::Mailgun,
    pingdom: pingdom::Pingdom,
    jenkins: jenkins::Jenkins,
    circleci: circleci::CircleCi,
    awx: awx::Awx,
}

/// What people do in one of the services.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    Heroku(heroku::Deed),
    Twilio(twilio::Deed),
    Mailgun(mailgun::Deed),
    Pingdom(pingdom::Deed),
    Jenkins(jenkins::Deed),
    #[serde(rename = "circleci")]
    CircleCi(circleci::Deed),
    Awx(awx::Deed),
}

impl Services {
    /// Does a deed.
    pub(crate) fn act(&mut self, deed: Deed, now_ms: i64) {
        match deed {
            Deed::Heroku(deed) => self.heroku.act(deed),
            Deed::Twilio(deed) => self.twilio.act(deed),
            Deed::Mailgun(deed) => self.mailgun.act(deed),
            Deed::Pingdom(deed) => self.pingdom.act(deed),
            Deed::Jenkins(deed) => self.jenkins.act(deed),
            Deed::CircleCi(deed) => self.circleci.act(deed, now_ms),
            Deed::Awx(deed) => self.awx.act(deed),
        }
    }
}

/// What the services hold, as the page and tests see it.
#[must_use]
pub fn snapshot(services: &Services) -> Value {
    json!({
        "heroku": services.heroku.snapshot(),
        "twilio": services.twilio.snapshot(),
        "mailgun": services.mailgun.snapshot(),
        "pingdom": services.pingdom.snapshot(),
        "jenkins": services.jenkins.snapshot(),
        "circleci": services.circleci.snapshot(),
        "awx": services.awx.snapshot(),
    })
}

/// A request, taken apart.
struct Asked {
    method: http::Method,
    /// The parts of the path behind the service's name.
    path: Vec<String>,
    query: Vec<(String, String)>,
    /// The fields of a form.
    form: Vec<(String, String)>,
    /// A body of JSON.
    json: Value,
    accept: String,
    shown: Shown,
    /// Where the service is: `http://127.0.0.1:8700/services/jenkins`.
    base: String,
    now_ms: i64,
}

/// How the caller showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Nothing,
    Bearer(String),
    /// User and password.
    Basic(String, String),
    Token(String),
}

impl Shown {
    /// Whether the secret is one that a service takes: any but `invalid`.
    fn is_good(secret: &str) -> bool {
        !secret.is_empty() && secret != "invalid"
    }

    fn bearer(&self) -> bool {
        matches!(self, Self::Bearer(secret) if Self::is_good(secret))
    }

    fn basic(&self, user: &str) -> bool {
        matches!(self, Self::Basic(name, secret) if name == user && Self::is_good(secret))
    }
}

impl Asked {
    fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    fn is(&self, method: &str) -> bool {
        self.method.as_str() == method
    }

    fn field(&self, name: &str) -> Option<&str> {
        let found = self.form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// An answer.
struct Told {
    status: u16,
    body: Value,
    /// A text that is answered instead of JSON.
    text: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Told {
    const fn of(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            text: None,
            headers: Vec::new(),
        }
    }

    const fn text(text: String) -> Self {
        Self {
            status: 200,
            body: Value::Null,
            text: Some(text),
            headers: Vec::new(),
        }
    }

    const fn ok(body: Value) -> Self {
        Self::of(200, body)
    }
}

/// A service: which of its calls a request is, what it answers, and how it words a refusal.
trait Api {
    /// The call's name, for faults and the wire log; `None`: there is no such path.
    fn name(asked: &Asked) -> Option<&'static str>;

    /// Carries the call out.
    fn answer(&mut self, name: &str, asked: &Asked) -> Told;

    /// A refusal in the service's words.
    fn refusal(status: u16, words: &str) -> Value;
}
