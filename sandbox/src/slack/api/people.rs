//! Who is who: `auth.test`, `team.info`, `bots.info`, `users.*`, `usergroups.*`.

use serde_json::{Value, json};

use super::args::cursor_after;
use super::{Outcome, Request};
use crate::slack::model::{APP, BOT, BOT_NAME, BOT_USER, DOMAIN, Person, TEAM};

pub(super) fn api_test(request: &mut Request<'_>) -> Outcome {
    match request.args.text("error") {
        "" => Ok(json!({"args": request.args.to_json()})),
        error => Err(error.into()),
    }
}

pub(super) fn auth_test(_: &mut Request<'_>) -> Outcome {
    Ok(json!({
        "url": format!("https://{DOMAIN}.slack.com/"), "team": "Acme", "user": BOT_NAME, "team_id": TEAM,
        "user_id": BOT_USER, "bot_id": BOT, "is_enterprise_install": false,
    }))
}

pub(super) fn team_info(request: &mut Request<'_>) -> Outcome {
    if !matches!(request.args.text("team"), "" | TEAM) {
        return Err("team_not_found".into());
    }
    let icon =
        json!({"image_default": true, "image_34": "https://a.slack-edge.com/80588/img/avatars-teams/ava_0015-34.png"});
    Ok(json!({"team": {"id": TEAM, "name": "Acme", "domain": DOMAIN, "email_domain": "example.org", "icon": icon}}))
}

pub(super) fn bots_info(request: &mut Request<'_>) -> Outcome {
    if request.args.text("bot") != BOT {
        return Err("bot_not_found".into());
    }
    Ok(json!({"bot": {
        "id": BOT, "deleted": false, "name": BOT_NAME, "updated": 1_735_689_600, "app_id": APP, "user_id": BOT_USER, "icons": {},
    }}))
}

/// As `users.info` shows a person: of a stranger there is no e-mail address, of somebody who left there is little.
fn described(person: &Person) -> Value {
    let mut profile = json!({
        "real_name": person.real_name, "real_name_normalized": person.real_name, "display_name": person.real_name,
        "display_name_normalized": person.real_name, "title": person.title, "status_text": "", "status_emoji": "",
        "team": person.team_id, "avatar_hash": "",
    });
    if !person.is_stranger {
        profile["email"] = json!(person.email);
    }
    let mut user = json!({
        "id": person.id, "team_id": person.team_id, "name": person.name, "deleted": person.deleted,
        "color": person.color.trim_start_matches('#'), "real_name": person.real_name, "profile": profile, "is_bot": false,
        "is_app_user": false, "updated": 1_735_689_600,
    });
    if person.deleted {
        return user;
    }
    let living = json!({
        "tz": person.tz, "tz_label": person.tz_label, "tz_offset": person.tz_offset, "is_admin": false, "is_owner": false,
        "is_primary_owner": false, "is_restricted": person.is_restricted, "is_ultra_restricted": false,
        "is_email_confirmed": true,
    });
    for (key, value) in living.as_object().into_iter().flatten() {
        user[key] = value.clone();
    }
    if person.is_stranger {
        user["is_stranger"] = json!(true);
    }
    user
}

fn bot_described() -> Value {
    json!({
        "id": BOT_USER, "team_id": TEAM, "name": BOT_NAME, "deleted": false, "color": "2c3e50", "real_name": BOT_NAME,
        "tz": "America/Los_Angeles", "tz_label": "Pacific Standard Time", "tz_offset": -28_800, "is_admin": false,
        "is_owner": false, "is_primary_owner": false, "is_restricted": false, "is_ultra_restricted": false, "is_bot": true,
        "is_app_user": false, "updated": 1_735_689_600,
        "profile": {"real_name": BOT_NAME, "display_name": "", "bot_id": BOT, "api_app_id": APP, "team": TEAM},
    })
}

pub(super) fn user_info(request: &mut Request<'_>) -> Outcome {
    let id = request.args.text("user");
    if id == BOT_USER {
        return Ok(json!({"user": bot_described()}));
    }
    let person = request.workspace.person(id).ok_or("user_not_found")?;
    Ok(json!({"user": described(person)}))
}

pub(super) fn users(request: &mut Request<'_>) -> Outcome {
    let mut everyone: Vec<Value> = request.workspace.people.iter().map(described).collect();
    everyone.push(bot_described());
    let start = request.args.cursor().ok_or("invalid_cursor")?;
    let end = (start + request.args.limit(everyone.len(), 1000)).min(everyone.len());
    let next = if end < everyone.len() {
        cursor_after(end)
    } else {
        String::new()
    };
    let members = everyone.get(start..end).unwrap_or_default();
    Ok(json!({"members": members, "cache_ts": request.now_ms / 1000, "response_metadata": {"next_cursor": next}}))
}

pub(super) fn by_email(request: &mut Request<'_>) -> Outcome {
    let email = request.args.text("email");
    let known = |person: &&Person| !person.deleted && !person.is_stranger && person.email.eq_ignore_ascii_case(email);
    let person = request.workspace.people.iter().find(known).ok_or("users_not_found")?;
    Ok(json!({"user": described(person)}))
}

pub(super) fn groups(request: &mut Request<'_>) -> Outcome {
    let (with_count, with_users) = (request.args.flag("include_count"), request.args.flag("include_users"));
    let groups = request.workspace.groups.iter().map(|group| {
        let mut value = json!({
            "id": group.id, "team_id": TEAM, "is_usergroup": true, "is_subteam": true, "name": group.name, "description": "",
            "handle": group.handle, "is_external": false, "date_create": 1_735_689_600, "date_update": 1_735_689_600,
            "date_delete": 0, "auto_type": null, "created_by": "U0CARLA", "updated_by": "U0CARLA", "deleted_by": null,
            "prefs": {"channels": [], "groups": []},
        });
        if with_count {
            value["user_count"] = json!(group.users.len());
        }
        if with_users {
            value["users"] = json!(group.users);
        }
        value
    });
    Ok(json!({"usergroups": groups.collect::<Vec<Value>>()}))
}

pub(super) fn group_users(request: &mut Request<'_>) -> Outcome {
    let id = request.args.text("usergroup");
    let group = request
        .workspace
        .groups
        .iter()
        .find(|group| group.id == id)
        .ok_or("no_such_subteam")?;
    Ok(json!({"users": group.users}))
}
