//! Which run is meant? A button names it; words may name the revision, stand in the card's thread, or leave it to what is there.

use crate::facts::{Facts, Needs, Speaker, Via};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, RecordId, ServiceId};
use crate::run::{Run, Status};
use crate::time::Span;

/// How long a card has to be up before words that name no revision act on it: somebody who types at once may mean the run before.
const CARD_SETTLES: Span = Span::seconds(15);

/// How much of a revision's id a card shows.
const SHOWN: usize = 7;

/// Which run is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// This one: a button carries it.
    Run(RecordId),
    /// One that waits in an environment.
    In {
        /// The environment.
        environment: EnvironmentId,
        /// What the speaker called it: a commit, a tag, a short run name.
        revision: Option<String>,
        /// The word after the environment when it does not look like any of those: the version of an object looks like any other word, and only
        /// the card can tell.
        word: Option<String>,
    },
}

/// What a pick found.
#[derive(Debug)]
pub(super) enum Picked<'f> {
    /// The run that is certainly meant.
    This(&'f Run),
    /// Runs that may be meant: the speaker has to confirm one by its button.
    Confirm(Vec<&'f Run>),
    /// Nothing fits; why, in words.
    Nothing(String),
}

impl Pick {
    /// Reads `<env> [revision]`.
    pub(super) fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = args.environment(scope)?;
        let revision = super::revision(args);
        let word = args.peek().filter(|_| revision.is_none()).map(str::to_owned);
        Ok((
            service,
            Self::In {
                environment,
                revision,
                word,
            },
        ))
    }

    /// What has to be loaded to answer.
    pub(super) fn needs(&self, service: &crate::catalog::Service) -> Needs {
        let mut needs = Needs::default();
        match self {
            Self::Run(id) => drop(needs.runs.insert(id.clone())),
            Self::In { environment, .. } => drop(needs.open_in.insert(environment.clone())),
        }
        for environment in &service.environments {
            needs.groups.extend(environment.groups());
        }
        needs
    }

    /// Whether somebody who typed `text` can mean this run: one that waits, by its revision or its short name.
    #[must_use]
    pub fn names(run: &Run, text: &str) -> bool {
        run.pinned.revision.is_called(text) || run.id.short() == text || run.id.as_str() == text
    }

    /// Whether the first word of what seems to be a reason is what the run's card calls its revision.
    fn is_word_for(&self, run: &Run) -> bool {
        let revision = &run.pinned.revision;
        match self {
            Self::In { word: Some(word), .. } => {
                revision.commit.is_none() && word.len() >= SHOWN && revision.id.starts_with(word.as_str())
            }
            _ => false,
        }
    }

    /// The reason without the word that turned out to name the run.
    pub(super) fn reason<'r>(&self, run: &Run, reason: &'r str) -> &'r str {
        match self {
            Self::In { word: Some(word), .. } if self.is_word_for(run) => {
                reason.strip_prefix(word.as_str()).unwrap_or(reason).trim_start()
            }
            _ => reason,
        }
    }

    /// The run that is meant.
    pub(super) fn find<'f>(&self, facts: &'f Facts<'_>, speaker: &Speaker) -> Picked<'f> {
        let (environment, revision) = match self {
            Self::Run(id) => {
                return facts.runs.get(id).map_or_else(
                    || Picked::Nothing(format!("run {} is not known any more", id.short())),
                    Picked::This,
                );
            }
            Self::In {
                environment, revision, ..
            } => (environment, revision),
        };
        let open: Vec<&Run> = facts
            .runs
            .values()
            .filter(|run| run.ended().is_none() && run.environments().any(|one| one == environment))
            .collect();
        if let Some(thread) = &speaker.thread
            && let Some(run) = open
                .iter()
                .find(|run| run.card.as_ref().is_some_and(|card| card.ts == *thread))
        {
            return Picked::This(run);
        }
        let waiting: Vec<&Run> = open
            .iter()
            .copied()
            .filter(|run| run.status == Status::Waiting)
            .collect();
        if let Some(run) = open.iter().find(|run| self.is_word_for(run)) {
            return Picked::This(run);
        }
        if let Some(text) = revision {
            let named: Vec<&Run> = open.iter().copied().filter(|run| Self::names(run, text)).collect();
            return match named.as_slice() {
                [one] => Picked::This(one),
                [] if waiting.is_empty() => Picked::Nothing(format!("nothing waits for a decision on {environment}")),
                [] => Picked::Nothing(format!(
                    "nothing called `{text}` waits on {environment}: what waits is {}",
                    names_of(&waiting)
                )),
                _ => Picked::Confirm(named),
            };
        }
        match waiting.as_slice() {
            [one] if settled(one, facts) || matches!(speaker.via, Via::CommandLine { .. }) => Picked::This(one),
            [] => match open.as_slice() {
                [one] => Picked::This(one),
                _ => Picked::Nothing(format!("nothing waits for a decision on {environment}")),
            },
            _ => Picked::Confirm(waiting),
        }
    }
}

fn settled(run: &Run, facts: &Facts<'_>) -> bool {
    run.card
        .as_ref()
        .is_some_and(|card| CARD_SETTLES <= card.at.age(facts.now))
}

fn names_of(runs: &[&Run]) -> String {
    runs.iter()
        .map(|run| run.pinned.revision.short())
        .collect::<Vec<_>>()
        .join(", ")
}
