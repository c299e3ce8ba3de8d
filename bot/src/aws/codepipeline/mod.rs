//! CodePipeline: what is read of it, and the three things the bot does to it.
//!
//! A request for approval is bound by its token, which changes with every request and is worth an approval to whoever has it. It is read, hashed, compared and
//! sent, and never kept: [`Token`] does not print, and everything that leaves this module knows only the hash.

mod answer;
mod control;
mod definition;
mod executions;
mod read;
mod revision;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_codepipeline::types::{
    ActionExecutionDetail, ActionExecutionFilter, PipelineExecution, PipelineExecutionFilter, PipelineExecutionSummary,
    StageState, SucceededInStageFilter,
};
use commands::catalog::AwsTarget;
use commands::round::{Revision, Starter};
use commands::time::{Span, Timestamp};

pub use self::answer::ApprovalAnswer;
pub use self::control::{RetryRequest, StopRequest};
pub use self::read::ReadRequest;
pub use self::revision::starter_email;

use self::definition::Definition;
use self::executions::Actions;
use self::revision::Origin;
use super::clients::{Attempts, Clients, Within};
use super::error::AwsError;
use super::s3::Object;
use crate::clock::Clock;

/// Pipelines are edited rarely; approvals of an edited one are found by their tokens meanwhile.
const DEFINITION_FOR: Span = Span::minutes(3);
/// What an execution carries does not change; this many are remembered.
const CARRIED: usize = 2_000;
/// Pages of one listing: beyond this the reader sees the newest part.
const PAGES: usize = 10;

/// CodePipeline, in every account that config names.
pub struct CodePipeline {
    clients: Arc<Clients>,
    clock: Arc<dyn Clock>,
    definitions: Mutex<HashMap<PipelineKey, (Timestamp, Arc<Definition>)>>,
    carried: Mutex<HashMap<(PipelineKey, String), Carried>>,
}

/// An account, and a pipeline of it.
type PipelineKey = (AwsTarget, String);

/// A pipeline that is being looked at: everything the parts of one read share.
#[derive(Clone, Copy)]
struct View<'a> {
    within: Within<'a>,
    pipeline: &'a str,
    definition: &'a Definition,
    state: &'a [StageState],
}

/// What an execution carries, and who started it.
#[derive(Debug, Clone)]
struct Carried {
    revision: Revision,
    starter: Starter,
}

/// The token of a request for approval: good for one answer.
struct Token(String);

impl Token {
    fn hash(&self) -> String {
        commands::digest::full(self.0.as_bytes())
    }
}

impl CodePipeline {
    /// CodePipeline through these clients.
    #[must_use]
    pub fn new(clients: Arc<Clients>, clock: Arc<dyn Clock>) -> Self {
        Self {
            clients,
            clock,
            definitions: Mutex::default(),
            carried: Mutex::default(),
        }
    }

    async fn state(&self, within: Within<'_>, pipeline: &str) -> Result<Vec<StageState>, AwsError> {
        let client = self.clients.codepipeline(within, Attempts::Read).await?;
        let answer = client.get_pipeline_state().name(pipeline).send().await;
        let state = self.clients.heed(within, answer.map_err(AwsError::from))?;
        Ok(state.stage_states.unwrap_or_default())
    }

    /// The definition. Without the right to read it, what the state lets guess.
    async fn definition(
        &self,
        within: Within<'_>,
        pipeline: &str,
        stages: &[StageState],
    ) -> Result<Arc<Definition>, AwsError> {
        let key = (within.target.clone(), pipeline.to_owned());
        let now = self.clock.now();
        let known = |table: &HashMap<_, (Timestamp, Arc<Definition>)>| {
            let (at, definition) = table.get(&key)?;
            // A clock that was put back makes it no younger.
            (*at <= now && now < *at + DEFINITION_FOR).then(|| Arc::clone(definition))
        };
        if let Some(definition) = known(&self.definitions.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(definition);
        }
        let client = self.clients.codepipeline(within, Attempts::Read).await?;
        let answer = client.get_pipeline().name(pipeline).send().await;
        let definition = match self.clients.heed(within, answer.map_err(AwsError::from)) {
            Ok(answer) => match answer.pipeline() {
                Some(pipeline) => Arc::new(Definition::of(pipeline)),
                None => return Err(AwsError::retryable("GetPipeline", "an answer without a pipeline")),
            },
            Err(AwsError::Fatal { code, .. }) if code.starts_with("AccessDenied") => {
                let why = "the role may not read the pipeline's definition (codepipeline:GetPipeline)";
                return Ok(Arc::new(Definition::guessed(stages, why)));
            }
            Err(error) => return Err(error),
        };
        let mut table = self.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        table.insert(key, (now, Arc::clone(&definition)));
        Ok(definition)
    }

    async fn execution(
        &self,
        within: Within<'_>,
        pipeline: &str,
        execution: &str,
    ) -> Result<PipelineExecution, AwsError> {
        let client = self.clients.codepipeline(within, Attempts::Read).await?;
        let ask = client.get_pipeline_execution().pipeline_name(pipeline);
        let answer = ask.pipeline_execution_id(execution).send().await;
        let answer = self.clients.heed(within, answer.map_err(AwsError::from))?;
        answer
            .pipeline_execution
            .ok_or_else(|| AwsError::retryable("GetPipelineExecution", "an answer without an execution"))
    }

    async fn actions(
        &self,
        within: Within<'_>,
        pipeline: &str,
        execution: &str,
    ) -> Result<Vec<ActionExecutionDetail>, AwsError> {
        let client = self.clients.codepipeline(within, Attempts::Read).await?;
        let filter = ActionExecutionFilter::builder()
            .pipeline_execution_id(execution)
            .build();
        let mut details = Vec::new();
        let mut token = None;
        for _ in 0..PAGES {
            let ask = client
                .list_action_executions()
                .pipeline_name(pipeline)
                .filter(filter.clone());
            let answer = ask.max_results(100).set_next_token(token).send().await;
            let page = self.clients.heed(within, answer.map_err(AwsError::from))?;
            details.extend(page.action_execution_details.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        // A server that does not know the filter tells of all executions.
        details.retain(|detail| detail.pipeline_execution_id().is_none_or(|id| id == execution));
        Ok(details)
    }

    /// The newest executions, newest first; with a stage, those that went through it.
    async fn executions(
        &self,
        within: Within<'_>,
        pipeline: &str,
        through: Option<&str>,
    ) -> Result<Vec<PipelineExecutionSummary>, AwsError> {
        let client = self.clients.codepipeline(within, Attempts::Read).await?;
        let filter = through.map(|stage| {
            let stage = SucceededInStageFilter::builder().stage_name(stage).build();
            PipelineExecutionFilter::builder().succeeded_in_stage(stage).build()
        });
        let ask = client.list_pipeline_executions().pipeline_name(pipeline);
        let answer = ask.set_filter(filter).max_results(100).send().await;
        let page = self.clients.heed(within, answer.map_err(AwsError::from))?;
        Ok(page.pipeline_execution_summaries.unwrap_or_default())
    }

    /// What an execution carries; asked once.
    async fn carried(&self, view: View<'_>, execution: &str) -> Result<Carried, AwsError> {
        let View {
            within,
            pipeline,
            definition,
            ..
        } = view;
        let key = ((within.target.clone(), pipeline.to_owned()), execution.to_owned());
        if let Some(known) = self.carried.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let found = self.execution(within, pipeline, execution).await?;
        let (carried, read) = self.resolve(within, definition, &found).await?;
        // What could not be told without the definition, or without the right to read the object, may be told with it, later; and one that waits for
        // its source stage carries nothing yet.
        if read && definition.unknown.is_none() && !found.artifact_revisions().is_empty() {
            let mut table = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
            if table.len() >= CARRIED {
                table.clear();
            }
            table.insert(key, carried.clone());
        }
        Ok(carried)
    }

    /// What an execution carries, and whether all that tells of it could be read.
    async fn resolve(
        &self,
        within: Within<'_>,
        definition: &Definition,
        execution: &PipelineExecution,
    ) -> Result<(Carried, bool), AwsError> {
        let starter = revision::starter(execution.trigger());
        let Some(origin) = Origin::of(definition, execution.artifact_revisions()) else {
            let revision = revision::nothing();
            return Ok((Carried { revision, starter }, true));
        };
        let metadata = match origin.object() {
            None => None,
            Some((bucket, key, version)) => match self.clients.head(within, Object { bucket, key, version }).await {
                Ok(metadata) => Some(Ok(metadata)),
                Err(AwsError::Fatal { message, .. }) => Some(Err(message)),
                Err(error) => return Err(error),
            },
        };
        let read = !matches!(metadata, Some(Err(_)));
        let revision = origin.revision(metadata);
        Ok((Carried { revision, starter }, read))
    }

    /// An execution's actions, with what they mean.
    async fn actions_of<'a>(&self, view: View<'a>, execution: &str) -> Result<Actions<'a>, AwsError> {
        let details = self.actions(view.within, view.pipeline, execution).await?;
        Ok(Actions::new(view.pipeline, view.definition, details))
    }
}

#[cfg(test)]
mod tests;
