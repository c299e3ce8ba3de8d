//! `api_call`: one guarded call to another service's API.
//!
//! What makes it safe to repeat is a read beside it: the value that is there before is kept for the undo, a call whose answer was lost is looked up, and
//! it is done only when the value reads back as wanted. Presets say for some services where all of that is, and come to the same general form.

mod guarded;
mod presets;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};
use crate::credential::{Auth, check_name};
use crate::effect::Class;
use crate::time::Span;

pub use guarded::{Field, Guarded, Request, Wanted, Write};
pub use presets::{Heroku, Mailgun, Pingdom, Twilio};

/// What a text stands for the value that was there before, in the undo.
pub const WAS: &str = "{was}";

/// A call, as a runbook has it: the general form, or one of the presets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ApiCall {
    /// The address; its host has to be listed under `hosts` of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The method; `POST` when nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Write>,
    /// Headers, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body: JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body as a form instead, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub form: BTreeMap<String, Field>,
    /// The environment variable that holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_env: Option<String>,
    /// How it is shown: `bearer`, `basic`, `basic USER` or `header NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// Where the value is read that the call changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Read>,
    /// What is read once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<String>,
    /// What is read no more once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_not: Option<String>,
    /// What takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<Box<Undo>>,
    /// Where a preset's service is, if not where it always is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Sets how many processes of a type run on Heroku.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heroku: Option<Heroku>,
    /// Sets what a phone number of Twilio's calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio: Option<Twilio>,
    /// Sets what a route of Mailgun's does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailgun: Option<Mailgun>,
    /// Pauses a check of Pingdom's, or lets it go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pingdom: Option<Pingdom>,
}

/// Where a value is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The address; the call's own when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The path of the value in the JSON that is answered: `formation.quantity`.
    pub json: String,
}

/// What takes a call back. What is not said is the call's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Undo {
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Write>,
    /// The body: JSON, in which `{was}` is the value that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body as a form instead.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub form: BTreeMap<String, Field>,
}

impl ApiCall {
    /// The general form.
    ///
    /// # Errors
    /// What to write instead.
    pub fn guarded(&self) -> Result<Guarded, String> {
        let own: Vec<Result<Guarded, String>> = [
            self.heroku.as_ref().map(|preset| preset.guarded(self.base())),
            self.twilio.as_ref().map(|preset| preset.guarded(self.base())),
            self.mailgun.as_ref().map(|preset| preset.guarded(self.base())),
            self.pingdom.as_ref().map(|preset| preset.guarded(self.base())),
        ]
        .into_iter()
        .flatten()
        .collect();
        let general = Self {
            secret_env: self.secret_env.clone(),
            auth: self.auth.clone(),
            base: self.base.clone(),
            heroku: self.heroku.clone(),
            twilio: self.twilio.clone(),
            mailgun: self.mailgun.clone(),
            pingdom: self.pingdom.clone(),
            ..Self::default()
        } != *self;
        match (<[_; 1]>::try_from(own), general) {
            (Ok([preset]), false) => self.with_secret(preset?),
            (Ok(_), true) => Err("a preset says all there is to say: delete `url`, `method`, `headers`, `body`, `form`, `read`, `verify` and `undo`".to_owned()),
            (Err(none), _) if none.is_empty() => self.general(),
            (Err(_), _) => Err("names several presets: one call does one thing, so make two steps of it".to_owned()),
        }
    }

    fn base(&self) -> Option<&str> {
        self.base.as_deref().map(|base| base.trim_end_matches('/'))
    }

    fn general(&self) -> Result<Guarded, String> {
        if self.base.is_some() {
            return Err("`base` belongs to a preset: write the whole address in `url`".to_owned());
        }
        let url = self
            .url
            .clone()
            .ok_or("`url` is missing: write where it is sent, or one of the presets")?;
        let wanted = match (&self.verify, &self.verify_not) {
            (Some(_), Some(_)) => return Err("write `verify` or `verify_not`, not both".to_owned()),
            (Some(value), None) => Wanted::Is(value.clone()),
            (None, Some(value)) => Wanted::IsNot(value.clone()),
            (None, None) => Wanted::Unread,
        };
        if self.read.is_some() == (wanted == Wanted::Unread) {
            return Err(
                "`read` and `verify` go together: where the value is, and what it is when it is done".to_owned(),
            );
        }
        if self.undo.is_some() && self.read.is_none() {
            return Err(
                "`undo` needs `read`: without it nobody knows whether there is something to take back".to_owned(),
            );
        }
        let send = Request {
            url,
            method: self.method.unwrap_or_default(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            form: self.form.clone(),
        };
        let read = self
            .read
            .as_ref()
            .map(|read| (read.url.clone().unwrap_or_else(|| send.url.clone()), read.json.clone()));
        let undo = self.undo.as_ref().map(|undo| Request {
            url: undo.url.clone().unwrap_or_else(|| send.url.clone()),
            method: undo.method.unwrap_or(send.method),
            headers: send.headers.clone(),
            body: undo.body.clone(),
            form: undo.form.clone(),
        });
        let secret = match (&self.secret_env, &self.auth) {
            (Some(name), Some(auth)) => Some((name.clone(), Auth::parse(auth)?)),
            (None, None) => None,
            _ => return Err("`secret_env` and `auth` go together: which secret, and how it is shown".to_owned()),
        };
        Ok(Guarded {
            send,
            secret,
            read,
            wanted,
            drifts: false,
            undo,
        })
    }

    /// A preset knows how its secret is shown; which one it is the runbook says.
    fn with_secret(&self, mut preset: Guarded) -> Result<Guarded, String> {
        let name = self
            .secret_env
            .clone()
            .ok_or("`secret_env` is missing: name the environment variable that holds the service's key")?;
        let usual = preset.secret.take().map(|(_, auth)| auth);
        let auth = match &self.auth {
            Some(auth) => Some(Auth::parse(auth)?),
            None => usual,
        };
        preset.secret = auth.map(|auth| (name, auth));
        Ok(preset)
    }
}

impl Kind for ApiCall {
    const SPEC: Spec = Spec {
        kind: "api_call",
        summary: "Makes one call to another service's API, guarded by what is read before and after",
        undo: "Sets the value that was read before, if the runbook or the preset says how and it still is the one that was set; else none",
    };

    fn conduct(&self) -> Conduct {
        let guarded = self.guarded().ok();
        let reads = guarded.as_ref().is_some_and(|call| call.read.is_some());
        let calls = if reads {
            Calls::acts(Class::Set).watched(Span::seconds(5))
        } else {
            Calls::acts(Class::Once)
        };
        Conduct::Calls(calls.undone(guarded.is_some_and(|call| call.undo.is_some())))
    }

    fn plan(&self) -> Vec<String> {
        let call = match self.guarded() {
            Ok(call) => call,
            Err(why) => return vec![why],
        };
        let mut lines = vec![format!(
            "{} {}{}",
            call.send.method.as_str(),
            call.send.url,
            call.send.shown()
        )];
        if let Some((name, _)) = &call.secret {
            lines.push(format!("with the secret in {name}"));
        }
        if let Some((url, path)) = &call.read {
            let until = match &call.wanted {
                Wanted::Is(value) => format!("is {value}"),
                Wanted::IsNot(value) => format!("is no longer {value}"),
                Wanted::Unread => "is read".to_owned(),
            };
            lines.push(format!("until {path} of {url} {until}"));
        }
        lines
    }

    fn check(&self) -> Result<(), String> {
        let call = self.guarded()?;
        if let Some((name, _)) = &call.secret {
            check_name("secret_env", name)?;
        }
        let addresses = [&call.send.url]
            .into_iter()
            .chain(call.undo.as_ref().map(|undo| &undo.url));
        let mut addresses = addresses.chain(call.read.as_ref().map(|(url, _)| url));
        if let Some(odd) =
            addresses.find(|url| !url.starts_with("https://") && !url.starts_with("http://") && !url.starts_with('{'))
        {
            return Err(format!("`{odd}` is no address: write `https://…`"));
        }
        let unsaid = ["authorization", "cookie", "proxy-authorization"];
        if let Some(name) = call
            .send
            .headers
            .keys()
            .find(|name| unsaid.contains(&name.to_lowercase().as_str()))
        {
            return Err(format!(
                "`{name}` would stand in the plan and the journal: use `secret_env` and `auth`"
            ));
        }
        let both = |send: &Request| send.body.is_some() && !send.form.is_empty();
        if both(&call.send) || call.undo.as_ref().is_some_and(both) {
            return Err("write `body` or `form`, not both".to_owned());
        }
        if call.send.holds_was() {
            return Err("`{was}` is known only in `undo`".to_owned());
        }
        Ok(())
    }

    fn addresses(&self) -> Vec<String> {
        self.guarded().map_or_else(
            |_| Vec::new(),
            |call| {
                let send = std::iter::once(call.send).chain(call.undo).map(|send| send.url);
                send.chain(call.read.map(|(url, _)| url)).collect()
            },
        )
    }

    fn secrets(&self) -> Vec<&str> {
        self.secret_env.iter().map(String::as_str).collect()
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["was"])
    }

    fn samples() -> Vec<Self> {
        let heroku = Self {
            secret_env: Some("HEROKU_API_KEY".to_owned()),
            heroku: Some(Heroku {
                app: "wallet".to_owned(),
                process: "web".to_owned(),
                quantity: "0".to_owned(),
            }),
            ..Self::default()
        };
        let unread = Self {
            url: Some("https://hooks.example.org/purge".to_owned()),
            body: Some("{}".to_owned()),
            ..Self::default()
        };
        vec![heroku, unread]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: serde_json::Value) -> ApiCall {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        use serde_json::json;
        let url = "https://api.example.org/x";
        for (call, why) in [
            (json!({}), "`url` is missing"),
            (json!({ "url": url, "read": { "json": "a" } }), "go together"),
            (json!({ "url": url, "undo": {} }), "`undo` needs `read`"),
            (json!({ "url": url, "secret_env": "X" }), "go together"),
            (
                json!({ "url": url, "secret_env": "SLACK_BOT_TOKEN", "auth": "bearer" }),
                "the bot's own",
            ),
            (
                json!({ "url": url, "headers": { "Authorization": "x" } }),
                "use `secret_env`",
            ),
            (json!({ "url": url, "body": "{}", "form": { "a": "b" } }), "not both"),
            (json!({ "url": url, "body": "{was}" }), "only in `undo`"),
            (json!({ "url": "ftp://x", "body": "{}" }), "no address"),
            (
                json!({ "url": url, "pingdom": { "check": 1, "paused": true }, "secret_env": "X" }),
                "a preset says all",
            ),
            (
                json!({ "pingdom": { "check": 1, "paused": true } }),
                "`secret_env` is missing",
            ),
        ] {
            let error = of(call).check().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
