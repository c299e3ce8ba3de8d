//! The account: its pipelines, and the deeds that the API, the console and the controls share.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::cloudwatch::Alarms;
use super::engine::Start;
use super::error::AwsError;
use super::pipeline::{ActionRef, ActionStatus, Pipeline, Revision, Source, Trigger};
use super::place::Place;
use super::region::Region;
use super::s3::Bucket;
use super::sites::Sites;
use super::sts::Sessions;
use crate::clock::Clock;

/// A decision that was accepted through `PutApprovalResult`: what the outside world saw of the bot's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalResult {
    /// The pipeline.
    pub pipeline: String,
    /// The execution that waited.
    pub execution: String,
    /// The stage of the approval.
    pub stage: String,
    /// The approval action.
    pub action: String,
    /// `Approved` or `Rejected`.
    pub status: String,
    /// What the caller gave as the reason.
    pub summary: String,
    /// The caller's ARN.
    pub caller: String,
    /// Sandbox time, Unix milliseconds.
    pub at_ms: i64,
}

/// A decision on an open approval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision<'a> {
    pub(crate) approved: bool,
    pub(crate) summary: &'a str,
    pub(crate) by: &'a str,
}

/// Something that happens by itself.
enum Due {
    /// An action of a pipeline ends.
    Action(String, ActionRef),
    /// Something of a region.
    Region(Place),
}

/// What the sandbox has of AWS: pipelines, alarms and buckets that every account sees, and the resources of each account and region.
#[derive(Debug)]
pub struct Account {
    pub(crate) pipelines: BTreeMap<String, Pipeline>,
    pub(crate) alarms: Alarms,
    pub(crate) bucket: Bucket,
    pub(crate) sites: Sites,
    pub(crate) sessions: Sessions,
    pub(crate) regions: BTreeMap<Place, Region>,
    /// The newest commit of each connection's repository and branch.
    pub(crate) heads: BTreeMap<(String, String), Revision>,
    /// What `StartPipelineExecution` answered for a `clientRequestToken`.
    pub(crate) started: HashMap<(String, String), String>,
    /// How many more copies of each event are sent: at-least-once is the bus's promise.
    pub(crate) event_copies: u32,
    pub(crate) results: Vec<ApprovalResult>,
    /// How far the pipelines have moved, Unix milliseconds.
    pub(crate) now_ms: i64,
    /// Counts changes, so that a listener knows whether to look again.
    pub(crate) changes: u64,
}

impl Account {
    /// The demo's account: see [`super::seed`].
    #[must_use]
    pub fn seed(clock: &Clock) -> Self {
        super::seed::account(clock.now_ms())
    }

    /// An account with the bucket, the event queue and the roles, but without pipelines and alarms.
    #[must_use]
    pub fn empty(now_ms: i64) -> Self {
        let home = Place::home();
        let mut region = Region::new(home.clone(), now_ms);
        region.queues.create(super::events::EVENT_QUEUE, now_ms);
        Self {
            pipelines: BTreeMap::new(),
            alarms: Alarms::default(),
            regions: BTreeMap::from([(home, region)]),
            bucket: Bucket::default(),
            sites: Sites::default(),
            sessions: Sessions::default(),
            heads: BTreeMap::new(),
            started: HashMap::new(),
            event_copies: 0,
            results: Vec::new(),
            now_ms,
            changes: 0,
        }
    }

    /// Adds a pipeline, or replaces the one of the same name.
    pub fn add_pipeline(&mut self, pipeline: Pipeline) {
        self.pipelines.insert(pipeline.name.clone(), pipeline);
        self.changes += 1;
    }

    /// Moves everything to `now_ms` (Unix milliseconds): what is due happens in the order of its times, each at its own. Returns whether
    /// anything changed. A time before the last one changes nothing: what has happened stays.
    pub fn advance(&mut self, now_ms: i64) -> bool {
        let before = self.changes;
        self.carry_out_deeds();
        while let Some((due_ms, due)) = self.next_due().filter(|(due_ms, _)| *due_ms <= now_ms) {
            // After a jump or a hold, nothing is stamped before what was already seen.
            let at_ms = due_ms.max(self.now_ms);
            self.now_ms = at_ms;
            match due {
                Due::Action(name, at) => {
                    if let Some(pipeline) = self.pipelines.get_mut(&name) {
                        pipeline.end_due(at, at_ms);
                    }
                }
                Due::Region(place) => {
                    self.region(&place).settle(at_ms);
                    self.changes += 1;
                }
            }
            self.deliver_events();
            self.carry_out_deeds();
        }
        self.now_ms = self.now_ms.max(now_ms);
        self.deliver_events();
        self.changes != before
    }

    /// What happens by itself next, and when.
    fn next_due(&self) -> Option<(i64, Due)> {
        let actions = self.pipelines.values().filter_map(|pipeline| {
            let (due_ms, at) = pipeline.next_due()?;
            Some((due_ms, Due::Action(pipeline.name.clone(), at)))
        });
        let regions = self
            .regions
            .values()
            .filter_map(|region| Some((region.next_due()?, Due::Region(region.place.clone()))));
        actions.chain(regions).min_by_key(|(due_ms, _)| *due_ms)
    }

    /// What an account has in a region, at the account's present.
    pub(crate) fn region(&mut self, place: &Place) -> &mut Region {
        let now_ms = self.now_ms;
        let region = self
            .regions
            .entry(place.clone())
            .or_insert_with(|| Region::new(place.clone(), now_ms));
        region.now_ms = now_ms;
        region
    }

    /// Puts what the pipelines said on the queue.
    pub(crate) fn deliver_events(&mut self) {
        let (now_ms, copies) = (self.now_ms, self.event_copies);
        let outboxes = self
            .pipelines
            .values_mut()
            .flat_map(|pipeline| pipeline.outbox.drain(..));
        let events: Vec<String> = outboxes.map(|event| event.to_string()).collect();
        if events.is_empty() {
            return;
        }
        let queues = &mut self.region(&Place::home()).queues;
        for event in &events {
            for _ in 0..=copies {
                queues.publish(super::events::EVENT_QUEUE, event, now_ms);
            }
        }
        self.changes += 1;
    }

    /// A pipeline.
    ///
    /// # Errors
    /// `PipelineNotFoundException`.
    pub fn pipeline(&self, name: &str) -> Result<&Pipeline, AwsError> {
        self.pipelines.get(name).ok_or_else(|| no_pipeline(name))
    }

    pub(crate) fn pipeline_mut(&mut self, name: &str) -> Result<&mut Pipeline, AwsError> {
        self.pipelines.get_mut(name).ok_or_else(|| no_pipeline(name))
    }

    /// What a pipeline's source would fetch now.
    pub(crate) fn newest_revision(&self, pipeline: &Pipeline) -> Option<Revision> {
        match &pipeline.source {
            Source::S3 { bucket, key } => self.bucket.newest(bucket, key).map(super::s3::Version::revision),
            Source::Connection { repository, branch } => self.heads.get(&(repository.clone(), branch.clone())).cloned(),
        }
    }

    /// Starts an execution of what the source has now and returns its id.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, or the limit of open executions.
    pub fn start_execution(&mut self, name: &str, trigger: Trigger) -> Result<String, AwsError> {
        let revision = self.newest_revision(self.pipeline(name)?);
        let now_ms = self.now_ms;
        let pipeline = self.pipeline_mut(name)?;
        let index = pipeline.start(Start { trigger, revision }, now_ms)?;
        let id = pipeline.executions[index].id.clone();
        self.deliver_events();
        Ok(id)
    }

    /// Answers an open approval.
    pub(crate) fn answer(&mut self, name: &str, at: ActionRef, decision: Decision<'_>) -> Result<(), AwsError> {
        let now_ms = self.now_ms;
        let pipeline = self.pipeline_mut(name)?;
        let run = &mut pipeline.executions[at.execution].actions[at.run];
        run.summary = Some(decision.summary.to_owned()).filter(|summary| !summary.is_empty());
        run.updated_by = Some(decision.by.to_owned());
        run.answered = true;
        if decision.approved {
            pipeline.succeed(at, now_ms);
        } else {
            pipeline.fail_without_details(at, now_ms);
        }
        self.deliver_events();
        Ok(())
    }

    /// The open approval of a pipeline: of one execution, or of the oldest that waits.
    pub(crate) fn open_approval(&self, name: &str, execution: Option<&str>) -> Result<ActionRef, AwsError> {
        let pipeline = self.pipeline(name)?;
        let open = pipeline.executions.iter().enumerate().find_map(|(index, candidate)| {
            let run = candidate.running()?;
            let waits = candidate.actions[run].token.is_some() && candidate.status.is_open();
            let asked = execution.is_none_or(|id| id == candidate.id);
            (waits && asked).then_some(ActionRef { execution: index, run })
        });
        open.ok_or_else(|| AwsError::new("NoOpenApproval", format!("nothing waits for approval in {name}")))
    }

    /// Every decision that `PutApprovalResult` accepted, oldest first. Decisions in the console are not among them.
    #[must_use]
    pub fn approval_results(&self) -> Vec<ApprovalResult> {
        self.results.clone()
    }

    /// The status of an execution as the API writes it.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, `PipelineExecutionNotFoundException`.
    pub fn execution_status(&self, name: &str, id: &str) -> Result<&'static str, AwsError> {
        let pipeline = self.pipeline(name)?;
        let index = pipeline.execution_at(id).ok_or_else(|| no_execution(name, id))?;
        Ok(pipeline.executions[index].status.as_str())
    }

    /// The name of the action that an execution is in, if it is in one.
    #[must_use]
    pub fn current_action(&self, name: &str, id: &str) -> Option<String> {
        let pipeline = self.pipelines.get(name)?;
        let execution = &pipeline.executions[pipeline.execution_at(id)?];
        let run = &execution.actions[execution.running()?];
        debug_assert_eq!(run.status, ActionStatus::InProgress);
        Some(pipeline.action_of(run).name.clone())
    }
}

pub(crate) fn no_pipeline(name: &str) -> AwsError {
    let message = format!(
        "Account '{}' does not have a pipeline with name '{name}'",
        super::pipeline::ACCOUNT
    );
    AwsError::new("PipelineNotFoundException", message)
}

pub(crate) fn no_execution(name: &str, id: &str) -> AwsError {
    let message = format!("The pipeline {name} has no execution {id}");
    AwsError::new("PipelineExecutionNotFoundException", message)
}
