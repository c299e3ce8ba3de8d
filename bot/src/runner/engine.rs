//! What all parts of the runner share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use commands::catalog::{Catalog, Service};
use commands::desk::Desk;
use commands::facts::{Facts, Person, Standing};
use commands::ids::{GroupId, ServiceId, UserId};
use commands::operation::{Operation, Phase};
use commands::run::{Run, Status};
use commands::runbook::Step;
use commands::step::Action;
use commands::time::{Span, Timestamp};
use commands::watch::{BUSY_PERIOD, IDLE_PERIOD, PER_ACCOUNT, Pace};
use futures::future::join_all;
use state::Store;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::commit::Clerk;
use super::drawings::Drawings;
use super::looks::Looks;
use super::queues::Queues;
use super::snapshot::{Cache, Snapshot};
use crate::aws::Clients;
use crate::aws::cloudwatch::CloudWatch;
use crate::aws::codepipeline::CodePipeline;
use crate::clock::Clock;
use crate::door::Outgoing;
use crate::github::GitHub;
use crate::ids::Ids;
use crate::programs::Programs;
use crate::secret::Secrets;
use crate::slack::{People, Slack};

/// Where the lines of seals go. They are evidence, not logs: whatever is logged, they are written.
pub type SealSink = Arc<dyn Fn(&str) + Send + Sync>;

/// The bot's working parts, as arguments: with others the whole bot runs in a test or in the demo.
pub struct Engine {
    /// The configuration.
    pub catalog: Arc<Catalog>,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// By which people live.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn Ids>,
    /// Who writes decisions down.
    pub clerk: Clerk,
    /// The way out, for steps that speak to servers of the team's own.
    pub door: Arc<dyn Outgoing>,
    /// The secrets that steps show to those servers.
    pub secrets: Secrets,
    /// The programs that steps run beside the bot.
    pub programs: Programs,
    /// Slack's Web API.
    pub slack: Arc<Slack>,
    /// Who is who.
    pub people: Arc<People>,
    /// AWS, for steps.
    pub aws: Arc<Clients>,
    /// CodePipeline.
    pub pipelines: CodePipeline,
    /// CloudWatch.
    pub alarms: CloudWatch,
    /// Whether the last read of AWS was answered: 0 none was made, 1 yes, 2 no.
    pub aws_health: AtomicU8,
    /// GitHub.
    pub github: Arc<GitHub>,
    /// The folds that were seen last.
    pub cache: Cache,
    /// What each card shows.
    pub drawings: Drawings,
    /// Looks that are made together.
    pub looks: Looks,
    /// One at a time per record.
    pub queues: Queues,
    /// Wakes the worker of a service.
    pub pokes: HashMap<ServiceId, Notify>,
    /// Where seals go; nowhere in a simulation.
    pub seals: Option<SealSink>,
    /// Every task of the bot; a shutdown waits for them.
    pub tasks: TaskTracker,
    /// Ends every task.
    pub stop: CancellationToken,
}

/// People and groups as they were looked up for one decision.
#[derive(Debug, Default)]
pub struct Crowd {
    people: BTreeMap<UserId, Person>,
    groups: BTreeMap<GroupId, Option<BTreeSet<UserId>>>,
}

impl Crowd {
    /// Says what a person is, whatever Slack said: for somebody whom the delivery itself gives away.
    pub fn stands(&mut self, user: &UserId, standing: &Standing) {
        let person = Person {
            id: user.clone(),
            name: user.to_string(),
            standing: standing.clone(),
        };
        self.people.insert(user.clone(), person);
    }
}

impl Engine {
    /// Looks up people and groups, all at once.
    pub async fn crowd(&self, users: BTreeSet<UserId>, groups: &BTreeSet<GroupId>) -> Crowd {
        let people = join_all(users.iter().map(|user| self.people.person(user)));
        let members = join_all(groups.iter().map(|group| self.people.members(group)));
        let (people, members) = futures::join!(people, members);
        Crowd {
            people: people.into_iter().map(|person| (person.id.clone(), person)).collect(),
            groups: groups.iter().cloned().zip(members).collect(),
        }
    }

    /// The facts of a decision.
    #[must_use]
    pub fn facts<'a>(
        &'a self,
        service: &'a Service,
        snapshot: &'a Snapshot,
        crowd: &'a Crowd,
        now: Timestamp,
    ) -> Facts<'a> {
        Facts {
            now,
            service,
            desk: &snapshot.desk,
            runs: &snapshot.runs,
            operations: &snapshot.operations,
            claims: &snapshot.claims,
            people: &crowd.people,
            groups: &crowd.groups,
            services: &self.catalog.services,
        }
    }

    /// Remembers whether AWS answered, for the readiness report.
    pub fn aws_answered(&self, answered: bool) {
        self.aws_health.store(if answered { 1 } else { 2 }, Ordering::Relaxed);
    }

    /// Wakes the worker of a service.
    pub fn poke(&self, slot: &ServiceId) {
        if let Some(poke) = self.pokes.get(slot) {
            poke.notify_one();
        }
    }

    /// How often a pipeline of a service is read: stretched so that all pipelines of one account together are read at most once a second.
    #[must_use]
    pub fn pace(&self, service: &Service) -> Pace {
        let account = |service: &Service| service.environments.first().map(|environment| environment.aws.clone());
        let mine = account(service);
        let pipelines: usize = self
            .catalog
            .services
            .values()
            .filter(|other| account(other) == mine)
            .map(|other| other.pipelines().len())
            .sum();
        let least = Span(PER_ACCOUNT.0.saturating_mul(i64::try_from(pipelines).unwrap_or(1)));
        Pace {
            idle: IDLE_PERIOD.max(least),
            busy: BUSY_PERIOD.max(least),
        }
    }
}

/// Everybody whose rights matter to decisions on these runs: who has voted and not been answered.
#[must_use]
pub fn voters<'a>(runs: impl Iterator<Item = &'a Run>) -> BTreeSet<UserId> {
    let undecided = runs.filter(|run| matches!(run.status, Status::Waiting | Status::Answering));
    undecided
        .flat_map(|run| run.votes.iter().map(|vote| vote.user.clone()))
        .collect()
}

/// Everybody who has said yes to a question that is still open, and whose yes follows when an operation has gone well: their rights are judged again.
/// And whoever turns maintenance mode in one, for what is red because of it says whose it is.
#[must_use]
pub fn asked<'a>(operations: impl Iterator<Item = &'a Operation>) -> BTreeSet<UserId> {
    let of_one = |operation: &'a Operation| {
        let asking = operation.steps.iter().filter(|step| step.phase == Phase::Asking);
        let turns = |step: &Step| matches!(step.action, Action::Maintenance(_));
        let told = operation.then().is_some() || operation.pinned.steps.iter().any(turns);
        let starter = told.then_some(&operation.pinned.starter);
        asking.flat_map(|step| &step.yes).chain(starter)
    };
    operations.flat_map(of_one).cloned().collect()
}

/// Everybody who left something standing that messages tell of by name.
#[must_use]
pub fn owners(desk: &Desk) -> BTreeSet<UserId> {
    let levels = desk.levels.values().flat_map(|levels| levels.values());
    let maintenance = desk.maintenance.values().map(|standing| standing.by.clone());
    levels.map(|level| level.by.clone()).chain(maintenance).collect()
}
