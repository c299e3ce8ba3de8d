//! What the actions of one execution tell: pure, over CodePipeline's own words.

use std::collections::BTreeMap;

use aws_sdk_codepipeline::types::{
    ActionCategory, ActionExecutionDetail, ActionExecutionStatus, PipelineExecutionStatus, StageExecutionStatus,
    StageState,
};
use aws_smithy_types::DateTime;
use commands::catalog::Pipeline;
use commands::run::{Ballot, Failure, Stage, StageState as State};
use commands::time::Timestamp;
use commands::watch::{Answered, Ended};

use super::definition::{Definition, Kind};

/// The actions of one execution, oldest first.
pub(super) struct Actions<'a> {
    pub(super) pipeline: &'a str,
    pub(super) definition: &'a Definition,
    pub(super) details: Vec<ActionExecutionDetail>,
}

impl<'a> Actions<'a> {
    /// CodePipeline lists the newest first.
    pub(super) fn new(pipeline: &'a str, definition: &'a Definition, mut details: Vec<ActionExecutionDetail>) -> Self {
        details.reverse();
        details.sort_by_key(|detail| detail.start_time().map_or(0, millis));
        Self {
            pipeline,
            definition,
            details,
        }
    }

    /// Approvals that are over, oldest first.
    pub(super) fn answered(&self) -> Vec<Answered> {
        self.details
            .iter()
            .filter(|detail| self.is_approval(detail) && detail.status() != Some(&ActionExecutionStatus::InProgress))
            .map(|detail| Answered {
                gate: self.gate(detail),
                ballot: ballot(detail),
                at: Timestamp(detail.last_update_time().map_or(0, millis)),
                by: detail.updated_by().unwrap_or_default().to_owned(),
                summary: summary(detail).to_owned(),
            })
            .collect()
    }

    /// Whether a request at this gate is open.
    pub(super) fn is_open(&self, gate: &Pipeline) -> bool {
        self.details
            .iter()
            .any(|detail| detail.status() == Some(&ActionExecutionStatus::InProgress) && self.gate(detail) == *gate)
    }

    /// The tokens of open approvals, as parallel pipelines have them: gate, token, since when.
    pub(super) fn open_tokens(&self) -> Vec<(Pipeline, &str, Timestamp)> {
        let open = self
            .details
            .iter()
            .filter(|detail| self.is_approval(detail) && detail.status() == Some(&ActionExecutionStatus::InProgress));
        open.filter_map(|detail| {
            let token = detail.output()?.execution_result()?.external_execution_id()?;
            let since = detail.start_time().map_or(0, millis);
            Some((self.gate(detail), token, Timestamp(since)))
        })
        .collect()
    }

    /// Actions that failed, oldest first; not those that people answered with no.
    pub(super) fn failures(&self) -> Vec<Failure> {
        self.details
            .iter()
            .filter(|detail| detail.status() == Some(&ActionExecutionStatus::Failed))
            .filter(|detail| !(self.is_approval(detail) && ballot(detail).is_some()))
            .map(failure)
            .collect()
    }

    /// All stages of the pipeline, in order; stages that only this execution knows (the pipeline was edited since) come last.
    pub(super) fn stages(&self, execution: &str, seen: &[StageState]) -> Vec<Stage> {
        let mut names: Vec<&str> = self.definition.stages.iter().map(|stage| stage.name.as_str()).collect();
        for name in self.details.iter().filter_map(|detail| detail.stage_name()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
            .into_iter()
            .map(|name| Stage {
                name: name.to_owned(),
                state: self
                    .stage_by_state(name, execution, seen)
                    .unwrap_or_else(|| self.stage_by_actions(name)),
            })
            .collect()
    }

    /// The pipeline's own word on a stage, while this execution is the one it last had.
    fn stage_by_state(&self, name: &str, execution: &str, seen: &[StageState]) -> Option<State> {
        let latest = seen
            .iter()
            .find(|stage| stage.stage_name() == Some(name))?
            .latest_execution()?;
        if self.definition.parallel || latest.pipeline_execution_id() != execution {
            return None;
        }
        Some(match latest.status() {
            StageExecutionStatus::InProgress | StageExecutionStatus::Stopping => State::Running,
            StageExecutionStatus::Succeeded | StageExecutionStatus::Skipped => State::Succeeded,
            StageExecutionStatus::Failed => State::Failed,
            StageExecutionStatus::Stopped | StageExecutionStatus::Cancelled => State::Stopped,
            _ => State::Unknown,
        })
    }

    /// The newest try of each action decides.
    fn stage_by_actions(&self, name: &str) -> State {
        let mut newest: BTreeMap<&str, &ActionExecutionStatus> = BTreeMap::new();
        for detail in self.details.iter().filter(|detail| detail.stage_name() == Some(name)) {
            if let (Some(action), Some(status)) = (detail.action_name(), detail.status()) {
                newest.insert(action, status);
            }
        }
        let any = |wanted: &ActionExecutionStatus| newest.values().any(|status| *status == wanted);
        let known = self.definition.stages.iter().find(|stage| stage.name == name);
        let complete = known.is_none_or(|stage| newest.len() >= stage.actions.len());
        if newest.is_empty() {
            State::Ahead
        } else if any(&ActionExecutionStatus::Failed) {
            State::Failed
        } else if any(&ActionExecutionStatus::Abandoned) {
            State::Stopped
        } else if !any(&ActionExecutionStatus::InProgress)
            && newest
                .values()
                .all(|status| **status == ActionExecutionStatus::Succeeded)
            && complete
        {
            State::Succeeded
        } else if newest.values().all(|status| {
            matches!(
                status,
                ActionExecutionStatus::InProgress | ActionExecutionStatus::Succeeded
            )
        }) {
            State::Running
        } else {
            State::Unknown
        }
    }

    fn is_approval(&self, detail: &ActionExecutionDetail) -> bool {
        let told = detail.input().and_then(|input| input.action_type_id());
        if let Some(id) = told {
            return *id.category() == ActionCategory::Approval;
        }
        let names = (
            detail.stage_name().unwrap_or_default(),
            detail.action_name().unwrap_or_default(),
        );
        self.definition
            .action(names.0, names.1)
            .is_some_and(|action| action.kind == Kind::Approval)
    }

    fn gate(&self, detail: &ActionExecutionDetail) -> Pipeline {
        Pipeline {
            name: self.pipeline.to_owned(),
            stage: detail.stage_name().unwrap_or_default().to_owned(),
            action: detail.action_name().unwrap_or_default().to_owned(),
        }
    }
}

/// A failed approval was answered with no when somebody is behind it; nobody is behind one that expired.
fn ballot(detail: &ActionExecutionDetail) -> Option<Ballot> {
    match detail.status() {
        Some(ActionExecutionStatus::Succeeded) => Some(Ballot::Approve),
        Some(ActionExecutionStatus::Failed) => {
            let code = error(detail)
                .and_then(|error| error.code())
                .unwrap_or_default()
                .to_lowercase();
            let expired = code.contains("timedout") || code.contains("timeout");
            (!expired && detail.updated_by().is_some_and(|by| !by.is_empty())).then_some(Ballot::Reject)
        }
        _ => None,
    }
}

fn error(detail: &ActionExecutionDetail) -> Option<&aws_sdk_codepipeline::types::ErrorDetails> {
    detail.output()?.execution_result()?.error_details()
}

fn summary(detail: &ActionExecutionDetail) -> &str {
    let result = detail.output().and_then(|output| output.execution_result());
    result
        .and_then(|result| result.external_execution_summary())
        .unwrap_or_default()
}

fn failure(detail: &ActionExecutionDetail) -> Failure {
    let words = error(detail).map(|error| match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (one, other) => one.or(other).unwrap_or_default().to_owned(),
    });
    let message = words
        .filter(|words| !words.is_empty())
        .unwrap_or_else(|| summary(detail).to_owned());
    let result = detail.output().and_then(|output| output.execution_result());
    Failure {
        stage: detail.stage_name().unwrap_or_default().to_owned(),
        action: detail.action_name().unwrap_or_default().to_owned(),
        action_execution: detail.action_execution_id().unwrap_or_default().to_owned(),
        message: if message.is_empty() {
            "CodePipeline gives no reason".to_owned()
        } else {
            message
        },
        link: result
            .and_then(|result| result.external_execution_url())
            .map(str::to_owned),
    }
}

/// How an execution ended, if it did.
pub(super) fn ended(status: Option<&PipelineExecutionStatus>) -> Option<Ended> {
    match status? {
        PipelineExecutionStatus::Succeeded => Some(Ended::Succeeded),
        PipelineExecutionStatus::Failed => Some(Ended::Failed),
        PipelineExecutionStatus::Stopped => Some(Ended::Stopped),
        PipelineExecutionStatus::Superseded => Some(Ended::Superseded),
        PipelineExecutionStatus::Cancelled => Some(Ended::Canceled),
        _ => None,
    }
}

/// Milliseconds since the epoch.
pub(super) fn millis(at: &DateTime) -> i64 {
    at.to_millis().unwrap_or_default()
}

#[cfg(test)]
mod tests;
