//! Who may say which verb where: the table that `signalbox check` prints.

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
            .collect::<Vec<_>>()
    };
    service.environments.iter().flat_map(rows).collect()
}
