//! What the shell must load for a decision, and what it loaded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::Service;
use crate::desk::Desk;
use crate::ids::{ChannelId, DeliveryId, EnvironmentId, GroupId, RecordId, ServiceId, TeamId, UserId};
use crate::operation::Operation;
use crate::run::Run;
use crate::time::Timestamp;

/// Somebody speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// Who.
    pub user: UserId,
    /// Of which workspace or enterprise.
    pub team: TeamId,
    /// Where.
    pub channel: ChannelId,
    /// In which thread: the `ts` of its parent.
    pub thread: Option<String>,
    /// How.
    pub via: Via,
    /// The delivery: the same one again gets the same answer.
    pub delivery: DeliveryId,
}

impl Speaker {
    /// The operating-system user behind them, on the command line.
    #[must_use]
    pub fn os_user(&self) -> Option<&str> {
        match &self.via {
            Via::CommandLine { os_user, .. } => Some(os_user),
            _ => None,
        }
    }
}

/// How somebody speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A slash command.
    Command,
    /// A mention of the bot.
    Mention,
    /// A button.
    Button,
    /// A form.
    Form,
    /// The command line on the bot's machine, by this operating-system user; `confined` when config forbids it on production.
    CommandLine {
        /// The operating-system user: one voter, whatever Slack name they give.
        os_user: String,
        /// Whether production is out of reach from here.
        confined: bool,
    },
}

/// What has to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Needs {
    /// These runs by id.
    pub runs: BTreeSet<RecordId>,
    /// All open runs of these environments; with `every_open`, of all.
    pub open_in: BTreeSet<EnvironmentId>,
    /// What ended last in these environments, a release and a runbook's run; costs a second trip.
    pub newest_of: BTreeSet<EnvironmentId>,
    /// All open runs of the service.
    pub every_open: bool,
    /// The members of these groups; always with the standing of the speaker and of everyone who voted on a loaded run.
    pub groups: BTreeSet<GroupId>,
}

/// A person as Slack knows them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// By which name; foreign text.
    pub name: String,
    /// What they are here.
    pub standing: Standing,
}

/// What somebody is in this workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A full member.
    Member,
    /// A guest of one or several channels.
    Guest,
    /// Of another workspace.
    Stranger,
    /// A bot or an app.
    Bot,
    /// Deactivated.
    Deactivated,
    /// Slack could not be asked, or what it said is too old: denied.
    Unknown,
}

/// Everything a decision may look at.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Now, by the `Clock`.
    pub now: Timestamp,
    /// The service's configuration.
    pub service: &'a Service,
    /// Its standing state.
    pub desk: &'a Desk,
    /// The runs that were asked for; those that do not exist are missing.
    pub runs: &'a BTreeMap<RecordId, Run>,
    /// Of those, the runs of the team's own runbooks.
    pub operations: &'a BTreeMap<RecordId, Operation>,
    /// Which run holds which environment.
    pub claims: &'a BTreeMap<EnvironmentId, RecordId>,
    /// The people who matter.
    pub people: &'a BTreeMap<UserId, Person>,
    /// The members of the groups that were asked for; `None` when Slack could not be asked: nobody counts as a member.
    pub groups: &'a BTreeMap<GroupId, Option<BTreeSet<UserId>>>,
    /// All services, for verbs that span them.
    pub services: &'a BTreeMap<ServiceId, Service>,
}

impl Facts<'_> {
    /// What a person is; nobody knows those who were not looked up.
    #[must_use]
    pub fn standing(&self, user: &UserId) -> Standing {
        self.people
            .get(user)
            .map_or(Standing::Unknown, |person| person.standing.clone())
    }

    /// Whether somebody is a member of a group; `None` when it cannot be told.
    #[must_use]
    pub fn is_member(&self, user: &UserId, group: &GroupId) -> Option<bool> {
        self.groups.get(group)?.as_ref().map(|members| members.contains(user))
    }

    /// Whether somebody is among these people; `None` when it cannot be told.
    #[must_use]
    pub fn is_among(&self, user: &UserId, people: &crate::catalog::People) -> Option<bool> {
        if people.users.contains(user) {
            return Some(true);
        }
        let answers: Vec<_> = people.groups.iter().map(|group| self.is_member(user, group)).collect();
        if answers.contains(&Some(true)) {
            Some(true)
        } else if answers.contains(&None) {
            None
        } else {
            Some(false)
        }
    }
}
