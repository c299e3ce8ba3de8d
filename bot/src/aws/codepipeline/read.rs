//! One read of one pipeline: everything that decisions about it rest on, without CodePipeline's types.

use aws_sdk_codepipeline::types::{
    ActionExecutionStatus, PipelineExecutionStatus, PipelineExecutionSummary, StageExecutionStatus, StageState,
};
use commands::catalog::{AwsTarget, Pipeline};
use commands::round::Round;
use commands::run::StageState as State;
use commands::time::{Span, Timestamp};
use commands::watch::{ExecutionSeen, Inbound, LastSuccess, Observation, Waiting};

use super::definition::default_patience;
use super::executions::{ended, millis};
use super::{CodePipeline, Token, View};
use crate::aws::Actor;
use crate::aws::clients::Within;
use crate::aws::error::AwsError;
use crate::door::Lease;

/// Executions of a parallel pipeline whose approvals are looked for, newest first.
const PARALLEL_RUNS: usize = 20;
/// For each gate this many successes are told, newest first, one per ref: a gate may lead to several environments.
const SUCCESSES: usize = 8;
/// Executions whose stages are looked at to see whether they went through a gate, when they did not end well as a whole.
const CLOSE_LOOKS: usize = 3;

/// What to read.
#[derive(Debug, Clone)]
pub struct ReadRequest<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// Through which account.
    pub aws: &'a AwsTarget,
    /// The executions to follow.
    pub following: &'a [String],
    /// Whether the last successes are wanted.
    pub prime: bool,
    /// The store's time before this read, in milliseconds.
    pub as_of: i64,
    /// The worker's lease.
    pub lease: Lease,
}

/// A request for approval that is open, with its token.
pub(super) struct Open {
    pub(super) gate: Pipeline,
    pub(super) execution: String,
    pub(super) token: Token,
    pub(super) since: Timestamp,
}

impl CodePipeline {
    /// Reads a pipeline.
    ///
    /// [`Observation::successes`] holds, for each approval gate, the newest successes first, one per git ref: whoever looks for an environment takes the first that fits.
    ///
    /// # Errors
    /// See [`AwsError`]; nothing was changed, whatever it says.
    pub async fn read_pipeline(&self, request: &ReadRequest<'_>) -> Result<Observation, AwsError> {
        let within = Within {
            target: request.aws,
            actor: &Actor::Bot,
            lease: request.lease,
        };
        let at = self.clock.now();
        let state = self.state(within, request.pipeline).await?;
        let definition = self.definition(within, request.pipeline, &state).await?;
        let view = View {
            within,
            pipeline: request.pipeline,
            definition: &definition,
            state: &state,
        };
        let mut seen = Observation {
            as_of: request.as_of,
            at,
            parallel: definition.parallel,
            ..Observation::default()
        };
        for open in self.open(view).await? {
            seen.waiting.push(self.waiting(view, open).await?);
        }
        for (stage, execution) in inbound(&state) {
            let revision = self.carried(view, &execution).await?.revision;
            seen.inbound.push(Inbound {
                stage,
                execution,
                revision,
            });
        }
        for execution in request.following {
            seen.executions.extend(self.follow(view, execution).await?);
        }
        if request.prime {
            for (stage, action) in definition.approvals() {
                let gate = gate(request.pipeline, &stage.name, &action.name);
                seen.successes.extend(self.successes(view, gate).await?);
            }
        }
        Ok(seen)
    }

    /// The open requests for approval.
    pub(super) async fn open(&self, view: View<'_>) -> Result<Vec<Open>, AwsError> {
        if !view.definition.parallel {
            return Ok(view
                .state
                .iter()
                .flat_map(|stage| open_in(view.pipeline, stage))
                .collect());
        }
        let runs = self.executions(view.within, view.pipeline, None).await?;
        let running = runs
            .iter()
            .filter(|run| run.status() == Some(&PipelineExecutionStatus::InProgress))
            .filter_map(|run| run.pipeline_execution_id());
        let mut open = Vec::new();
        for execution in running.take(PARALLEL_RUNS) {
            let actions = self.actions_of(view, execution).await?;
            open.extend(actions.open_tokens().into_iter().map(|(gate, token, since)| Open {
                gate,
                execution: execution.to_owned(),
                token: Token(token.to_owned()),
                since,
            }));
        }
        Ok(open)
    }

    async fn waiting(&self, view: View<'_>, open: Open) -> Result<Waiting, AwsError> {
        let carried = self.carried(view, &open.execution).await?;
        let action = view.definition.action(&open.gate.stage, &open.gate.action);
        let patience = action.map_or(default_patience(), |action| action.patience());
        Ok(Waiting {
            since: open.since,
            gives_up_at: open.since + Span::minutes(patience),
            revision: carried.revision,
            starter: carried.starter,
            console_url: Some(console(&view.within.target.region, view.pipeline, &open.execution)),
            round: Round {
                token_hash: open.token.hash(),
                execution: open.execution,
                gate: open.gate,
            },
        })
    }

    /// An execution in whole; nothing when CodePipeline no longer knows it.
    async fn follow(&self, view: View<'_>, execution: &str) -> Result<Option<ExecutionSeen>, AwsError> {
        let found = match self.execution(view.within, view.pipeline, execution).await {
            Err(AwsError::Fatal { code, .. }) if code == "PipelineExecutionNotFoundException" => return Ok(None),
            found => found?,
        };
        let actions = self.actions_of(view, execution).await?;
        Ok(Some(ExecutionSeen {
            execution: execution.to_owned(),
            stages: actions.stages(execution, view.state),
            answered: actions.answered(),
            failures: actions.failures(),
            ended: ended(found.status()),
        }))
    }

    /// The newest executions that went through a gate, newest first, one per ref.
    async fn successes(&self, view: View<'_>, gate: Pipeline) -> Result<Vec<LastSuccess>, AwsError> {
        let released = view.definition.released_by(&gate.stage);
        let last = released.last().map(|stage| stage.name.as_str());
        let mut runs = self.executions(view.within, view.pipeline, last).await?;
        if runs.is_empty() {
            // The filter knows only the newest version of the pipeline.
            runs = self.executions(view.within, view.pipeline, None).await?;
        }
        let mut found: Vec<LastSuccess> = Vec::new();
        let mut looks = CLOSE_LOOKS;
        for run in &runs {
            let Some(execution) = run.pipeline_execution_id() else {
                continue;
            };
            if !self.went_through(view, run, released, &mut looks).await? {
                continue;
            }
            let revision = self.carried(view, execution).await?.revision;
            if found.iter().any(|other| other.revision.git_ref == revision.git_ref) {
                continue;
            }
            found.push(LastSuccess {
                gate: gate.clone(),
                execution: execution.to_owned(),
                revision,
                at: Timestamp(run.last_update_time().or(run.start_time()).map_or(0, millis)),
            });
            if found.len() == SUCCESSES {
                break;
            }
        }
        Ok(found)
    }

    /// Whether an execution went through all of these stages. One that did not end well as a whole may wait at a later gate, or have failed behind
    /// one: a few of those are looked at closely.
    async fn went_through(
        &self,
        view: View<'_>,
        run: &PipelineExecutionSummary,
        stages: &[super::definition::Stage],
        looks: &mut usize,
    ) -> Result<bool, AwsError> {
        let open = match run.status() {
            Some(PipelineExecutionStatus::Succeeded) => return Ok(true),
            Some(PipelineExecutionStatus::InProgress | PipelineExecutionStatus::Failed) => true,
            other => other == Some(&PipelineExecutionStatus::Stopped),
        };
        let (true, Some(execution), 1..) = (open, run.pipeline_execution_id(), *looks) else {
            return Ok(false);
        };
        *looks -= 1;
        let seen = self.actions_of(view, execution).await?.stages(execution, &[]);
        let succeeded = |name: &str| {
            seen.iter()
                .any(|stage| stage.name == name && stage.state == State::Succeeded)
        };
        Ok(stages.iter().all(|stage| succeeded(&stage.name)))
    }
}

fn open_in<'a>(pipeline: &'a str, stage: &'a StageState) -> impl Iterator<Item = Open> + 'a {
    let execution = stage
        .latest_execution()
        .map(|latest| latest.pipeline_execution_id().to_owned());
    stage.action_states().iter().filter_map(move |action| {
        let latest = action.latest_execution()?;
        let token = latest.token().filter(|token| !token.is_empty())?;
        // A state is sometimes shown without a status; a token without an answer waits.
        if latest
            .status()
            .is_some_and(|status| *status != ActionExecutionStatus::InProgress)
        {
            return None;
        }
        Some(Open {
            gate: gate(pipeline, stage.stage_name()?, action.action_name()?),
            execution: execution.clone()?,
            token: Token(token.to_owned()),
            since: Timestamp(latest.last_status_change().map_or(0, millis)),
        })
    })
}

/// Executions at the doors of stages, oldest first at each.
fn inbound(state: &[StageState]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for stage in state {
        let name = stage.stage_name().unwrap_or_default();
        let listed = stage.inbound_executions();
        let at_door = listed.iter().chain(stage.inbound_execution());
        for execution in at_door.filter(|one| *one.status() == StageExecutionStatus::InProgress) {
            let entry = (name.to_owned(), execution.pipeline_execution_id().to_owned());
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
    }
    found
}

fn gate(pipeline: &str, stage: &str, action: &str) -> Pipeline {
    Pipeline {
        name: pipeline.to_owned(),
        stage: stage.to_owned(),
        action: action.to_owned(),
    }
}

/// An execution's page in the console.
fn console(region: &str, pipeline: &str, execution: &str) -> String {
    let host = if region.starts_with("cn-") {
        "console.amazonaws.cn"
    } else {
        "console.aws.amazon.com"
    };
    let name: String = url::form_urlencoded::byte_serialize(pipeline.as_bytes()).collect();
    format!(
        "https://{region}.{host}/codesuite/codepipeline/pipelines/{name}/executions/{execution}/timeline?region={region}"
    )
}
