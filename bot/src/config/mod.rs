//! What is read once, at the start: the environment and the configuration files.
//!
//! | module | holds |
//! |---|---|
//! | `env` | [`Env`]: every environment variable, read once |
//! | `file` | [`load`]: the files, parsed once into the core's [`Catalog`] and the shell's [`Settings`] |
//! | `service`, `environment`, `people`, `account`, `freezes`, `functions`, `hosts`, `known`, `maintenance`, `runbook`, `task` | one table of the files each |
//! | `cross`, `overlap` | what only shows when environments and services are seen side by side |
//! | `section`, `problem` | tables that know their lines, and complaints that name them |
//!
//! A file is read to its end whatever is wrong with it: people mend all of it at once, and every complaint names the line and what to write instead.

mod account;
mod cross;
mod defaults;
mod env;
mod environment;
mod file;
mod freezes;
mod functions;
mod hosts;
mod kept;
mod known;
mod maintenance;
mod overlap;
mod people;
mod plain;
mod problem;
mod runbook;
mod section;
mod sequence;
mod service;
mod step_keys;
mod task;

use std::collections::{BTreeMap, BTreeSet};

use commands::catalog::{AwsTarget, Catalog};
use commands::step::Action;

pub use env::{Env, EnvError, Local, secrets};
pub use file::load;
pub use problem::{ConfigErrors, Problem};

use crate::aws::events::Queue;

/// What the files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What the core decides by; the workspaces of `teams` are in it too.
    pub catalog: Catalog,
    /// What the shell needs besides.
    pub settings: Settings,
    /// What is allowed and probably not meant; one line each, with file and line.
    pub warnings: Vec<String>,
}

/// What the shell needs besides the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// What `signalbox say` may do.
    pub command_line: CommandLine,
    /// The queues in which CodePipeline's events arrive.
    pub events: Vec<Queue>,
    /// The SNS topics that may deliver CodePipeline's events over HTTPS, by ARN.
    pub topics: Vec<String>,
    /// The programs that steps may run beside the bot, by name: path and arguments.
    pub programs: BTreeMap<String, Vec<String>>,
    /// Whether production environments may stand on a store that can lose what it confirmed.
    pub accept_unsafe_store: bool,
}

/// What `signalbox say` may do. One operating-system user is one voter, and the machine vouches for nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommandLine {
    /// Nothing.
    Off,
    /// Everything, but not on production environments.
    #[default]
    Standard,
    /// Everything.
    Production,
}

impl Loaded {
    /// The environment variables that hold the secrets of steps and of maintenance modes, each with the keys that name it.
    #[must_use]
    pub fn secrets(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut note = |variable: &str, key: String| named.entry(variable.to_owned()).or_default().insert(key);
        for service in self.catalog.services.values() {
            for runbook in &service.runbooks {
                for step in runbook.steps.iter().map(|spec| &spec.step) {
                    for variable in step.action.secrets() {
                        let (service, runbook) = (&service.id, &runbook.name);
                        note(
                            variable,
                            format!("service.{service}.runbook.{runbook}.step.{}.secret_env", step.name),
                        );
                    }
                }
            }
            for environment in &service.environments {
                let mode = environment.maintenance.as_ref();
                if let Some((key, variable)) = mode.and_then(|mode| mode.way.secret()) {
                    let (service, environment) = (&service.id, &environment.id);
                    note(
                        variable,
                        format!("service.{service}.environment.{environment}.maintenance.{key}"),
                    );
                }
            }
        }
        named
    }

    /// Every AWS region that is named: the bot speaks to AWS there and nowhere else.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<String> {
        let services = self.catalog.services.values();
        let environments = services
            .flat_map(|service| &service.environments)
            .map(|environment| &environment.aws);
        let runbooks = self.catalog.services.values().flat_map(|service| &service.runbooks);
        let steps = runbooks.flat_map(|runbook| &runbook.steps);
        let regions = steps.flat_map(|spec| {
            let mut regions: Vec<String> = spec.step.region.clone().into_iter().collect();
            if let Action::BucketParity(parity) = &spec.step.action {
                regions.extend(
                    [&parity.left, &parity.right]
                        .into_iter()
                        .filter_map(|side| side.region.clone()),
                );
            }
            regions
        });
        let modes = self.catalog.services.values().flat_map(|service| &service.environments);
        let told = modes.filter_map(|one| Some(one.maintenance.as_ref()?.regions.clone()));
        let queues = self.settings.events.iter().map(|queue| &queue.aws);
        environments
            .chain(queues)
            .map(|aws: &AwsTarget| aws.region.clone())
            .chain(regions)
            .chain(told.flatten())
            .collect()
    }
}

#[cfg(test)]
mod tests;
