//! CircleCI: a pipeline is started, or a hold in one approved, and its workflows are followed.
//!
//! Nothing that a caller sends can be read back from a pipeline. So the newest number is kept before a start: if its answer is lost and nobody has started
//! a pipeline through the API since, it was not done; else a person has to look. That the only one since is the token's own would not be enough: another
//! run of this bot may have started it, with the same token, on the same branch, and its hold would be approved in the place of ours. But when a person
//! says that ours was started, it is among those, and the only one is it.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::CircleCi;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::super::listed::{Body, Servers, Trouble, below_asking, cut};
use super::super::{Answer, At, Probe, StepError, acted};
use super::{ended, ready};

/// How many pages of workflows or jobs are read.
const PAGES: usize = 5;

pub(super) struct Server<'a> {
    pub(super) step: &'a CircleCi,
    pub(super) servers: Servers<'a>,
}

#[async_trait]
impl super::Server for Server<'_> {
    async fn prepare(&self, _: At<'_>) -> Answer {
        if let (Some(pipeline), Some(hold)) = (&self.step.pipeline, &self.step.approve_hold) {
            return Ok(match self.hold(pipeline, hold).await? {
                Hold::Waits { .. } => ready(json!({ "pipeline": pipeline }), format!("{hold} waits for an approval")),
                Hold::Approved => ready(json!({ "pipeline": pipeline }), format!("{hold} is approved already")),
                Hold::Ahead => return Err(StepError::Later(format!("{hold} is not reached yet"))),
            });
        }
        let newest = self.newest().await?;
        let number = newest
            .first()
            .and_then(|pipeline| pipeline["number"].as_u64())
            .unwrap_or(0);
        Ok(ready(
            json!({ "newest": number }),
            format!("{} has had {number} pipelines", self.step.project),
        ))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        if let (Some(pipeline), Some(hold)) = (&self.step.pipeline, &self.step.approve_hold) {
            return match self.hold(pipeline, hold).await? {
                Hold::Approved => Ok(acted(at.call.memo.clone())),
                Hold::Ahead => Err(StepError::Later(format!("{hold} is not reached yet"))),
                Hold::Waits { workflow, request } => {
                    let url = self.at(&["workflow", &workflow, "approve", &request], &[])?;
                    self.servers.json(Method::POST, &url, Body::Nothing).await?;
                    Ok(acted(at.call.memo.clone()))
                }
            };
        }
        let mut body = json!({ "parameters": self.step.parameters });
        for (name, value) in [("branch", &self.step.branch), ("tag", &self.step.tag)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        let url = self.project(&["pipeline"], &[])?;
        let told = match self
            .servers
            .json(Method::POST, &url, Body::Json(body.to_string()))
            .await
        {
            Ok(told) => told,
            // It certainly was not started: that is worth saying, for a second try might not know it.
            Err(Trouble::NotDone(why)) => {
                return Err(StepError::failed("not_started", format!("it was not started: {why}")));
            }
            Err(trouble) => return Err(trouble.into()),
        };
        let id = told["id"]
            .as_str()
            .ok_or_else(|| StepError::Later("CircleCI did not name the pipeline".to_owned()))?;
        Ok(acted(json!({ "pipeline": id, "number": told["number"] })))
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        if self.step.pipeline.is_some() {
            // Approving looks first, whichever try it is.
            return Ok(Probe::NotDone);
        }
        let before = at.call.memo["newest"].as_u64().unwrap_or(0);
        let newest = self.newest().await?;
        let since: Vec<&Value> = newest
            .iter()
            .filter(|one| one["number"].as_u64().is_some_and(|number| number > before))
            .collect();
        let by_api: Vec<String> = since
            .iter()
            .filter(|one| one.pointer("/trigger/type").and_then(Value::as_str) == Some("api"))
            .filter_map(|one| Some(format!("#{}", one["number"].as_u64()?)))
            .collect();
        Ok(if !by_api.is_empty() {
            let why = format!(
                "the answer of the start was lost, and CircleCI does not tell who started {}: look whether it was this run",
                by_api.join(", ")
            );
            Probe::CannotTell(why)
        } else if since.len() == newest.len() && before > 0 {
            Probe::CannotTell("the answer of the start was lost, and many pipelines were started since".to_owned())
        } else {
            Probe::NotDone
        })
    }

    async fn watch(&self, at: At<'_>) -> Result<StepOutcome, Trouble> {
        let memo = match at.call.memo["pipeline"].as_str() {
            Some(_) => at.call.memo.clone(),
            None => self.started(&at.call.memo).await?,
        };
        let id = memo["pipeline"].as_str().unwrap_or_default();
        let pipeline = self.servers.get(&self.at(&["pipeline", id], &[])?).await?;
        let link = self.link(pipeline["number"].as_u64());
        if pipeline["state"] == "errored" {
            let errors = pipeline["errors"].as_array().into_iter().flatten();
            let words: Vec<&str> = errors.filter_map(|error| error["message"].as_str()).collect();
            let message = format!(
                "CircleCI could not make workflows of it: {} {link}",
                self.servers.words(&words.join("; "))
            );
            return Err(Trouble::Never(StepError::failed("pipeline_errored", message)));
        }
        let workflows = newest_of_each(self.all(&["pipeline", id, "workflow"]).await?);
        let mut waits = Vec::new();
        for workflow in workflows.iter().filter(|workflow| workflow["status"] == "on_hold") {
            let jobs = self
                .all(&["workflow", workflow["id"].as_str().unwrap_or_default(), "job"])
                .await?;
            let holds = jobs
                .into_iter()
                .filter(|job| job["type"] == "approval" && job["status"] == "on_hold");
            waits.extend(holds.filter_map(|job| job["name"].as_str().map(str::to_owned)));
        }
        self.judge(&workflows, &waits, (id, &link, &memo))
    }
}

/// How a hold stands.
enum Hold {
    /// Its turn has not come.
    Ahead,
    /// It waits.
    Waits { workflow: String, request: String },
    /// Somebody has approved it.
    Approved,
}

impl Server<'_> {
    fn at(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Trouble> {
        let path: Vec<&str> = ["api", "v2"].into_iter().chain(path.iter().copied()).collect();
        below_asking(&self.step.url, &path, query).map_err(Trouble::Never)
    }

    fn project(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Trouble> {
        let slug = self.step.project.split('/');
        let path: Vec<&str> = ["project"]
            .into_iter()
            .chain(slug)
            .chain(path.iter().copied())
            .collect();
        self.at(&path, query)
    }

    fn link(&self, number: Option<u64>) -> String {
        let number = number.unwrap_or_default();
        let app = self
            .step
            .url
            .replace("https://circleci.com", "https://app.circleci.com");
        format!("{}/pipelines/{}/{number}", app.trim_end_matches('/'), self.step.project)
    }

    /// The first page of the project's pipelines, newest first.
    async fn newest(&self) -> Result<Vec<Value>, Trouble> {
        self.first_page(&["pipeline"]).await
    }

    async fn first_page(&self, path: &[&str]) -> Result<Vec<Value>, Trouble> {
        let told = self.servers.get(&self.project(path, &[])?).await?;
        let items = told["items"].as_array().cloned();
        items.ok_or_else(|| Trouble::Unknown("CircleCI did not list the pipelines".to_owned()))
    }

    /// What was started, when a person says that it was: the only pipeline that the token's user has started here since, on the same branch or tag.
    async fn started(&self, memo: &Value) -> Result<Value, Trouble> {
        let before = memo["newest"].as_u64().unwrap_or(0);
        let fits = |one: &&Value| {
            let vcs = |name: &str, wanted: &Option<String>| {
                wanted.is_none() || one["vcs"][name].as_str() == wanted.as_deref()
            };
            one["number"].as_u64().is_some_and(|number| number > before)
                && one["trigger"]["type"] == "api"
                && vcs("branch", &self.step.branch)
                && vcs("tag", &self.step.tag)
        };
        let mine = self.first_page(&["pipeline", "mine"]).await?;
        let fitting: Vec<&Value> = mine.iter().filter(fits).collect();
        let which = match fitting.as_slice() {
            [one] => {
                return Ok(json!({ "newest": before, "pipeline": one["id"], "number": one["number"] }));
            }
            [] => format!("the user of the token has started none after #{before}"),
            several => {
                let numbers = several
                    .iter()
                    .filter_map(|one| Some(format!("#{}", one["number"].as_u64()?)));
                format!("it may be any of {}", numbers.collect::<Vec<_>>().join(", "))
            }
        };
        let why = format!(
            "it cannot be told which pipeline was started: {which}. Trying again would start another one; leave this step out, and do in CircleCI what later steps would do with its pipeline"
        );
        Err(Trouble::Never(StepError::failed("which_pipeline", why)))
    }

    /// All pages of a list.
    async fn all(&self, path: &[&str]) -> Result<Vec<Value>, Trouble> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES {
            let query: Vec<(&str, &str)> = token.iter().map(|token| ("page-token", token.as_str())).collect();
            let told = self.servers.get(&self.at(path, &query)?).await?;
            items.extend(told["items"].as_array().cloned().unwrap_or_default());
            token = told["next_page_token"].as_str().map(str::to_owned);
            if token.is_none() {
                return Ok(items);
            }
        }
        Err(Trouble::Unknown("the list does not come to an end".to_owned()))
    }

    async fn hold(&self, pipeline: &str, name: &str) -> Result<Hold, Trouble> {
        let mut known = false;
        let workflows = newest_of_each(self.all(&["pipeline", pipeline, "workflow"]).await?);
        for workflow in &workflows {
            let id = workflow["id"].as_str().unwrap_or_default();
            let jobs = self.all(&["workflow", id, "job"]).await?;
            let Some(job) = jobs.iter().find(|job| job["name"] == name && job["type"] == "approval") else {
                continue;
            };
            known = true;
            let over = !matches!(workflow["status"].as_str(), Some("on_hold" | "running" | "failing"));
            match (
                job["status"].as_str().unwrap_or_default(),
                job["approval_request_id"].as_str(),
            ) {
                ("success", _) => return Ok(Hold::Approved),
                ("on_hold", Some(request)) if !over => {
                    return Ok(Hold::Waits {
                        workflow: id.to_owned(),
                        request: request.to_owned(),
                    });
                }
                (status, _) if over => {
                    let why = format!(
                        "{name} is {}, and its workflow is over: nothing waits for an approval",
                        cut(status)
                    );
                    return Err(Trouble::Never(StepError::failed("no_hold", why)));
                }
                _ => {}
            }
        }
        if known || workflows.is_empty() {
            return Ok(Hold::Ahead);
        }
        let why = format!("no workflow of the pipeline has a hold {name}: check the name");
        Err(Trouble::Never(StepError::failed("no_hold", why)))
    }

    fn judge(
        &self,
        workflows: &[Value],
        waits: &[String],
        (id, link, memo): (&str, &str, &Value),
    ) -> Result<StepOutcome, Trouble> {
        let outputs = [("pipeline", id.to_owned()), ("url", link.to_owned())];
        let bad = |workflow: &&Value| {
            matches!(
                workflow["status"].as_str(),
                Some("failed" | "error" | "canceled" | "unauthorized" | "not_run")
            )
        };
        let words: Vec<String> = workflows
            .iter()
            .map(|workflow| {
                let text = |name: &str| cut(workflow[name].as_str().unwrap_or("unnamed"));
                format!("{} is {}", text("name"), text("status"))
            })
            .collect();
        if let Some(workflow) = workflows.iter().find(bad) {
            let code = format!("workflow_{}", workflow["status"].as_str().unwrap_or_default());
            return Err(Trouble::Never(StepError::failed(
                &code,
                format!("{}. {link}", words.join(", ")),
            )));
        }
        if let Some(hold) = self.step.until_hold.as_ref().filter(|hold| waits.contains(hold)) {
            return Ok(ended(&outputs, format!("it waits at {hold}. {link}")));
        }
        if !workflows.is_empty() && workflows.iter().all(|workflow| workflow["status"] == "success") {
            if let Some(hold) = &self.step.until_hold {
                let why = format!("it ended without waiting at {hold}: check the name. {link}");
                return Err(Trouble::Never(StepError::failed("no_hold", why)));
            }
            return Ok(ended(&outputs, format!("{}. {link}", words.join(", "))));
        }
        let held = match waits {
            [] => String::new(),
            waits => format!(", waits for an approval of {}", cut(&waits.join(", "))),
        };
        let words = if words.is_empty() {
            "no workflow yet".to_owned()
        } else {
            words.join(", ")
        };
        Ok(StepOutcome::Pending {
            memo: memo.clone(),
            progress: Progress {
                words: format!("{words}{held}. {link}"),
                ..Progress::default()
            },
        })
    }
}

/// A workflow that was run again is there twice: the newest of each name counts.
fn newest_of_each(mut workflows: Vec<Value>) -> Vec<Value> {
    workflows.sort_by(|one, two| two["created_at"].as_str().cmp(&one["created_at"].as_str()));
    let mut seen: Vec<Value> = Vec::new();
    for workflow in workflows {
        if !seen.iter().any(|other| other["name"] == workflow["name"]) {
            seen.push(workflow);
        }
    }
    seen
}
