//! What the verbs of `/maintenance` have in common.

use super::{nothing, refused};
use crate::catalog::{Environment, MaintenanceMode};
use crate::decision::Decision;
use crate::facts::{Facts, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::operation::Matter;
use crate::operation::errand::busy;

/// An environment that has a maintenance mode, with how it goes into it.
pub(super) type Known<'f> = (&'f Environment, &'f MaintenanceMode);

/// Reads `<env>`, which has to have a maintenance mode.
pub(super) fn environment(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, EnvironmentId), ParseError> {
    let at = args.clone();
    let (service, environment) = args.environment(scope)?;
    let known = scope
        .catalog
        .services
        .get(service.as_str())
        .and_then(|service| service.environment(&environment)?.maintenance.as_ref());
    if known.is_none() {
        return Err(at.error(format!(
            "{service} does not say how {environment} goes into maintenance mode: add `maintenance = {{ … }}` to it"
        )));
    }
    Ok((service, environment))
}

/// The environment, for those who may turn it there; else what they are told. `judged`: somebody has judged already whether they may.
pub(super) fn permitted<'f>(
    facts: &Facts<'f>,
    speaker: &Speaker,
    (id, judged): (&EnvironmentId, bool),
) -> Result<Known<'f>, Box<Decision>> {
    let Some(environment) = facts.service.environment(id) else {
        return Err(Box::new(nothing("the environment is no longer configured")));
    };
    let mut refusals = gate::evaluate(&Question {
        facts,
        speaker: Some(speaker),
        act: if judged { Act::Read } else { Act::Operate },
        environment,
        run: None,
    });
    if refusals.is_empty() {
        refusals.extend(busy(facts, environment, Matter::Maintenance));
    }
    if !refusals.is_empty() {
        return Err(Box::new(refused(refusals)));
    }
    let mode = environment.maintenance.as_ref();
    mode.map(|mode| (environment, mode)).ok_or_else(|| {
        Box::new(nothing(
            "the configuration no longer says how it goes into maintenance mode",
        ))
    })
}
