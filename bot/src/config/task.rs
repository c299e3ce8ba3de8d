//! `[service.NAME.task.NAME]`: a runbook of one step, by a name of its own. What people may start by it is exactly what stands here.

use commands::ids::{RunbookName, StepName};
use commands::runbook::{Asks, OnFailure, Parameter, Runbook, Step, StepSpec};
use commands::step::{Action, Approval};

use super::plain;
use super::runbook::{Head, Known, PATIENCE, asks, step};
use super::section::{Section, Value};
use super::sequence::{Draft, judge};

/// What the step is called by which a second person says yes.
const SECOND: &str = "second-person";

/// Reads the tasks of a service. One that cannot be made is left out; there is a complaint by then.
pub(super) fn read(tables: &Section<'_>, known: Known<'_>) -> Vec<Runbook> {
    tables
        .entries()
        .filter_map(|(name, value)| one(name, value, known))
        .collect()
}

fn one(word: &str, value: Value<'_>, known: Known<'_>) -> Option<Runbook> {
    let text = toml::to_string(&plain::value(value.raw())).unwrap_or_default();
    let mut section = value.section()?;
    let place = section.place.clone();
    let name = place.name(word, RunbookName::task);
    let head = Head::read(&mut section, known);
    let second = section
        .take("second_person")
        .map(|value| asks(&value, known.environments))
        .unwrap_or_default();
    let draft = section
        .need("step", "{ kind = \"lambda\", function = \"…\" }")
        .and_then(Value::section)
        // A name that is none has been complained of: what else is wrong is found all the same.
        .and_then(|table| {
            step(
                table,
                known,
                StepName::parse(word).or_else(|_| StepName::parse(SECOND)).ok(),
            )
        });
    section.finish();
    let (name, draft) = (name?, draft?);
    if draft.spec.step.remedy {
        draft.place.complain(
            "is the only step of its task, so there is nothing that it could be the remedy of: delete `remedy`",
        );
    }
    let question = second_person(word, &head).filter(|_| second != Asks::Never);
    let asked = question.map(|step| Draft {
        spec: StepSpec { step, asks_in: second },
        place,
    });
    let drafts: Vec<Draft<'_>> = asked.into_iter().chain([draft]).collect();
    judge(&drafts, &head.parameters, &[]);
    Some(Runbook {
        name,
        title: head.title,
        command: None,
        starters: head.starters,
        text,
        environments: head.environments,
        parameters: head.parameters,
        on_failure: OnFailure::Stop,
        steps: drafts.into_iter().map(|draft| draft.spec).collect(),
    })
}

/// The question to a second person: what is run, and with which values.
fn second_person(word: &str, head: &Head) -> Option<Step> {
    let value = |parameter: &Parameter| format!("{name} {{parameter.{name}}}", name = parameter.name);
    let values: Vec<String> = head.parameters.iter().map(value).collect();
    let with = if values.is_empty() {
        String::new()
    } else {
        format!(" with {}", values.join(", "))
    };
    Some(Step {
        name: StepName::parse(SECOND).ok()?,
        title: "A second person agrees".to_owned(),
        action: Action::Approval(Approval {
            question: format!("Run task {word} on {{environment}}{with}?"),
            required: 1,
        }),
        region: None,
        group: None,
        asks: false,
        when: None,
        deadline: PATIENCE,
        usual: None,
        retries: 0,
        expect: Vec::new(),
        keep: false,
        only_looks: false,
        remedy: false,
        needs_snapshot: None,
        moves: None,
    })
}
