//! CodeBuild: projects whose builds walk through their phases on the sandbox's clock, write their log, and change the account as the teams' own
//! scripts do.

mod api;
mod build;
mod control;
mod log;
mod source;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::account::Account;
use super::error::AwsError;
use super::region::Region;
use super::service::{Request, Service};

pub(crate) use build::Build;
use control::Plan;
pub(crate) use control::{Deed, ProjectSeed, act};
pub(crate) use source::learn_commit;

/// CodeBuild on the wire.
pub(crate) const SERVICE: Service = Service::json("CodeBuild_20161006", call);

/// What a build is of that was asked for nothing.
const DEFAULT_REF: &str = "(default branch)";

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    name: String,
    created_ms: i64,
    repository: String,
    variables: BTreeMap<String, String>,
    /// The commit that a branch or tag names: what GitHub said last, or what the project was made with.
    commits: BTreeMap<String, String>,
    /// What its builds do, when nothing else is said of the next.
    plan: Plan,
    next: VecDeque<Plan>,
    builds: u64,
    /// Whether its builds write their logs into CloudWatch Logs.
    logged: bool,
}

/// A start that was asked for with a token.
#[derive(Debug)]
struct Started {
    token: String,
    at_ms: i64,
    arguments: Value,
    id: String,
}

/// The projects and builds of a region.
#[derive(Debug, Default)]
pub(crate) struct Builds {
    projects: BTreeMap<String, Project>,
    /// Oldest first.
    builds: Vec<Build>,
    started: Vec<Started>,
}

impl Builds {
    /// When the next line is written, effect happens, or build ends.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.builds.iter().filter_map(Build::next_due).min()
    }

    fn find(&mut self, id: &str) -> Option<&mut Build> {
        self.builds.iter_mut().find(|build| build.id == id || build.arn == id)
    }
}

/// Does what is due.
pub(crate) fn settle(region: &mut Region) {
    let now_ms = region.now_ms;
    for at in 0..region.builds.builds.len() {
        let build = &mut region.builds.builds[at];
        if build.next_due().is_none_or(|due_ms| due_ms > now_ms) {
            continue;
        }
        let (mut lines, deeds) = build.settle(now_ms);
        if !build.logged {
            lines.clear();
        }
        let (group, stream) = (build.log_group(), build.log_stream().to_owned());
        for (at_ms, line) in lines {
            region.logs.append(&group, &stream, &[line], at_ms);
        }
        region.outbox.extend(deeds);
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let region = account.region(&request.place);
    Some(match request.operation {
        "StartBuild" => api::start(region, args, request.caller),
        "StopBuild" => api::stop(region, args),
        "BatchGetBuilds" => api::get_builds(region, args),
        "ListBuildsForProject" => api::list_builds(region, args),
        "BatchGetProjects" => api::get_projects(region, args),
        _ => return None,
    })
}
