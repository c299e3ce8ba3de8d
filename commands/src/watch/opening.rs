//! How runs begin: a request for approval is seen, belongs to environments, and is pinned.

use crate::approval;
use crate::catalog::{Environment, Service, Site};
use crate::desk;
use crate::effect::Effect;
use crate::ids::RecordId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::round::Round;
use crate::run::{Illegal, Live, Pinned, Target};
use crate::watch::{Observation, Waiting};

/// The run that a request for approval at this site belongs to. The home environment is part of its name.
#[must_use]
pub fn run_of(service: &Service, site: &Site, waiting: &Waiting) -> Option<(RecordId, Vec<Environment>)> {
    let gate = &waiting.round.gate;
    let mut environments = service.environments_for(site, gate, waiting.revision.git_ref.as_deref());
    if environments.is_empty() {
        // Which environment it goes to cannot be told: then the rules of all of them hold.
        environments = service.environments_behind(site, gate);
    }
    let home = environments.first()?;
    let id = RecordId::run(&home.id, &waiting.round.seed());
    Some((id, environments.into_iter().cloned().collect()))
}

/// The runs that an observation may touch beside the open ones: those that it would open, in case they exist already.
#[must_use]
pub fn runs_of(service: &Service, site: &Site, observation: &Observation) -> Vec<RecordId> {
    observation
        .waiting
        .iter()
        .filter_map(|waiting| Some(run_of(service, site, waiting)?.0))
        .collect()
}

/// What is live before the bot's first run is learned from the pipeline's own history.
pub(super) fn learn_live(plan: &mut Plan<'_>, site: &Site, observation: &Observation) {
    // Newest last: of several environments behind one gate each keeps the newest that fits it.
    let mut successes: Vec<_> = observation.successes.iter().collect();
    successes.sort_by_key(|success| success.at);
    for success in successes {
        let environments: Vec<_> = plan
            .facts
            .service
            .environments_for(site, &success.gate, success.revision.git_ref.as_deref())
            .into_iter()
            .map(|environment| environment.id.clone())
            .collect();
        for environment in environments {
            let newer = plan
                .desk()
                .live
                .get(&environment)
                .is_none_or(|live| live.since < success.at);
            if newer {
                let live = Live {
                    revision: success.revision.clone(),
                    execution: success.execution.clone(),
                    since: success.at,
                };
                plan.tell_desk(desk::Event::LiveSeen { environment, live }, Reason::Evidence);
            }
        }
    }
}

pub(super) fn open(
    plan: &mut Plan<'_>,
    site: &Site,
    waiting: &Waiting,
    observation: &Observation,
) -> Result<(), Illegal> {
    let facts = plan.facts;
    let Some((id, environments)) = run_of(facts.service, site, waiting) else {
        return Ok(());
    };
    if plan.run(&id).is_some() {
        return Ok(());
    }
    let round = &waiting.round;
    let previous = facts
        .runs
        .values()
        .filter(|run| run.pinned.round.execution == round.execution && run.pinned.round.gate == round.gate)
        .max_by_key(|run| run.pinned.waiting_since)
        .map(|run| run.id.clone())
        .or_else(|| finished_before(plan, round));
    let targets: Vec<Target> = environments
        .iter()
        .map(|environment| target(plan, environment))
        .collect();
    let pinned = Pinned {
        service: facts.service.id.clone(),
        environments: targets.clone(),
        round: round.clone(),
        revision: waiting.revision.clone(),
        starter: waiting.starter.clone(),
        waiting_since: waiting.since,
        gives_up_at: waiting.gives_up_at,
        channel: facts.service.channel.clone(),
        previous,
        runbook: approval::APPROVAL_RUNBOOK.to_owned(),
        console_url: waiting.console_url.clone(),
        parallel: observation.parallel,
    };
    plan.open(&id, pinned)?;
    let base = targets
        .first()
        .and_then(|target| target.live.as_ref()?.revision.commit.clone());
    plan.owe(Effect::GatherChange {
        run: id.clone(),
        base,
        head: waiting.revision.commit.clone(),
    });
    Ok(())
}

/// The run of an earlier round of the same execution that is over: a retried approval asks under a new token.
fn finished_before(plan: &Plan<'_>, round: &Round) -> Option<RecordId> {
    let mut finished = plan
        .desk()
        .recent
        .values()
        .flatten()
        .filter(|run| run.execution == round.execution);
    finished.next().map(|run| run.run.clone())
}

fn target(plan: &Plan<'_>, environment: &Environment) -> Target {
    Target {
        environment: environment.id.clone(),
        tier: environment.tier,
        aws: environment.aws.clone(),
        live: plan.desk().live.get(&environment.id).cloned(),
    }
}
