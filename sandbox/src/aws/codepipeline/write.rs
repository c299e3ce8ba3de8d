//! The operations that change something. Only `PutApprovalResult` uses a token up.

use serde_json::{Value, json};

use crate::aws::account::{Account, ApprovalResult, Decision};
use crate::aws::args::{Args, NAME, REQUEST_TOKEN, Rule, TRANSITION_REASON, UUID};
use crate::aws::engine::Start;
use crate::aws::error::AwsError;
use crate::aws::pipeline::{ActionRef, ActionStatus, Category, Pipeline, Revision, Source, Trigger};
use crate::aws::script::no_stage;
use crate::aws::sts::Caller;
use crate::aws::value::timestamp;

/// The place of a stage, and the name of its pipeline.
struct Spot<'a> {
    pipeline: &'a str,
    stage: usize,
}

fn spot<'a>(account: &Account, args: Args<'a>) -> Result<Spot<'a>, AwsError> {
    let name = args.need("pipelineName", &NAME)?;
    let stage_name = args.need("stageName", &NAME)?;
    let pipeline = account.pipeline(name)?;
    let stage = pipeline
        .stage_at(stage_name)
        .ok_or_else(|| no_stage(name, stage_name))?;
    Ok(Spot { pipeline: name, stage })
}

pub(super) fn put_approval_result(account: &mut Account, args: Args<'_>, caller: &Caller) -> Result<Value, AwsError> {
    let action_name = args.need("actionName", &NAME)?;
    let token = args.need("token", &UUID)?;
    args.need("pipelineName", &NAME)?;
    args.need("stageName", &NAME)?;
    let result = args
        .structure("result")?
        .ok_or_else(|| AwsError::validation("null", "result", "not be null"))?;
    let status = result.need("status", &Rule::one_of(&["Approved", "Rejected"]))?;
    let summary = result.need("summary", &Rule::length(0, 512))?;
    let Spot { pipeline: name, stage } = spot(account, args)?;
    let pipeline = account.pipeline(name)?;
    let stage_name = pipeline.stages[stage].name.clone();
    let action = pipeline.stages[stage]
        .actions
        .iter()
        .position(|action| action.name == action_name);
    let no_action = || {
        let message = format!("Stage '{stage_name}' of pipeline '{name}' does not have action '{action_name}'");
        AwsError::new("ActionNotFoundException", message)
    };
    let action = action.ok_or_else(no_action)?;
    let at = open_request(pipeline, (stage, action), token)?;
    let record = ApprovalResult {
        pipeline: name.to_owned(),
        execution: pipeline.executions[at.execution].id.clone(),
        stage: stage_name,
        action: action_name.to_owned(),
        status: status.to_owned(),
        summary: summary.to_owned(),
        caller: caller.arn.clone(),
        at_ms: account.now_ms,
    };
    account.answer(
        name,
        at,
        Decision {
            approved: status == "Approved",
            summary,
            by: &caller.arn,
        },
    )?;
    account.results.push(record);
    Ok(json!({"approvedAt": timestamp(account.now_ms)}))
}

/// The open request that a token belongs to. A token names one request for ever: what it was once good for tells how it is refused.
fn open_request(pipeline: &Pipeline, (stage, action): (usize, usize), token: &str) -> Result<ActionRef, AwsError> {
    let runs = pipeline.executions.iter().enumerate().flat_map(|(execution, passage)| {
        passage
            .actions
            .iter()
            .enumerate()
            .map(move |(run, action)| (ActionRef { execution, run }, action))
    });
    let mut here = runs.filter(|(_, run)| (run.stage, run.action) == (stage, action));
    match here.find(|(_, run)| run.token.as_deref() == Some(token)) {
        Some((at, run)) if run.status == ActionStatus::InProgress => Ok(at),
        Some((at, run)) if run.answered && pipeline.stages[stage].actions[action].latest == Some(at) => {
            let message = "The approval action has already been approved or rejected.";
            Err(AwsError::new("ApprovalAlreadyCompletedException", message))
        }
        Some((at, run)) if run.answered && pipeline.mode == crate::aws::Mode::Parallel => {
            let id = &pipeline.executions[at.execution].id;
            let message = format!("The approval action of execution {id} has already been approved or rejected.");
            Err(AwsError::new("ApprovalAlreadyCompletedException", message))
        }
        _ => {
            let message = "The approval request already received a response or has expired.";
            Err(AwsError::new("InvalidApprovalTokenException", message))
        }
    }
}

pub(super) fn start_pipeline_execution(
    account: &mut Account,
    args: Args<'_>,
    caller: &Caller,
) -> Result<Value, AwsError> {
    let name = args.need("name", &NAME)?;
    let request = args.text("clientRequestToken", &REQUEST_TOKEN)?;
    for variable in args.list("variables")? {
        Args(variable).need("name", &Rule::length(1, 128))?;
        Args(variable).need("value", &Rule::length(1, 1000))?;
    }
    let mut revision = account.newest_revision(account.pipeline(name)?);
    for wanted in args.list("sourceRevisions")? {
        revision = overridden(account, account.pipeline(name)?, Args(wanted))?;
    }
    let key = request.map(|token| (name.to_owned(), token.to_owned()));
    if let Some(id) = key.as_ref().and_then(|key| account.started.get(key)) {
        return Ok(json!({ "pipelineExecutionId": id }));
    }
    let now_ms = account.now_ms;
    let trigger = Trigger {
        kind: "StartPipelineExecution".to_owned(),
        detail: caller.arn.clone(),
    };
    let pipeline = account.pipeline_mut(name)?;
    let index = pipeline.start(Start { trigger, revision }, now_ms)?;
    let id = pipeline.executions[index].id.clone();
    account.deliver_events();
    if let Some(key) = key {
        account.started.insert(key, id.clone());
    }
    Ok(json!({ "pipelineExecutionId": id }))
}

/// The revision that a start asks for. One that the source does not have makes the source action fail, as the service's does.
fn overridden(account: &Account, pipeline: &Pipeline, wanted: Args<'_>) -> Result<Option<Revision>, AwsError> {
    let action = wanted.need("actionName", &NAME)?;
    const KINDS: Rule = Rule::one_of(&["COMMIT_ID", "IMAGE_DIGEST", "S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY"]);
    let kind = wanted.need("revisionType", &KINDS)?;
    let value = wanted.need("revisionValue", &Rule::length(1, 1500))?;
    let is_source = |known: &crate::aws::Action| known.name == action && known.category == Category::Source;
    let known = pipeline.stages.iter().flat_map(|stage| &stage.actions).any(is_source);
    let fits = match &pipeline.source {
        Source::S3 { .. } => kind.starts_with("S3_OBJECT"),
        Source::Connection { .. } => kind == "COMMIT_ID",
    };
    if !known || !fits {
        let message = format!("{kind} is not a revision of a source action {action} of this pipeline");
        return Err(AwsError::new("ValidationException", message));
    }
    Ok(match &pipeline.source {
        Source::S3 { bucket, key } if kind == "S3_OBJECT_VERSION_ID" => account
            .bucket
            .get(bucket, key, Some(value))
            .ok()
            .map(crate::aws::s3::Version::revision),
        Source::S3 { bucket, .. } => account
            .bucket
            .newest(bucket, value)
            .map(crate::aws::s3::Version::revision),
        Source::Connection { .. } => {
            let mut shipped = pipeline
                .executions
                .iter()
                .rev()
                .filter_map(|execution| execution.revision.as_ref());
            let newest = account.newest_revision(pipeline);
            let earlier = shipped.find(|revision| revision.id == value).cloned();
            newest.filter(|revision| revision.id == value).or(earlier)
        }
    })
}

pub(super) fn stop_pipeline_execution(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("pipelineName", &NAME)?;
    let id = args.need("pipelineExecutionId", &UUID)?;
    let abandon = args.flag("abandon")?;
    let reason = args.text("reason", &Rule::length(0, 200))?;
    account.stop_execution(name, id, (abandon, reason))?;
    Ok(json!({ "pipelineExecutionId": id }))
}

pub(super) fn retry_stage_execution(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let id = args.need("pipelineExecutionId", &UUID)?;
    let mode = args.need("retryMode", &Rule::one_of(&["FAILED_ACTIONS", "ALL_ACTIONS"]))?;
    let name = args.need("pipelineName", &NAME)?;
    let stage = args.need("stageName", &NAME)?;
    account.retry_stage(name, stage, (id, mode == "ALL_ACTIONS"))?;
    Ok(json!({ "pipelineExecutionId": id }))
}

const TRANSITIONS: Rule = Rule::one_of(&["Inbound", "Outbound"]);

pub(super) fn disable_stage_transition(
    account: &mut Account,
    args: Args<'_>,
    caller: &Caller,
) -> Result<Value, AwsError> {
    let inbound = args.need("transitionType", &TRANSITIONS)? == "Inbound";
    let reason = args.need("reason", &TRANSITION_REASON)?;
    let spot = spot(account, args)?;
    account.set_transition(spot.pipeline, (spot.stage, inbound), (Some(reason), &caller.arn))?;
    Ok(json!({}))
}

pub(super) fn enable_stage_transition(
    account: &mut Account,
    args: Args<'_>,
    caller: &Caller,
) -> Result<Value, AwsError> {
    let inbound = args.need("transitionType", &TRANSITIONS)? == "Inbound";
    let spot = spot(account, args)?;
    account.set_transition(spot.pipeline, (spot.stage, inbound), (None, &caller.arn))?;
    Ok(json!({}))
}

impl Account {
    /// Opens (no reason) or closes one of the two doors of a stage.
    pub(crate) fn set_transition(
        &mut self,
        name: &str,
        (stage, inbound): (usize, bool),
        (reason, by): (Option<&str>, &str),
    ) -> Result<(), AwsError> {
        let now_ms = self.now_ms;
        let pipeline = self.pipeline_mut(name)?;
        let doors = &mut pipeline.stages[stage];
        let door = if inbound {
            &mut doors.inbound
        } else {
            &mut doors.outbound
        };
        door.enabled = reason.is_none();
        door.reason = reason.map(str::to_owned);
        door.changed_by = Some(by.to_owned());
        door.changed_ms = now_ms;
        let behind = if inbound { stage } else { stage + 1 };
        if behind < pipeline.stages.len() {
            pipeline.admit(behind, now_ms);
        }
        self.changes += 1;
        self.deliver_events();
        Ok(())
    }
}
