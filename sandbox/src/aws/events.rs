//! The events that the account puts on its bus, in EventBridge's shape.
//!
//! They carry no token and no revision: whoever hears one must read the state, as with the real service.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::ids;
use super::pipeline::{ACCOUNT, ActionRef, ActionStatus, Category, Pipeline, REGION};

/// The queue that a rule of the account sends CodePipeline's events to.
pub const EVENT_QUEUE: &str = "signalbox-events";

/// `2026-11-21T14:00:00Z`: an instant as EventBridge and S3 write it in JSON and XML.
pub(crate) fn iso(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Pipeline {
    /// The execution as a whole changed.
    pub(crate) fn emit_pipeline(&mut self, index: usize, state: &str, now_ms: i64) {
        let execution = &self.executions[index];
        let mut detail = self.common(index, state);
        detail["execution-trigger"] =
            json!({"trigger-type": execution.trigger.kind, "trigger-detail": execution.trigger.detail});
        if let Some(reason) = &execution.stop_reason {
            detail["stop-execution-comments"] = json!(reason);
        }
        self.emit("Pipeline", detail, now_ms);
    }

    /// A stage changed for an execution.
    pub(crate) fn emit_stage(&mut self, index: usize, stage: usize, state: &str, now_ms: i64) {
        let mut detail = self.common(index, state);
        detail["stage"] = json!(self.stages[stage].name);
        self.emit("Stage", detail, now_ms);
    }

    /// An action changed.
    pub(crate) fn emit_action(&mut self, at: ActionRef, state: &str, now_ms: i64) {
        let run = &self.executions[at.execution].actions[at.run];
        let action = self.action_of(run);
        let mut detail = self.common(at.execution, state);
        detail["stage"] = json!(self.stages[run.stage].name);
        detail["action"] = json!(action.name);
        detail["region"] = json!(REGION);
        detail["type"] =
            json!({"owner": "AWS", "category": action.category, "provider": action.provider, "version": "1"});
        if run.status != ActionStatus::InProgress {
            // An approval's id in PARALLEL mode is its token, and no token leaves in an event.
            let id = run
                .external_id
                .as_deref()
                .filter(|_| action.category != Category::Approval);
            let error = run.failure.as_ref().map(|failure| failure.code.as_str());
            let parts = [
                ("external-execution-url", run.external_url.as_deref()),
                ("external-execution-summary", run.summary.as_deref()),
                ("external-execution-id", id),
                ("error-code", error),
            ];
            let known = parts
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), json!(value?))));
            detail["execution-result"] = Value::Object(known.collect());
        }
        self.emit("Action", detail, now_ms);
    }

    fn common(&self, index: usize, state: &str) -> Value {
        let execution = &self.executions[index];
        json!({
            "pipeline": self.name,
            "execution-id": execution.id,
            "start-time": iso(execution.started_ms),
            "state": state,
            // The service sends these as floats: a reader that insists on integers must notice.
            "version": to_float(self.version),
            "pipeline-execution-attempt": f64::from(execution.attempt),
        })
    }

    fn emit(&mut self, what: &str, detail: Value, now_ms: i64) {
        self.outbox.push(json!({
            "version": "0",
            "id": ids::uuid(),
            "detail-type": format!("CodePipeline {what} Execution State Change"),
            "source": "aws.codepipeline",
            "account": ACCOUNT,
            "time": iso(now_ms),
            "region": REGION,
            "resources": [self.arn()],
            "detail": detail,
        }));
    }
}

fn to_float(version: u64) -> f64 {
    u32::try_from(version).map_or(f64::MAX, f64::from)
}
