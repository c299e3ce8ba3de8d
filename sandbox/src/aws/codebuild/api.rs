//! The operations on builds and projects.

use serde_json::{Value, json};

use super::{Build, DEFAULT_REF, Project, Started};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::ids;
use crate::aws::page;
use crate::aws::region::Region;
use crate::aws::sts::Caller;
use crate::aws::value::{structure, timestamp};

const NAME: Rule = Rule::length(1, 255);
const ANY: Rule = Rule::length(0, usize::MAX);
/// How long a start's token is remembered, in milliseconds.
const TOKEN_MS: i64 = 5 * 60_000;

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidInputException", message)
}

fn no_project(region: &Region, name: &str) -> AwsError {
    let arn = region.place.arn("codebuild", &format!("project/{name}"));
    AwsError::new("ResourceNotFoundException", format!("Project cannot be found: {arn}"))
}

/// `StartBuild`.
pub(super) fn start(region: &mut Region, args: Args<'_>, caller: &Caller) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let name = args.need("projectName", &NAME)?;
    let token = args.text("idempotencyToken", &ANY)?;
    region
        .builds
        .started
        .retain(|started| started.at_ms + TOKEN_MS > now_ms);
    if let Some(known) = region
        .builds
        .started
        .iter()
        .find(|started| Some(started.token.as_str()) == token)
    {
        if known.arguments != *args.0 {
            return Err(invalid(
                "Idempotency token was used before with other parameters: parameter mismatch",
            ));
        }
        let id = known.id.clone();
        let build = region.builds.find(&id).map(|build| build.render(now_ms));
        return Ok(structure([("build", build)]));
    }
    let missing = no_project(region, name);
    let project = region.builds.projects.get_mut(name).ok_or(missing)?;
    let source_version = args.text("sourceVersion", &ANY)?.map(str::to_owned);
    let mut variables: Vec<(String, String, String)> = project
        .variables
        .iter()
        .map(|(name, value)| (name.clone(), value.clone(), "PLAINTEXT".to_owned()))
        .collect();
    for variable in args.list("environmentVariablesOverride")? {
        let variable = Args(variable);
        let name = variable.need("name", &Rule::length(1, usize::MAX))?;
        let kinds = Rule::one_of(&["PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"]);
        let kind = variable.text("type", &kinds)?.unwrap_or("PLAINTEXT");
        variables.retain(|(known, ..)| known != name);
        variables.push((
            name.to_owned(),
            variable.need("value", &ANY)?.to_owned(),
            kind.to_owned(),
        ));
    }
    let build = project.start((source_version, variables), caller, (region.place.clone(), now_ms));
    let shown = build.render(now_ms);
    if let Some(token) = token {
        region.builds.started.push(Started {
            token: token.to_owned(),
            at_ms: now_ms,
            arguments: args.0.clone(),
            id: build.id.clone(),
        });
    }
    region.builds.builds.push(build);
    Ok(json!({ "build": shown }))
}

impl Project {
    fn start(
        &mut self,
        (source_version, variables): (Option<String>, Vec<(String, String, String)>),
        caller: &Caller,
        (place, started_ms): (crate::aws::place::Place, i64),
    ) -> Build {
        self.builds += 1;
        let plan = self.next.pop_front().unwrap_or_else(|| self.plan.clone());
        let asked = source_version.as_deref().unwrap_or(DEFAULT_REF);
        let whole = asked.len() == 40 && asked.bytes().all(|byte| byte.is_ascii_hexdigit());
        let named = if whole {
            Some(asked.to_owned())
        } else {
            self.commits.get(asked).cloned()
        };
        let id = format!("{}:{}", self.name, ids::uuid());
        // `user/ann` is shown as `ann`, `assumed-role/signalbox/slack-U1` as `signalbox/slack-U1`.
        let who = caller.arn.rsplit(':').next().unwrap_or_default();
        let initiator = who.split_once('/').map_or(who, |(_, name)| name);
        Build {
            arn: place.arn("codebuild", &format!("build/{id}")),
            id,
            number: self.builds,
            project: self.name.clone(),
            repository: self.repository.clone(),
            source_version,
            commit: plan.commit.clone().or(named),
            variables,
            initiator: initiator.to_owned(),
            started_ms,
            held: plan.held,
            logged: self.logged,
            plan,
            extra_ms: 0,
            lines_written: 0,
            effects_done: false,
            ended: None,
            place,
        }
    }
}

/// `StopBuild`: at once. A build that has ended stays as it is.
pub(super) fn stop(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let id = args.need("id", &Rule::length(1, usize::MAX))?;
    let missing = || AwsError::new("ResourceNotFoundException", format!("Build cannot be found: {id}"));
    let build = region.builds.find(id).ok_or_else(missing)?;
    if build.ended.is_none() {
        build.ended = Some(("STOPPED".to_owned(), now_ms));
    }
    Ok(json!({"build": build.render(now_ms)}))
}

/// `BatchGetBuilds`.
pub(super) fn get_builds(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let ids = args.texts("ids")?;
    if ids.is_empty() || ids.len() > 100 {
        return Err(invalid("Invalid number of build IDs: there must be 1 to 100"));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match region.builds.find(id) {
            Some(build) => found.push(build.render(now_ms)),
            None => missing.push(id),
        }
    }
    Ok(json!({"builds": found, "buildsNotFound": missing}))
}

/// `ListBuildsForProject`: the newest first, unless the caller asks otherwise.
pub(super) fn list_builds(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("projectName", &NAME)?;
    if !region.builds.projects.contains_key(name) {
        return Err(no_project(region, name));
    }
    let ascending = args.text("sortOrder", &Rule::one_of(&["ASCENDING", "DESCENDING"]))? == Some("ASCENDING");
    let builds: Vec<&Build> = region
        .builds
        .builds
        .iter()
        .filter(|build| build.project == name)
        .collect();
    let token = args.text("nextToken", &ANY)?;
    let page = if ascending {
        page::forward(&builds, 100, token)
    } else {
        page::backward(&builds, 100, token)
    };
    let (builds, next) = page.ok_or_else(|| invalid("Invalid token: it is not one of this list's"))?;
    Ok(structure([
        ("ids", Some(builds.iter().map(|build| json!(build.id)).collect())),
        ("nextToken", next.map(Value::from)),
    ]))
}

/// `BatchGetProjects`.
pub(super) fn get_projects(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let names = args.texts("names")?;
    if names.is_empty() || names.len() > 100 {
        return Err(invalid("Invalid number of project names: there must be 1 to 100"));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match region.builds.projects.get(name) {
            None => missing.push(name),
            Some(project) => {
                let variables: Vec<Value> = project
                    .variables
                    .iter()
                    .map(|(name, value)| json!({"name": name, "value": value, "type": "PLAINTEXT"}))
                    .collect();
                found.push(json!({
                    "name": name,
                    "arn": region.place.arn("codebuild", &format!("project/{name}")),
                    "source": {"type": "GITHUB", "location": project.repository},
                    "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL", "environmentVariables": variables},
                    "timeoutInMinutes": 60,
                    "created": timestamp(project.created_ms),
                    "lastModified": timestamp(project.created_ms),
                }));
            }
        }
    }
    Ok(json!({"projects": found, "projectsNotFound": missing}))
}
