//! `codebuild`: one build for each try of the step, found again by a variable that names the run.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::Codebuild;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, Probe, StepError, acted, pending};
use crate::aws::signed::{Ask, CODEBUILD};

/// The variable by which a build of ours is found again.
const MARKER: &str = "SIGNALBOX_RUN";
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
        Ok(StepOutcome::Prepared {
            memo: Value::Null,
            outputs: BTreeMap::new(),
            evidence: vec![format!("{} builds {source}", self.project)],
            done: false,
        })
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let variable = |name: &str, value: &str| json!({ "name": name, "value": value, "type": "PLAINTEXT" });
        let mut variables: Vec<Value> = self
            .variables
            .iter()
            .map(|(name, value)| variable(name, value))
            .collect();
        variables.push(variable(MARKER, &at.marker()));
        let ask = json!({
            "projectName": self.project,
            "sourceVersion": self.source_version,
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

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let ask = json!({ "projectName": self.project, "sortOrder": "DESCENDING" });
        let told = at.aws(CODEBUILD, Ask::target("ListBuildsForProject", ask)).await?;
        let mut ids = told.body["ids"].as_array().cloned().unwrap_or_default();
        ids.truncate(LOOKED_AT);
        if ids.is_empty() {
            return Ok(Probe::NotDone);
        }
        let told = at
            .aws(CODEBUILD, Ask::target("BatchGetBuilds", json!({ "ids": ids })))
            .await?;
        let marker = at.marker();
        let builds = told.body["builds"].as_array().cloned().unwrap_or_default();
        let ours = builds.iter().find(|build| is_marked(build, &marker));
        Ok(match ours.and_then(|build| build["id"].as_str()) {
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
        judge(self, build, &at.call.memo)
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
    }
    value
}

fn is_marked(build: &Value, marker: &str) -> bool {
    let variables = build
        .pointer("/environment/environmentVariables")
        .and_then(Value::as_array);
    variables.is_some_and(|all| all.iter().any(|one| one["name"] == MARKER && one["value"] == marker))
}

fn judge(step: &Codebuild, build: &Value, memo: &Value) -> Answer {
    let text = |name: &str| build[name].as_str().unwrap_or_default().to_owned();
    let link = build
        .pointer("/logs/deepLink")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match build["buildStatus"].as_str().unwrap_or_default() {
        "IN_PROGRESS" => Ok(pending(
            memo.clone(),
            format!("{} is in {}", text("id"), text("currentPhase")),
        )),
        "SUCCEEDED" => {
            let commit = text("resolvedSourceVersion");
            if let Some(wanted) = step.commit.as_ref().filter(|wanted| !same_commit(wanted, &commit)) {
                return Err(StepError::failed(
                    "wrong_commit",
                    format!("it built {commit}, but {wanted} was to be built. {link}"),
                ));
            }
            let mut outputs = BTreeMap::from([("id".to_owned(), text("id")), ("commit".to_owned(), commit)]);
            let exported = build["exportedEnvironmentVariables"].as_array().into_iter().flatten();
            outputs.extend(
                exported.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["value"].as_str()?.to_owned()))),
            );
            Ok(StepOutcome::Finished {
                outputs,
                evidence: vec![format!("{} succeeded. {link}", text("id"))],
            })
        }
        status => {
            let phases = build["phases"].as_array().into_iter().flatten();
            let failed = phases
                .filter(|phase| !matches!(phase["phaseStatus"].as_str(), None | Some("SUCCEEDED" | "IN_PROGRESS")));
            let why: Vec<String> = failed
                .map(|phase| {
                    let contexts = phase["contexts"].as_array().into_iter().flatten();
                    let words: Vec<&str> = contexts.filter_map(|context| context["message"].as_str()).collect();
                    format!(
                        "{}: {}",
                        phase["phaseType"].as_str().unwrap_or("a phase"),
                        words.join(" ")
                    )
                })
                .collect();
            Err(StepError::failed(
                &format!("build_{}", status.to_lowercase()),
                format!("{} {link}", why.join("; ")),
            ))
        }
    }
}

/// A commit and how it may be shortened.
fn same_commit(one: &str, two: &str) -> bool {
    let shorter = one.len().min(two.len());
    shorter >= 7 && one.get(..shorter) == two.get(..shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(commit: Option<&str>) -> Codebuild {
        serde_json::from_value(json!({ "project": "p", "commit": commit })).unwrap()
    }

    #[test]
    fn a_build_of_another_commit_has_failed() {
        let build = json!({ "id": "p:1", "buildStatus": "SUCCEEDED", "resolvedSourceVersion": "4f2c1d9aa0" });
        assert!(judge(&step(None), &build, &json!({})).is_ok());
        assert!(judge(&step(Some("4f2c1d9")), &build, &json!({})).is_ok());
        for other in ["4f2c1d8", "4f2", ""] {
            let error = judge(&step(Some(other)), &build, &json!({})).unwrap_err();
            assert!(
                matches!(&error, StepError::Failed { code, .. } if code == "wrong_commit"),
                "{other}: {error:?}"
            );
        }
    }

    #[test]
    fn a_failed_build_says_which_phase_and_why() {
        let build = json!({ "id": "p:1", "buildStatus": "FAILED", "phases": [
            { "phaseType": "INSTALL", "phaseStatus": "SUCCEEDED" },
            { "phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{ "message": "exit status 1" }] },
        ]});
        let StepError::Failed { code, message } = judge(&step(None), &build, &json!({})).unwrap_err() else {
            panic!("it failed for good")
        };
        assert_eq!(
            (code.as_str(), message.trim()),
            ("build_failed", "BUILD: exit status 1")
        );
    }
}
