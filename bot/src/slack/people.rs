//! Who somebody is, by Slack's own word, remembered for a minute.
//!
//! A name in a delivery is a claim about an id; what the id may do is asked of Slack: whether they still belong here, whether they are a guest, which
//! groups they are in. While Slack fails, what it said up to 15 minutes ago is good enough; after that nobody is anybody, and is refused.

mod cache;

use std::collections::BTreeSet;
use std::sync::Arc;

use commands::facts::{Person, Standing};
use commands::ids::{ChannelId, GroupId, TeamId, UserId};
use commands::time::Span;
use tokio::sync::OnceCell;

use self::cache::{Cache, Fresh};
use super::client::{ChannelInfo, Home, Slack, SlackError, UserInfo};
use crate::clock::Clock;
use crate::http::Who;

/// Rights: a leaver loses theirs within this time.
const RIGHTS: Fresh = Fresh {
    good_for: Span::seconds(60),
    usable_for: Span::minutes(15),
};
/// Whose e-mail it is changes rarely, and gives no rights.
const EMAILS: Fresh = Fresh {
    good_for: Span::minutes(10),
    usable_for: Span::hours(6),
};

/// Answers who somebody is.
pub struct People {
    slack: Arc<Slack>,
    clock: Arc<dyn Clock>,
    teams: BTreeSet<TeamId>,
    home: OnceCell<Home>,
    users: Cache<UserId, Option<UserInfo>>,
    groups: Cache<GroupId, BTreeSet<UserId>>,
    channels: Cache<ChannelId, ChannelInfo>,
    emails: Cache<String, Option<UserId>>,
}

impl People {
    /// Asks this Slack. `teams` are the workspaces whose people may speak; empty: the token's own.
    #[must_use]
    pub fn new(slack: Arc<Slack>, clock: Arc<dyn Clock>, teams: BTreeSet<TeamId>) -> Self {
        Self {
            slack,
            clock,
            teams,
            home: OnceCell::new(),
            users: Cache::new(RIGHTS),
            groups: Cache::new(RIGHTS),
            channels: Cache::new(RIGHTS),
            emails: Cache::new(EMAILS),
        }
    }

    /// Whose token the bot has; asked once.
    ///
    /// # Errors
    /// See [`SlackError`]; it is asked again the next time.
    pub async fn home(&self) -> Result<&Home, SlackError> {
        self.home.get_or_try_init(|| self.slack.whoami()).await
    }

    /// The workspace (or enterprise) that a delivery belongs to, if it is ours: app, enterprise, workspace and the user's own workspace all have to fit.
    ///
    /// # Errors
    /// With [`Standing::Stranger`] when one does not fit, [`Standing::Unknown`] when Slack does not say who we are.
    pub async fn belongs(&self, who: &Who) -> Result<TeamId, Standing> {
        let home = self.home().await.map_err(|_| Standing::Unknown)?;
        if let (Some(ours), Some(theirs)) = (&home.app, &who.app)
            && ours != theirs
        {
            return Err(Standing::Stranger);
        }
        let grid = home.enterprise.is_some() && home.enterprise == who.enterprise;
        let team = match &who.team {
            Some(team) if self.is_ours(team, home) => team.clone(),
            // An installation for a whole enterprise: the workspace is left out, or is any of the enterprise's.
            Some(team) if grid && home.team.is_none() && self.teams.is_empty() => team.clone(),
            None if grid => home.enterprise.clone().ok_or(Standing::Stranger)?,
            _ => return Err(Standing::Stranger),
        };
        match &who.user_team {
            Some(theirs) if !self.is_ours(theirs, home) && !grid => Err(Standing::Stranger),
            _ => Ok(team),
        }
    }

    /// A person, with what they are now.
    pub async fn person(&self, id: &UserId) -> Person {
        let unknown = |standing| Person {
            id: id.clone(),
            name: id.to_string(),
            standing,
        };
        // Users of the machine are no users of Slack's.
        let (Ok(home), false) = (self.home().await, id.as_str().contains(':')) else {
            return unknown(Standing::Unknown);
        };
        let found = self.users.get(id, &*self.clock, || async {
            match self.slack.user(id).await {
                Ok(user) => Ok(Some(user)),
                Err(SlackError::Refused { code }) if code == "user_not_found" || code == "user_not_visible" => Ok(None),
                Err(error) => Err(error),
            }
        });
        match found.await {
            Some(Some(user)) => Person {
                id: id.clone(),
                standing: self.standing(&user, home),
                name: user.name,
            },
            Some(None) => unknown(Standing::Stranger),
            None => unknown(Standing::Unknown),
        }
    }

    /// The members of a group; `None` when Slack cannot be asked and what is remembered is too old.
    pub async fn members(&self, group: &GroupId) -> Option<BTreeSet<UserId>> {
        self.groups
            .get(group, &*self.clock, || self.slack.group_members(group))
            .await
    }

    /// Whether people of other companies are in a channel; `None` when it cannot be told.
    pub async fn is_shared(&self, channel: &ChannelId) -> Option<bool> {
        self.channels
            .get(channel, &*self.clock, || self.slack.channel(channel))
            .await
            .map(|info| info.is_ext_shared || info.is_pending_ext_shared)
    }

    /// The person with this e-mail.
    ///
    /// # Errors
    /// When Slack cannot be asked: that is not the same as nobody.
    pub async fn by_email(&self, email: &str) -> Result<Option<UserId>, SlackError> {
        let key = email.trim().to_lowercase();
        if key.len() > 254 || !key.contains('@') {
            return Ok(None);
        }
        self.emails
            .get(&key, &*self.clock, || self.slack.user_by_email(&key))
            .await
            .ok_or_else(|| SlackError::NotSent("Slack cannot be asked for an e-mail now".to_owned()))
    }

    /// Forgets who is in a group.
    pub fn forget_group(&self, group: &GroupId) {
        self.groups.forget(group);
    }

    /// Forgets what a person is.
    pub fn forget_person(&self, user: &UserId) {
        self.users.forget(user);
    }

    /// Forgets what a channel is.
    pub fn forget_channel(&self, channel: &ChannelId) {
        self.channels.forget(channel);
    }

    fn is_ours(&self, team: &TeamId, home: &Home) -> bool {
        if self.teams.is_empty() {
            home.team.as_ref() == Some(team)
        } else {
            self.teams.contains(team)
        }
    }

    fn standing(&self, user: &UserInfo, home: &Home) -> Standing {
        let ours = user.team.iter().chain(&user.teams).any(|team| self.is_ours(team, home))
            || (user.enterprise.is_some() && user.enterprise == home.enterprise);
        if user.deleted {
            Standing::Deactivated
        } else if user.stranger || !ours {
            Standing::Stranger
        } else if user.bot {
            Standing::Bot
        } else if user.guest {
            Standing::Guest
        } else {
            Standing::Member
        }
    }
}

#[cfg(test)]
mod tests;
