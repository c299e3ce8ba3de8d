//! `run <runbook|task:NAME> <env> [--plan] [name=value …] [reason]`: starts a team's runbook or task, or shows what it would do.

use std::collections::BTreeMap;

use super::values::{mode, parameters};
use super::{Spec, Verb, refused};
use crate::catalog::{Environment, Service};
use crate::decision::{Decision, Refusal, Reply};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope, closest};
use crate::ids::{EnvironmentId, RecordId, RunbookName, ServiceId};
use crate::operation::{Event, Mode, Pinned, advance, maintenance};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Illegal, Target};
use crate::runbook::{Runbook, Step, Values};
use crate::step::{Action, Maintenance};
use crate::view::{self, Message, text};

/// A wish to run a runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Which.
    pub runbook: RunbookName,
    /// Where.
    pub environment: EnvironmentId,
    /// Whether it only looks.
    pub mode: Mode,
    /// What was said of its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Why; may be empty.
    pub reason: String,
}

impl Verb for Run {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "run",
        usage: "<runbook|task:NAME> <env> [--plan] [name=value …] [reason]",
        summary: "Start one of the team's runbooks or tasks, or see what it would do",
        detail: "`--plan` shows every step with the very values and calls it would make, reads what is there, and changes nothing. `--name value` says the same as `name=value`. A task is a runbook of one step. Without a name it lists them all.",
        flags: &["--plan"],
        act: Act::Start,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let mode = mode(args);
        let flags = args.take_valued(&[]);
        let before = args.clone();
        let Some(word) = args.next() else {
            return Err(args.error(format!("say which runbook or task: {}", known(scope).join(", "))));
        };
        if !known(scope).iter().any(|name| name == word) {
            return Err(unknown(&before, word, &known(scope)));
        }
        let runbook = RunbookName::parse(word).map_err(|bad| before.error(bad.to_string()))?;
        let (service, environment) = args.environment(scope)?;
        let named = scope.catalog.services.get(service.as_str());
        let named = named.and_then(|service| service.runbook(runbook.as_str()));
        let parameters = parameters(args, &Self::SPEC, (named, flags))?;
        let reason = args.rest();
        Ok((
            service,
            Self {
                runbook,
                environment,
                mode,
                parameters,
                reason,
            },
        ))
    }

    fn needs(&self, service: &Service) -> Needs {
        let mut needs = super::operating_needs(service, Some(&self.environment));
        let starters = service
            .runbook(self.runbook.as_str())
            .and_then(|one| one.starters.as_ref());
        needs
            .groups
            .extend(starters.into_iter().flat_map(|people| people.groups.iter().cloned()));
        needs
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let Some(environment) = facts.service.environment(&self.environment) else {
            return Ok(Decision::default());
        };
        let act = match self.mode {
            Mode::Run => Act::Start,
            Mode::Plan => Act::Read,
        };
        let named = facts.service.runbook(self.runbook.as_str());
        // Whom a runbook names to start it stand for the operators here, and in nothing else.
        let own = named.and_then(|one| one.starters.clone()).map(|starters| Environment {
            operators: Some(starters),
            ..environment.clone()
        });
        let mut refusals = gate::evaluate(&Question {
            facts,
            speaker: Some(speaker),
            act,
            environment: own.as_ref().unwrap_or(environment),
            run: None,
        });
        let ready = self.ready(facts.service);
        if let (true, Err(why)) = (refusals.is_empty(), &ready) {
            refusals.push(Refusal {
                reason: Reason::Grammar,
                message: vec![text(why.clone())],
                about: None,
                passable: false,
            });
        }
        match ready {
            Ok((runbook, parameters)) if refusals.is_empty() => {
                self.start(facts, speaker, (environment, runbook, parameters))
            }
            _ => Ok(refused(refusals)),
        }
    }
}

/// The services that can be meant in a channel.
fn services<'s>(scope: &Scope<'s>) -> Vec<&'s Service> {
    let home = scope.catalog.at_home_in(scope.channel);
    if home.is_empty() {
        scope.catalog.services.values().collect()
    } else {
        home
    }
}

/// What `run` alone says: everything that can be run.
pub(super) fn listed(scope: &Scope<'_>) -> Message {
    view::runnable(&services(scope))
}

/// There is none of that name; what was probably meant, also where somebody forgot that it is a task.
fn unknown(before: &Args<'_>, word: &str, names: &[String]) -> ParseError {
    let what = if names.is_empty() {
        "no service here has a runbook: add `[[service.NAME.runbook.NAME.step]]` to the configuration".to_owned()
    } else {
        format!("there is no runbook or task `{word}`: known are {}", names.join(", "))
    };
    let task = RunbookName::task(word).ok().map(|task| task.to_string());
    let guess = task
        .filter(|task| names.contains(task))
        .or_else(|| closest(word, names.iter().map(String::as_str)).map(str::to_owned));
    before.suggesting(before.error(what), guess.as_deref())
}

/// The runbooks and tasks that can be meant in a channel.
fn known(scope: &Scope<'_>) -> Vec<String> {
    let mut names: Vec<String> = services(scope)
        .into_iter()
        .flat_map(|service| service.runbooks.iter().map(|runbook| runbook.name.to_string()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The steps with what only the environment knows: how it goes into maintenance mode, and whether it `stood` there before.
fn in_environment(
    steps: Result<Vec<Step>, String>,
    (environment, stood): (&Environment, bool),
) -> Result<Vec<Step>, String> {
    let expand = |step: &Step| match (&step.action, &environment.maintenance) {
        (Action::Maintenance(wanted), Some(mode)) => {
            let action = Action::Maintenance(Maintenance {
                stood: stood && wanted.on.is_some(),
                ..wanted.clone()
            });
            let step = Step { action, ..step.clone() };
            Ok(maintenance::expanded(&step, mode, environment))
        }
        (Action::Maintenance(known), None) if known.way.is_none() => Err("`maintenance`".to_owned()),
        _ => Ok(vec![step.clone()]),
    };
    Ok(steps?.iter().map(expand).collect::<Result<Vec<_>, _>>()?.concat())
}

impl Run {
    /// The runbook and all of its parameters; or what is missing, in words for whoever typed it.
    fn ready<'s>(&self, service: &'s Service) -> Result<(&'s Runbook, BTreeMap<String, String>), String> {
        let Some(runbook) = service.runbook(self.runbook.as_str()) else {
            let names: Vec<_> = service.runbooks.iter().map(|runbook| runbook.name.as_str()).collect();
            return Err(format!(
                "{} has no runbook {}. It has: {}.",
                service.id,
                self.runbook,
                names.join(", ")
            ));
        };
        if !runbook.fits(&self.environment) {
            let names: Vec<_> = runbook.environments.iter().map(EnvironmentId::as_str).collect();
            return Err(format!(
                "{} is not for {}: it runs in {}.",
                runbook.name,
                self.environment,
                names.join(", ")
            ));
        }
        let mut parameters = BTreeMap::new();
        for parameter in &runbook.parameters {
            let said = self.parameters.get(&parameter.name).or(parameter.default.as_ref());
            let Some(value) = said else {
                return Err(format!(
                    "Say {name}=… ({what}).",
                    name = parameter.name,
                    what = parameter.summary
                ));
            };
            if !parameter.choices.is_empty() && !parameter.choices.contains(value) {
                return Err(format!(
                    "{} cannot be {value}: write one of {}.",
                    parameter.name,
                    parameter.choices.join(", ")
                ));
            }
            parameters.insert(parameter.name.clone(), value.clone());
        }
        let unknown = self.parameters.keys().find(|name| !parameters.contains_key(*name));
        match unknown {
            Some(name) => Err(format!(
                "{} has no parameter {name}. It has: {}.",
                runbook.name,
                parameters.keys().cloned().collect::<Vec<_>>().join(", ")
            )),
            None => Ok((runbook, parameters)),
        }
    }

    fn start(
        &self,
        facts: &Facts<'_>,
        speaker: &Speaker,
        (environment, runbook, parameters): (&Environment, &Runbook, BTreeMap<String, String>),
    ) -> Result<Decision, Illegal> {
        let outputs = BTreeMap::new();
        let values = Values {
            service: &facts.service.id,
            environment: &environment.id,
            parameters: &parameters,
            outputs: &outputs,
        };
        let id = RecordId::operation(&environment.id, &runbook.name, speaker.delivery.as_str().as_bytes());
        let stood = facts.desk.maintenance.contains_key(&environment.id);
        let steps = match in_environment(runbook.resolve(&values), (environment, stood)) {
            Ok(steps) => steps,
            Err(missing) => {
                return Ok(refused(vec![Refusal {
                    reason: Reason::Grammar,
                    message: vec![text(format!(
                        "{} names {missing}, for which nothing is known in {}.",
                        runbook.name, environment.id
                    ))],
                    about: None,
                    passable: false,
                }]));
            }
        };
        let pinned = Pinned {
            service: facts.service.id.clone(),
            target: Target::of(environment, facts.desk),
            runbook: runbook.name.clone(),
            title: runbook.title.clone(),
            text: runbook.text.clone(),
            steps,
            parameters,
            on_failure: runbook.on_failure,
            mode: self.mode,
            starter: speaker.user.clone(),
            os_user: speaker.os_user().map(str::to_owned),
            reason: self.reason.clone(),
            started_at: facts.now,
            channel: facts.service.channel.clone(),
            self_approval: environment.approvers.self_approval,
            errand: None,
        };
        let mut plan = Plan::new(facts);
        plan.tell_operation(&id, Event::Started(Box::new(pinned)), Reason::Opened)?;
        if self.mode == Mode::Run {
            plan.claim_operation(&id);
        }
        advance::advance(&mut plan, &id)?;
        let reply = plan
            .operation(&id)
            .map(|operation| view::operation_started(operation, facts));
        Ok(plan.finish(reply.map_or(Reply::None, Reply::Private)))
    }
}
