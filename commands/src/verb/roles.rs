//! Who may say which verb where, and who may start which runbook where that is not the operators: the table that `signalbox check` prints.

use super::specs;
use crate::catalog::{Environment, Service, Tier};
use crate::gate::{Act, names};
use crate::view::plain;

/// One row: a verb in an environment, and who may say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The verb.
    pub verb: String,
    /// The environment.
    pub environment: String,
    /// Who, in words: names first, then what else has to be true of them.
    pub who: String,
}

/// The whole table of a service.
#[must_use]
pub fn table(service: &Service) -> Vec<Row> {
    let all = service.environments.iter();
    all.flat_map(|environment| rows(service, environment)).collect()
}

/// The table as people read it: for each environment the people, and behind them what they may say.
#[must_use]
pub fn lines(service: &Service) -> Vec<String> {
    let mut lines = vec![format!("{}, at home in {}", service.id, service.channel)];
    for environment in &service.environments {
        let tier = match environment.tier {
            Tier::Production => " (production)",
            Tier::Standard => "",
        };
        lines.push(format!("  {}{tier}", environment.id));
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for row in rows(service, environment) {
            match groups.iter_mut().find(|(who, _)| *who == row.who) {
                Some((_, verbs)) => verbs.push(row.verb),
                None => groups.push((row.who, vec![row.verb])),
            }
        }
        for (who, verbs) in groups {
            lines.push(format!("    {who}"));
            lines.extend(by_command(&verbs).into_iter().map(|verbs| format!("      {verbs}")));
        }
    }
    lines
}

fn rows(service: &Service, environment: &Environment) -> Vec<Row> {
    let row = |verb: String, who: String| Row {
        verb,
        environment: environment.id.to_string(),
        who,
    };
    let approvers = plain(&names(&environment.approvers.people));
    let operators = plain(&names(environment.operators()));
    let mut rows: Vec<Row> = specs()
        .map(|spec| {
            let who = match spec.act {
                Act::Read => "every member".to_owned(),
                Act::Approve => format!("{approvers}{}", conditions(environment)),
                Act::Reject | Act::Vote => approvers.clone(),
                Act::Operate | Act::Intervene | Act::Start => operators.clone(),
            };
            row(spec.typed(), who)
        })
        .collect();
    if !environment.overriders.is_empty() {
        let who = plain(&names(&environment.overriders));
        rows.push(row("/deploy approve --override".to_owned(), who));
    }
    for runbook in service.runbooks.iter().filter(|runbook| runbook.fits(&environment.id)) {
        if let Some(starters) = &runbook.starters {
            rows.push(row(format!("/deploy run {}", runbook.name), plain(&names(starters))));
        }
    }
    rows
}

/// What an approval takes beyond being among the approvers.
fn conditions(environment: &Environment) -> String {
    let approvers = &environment.approvers;
    let mut words = String::new();
    if approvers.required > 1 {
        words.push_str(&format!("; {} different people", approvers.required));
    }
    if !approvers.all_of.is_empty() {
        let groups: Vec<String> = approvers.all_of.iter().map(|group| format!("@{group}")).collect();
        words.push_str(&format!("; one of each of {}", groups.join(" and ")));
    }
    if !approvers.self_approval {
        words.push_str("; nobody who wrote or started it");
    }
    words
}

/// `/deploy lock, unlock`: each command once, with its verbs.
fn by_command(verbs: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for verb in verbs {
        let (command, rest) = verb.split_once(' ').unwrap_or((verb, ""));
        match lines
            .iter_mut()
            .find(|line| line.split(' ').next() == Some(command) && !rest.is_empty())
        {
            Some(line) => line.push_str(&format!(", {rest}")),
            None => lines.push(verb.clone()),
        }
    }
    lines
}
