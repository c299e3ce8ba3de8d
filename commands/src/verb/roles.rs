//! Who may say which verb where, and who may start which runbook where that is not the operators: the table that `signalbox check` prints.

use super::specs;
use crate::catalog::Service;
use crate::gate::Act;

/// One row: a verb in an environment, and who may say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The verb.
    pub verb: String,
    /// The environment.
    pub environment: String,
    /// Who, in words.
    pub who: String,
}

/// The whole table of a service.
#[must_use]
pub fn table(service: &Service) -> Vec<Row> {
    let rows = |environment: &crate::catalog::Environment| {
        let name = environment.id.to_string();
        let approvers = crate::view::plain(&crate::gate::names(&environment.approvers.people));
        let operators = crate::view::plain(&crate::gate::names(environment.operators()));
        let own = service.runbooks.iter().filter(|runbook| runbook.fits(&environment.id));
        let own = own.filter_map(|runbook| {
            Some(Row {
                verb: format!("/deploy run {}", runbook.name),
                environment: environment.id.to_string(),
                who: crate::view::plain(&crate::gate::names(runbook.starters.as_ref()?)),
            })
        });
        specs()
            .map(|spec| {
                let who = match spec.act {
                    Act::Read => "every member".to_owned(),
                    Act::Approve | Act::Reject | Act::Vote => approvers.clone(),
                    Act::Operate | Act::Intervene | Act::Start => operators.clone(),
                };
                Row {
                    verb: spec.typed(),
                    environment: name.clone(),
                    who,
                }
            })
            .chain(own)
            .collect::<Vec<_>>()
    };
    service.environments.iter().flat_map(rows).collect()
}
