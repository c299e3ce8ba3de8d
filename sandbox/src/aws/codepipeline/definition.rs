//! `ListPipelines` and `GetPipeline`: what the pipelines are.

use serde_json::{Value, json};

use crate::aws::account::Account;
use crate::aws::args::{Args, NAME, Rule};
use crate::aws::error::AwsError;
use crate::aws::page;
use crate::aws::pipeline::{ACCOUNT, Action, Category, Pipeline};
use crate::aws::value::{structure, timestamp};

pub(super) const PAGE_TOKEN: Rule = Rule::length(1, 2048);

pub(super) fn bad_token() -> AwsError {
    AwsError::new("InvalidNextTokenException", "The next token is not valid")
}

pub(super) fn list_pipelines(account: &Account, args: Args<'_>) -> Result<Value, AwsError> {
    let size = args.number("maxResults", 1, 1000)?.unwrap_or(1000);
    let token = args.text("nextToken", &PAGE_TOKEN)?;
    let all: Vec<&Pipeline> = account.pipelines.values().collect();
    let (pipelines, next) = page::forward(&all, size, token).ok_or_else(bad_token)?;
    let summaries: Vec<Value> = pipelines
        .into_iter()
        .map(|pipeline| {
            json!({
                "name": pipeline.name,
                "version": pipeline.version,
                "pipelineType": "V2",
                "executionMode": pipeline.mode,
                "created": timestamp(pipeline.created_ms),
                "updated": timestamp(pipeline.created_ms),
            })
        })
        .collect();
    Ok(structure([
        ("pipelines", Some(json!(summaries))),
        ("nextToken", next.map(Value::from)),
    ]))
}

pub(super) fn get_pipeline(account: &Account, args: Args<'_>) -> Result<Value, AwsError> {
    let pipeline = account.pipeline(args.need("name", &NAME)?)?;
    if let Some(version) = args.number("version", 1, i64::MAX)?
        && u64::try_from(version) != Ok(pipeline.version)
    {
        let message = format!("Pipeline '{}' does not have version {version}", pipeline.name);
        return Err(AwsError::new("PipelineVersionNotFoundException", message));
    }
    let stages: Vec<Value> = pipeline
        .stages
        .iter()
        .map(|stage| {
            let actions: Vec<Value> = stage
                .actions
                .iter()
                .enumerate()
                .map(|(at, action)| declaration(at, action))
                .collect();
            json!({"name": stage.name, "actions": actions})
        })
        .collect();
    Ok(json!({
        "pipeline": {
            "name": pipeline.name,
            "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/service-role/AWSCodePipelineServiceRole-{}", pipeline.name),
            "artifactStore": {"type": "S3", "location": "codepipeline-eu-central-1-artifacts"},
            "stages": stages,
            "version": pipeline.version,
            "executionMode": pipeline.mode,
            "pipelineType": "V2",
        },
        "metadata": {
            "pipelineArn": pipeline.arn(),
            "created": timestamp(pipeline.created_ms),
            "updated": timestamp(pipeline.created_ms),
        },
    }))
}

fn declaration(at: usize, action: &Action) -> Value {
    let source = action.category == Category::Source;
    let approval = action.category == Category::Approval;
    structure([
        ("name", Some(json!(action.name))),
        ("actionTypeId", Some(action_type(action))),
        ("runOrder", Some(json!(at + 1))),
        ("configuration", Some(json!(action.configuration))),
        (
            "outputArtifacts",
            Some(if source {
                json!([{"name": "SourceOutput"}])
            } else {
                json!([])
            }),
        ),
        (
            "inputArtifacts",
            Some(if source || approval {
                json!([])
            } else {
                json!([{"name": "SourceOutput"}])
            }),
        ),
        ("namespace", source.then(|| json!("SourceVariables"))),
        ("timeoutInMinutes", action.timeout_minutes.map(|minutes| json!(minutes))),
    ])
}

pub(super) fn action_type(action: &Action) -> Value {
    json!({"category": action.category, "owner": "AWS", "provider": action.provider, "version": "1"})
}
