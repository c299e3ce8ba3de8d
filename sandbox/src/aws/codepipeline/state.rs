//! `GetPipelineState`: where each stage stands, and the tokens of the approvals that wait.

use serde_json::{Value, json};

use crate::aws::account::Account;
use crate::aws::args::{Args, NAME};
use crate::aws::error::AwsError;
use crate::aws::pipeline::{Action, ActionRun, ActionStatus, Category, Mode, Pipeline, Stage, Transition};
use crate::aws::value::{structure, timestamp};

pub(super) fn get_pipeline_state(account: &Account, args: Args<'_>) -> Result<Value, AwsError> {
    let pipeline = account.pipeline(args.need("name", &NAME)?)?;
    let stages: Vec<Value> = (0..pipeline.stages.len()).map(|at| stage_state(pipeline, at)).collect();
    Ok(json!({
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.version,
        "stageStates": stages,
        "created": timestamp(pipeline.created_ms),
        "updated": timestamp(pipeline.created_ms),
    }))
}

fn stage_state(pipeline: &Pipeline, at: usize) -> Value {
    let stage: &Stage = &pipeline.stages[at];
    let waiting: Vec<Value> = pipeline
        .waiting_at(at)
        .map(|index| json!({"pipelineExecutionId": pipeline.executions[index].id, "status": "InProgress", "type": "STANDARD"}))
        .collect();
    let latest = stage.latest.and_then(|index| {
        let execution = &pipeline.executions[index];
        let status = execution.visit(at)?.status.as_str();
        Some(json!({"pipelineExecutionId": execution.id, "status": status, "type": "STANDARD"}))
    });
    let retried = stage
        .latest
        .and_then(|index| pipeline.executions[index].visit(at))
        .filter(|visit| visit.attempt > 1);
    structure([
        ("stageName", Some(json!(stage.name))),
        ("inboundExecution", waiting.last().cloned()),
        ("inboundExecutions", (!waiting.is_empty()).then(|| json!(waiting))),
        ("inboundTransitionState", Some(transition(&stage.inbound))),
        (
            "actionStates",
            Some(
                stage
                    .actions
                    .iter()
                    .map(|action| action_state(pipeline, action))
                    .collect(),
            ),
        ),
        ("latestExecution", latest),
        (
            "retryStageMetadata",
            retried.map(
                |visit| json!({"manualStageRetryAttempt": visit.attempt - 1, "latestRetryTrigger": "ManualStageRetry"}),
            ),
        ),
    ])
}

fn transition(transition: &Transition) -> Value {
    structure([
        ("enabled", Some(json!(transition.enabled))),
        ("lastChangedBy", transition.changed_by.as_ref().map(|by| json!(by))),
        (
            "lastChangedAt",
            transition.changed_by.as_ref().map(|_| timestamp(transition.changed_ms)),
        ),
        ("disabledReason", transition.reason.as_ref().map(|reason| json!(reason))),
    ])
}

fn action_state(pipeline: &Pipeline, action: &Action) -> Value {
    let latest = action.latest.map(|at| {
        (
            &pipeline.executions[at.execution],
            &pipeline.executions[at.execution].actions[at.run],
        )
    });
    let revision = latest
        .filter(|(_, run)| action.category == Category::Source && run.status == ActionStatus::Succeeded)
        .and_then(|(execution, _)| execution.revision.as_ref());
    structure([
        ("actionName", Some(json!(action.name))),
        (
            "currentRevision",
            revision.map(|revision| {
                // The service's change id is at most 100 characters that mean nothing.
                json!({"revisionId": revision.id, "revisionChangeId": revision.id, "created": timestamp(revision.created_ms)})
            }),
        ),
        ("latestExecution", latest.map(|(_, run)| latest_execution(pipeline, action, run))),
        ("entityUrl", entity_url(pipeline, action).map(Value::from)),
        ("revisionUrl", revision.map(|revision| json!(revision.url))),
    ])
}

fn latest_execution(pipeline: &Pipeline, action: &Action, run: &ActionRun) -> Value {
    let approval = action.category == Category::Approval;
    // The token of a PARALLEL pipeline is not shown here, and neither is the job id that doubles as it.
    let token = run
        .token
        .as_ref()
        .filter(|_| run.status == ActionStatus::InProgress && pipeline.mode != Mode::Parallel);
    structure([
        ("actionExecutionId", Some(json!(run.id))),
        ("status", Some(json!(run.status.as_str()))),
        ("summary", run.summary.as_ref().map(|summary| json!(summary))),
        ("lastStatusChange", Some(timestamp(run.updated_ms))),
        ("token", token.map(|token| json!(token))),
        ("lastUpdatedBy", run.updated_by.as_ref().map(|by| json!(by))),
        (
            "externalExecutionId",
            run.external_id.as_ref().filter(|_| !approval).map(|id| json!(id)),
        ),
        ("externalExecutionUrl", run.external_url.as_ref().map(|url| json!(url))),
        (
            "errorDetails",
            run.failure
                .as_ref()
                .map(|failure| json!({"code": failure.code, "message": failure.message})),
        ),
    ])
}

/// Where the thing behind an action lives.
fn entity_url(pipeline: &Pipeline, action: &Action) -> Option<String> {
    let console = "https://eu-central-1.console.aws.amazon.com";
    let setting = |name: &str| action.configuration.get(name);
    match action.category {
        Category::Source => match &pipeline.source {
            crate::aws::Source::S3 { bucket, .. } => Some(format!("{console}/s3/buckets/{bucket}")),
            crate::aws::Source::Connection { repository, branch } => {
                Some(format!("https://github.com/{repository}/tree/{branch}"))
            }
        },
        Category::Approval => setting("ExternalEntityLink").cloned(),
        Category::Build | Category::Deploy => {
            setting("ProjectName").map(|project| format!("{console}/codesuite/codebuild/projects/{project}/view"))
        }
    }
}
