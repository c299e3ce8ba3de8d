//! Twilio's REST API: what an incoming phone number calls.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Asked, Told};

/// The numbers by SID.
#[derive(Debug, Default)]
pub(super) struct Twilio(BTreeMap<String, Number>);

/// A phone number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Number {
    sid: String,
    account: String,
    #[serde(default)]
    phone_number: String,
    #[serde(default)]
    voice_url: String,
    #[serde(default)]
    sms_url: String,
}

/// What people do in Twilio.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A number is there, or is changed.
    Number(Number),
}

impl Twilio {
    pub(super) fn act(&mut self, deed: Deed) {
        let Deed::Number(number) = deed;
        self.0.insert(number.sid.clone(), number);
    }

    pub(super) fn snapshot(&self) -> Value {
        self.0.values().map(Number::render).collect()
    }
}

impl Number {
    fn render(&self) -> Value {
        json!({
            "sid": self.sid, "account_sid": self.account, "friendly_name": self.phone_number, "phone_number": self.phone_number,
            "voice_url": self.voice_url, "voice_method": "POST", "sms_url": self.sms_url, "sms_method": "POST", "api_version": "2010-04-01",
            "capabilities": { "voice": true, "sms": true, "mms": false, "fax": false }, "status": "in-use",
            "uri": format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers/{}.json", self.account, self.sid),
        })
    }
}

impl Api for Twilio {
    fn name(asked: &Asked) -> Option<&'static str> {
        match asked.parts().as_slice() {
            ["2010-04-01", "Accounts", _, "IncomingPhoneNumbers", number] if number.ends_with(".json") => {
                match asked.method.as_str() {
                    "GET" => Some("number_fetch"),
                    "POST" => Some("number_update"),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn answer(&mut self, _: &str, asked: &Asked) -> Told {
        let refuse = |status: u16, words: &str| Told::of(status, Self::refusal(status, words));
        let account = &asked.path[2];
        if !asked.shown.basic(account) {
            return refuse(401, "Authenticate");
        }
        let sid = asked.path[4].trim_end_matches(".json");
        let Some(number) = self.0.get_mut(sid).filter(|number| number.account == *account) else {
            let path = asked.path.join("/");
            return refuse(404, &format!("The requested resource /{path} was not found"));
        };
        if asked.is("POST") {
            for name in ["VoiceUrl", "SmsUrl"] {
                if asked
                    .field(name)
                    .is_some_and(|url| !url.is_empty() && !url.starts_with("http"))
                {
                    return refuse(400, &format!("{name} is not a valid URL"));
                }
            }
            if let Some(url) = asked.field("VoiceUrl") {
                url.clone_into(&mut number.voice_url);
            }
            if let Some(url) = asked.field("SmsUrl") {
                url.clone_into(&mut number.sms_url);
            }
        }
        Told::ok(number.render())
    }

    fn refusal(status: u16, words: &str) -> Value {
        let code = match status {
            400 => 21_502,
            401 => 20_003,
            404 => 20_404,
            429 => 20_429,
            _ => 20_500,
        };
        json!({ "code": code, "message": words, "more_info": format!("https://www.twilio.com/docs/errors/{code}"), "status": status })
    }
}
