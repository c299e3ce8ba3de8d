//! Jenkins's remote API: jobs, the queue, and builds.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Asked, Shown, Told, tree};

/// How long an item stays in the queue, and how long Jenkins knows it after that, in milliseconds.
const QUEUED_MS: i64 = 5_000;
const KNOWN_MS: i64 = 300_000;

/// The jobs by their whole name, and what was started.
#[derive(Debug, Default)]
pub(super) struct Jenkins {
    jobs: BTreeMap<String, Job>,
    starts: Vec<Start>,
    canceled: Vec<u64>,
}

/// A job.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    /// With its folders: `wallet/deploy`.
    name: String,
    #[serde(default)]
    parameters: Vec<String>,
    #[serde(default)]
    disabled: bool,
    #[serde(default = "seconds")]
    seconds: i64,
    #[serde(default = "success")]
    result: String,
    /// What its builds write into their logs.
    #[serde(default)]
    lines: Vec<String>,
}

const fn seconds() -> i64 {
    20
}

fn success() -> String {
    "SUCCESS".to_owned()
}

/// A start: an item of the queue, then a build.
#[derive(Debug)]
struct Start {
    item: u64,
    job: String,
    number: u64,
    parameters: BTreeMap<String, String>,
    at_ms: i64,
    seconds: i64,
    result: String,
    lines: Vec<String>,
}

/// What people do in Jenkins.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A job is there, or is changed.
    Job(Job),
    /// Somebody takes everything out of the queue.
    CancelQueue {},
}

impl Jenkins {
    pub(super) fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Job(job) => drop(self.jobs.insert(job.name.clone(), job)),
            Deed::CancelQueue {} => self.canceled.extend(self.starts.iter().map(|start| start.item)),
        }
    }

    pub(super) fn snapshot(&self) -> Value {
        let starts = self.starts.iter();
        starts
            .map(|start| json!({ "job": start.job, "number": start.number, "parameters": start.parameters }))
            .collect()
    }

    fn start(&mut self, name: &str, asked: &Asked) -> Told {
        let Some(job) = self.jobs.get(name) else {
            return refuse(404, "Not Found");
        };
        if job.disabled {
            return refuse(409, "the job is disabled");
        }
        if job.parameters.is_empty() {
            return refuse(400, "the job is not parameterized");
        }
        // What a job does not define is dropped without a word.
        let given = asked.form.iter().chain(&asked.query);
        let parameters = given
            .filter(|(name, _)| job.parameters.contains(name))
            .cloned()
            .collect();
        let item = 100 + u64::try_from(self.starts.len()).unwrap_or_default();
        let number =
            1 + u64::try_from(self.starts.iter().filter(|start| start.job == name).count()).unwrap_or_default();
        self.starts.push(Start {
            item,
            job: name.to_owned(),
            number,
            parameters,
            at_ms: asked.now_ms,
            seconds: job.seconds,
            result: job.result.clone(),
            lines: job.lines.clone(),
        });
        let mut told = Told::of(201, Value::Null);
        told.headers
            .push(("location", format!("{}/queue/item/{item}/", asked.base)));
        told
    }

    fn queue(&self, now_ms: i64) -> Value {
        let waiting = self
            .starts
            .iter()
            .filter(|start| now_ms < start.built_ms() && !self.canceled.contains(&start.item));
        let items = waiting.map(|start| start.item(false, now_ms));
        json!({ "items": items.collect::<Vec<_>>() })
    }

    fn item(&self, id: &str, now_ms: i64) -> Told {
        let found = self
            .starts
            .iter()
            .find(|start| start.item.to_string() == id && now_ms < start.built_ms() + KNOWN_MS);
        match found {
            Some(start) => Told::ok(start.item(self.canceled.contains(&start.item), now_ms)),
            None => refuse(404, "Not Found"),
        }
    }

    fn job(&self, name: &str, now_ms: i64) -> Told {
        let Some(job) = self.jobs.get(name) else {
            return refuse(404, "Not Found");
        };
        let builds: Vec<&Start> = self.builds(name, now_ms).collect();
        let definitions: Vec<Value> = job
            .parameters
            .iter()
            .map(|name| json!({ "name": name, "type": "StringParameterDefinition" }))
            .collect();
        Told::ok(json!({
            "name": name.rsplit('/').next(),
            "fullName": name,
            "buildable": !job.disabled,
            "inQueue": false,
            "nextBuildNumber": builds.first().map_or(1, |build| build.number + 1),
            "property": [{ "_class": "jenkins.model.BuildDiscarderProperty" }, { "parameterDefinitions": definitions }],
            "builds": builds.iter().map(|build| build.render(now_ms)).collect::<Vec<_>>(),
        }))
    }

    fn build(&self, name: &str, number: &str, now_ms: i64) -> Told {
        match self
            .builds(name, now_ms)
            .find(|build| build.number.to_string() == number)
        {
            Some(build) => Told::ok(build.render(now_ms)),
            None => refuse(404, "Not Found"),
        }
    }

    /// The log of a build from a place on; one behind its end is its beginning. `HEAD` tells how long it is.
    fn log(&self, (name, number): (&str, &str), asked: &Asked) -> Told {
        let mut builds = self.builds(name, asked.now_ms);
        let Some(build) = builds.find(|build| build.number.to_string() == number) else {
            return refuse(404, "Not Found");
        };
        let text = build.log(asked.now_ms);
        let start = asked.parameter("start").and_then(|start| start.parse::<usize>().ok());
        let start = start.filter(|start| *start <= text.len()).unwrap_or(0);
        let rest = String::from_utf8_lossy(&text.as_bytes()[start..]).into_owned();
        let mut told = Told::text(if asked.is("HEAD") { String::new() } else { rest });
        told.headers.push(("x-text-size", text.len().to_string()));
        told
    }

    /// What has left the queue, newest first.
    fn builds(&self, name: &str, now_ms: i64) -> impl Iterator<Item = &Start> {
        let built = move |start: &&Start| {
            start.job == name && now_ms >= start.built_ms() && !self.canceled.contains(&start.item)
        };
        self.starts.iter().rev().filter(built)
    }
}

impl Start {
    const fn built_ms(&self) -> i64 {
        self.at_ms + QUEUED_MS
    }

    const fn ended(&self, now_ms: i64) -> bool {
        now_ms >= self.built_ms() + self.seconds * 1000
    }

    fn log(&self, now_ms: i64) -> String {
        let mut lines = vec!["Started by remote host".to_owned()];
        lines.extend(self.lines.iter().cloned());
        lines.extend(self.ended(now_ms).then(|| format!("Finished: {}", self.result)));
        lines.join("\r\n")
    }

    fn actions(&self) -> Value {
        let parameters = self
            .parameters
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }));
        json!([{ "_class": "hudson.model.CauseAction" }, { "parameters": parameters.collect::<Vec<_>>() }])
    }

    fn item(&self, canceled: bool, now_ms: i64) -> Value {
        let mut item = json!({ "id": self.item, "actions": self.actions(), "cancelled": canceled, "why": Value::Null,
            "task": { "name": self.job } });
        if now_ms < self.built_ms() {
            item["why"] = json!("In the quiet period. Expires in 4.9 sec");
        } else if !canceled {
            item["executable"] = json!({ "number": self.number });
        }
        item
    }

    fn render(&self, now_ms: i64) -> Value {
        let ended = self.ended(now_ms);
        json!({ "number": self.number, "building": !ended, "result": ended.then_some(&self.result), "timestamp": self.built_ms(),
            "duration": if ended { self.seconds * 1000 } else { 0 }, "estimatedDuration": self.seconds * 1000, "actions": self.actions() })
    }
}

fn refuse(status: u16, words: &str) -> Told {
    Told::of(status, Jenkins::refusal(status, words))
}

/// A job's whole name, from `job/wallet/job/deploy`, and what is behind it.
fn split<'a>(parts: &[&'a str]) -> (String, Vec<&'a str>) {
    let mut names = Vec::new();
    let mut rest = parts;
    while let ["job", name, after @ ..] = rest {
        names.push(*name);
        rest = after;
    }
    (names.join("/"), rest.to_vec())
}

impl Api for Jenkins {
    fn name(asked: &Asked) -> Option<&'static str> {
        let parts = asked.parts();
        let (job, rest) = split(&parts);
        Some(match (job.is_empty(), rest.as_slice()) {
            (false, ["buildWithParameters"]) if asked.is("POST") => "build",
            (false, [_, "logText", "progressiveText"]) if asked.is("GET") || asked.is("HEAD") => "log",
            _ if !asked.is("GET") => return None,
            (true, ["queue", "api", "json"]) => "queue",
            (true, ["queue", "item", _, "api", "json"]) => "item_info",
            (false, ["api", "json"]) => "job_info",
            (false, [_, "api", "json"]) => "build_info",
            _ => return None,
        })
    }

    fn answer(&mut self, name: &str, asked: &Asked) -> Told {
        if !matches!(&asked.shown, Shown::Basic(user, secret) if !user.is_empty() && Shown::is_good(secret)) {
            return refuse(401, "Unauthorized");
        }
        let parts = asked.parts();
        let (job, rest) = split(&parts);
        let mut told = match name {
            "build" => return self.start(&job, asked),
            "log" => return self.log((&job, rest.first().copied().unwrap_or_default()), asked),
            "queue" => Told::ok(self.queue(asked.now_ms)),
            "item_info" => self.item(rest.get(2).copied().unwrap_or_default(), asked.now_ms),
            "job_info" => self.job(&job, asked.now_ms),
            _ => self.build(&job, rest.first().copied().unwrap_or_default(), asked.now_ms),
        };
        if let Some(wanted) = asked.parameter("tree").filter(|_| told.status == 200) {
            match tree::pick(&told.body, wanted) {
                Some(picked) => told.body = picked,
                None => return refuse(400, "the tree cannot be read"),
            }
        }
        told
    }

    fn refusal(_: u16, words: &str) -> Value {
        json!({ "message": words })
    }
}
