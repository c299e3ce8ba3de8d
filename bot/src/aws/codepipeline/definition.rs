//! What a pipeline is made of: the part that does not change from run to run.

use std::collections::HashMap;

use aws_sdk_codepipeline::types::{ActionCategory, ExecutionMode, PipelineDeclaration, StageState};

/// CodePipeline's own patience with an approval, when the pipeline does not say.
const APPROVAL_MINUTES: i64 = 7 * 24 * 60;

/// A pipeline's stages and actions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Definition {
    pub(super) parallel: bool,
    pub(super) stages: Vec<Stage>,
    /// Why this is not the whole definition.
    pub(super) unknown: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) actions: Vec<Action>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) provider: String,
    pub(super) configuration: HashMap<String, String>,
    pub(super) artifacts: Vec<String>,
    pub(super) minutes: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Source,
    Approval,
    Other,
}

impl Definition {
    pub(super) fn of(pipeline: &PipelineDeclaration) -> Self {
        let stages = pipeline.stages().iter().map(|stage| Stage {
            name: stage.name().to_owned(),
            actions: stage.actions().iter().map(Action::of).collect(),
        });
        Self {
            parallel: pipeline.execution_mode() == Some(&ExecutionMode::Parallel),
            stages: stages.collect(),
            unknown: None,
        }
    }

    /// What can be told without the right to read the definition: names and their order. An approval is what has a token.
    pub(super) fn guessed(stages: &[StageState], why: &str) -> Self {
        let stages = stages.iter().map(|stage| Stage {
            name: stage.stage_name().unwrap_or_default().to_owned(),
            actions: stage
                .action_states()
                .iter()
                .map(|action| {
                    let token = action.latest_execution().and_then(|run| run.token());
                    Action {
                        name: action.action_name().unwrap_or_default().to_owned(),
                        kind: if token.is_some() { Kind::Approval } else { Kind::Other },
                        provider: String::new(),
                        configuration: HashMap::new(),
                        artifacts: Vec::new(),
                        minutes: None,
                    }
                })
                .collect(),
        });
        Self {
            parallel: false,
            stages: stages.collect(),
            unknown: Some(why.to_owned()),
        }
    }

    pub(super) fn action(&self, stage: &str, action: &str) -> Option<&Action> {
        let stage = self.stages.iter().find(|one| one.name == stage)?;
        stage.actions.iter().find(|one| one.name == action)
    }

    /// Every approval, with its stage.
    pub(super) fn approvals(&self) -> impl Iterator<Item = (&Stage, &Action)> {
        self.stages.iter().flat_map(|stage| {
            let approvals = stage.actions.iter().filter(|action| action.kind == Kind::Approval);
            approvals.map(move |action| (stage, action))
        })
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Action> {
        let actions = self.stages.iter().flat_map(|stage| &stage.actions);
        actions.filter(|action| action.kind == Kind::Source)
    }

    /// The stages that an approval lets a run into: from its own up to the one before the next approval's.
    pub(super) fn released_by(&self, stage: &str) -> &[Stage] {
        let Some(from) = self.stages.iter().position(|one| one.name == stage) else {
            return &[];
        };
        let next = self.stages[from + 1..]
            .iter()
            .position(|one| one.actions.iter().any(|action| action.kind == Kind::Approval));
        &self.stages[from..next.map_or(self.stages.len(), |next| from + 1 + next)]
    }
}

impl Action {
    fn of(action: &aws_sdk_codepipeline::types::ActionDeclaration) -> Self {
        let kind = match action.action_type_id().map(|id| id.category()) {
            Some(ActionCategory::Source) => Kind::Source,
            Some(ActionCategory::Approval) => Kind::Approval,
            _ => Kind::Other,
        };
        Self {
            name: action.name().to_owned(),
            kind,
            provider: action.action_type_id().map_or("", |id| id.provider()).to_owned(),
            configuration: action.configuration().cloned().unwrap_or_default(),
            artifacts: action
                .output_artifacts()
                .iter()
                .map(|one| one.name().to_owned())
                .collect(),
            minutes: action.timeout_in_minutes().map(i64::from),
        }
    }

    /// How long CodePipeline waits for an answer, in minutes.
    pub(super) fn patience(&self) -> i64 {
        self.minutes.unwrap_or(APPROVAL_MINUTES)
    }
}

/// CodePipeline's patience with an approval that is not in the definition.
pub(super) const fn default_patience() -> i64 {
    APPROVAL_MINUTES
}
