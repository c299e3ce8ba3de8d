//! `chat.*` and `reactions.add`.

use serde_json::{Value, json};

use super::draft::{Draft, EDIT_MAX};
use super::{Outcome, Refusal, Request};
use crate::slack::Workspace;
use crate::slack::model::{BOT_USER, DOMAIN};

/// The conversation that `channel` means: an id, a `#name`, or a person, which opens a direct message.
fn resolve(workspace: &mut Workspace, channel: &str) -> Result<String, Refusal> {
    if workspace.channel(channel).is_some() {
        return Ok(channel.to_owned());
    }
    if workspace.person(channel).is_some_and(|person| !person.deleted) {
        return Ok(workspace.open_direct_message(channel));
    }
    let name = channel.trim_start_matches('#');
    let named = workspace
        .channels
        .iter()
        .find(|channel| channel.im_with.is_none() && channel.name == name);
    named
        .map(|channel| channel.id.clone())
        .ok_or_else(|| "channel_not_found".into())
}

/// Whether the bot may write there.
fn writable(workspace: &Workspace, channel: &str) -> Result<(), Refusal> {
    let channel = workspace.channel(channel).ok_or("channel_not_found")?;
    if channel.is_archived {
        return Err("is_archived".into());
    }
    if !channel.has(BOT_USER) {
        return Err("not_in_channel".into());
    }
    Ok(())
}

/// The thread to reply in: its parent's timestamp, even when a reply was named.
fn thread(request: &Request<'_>, channel: &str) -> Result<Option<String>, Refusal> {
    let ts = request.args.text("thread_ts");
    if ts.is_empty() {
        return Ok(None);
    }
    let parent = request
        .workspace
        .message(channel, ts)
        .ok_or("cannot_reply_to_message")?;
    Ok(Some(parent.thread_ts.clone().unwrap_or_else(|| ts.to_owned())))
}

pub(super) fn post_message(request: &mut Request<'_>) -> Outcome {
    let channel = resolve(request.workspace, request.args.text("channel"))?;
    writable(request.workspace, &channel)?;
    let draft = Draft::read(request.args)?;
    let truncated = draft.truncated;
    let thread_ts = thread(request, &channel)?;
    let mut message = draft.into_message(thread_ts);
    message.broadcast = message.thread_ts.is_some() && request.args.flag("reply_broadcast");
    let ts = request
        .workspace
        .put(&channel, message, request.now_ms)
        .ok_or("channel_not_found")?;
    mark_parent(request.workspace, &channel, &ts);
    let stored = request
        .workspace
        .message(&channel, &ts)
        .map(|message| message.to_slack(true));
    let mut fields = json!({"channel": channel, "ts": ts, "message": stored});
    if truncated {
        fields["warning"] = json!("message_truncated");
        fields["response_metadata"] = json!({"warnings": ["message_truncated"]});
    }
    Ok(fields)
}

/// A message that gets its first reply becomes the parent of a thread.
pub(in crate::slack) fn mark_parent(workspace: &mut Workspace, channel: &str, reply: &str) {
    let parent = workspace
        .message(channel, reply)
        .and_then(|message| message.thread_ts.clone());
    if let Some(parent) = parent
        && let Some(message) = workspace
            .channel_mut(channel)
            .and_then(|channel| channel.messages.get_mut(&parent))
    {
        message.thread_ts = Some(parent);
    }
}

pub(super) fn post_ephemeral(request: &mut Request<'_>) -> Outcome {
    let channel = request.args.text("channel").to_owned();
    let user = request.args.text("user").to_owned();
    writable(request.workspace, &channel)?;
    if !request
        .workspace
        .channel(&channel)
        .is_some_and(|channel| channel.has(&user))
    {
        return Err("user_not_in_channel".into());
    }
    let draft = Draft::read(request.args)?;
    if draft.truncated {
        return Err("msg_too_long".into());
    }
    let thread_ts = thread(request, &channel)?;
    let ts = request
        .workspace
        .whisper(&user, &channel, draft.into_message(thread_ts), request.now_ms);
    Ok(json!({"message_ts": ts}))
}

pub(super) fn update(request: &mut Request<'_>) -> Outcome {
    let channel = request.args.text("channel").to_owned();
    let ts = request.args.text("ts").to_owned();
    if request.args.text("text").chars().count() > EDIT_MAX {
        return Err("msg_too_long".into());
    }
    let found = request.workspace.channel(&channel).ok_or("channel_not_found")?;
    if found.is_archived {
        return Err("is_archived".into());
    }
    let message = found
        .messages
        .get(&ts)
        .filter(|message| !message.tombstone)
        .ok_or("message_not_found")?;
    if !message.is_bots() {
        return Err("cant_update_message".into());
    }
    let draft = Draft::read(request.args)?;
    let stored = request
        .workspace
        .edit(&channel, &ts, draft, request.now_ms)
        .ok_or("message_not_found")?;
    Ok(json!({"channel": channel, "ts": ts, "text": stored["text"], "message": stored}))
}

pub(super) fn delete(request: &mut Request<'_>) -> Outcome {
    let (channel, ts) = (request.args.text("channel"), request.args.text("ts"));
    let found = request.workspace.channel(channel).ok_or("channel_not_found")?;
    let message = found
        .messages
        .get(ts)
        .filter(|message| !message.tombstone)
        .ok_or("message_not_found")?;
    if !message.is_bots() {
        return Err("cant_delete_message".into());
    }
    request.workspace.delete(channel, ts);
    Ok(json!({"channel": channel, "ts": ts}))
}

pub(super) fn permalink(request: &mut Request<'_>) -> Outcome {
    let (channel, ts) = (request.args.text("channel"), request.args.text("message_ts"));
    let found = request.workspace.channel(channel).ok_or("channel_not_found")?;
    let message = found.messages.get(ts).ok_or("message_not_found")?;
    let mut link = format!("https://{DOMAIN}.slack.com/archives/{channel}/p{}", ts.replace('.', ""));
    if let Some(parent) = message.thread_ts.as_ref().filter(|parent| *parent != ts) {
        link = format!("{link}?thread_ts={parent}&cid={channel}");
    }
    Ok(json!({"channel": channel, "permalink": link}))
}

pub(super) fn react(request: &mut Request<'_>) -> Outcome {
    let (channel, ts) = (request.args.text("channel"), request.args.text("timestamp"));
    let name = request.args.text("name").trim_matches(':').to_owned();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '+' | '\'' | ':');
    if name.is_empty() || !name.chars().all(fits) {
        return Err("invalid_name".into());
    }
    let found = request.workspace.channel_mut(channel).ok_or("channel_not_found")?;
    if found.is_archived {
        return Err("is_archived".into());
    }
    let message = found.messages.get_mut(ts).ok_or("message_not_found")?;
    let index = message.reactions.iter().position(|(given, _)| *given == name);
    match index.and_then(|index| message.reactions.get_mut(index)) {
        Some((_, users)) if users.iter().any(|user| user == BOT_USER) => return Err("already_reacted".into()),
        Some((_, users)) => users.push(BOT_USER.to_owned()),
        None => message.reactions.push((name, vec![BOT_USER.to_owned()])),
    }
    Ok(Value::Null)
}
