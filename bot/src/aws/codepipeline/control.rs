//! Retrying and stopping: each guarded by a read, so that a second try finds nothing left to do.

use aws_sdk_codepipeline::types::{PipelineExecutionStatus, StageRetryMode};
use commands::catalog::AwsTarget;
use commands::effect::Outcome;
use commands::ids::UserId;
use commands::run::StageState as State;

use super::{CodePipeline, View};
use crate::aws::Actor;
use crate::aws::clients::{Attempts, Within};
use crate::aws::error::AwsError;
use crate::door::Lease;

/// The longest reason CodePipeline keeps.
const REASON: usize = 200;

/// A failed stage to be run again.
#[derive(Debug, Clone)]
pub struct RetryRequest<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// The stage.
    pub stage: &'a str,
    /// The execution.
    pub execution: &'a str,
    /// Through which account.
    pub aws: &'a AwsTarget,
    /// In whose name.
    pub actor: &'a UserId,
    /// The worker's lease.
    pub lease: Lease,
}

/// An execution to be stopped.
#[derive(Debug, Clone)]
pub struct StopRequest<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// The execution.
    pub execution: &'a str,
    /// Through which account.
    pub aws: &'a AwsTarget,
    /// In whose name.
    pub actor: &'a UserId,
    /// Why; cut to what CodePipeline keeps.
    pub reason: &'a str,
    /// The worker's lease.
    pub lease: Lease,
}

impl CodePipeline {
    /// Runs the failed actions of a failed stage again. A stage that is running or through needs nothing and counts as done.
    ///
    /// # Errors
    /// With what another try may mend; it begins with a look.
    pub async fn retry_stage(&self, request: &RetryRequest<'_>) -> Result<Outcome, AwsError> {
        let reading = Within {
            target: request.aws,
            actor: &Actor::Bot,
            lease: request.lease,
        };
        let state = self.state(reading, request.pipeline).await?;
        let definition = self.definition(reading, request.pipeline, &state).await?;
        let view = View {
            within: reading,
            pipeline: request.pipeline,
            definition: &definition,
            state: &state,
        };
        let stages = self
            .actions_of(view, request.execution)
            .await?
            .stages(request.execution, &state);
        match stages
            .iter()
            .find(|stage| stage.name == request.stage)
            .map(|stage| stage.state)
        {
            Some(State::Failed | State::Stopped | State::Unknown) => {}
            Some(State::Running | State::Succeeded) => return Ok(Outcome::Done),
            Some(State::Ahead) | None => {
                return Ok(Outcome::NotCurrent {
                    why: "the execution has not been in that stage".to_owned(),
                });
            }
        }
        let actor = Actor::Person(request.actor.clone());
        let acting = Within {
            actor: &actor,
            ..reading
        };
        let client = self.clients.codepipeline(acting, Attempts::Once).await?;
        let sent = client
            .retry_stage_execution()
            .pipeline_name(request.pipeline)
            .stage_name(request.stage)
            .pipeline_execution_id(request.execution)
            .retry_mode(StageRetryMode::FailedActions)
            .send()
            .await;
        match self.clients.heed(acting, sent.map_err(AwsError::from)) {
            Ok(_) => Ok(Outcome::Done),
            Err(AwsError::Fatal { code, message }) => Ok(Outcome::Refused { code, message }),
            Err(error) => Err(error),
        }
    }

    /// Stops an execution and abandons what it is doing: an open approval would otherwise hold the stop until it expires.
    ///
    /// # Errors
    /// With what another try may mend; it begins with a look.
    pub async fn stop_execution(&self, request: &StopRequest<'_>) -> Result<Outcome, AwsError> {
        let reading = Within {
            target: request.aws,
            actor: &Actor::Bot,
            lease: request.lease,
        };
        if !self.is_running(reading, request).await? {
            return Ok(Outcome::Done);
        }
        let actor = Actor::Person(request.actor.clone());
        let acting = Within {
            actor: &actor,
            ..reading
        };
        let client = self.clients.codepipeline(acting, Attempts::Once).await?;
        let sent = client
            .stop_pipeline_execution()
            .pipeline_name(request.pipeline)
            .pipeline_execution_id(request.execution)
            .abandon(true)
            .reason(request.reason.chars().take(REASON).collect::<String>())
            .send()
            .await;
        match self.clients.heed(acting, sent.map_err(AwsError::from)) {
            Ok(_) => Ok(Outcome::Done),
            Err(AwsError::Fatal { code, .. }) if code == "DuplicatedStopRequestException" => Ok(Outcome::Done),
            // It ended while we asked.
            Err(AwsError::Fatal { code, message }) if code == "PipelineExecutionNotStoppableException" => {
                if self.is_running(reading, request).await? {
                    Ok(Outcome::Refused { code, message })
                } else {
                    Ok(Outcome::Done)
                }
            }
            Err(AwsError::Fatal { code, message }) => Ok(Outcome::Refused { code, message }),
            Err(error) => Err(error),
        }
    }

    async fn is_running(&self, within: Within<'_>, request: &StopRequest<'_>) -> Result<bool, AwsError> {
        let found = self.execution(within, request.pipeline, request.execution).await?;
        Ok(matches!(
            found.status(),
            Some(PipelineExecutionStatus::InProgress | PipelineExecutionStatus::Stopping)
        ))
    }
}
