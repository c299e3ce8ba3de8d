//! What Slack would send: a command and a button click with everything that is in them, signed.

use std::net::SocketAddr;

use anyhow::Result;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// The secret of the bench's app.
pub(crate) const SIGNING_SECRET: &str = "bench-signing-secret";
/// Where `wallet` is at home: the service whose status is asked.
pub(crate) const STATUS_CHANNEL: &str = "C0DEPLOYS";
/// Where the services are at home that are voted on.
pub(crate) const VOTE_CHANNEL: &str = "C0GENERAL";
/// Who speaks.
pub(crate) const SPEAKER: &str = "U0ANN";

/// A request to be sent: path and body. It is signed when it is sent, for a signature is good for five minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    path: &'static str,
    body: String,
}

/// `/deploy status`, said for the n-th time.
pub(crate) fn status(number: usize, sink: SocketAddr) -> Delivery {
    let fields = [
        ("token", "unused".to_owned()),
        ("team_id", "T0SIGNAL".to_owned()),
        ("team_domain", "acme".to_owned()),
        ("channel_id", STATUS_CHANNEL.to_owned()),
        ("channel_name", "deploys".to_owned()),
        ("user_id", SPEAKER.to_owned()),
        ("user_name", "ann".to_owned()),
        ("command", "/deploy".to_owned()),
        ("text", "status".to_owned()),
        ("api_app_id", "A0SIGNAL".to_owned()),
        ("is_enterprise_install", "false".to_owned()),
        ("response_url", format!("http://{sink}/response/{number}")),
        ("trigger_id", format!("13345224609.738474920.{number}")),
    ];
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    Delivery {
        path: "/slack/commands",
        body: pairs.join("&"),
    }
}

/// A press of **Approve** under the card of a run.
pub(crate) fn approve(service: &str, run: &str, number: usize, sink: SocketAddr) -> Delivery {
    let payload = json!({
        "type": "block_actions",
        "user": {"id": SPEAKER, "username": "ann", "name": "ann", "team_id": "T0SIGNAL"},
        "api_app_id": "A0SIGNAL",
        "token": "unused",
        "container": {"type": "message", "message_ts": "1795226400.000100", "channel_id": VOTE_CHANNEL, "is_ephemeral": false},
        "trigger_id": format!("13345224609.738474920.a{number}"),
        "team": {"id": "T0SIGNAL", "domain": "acme"},
        "enterprise": null,
        "is_enterprise_install": false,
        "channel": {"id": VOTE_CHANNEL, "name": "general"},
        "message": message(service),
        "state": {"values": {}},
        "response_url": format!("http://{sink}/response/a{number}"),
        "actions": [{
            "action_id": "approve",
            "block_id": "buttons",
            "text": {"type": "plain_text", "text": "Approve", "emoji": true},
            "value": format!("{service} {run}"),
            "style": "primary",
            "type": "button",
            "action_ts": format!("1795226460.{number:06}"),
        }],
    });
    Delivery {
        path: "/slack/interactions",
        body: format!("payload={}", encoded(&payload.to_string())),
    }
}

/// The card as Slack gives it back with a click: about as long as a real one.
fn message(service: &str) -> Value {
    let line = "4f2c1d9 *retry a transaction that the node refused once* by Dana, <https://github.com/acme/app/compare/a...b|4 commits, 7 files>";
    let section = |n: usize| json!({"type": "section", "block_id": format!("b{n}"), "text": {"type": "mrkdwn", "text": format!("{service} {n}: {line}"), "verbatim": false}});
    let blocks: Vec<Value> = (0..12).map(section).collect();
    json!({"type": "message", "ts": "1795226400.000100", "user": "U0SIGNAL", "bot_id": "B0SIGNAL", "app_id": "A0SIGNAL", "team": "T0SIGNAL", "text": line, "blocks": blocks})
}

impl Delivery {
    /// The bytes on the wire, signed as of `seconds` since the epoch.
    ///
    /// # Errors
    /// Never with this secret.
    pub(crate) fn request(&self, to: SocketAddr, seconds: u64) -> Result<Vec<u8>> {
        let Self { path, body } = self;
        let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes())?;
        mac.update(format!("v0:{seconds}:").as_bytes());
        mac.update(body.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\nAccept: application/json,*/*\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nX-Slack-Request-Timestamp: {seconds}\r\nX-Slack-Signature: v0={signature}\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        Ok([head.as_bytes(), body.as_bytes()].concat())
    }
}

/// As a form has it.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
