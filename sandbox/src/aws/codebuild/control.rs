//! Making projects, and saying what their builds will do.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{Builds, Project};
use crate::aws::deed::Directed;
use crate::aws::error::AwsError;
use crate::aws::region::Region;

/// What a build does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// How it ends: `SUCCEEDED`, `FAILED`, `FAULT`, `TIMED_OUT`.
    #[serde(default = "succeeded")]
    pub(super) outcome: String,
    /// In which phase it fails.
    #[serde(default = "build")]
    pub(super) phase: String,
    /// What that phase says then. Of real builds this is little: which command it was and its exit status. What tells stands in the log.
    #[serde(default = "failed")]
    pub(super) message: String,
    #[serde(default = "minute")]
    pub(super) seconds: i64,
    /// What it writes into its log; `${NAME}` is the build's variable of that name.
    #[serde(default)]
    pub(super) lines: Vec<String>,
    #[serde(default)]
    pub(super) exported: BTreeMap<String, String>,
    /// What it does to the account at the end of its BUILD phase; variables are put in here too.
    #[serde(default, deserialize_with = "effects")]
    pub(super) effects: Vec<Map<String, Value>>,
    /// Whether it does so even when it fails, as a script without `set -e`.
    #[serde(default)]
    pub(super) effects_anyway: bool,
    /// The commit that it builds, whatever it was asked for.
    #[serde(default)]
    pub(super) commit: Option<String>,
    /// Whether it stays in its BUILD phase until it is let go.
    #[serde(default)]
    pub(super) held: bool,
}

/// Effects are read again when their variables are known; what is wrong with them shows here already.
fn effects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Map<String, Value>>, D::Error> {
    let effects = Vec::<Map<String, Value>>::deserialize(deserializer)?;
    for effect in &effects {
        Directed::try_from(effect.clone()).map_err(serde::de::Error::custom)?;
    }
    Ok(effects)
}

fn succeeded() -> String {
    "SUCCEEDED".to_owned()
}

fn build() -> String {
    "BUILD".to_owned()
}

fn failed() -> String {
    "Error while executing command: the script. Reason: exit status 1".to_owned()
}

const fn minute() -> i64 {
    60
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            outcome: succeeded(),
            phase: build(),
            message: failed(),
            seconds: minute(),
            lines: Vec::new(),
            exported: BTreeMap::new(),
            effects: Vec::new(),
            effects_anyway: false,
            commit: None,
            held: false,
        }
    }
}

impl Plan {
    /// Whether it ends badly.
    pub(super) fn fails(&self) -> bool {
        self.outcome != "SUCCEEDED"
    }
}

/// A project that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectSeed {
    name: String,
    #[serde(default)]
    repository: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// The commit that a branch or tag names.
    #[serde(default)]
    commits: BTreeMap<String, String>,
    #[serde(default)]
    plan: Plan,
    /// Whether its builds write their logs into CloudWatch Logs.
    #[serde(default = "yes")]
    logs: bool,
}

const fn yes() -> bool {
    true
}

/// What can be done to projects and builds.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// What the next build does; several are used one after the other.
    Next { project: String, plan: Plan },
    /// What every build does from now on.
    Always { project: String, plan: Plan },
    /// Every build takes so long from now on; what it does stays.
    Pace { project: String, seconds: i64 },
    /// A branch or tag names another commit.
    Commit {
        project: String,
        git_ref: String,
        commit: String,
    },
    /// The project's builds that are under way stay in their BUILD phase, or go on.
    Hold { project: String, held: bool },
    /// The project's builds that are under way end now.
    End { project: String, outcome: String },
}

impl Region {
    /// Adds a project, or replaces the one of the same name; its builds stay.
    pub(crate) fn plant_project(&mut self, seed: &ProjectSeed) {
        let project = Project {
            name: seed.name.clone(),
            created_ms: self.now_ms,
            repository: seed.repository.clone(),
            variables: seed.variables.clone(),
            commits: seed.commits.clone(),
            plan: seed.plan.clone(),
            next: VecDeque::new(),
            builds: 0,
            logged: seed.logs,
        };
        self.builds.projects.insert(seed.name.clone(), project);
    }
}

impl Builds {
    /// The projects with their newest builds as the page shows them.
    pub(crate) fn snapshot(&self, now_ms: i64) -> Vec<Value> {
        let projects = self.projects.iter().map(|(name, project)| {
            let builds = self.builds.iter().rev().filter(|build| build.project == *name).take(10);
            let builds: Vec<Value> = builds
                .map(|build| {
                    json!({"id": build.id, "status": build.status(), "phase": build.current_phase(now_ms), "started_ms": build.started_ms,
                        "commit": build.commit, "held": build.held, "initiator": build.initiator})
                })
                .collect();
            let next = project.next.iter().map(|plan| json!({"outcome": plan.outcome, "message": plan.message, "lines": plan.lines, "seconds": plan.seconds}));
            json!({"name": name, "builds": builds, "seconds": project.plan.seconds, "next": next.collect::<Vec<_>>()})
        });
        projects.collect()
    }
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let (Deed::Next { project: name, .. }
    | Deed::Always { project: name, .. }
    | Deed::Pace { project: name, .. }
    | Deed::Commit { project: name, .. }
    | Deed::Hold { project: name, .. }
    | Deed::End { project: name, .. }) = deed;
    let missing = || AwsError::missing("ResourceNotFoundException", format!("there is no project {name}"));
    let project = region.builds.projects.get_mut(name).ok_or_else(missing)?;
    let running = region.builds.builds.iter_mut();
    let running = running.filter(|build| build.project == *name && build.ended.is_none());
    match deed {
        Deed::Next { plan, .. } => project.next.push_back(plan.clone()),
        Deed::Always { plan, .. } => project.plan = plan.clone(),
        Deed::Pace { seconds, .. } => project.plan.seconds = *seconds,
        Deed::Commit { git_ref, commit, .. } => drop(project.commits.insert(git_ref.clone(), commit.clone())),
        Deed::Hold { held: true, .. } => running.for_each(|build| build.held = true),
        Deed::Hold { held: false, .. } => running
            .filter(|build| build.held)
            .for_each(|build| build.release(now_ms)),
        Deed::End { outcome, .. } => running.for_each(|build| build.ended = Some((outcome.clone(), now_ms))),
    }
    Ok(json!({}))
}
