//! What the verbs that steer a runbook's run have in common: which run is meant, and at which step the speaker saw it.

use super::{nothing, refused};
use crate::catalog::Service;
use crate::decision::{Decision, Reply};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, RecordId, RunbookName, ServiceId, StepName};
use crate::operation::Operation;

/// A run of a runbook, as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aim {
    /// Where.
    pub environment: EnvironmentId,
    /// Which; `None`: the only one that is open there.
    pub run: Option<RecordId>,
    /// It has to be of one of these runbooks; `None`: of any.
    pub among: Option<Vec<RunbookName>>,
    /// The step and the try that a button was drawn for; words are about whatever is asked now.
    pub seen: Option<(StepName, u32)>,
}

impl Aim {
    /// Reads `<env> [run]`.
    pub(super) fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = args.environment(scope)?;
        let named = args.peek().and_then(|word| run_named(&environment, word));
        if named.is_some() {
            args.next();
        }
        Ok((
            service,
            Self {
                environment,
                run: named,
                among: None,
                seen: None,
            },
        ))
    }

    /// Reads what a button carries behind the service: `<run> <step> <try>`.
    #[must_use]
    pub fn of_button(about: &str) -> Option<Self> {
        let mut words = about.split(' ');
        let run = RecordId::parse(words.next()?).ok().filter(RecordId::is_operation)?;
        let environment = EnvironmentId::parse(run.as_str().split('/').nth(1)?).ok()?;
        let seen = match (words.next(), words.next()) {
            (Some(step), Some(number)) => Some((StepName::parse(step).ok()?, number.parse().ok()?)),
            _ => None,
        };
        Some(Self {
            environment,
            run: Some(run),
            among: None,
            seen,
        })
    }

    /// What has to be loaded.
    pub(super) fn needs(&self, service: &Service) -> Needs {
        let groups = service
            .environments
            .iter()
            .flat_map(crate::catalog::Environment::groups)
            .collect();
        match &self.run {
            Some(run) => Needs {
                runs: [run.clone()].into(),
                groups,
                ..Needs::default()
            },
            None => Needs {
                open_in: [self.environment.clone()].into(),
                groups,
                ..Needs::default()
            },
        }
    }

    /// The run; or why there is none, to be said to those who may know.
    ///
    /// # Errors
    /// When none is open, or more than one, or what the speaker saw has gone on since.
    pub(super) fn find<'f>(&self, facts: &'f Facts<'_>) -> Result<&'f Operation, String> {
        let operation = match &self.run {
            Some(run) => facts
                .operations
                .get(run)
                .filter(|one| self.is_among(one))
                .ok_or("there is no such run")?,
            None => {
                let mut open = self.open(facts);
                // An errand goes beside the run that people mean when they name none.
                if open.iter().any(|one| one.pinned.errand.is_none()) {
                    open.retain(|one| one.pinned.errand.is_none());
                }
                let first = *open.first().ok_or_else(|| self.none())?;
                if open.len() > 1 {
                    return Err(format!(
                        "more than one run is under way on {}: name one of `runs`",
                        self.environment
                    ));
                }
                first
            }
        };
        if let Some((step, number)) = &self.seen {
            let now = operation.step(step).map(|(_, state)| state.number);
            if now != Some(*number) {
                return Err("the run has gone on since this button was drawn".to_owned());
            }
        }
        Ok(operation)
    }

    /// Everything under way that can be meant where no run is named.
    pub(super) fn open<'f>(&self, facts: &'f Facts<'_>) -> Vec<&'f Operation> {
        let meant = |one: &&Operation| {
            *one.environment() == self.environment && one.ended().is_none() && !one.is_plan() && self.is_among(one)
        };
        facts.operations.values().filter(meant).collect()
    }

    fn is_among(&self, operation: &Operation) -> bool {
        let among = self.among.as_ref();
        among.is_none_or(|names| names.contains(&operation.pinned.runbook))
    }

    /// That none is under way.
    fn none(&self) -> String {
        match &self.among {
            None => format!("no runbook is under way on {}", self.environment),
            Some(names) => {
                let names: Vec<&str> = names.iter().map(RunbookName::as_str).collect();
                format!("no run of {} is under way on {}", names.join(" or "), self.environment)
            }
        }
    }

    /// The run, for those who may do this where it is; else what they are told.
    pub(super) fn permitted<'f>(
        &self,
        facts: &'f Facts<'_>,
        speaker: &Speaker,
        act: Act,
    ) -> Result<&'f Operation, Box<Decision>> {
        let refusals = self.judge(facts, speaker, act);
        if !refusals.is_empty() {
            return Err(Box::new(refused(refusals)));
        }
        self.find(facts).map_err(|why| Box::new(nothing(&why)))
    }

    /// Whether the speaker may do this where the run is; everything that is in the way.
    pub(super) fn judge(&self, facts: &Facts<'_>, speaker: &Speaker, act: Act) -> Vec<crate::decision::Refusal> {
        facts
            .service
            .environment(&self.environment)
            .map_or_else(Vec::new, |environment| {
                gate::evaluate(&Question {
                    facts,
                    speaker: Some(speaker),
                    act,
                    environment,
                    run: None,
                })
            })
    }
}

/// A word that names a run of a runbook there: `migrate-1a2b3c4d`, or its whole id.
pub(super) fn run_named(environment: &EnvironmentId, word: &str) -> Option<RecordId> {
    let short = word.rsplit('/').next()?;
    let (name, hash) = short.rsplit_once('-')?;
    let hex = hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
    (hex && !name.is_empty())
        .then(|| RecordId::parse(&format!("run/{environment}/{short}")).ok())
        .flatten()
}

/// A reply for everyone.
pub(super) fn aloud(line: crate::view::Line) -> Reply {
    Reply::Public(crate::view::Message::line(line))
}

/// A form to fill in; or, when it came back with blanks, what is missing in it.
pub(super) fn form(speaker: &Speaker, modal: crate::view::Modal, missing: &str) -> Decision {
    let reply = if speaker.via == crate::facts::Via::Form {
        Reply::FormErrors([("reason".to_owned(), missing.to_owned())].into())
    } else {
        Reply::Form(modal)
    };
    Decision {
        reply,
        ..Decision::default()
    }
}

/// Takes the words that say why.
///
/// # Errors
/// When there are none.
pub(super) fn reason(args: &mut Args<'_>) -> Result<String, ParseError> {
    let reason = args.rest();
    if reason.is_empty() {
        return Err(args.error("say why: it becomes part of the record"));
    }
    Ok(reason)
}
