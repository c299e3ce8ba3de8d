//! Presets: services whose addresses, bodies and read-backs are known, so that a runbook says only what is to be.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::{Field, Guarded, Request, WAS, Wanted, Write};
use crate::credential::Auth;

/// How many processes of a type run on Heroku. `PATCH /apps/{app}/formation/{type}` of its Platform API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heroku {
    /// The app.
    pub app: String,
    /// The type of process: `web`.
    pub process: String,
    /// How many.
    #[serde(deserialize_with = "text_or_number")]
    pub quantity: String,
}

/// What a phone number of Twilio's calls when it rings or gets a message. `POST …/IncomingPhoneNumbers/{sid}.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twilio {
    /// The account's SID: `AC…`.
    pub account: String,
    /// The number's SID: `PN…`.
    pub number: String,
    /// What is called when it rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_url: Option<String>,
    /// What is called when a message comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_url: Option<String>,
}

/// What a route of Mailgun's does with the messages that fit it. `PUT /v3/routes/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailgun {
    /// The route's id.
    pub route: String,
    /// Where messages are forwarded to: the only thing that the route does then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<String>,
    /// All that it does, in Mailgun's words: `forward("…")`, `store()`, `stop()`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
}

/// Whether a check of Pingdom's looks. `PUT /api/3.1/checks/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pingdom {
    /// The check's id.
    #[serde(deserialize_with = "text_or_number")]
    pub check: String,
    /// Whether it pauses.
    pub paused: bool,
}

/// Numbers are kept as texts, for a text may be a placeholder.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Number(number) => number.to_string(),
        Either::Text(text) => text,
    })
}

/// A call and its undo at one address, which is also where the value is read.
fn guarded(url: String, method: Write, auth: Auth, (path, wanted): (&str, Wanted)) -> Guarded {
    let send = Request {
        url: url.clone(),
        method,
        headers: BTreeMap::new(),
        body: None,
        form: BTreeMap::new(),
    };
    Guarded {
        undo: Some(send.clone()),
        send,
        secret: Some((String::new(), auth)),
        read: Some((url, path.to_owned())),
        wanted,
        drifts: false,
    }
}

impl Guarded {
    fn with_bodies(mut self, now: String, then: String) -> Self {
        self.send.body = Some(now);
        if let Some(undo) = &mut self.undo {
            undo.body = Some(then);
        }
        self
    }

    fn with_forms(mut self, name: &str, now: Field, then: Field) -> Self {
        self.send.form = BTreeMap::from([(name.to_owned(), now)]);
        if let Some(undo) = &mut self.undo {
            undo.form = BTreeMap::from([(name.to_owned(), then)]);
        }
        self
    }
}

impl Heroku {
    pub(super) fn guarded(&self, base: Option<&str>) -> Result<Guarded, String> {
        let placeholder = self.quantity.contains('{');
        if !placeholder && self.quantity.parse::<u16>().is_err() {
            return Err(format!("`quantity = \"{}\"` is no number", self.quantity));
        }
        let base = base.unwrap_or("https://api.heroku.com");
        let url = format!("{base}/apps/{}/formation/{}", self.app, self.process);
        let wanted = ("quantity", Wanted::Is(self.quantity.clone()));
        let mut call = guarded(url, Write::Patch, Auth::Bearer, wanted).with_bodies(
            format!("{{\"quantity\":{}}}", self.quantity),
            format!("{{\"quantity\":{WAS}}}"),
        );
        let accept = ("Accept".to_owned(), "application/vnd.heroku+json; version=3".to_owned());
        call.send.headers.insert(accept.0.clone(), accept.1.clone());
        if let Some(undo) = &mut call.undo {
            undo.headers.insert(accept.0, accept.1);
        }
        Ok(call)
    }
}

impl Twilio {
    pub(super) fn guarded(&self, base: Option<&str>) -> Result<Guarded, String> {
        let (field, path, value) = match (&self.voice_url, &self.sms_url) {
            (Some(url), None) => ("VoiceUrl", "voice_url", url),
            (None, Some(url)) => ("SmsUrl", "sms_url", url),
            _ => {
                return Err(
                    "write `voice_url` or `sms_url`: each is a step of its own, so that each can be undone".to_owned(),
                );
            }
        };
        let base = base.unwrap_or("https://api.twilio.com");
        let url = format!(
            "{base}/2010-04-01/Accounts/{}/IncomingPhoneNumbers/{}.json",
            self.account, self.number
        );
        let auth = Auth::Basic(Some(self.account.clone()));
        let call = guarded(url, Write::Post, auth, (path, Wanted::Is(value.clone())));
        Ok(call.with_forms(field, Field::One(value.clone()), Field::One(WAS.to_owned())))
    }
}

impl Mailgun {
    pub(super) fn guarded(&self, base: Option<&str>) -> Result<Guarded, String> {
        let actions = match (&self.forward, self.actions.as_slice()) {
            (Some(to), []) => vec![format!("forward(\"{to}\")")],
            (None, [_, ..]) => self.actions.clone(),
            _ => return Err("write `forward = \"https://…\"`, or all `actions` of the route".to_owned()),
        };
        let base = base.unwrap_or("https://api.mailgun.net");
        let url = format!("{base}/v3/routes/{}", self.route);
        let auth = Auth::Basic(Some("api".to_owned()));
        let call = guarded(
            url,
            Write::Put,
            auth,
            ("route.actions", Wanted::Is(json!(actions).to_string())),
        );
        Ok(call.with_forms("action", Field::Many(actions), Field::One(WAS.to_owned())))
    }
}

impl Pingdom {
    pub(super) fn guarded(&self, base: Option<&str>) -> Result<Guarded, String> {
        if !self.check.contains('{') && self.check.parse::<u64>().is_err() {
            return Err(format!("`check = \"{}\"` is no number", self.check));
        }
        let base = base.unwrap_or("https://api.pingdom.com");
        let url = format!("{base}/api/3.1/checks/{}", self.check);
        // A check that goes on has the state that it finds, whichever that is.
        let paused = "paused".to_owned();
        let wanted = if self.paused {
            Wanted::Is(paused)
        } else {
            Wanted::IsNot(paused)
        };
        let body = |paused: bool| json!({ "paused": paused }).to_string();
        let mut call = guarded(url, Write::Put, Auth::Bearer, ("check.status", wanted));
        // A check that looks goes up and down by itself.
        call.drifts = self.paused;
        Ok(call.with_bodies(body(self.paused), body(!self.paused)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ApiCall;
    use crate::step::Kind as _;
    use serde_json::json;

    /// What a preset comes to, as its plan shows it, with its undo.
    fn plan(preset: serde_json::Value) -> Vec<String> {
        let mut preset = preset;
        preset["secret_env"] = json!("KEY");
        let call: ApiCall = serde_json::from_value(preset).unwrap();
        call.check().unwrap();
        let undo = call.guarded().unwrap().undo.unwrap();
        let mut lines = call.plan();
        lines.push(format!("undo: {} {}{}", undo.method.as_str(), undo.url, undo.shown()));
        lines
    }

    #[test]
    fn presets_come_to_the_general_form() {
        assert_eq!(
            plan(json!({ "heroku": { "app": "wallet", "process": "web", "quantity": 0 } })),
            [
                "PATCH https://api.heroku.com/apps/wallet/formation/web {\"quantity\":0}",
                "with the secret in KEY",
                "until quantity of https://api.heroku.com/apps/wallet/formation/web is 0",
                "undo: PATCH https://api.heroku.com/apps/wallet/formation/web {\"quantity\":{was}}",
            ]
        );
        let number = "https://api.twilio.com/2010-04-01/Accounts/AC1/IncomingPhoneNumbers/PN1.json";
        assert_eq!(
            plan(
                json!({ "twilio": { "account": "AC1", "number": "PN1", "voice_url": "https://new.example.org/call" } })
            ),
            [
                format!("POST {number} VoiceUrl=https://new.example.org/call"),
                "with the secret in KEY".to_owned(),
                format!("until voice_url of {number} is https://new.example.org/call"),
                format!("undo: POST {number} VoiceUrl={{was}}"),
            ]
        );
        assert_eq!(
            plan(
                json!({ "base": "https://api.eu.mailgun.net/", "mailgun": { "route": "r1", "forward": "https://new.example.org/mail" } })
            ),
            [
                "PUT https://api.eu.mailgun.net/v3/routes/r1 action=forward(\"https://new.example.org/mail\")",
                "with the secret in KEY",
                "until route.actions of https://api.eu.mailgun.net/v3/routes/r1 is [\"forward(\\\"https://new.example.org/mail\\\")\"]",
                "undo: PUT https://api.eu.mailgun.net/v3/routes/r1 action={was}",
            ]
        );
        assert_eq!(
            plan(json!({ "pingdom": { "check": 12, "paused": false } })),
            [
                "PUT https://api.pingdom.com/api/3.1/checks/12 {\"paused\":false}",
                "with the secret in KEY",
                "until check.status of https://api.pingdom.com/api/3.1/checks/12 is no longer paused",
                "undo: PUT https://api.pingdom.com/api/3.1/checks/12 {\"paused\":true}",
            ]
        );
    }

    #[test]
    fn a_preset_that_says_too_little_or_too_much_is_refused() {
        for (preset, why) in [
            (
                json!({ "heroku": { "app": "a", "process": "web", "quantity": "many" } }),
                "no number",
            ),
            (
                json!({ "twilio": { "account": "AC1", "number": "PN1" } }),
                "`voice_url` or `sms_url`",
            ),
            (json!({ "mailgun": { "route": "r1" } }), "`forward"),
            (
                json!({ "mailgun": { "route": "r1", "forward": "x", "actions": ["stop()"] } }),
                "`forward",
            ),
            (json!({ "pingdom": { "check": "x", "paused": true } }), "no number"),
        ] {
            let mut preset = preset;
            preset["secret_env"] = json!("KEY");
            let call: ApiCall = serde_json::from_value(preset).unwrap();
            let error = call.check().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
