//! The account's stage directions: what a test or the page makes happen that no API call does.

use super::account::{Account, Decision};
use super::error::AwsError;
use super::pipeline::{ACCOUNT, ActionRef, ActionStatus, Failure, Pipeline, Revision, Source, Trigger};
use super::s3::NewVersion;

/// A revision that reaches a pipeline's source.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The commit.
    pub commit: String,
    /// The branch or tag.
    pub git_ref: String,
    /// The commit's message.
    pub message: String,
    /// The author's display name.
    pub author: String,
    /// Whether an S3 object says which commit it was made from; without, nobody can tell.
    pub metadata: bool,
    /// Who or what starts the execution; `None`: the source's own change detection.
    pub trigger: Option<Trigger>,
}

/// What the next failure looks like, and whether it has already happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// The action that was running has failed.
    Now,
    /// The next action that ends in the stage will fail.
    Next,
}

impl Account {
    /// A new revision reaches the source of a pipeline and starts an execution: its id, or `None` for a branch that the pipeline does
    /// not follow.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, or the limit of open executions.
    pub fn push(&mut self, name: &str, arrival: &Arrival) -> Result<Option<String>, AwsError> {
        let source = self.pipeline(name)?.source.clone();
        let now_ms = self.now_ms;
        let detected = match source {
            Source::S3 { bucket, key } => {
                let version = NewVersion {
                    git_ref: arrival.git_ref.clone(),
                    git_commit: arrival.commit.clone(),
                    summary: first_line(&arrival.message),
                    metadata: arrival.metadata,
                };
                self.bucket.put(&bucket, &key, version, now_ms);
                let rule = format!("arn:aws:events:eu-central-1:{ACCOUNT}:rule/{name}-source-changed");
                Trigger {
                    kind: "CloudWatchEvent".to_owned(),
                    detail: rule,
                }
            }
            Source::Connection { repository, branch } => {
                if arrival.git_ref != branch {
                    return Ok(None);
                }
                let revision = connection_revision(&repository, arrival, now_ms);
                self.heads.insert((repository, branch), revision);
                Trigger {
                    kind: "WebhookV2".to_owned(),
                    detail: connection_arn(),
                }
            }
        };
        self.changes += 1;
        self.start_execution(name, arrival.trigger.clone().unwrap_or(detected))
            .map(Some)
    }

    /// A person presses *Approve* or *Reject* in the console; returns the execution's id.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, or `NoOpenApproval` when nothing waits.
    pub fn decide_in_console(
        &mut self,
        name: &str,
        execution: Option<&str>,
        (approved, user, summary): (bool, &str, &str),
    ) -> Result<String, AwsError> {
        let at = self.open_approval(name, execution)?;
        let by = format!("arn:aws:iam::{ACCOUNT}:user/{user}");
        let id = self.pipeline(name)?.executions[at.execution].id.clone();
        self.answer(
            name,
            at,
            Decision {
                approved,
                summary,
                by: &by,
            },
        )?;
        Ok(id)
    }

    /// Approves the open approval in the console.
    ///
    /// # Errors
    /// As [`Account::decide_in_console`].
    pub fn approve_in_console(&mut self, name: &str, user: &str) -> Result<String, AwsError> {
        self.decide_in_console(name, None, (true, user, ""))
    }

    /// Lets the open approval run out, as if its time had passed; returns the execution's id.
    ///
    /// # Errors
    /// As [`Account::decide_in_console`].
    pub fn expire(&mut self, name: &str) -> Result<String, AwsError> {
        let at = self.open_approval(name, None)?;
        let now_ms = self.now_ms;
        let pipeline = self.pipeline_mut(name)?;
        pipeline.end_due(at, now_ms);
        let id = pipeline.executions[at.execution].id.clone();
        self.deliver_events();
        Ok(id)
    }

    /// Fails the action that runs in a stage, or the next one that will.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, `StageNotFoundException`.
    pub fn fail_stage(&mut self, name: &str, stage: &str, message: &str) -> Result<Failing, AwsError> {
        let now_ms = self.now_ms;
        let (pipeline, at) = self.stage_of(name, stage)?;
        let failure = Failure {
            code: "JobFailed".to_owned(),
            message: message.to_owned(),
        };
        let running = pipeline.occupants(at).next().and_then(|index| {
            let run = pipeline.executions[index].running()?;
            // An approval does not fail of a job's error: it waits for a person.
            pipeline.executions[index].actions[run]
                .token
                .is_none()
                .then_some((index, run))
        });
        let failing = match running {
            Some((execution, run)) => {
                pipeline.fail(ActionRef { execution, run }, failure, now_ms);
                Failing::Now
            }
            None => {
                pipeline.stages[at].fail_next = Some(failure);
                Failing::Next
            }
        };
        self.changes += 1;
        self.deliver_events();
        Ok(failing)
    }

    /// How long the actions of a stage take from now on; one that runs ends at that age, or now if it is older.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, `StageNotFoundException`.
    pub fn set_duration(&mut self, name: &str, stage: &str, action_ms: i64) -> Result<(), AwsError> {
        let now_ms = self.now_ms;
        let (pipeline, at) = self.stage_of(name, stage)?;
        pipeline.stages[at].action_ms = action_ms;
        for execution in &mut pipeline.executions {
            let runs = execution
                .actions
                .iter_mut()
                .filter(|run| run.status == ActionStatus::InProgress);
            for run in runs.filter(|run| run.stage == at && run.token.is_none()) {
                run.due_ms = (run.started_ms + action_ms).max(now_ms);
            }
        }
        self.changes += 1;
        Ok(())
    }

    /// Holds a stage's actions (they go on until let go), or lets them go.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, `StageNotFoundException`.
    pub fn hold(&mut self, name: &str, stage: &str, held: bool) -> Result<(), AwsError> {
        let (pipeline, at) = self.stage_of(name, stage)?;
        pipeline.stages[at].held = held;
        self.changes += 1;
        let now_ms = self.now_ms;
        self.advance(now_ms);
        Ok(())
    }

    /// Stops an execution, as somebody in the console does.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, `PipelineExecutionNotStoppableException`, `DuplicatedStopRequestException`.
    pub fn stop_execution(
        &mut self,
        name: &str,
        id: &str,
        (abandon, reason): (bool, Option<&str>),
    ) -> Result<(), AwsError> {
        let now_ms = self.now_ms;
        let pipeline = self.pipeline_mut(name)?;
        let index = pipeline.execution_at(id).ok_or_else(|| {
            let message = format!("Pipeline '{name}' does not have execution {id}");
            AwsError::new("PipelineExecutionNotStoppableException", message)
        })?;
        pipeline.stop(index, abandon, reason, now_ms)?;
        self.deliver_events();
        Ok(())
    }

    /// Tries a failed stage again: from the action that failed, or all of them.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, `StageNotFoundException`, `StageNotRetryableException`, `NotLatestPipelineExecutionException`.
    pub fn retry_stage(&mut self, name: &str, stage: &str, (id, all): (&str, bool)) -> Result<(), AwsError> {
        let now_ms = self.now_ms;
        let (pipeline, at) = self.stage_of(name, stage)?;
        let index = pipeline.execution_at(id).ok_or_else(|| {
            let message = format!("execution {id} is not the latest of pipeline '{name}'");
            AwsError::new("NotLatestPipelineExecutionException", message)
        })?;
        pipeline.retry(index, at, all, now_ms)?;
        self.deliver_events();
        Ok(())
    }

    /// Closes the door in front of a stage (with a reason), or opens it, as a user of the console does.
    ///
    /// # Errors
    /// `PipelineNotFoundException`, `StageNotFoundException`.
    pub fn switch_door(&mut self, name: &str, stage: &str, reason: Option<&str>, user: &str) -> Result<(), AwsError> {
        let (_, at) = self.stage_of(name, stage)?;
        self.set_transition(
            name,
            (at, true),
            (reason, &format!("arn:aws:iam::{ACCOUNT}:user/{user}")),
        )
    }

    /// Ends every session of an assumed role: its next call is told that its token is expired.
    pub fn expire_sessions(&mut self) {
        self.sessions.expire_all();
    }

    /// Sets an alarm, making it when it is new.
    pub fn set_alarm(&mut self, name: &str, state: &str, reason: &str) {
        let now_ms = self.now_ms;
        self.alarms.set(name, state, reason, now_ms);
        self.changes += 1;
    }

    /// How many more times each event is sent from now on.
    pub fn duplicate_events(&mut self, copies: u32) {
        self.event_copies = copies;
    }

    fn stage_of(&mut self, name: &str, stage: &str) -> Result<(&mut Pipeline, usize), AwsError> {
        let pipeline = self.pipeline_mut(name)?;
        let at = pipeline
            .stage_at(stage)
            .ok_or_else(|| no_stage(&pipeline.name, stage))?;
        Ok((pipeline, at))
    }
}

pub(crate) fn no_stage(pipeline: &str, stage: &str) -> AwsError {
    AwsError::new(
        "StageNotFoundException",
        format!("Pipeline '{pipeline}' does not have stage '{stage}'"),
    )
}

pub(crate) fn connection_arn() -> String {
    format!("arn:aws:codestar-connections:eu-central-1:{ACCOUNT}:connection/6f1c4d1e-2f7b-4c0a-9a63-0c2b8f1d7e55")
}

fn connection_revision(repository: &str, arrival: &Arrival, now_ms: i64) -> Revision {
    let summary = serde_json::json!({"ProviderType": "GitHub", "CommitMessage": arrival.message});
    let variables = [
        ("AuthorDisplayName", arrival.author.clone()),
        ("BranchName", arrival.git_ref.clone()),
        ("CommitId", arrival.commit.clone()),
        ("CommitMessage", arrival.message.clone()),
        ("ConnectionArn", connection_arn()),
        ("FullRepositoryName", repository.to_owned()),
        ("ProviderType", "GitHub".to_owned()),
    ];
    let redirect = format!(
        "https://eu-central-1.console.aws.amazon.com/codesuite/settings/connections/redirect?connectionArn={}",
        connection_arn()
    );
    Revision {
        id: arrival.commit.clone(),
        summary: Some(summary.to_string()),
        url: format!(
            "{redirect}&referenceType=COMMIT&FullRepositoryId={repository}&Commit={}",
            arrival.commit
        ),
        created_ms: now_ms,
        git_ref: Some(arrival.git_ref.clone()),
        git_commit: Some(arrival.commit.clone()),
        variables: variables
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
