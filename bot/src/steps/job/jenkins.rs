//! Jenkins: a start is an item of its queue first and a build later; both carry the parameters.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::Jenkins;
use http::Method;
use http::header::LOCATION;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;

use super::super::listed::{Asked, Body, Servers, Trouble, below_asking, cut};
use super::super::{Answer, At, Probe, StepError, acted, pending};
use super::{LOOKED_AT, MARKER, ended, ready};

pub(super) struct Server<'a> {
    pub(super) step: &'a Jenkins,
    pub(super) servers: Servers<'a>,
}

/// How much of the end of a log is read, in bytes.
const LOG: u64 = 256 * 1024;

/// Where a start of ours is.
enum Found {
    Queued(u64),
    Built(u64),
}

#[async_trait]
impl super::Server for Server<'_> {
    /// Jenkins drops parameters that a job does not define, and with them the marker: such a job could be started twice.
    async fn prepare(&self, _: At<'_>) -> Answer {
        let url = self.job(
            &["api", "json"],
            &[("tree", "buildable,nextBuildNumber,property[parameterDefinitions[name]]")],
        )?;
        let job = self.servers.get(&url).await?;
        if job["buildable"] == false {
            return Err(StepError::failed(
                "job_disabled",
                format!("{} is disabled in Jenkins: enable it", self.step.job),
            ));
        }
        let defined: Vec<&str> = job["property"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|property| property["parameterDefinitions"].as_array())
            .flatten()
            .filter_map(|definition| definition["name"].as_str())
            .collect();
        let wanted = self.step.parameters.keys().map(String::as_str).chain([MARKER]);
        if let Some(missing) = wanted.into_iter().find(|name| !defined.contains(name)) {
            let why = format!(
                "{} has no parameter {missing}, and Jenkins drops what a job does not define: add it to the job, as a text",
                self.step.job
            );
            return Err(StepError::failed("no_parameter", why));
        }
        let next = job["nextBuildNumber"].as_u64().unwrap_or_default();
        Ok(ready(
            Value::Null,
            format!("{} is there, its next build is #{next}", self.step.job),
        ))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let url = self.job(&["buildWithParameters"], &[])?;
        let mut fields: Vec<(String, String)> = self.step.parameters.clone().into_iter().collect();
        fields.push((MARKER.to_owned(), at.marker()));
        let headers = BTreeMap::new();
        let asked = Asked {
            method: Method::POST,
            url: &url,
            headers: &headers,
            body: Body::Form(fields),
        };
        let answer = self.servers.send(asked).await?;
        // Only its number is taken: the address is the one that Jenkins believes to have.
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let number = location
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .and_then(|number| number.parse::<u64>().ok());
        number.map_or_else(
            || {
                Err(StepError::Later(
                    "Jenkins did not say where it queued the build".to_owned(),
                ))
            },
            |queue| Ok(acted(json!({ "queue": queue }))),
        )
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        Ok(match self.find(&at.marker()).await? {
            Some(Found::Queued(queue)) => Probe::Done(acted(json!({ "queue": queue }))),
            Some(Found::Built(number)) => Probe::Done(acted(json!({ "number": number }))),
            None => Probe::NotDone,
        })
    }

    async fn watch(&self, at: At<'_>) -> Result<StepOutcome, Trouble> {
        if let Some(number) = at.call.memo["number"].as_u64() {
            return self.look(number).await;
        }
        let queue = at.call.memo["queue"].as_u64().unwrap_or_default().to_string();
        let url = self.at(
            &["queue", "item", &queue, "api", "json"],
            &[("tree", "id,why,cancelled,executable[number]")],
        )?;
        let item = match self.servers.get(&url).await {
            Ok(item) => item,
            // Jenkins forgets an item five minutes after it left the queue.
            Err(Trouble::Refused(404, _)) => return self.forgotten(at).await,
            Err(trouble) => return Err(trouble),
        };
        if item["cancelled"] == true {
            return Err(failed(
                "build_canceled",
                "somebody took it out of Jenkins's queue".to_owned(),
            ));
        }
        Ok(match item.pointer("/executable/number").and_then(Value::as_u64) {
            Some(number) => pending(json!({ "number": number }), format!("build #{number} has begun")),
            None => {
                let why = item["why"]
                    .as_str()
                    .map_or_else(String::new, |why| format!(": {}", cut(why)));
                pending(at.call.memo.clone(), format!("waits in Jenkins's queue{why}"))
            }
        })
    }

    /// Jenkins says how long a log is, and hands it out from any place on.
    async fn log(&self, at: At<'_>) -> Result<Option<String>, Trouble> {
        let Some(number) = at.call.memo["number"].as_u64() else {
            return Ok(None);
        };
        let number = number.to_string();
        let from = |start: &str| self.job(&[&number, "logText", "progressiveText"], &[("start", start)]);
        let told = self.servers.text(Method::HEAD, &from("0")?).await?;
        let size = told.headers().get("x-text-size").and_then(|size| size.to_str().ok());
        let size: u64 = size.and_then(|size| size.parse().ok()).unwrap_or(0);
        let start = size.saturating_sub(LOG).to_string();
        let told = self.servers.text(Method::GET, &from(&start)?).await?;
        Ok(Some(self.servers.without_secret(&String::from_utf8_lossy(told.body()))))
    }
}

impl Server<'_> {
    fn at(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Trouble> {
        below_asking(&self.step.url, path, query).map_err(Trouble::Never)
    }

    /// An address of the job, which may lie in folders.
    fn job(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Trouble> {
        let folders = self.step.job.split('/').flat_map(|part| ["job", part]);
        let path: Vec<&str> = folders.chain(path.iter().copied()).collect();
        self.at(&path, query)
    }

    /// The start that carries a marker. The queue is looked at first: what leaves it meanwhile is among the builds.
    async fn find(&self, marker: &str) -> Result<Option<Found>, Trouble> {
        let parameters = "actions[parameters[name,value]]";
        let url = self.at(
            &["queue", "api", "json"],
            &[("tree", &format!("items[id,{parameters}]"))],
        )?;
        let queue = self.servers.get(&url).await?;
        let items = queue["items"].as_array().into_iter().flatten();
        if let Some(item) = items.into_iter().find(|item| is_marked(item, marker)) {
            return Ok(item["id"].as_u64().map(Found::Queued));
        }
        let tree = format!("builds[number,{parameters}]{{0,{LOOKED_AT}}}");
        let job = self
            .servers
            .get(&self.job(&["api", "json"], &[("tree", &tree)])?)
            .await?;
        let builds = job["builds"].as_array().into_iter().flatten();
        let ours = builds.into_iter().find(|build| is_marked(build, marker));
        Ok(ours.and_then(|build| build["number"].as_u64()).map(Found::Built))
    }

    async fn forgotten(&self, at: At<'_>) -> Result<StepOutcome, Trouble> {
        match self.find(&at.marker()).await? {
            Some(Found::Built(number)) => Ok(pending(
                json!({ "number": number }),
                format!("build #{number} has begun"),
            )),
            Some(Found::Queued(queue)) => Ok(pending(
                json!({ "queue": queue }),
                "waits in Jenkins's queue".to_owned(),
            )),
            None => Err(failed(
                "no_build",
                "Jenkins knows neither the queued item nor a build of it any more".to_owned(),
            )),
        }
    }

    async fn look(&self, number: u64) -> Result<StepOutcome, Trouble> {
        let text = number.to_string();
        let url = self.job(
            &[&text, "api", "json"],
            &[("tree", "number,building,result,duration,estimatedDuration,timestamp")],
        )?;
        let build = self.servers.get(&url).await?;
        let link = self.job(&[&text, "console"], &[])?;
        let memo = json!({ "number": number });
        match build["result"].as_str() {
            _ if build["building"] == true => Ok(pending(memo, format!("build #{number} runs. {link}"))),
            None => Ok(pending(memo, format!("build #{number} has no result yet. {link}"))),
            Some("SUCCESS") => Ok(ended(
                &[("number", text.clone()), ("url", link.to_string())],
                format!("build #{number} succeeded. {link}"),
            )),
            Some(result) => {
                let code = format!("build_{}", cut(&result.to_lowercase()));
                Err(failed(
                    &code,
                    format!("build #{number} ended as {}. {link}", cut(result)),
                ))
            }
        }
    }
}

fn is_marked(thing: &Value, marker: &str) -> bool {
    let actions = thing["actions"].as_array().into_iter().flatten();
    let parameters = actions.filter_map(|action| action["parameters"].as_array()).flatten();
    parameters
        .into_iter()
        .any(|one| one["name"] == MARKER && one["value"] == marker)
}

fn failed(code: &str, message: String) -> Trouble {
    Trouble::Never(StepError::failed(code, message))
}
