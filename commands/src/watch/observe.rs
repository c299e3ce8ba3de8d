//! What an observation means: runs are opened, moved on and ended. Reality is never refused, only recorded.

use super::opening::{learn_live, open};
use crate::approval;
use crate::decision::{Change, Decision, Reply};
use crate::effect::{Effect, Recipient};
use crate::facts::Facts;
use crate::gate;
use crate::ids::RecordId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Answer, Ballot, Event, Illegal, Run, Status};
use crate::time::{Span, Timestamp};
use crate::view;
use crate::watch::{self, Answered, Ended, ExecutionSeen, Observation, Watch};

/// Takes in an observation. `pace` is how long the watch waits when nothing is under way, and when something is.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn observe(facts: &Facts<'_>, watch: &Watch, observation: &Observation, pace: Pace) -> Result<Decision, Illegal> {
    if observation.as_of <= watch.as_of {
        return Ok(Decision::default());
    }
    let mut plan = Plan::new(facts);
    learn_live(&mut plan, &watch.site, observation);
    for waiting in &observation.waiting {
        open(&mut plan, &watch.site, waiting, observation)?;
    }
    let open_runs: Vec<RecordId> = facts
        .runs
        .values()
        .filter(|run| run.ended().is_none() && run.pinned.site().as_ref() == Some(&watch.site))
        .map(|run| run.id.clone())
        .collect();
    for id in &open_runs {
        follow(&mut plan, id, observation)?;
    }
    let mut watch = watch.clone();
    let mut events = Vec::new();
    if let Some((since, _)) = watch.failing.take() {
        events.push((watch::Event::Recovered, Reason::Progress));
        if watch.told {
            plan.owe(Effect::Post {
                to: Recipient::Channel(facts.service.channel.clone()),
                marker: format!("{}/recovered/{}", watch.id(), since.0),
                message: view::reading_again_note(&watch.site, since.age(facts.now)),
            });
        }
        watch.failures = 0;
        watch.told = false;
    }
    watch.as_of = observation.as_of;
    watch.read_at = Some(observation.at);
    watch.primed = true;
    let busy = !observation.waiting.is_empty()
        || open_runs
            .iter()
            .any(|id| plan.run(id).is_some_and(|run| run.ended().is_none()));
    let next = facts.now + if busy { pace.busy } else { pace.idle };
    plan.watch(Change::Watch {
        id: watch.id(),
        watch,
        events,
        next_wake: Some(next),
    });
    Ok(plan.finish(Reply::None))
}

/// How often a watch looks; the shell stretches both when an account has many pipelines.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// When nothing is under way.
    pub idle: crate::time::Span,
    /// When something is.
    pub busy: crate::time::Span,
}

/// The effects that gather every check of these environments. They are owed when what would go out is known: some look at its files.
pub fn gather_checks<'a>(
    facts: &Facts<'_>,
    run: &RecordId,
    environments: impl Iterator<Item = &'a crate::ids::EnvironmentId>,
) -> Vec<Effect> {
    environments
        .filter_map(|id| facts.service.environment(id))
        .flat_map(|environment| {
            environment.checks.iter().map(|check| Effect::GatherCheck {
                run: run.clone(),
                check: check.clone(),
                environment: environment.id.clone(),
                aws: environment.aws.clone(),
            })
        })
        .collect()
}

fn follow(plan: &mut Plan<'_>, id: &RecordId, observation: &Observation) -> Result<(), Illegal> {
    let Some(run) = plan.run(id).cloned() else {
        return Ok(());
    };
    let round = &run.pinned.round;
    let still_waits = observation.waiting.iter().any(|waiting| waiting.round == *round);
    if still_waits {
        queue(plan, &run, observation)?;
        if is_unheard(&run, plan.facts.now) {
            approval::answer_again(plan, id);
        }
        return Ok(());
    }
    let Some(seen) = observation
        .executions
        .iter()
        .find(|seen| seen.execution == round.execution)
    else {
        return Ok(());
    };
    progress(plan, &run, seen)?;
    if matches!(run.status, Status::Waiting | Status::Answering) && !answered(plan, &run, seen, observation)? {
        return Ok(());
    }
    let answer = plan
        .run(id)
        .and_then(|run| run.answer.as_ref())
        .map(|answer| answer.ballot);
    match (seen.ended, answer) {
        (None, _) => Ok(()),
        (Some(_), Some(Ballot::Reject)) => approval::end(plan, id, Reason::Rejected),
        (Some(ended), _) => approval::end(plan, id, ending(ended)),
    }
}

/// How long an answer may be under way before a request that still waits means that it did not arrive: the executor may have been shown an old state,
/// found that the request is not there, and said nothing.
const UNHEARD_AFTER: Span = Span::seconds(15);

/// Whether a run's answer seems not to have arrived. What AWS refused, and what nobody can know, is people's matter.
fn is_unheard(run: &Run, now: Timestamp) -> bool {
    let decided = run.decision.as_ref().map(|decision| decision.at);
    run.status == Status::Answering && run.trouble.is_none() && decided.is_some_and(|at| at + UNHEARD_AFTER <= now)
}

const fn ending(ended: Ended) -> Reason {
    match ended {
        Ended::Succeeded => Reason::Succeeded,
        Ended::Failed => Reason::Failed,
        Ended::Stopped => Reason::Stopped,
        Ended::Superseded => Reason::Superseded,
        Ended::Canceled => Reason::Canceled,
    }
}

/// The newer executions at this run's door.
fn queue(plan: &mut Plan<'_>, run: &Run, observation: &Observation) -> Result<(), Illegal> {
    let behind: Vec<_> = observation
        .inbound
        .iter()
        .filter(|inbound| {
            inbound.stage == run.pinned.round.gate.stage && inbound.execution != run.pinned.round.execution
        })
        .map(|inbound| crate::run::Behind {
            execution: inbound.execution.clone(),
            revision: inbound.revision.clone(),
        })
        .collect();
    if behind == run.behind {
        Ok(())
    } else {
        plan.tell(&run.id, Event::QueueSeen { behind }, Reason::Progress)
    }
}

/// Stages and failures.
fn progress(plan: &mut Plan<'_>, run: &Run, seen: &ExecutionSeen) -> Result<(), Illegal> {
    if seen.stages != run.stages {
        plan.tell(
            &run.id,
            Event::StagesSeen {
                stages: seen.stages.clone(),
            },
            Reason::Progress,
        )?;
    }
    for failure in &seen.failures {
        if run
            .failures
            .iter()
            .any(|known| known.action_execution == failure.action_execution)
        {
            continue;
        }
        plan.tell(
            &run.id,
            Event::FailureSeen {
                failure: failure.clone(),
            },
            Reason::Failed,
        )?;
        // An approval that ends with a no or with nobody's word is no failure for its authors to look into: the card says how it ended.
        let gate = &run.pinned.round.gate;
        if failure.stage == gate.stage && failure.action == gate.action {
            continue;
        }
        let message = view::failure_note(run, failure);
        plan.owe(Effect::PostInThread {
            run: run.id.clone(),
            name: format!("failure/{}", failure.action_execution),
            message,
        });
    }
    Ok(())
}

/// A request that went away: was it answered, by us or by others, or did it end otherwise? Says whether the run has an answer now.
fn answered(plan: &mut Plan<'_>, run: &Run, seen: &ExecutionSeen, observation: &Observation) -> Result<bool, Illegal> {
    let round = &run.pinned.round;
    let mut here = seen
        .answered
        .iter()
        .filter(|answered| answered.gate == round.gate && answered.at >= run.pinned.waiting_since);
    let newest = here.next_back();
    if let Some(Answered {
        ballot: Some(ballot),
        at,
        by,
        summary,
        ..
    }) = newest
    {
        let ours = run.decision.is_some() && summary.contains(&run.marker());
        record_answer(plan, run, *ballot, *at, (!ours).then(|| by.clone()))?;
        return Ok(true);
    }
    if observation
        .waiting
        .iter()
        .any(|waiting| waiting.round.execution == round.execution && waiting.round.gate == round.gate)
    {
        approval::end(plan, &run.id, Reason::NewRound)?;
        return Ok(false);
    }
    let reason = match seen.ended {
        // Reads of CodePipeline lag behind each other; the next one will tell.
        None => return Ok(false),
        Some(Ended::Failed) if newest.is_some() && observation.at >= run.pinned.gives_up_at => Reason::Expired,
        Some(Ended::Succeeded) => Reason::AnsweredElsewhere,
        Some(ended) => ending(ended),
    };
    approval::end(plan, &run.id, reason)?;
    Ok(false)
}

/// Takes an answer in, ours or somebody else's. One made elsewhere is recorded, shown, and announced when it passed over a rule.
///
/// # Errors
/// When the run has an answer already: the program is wrong.
pub(crate) fn record_answer(
    plan: &mut Plan<'_>,
    run: &Run,
    ballot: Ballot,
    at: Timestamp,
    elsewhere: Option<String>,
) -> Result<(), Illegal> {
    let out_of_turn = match (&elsewhere, ballot) {
        (Some(_), Ballot::Approve) => {
            let mut reasons: Vec<Reason> = gate::evaluate_run(plan.facts, None, gate::Act::Approve, run)
                .into_iter()
                .map(|refusal| refusal.reason)
                .collect();
            reasons.retain(|reason| !matches!(reason, Reason::NotCurrent | Reason::AlreadyDecided));
            reasons
        }
        _ => Vec::new(),
    };
    let reason = if elsewhere.is_some() {
        Reason::AnsweredElsewhere
    } else {
        Reason::Confirmed
    };
    let foreign = elsewhere.is_some();
    plan.tell(
        &run.id,
        Event::Answered {
            answer: Answer {
                ballot,
                at,
                elsewhere,
                out_of_turn,
            },
        },
        reason,
    )?;
    if foreign {
        if ballot == Ballot::Approve {
            plan.claim(&run.id);
        }
        if let Some(run) = plan.run(&run.id).cloned() {
            plan.owe(Effect::PostInThread {
                run: run.id.clone(),
                name: "answered-elsewhere".to_owned(),
                message: view::answered_elsewhere_note(&run),
            });
        }
    }
    Ok(())
}
