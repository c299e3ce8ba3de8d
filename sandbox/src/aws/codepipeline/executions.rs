//! `GetPipelineExecution`, `ListPipelineExecutions` and `ListActionExecutions`: what ran, and of what.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::definition::{PAGE_TOKEN, action_type, bad_token};
use crate::aws::account::{Account, no_execution};
use crate::aws::args::{Args, NAME, Rule, UUID};
use crate::aws::error::AwsError;
use crate::aws::page;
use crate::aws::pipeline::{ActionRun, ActionStatus, Category, Execution, ExecutionStatus, Pipeline, REGION, Revision};
use crate::aws::script::no_stage;
use crate::aws::value::{structure, timestamp};

pub(super) fn get_pipeline_execution(account: &Account, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("pipelineName", &NAME)?;
    let id = args.need("pipelineExecutionId", &UUID)?;
    let pipeline = account.pipeline(name)?;
    let index = pipeline.execution_at(id).ok_or_else(|| no_execution(name, id))?;
    let execution = &pipeline.executions[index];
    let revisions: Vec<Value> = fetched(execution).map(artifact_revision).into_iter().collect();
    let details = structure([
        ("pipelineName", Some(json!(pipeline.name))),
        ("pipelineVersion", Some(json!(pipeline.version))),
        ("pipelineExecutionId", Some(json!(execution.id))),
        ("status", Some(json!(execution.status.as_str()))),
        (
            "statusSummary",
            execution.status_summary.as_ref().map(|summary| json!(summary)),
        ),
        ("artifactRevisions", Some(json!(revisions))),
        ("variables", Some(json!([]))),
        ("trigger", Some(trigger(execution))),
        ("executionMode", Some(json!(pipeline.mode))),
        ("executionType", Some(json!("STANDARD"))),
    ]);
    Ok(json!({ "pipelineExecution": details }))
}

pub(super) fn list_pipeline_executions(account: &Account, args: Args<'_>) -> Result<Value, AwsError> {
    let pipeline = account.pipeline(args.need("pipelineName", &NAME)?)?;
    let size = args.number("maxResults", 1, 100)?.unwrap_or(100);
    let token = args.text("nextToken", &PAGE_TOKEN)?;
    let mut stage = None;
    if let Some(filter) = args
        .structure("filter")?
        .map(|filter| filter.structure("succeededInStage"))
        .transpose()?
        .flatten()
    {
        let name = filter.need("stageName", &NAME)?;
        stage = Some(pipeline.stage_at(name).ok_or_else(|| no_stage(&pipeline.name, name))?);
    }
    let succeeded = |execution: &Execution, stage| {
        execution
            .visit(stage)
            .is_some_and(|visit| visit.status == ExecutionStatus::Succeeded)
    };
    let fitting: Vec<&Execution> = pipeline
        .executions
        .iter()
        .filter(|execution| stage.is_none_or(|stage| succeeded(execution, stage)))
        .collect();
    let (executions, next) = page::backward(&fitting, size, token).ok_or_else(bad_token)?;
    let summaries: Vec<Value> = executions
        .into_iter()
        .map(|execution| summary(pipeline, execution))
        .collect();
    Ok(structure([
        ("pipelineExecutionSummaries", Some(json!(summaries))),
        ("nextToken", next.map(Value::from)),
    ]))
}

pub(super) fn list_action_executions(account: &Account, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("pipelineName", &NAME)?;
    let pipeline = account.pipeline(name)?;
    let size = args.number("maxResults", 1, 100)?.unwrap_or(100);
    let token = args.text("nextToken", &PAGE_TOKEN)?;
    let (mut only, mut latest) = (None, false);
    if let Some(filter) = args.structure("filter")? {
        only = filter.text("pipelineExecutionId", &UUID)?;
        if let Some(inner) = filter.structure("latestInPipelineExecution")? {
            only = Some(inner.need("pipelineExecutionId", &UUID)?);
            latest = inner.need("startTimeRange", &Rule::one_of(&["Latest", "All"]))? == "Latest";
        }
    }
    if let Some(id) = only {
        pipeline.execution_at(id).ok_or_else(|| no_execution(name, id))?;
    }
    let executions = pipeline
        .executions
        .iter()
        .filter(|execution| only.is_none_or(|id| id == execution.id));
    let mut runs: Vec<(&Execution, &ActionRun)> = executions
        .flat_map(|execution| execution.actions.iter().map(move |run| (execution, run)))
        .collect();
    if latest {
        let mut seen = HashSet::new();
        let mut newest: Vec<_> = runs
            .into_iter()
            .rev()
            .filter(|(_, run)| seen.insert((run.stage, run.action)))
            .collect();
        newest.reverse();
        runs = newest;
    }
    runs.sort_by_key(|(_, run)| run.started_ms);
    let (runs, next) = page::backward(&runs, size, token).ok_or_else(bad_token)?;
    let details: Vec<Value> = runs
        .into_iter()
        .map(|(execution, run)| detail(pipeline, execution, run))
        .collect();
    Ok(structure([
        ("actionExecutionDetails", Some(json!(details))),
        ("nextToken", next.map(Value::from)),
    ]))
}

/// What an execution ships, once its source action has fetched it.
fn fetched(execution: &Execution) -> Option<&Revision> {
    let source = execution.actions.iter().find(|run| run.stage == 0)?;
    execution
        .revision
        .as_ref()
        .filter(|_| source.status == ActionStatus::Succeeded)
}

fn artifact_revision(revision: &Revision) -> Value {
    structure([
        ("name", Some(json!("SourceOutput"))),
        ("revisionId", Some(json!(revision.id))),
        ("revisionChangeIdentifier", Some(json!(revision.id))),
        (
            "revisionSummary",
            revision.summary.as_ref().map(|summary| json!(summary)),
        ),
        ("created", Some(timestamp(revision.created_ms))),
        ("revisionUrl", Some(json!(revision.url))),
    ])
}

fn trigger(execution: &Execution) -> Value {
    json!({"triggerType": execution.trigger.kind, "triggerDetail": execution.trigger.detail})
}

fn summary(pipeline: &Pipeline, execution: &Execution) -> Value {
    let action = pipeline
        .stages
        .first()
        .and_then(|stage| stage.actions.first())
        .map(|action| action.name.as_str());
    let revisions = fetched(execution).map(|revision| {
        structure([
            ("actionName", action.map(|name| json!(name))),
            ("revisionId", Some(json!(revision.id))),
            (
                "revisionSummary",
                revision.summary.as_ref().map(|summary| json!(summary)),
            ),
            ("revisionUrl", Some(json!(revision.url))),
        ])
    });
    structure([
        ("pipelineExecutionId", Some(json!(execution.id))),
        ("status", Some(json!(execution.status.as_str()))),
        (
            "statusSummary",
            execution.status_summary.as_ref().map(|summary| json!(summary)),
        ),
        ("startTime", Some(timestamp(execution.started_ms))),
        ("lastUpdateTime", Some(timestamp(execution.updated_ms))),
        ("sourceRevisions", Some(revisions.into_iter().collect())),
        ("trigger", Some(trigger(execution))),
        (
            "stopTrigger",
            execution.stop_reason.as_ref().map(|reason| json!({ "reason": reason })),
        ),
        ("executionMode", Some(json!(pipeline.mode))),
        ("executionType", Some(json!("STANDARD"))),
    ])
}

fn detail(pipeline: &Pipeline, execution: &Execution, run: &ActionRun) -> Value {
    let action = pipeline.action_of(run);
    let source = action.category == Category::Source;
    let s3 = json!({"bucket": "codepipeline-eu-central-1-artifacts", "key": format!("{}/SourceOutp/{}", pipeline.name, &execution.id[..7])});
    let artifact = json!([{"name": "SourceOutput", "s3location": s3}]);
    let uses = !source && action.category != Category::Approval;
    let done = run.status == ActionStatus::Succeeded;
    let result = structure([
        ("externalExecutionId", run.external_id.as_ref().map(|id| json!(id))),
        (
            "externalExecutionSummary",
            run.summary.as_ref().map(|summary| json!(summary)),
        ),
        ("externalExecutionUrl", run.external_url.as_ref().map(|url| json!(url))),
        (
            "errorDetails",
            run.failure
                .as_ref()
                .map(|failure| json!({"code": failure.code, "message": failure.message})),
        ),
    ]);
    let variables = execution
        .revision
        .as_ref()
        .filter(|_| source && done)
        .map(|revision| json!(revision.variables));
    structure([
        ("pipelineExecutionId", Some(json!(execution.id))),
        ("actionExecutionId", Some(json!(run.id))),
        ("pipelineVersion", Some(json!(pipeline.version))),
        ("stageName", Some(json!(pipeline.stages[run.stage].name))),
        ("actionName", Some(json!(action.name))),
        ("startTime", Some(timestamp(run.started_ms))),
        ("lastUpdateTime", Some(timestamp(run.updated_ms))),
        ("updatedBy", run.updated_by.as_ref().map(|by| json!(by))),
        ("status", Some(json!(run.status.as_str()))),
        (
            "input",
            Some(json!({
                "actionTypeId": action_type(action),
                "configuration": action.configuration,
                "resolvedConfiguration": action.configuration,
                "region": REGION,
                "inputArtifacts": if uses { artifact.clone() } else { json!([]) },
            })),
        ),
        (
            "output",
            Some(json!({
                "outputArtifacts": if source && done { artifact } else { json!([]) },
                "executionResult": result,
                "outputVariables": variables.unwrap_or_else(|| json!({})),
            })),
        ),
    ])
}
