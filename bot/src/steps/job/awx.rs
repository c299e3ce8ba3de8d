//! AWX and Ansible Tower: a template is launched with a variable of ours, which its jobs show.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::Awx;
use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use super::super::listed::{Body, Servers, Trouble, below, below_asking, cut};
use super::super::{Answer, At, Probe, StepError, acted, pending};
use super::{LOOKED_AT, MARKER, ended, ready};

pub(super) struct Server<'a> {
    pub(super) step: &'a Awx,
    pub(super) servers: Servers<'a>,
}

#[async_trait]
impl super::Server for Server<'_> {
    /// A template that does not ask for variables ignores them, and with them the marker: it could be launched twice.
    async fn prepare(&self, _: At<'_>) -> Answer {
        let template = self.template().await?;
        let name = cut(template["name"].as_str().unwrap_or(&self.step.template));
        if template["ask_variables_on_launch"] != true {
            let why = format!(
                "{name} does not ask for variables at launch and would ignore them: turn on “Prompt on launch” beside its variables"
            );
            return Err(StepError::failed("no_variables", why));
        }
        let id = template["id"]
            .as_u64()
            .ok_or_else(|| StepError::Later("the template has no number".to_owned()))?;
        Ok(ready(
            json!({ "template": id }),
            format!("the job template {name} is there"),
        ))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let template = at.call.memo["template"].as_u64().unwrap_or_default().to_string();
        let url = self.at(&["job_templates", &template, "launch", ""], &[])?;
        let mut variables: Map<String, Value> = self.step.variables.clone().into_iter().collect();
        variables.insert(MARKER.to_owned(), at.marker().into());
        let body = Body::Json(json!({ "extra_vars": variables }).to_string());
        let told = self.servers.json(Method::POST, &url, body).await?;
        let job = told["job"].as_u64().or_else(|| told["id"].as_u64());
        job.map_or_else(
            || Err(StepError::Later("AWX did not name the job".to_owned())),
            |job| Ok(acted(json!({ "job": job }))),
        )
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let template = at.call.memo["template"].as_u64().unwrap_or_default().to_string();
        let size = LOOKED_AT.to_string();
        let url = self.at(
            &["job_templates", &template, "jobs", ""],
            &[("order_by", "-id"), ("page_size", &size)],
        )?;
        let told = self.servers.get(&url).await?;
        let marker = at.marker();
        let ours = told["results"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|job| is_marked(job, &marker));
        Ok(match ours.and_then(|job| job["id"].as_u64()) {
            Some(job) => Probe::Done(acted(json!({ "job": job }))),
            None => Probe::NotDone,
        })
    }

    async fn watch(&self, at: At<'_>) -> Result<StepOutcome, Trouble> {
        let id = at.call.memo["job"].as_u64().unwrap_or_default().to_string();
        let job = self.servers.get(&self.at(&["jobs", &id, ""], &[])?).await?;
        let mut link = below(&self.step.url, &[]).map_err(Trouble::Never)?;
        link.set_fragment(Some(&format!("/jobs/playbook/{id}/output")));
        let status = job["status"].as_str().unwrap_or("in an unknown state");
        match status {
            "successful" => Ok(ended(
                &[("job", id.clone()), ("url", link.to_string())],
                format!("job {id} succeeded. {link}"),
            )),
            "failed" | "error" | "canceled" => {
                let why = self.servers.words(job["job_explanation"].as_str().unwrap_or_default());
                let message = format!("job {id} is {status}. {why} {link}");
                Err(Trouble::Never(StepError::failed(&format!("job_{status}"), message)))
            }
            _ => Ok(pending(
                at.call.memo.clone(),
                format!("job {id} is {}. {link}", cut(status)),
            )),
        }
    }

    /// AWX hands out what a job wrote up to 1 MB; of more it only says that it is too large.
    async fn log(&self, at: At<'_>) -> Result<Option<String>, Trouble> {
        let id = at.call.memo["job"].as_u64().unwrap_or_default().to_string();
        let url = self.at(&["jobs", &id, "stdout", ""], &[("format", "txt")])?;
        let told = self.servers.text(Method::GET, &url).await?;
        Ok(Some(self.servers.without_secret(&String::from_utf8_lossy(told.body()))))
    }
}

impl Server<'_> {
    fn at(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Trouble> {
        let path: Vec<&str> = ["api", "v2"].into_iter().chain(path.iter().copied()).collect();
        below_asking(&self.step.url, &path, query).map_err(Trouble::Never)
    }

    /// The template, by its number or its name; exactly one.
    async fn template(&self) -> Result<Value, StepError> {
        let wanted = &self.step.template;
        if wanted.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(self.servers.get(&self.at(&["job_templates", wanted, ""], &[])?).await?);
        }
        let url = self.at(&["job_templates", ""], &[("name", wanted)])?;
        let told = self.servers.get(&url).await?;
        let found = told["results"].as_array().map_or(&[][..], Vec::as_slice);
        match found {
            [one] => Ok(one.clone()),
            [] => Err(StepError::failed(
                "no_template",
                format!("there is no job template {wanted}"),
            )),
            _ => Err(StepError::failed(
                "several_templates",
                format!("there are several job templates {wanted}: say which by its number"),
            )),
        }
    }
}

/// A job shows its variables as a text of JSON.
fn is_marked(job: &Value, marker: &str) -> bool {
    let text = job["extra_vars"].as_str().unwrap_or_default();
    let variables: Value = serde_json::from_str(text).unwrap_or_default();
    variables[MARKER] == marker
}
