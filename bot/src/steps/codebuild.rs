//! `codebuild`: one build for each try of the step, found again by a variable that names the run. Its undo is a build like it, of the job that the
//! runbook names.

use async_trait::async_trait;
use commands::effect::{CallPhase, StepOutcome};
use commands::step::{Codebuild, MARKER};
use commands::time::Span;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::earlier::names;
use super::lines::shown;
use super::{Answer, At, Executor, Probe, StepError, acted, build_log, finished, found, instant, pending};
use crate::aws::api::CODEBUILD;
use crate::aws::signed::Ask;

/// How many of the newest builds of a project are looked at.
const LOOKED_AT: usize = 25;

#[async_trait]
impl Executor for Codebuild {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let ask = json!({ "names": [self.project] });
        let told = at.aws(CODEBUILD, Ask::target("BatchGetProjects", ask)).await?;
        let Some(project) = told.body["projects"].get(0) else {
            return Err(StepError::failed(
                "no_project",
                format!("there is no build project {}", self.project),
            ));
        };
        let source = project
            .pointer("/source/location")
            .and_then(Value::as_str)
            .filter(|location| !location.is_empty())
            .unwrap_or("its own source");
        let mut evidence = vec![format!("{} builds {source}", self.project)];
        evidence.extend(required(self, project)?);
        if let Some(branch) = &self.head {
            evidence.push(format!("{branch} is at {}", newest_commit(at, branch).await?));
        }
        Ok(found(Value::Null, evidence))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let job = Job {
            project: &self.project,
            source_version: self.version(),
            variables: &self.variables,
        };
        start(at, job).await
    }

    fn began(&self, memo: &Value) -> Option<bool> {
        Some(names(memo, &["id"]))
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let marker = at.marker();
        let builds = newest(at, &self.project).await?;
        let ours = marked(&builds, |mark| mark == marker);
        Ok(match ours.first().and_then(|build| build["id"].as_str()) {
            Some(id) => Probe::Done(acted(json!({ "id": id }))),
            None => Probe::NotDone,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let ask = json!({ "ids": [at.call.memo["id"]] });
        let told = at.aws(CODEBUILD, Ask::target("BatchGetBuilds", ask)).await?;
        let Some(build) = told.body["builds"].get(0) else {
            return Err(StepError::failed(
                "no_build",
                "CodeBuild does not know the build any more",
            ));
        };
        let wanted = match &self.head {
            Some(branch) if build["buildStatus"] == "SUCCEEDED" => Some(Wanted {
                commit: newest_commit(at, branch).await?,
                branch: Some(branch),
            }),
            _ => self.commit.clone().map(|commit| Wanted { commit, branch: None }),
        };
        build_log::explained(at, build, judge(wanted.as_ref(), build, &at.call.memo)).await
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        reverse(self, at).await
    }

    /// As `undo`, which looks first: a build of the step that was still under way then may have ended by now.
    async fn undo_watch(&self, at: At<'_>) -> Answer {
        reverse(self, at).await
    }
}

/// Where each variable comes from that the job cannot do without. Values that are the project's own are not shown: they may be secret.
fn required(step: &Codebuild, project: &Value) -> Result<Vec<String>, StepError> {
    let own = project.pointer("/environment/environmentVariables");
    let own: Vec<&str> = (own.and_then(Value::as_array).into_iter().flatten())
        .filter_map(|one| one["name"].as_str())
        .collect();
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for name in &step.requires {
        match step.variables.get(name) {
            Some(value) => lines.push(format!("{name} is derived: {value}")),
            None if own.contains(&name.as_str()) => lines.push(format!("{name} is listed by the project")),
            None => missing.push(name.as_str()),
        }
    }
    if missing.is_empty() {
        return Ok(lines);
    }
    lines.push(format!(
        "missing: {}. Add it to the project {}, or to `variables` of the step",
        missing.join(", "),
        step.project
    ));
    Err(StepError::failed("missing_variables", lines.join("; ")))
}

/// The commit that has to have been built, and the branch whose newest it is, where that is why.
struct Wanted<'a> {
    commit: String,
    branch: Option<&'a str>,
}

impl Wanted<'_> {
    /// Why a build of another commit is none of what was wanted.
    fn differs(&self, built: &str) -> String {
        let wanted = &self.commit;
        match self.branch {
            Some(branch) => format!("it built {built}, but {branch} is at {wanted}: try again to build that"),
            None => format!("it built {built}, but {wanted} was to be built"),
        }
    }
}

/// The newest commit of a branch of the service's repository, now.
async fn newest_commit(at: At<'_>, branch: &str) -> Result<String, StepError> {
    let Some(repository) = &at.service.github else {
        let why = format!("{} has no `github`, so nobody knows where {branch} is", at.service.id);
        return Err(StepError::failed("no_repository", why));
    };
    match at.engine.github.newest(repository, branch, at.lease).await {
        Ok(Ok(commit)) => Ok(commit),
        Ok(Err(why)) => Err(StepError::failed(
            "no_branch",
            format!("{branch} of {repository}: {why}"),
        )),
        Err(not_now) => Err(StepError::Later(not_now.why)),
    }
}

/// What is started.
#[derive(Clone, Copy)]
struct Job<'a> {
    project: &'a str,
    source_version: Option<&'a str>,
    variables: &'a BTreeMap<String, String>,
}

async fn start(at: At<'_>, job: Job<'_>) -> Answer {
    let variable = |name: &str, value: &str| json!({ "name": name, "value": value, "type": "PLAINTEXT" });
    let mut variables: Vec<Value> = job
        .variables
        .iter()
        .map(|(name, value)| variable(name, value))
        .collect();
    variables.push(variable(MARKER, &at.marker()));
    let ask = json!({
        "projectName": job.project,
        "sourceVersion": job.source_version,
        "environmentVariablesOverride": variables,
        "idempotencyToken": commands::digest::full(at.marker().as_bytes()),
    });
    let told = at.aws(CODEBUILD, Ask::target("StartBuild", without_nulls(ask))).await?;
    let id = told.body.pointer("/build/id").and_then(Value::as_str);
    id.map_or_else(
        || Err(StepError::Later("CodeBuild did not name the build".to_owned())),
        |id| Ok(acted(json!({ "id": id }))),
    )
}

/// The newest builds of a project.
pub(super) async fn newest(at: At<'_>, project: &str) -> Result<Vec<Value>, StepError> {
    let ask = json!({ "projectName": project, "sortOrder": "DESCENDING" });
    let told = at.aws(CODEBUILD, Ask::target("ListBuildsForProject", ask)).await?;
    let mut ids = told.body["ids"].as_array().cloned().unwrap_or_default();
    ids.truncate(LOOKED_AT);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ask = Ask::target("BatchGetBuilds", json!({ "ids": ids }));
    let told = at.aws(CODEBUILD, ask).await?;
    Ok(told.body["builds"].as_array().cloned().unwrap_or_default())
}

/// Takes the step back by its reverse job: started once, when no build of the step is under way any more, and followed to its end. Each look finds
/// what the one before it did, so it does not matter which of them starts the job.
async fn reverse(step: &Codebuild, at: At<'_>) -> Answer {
    let Some(reverse) = &step.undo else {
        return Err(StepError::failed(
            "no_undo",
            "the runbook names no job that takes it back",
        ));
    };
    let (marker, ours) = (at.marker(), format!("{}/{}/", at.call.run, at.call.step));
    let project = step.reverse_project(reverse);
    let undoing = newest(at, project).await?;
    if let Some(build) = marked(&undoing, |mark| mark == marker).first() {
        return match at.call.phase {
            CallPhase::Undo => Ok(acted(at.call.memo.clone())),
            _ => build_log::explained(at, build, judge(None, build, &at.call.memo)).await,
        };
    }
    let forward = if project == step.project {
        undoing
    } else {
        newest(at, &step.project).await?
    };
    let forward = marked(&forward, |mark| mark.starts_with(&ours));
    if forward.is_empty() && at.call.memo["id"].is_null() {
        return Ok(finished("no build of this step was started"));
    }
    if let Some(busy) = forward.iter().find(|build| build["buildStatus"] == "IN_PROGRESS") {
        // Two scripts that change the same things at the same time leave neither state.
        let words = format!("waits for {} to end", busy["id"].as_str().unwrap_or("the build"));
        return match at.call.phase {
            CallPhase::Undo => Ok(acted(at.call.memo.clone())),
            _ => Ok(pending(at.call.memo.clone(), words)),
        };
    }
    let job = Job {
        project,
        source_version: reverse.source_version.as_deref().or(step.source_version.as_deref()),
        variables: &reverse.variables,
    };
    start(at, job).await?;
    match at.call.phase {
        CallPhase::Undo => Ok(acted(at.call.memo.clone())),
        _ => Ok(pending(at.call.memo.clone(), "the job that takes it back was started")),
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
    }
    value
}

/// The builds of ours that bear such a mark.
fn marked(builds: &[Value], fits: impl Fn(&str) -> bool) -> Vec<&Value> {
    let bears = |build: &&Value| {
        let variables = build.pointer("/environment/environmentVariables");
        let mut all = variables.and_then(Value::as_array).into_iter().flatten();
        all.any(|one| one["name"] == MARKER && one["value"].as_str().is_some_and(&fits))
    };
    builds.iter().filter(bears).collect()
}

/// How long the builds took that went well and were told all of this, newest first.
pub(super) fn good_spans(builds: &[Value], told: &BTreeMap<&str, &str>) -> Vec<Span> {
    let good = builds.iter().filter(|build| {
        let variables = build.pointer("/environment/environmentVariables");
        let all = variables.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let has =
            |(name, value): (&&str, &&str)| all.iter().any(|one| one["name"] == **name && one["value"] == **value);
        build["buildStatus"] == "SUCCEEDED" && told.iter().all(has)
    });
    let took = |build: &Value| Some(instant(&build["startTime"])?.age(instant(&build["endTime"])?));
    good.filter_map(took).collect()
}

fn judge(wanted: Option<&Wanted<'_>>, build: &Value, memo: &Value) -> Answer {
    let text = |name: &str| build[name].as_str().unwrap_or_default().to_owned();
    let link = build
        .pointer("/logs/deepLink")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match build["buildStatus"].as_str().unwrap_or_default() {
        "IN_PROGRESS" => Ok(pending(
            memo.clone(),
            format!("{} is in {}. {link}", text("id"), text("currentPhase"))
                .trim_end_matches([' ', '.'])
                .to_owned(),
        )),
        "SUCCEEDED" => {
            let commit = text("resolvedSourceVersion");
            if let Some(wanted) = wanted.filter(|wanted| !same_commit(&wanted.commit, &commit)) {
                let why = format!("{}. {link}", wanted.differs(&commit));
                return Err(StepError::failed("wrong_commit", why));
            }
            let mut outputs = BTreeMap::from([("id".to_owned(), text("id")), ("commit".to_owned(), commit)]);
            let exported = build["exportedEnvironmentVariables"].as_array().into_iter().flatten();
            outputs.extend(
                exported.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["value"].as_str()?.to_owned()))),
            );
            let mut evidence = vec![format!("{} succeeded. {link}", text("id"))];
            evidence.extend(wanted.map(|wanted| match wanted.branch {
                Some(branch) => format!("it built {}, the newest commit of {branch}", wanted.commit),
                None => format!("it built {}", wanted.commit),
            }));
            Ok(StepOutcome::Finished { outputs, evidence })
        }
        status => {
            let phases = build["phases"].as_array().into_iter().flatten();
            let failed = phases
                .filter(|phase| !matches!(phase["phaseStatus"].as_str(), None | Some("SUCCEEDED" | "IN_PROGRESS")));
            let why: Vec<String> = failed.map(phase_words).collect();
            Err(StepError::failed(
                &format!("build_{}", status.to_lowercase()),
                format!("{} {link}", why.join("; ")),
            ))
        }
    }
}

/// `BUILD: COMMAND_EXECUTION_ERROR: …`, in one line: a command that failed may have been written in several.
fn phase_words(phase: &Value) -> String {
    let contexts = phase["contexts"].as_array().into_iter().flatten();
    let words = contexts.map(|context| {
        let part = |name: &str| context[name].as_str().filter(|text| !text.is_empty());
        let parts: Vec<&str> = [part("statusCode"), part("message")].into_iter().flatten().collect();
        shown(&parts.join(": "))
    });
    let words: Vec<String> = words.filter(|words| !words.is_empty()).collect();
    format!(
        "{}: {}",
        phase["phaseType"].as_str().unwrap_or("a phase"),
        words.join(" ")
    )
}

/// A commit and how it may be shortened.
fn same_commit(one: &str, two: &str) -> bool {
    let shorter = one.len().min(two.len());
    shorter >= 7 && one.get(..shorter) == two.get(..shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_another_commit_has_failed() {
        let build = json!({ "id": "p:1", "buildStatus": "SUCCEEDED", "resolvedSourceVersion": "4f2c1d9aa0" });
        let judged = |commit: &str| {
            let commit = commit.to_owned();
            judge(Some(&Wanted { commit, branch: None }), &build, &json!({}))
        };
        assert!(judge(None, &build, &json!({})).is_ok());
        let Ok(StepOutcome::Finished { evidence, .. }) = judged("4f2c1d9") else {
            panic!("it is what was wanted")
        };
        assert_eq!(evidence[1], "it built 4f2c1d9");
        for other in ["4f2c1d8", "4f2", ""] {
            let error = judged(other).unwrap_err();
            assert!(
                matches!(&error, StepError::Failed { code, .. } if code == "wrong_commit"),
                "{other}: {error:?}"
            );
        }
    }

    #[test]
    fn only_good_builds_that_were_told_the_same_say_how_long_it_takes() {
        let build = |status: &str, stage: &str, took: f64| {
            json!({ "buildStatus": status, "startTime": 1_795_226_400.25, "endTime": 1_795_226_400.25 + took,
                "environment": { "environmentVariables": [{ "name": "STAGE", "value": stage }] } })
        };
        let builds = [
            build("SUCCEEDED", "mainnet", 90.0),
            build("FAILED", "mainnet", 1.0),
            build("SUCCEEDED", "testnet", 5.0),
            json!({ "buildStatus": "SUCCEEDED" }),
        ];
        let told = BTreeMap::from([("STAGE", "mainnet")]);
        assert_eq!(good_spans(&builds, &told), [Span::seconds(90)]);
        assert_eq!(good_spans(&builds, &BTreeMap::new()).len(), 2);
    }

    #[test]
    fn a_failed_build_says_which_phase_and_why() {
        let build = json!({ "id": "p:1", "buildStatus": "FAILED", "phases": [
            { "phaseType": "INSTALL", "phaseStatus": "SUCCEEDED" },
            { "phaseType": "BUILD", "phaseStatus": "FAILED",
                "contexts": [{ "statusCode": "COMMAND_EXECUTION_ERROR", "message": "Error while executing command: TOKEN=hunter2 a\n  b. Reason: exit status 1" }] },
        ]});
        let StepError::Failed { code, message } = judge(None, &build, &json!({})).unwrap_err() else {
            panic!("it failed for good")
        };
        assert_eq!(
            (code.as_str(), message.trim()),
            (
                "build_failed",
                "BUILD: COMMAND_EXECUTION_ERROR: Error while executing command: TOKEN=… a b. Reason: exit status 1"
            )
        );
    }
}
