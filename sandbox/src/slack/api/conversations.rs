//! `conversations.*`.

use serde_json::{Value, json};

use super::args::cursor_after;
use super::{Outcome, Refusal, Request};
use crate::slack::model::{BOT_USER, Channel, Message, TEAM};

/// As `conversations.info` and `conversations.list` show it.
fn described(channel: &Channel, with_count: bool) -> Value {
    if let Some(user) = &channel.im_with {
        return json!({
            "id": channel.id, "is_im": true, "is_channel": false, "is_group": false, "is_mpim": false, "is_private": true,
            "user": user, "is_archived": false, "is_org_shared": false, "created": 1_735_689_600, "is_open": true,
            "context_team_id": TEAM,
        });
    }
    let shared_teams = if channel.is_ext_shared {
        json!([TEAM, "T0OTHER"])
    } else {
        json!([TEAM])
    };
    let mut value = json!({
        "id": channel.id, "name": channel.name, "name_normalized": channel.name, "is_channel": true, "is_group": false,
        "is_im": false, "is_mpim": false, "is_private": false, "created": 1_735_689_600, "is_archived": channel.is_archived,
        "is_general": channel.id == "C0GENERAL", "unlinked": 0, "is_shared": channel.is_ext_shared, "is_frozen": false,
        "is_org_shared": false, "is_pending_ext_shared": false, "pending_shared": [], "context_team_id": TEAM,
        "creator": "U0CARLA", "is_ext_shared": channel.is_ext_shared, "shared_team_ids": shared_teams,
        "pending_connected_team_ids": [], "is_member": channel.has(BOT_USER),
        "topic": {"value": channel.topic, "creator": "U0CARLA", "last_set": 1_735_689_600},
        "purpose": {"value": "", "creator": "", "last_set": 0}, "previous_names": channel.previous_names,
    });
    if with_count {
        value["num_members"] = json!(channel.members.len());
    }
    value
}

pub(super) fn info(request: &mut Request<'_>) -> Outcome {
    let channel = request
        .workspace
        .channel(request.args.text("channel"))
        .ok_or("channel_not_found")?;
    Ok(json!({"channel": described(channel, request.args.flag("include_num_members"))}))
}

pub(super) fn list(request: &mut Request<'_>) -> Outcome {
    let asked = request.args.text("types");
    let types: Vec<&str> = if asked.is_empty() {
        vec!["public_channel"]
    } else {
        asked.split(',').map(str::trim).collect()
    };
    if types
        .iter()
        .any(|kind| !matches!(*kind, "public_channel" | "private_channel" | "mpim" | "im"))
    {
        return Err("invalid_types".into());
    }
    let kind = |channel: &Channel| {
        if channel.im_with.is_some() {
            "im"
        } else {
            "public_channel"
        }
    };
    let hide_archived = request.args.flag("exclude_archived");
    let channels: Vec<Value> = request
        .workspace
        .channels
        .iter()
        .filter(|channel| types.contains(&kind(channel)) && !(hide_archived && channel.is_archived))
        .map(|channel| described(channel, true))
        .collect();
    page(request, &channels, "channels", (100, 1000))
}

pub(super) fn members(request: &mut Request<'_>) -> Outcome {
    let channel = request
        .workspace
        .channel(request.args.text("channel"))
        .ok_or("channel_not_found")?;
    let members: Vec<Value> = channel.members.iter().map(|member| json!(member)).collect();
    page(request, &members, "members", (100, 1000))
}

pub(super) fn join(request: &mut Request<'_>) -> Outcome {
    let channel = request
        .workspace
        .channel_mut(request.args.text("channel"))
        .ok_or("channel_not_found")?;
    if channel.im_with.is_some() {
        return Err("method_not_supported_for_channel_type".into());
    }
    if channel.is_archived {
        return Err("is_archived".into());
    }
    let already = channel.has(BOT_USER);
    if !already {
        channel.members.push(BOT_USER.to_owned());
    }
    let mut fields = json!({"channel": described(channel, false)});
    if already {
        fields["warning"] = json!("already_in_channel");
        fields["response_metadata"] = json!({"warnings": ["already_in_channel"]});
    }
    Ok(fields)
}

pub(super) fn open(request: &mut Request<'_>) -> Outcome {
    let by_id = request.args.text("channel");
    let users: Vec<&str> = request
        .args
        .text("users")
        .split(',')
        .map(str::trim)
        .filter(|user| !user.is_empty())
        .collect();
    let user = match (by_id, users.as_slice()) {
        ("", []) => return Err("users_list_not_supplied".into()),
        ("", [user]) => (*user).to_owned(),
        // A conversation of several is another kind of thing; nothing here needs one.
        ("", _) => return Err("too_many_users".into()),
        (id, _) => request
            .workspace
            .channel(id)
            .and_then(|im| im.im_with.clone())
            .ok_or("channel_not_found")?,
    };
    let person = request.workspace.person(&user).ok_or("user_not_found")?;
    if person.deleted {
        return Err("user_disabled".into());
    }
    let before = request.workspace.channels.len();
    let id = request.workspace.open_direct_message(&user);
    let mut fields = json!({"channel": {"id": id}});
    if request.workspace.channels.len() == before {
        fields["no_op"] = json!(true);
        fields["already_open"] = json!(true);
    }
    if request.args.flag("return_im")
        && let Some(channel) = request.workspace.channel(&id)
    {
        fields["channel"] = described(channel, false);
    }
    Ok(fields)
}

/// A conversation that the bot may read.
fn readable<'a>(request: &'a Request<'_>) -> Result<&'a Channel, Refusal> {
    let channel = request
        .workspace
        .channel(request.args.text("channel"))
        .ok_or("channel_not_found")?;
    if channel.has(BOT_USER) {
        Ok(channel)
    } else {
        Err("not_in_channel".into())
    }
}

/// Whether a timestamp lies between `oldest` and `latest`; as decimals they compare like strings of one length.
fn within(request: &Request<'_>) -> Result<impl Fn(&str) -> bool + use<>, Refusal> {
    let bound = |key: &str, code: &'static str| -> Result<Option<f64>, Refusal> {
        match request.args.text(key) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| code.into()),
        }
    };
    let oldest = bound("oldest", "invalid_ts_oldest")?.filter(|at| *at > 0.0);
    let latest = bound("latest", "invalid_ts_latest")?;
    let inclusive = request.args.flag("inclusive");
    Ok(move |ts: &str| {
        let at: f64 = ts.parse().unwrap_or_default();
        let above = oldest.is_none_or(|oldest| at > oldest || inclusive && at >= oldest);
        above && latest.is_none_or(|latest| at < latest || inclusive && at <= latest)
    })
}

/// A message as history shows it, with what its thread has come to.
fn listed(channel: &Channel, message: &Message, with_metadata: bool) -> Value {
    let mut value = message.to_slack(with_metadata);
    let replies: Vec<&Message> = channel.replies(&message.ts).collect();
    if let Some(last) = replies.last() {
        let mut users: Vec<&str> = replies.iter().map(|reply| reply.user.as_str()).collect();
        users.sort_unstable();
        users.dedup();
        value["thread_ts"] = json!(message.ts);
        value["reply_count"] = json!(replies.len());
        value["reply_users"] = json!(users);
        value["reply_users_count"] = json!(users.len());
        value["latest_reply"] = json!(last.ts);
    }
    value
}

pub(super) fn history(request: &mut Request<'_>) -> Outcome {
    let channel = readable(request)?;
    let within = within(request)?;
    let with_metadata = request.args.flag("include_all_metadata");
    let top_level =
        |message: &&Message| message.thread_ts.as_ref().is_none_or(|parent| *parent == message.ts) || message.broadcast;
    let newest_first = channel
        .messages
        .values()
        .rev()
        .filter(top_level)
        .filter(|message| within(&message.ts));
    let messages: Vec<Value> = newest_first
        .map(|message| listed(channel, message, with_metadata))
        .collect();
    let mut fields = page(request, &messages, "messages", (100, 999))?;
    fields["pin_count"] = json!(0);
    Ok(fields)
}

pub(super) fn replies(request: &mut Request<'_>) -> Outcome {
    let channel = readable(request)?;
    let named = channel
        .messages
        .get(request.args.text("ts"))
        .ok_or("thread_not_found")?;
    let parent = named.thread_ts.as_deref().unwrap_or(&named.ts);
    let within = within(request)?;
    let with_metadata = request.args.flag("include_all_metadata");
    // The parent comes first on every page's list, whatever the bounds are.
    let first = channel.messages.get(parent).into_iter();
    let rest = channel.replies(parent).filter(|reply| within(&reply.ts));
    let messages: Vec<Value> = first
        .chain(rest)
        .map(|message| listed(channel, message, with_metadata))
        .collect();
    page(request, &messages, "messages", (1000, 1000))
}

/// One page of a list, with the cursor of the next.
fn page(request: &Request<'_>, items: &[Value], key: &str, (default, max): (usize, usize)) -> Outcome {
    let start = request.args.cursor().ok_or("invalid_cursor")?;
    let end = (start + request.args.limit(default, max)).min(items.len());
    let more = end < items.len();
    let mut fields =
        json!({"response_metadata": {"next_cursor": if more { cursor_after(end) } else { String::new() }}});
    fields[key] = json!(items.get(start..end).unwrap_or_default());
    if key == "messages" {
        fields["has_more"] = json!(more);
    }
    Ok(fields)
}
