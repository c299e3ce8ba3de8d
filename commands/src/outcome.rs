//! What comes back from effects, and what it means.

use crate::decision::{Change, Decision, Reply};
use crate::effect::{Effect, Outcome, Recipient};
use crate::facts::Facts;
use crate::ids::RecordId;
use crate::operation;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Ballot, CardRef, Event, Illegal, Run, Status, Trouble};
use crate::time::Timestamp;
use crate::verb;
use crate::view;
use crate::watch::{self, Answered, Pace, Watch};

/// Takes in the outcome of an effect. The facts hold the run or watch that the effect is about, and for an observation every open run.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn hear(
    facts: &Facts<'_>,
    effect: &Effect,
    outcome: &Outcome,
    watch: Option<&Watch>,
    pace: Pace,
) -> Result<Decision, Illegal> {
    let mut plan = Plan::new(facts);
    match (effect, outcome) {
        (Effect::ReadPipeline { .. }, Outcome::Observed { observation }) => {
            return watch.map_or_else(
                || Ok(Decision::default()),
                |watch| watch::observe(facts, watch, observation, pace),
            );
        }
        (Effect::ReadPipeline { .. }, Outcome::ReadFailed { why }) => read_failed(&mut plan, watch, why, pace),
        (Effect::Step(call), outcome) => {
            operation::hear::hear(&mut plan, call, outcome)?;
            return verb::approve_after(plan, &call.run);
        }
        (Effect::DrawCard { run }, outcome) if run.is_operation() => drawn_operation(&mut plan, run, outcome)?,
        (Effect::DrawCard { run }, outcome) => drawn(&mut plan, run, outcome)?,
        (Effect::GatherChange { run, .. }, Outcome::Change { change }) if is_open(&plan, run) => {
            plan.tell(run, Event::ChangeGathered { change: change.clone() }, Reason::Evidence)?;
            gather_checks(&mut plan, run);
        }
        (Effect::GatherCheck { run, .. }, Outcome::Judged { verdict }) if is_open(&plan, run) => {
            plan.tell(
                run,
                Event::VerdictGiven {
                    verdict: verdict.clone(),
                },
                Reason::Evidence,
            )?;
        }
        (
            Effect::AnswerApproval {
                run, marker, ballot, ..
            },
            outcome,
        ) => {
            let known = plan
                .run(run)
                .filter(|run| run.status == Status::Answering && run.marker() == *marker)
                .cloned();
            if let Some(known) = known {
                answered(&mut plan, &known, *ballot, outcome)?;
            }
        }
        (Effect::RetryStage { run, .. } | Effect::StopExecution { run, .. }, outcome) => {
            intervened(&mut plan, effect, run, outcome)?
        }
        _ => {}
    }
    Ok(plan.finish(Reply::None))
}

/// What would go out is known: now the checks can look at it.
fn gather_checks(plan: &mut Plan<'_>, id: &RecordId) {
    let environments: Vec<_> = plan
        .run(id)
        .map(|run| run.environments().cloned().collect())
        .unwrap_or_default();
    for effect in watch::gather_checks(plan.facts, id, environments.iter()) {
        plan.owe(effect);
    }
}

/// Evidence about a run that is over is of no use.
fn is_open(plan: &Plan<'_>, run: &RecordId) -> bool {
    plan.run(run).is_some_and(|known| known.ended().is_none())
}

fn read_failed(plan: &mut Plan<'_>, watch: Option<&Watch>, why: &str, pace: Pace) {
    let Some(watch) = watch else { return };
    let mut watch = watch.clone();
    let mut events = Vec::new();
    if watch.failing.is_none() {
        events.push((watch::Event::Failing { why: why.to_owned() }, Reason::AwsRefused));
    }
    let since = watch.failing.as_ref().map_or(plan.facts.now, |(since, _)| *since);
    watch.failing = Some((since, why.to_owned()));
    watch.failures = watch.failures.saturating_add(1);
    if watch.failures >= watch::FAILURES_TOLD && !watch.told {
        watch.told = true;
        plan.owe(Effect::Post {
            to: Recipient::Channel(plan.facts.service.channel.clone()),
            marker: format!("{}/failing/{}", watch.id(), since.0),
            message: view::not_read_note(plan.facts.service, &watch.site, (since, why)),
        });
    }
    let next_wake = Some(plan.facts.now + pace.idle);
    plan.watch(Change::Watch {
        id: watch.id(),
        watch,
        events,
        next_wake,
    });
}

fn drawn(plan: &mut Plan<'_>, id: &RecordId, outcome: &Outcome) -> Result<(), Illegal> {
    let Some(run) = plan.run(id) else { return Ok(()) };
    match outcome {
        Outcome::Drawn {
            posted: Some((channel, ts)),
        } if run.card.is_none() => {
            let card = CardRef {
                channel: channel.clone(),
                ts: ts.clone(),
                at: up_since(ts).unwrap_or(plan.facts.now),
            };
            plan.tell(id, Event::CardPosted { card }, Reason::Card)
        }
        // Somebody deleted it. It is posted again once: twice would be a quarrel.
        Outcome::CardGone if run.card.is_some() && run.reposts == 0 => plan.tell(id, Event::CardLost, Reason::Card),
        _ => Ok(()),
    }
}

fn drawn_operation(plan: &mut Plan<'_>, id: &RecordId, outcome: &Outcome) -> Result<(), Illegal> {
    let Some(known) = plan.operation(id) else { return Ok(()) };
    let event = match outcome {
        Outcome::Drawn {
            posted: Some((channel, ts)),
        } if known.card.is_none() => {
            let card = CardRef {
                channel: channel.clone(),
                ts: ts.clone(),
                at: up_since(ts).unwrap_or(plan.facts.now),
            };
            operation::Event::CardPosted { card }
        }
        // Somebody deleted it. It is posted again once: twice would be a quarrel.
        Outcome::CardGone if known.card.is_some() && known.reposts == 0 => operation::Event::CardLost,
        _ => return Ok(()),
    };
    plan.tell_operation(id, event, Reason::Card)
}

/// A message's `ts` is the instant at which Slack took it: what an earlier try posted has been up since then.
fn up_since(ts: &str) -> Option<Timestamp> {
    let seconds: i64 = ts.split('.').next()?.parse().ok()?;
    Some(Timestamp(seconds.checked_mul(1000)?))
}

fn answered(plan: &mut Plan<'_>, run: &Run, ballot: Ballot, outcome: &Outcome) -> Result<(), Illegal> {
    let now = plan.facts.now;
    match outcome {
        Outcome::AnswerTaken { at } => watch::record_answer(plan, run, ballot, *at, None),
        Outcome::AnsweredElsewhere {
            answered:
                Answered {
                    ballot: Some(theirs),
                    at,
                    by,
                    ..
                },
        } => watch::record_answer(plan, run, *theirs, *at, Some(by.clone())),
        Outcome::TooLate => {
            plan.tell(&run.id, Event::Lapsed, Reason::Lapsed)?;
            plan.free(&run.id);
            plan.owe(Effect::PostInThread {
                run: run.id.clone(),
                name: format!("lapsed/{}", run.decision.as_ref().map_or(0, |decision| decision.number)),
                message: view::lapsed_note(run),
            });
            Ok(())
        }
        Outcome::Refused { code, message } => {
            let text = format!("{code}: {message}");
            plan.tell(
                &run.id,
                Event::TroubleMet {
                    trouble: Trouble {
                        reason: Reason::AwsRefused,
                        text,
                        at: now,
                    },
                },
                Reason::AwsRefused,
            )
        }
        Outcome::Unknown { why } => plan.tell(
            &run.id,
            Event::TroubleMet {
                trouble: Trouble {
                    reason: Reason::Unknown,
                    text: why.clone(),
                    at: now,
                },
            },
            Reason::Unknown,
        ),
        // The next observation says what became of the request, and ends the run.
        _ => Ok(()),
    }
}

fn intervened(plan: &mut Plan<'_>, effect: &Effect, id: &RecordId, outcome: &Outcome) -> Result<(), Illegal> {
    let Some(run) = plan.run(id).cloned() else {
        return Ok(());
    };
    let now = plan.facts.now;
    match (effect, outcome) {
        (Effect::RetryStage { .. }, Outcome::Done) if run.ended().is_some() => {
            plan.tell(id, Event::Retried, Reason::Progress)?;
            plan.claim(id);
            Ok(())
        }
        (_, Outcome::Refused { code, message }) => {
            let text = format!("{code}: {message}");
            plan.tell(
                id,
                Event::TroubleMet {
                    trouble: Trouble {
                        reason: Reason::AwsRefused,
                        text,
                        at: now,
                    },
                },
                Reason::AwsRefused,
            )
        }
        (_, Outcome::Unknown { why }) => plan.tell(
            id,
            Event::TroubleMet {
                trouble: Trouble {
                    reason: Reason::Unknown,
                    text: why.clone(),
                    at: now,
                },
            },
            Reason::Unknown,
        ),
        _ => Ok(()),
    }
}
