//! What Slack tells without being asked: mentions, replies in threads, and changes of groups, people and channels.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use commands::ids::{ChannelId, DeliveryId, GroupId, TeamId, UserId};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::{Heard, Kind, Notice, Shared, Who, unescape};

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    challenge: Option<String>,
    api_app_id: Option<String>,
    enterprise_id: Option<String>,
    team_id: Option<String>,
    event_id: Option<String>,
    event: Option<Value>,
    #[serde(default)]
    authorizations: Vec<Authorization>,
}

#[derive(Deserialize)]
struct Authorization {
    user_id: Option<String>,
}

/// The parts of a message that matter; `app_mention` and `message` share them.
#[derive(Deserialize)]
struct Said {
    user: Option<String>,
    bot_id: Option<String>,
    subtype: Option<String>,
    text: Option<String>,
    ts: String,
    thread_ts: Option<String>,
    channel: String,
    user_team: Option<String>,
    source_team: Option<String>,
    team: Option<String>,
}

pub(super) async fn receive(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match (envelope.kind.as_str(), envelope.challenge.clone()) {
        ("url_verification", Some(challenge)) => return challenge.into_response(),
        ("event_callback", _) => {}
        _ => return StatusCode::OK.into_response(),
    }
    if let Some(notice) = notice(&envelope) {
        shared.http.bot.notice(notice).await;
    } else if let Some(heard) = read(envelope) {
        shared.http.bot.hear(heard).await;
    }
    StatusCode::OK.into_response()
}

fn notice(envelope: &Envelope) -> Option<Notice> {
    let event = envelope.event.as_ref()?;
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    match text("/type")? {
        "subteam_members_changed" => Some(Notice::GroupChanged(GroupId::parse(text("/subteam_id")?).ok()?)),
        "subteam_updated" => Some(Notice::GroupChanged(GroupId::parse(text("/subteam/id")?).ok()?)),
        "user_change" => Some(Notice::PersonChanged(UserId::parse(text("/user/id")?).ok()?)),
        "channel_rename" | "channel_archive" | "channel_unarchive" | "channel_shared" | "channel_unshared"
        | "channel_deleted" | "group_rename" | "group_archive" | "group_unarchive" => {
            let id = text("/channel/id").or_else(|| text("/channel"))?;
            Some(Notice::ChannelChanged(ChannelId::parse(id).ok()?))
        }
        _ => None,
    }
}

fn read(envelope: Envelope) -> Option<Heard> {
    let event = envelope.event?;
    let kind = event.get("type")?.as_str()?.to_owned();
    let said: Said = serde_json::from_value(event).ok()?;
    let spoken = matches!(said.subtype.as_deref(), None | Some("thread_broadcast" | "file_share"));
    if !spoken || said.bot_id.is_some() {
        return None;
    }
    let bot = envelope.authorizations.into_iter().find_map(|one| one.user_id);
    let text = said.text.unwrap_or_default();
    let kind = match kind.as_str() {
        "app_mention" => Kind::Mention {
            text: unescape(after_mention(&text, bot.as_deref()).trim()),
            ts: said.ts,
        },
        "message" => {
            let parent = said.thread_ts.clone().filter(|parent| *parent != said.ts)?;
            // A reply that mentions the bot comes again, as a mention.
            if bot.is_some_and(|bot| text.contains(&format!("<@{bot}"))) {
                return None;
            }
            Kind::ThreadReply {
                text: unescape(&text),
                ts: said.ts,
                parent,
            }
        }
        _ => return None,
    };
    let team = |id: Option<String>| id.and_then(|id| TeamId::parse(&id).ok());
    Some(Heard {
        who: Who {
            app: envelope.api_app_id,
            enterprise: team(envelope.enterprise_id),
            team: team(envelope.team_id),
            user: UserId::parse(&said.user?).ok()?,
            user_team: team(said.user_team.or(said.source_team).or(said.team)),
        },
        channel: ChannelId::parse(&said.channel).ok(),
        thread_ts: said.thread_ts,
        delivery: DeliveryId::parse(&format!("event/{}", envelope.event_id?)).ok()?,
        trigger_id: None,
        response_url: None,
        kind,
    })
}

/// What follows the mention of the bot; of anybody, when the delivery does not say who the bot is.
fn after_mention<'a>(text: &'a str, bot: Option<&str>) -> &'a str {
    let mention = format!("<@{}", bot.unwrap_or(""));
    text.find(&mention)
        .and_then(|start| Some(&text[start + text[start..].find('>')? + 1..]))
        .unwrap_or(text)
}
