//! What the bot reads of Slack's answers, and no more: everything that may be missing is so here.

use std::collections::{BTreeMap, BTreeSet};

use commands::ids::{TeamId, UserId};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::SlackError;

/// Whose token this is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Home {
    /// The workspace; `None` for a token of a whole enterprise.
    pub team: Option<TeamId>,
    /// The enterprise, on Grid.
    pub enterprise: Option<TeamId>,
    /// The bot's user.
    pub user: Option<UserId>,
    /// The bot's id, by which its messages are known.
    pub bot: Option<String>,
    /// The app, when Slack tells.
    pub app: Option<String>,
    /// The token's scopes.
    pub scopes: BTreeSet<String>,
}

#[derive(Deserialize)]
pub(super) struct AuthTest {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    user_id: Option<String>,
    bot_id: Option<String>,
    app_id: Option<String>,
}

impl AuthTest {
    pub(super) fn home(self, headers: &HeaderMap) -> Home {
        let team = |id: Option<String>| id.and_then(|id| TeamId::parse(&id).ok());
        let scopes = headers.get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
        Home {
            team: team(self.team_id).filter(|team| team.as_str().starts_with('T')),
            enterprise: team(self.enterprise_id),
            user: self.user_id.and_then(|id| UserId::parse(&id).ok()),
            bot: self.bot_id,
            app: self.app_id,
            scopes: scopes
                .unwrap_or_default()
                .split(',')
                .map(|scope| scope.trim().to_owned())
                .filter(|scope| !scope.is_empty())
                .collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct UserAnswer {
    user: RawUser,
}

#[derive(Deserialize)]
struct RawUser {
    id: String,
    team_id: Option<String>,
    name: Option<String>,
    real_name: Option<String>,
    profile: Option<Profile>,
    enterprise_user: Option<EnterpriseUser>,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    is_workflow_bot: bool,
    #[serde(default)]
    is_restricted: bool,
    #[serde(default)]
    is_ultra_restricted: bool,
    #[serde(default)]
    is_stranger: bool,
}

#[derive(Deserialize)]
struct Profile {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct EnterpriseUser {
    enterprise_id: Option<String>,
    #[serde(default)]
    teams: Vec<String>,
}

/// What Slack says of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// Who.
    pub id: UserId,
    /// By which name; foreign text, and not unique.
    pub name: String,
    /// Their own workspace.
    pub team: Option<TeamId>,
    /// Their enterprise, on Grid, and their workspaces in it.
    pub enterprise: Option<TeamId>,
    /// The workspaces of that enterprise they belong to.
    pub teams: BTreeSet<TeamId>,
    /// Deactivated.
    pub deleted: bool,
    /// A bot, an app or a workflow.
    pub bot: bool,
    /// A guest of one or several channels.
    pub guest: bool,
    /// Of another company.
    pub stranger: bool,
}

impl UserAnswer {
    pub(super) fn info(self) -> Result<UserInfo, SlackError> {
        let user = self.user;
        let team = |id: &String| TeamId::parse(id).ok();
        let shown = user.profile.and_then(|profile| profile.display_name);
        let grid = user.enterprise_user;
        Ok(UserInfo {
            id: UserId::parse(&user.id).map_err(|_| SlackError::Unknown("an id that is no user's".to_owned()))?,
            name: [shown, user.real_name, user.name]
                .into_iter()
                .flatten()
                .find(|name| !name.trim().is_empty())
                .unwrap_or(user.id),
            team: user.team_id.as_ref().and_then(team),
            enterprise: grid
                .as_ref()
                .and_then(|grid| grid.enterprise_id.as_ref())
                .and_then(team),
            teams: grid
                .iter()
                .flat_map(|grid| grid.teams.iter().filter_map(team))
                .collect(),
            deleted: user.deleted,
            bot: user.is_bot || user.is_workflow_bot,
            guest: user.is_restricted || user.is_ultra_restricted,
            stranger: user.is_stranger,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Members {
    users: Vec<String>,
}

impl Members {
    pub(super) fn users(&self) -> BTreeSet<UserId> {
        self.users.iter().filter_map(|id| UserId::parse(id).ok()).collect()
    }
}

#[derive(Deserialize)]
pub(super) struct ChannelAnswer {
    pub(super) channel: ChannelInfo,
}

/// What Slack says of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
pub struct ChannelInfo {
    /// Its name; foreign text.
    #[serde(default)]
    pub name: String,
    /// Whether people of other companies are in it, or are about to be.
    #[serde(default)]
    pub is_ext_shared: bool,
    /// Whether an invitation to share it is open.
    #[serde(default)]
    pub is_pending_ext_shared: bool,
    /// Whether it is archived.
    #[serde(default)]
    pub is_archived: bool,
    /// Whether the bot is in it.
    #[serde(default)]
    pub is_member: bool,
}

#[derive(Deserialize)]
pub(super) struct Opened {
    pub(super) channel: Id,
}

#[derive(Deserialize)]
pub(super) struct ViewAnswer {
    pub(super) view: Id,
}

#[derive(Deserialize)]
pub(super) struct Id {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct Posted {
    pub(super) ts: String,
}

#[derive(Deserialize)]
pub(super) struct History {
    #[serde(default)]
    messages: Vec<RawMessage>,
    response_metadata: Option<ResponseMetadata>,
}

#[derive(Deserialize)]
struct ResponseMetadata {
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct RawMessage {
    ts: String,
    thread_ts: Option<String>,
    user: Option<String>,
    bot_id: Option<String>,
    app_id: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    event_type: Option<String>,
    #[serde(default)]
    event_payload: BTreeMap<String, Value>,
}

/// A message of ours that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The message.
    pub ts: String,
    /// The thread it stands in.
    pub thread_ts: Option<String>,
}

impl History {
    /// Whoever posts can write our metadata: only messages of our own bot count.
    pub(super) fn marked<'a>(
        &'a self,
        event_type: &'a str,
        key: &'a str,
        marker: &'a str,
        home: &'a Home,
    ) -> impl Iterator<Item = Found> + 'a {
        let ours = |message: &RawMessage| {
            (message.bot_id.is_some() && message.bot_id == home.bot)
                || (message.user.is_some() && message.user.as_deref() == home.user.as_ref().map(UserId::as_str))
                || (message.app_id.is_some() && message.app_id == home.app)
        };
        self.messages
            .iter()
            .filter(move |message| ours(message))
            .filter(move |message| {
                message.metadata.as_ref().is_some_and(|metadata| {
                    metadata.event_type.as_deref() == Some(event_type)
                        && metadata.event_payload.get(key).and_then(Value::as_str) == Some(marker)
                })
            })
            .map(|message| Found {
                ts: message.ts.clone(),
                thread_ts: message.thread_ts.clone(),
            })
    }

    pub(super) fn next(&self) -> Option<String> {
        self.response_metadata.as_ref()?.next_cursor.clone()
    }
}
