//! Slash commands.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Denied, living, open_channel_of};
use crate::slack::api::Args;
use crate::slack::deliver::{Delivery, Endpoint, Sent, send};
use crate::slack::model::{APP, DOMAIN, Message, SLACKBOT, TEAM};
use crate::slack::payload::channel_name;
use crate::slack::text::{Names, encode, escape};
use crate::slack::{Workspace, response_url};
use crate::world::{Change, World};

/// The app's commands, with their slash.
pub(crate) const COMMANDS: &[&str] = &["/deploy", "/migrate", "/switch-colors", "/maintenance", "/loglevel"];

/// What was typed, and where.
#[derive(Debug, Deserialize)]
pub(crate) struct Typed {
    user: String,
    channel: String,
    text: String,
}

/// Sends a command and shows the answer; what the control API says of it.
pub(crate) async fn command(world: &Arc<World>, typed: Typed) -> Result<Value, Denied> {
    let now_ms = world.clock.now_ms();
    let (name, text) = typed
        .text
        .trim()
        .split_once(char::is_whitespace)
        .unwrap_or((typed.text.trim(), ""));
    // Asked before the workspace is locked: the host may look at it.
    let known = COMMANDS.contains(&name) || world.host().is_some_and(|host| knows(&host.commands(), name));
    let (delivery, token, since) = {
        let mut workspace = world.slack();
        let person = living(&workspace, &typed.user)?;
        // Commands belong to the workspace that installed the app: a stranger's client does not offer them.
        if !known || person.is_stranger {
            return Err(Denied::new(
                404,
                "unknown_command",
                format!("{} is not a valid command.", escape(name)),
            ));
        }
        let (delivery, token) = prepare(&mut workspace, &typed, (name, text.trim()), now_ms)?;
        (delivery, token, workspace.next_ts(now_ms))
    };
    let sent = send(world, &delivery, None).await;
    let ephemerals = {
        let mut workspace = world.slack();
        show_answer(&mut workspace, &typed, (name, &token), &sent, world.clock.now_ms());
        let new = workspace
            .ephemerals_for(&typed.user, &typed.channel)
            .filter(|message| message.ts > since);
        new.map(|message| workspace.shown(message, true))
            .collect::<Vec<Value>>()
    };
    crate::slack::deliver_events(world);
    world.changed(Change::Slack);
    let body = match sent.body.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    };
    Ok(json!({"seq": sent.seq, "status": sent.status, "body": body, "error": sent.error, "ephemerals": ephemerals}))
}

fn knows(commands: &[Value], name: &str) -> bool {
    commands.iter().any(|command| command["command"] == name)
}

fn prepare(
    workspace: &mut Workspace,
    typed: &Typed,
    (name, text): (&str, &str),
    now_ms: i64,
) -> Result<(Delivery, String), Denied> {
    let channel = open_channel_of(workspace, &typed.user, &typed.channel)?;
    let user_name = living(workspace, &typed.user)?.name.clone();
    let channel_name = channel_name(channel).to_owned();
    let text = encode(workspace, text, Names::Shown);
    let token = workspace.tables.response_url(&typed.user, &typed.channel, None, now_ms);
    let response_url = format!("{}/slack/response/{token}", workspace.link.own_url);
    let trigger_id = workspace.tables.trigger(&typed.user, None, now_ms);
    let fields = [
        ("team_id", TEAM),
        ("team_domain", DOMAIN),
        ("channel_id", &typed.channel),
        ("channel_name", &channel_name),
        ("user_id", &typed.user),
        ("user_name", &user_name),
        ("command", name),
        ("text", &text),
        ("api_app_id", APP),
        ("is_enterprise_install", "false"),
        ("response_url", &response_url),
        ("trigger_id", &trigger_id),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let log = json!({"user": typed.user, "channel": typed.channel, "command": name, "text": text});
    Ok((
        Delivery {
            endpoint: Endpoint::Commands,
            body,
            log,
        },
        token,
    ))
}

/// Shows what the app answered in the acknowledgement, or what Slack says when it did not.
fn show_answer(workspace: &mut Workspace, typed: &Typed, (name, token): (&str, &str), sent: &Sent, now_ms: i64) {
    let failure = match sent.error {
        Some(error) => Some(error),
        None if sent.body.trim().is_empty() => None,
        None => {
            // A body that is not a JSON object is taken for the text.
            let args = serde_json::from_str(&sent.body).ok().and_then(Args::from_json);
            let args = args.unwrap_or_else(|| Args::from_pairs(vec![("text".to_owned(), sent.body.clone())]));
            workspace.note_body("command_answer", &args.to_json());
            let url = workspace.tables.peek(token);
            let applied = url.map(|url| response_url::apply(workspace, &url, &args, now_ms));
            match applied {
                Some(Ok(Some(posted))) => {
                    workspace.tables.answered_with(token, posted);
                    None
                }
                Some(Ok(None)) => None,
                Some(Err(_)) | None => Some("invalid_command_response"),
            }
        }
    };
    if let Some(error) = failure {
        let text = format!("{name} failed with the error \"{error}\"");
        let message = Message {
            user: SLACKBOT.to_owned(),
            text,
            ..Message::default()
        };
        workspace.whisper(&typed.user, &typed.channel, message, now_ms);
    }
}
