//! What can be run: the team's runbooks and tasks, as `/deploy run` alone lists them.

use super::message::{Block, Line, Message, bold, code};
use super::words::cut;
use crate::catalog::Service;
use crate::runbook::{Parameter, Runbook};

/// Every runbook and task of these services, with what to type.
#[must_use]
pub fn runnable(services: &[&Service]) -> Message {
    let all = || {
        services
            .iter()
            .flat_map(|service| service.runbooks.iter().map(move |runbook| (*service, runbook)))
    };
    let lines = |tasks: bool| -> Vec<Line> {
        let wanted = all().filter(|(_, runbook)| runbook.name.is_task() == tasks);
        wanted
            .map(|(service, runbook)| one((service, services.len() > 1), runbook))
            .collect()
    };
    if all().next().is_none() {
        return Message::line(line![
            "No service here has a runbook or a task: add ",
            code("[[service.NAME.runbook.NAME.step]]"),
            " to the configuration."
        ]);
    }
    let mut message = Message::headed(line![bold("What can be run here")], Vec::new());
    for (title, lines) in [("Runbooks", lines(false)), ("Tasks, of one step each", lines(true))] {
        if !lines.is_empty() {
            let head = vec![line![bold(title)]];
            message = message.with(Block::Section(head.into_iter().chain(lines).collect()));
        }
    }
    message.with(Block::Context(vec![line![
        code("--plan"),
        " behind it shows what it would do, with the very values, and changes nothing."
    ]]))
}

/// `/deploy run rollback <testnet|mainnet> version=…  Deploys an earlier version again`.
fn one((service, several): (&Service, bool), runbook: &Runbook) -> Line {
    let fitting = service
        .environments
        .iter()
        .filter(|environment| runbook.fits(&environment.id));
    let names: Vec<&str> = fitting.map(|environment| environment.id.as_str()).collect();
    let environment = match names.as_slice() {
        [one] => (*one).to_owned(),
        names => format!("<{}>", names.join("|")),
    };
    let mut words = vec!["/deploy run".to_owned(), runbook.name.to_string()];
    words.extend(several.then(|| service.id.to_string()));
    words.push(environment);
    words.extend(runbook.parameters.iter().map(parameter));
    line![code(words.join(" ")), format!("  {}", cut(&runbook.title, 200))]
}

/// `schema=before|after`, and in brackets what need not be said.
fn parameter(parameter: &Parameter) -> String {
    let value = if parameter.choices.is_empty() {
        "…".to_owned()
    } else {
        parameter.choices.join("|")
    };
    let said = format!("{}={value}", parameter.name);
    if parameter.default.is_some() {
        format!("[{said}]")
    } else {
        said
    }
}
