//! The account as the page shows it.
//!
//! ```json
//! {"account": "111122223333", "region": "eu-central-1", "event_copies": 0,
//!  "pipelines": [{"name", "mode": "SUPERSEDED", "source": {"kind": "s3" | "github", "text"},
//!    "stages": [{"name", "action_ms", "held", "fail_next": null | {"code", "message"}, "enabled", "disabled_reason", "disabled_by",
//!      "inside": [execution ids], "waiting": [execution ids],
//!      "actions": [{"name", "category", "provider", "status": null | "InProgress" …, "execution", "since_ms", "expires_ms", "token",
//!        "summary", "updated_by", "url", "error"}]}],
//!    "executions": [{"id", "status", "status_summary", "started_ms", "updated_ms", "trigger": {"type", "detail"},
//!      "revision": null | {"id", "summary", "url", "created_ms", "git_ref", "git_commit"}, "stage": null | "Build", "at_door": false}]}],
//!  "alarms": [{"name", "state", "reason", "updated_ms"}], "queues": [{"name", "visible", "in_flight", "delayed", "dead_letters",
//!    "drain"}], "places": [what each account has in each region], "sites": [{"host", "pages": [{"path", "status", "body"}]}],
//!  "objects": [{"bucket", "key", "version_id", "modified_ms", "metadata": {}}], "approvals": [ApprovalResult]}
//! ```
//! Executions and objects come newest first. `token` is a fingerprint: no token leaves except through the API. A stage is `enabled` when both the
//! door in front of it and the one behind its predecessor are open.

use serde_json::{Value, json};

use super::account::Account;
use super::ids;
use super::pipeline::{
    ACCOUNT, Action, ActionStatus, Category, Execution, Pipeline, Place as Position, REGION, Source,
};
use super::place::Place;
use super::region::Region;

/// How many executions of a pipeline and versions of an object are shown.
const SHOWN: usize = 30;

/// The account as the page shows it: the shape is in the module's header.
#[must_use]
pub fn snapshot(account: &Account) -> Value {
    let alarms = account.alarms.0.iter().map(|(name, alarm)| {
        json!({"name": name, "state": alarm.state, "reason": alarm.reason, "updated_ms": alarm.updated_ms})
    });
    let home = account.regions.get(&Place::home());
    let objects = account.bucket.objects.iter().flat_map(|((bucket, key), versions)| {
        versions.iter().rev().take(SHOWN).map(move |version| {
            json!({"bucket": bucket, "key": key, "version_id": version.id, "modified_ms": version.modified_ms, "metadata": version.metadata})
        })
    });
    json!({
        "account": ACCOUNT,
        "region": REGION,
        "event_copies": account.event_copies,
        "pipelines": account.pipelines.values().map(pipeline).collect::<Vec<_>>(),
        "alarms": alarms.collect::<Vec<_>>(),
        "queues": home.map(|region| region.queues.snapshot(account.now_ms)).unwrap_or_default(),
        "places": account.regions.values().map(|region| place(region, account.now_ms)).collect::<Vec<_>>(),
        "sites": account.sites.snapshot(),
        "objects": objects.collect::<Vec<_>>(),
        "approvals": account.results,
    })
}

/// What an account has in a region; the region of what is not regional has no name.
fn place(region: &Region, now_ms: i64) -> Value {
    let (functions, mappings) = super::lambda::snapshot(region);
    json!({
        "account": region.place.account,
        "region": region.place.region,
        "queues": region.queues.snapshot(now_ms),
        "functions": functions,
        "event_sources": mappings,
        "parameters": region.parameters.snapshot(),
        "tables": region.dynamodb.snapshot(),
        "projects": region.builds.snapshot(now_ms),
        "log_groups": region.logs.snapshot(),
        "rules": region.rules.snapshot(),
        "base_paths": region.gateway.snapshot(),
        "zones": region.zones.snapshot(),
        "rds": region.rds.snapshot(now_ms),
        "search": region.search.snapshot(now_ms),
    })
}

fn pipeline(pipeline: &Pipeline) -> Value {
    let source = match &pipeline.source {
        Source::S3 { bucket, key } => json!({"kind": "s3", "text": format!("s3://{bucket}/{key}")}),
        Source::Connection { repository, branch } => {
            json!({"kind": "github", "text": format!("{repository} {branch}")})
        }
    };
    json!({
        "name": pipeline.name,
        "mode": pipeline.mode,
        "source": source,
        "stages": (0..pipeline.stages.len()).map(|at| stage(pipeline, at)).collect::<Vec<_>>(),
        "executions": pipeline.executions.iter().rev().take(SHOWN).map(|one| execution(pipeline, one)).collect::<Vec<_>>(),
    })
}

fn stage(pipeline: &Pipeline, at: usize) -> Value {
    let stage = &pipeline.stages[at];
    let before = at.checked_sub(1).map(|before| &pipeline.stages[before].outbound);
    let closed = [Some(&stage.inbound), before]
        .into_iter()
        .flatten()
        .find(|door| !door.enabled);
    let id = |index: usize| json!(pipeline.executions[index].id);
    json!({
        "name": stage.name,
        "action_ms": stage.action_ms,
        "held": stage.held,
        "fail_next": stage.fail_next,
        "enabled": closed.is_none(),
        "disabled_reason": closed.and_then(|door| door.reason.as_ref()),
        "disabled_by": closed.and_then(|door| door.changed_by.as_ref()),
        "inside": pipeline.occupants(at).map(id).collect::<Vec<_>>(),
        "waiting": pipeline.waiting_at(at).map(id).collect::<Vec<_>>(),
        "actions": stage.actions.iter().map(|one| action(pipeline, one)).collect::<Vec<_>>(),
    })
}

fn action(pipeline: &Pipeline, action: &Action) -> Value {
    let latest = action.latest.map(|at| {
        (
            &pipeline.executions[at.execution],
            &pipeline.executions[at.execution].actions[at.run],
        )
    });
    let run = latest.map(|(_, run)| run);
    let open = run.filter(|run| run.status == ActionStatus::InProgress && action.category == Category::Approval);
    json!({
        "name": action.name,
        "category": action.category,
        "provider": action.provider,
        "status": run.map(|run| run.status),
        "execution": latest.map(|(execution, _)| &execution.id),
        "since_ms": run.map(|run| run.updated_ms),
        "expires_ms": open.map(|run| run.due_ms),
        "token": open.and_then(|run| run.token.as_deref()).map(ids::fingerprint),
        "summary": run.and_then(|run| run.summary.as_ref()),
        "updated_by": run.and_then(|run| run.updated_by.as_ref()),
        "url": run.and_then(|run| run.external_url.as_ref()),
        "error": run.and_then(|run| run.failure.as_ref()),
    })
}

fn execution(pipeline: &Pipeline, execution: &Execution) -> Value {
    let stage = match execution.place {
        Position::Door(stage) | Position::Stage(stage) => Some(&pipeline.stages[stage].name),
        Position::Ended => execution.visits.last().map(|visit| &pipeline.stages[visit.stage].name),
    };
    json!({
        "id": execution.id,
        "status": execution.status,
        "status_summary": execution.status_summary,
        "started_ms": execution.started_ms,
        "updated_ms": execution.updated_ms,
        "trigger": execution.trigger,
        "revision": execution.revision,
        "stage": stage,
        "at_door": matches!(execution.place, Position::Door(_)),
    })
}
