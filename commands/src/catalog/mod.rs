//! What the configuration says, typed and resolved. The shell reads it from TOML; here it is a fact like any other.

mod freeze;
mod operating;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use freeze::{When, Window, WindowError, next_change};
pub use operating::{Functions, MaintenanceMode};
pub use pattern::Pattern;
pub(crate) use pattern::short_ref;

use crate::ids::{ChannelId, EnvironmentId, GroupId, ServiceId, TeamId, UserId};
use crate::runbook::Runbook;

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// The workspaces whose people may speak; empty accepts only the bot's own, which the shell learns from Slack.
    pub teams: BTreeSet<TeamId>,
    /// The services by name.
    pub services: BTreeMap<ServiceId, Service>,
    /// The short hash of the text all of this was read from: every journal row names it.
    pub digest: String,
}

/// A deployable product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub id: ServiceId,
    /// Its home channel: cards go there, and decisions are taken there only.
    pub channel: ChannelId,
    /// `owner/repository` on GitHub; without it the pipeline's own words are all there is.
    pub github: Option<String>,
    /// Which Slack user a commit author's e-mail belongs to, where Slack's own e-mail does not tell.
    pub authors: BTreeMap<String, UserId>,
    /// Whether commits of people unknown to Slack may ship to production.
    pub unknown_author: UnknownAuthor,
    /// The zone in which freezes are true.
    pub timezone: Tz,
    /// In file order: the first whose pattern fits a ref takes it.
    pub environments: Vec<Environment>,
    /// Recurring and dated freezes.
    pub freezes: Vec<Window>,
    /// Paths that hold migrations, for the check `migrations-touched`.
    pub migrations: Vec<Pattern>,
    /// The team's own runbooks, in file order.
    pub runbooks: Vec<Runbook>,
    /// The servers that steps may speak to, beside AWS's own: `https://health.example.org`.
    pub hosts: BTreeSet<String>,
}

/// What to do with a commit whose author is not known in Slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAuthor {
    /// Self-approval cannot be ruled out: refuse on production.
    #[default]
    Refuse,
    /// Say so on the card and go on.
    Allow,
}

/// How much is at stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Anything else.
    #[default]
    Standard,
    /// Customers notice: confirm dialogs, unknown evidence blocks.
    Production,
}

/// Where a service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub id: EnvironmentId,
    /// How much is at stake.
    pub tier: Tier,
    /// Which refs go there (`master`, `v*`), and which of those do not (`!v*-rc*`); empty: all that come through its pipeline.
    pub refs: Vec<Pattern>,
    /// The environment in which the same revision must have succeeded first.
    pub promotes_from: Option<EnvironmentId>,
    /// The gate that is watched.
    pub pipeline: Pipeline,
    /// Who approves, and how many of them it takes.
    pub approvers: Approvers,
    /// Who operates (lock, freeze, retry, stop); `None`: the approvers.
    pub operators: Option<People>,
    /// Who may break the glass.
    pub overriders: People,
    /// In which account, and as whom.
    pub aws: AwsTarget,
    /// The checks whose verdicts the gate `checks` wants.
    pub checks: Vec<CheckName>,
    /// The alarms that `alarms-quiet` reads: names or prefixes ending in `*`; empty: all the role can see.
    pub alarms: Vec<String>,
    /// Its functions, where their log levels are steered from here.
    pub functions: Option<Functions>,
    /// How it goes into maintenance mode, where that is steered from here.
    pub maintenance: Option<MaintenanceMode>,
}

/// A manual approval action in a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pipeline {
    /// The pipeline.
    pub name: String,
    /// The stage.
    pub stage: String,
    /// The action.
    pub action: String,
}

/// An AWS account as seen by one role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub struct AwsTarget {
    /// The region.
    pub region: String,
    /// The role to assume; `None` uses the bot's own credentials.
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
}

impl AwsTarget {
    /// The number of the account that the role belongs to. Nothing without a role: which account the bot's own credentials are of, nothing here tells.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.role_arn
            .as_ref()?
            .split(':')
            .nth(4)
            .filter(|number| !number.is_empty())
    }
}

/// Where a pipeline is: its name says which it is only together with the account and the region. One watch looks at each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Site {
    /// The pipeline.
    pub pipeline: String,
    /// The region; empty in records of versions that watched by name alone.
    #[serde(default)]
    pub region: String,
    /// The account's number; `None`: that of the bot's own credentials.
    #[serde(default)]
    pub account: Option<String>,
}

impl Site {
    /// Where the pipeline of this name is that is seen through this target.
    #[must_use]
    pub fn of(pipeline: &str, aws: &AwsTarget) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            region: aws.region.clone(),
            account: aws.account().map(str::to_owned),
        }
    }

    /// Whether a hint can mean this pipeline: what it does not tell fits everything.
    #[must_use]
    pub fn fits(&self, pipeline: &str, region: Option<&str>, account: Option<&str>) -> bool {
        let own = self.account.as_deref();
        self.pipeline == pipeline
            && region.is_none_or(|region| region == self.region)
            && (own.is_none() || account.is_none() || own == account)
    }
}

/// A set of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct People {
    /// Members of these groups.
    #[serde(default)]
    pub groups: BTreeSet<GroupId>,
    /// And these.
    #[serde(default)]
    pub users: BTreeSet<UserId>,
}

impl People {
    /// Whether nobody is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.users.is_empty()
    }
}

/// Who approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvers {
    /// Who may.
    pub people: People,
    /// How many different people it takes; at least 1.
    pub required: usize,
    /// One member of each of these groups must be among them; different people for different groups.
    pub all_of: Vec<GroupId>,
    /// Whether an author of what ships, or the starter of the run, may approve it.
    pub self_approval: bool,
}

/// The name of a check; a member of the table of checks, which the shell keeps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckName(pub String);

impl Service {
    /// An environment by name.
    #[must_use]
    pub fn environment(&self, id: &EnvironmentId) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.id == *id)
    }

    /// A runbook by name.
    #[must_use]
    pub fn runbook(&self, name: &str) -> Option<&Runbook> {
        self.runbooks.iter().find(|runbook| runbook.name.as_str() == name)
    }

    /// The environments behind a gate of the pipeline at this site, in file order.
    #[must_use]
    pub fn environments_behind(&self, site: &Site, gate: &Pipeline) -> Vec<&Environment> {
        let here = |environment: &&Environment| environment.pipeline == *gate && environment.site() == *site;
        self.environments.iter().filter(here).collect()
    }

    /// The environments that a ref coming through this gate goes to, in file order. The gate must be theirs; no ref (it could not be
    /// found out) fits only environments that name no pattern, or the only one the gate has.
    #[must_use]
    pub fn environments_for(&self, site: &Site, gate: &Pipeline, git_ref: Option<&str>) -> Vec<&Environment> {
        let here = self.environments_behind(site, gate);
        if let ([only], None) = (here.as_slice(), git_ref) {
            return vec![only];
        }
        here.into_iter()
            .filter(|environment| {
                environment.refs.is_empty() || git_ref.is_some_and(|git_ref| environment.takes(git_ref))
            })
            .collect()
    }

    /// The pipelines to watch, each with the target through which it is read: the first environment's that uses it.
    #[must_use]
    pub fn pipelines(&self) -> BTreeMap<Site, &AwsTarget> {
        let mut found = BTreeMap::new();
        // An environment that only runbooks work on has none.
        let watched = self.environments.iter().filter(|one| !one.pipeline.name.is_empty());
        for environment in watched {
            found.entry(environment.site()).or_insert(&environment.aws);
        }
        found
    }
}

impl Environment {
    /// Whether a ref fits one of the patterns, and none of those that leave some out.
    #[must_use]
    pub fn takes(&self, git_ref: &str) -> bool {
        let mut fits = false;
        for pattern in &self.refs {
            match pattern.leaves_out() {
                Some(but) if but.fits_ref(git_ref) => return false,
                Some(_) => {}
                None => fits |= pattern.fits_ref(git_ref),
            }
        }
        fits
    }

    /// Where its pipeline is.
    #[must_use]
    pub fn site(&self) -> Site {
        Site::of(&self.pipeline.name, &self.aws)
    }

    /// Who operates.
    #[must_use]
    pub fn operators(&self) -> &People {
        self.operators.as_ref().unwrap_or(&self.approvers.people)
    }

    /// Every group whose members matter here: the shell looks them up.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<GroupId> {
        let sets = [
            Some(&self.approvers.people),
            self.operators.as_ref(),
            Some(&self.overriders),
        ];
        let mut groups: BTreeSet<_> = sets
            .into_iter()
            .flatten()
            .flat_map(|people| people.groups.iter().cloned())
            .collect();
        groups.extend(self.approvers.all_of.iter().cloned());
        groups
    }
}

impl Catalog {
    /// Every server that steps may speak to.
    pub fn hosts(&self) -> impl Iterator<Item = &String> {
        self.services.values().flat_map(|service| &service.hosts)
    }

    /// The services whose home is this channel.
    #[must_use]
    pub fn at_home_in(&self, channel: &ChannelId) -> Vec<&Service> {
        self.services
            .values()
            .filter(|service| service.channel == *channel)
            .collect()
    }
}
