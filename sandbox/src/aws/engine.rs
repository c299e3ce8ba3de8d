//! What moves executions: the rules of entering, finishing, failing, stopping and retrying.
//!
//! Everything here is synchronous and takes the time as an argument, so that seven days pass in one call and a test without a server sees
//! what a client of the wire sees. Each change leaves its event in the pipeline's outbox.

use super::error::AwsError;
use super::ids;
use super::pipeline::{
    ACCOUNT, APPROVAL_MINUTES, ActionRef, ActionRun, ActionStatus, Category, Execution, ExecutionStatus, Failure, Mode,
    Pipeline, Place, REGION, Revision, Trigger, Visit,
};

/// How many executions of one pipeline may be open at a time.
const OPEN_LIMIT: usize = 50;

/// What an execution is started with.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) trigger: Trigger,
    pub(crate) revision: Option<Revision>,
}

impl Pipeline {
    /// Starts an execution and returns its place.
    pub(crate) fn start(&mut self, start: Start, now_ms: i64) -> Result<usize, AwsError> {
        if self
            .executions
            .iter()
            .filter(|execution| execution.status.is_open())
            .count()
            >= OPEN_LIMIT
        {
            let message = format!("pipeline {} has {OPEN_LIMIT} executions in progress", self.name);
            return Err(AwsError::new(
                "ConcurrentPipelineExecutionsLimitExceededException",
                message,
            ));
        }
        let index = self.executions.len();
        self.executions.push(Execution {
            id: ids::uuid(),
            status: ExecutionStatus::InProgress,
            status_summary: None,
            started_ms: now_ms,
            updated_ms: now_ms,
            trigger: start.trigger,
            stop_reason: None,
            revision: start.revision,
            place: Place::Door(0),
            visits: Vec::new(),
            actions: Vec::new(),
            attempt: 1,
        });
        self.emit_pipeline(index, "STARTED", now_ms);
        self.arrive(index, 0, now_ms);
        Ok(index)
    }

    /// The next action that ends by itself: when, and which.
    pub(crate) fn next_due(&self) -> Option<(i64, ActionRef)> {
        let open = self
            .executions
            .iter()
            .enumerate()
            .filter(|(_, execution)| execution.status.is_open());
        open.filter_map(|(execution, running)| {
            let run = running.running()?;
            let action = &running.actions[run];
            let held = self.stages[action.stage].held && self.action_of(action).category != Category::Approval;
            (!held).then_some((action.due_ms, ActionRef { execution, run }))
        })
        .min_by_key(|(due_ms, _)| *due_ms)
    }

    /// Ends an action whose time has come: an approval expires, anything else is done, or fails if that was asked for.
    pub(crate) fn end_due(&mut self, at: ActionRef, now_ms: i64) {
        let run = &self.executions[at.execution].actions[at.run];
        let category = self.action_of(run).category;
        let stage = run.stage;
        let failure = match category {
            Category::Approval => Some(Failure {
                code: "JobTimedOut".to_owned(),
                message: "The approval request received no response before it expired.".to_owned(),
            }),
            Category::Source if self.executions[at.execution].revision.is_none() => Some(Failure {
                code: "RevisionUnavailable".to_owned(),
                message: "The requested source revision does not exist.".to_owned(),
            }),
            _ => self.stages[stage].fail_next.take(),
        };
        match failure {
            Some(failure) => self.fail(at, failure, now_ms),
            None => self.succeed(at, now_ms),
        }
    }

    /// Ends an action well and goes on.
    pub(crate) fn succeed(&mut self, at: ActionRef, now_ms: i64) {
        let stage = self.end_action(at, ActionStatus::Succeeded, now_ms);
        let next = self.executions[at.execution].actions[at.run].action + 1;
        if self.executions[at.execution].status == ExecutionStatus::Stopping {
            return self.end_execution(at.execution, ExecutionStatus::Stopped, now_ms);
        }
        if next < self.stages[stage].actions.len() {
            return self.start_action(at.execution, stage, next, now_ms);
        }
        self.set_visit(at.execution, ExecutionStatus::Succeeded, now_ms);
        if stage + 1 == self.stages.len() {
            return self.end_execution(at.execution, ExecutionStatus::Succeeded, now_ms);
        }
        self.arrive(at.execution, stage + 1, now_ms);
        self.admit(stage, now_ms);
    }

    /// Ends an action badly: with it fail its stage and its execution.
    pub(crate) fn fail(&mut self, at: ActionRef, failure: Failure, now_ms: i64) {
        self.executions[at.execution].actions[at.run].failure = Some(failure);
        self.fail_without_details(at, now_ms);
    }

    /// As [`Pipeline::fail`], for a rejection: that is a person's word and no error of a job.
    pub(crate) fn fail_without_details(&mut self, at: ActionRef, now_ms: i64) {
        self.end_action(at, ActionStatus::Failed, now_ms);
        let stopping = self.executions[at.execution].status == ExecutionStatus::Stopping;
        let status = if stopping {
            ExecutionStatus::Stopped
        } else {
            ExecutionStatus::Failed
        };
        self.end_execution(at.execution, status, now_ms);
    }

    /// Stops an execution: at once (`abandon`, or when no action of it runs), else when its action is done.
    pub(crate) fn stop(
        &mut self,
        index: usize,
        abandon: bool,
        reason: Option<&str>,
        now_ms: i64,
    ) -> Result<(), AwsError> {
        let execution = &self.executions[index];
        if !execution.status.is_open() {
            let message = format!(
                "execution {} is {} and cannot be stopped",
                execution.id,
                execution.status.as_str()
            );
            return Err(AwsError::new("PipelineExecutionNotStoppableException", message));
        }
        if execution.status == ExecutionStatus::Stopping && !abandon {
            let message = format!("execution {} is already being stopped", execution.id);
            return Err(AwsError::new("DuplicatedStopRequestException", message));
        }
        let running = execution.running();
        self.executions[index].stop_reason = reason.map(str::to_owned);
        match running {
            Some(_) if !abandon => {
                self.executions[index].status = ExecutionStatus::Stopping;
                self.set_visit(index, ExecutionStatus::Stopping, now_ms);
                self.emit_pipeline(index, "STOPPING", now_ms);
            }
            Some(run) => {
                self.end_action(ActionRef { execution: index, run }, ActionStatus::Abandoned, now_ms);
                self.end_execution(index, ExecutionStatus::Stopped, now_ms);
            }
            None => self.end_execution(index, ExecutionStatus::Stopped, now_ms),
        }
        Ok(())
    }

    /// Tries a stage of an ended execution again, from the action that failed or from the first.
    pub(crate) fn retry(&mut self, index: usize, stage: usize, all: bool, now_ms: i64) -> Result<(), AwsError> {
        let execution = &self.executions[index];
        let refuse = |code: &str, why: &str| {
            let message = format!("stage {} of execution {} {why}", self.stages[stage].name, execution.id);
            Err(AwsError::new(code, message))
        };
        if self.mode != Mode::Parallel && self.stages[stage].latest != Some(index) {
            return refuse(
                "NotLatestPipelineExecutionException",
                "cannot be retried: another execution has entered it since",
            );
        }
        let retryable = matches!(execution.status, ExecutionStatus::Failed | ExecutionStatus::Stopped)
            && execution
                .visit(stage)
                .is_some_and(|visit| visit.status == execution.status);
        let last = execution.actions.iter().rev().find(|run| run.stage == stage);
        let (true, Some(last)) = (retryable, last) else {
            return refuse("StageNotRetryableException", "has not failed and cannot be retried");
        };
        let stopped_between = last.status == ActionStatus::Succeeded;
        let action = if all {
            0
        } else {
            last.action + usize::from(stopped_between)
        };
        let action = action.min(self.stages[stage].actions.len() - 1);
        let execution = &mut self.executions[index];
        execution.status = ExecutionStatus::InProgress;
        execution.stop_reason = None;
        execution.place = Place::Stage(stage);
        execution.attempt += 1;
        if let Some(visit) = execution.visits.last_mut() {
            visit.status = ExecutionStatus::InProgress;
            visit.attempt += 1;
        }
        self.emit_pipeline(index, "RESUMED", now_ms);
        self.emit_stage(index, stage, "RESUMED", now_ms);
        self.start_action(index, stage, action, now_ms);
        Ok(())
    }

    /// Lets in whoever waits and may enter: after a stage became free or its door was opened.
    pub(crate) fn admit(&mut self, stage: usize, now_ms: i64) {
        let closed = !self.stages[stage].inbound.enabled || (stage > 0 && !self.stages[stage - 1].outbound.enabled);
        if closed {
            return;
        }
        loop {
            let locked = self.mode != Mode::Parallel && self.occupants(stage).next().is_some();
            let Some(next) = self.waiting_at(stage).next().filter(|_| !locked) else {
                return;
            };
            self.enter(next, stage, now_ms);
        }
    }

    fn arrive(&mut self, index: usize, stage: usize, now_ms: i64) {
        self.executions[index].place = Place::Door(stage);
        self.executions[index].updated_ms = now_ms;
        self.admit(stage, now_ms);
        if self.mode == Mode::Superseded && self.executions[index].place == Place::Door(stage) {
            // Only those that still wait are replaced: whoever has entered keeps the stage.
            let older: Vec<usize> = self.waiting_at(stage).filter(|other| *other < index).collect();
            for other in older {
                let summary = format!("Superseded by execution {}", self.executions[index].id);
                self.executions[other].status_summary = Some(summary);
                self.end_execution(other, ExecutionStatus::Superseded, now_ms);
            }
        }
    }

    fn enter(&mut self, index: usize, stage: usize, now_ms: i64) {
        self.stages[stage].latest = Some(index);
        let execution = &mut self.executions[index];
        execution.place = Place::Stage(stage);
        execution.visits.push(Visit {
            stage,
            status: ExecutionStatus::InProgress,
            attempt: 1,
        });
        self.emit_stage(index, stage, "STARTED", now_ms);
        self.start_action(index, stage, 0, now_ms);
    }

    fn start_action(&mut self, index: usize, stage: usize, action: usize, now_ms: i64) {
        let definition = &self.stages[stage].actions[action];
        let approval = definition.category == Category::Approval;
        let token = approval.then(ids::uuid);
        let minutes = definition.timeout_minutes.unwrap_or(APPROVAL_MINUTES);
        let lasts_ms = if approval {
            minutes * 60_000
        } else {
            self.stages[stage].action_ms
        };
        let (external_id, external_url) = match (&token, self.mode) {
            // In PARALLEL mode this is the only place where the token can be read.
            (Some(token), Mode::Parallel) => (Some(token.clone()), None),
            (Some(_), _) => (None, None),
            (None, _) => self.job(index, stage, action),
        };
        let execution = &mut self.executions[index];
        execution.updated_ms = now_ms;
        execution.actions.push(ActionRun {
            id: ids::uuid(),
            stage,
            action,
            status: ActionStatus::InProgress,
            started_ms: now_ms,
            updated_ms: now_ms,
            token,
            answered: false,
            due_ms: now_ms + lasts_ms,
            summary: None,
            updated_by: None,
            external_id,
            external_url,
            failure: None,
        });
        let at = ActionRef {
            execution: index,
            run: execution.actions.len() - 1,
        };
        self.stages[stage].actions[action].latest = Some(at);
        self.emit_action(at, "STARTED", now_ms);
    }

    /// The job that carries an action out: its id and where its log is.
    fn job(&self, index: usize, stage: usize, action: usize) -> (Option<String>, Option<String>) {
        let definition = &self.stages[stage].actions[action];
        if definition.category == Category::Source {
            let revision = self.executions[index].revision.as_ref();
            return (
                revision.map(|revision| revision.id.clone()),
                revision.map(|revision| revision.url.clone()),
            );
        }
        let project = definition
            .configuration
            .get("ProjectName")
            .map_or(definition.name.as_str(), String::as_str);
        let build = ids::uuid();
        let host = format!("https://{REGION}.console.aws.amazon.com/codesuite/codebuild");
        let url = format!("{host}/{ACCOUNT}/projects/{project}/build/{project}%3A{build}/?region={REGION}");
        (Some(format!("{project}:{build}")), Some(url))
    }

    fn end_action(&mut self, at: ActionRef, status: ActionStatus, now_ms: i64) -> usize {
        let source = self.source_summary(at, status);
        let run = &mut self.executions[at.execution].actions[at.run];
        run.status = status;
        run.updated_ms = now_ms;
        if source.is_some() {
            run.summary = source;
        }
        let stage = run.stage;
        let state = match status {
            ActionStatus::InProgress => "STARTED",
            ActionStatus::Abandoned => "ABANDONED",
            ActionStatus::Succeeded => "SUCCEEDED",
            ActionStatus::Failed => "FAILED",
        };
        self.emit_action(at, state, now_ms);
        stage
    }

    fn source_summary(&self, at: ActionRef, status: ActionStatus) -> Option<String> {
        let execution = &self.executions[at.execution];
        let source = self.action_of(&execution.actions[at.run]).category == Category::Source;
        let fetched = source && status == ActionStatus::Succeeded;
        execution
            .revision
            .as_ref()
            .filter(|_| fetched)
            .and_then(|revision| revision.summary.clone())
    }

    fn set_visit(&mut self, index: usize, status: ExecutionStatus, now_ms: i64) {
        let Place::Stage(stage) = self.executions[index].place else {
            return;
        };
        if let Some(visit) = self.executions[index].visits.last_mut() {
            visit.status = status;
        }
        self.executions[index].updated_ms = now_ms;
        self.emit_stage(index, stage, state_name(status), now_ms);
    }

    fn end_execution(&mut self, index: usize, status: ExecutionStatus, now_ms: i64) {
        let place = self.executions[index].place;
        // A finished stage has said so already; what ends here in a stage ends the stage too.
        if status != ExecutionStatus::Succeeded {
            self.set_visit(index, status, now_ms);
        }
        let execution = &mut self.executions[index];
        execution.status = status;
        execution.place = Place::Ended;
        execution.updated_ms = now_ms;
        self.emit_pipeline(index, state_name(status), now_ms);
        if let Place::Stage(stage) = place {
            self.admit(stage, now_ms);
        }
    }
}

const fn state_name(status: ExecutionStatus) -> &'static str {
    match status {
        ExecutionStatus::InProgress => "STARTED",
        ExecutionStatus::Stopping => "STOPPING",
        ExecutionStatus::Stopped => "STOPPED",
        ExecutionStatus::Succeeded => "SUCCEEDED",
        ExecutionStatus::Superseded => "SUPERSEDED",
        ExecutionStatus::Failed => "FAILED",
    }
}
