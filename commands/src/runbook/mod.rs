//! Runbooks: ordered steps that a team wrote down once, in TOML, so that nobody does them by hand from a document.
//!
//! The shell reads the file; here a runbook is typed. An [`crate::operation::Operation`] is one durable execution of one.

mod known;
mod text;

use serde::{Deserialize, Serialize};

pub use known::{Expected, KnownFailure, Then, built_in, missing};
pub use text::{Values, placeholders};

use crate::catalog::People;
use crate::ids::{EnvironmentId, RunbookName, StepName};
use crate::step::Action;
use crate::time::Span;

/// How long a step may take when its runbook does not say: a step that never ends would hold its environment forever.
pub const DEADLINE: Span = Span::hours(1);

/// A runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    /// Its name, by which it is run.
    pub name: RunbookName,
    /// What it is for, in one line.
    pub title: String,
    /// The command under which it is kept: `/migrate start`.
    pub command: Option<String>,
    /// Who may start it; `None`: the operators of the environment.
    pub starters: Option<People>,
    /// Its text as it stands in the file; pinned in every run.
    pub text: String,
    /// Where it may be run; empty: everywhere.
    pub environments: Vec<EnvironmentId>,
    /// What has to be said when it is started.
    pub parameters: Vec<Parameter>,
    /// What happens when a step fails for good.
    pub on_failure: OnFailure,
    /// What is done, in this order.
    pub steps: Vec<StepSpec>,
}

/// What has to be said when a runbook is started: `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is, in one line; may be empty.
    pub summary: String,
    /// Its value when nothing is said; without one it has to be said.
    pub default: Option<String>,
    /// What it may be; empty: anything.
    pub choices: Vec<String>,
}

/// What happens when a step fails for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run stops and asks a person.
    #[default]
    Stop,
    /// What was done is undone, in reverse.
    Undo,
}

/// A step as the runbook has it; texts may hold placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSpec {
    /// What it is; the same for every environment but for [`Self::asks_in`].
    pub step: Step,
    /// Where a person is asked before it begins: everywhere, or in these environments.
    pub asks_in: Asks,
}

/// Where a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Asks {
    /// Nowhere.
    #[default]
    Never,
    /// Everywhere.
    Everywhere,
    /// In these environments.
    In(Vec<EnvironmentId>),
}

impl Asks {
    /// Whether a person is asked in this environment.
    #[must_use]
    pub fn in_environment(&self, environment: &EnvironmentId) -> bool {
        match self {
            Self::Never => false,
            Self::Everywhere => true,
            Self::In(environments) => environments.contains(environment),
        }
    }
}

/// A step, as a run has pinned it: everything that was known when the run began is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name in the runbook.
    pub name: StepName,
    /// What it does, in a few words.
    pub title: String,
    /// What is done.
    pub action: Action,
    /// The region in which it is done; the environment's when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Neighbors of the same group are done at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether a person is asked before it begins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// It is skipped unless this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// After this it has failed.
    pub deadline: Span,
    /// How long it usually takes: people are told when it takes longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Span>,
    /// How often it is tried again by itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Failures that are known, and what is done about each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expected>,
    /// Whether it is left as it is when the run is undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep: bool,
    /// Whether it changes nothing, as tests do, though its kind could: an undo has nothing to say about it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_looks: bool,
    /// Whether it is no part of the sequence, but the remedy of a known failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remedy: bool,
    /// It does not begin without a young snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_snapshot: Option<NeedsSnapshot>,
    /// What goes from one place to another by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<Moves>,
}

/// Something that a step takes from one place to another: the API from blue to green. While some of a run's things have been moved and others have not,
/// people are told which is where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    /// What, as people call it. Several steps may move the same: one for each region.
    pub what: String,
    /// Where it was.
    pub from: String,
    /// Where it is then.
    pub to: String,
}

impl Moves {
    /// The same with its texts filled.
    ///
    /// # Errors
    /// What `fill` says.
    pub fn fill(&self, fill: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        Ok(Self {
            what: fill(&self.what)?,
            from: fill(&self.from)?,
            to: fill(&self.to)?,
        })
    }
}

/// A snapshot without which a step does not begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedsSnapshot {
    /// The earlier step, of kind `snapshot`, that takes or finds it.
    pub step: StepName,
    /// How old it may be when the step begins.
    #[serde(with = "crate::step::span_text")]
    pub younger: Span,
}

impl Step {
    /// What a failure is known as, and the line of it that tells so. The first that fits counts.
    #[must_use]
    pub fn known<'s>(&'s self, failure: &'s str) -> Option<(&'s Expected, &'s str)> {
        let told = |expected: &'s Expected| Some((expected, expected.told_by(failure)?));
        self.expect.iter().find_map(told)
    }

    /// What the step would do with its action filled in: one line each.
    #[must_use]
    pub fn plan(&self, action: &Action) -> Vec<String> {
        let mut lines = action.plan();
        lines.extend(self.usual.map(|usual| format!("usually takes {usual}")));
        lines.extend(
            action
                .typed()
                .map(|text| format!("a person sees what is there and has to type {text} first")),
        );
        lines.extend(self.needs_snapshot.as_ref().map(|needs| {
            format!(
                "does not begin without a snapshot of step {} that is younger than {}",
                needs.step, needs.younger
            )
        }));
        lines
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A comparison of two texts, after their placeholders are filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is looked at.
    pub value: String,
    /// It has to be this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// It must not be this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<String>,
}

impl Runbook {
    /// Whether it may be run there.
    #[must_use]
    pub fn fits(&self, environment: &EnvironmentId) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }

    /// The steps for an environment, with everything filled in that is known before the first one begins.
    ///
    /// # Errors
    /// The placeholder that nothing is known for; reading the configuration rules that out.
    pub fn resolve(&self, values: &Values<'_>) -> Result<Vec<Step>, String> {
        let asked = |spec: &&StepSpec| {
            // An approval is nothing but its question: where that is not asked, it is no step.
            let elsewhere = matches!(&spec.asks_in, Asks::In(named) if !named.contains(values.environment));
            !(elsewhere && matches!(spec.step.action, Action::Approval(_)))
        };
        self.steps
            .iter()
            .filter(asked)
            .map(|spec| {
                let step = &spec.step;
                Ok(Step {
                    title: values.fill_known(&step.title)?,
                    action: step.action.fill(|text| values.fill_known(text))?,
                    when: step
                        .when
                        .as_ref()
                        .map(|when| when.fill(|text| values.fill_known(text)))
                        .transpose()?,
                    moves: step
                        .moves
                        .as_ref()
                        .map(|moves| moves.fill(|text| values.fill_known(text)))
                        .transpose()?,
                    asks: spec.asks_in.in_environment(values.environment),
                    ..step.clone()
                })
            })
            .collect()
    }
}

impl Condition {
    /// The condition with its texts filled.
    ///
    /// # Errors
    /// What `fill` says.
    pub fn fill(&self, fill: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        Ok(Self {
            value: fill(&self.value)?,
            is: self.is.as_deref().map(&fill).transpose()?,
            is_not: self.is_not.as_deref().map(&fill).transpose()?,
        })
    }

    /// Why it does not hold, of a step that is left out for it: `only where what step 5 found is false, and it is true`.
    #[must_use]
    pub fn why_not(&self, what: &str) -> String {
        match (&self.is, &self.is_not) {
            (Some(is), _) if *is != self.value => format!("only where {what} is {is}, and it is {}", self.value),
            (_, Some(is_not)) => format!("only where {what} is not {is_not}"),
            _ => "its condition does not hold".to_owned(),
        }
    }

    /// What is wrong with it: a condition that compares with nothing always holds, and one that compares with two things is hard to tell.
    ///
    /// # Errors
    /// What to write instead.
    pub fn check(&self) -> Result<(), String> {
        if self.is.is_some() == self.is_not.is_some() {
            return Err("compares with two things or with none: write either `is` or `is_not`".to_owned());
        }
        Ok(())
    }

    /// Whether it holds; all placeholders have to be filled.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.is.as_ref().is_none_or(|is| *is == self.value) && self.is_not.as_ref().is_none_or(|not| *not != self.value)
    }
}
