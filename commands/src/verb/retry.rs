//! `retry <run|env>`: runs the failed actions of a failed stage again, or tells CodePipeline again what was decided.

use super::{Spec, Verb, nothing, refused};
use crate::approval;
use crate::decision::{Decision, Refusal, Reply};
use crate::effect::{CallPhase, Effect};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, RecordId, ServiceId, StepName};
use crate::operation::{self, Operation};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Event, Illegal, Request, Run, StageState, Status};
use crate::view::{Inline, Message, text};

/// A wish to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Which run.
    pub target: Target,
}

/// A run by name, or the newest of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This one.
    Run(RecordId),
    /// The newest of this environment.
    Newest(EnvironmentId),
}

impl Verb for Retry {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "retry",
        usage: "<env> [run]",
        summary: "Run the failed actions of a failed stage again",
        detail: "On a runbook's run it tries the stuck step again. On a run whose answer AWS refused, it tells CodePipeline again what was decided, as long as the decision stands (10 minutes).",
        flags: &[],
        act: Act::Intervene,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, target) = Target::parse(args, scope)?;
        args.end()?;
        Ok((service, Self { target }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.target.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        if let Some(operation) = self.target.operation(facts) {
            return again(facts, speaker, operation);
        }
        let run = match self.target.permitted(facts, speaker) {
            Ok(run) => run,
            Err(refusals) if refusals.is_empty() => return Ok(nothing("there is no run to retry")),
            Err(refusals) => return Ok(refused(refusals)),
        };
        let mut plan = Plan::new(facts);
        let reply = match (run.status, failed_stage(run)) {
            (Status::Answering, _) => {
                plan.tell(
                    &run.id,
                    Event::Asked {
                        user: speaker.user.clone(),
                        what: Request::Answer,
                        reason: String::new(),
                    },
                    Reason::Asked,
                )?;
                if !approval::answer_again(&mut plan, &run.id) {
                    return Ok(nothing("the decision is older than 10 minutes and goes back to people"));
                }
                format!("Telling CodePipeline again about {}.", run.pinned.revision.short())
            }
            (
                Status::Ended {
                    reason: Reason::Failed, ..
                },
                Some(stage),
            ) => {
                plan.tell(
                    &run.id,
                    Event::Asked {
                        user: speaker.user.clone(),
                        what: Request::Retry,
                        reason: String::new(),
                    },
                    Reason::Asked,
                )?;
                plan.owe(Effect::RetryStage {
                    run: run.id.clone(),
                    pipeline: run.pinned.round.gate.name.clone(),
                    stage: stage.clone(),
                    execution: run.pinned.round.execution.clone(),
                    aws: run
                        .pinned
                        .environments
                        .first()
                        .map(|target| target.aws.clone())
                        .unwrap_or_default(),
                    actor: speaker.user.clone(),
                    number: run.retries + 1,
                });
                format!("retries stage {stage} of {}", run.pinned.revision.short())
            }
            _ => return Ok(nothing("this run has no failed stage")),
        };
        let line = vec![Inline::Mention(speaker.user.clone()), text(format!(" {reply}"))];
        Ok(plan.finish(Reply::Public(Message::line(line))))
    }
}

/// The stuck steps of a runbook's run begin anew.
pub(super) fn again(facts: &Facts<'_>, speaker: &Speaker, operation: &Operation) -> Result<Decision, Illegal> {
    let refusals = super::may_operate(facts, speaker, Some(operation.environment()));
    if !refusals.is_empty() {
        return Ok(refused(refusals));
    }
    if operation.status != operation::Status::Stopped {
        return Ok(nothing("no step of this run is stuck"));
    }
    let (id, undoing) = (&operation.id, operation.undone_by.is_some());
    let mut plan = Plan::new(facts);
    for (step, state) in operation.all().filter(|(_, state)| state.phase.is_stuck()) {
        let (step, by) = (step.name.clone(), Some(speaker.user.clone()));
        if state.phase == operation::Phase::UndoFailed {
            plan.tell_operation(id, operation::Event::UndoStarted { step: step.clone() }, Reason::Asked)?;
            operation::calls::owe(&mut plan, id, &step, CallPhase::Undo, facts.now);
        } else if !undoing {
            for step in [snapshot_of(operation, &step), Some(step)].into_iter().flatten() {
                let by = by.clone();
                plan.tell_operation(id, operation::Event::StepRetried { step, by }, Reason::Asked)?;
            }
        }
    }
    plan.tell_operation(id, operation::Event::Resumed, Reason::Progress)?;
    operation::advance::advance(&mut plan, id)?;
    let said = format!(" tries {} again", operation.pinned.runbook);
    Ok(plan.finish(super::steer::aloud(vec![
        Inline::Mention(speaker.user.clone()),
        text(said),
    ])))
}

/// The step that has to take a new snapshot before a step that needs a young one can be tried again.
fn snapshot_of(operation: &Operation, step: &StepName) -> Option<StepName> {
    let (step, state) = operation.step(step)?;
    let failure = state.failure.as_ref()?;
    let needed = &step.needs_snapshot.as_ref()?.step;
    let (_, taken) = operation.step(needed)?;
    (failure.code == operation::NO_SNAPSHOT && taken.phase.is_settled()).then(|| needed.clone())
}

fn failed_stage(run: &Run) -> Option<String> {
    run.stages
        .iter()
        .find(|stage| stage.state == StageState::Failed)
        .map(|stage| stage.name.clone())
}

impl Target {
    /// Reads `<env> [run]`.
    pub(super) fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = args.environment(scope)?;
        if let Some(id) = args.peek().and_then(|word| super::steer::run_named(&environment, word)) {
            args.next();
            return Ok((service, Self::Run(id)));
        }
        let Some(word) = args
            .peek()
            .filter(|word| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit()))
        else {
            return Ok((service, Self::Newest(environment)));
        };
        let id = RecordId::parse(&format!("run/{environment}/{word}")).map_err(|_| args.error("this is no run"))?;
        args.next();
        Ok((service, Self::Run(id)))
    }

    pub(super) fn needs(&self, service: &crate::catalog::Service) -> Needs {
        let mut needs = Needs::default();
        match self {
            Self::Run(id) => drop(needs.runs.insert(id.clone())),
            Self::Newest(environment) => {
                needs.open_in.insert(environment.clone());
                needs.newest_of.insert(environment.clone());
            }
        }
        for environment in &service.environments {
            needs.groups.extend(environment.groups());
        }
        needs
    }

    /// The run of a runbook that is meant: by name, or the one that is open there.
    pub(super) fn operation<'f>(&self, facts: &'f Facts<'_>) -> Option<&'f Operation> {
        match self {
            Self::Run(id) => facts.operations.get(id),
            Self::Newest(environment) => {
                let here =
                    |one: &&Operation| one.environment() == environment && one.ended().is_none() && !one.is_plan();
                let mut open = facts.operations.values().filter(here);
                // An errand goes beside what people mean when they name nothing: it is meant when nothing else is under way.
                open.clone().find(|one| one.pinned.errand.is_none()).or_else(|| {
                    let other = self.find(facts).is_some_and(|run| run.ended().is_none());
                    open.find(|_| !other)
                })
            }
        }
    }

    /// The run, if the speaker may intervene in it; else why not. No run and no reasons: there is none.
    pub(super) fn permitted<'f>(&self, facts: &'f Facts<'_>, speaker: &Speaker) -> Result<&'f Run, Vec<Refusal>> {
        let run = self.find(facts);
        let refusals = match (run, self) {
            (Some(run), _) => gate::evaluate_run(facts, Some(speaker), Act::Intervene, run),
            (None, Self::Newest(id)) => facts.service.environment(id).map_or_else(Vec::new, |environment| {
                gate::evaluate(&Question {
                    facts,
                    speaker: Some(speaker),
                    act: Act::Intervene,
                    environment,
                    run: None,
                })
            }),
            (None, Self::Run(_)) => Vec::new(),
        };
        run.filter(|_| refusals.is_empty()).ok_or(refusals)
    }

    /// The run; of an environment the one that is decided or followed, else the newest that ended.
    pub(super) fn find<'f>(&self, facts: &'f Facts<'_>) -> Option<&'f Run> {
        match self {
            Self::Run(id) => facts.runs.get(id),
            Self::Newest(environment) => {
                let here = || {
                    facts
                        .runs
                        .values()
                        .filter(|run| run.environments().any(|one| one == environment))
                };
                let open = here()
                    .filter(|run| run.ended().is_none() && run.status != Status::Waiting)
                    .max_by_key(|run| run.pinned.waiting_since);
                open.or_else(|| {
                    let newest = &facts.desk.recent.get(environment)?.first()?.run;
                    here().find(|run| run.id == *newest)
                })
            }
        }
    }
}
