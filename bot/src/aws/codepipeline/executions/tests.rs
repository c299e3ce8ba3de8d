use aws_sdk_codepipeline::types::{ActionExecutionOutput, ActionExecutionResult};
use commands::run::StageState as State;

use super::super::definition::{Action, Stage as Defined};
use super::*;

fn definition(parallel: bool) -> Definition {
    let action = |name: &str| Action {
        name: name.to_owned(),
        kind: Kind::Other,
        provider: String::new(),
        configuration: std::collections::HashMap::new(),
        artifacts: vec![],
        minutes: None,
    };
    let stage = |name: &str, actions: &[&str]| Defined {
        name: name.to_owned(),
        actions: actions.iter().map(|name| action(name)).collect(),
    };
    Definition {
        parallel,
        stages: vec![stage("Build", &["Compile", "Test"]), stage("Deploy", &["Apply"])],
        unknown: None,
    }
}

fn detail(stage: &str, action: &str, at: i64, status: ActionExecutionStatus) -> ActionExecutionDetail {
    let result = ActionExecutionResult::builder()
        .external_execution_summary("words")
        .build();
    ActionExecutionDetail::builder()
        .stage_name(stage)
        .action_name(action)
        .action_execution_id(format!("{action}-{at}"))
        .start_time(DateTime::from_secs(at))
        .status(status)
        .output(ActionExecutionOutput::builder().execution_result(result).build())
        .build()
}

fn states(details: Vec<ActionExecutionDetail>) -> Vec<State> {
    let definition = definition(true);
    let actions = Actions::new("p", &definition, details);
    actions.stages("e1", &[]).into_iter().map(|stage| stage.state).collect()
}

use ActionExecutionStatus::{Abandoned, Failed, InProgress, Succeeded};

#[test]
fn a_stage_is_what_the_newest_try_of_its_actions_is() {
    let compiled = || detail("Build", "Compile", 1, Succeeded);
    assert_eq!(states(vec![]), [State::Ahead, State::Ahead]);
    assert_eq!(states(vec![compiled()]), [State::Running, State::Ahead]);
    assert_eq!(
        states(vec![detail("Build", "Test", 2, Succeeded), compiled()]),
        [State::Succeeded, State::Ahead]
    );
    let failed = || detail("Build", "Test", 2, Failed);
    assert_eq!(states(vec![failed(), compiled()]), [State::Failed, State::Ahead]);
    let retried = detail("Build", "Test", 3, InProgress);
    assert_eq!(
        states(vec![retried, failed(), compiled()]),
        [State::Running, State::Ahead]
    );
    assert_eq!(
        states(vec![detail("Build", "Test", 2, Abandoned), compiled()]),
        [State::Stopped, State::Ahead]
    );
    assert_eq!(
        states(vec![detail("Build", "Test", 2, "Brooding".into()), compiled()]),
        [State::Unknown, State::Ahead]
    );
}

#[test]
fn stages_that_only_the_execution_knows_come_last() {
    let definition = definition(true);
    let actions = Actions::new("p", &definition, vec![detail("Smoke", "Ping", 1, Succeeded)]);
    let names: Vec<_> = actions.stages("e1", &[]).into_iter().map(|stage| stage.name).collect();
    assert_eq!(names, ["Build", "Deploy", "Smoke"]);
}

#[test]
fn every_failure_is_told_once_with_words() {
    let definition = definition(false);
    let actions = Actions::new(
        "p",
        &definition,
        vec![detail("Build", "Test", 3, Failed), detail("Build", "Test", 2, Failed)],
    );
    let failures = actions.failures();
    let ids: Vec<_> = failures
        .iter()
        .map(|failure| failure.action_execution.as_str())
        .collect();
    assert_eq!(ids, ["Test-2", "Test-3"]);
    assert_eq!(failures[0].message, "words");
}
