//! CircleCI's API v2: pipelines, their workflows, and the holds in them.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, Asked, Shown, Told};

/// How long a pipeline takes to have workflows, in milliseconds.
const SETUP_MS: i64 = 2_000;

/// The projects by slug, and all pipelines, oldest first.
#[derive(Debug, Default)]
pub(super) struct CircleCi {
    projects: BTreeMap<String, Project>,
    pipelines: Vec<Pipeline>,
}

/// A project. Its pipelines have one workflow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    slug: String,
    /// The parameters that its configuration declares.
    #[serde(default)]
    parameters: Vec<String>,
    /// A job that waits for an approval, before the others.
    #[serde(default)]
    hold: Option<String>,
    /// How long its jobs take.
    #[serde(default = "seconds")]
    seconds: i64,
    /// How its workflow ends.
    #[serde(default = "success")]
    status: String,
    /// What is wrong with its configuration: no workflow is made then.
    #[serde(default)]
    error: Option<String>,
}

const fn seconds() -> i64 {
    20
}

fn success() -> String {
    "success".to_owned()
}

#[derive(Debug)]
struct Pipeline {
    project: Project,
    number: usize,
    trigger: &'static str,
    parameters: Map<String, Value>,
    branch: String,
    /// The tag that is built instead.
    tag: Option<String>,
    /// Who started it.
    actor: &'static str,
    at_ms: i64,
    approved_ms: Option<i64>,
}

/// Whose the token is.
const OWN: &str = "signalbox";
/// Somebody else.
const OTHER: &str = "dana";

/// How a pipeline is started.
struct Start {
    trigger: &'static str,
    actor: &'static str,
    branch: String,
    tag: Option<String>,
}

/// What people do in CircleCI.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A project is there, or is changed.
    Project(Project),
    /// Somebody else starts a pipeline: through the API, with our token or their own, or by a push.
    Start {
        project: String,
        #[serde(default)]
        push: bool,
        /// With our token.
        #[serde(default)]
        own: bool,
        #[serde(default)]
        branch: Option<String>,
    },
}

impl CircleCi {
    pub(super) fn act(&mut self, deed: Deed, now_ms: i64) {
        match deed {
            Deed::Project(project) => drop(self.projects.insert(project.slug.clone(), project)),
            Deed::Start {
                project,
                push,
                own,
                branch,
            } => {
                let start = Start {
                    trigger: if push { "webhook" } else { "api" },
                    actor: if own { OWN } else { OTHER },
                    branch: branch.unwrap_or_else(|| "main".to_owned()),
                    tag: None,
                };
                if let Some(project) = self.projects.get(&project).cloned() {
                    self.start(project, start, Map::new(), now_ms);
                }
            }
        }
    }

    pub(super) fn snapshot(&self) -> Value {
        let pipelines = self.pipelines.iter();
        pipelines
            .map(|one| json!({ "project": one.project.slug, "number": one.number, "parameters": one.parameters, "branch": one.branch,
                "approved": one.approved_ms.is_some() }))
            .collect()
    }

    fn start(&mut self, project: Project, start: Start, parameters: Map<String, Value>, now_ms: i64) -> Value {
        let number = 1 + self
            .pipelines
            .iter()
            .filter(|one| one.project.slug == project.slug)
            .count();
        let pipeline = Pipeline {
            project,
            number,
            trigger: start.trigger,
            parameters,
            branch: start.branch,
            tag: start.tag,
            actor: start.actor,
            at_ms: now_ms,
            approved_ms: None,
        };
        let told = json!({ "id": pipeline.id(), "number": number, "state": "pending", "created_at": iso(now_ms) });
        self.pipelines.push(pipeline);
        told
    }

    fn trigger(&mut self, slug: &str, asked: &Asked) -> Told {
        let Some(project) = self.projects.get(slug).cloned() else {
            return refuse(404, "Project not found");
        };
        let parameters = asked.json["parameters"].as_object().cloned().unwrap_or_default();
        if let Some(odd) = parameters.keys().find(|name| !project.parameters.contains(name)) {
            return refuse(400, &format!("Unexpected argument(s): {odd}"));
        }
        let text = |name: &str| asked.json[name].as_str().map(str::to_owned);
        let start = Start {
            trigger: "api",
            actor: OWN,
            branch: text("branch").unwrap_or_else(|| "main".to_owned()),
            tag: text("tag"),
        };
        Told::of(201, self.start(project, start, parameters, asked.now_ms))
    }

    fn find(&mut self, id: &str, workflow: bool) -> Option<&mut Pipeline> {
        let own = |one: &Pipeline| if workflow { one.workflow() } else { one.id() };
        self.pipelines.iter_mut().find(|one| own(one) == id)
    }
}

impl Pipeline {
    /// The same project and number have the same id.
    fn id(&self) -> String {
        let digest = hex::encode(Md5::digest(format!("{}/{}", self.project.slug, self.number)));
        let [one, two, three, four, five] = [0..8, 8..12, 13..16, 17..20, 20..32].map(|range| &digest[range]);
        format!("{one}-{two}-4{three}-8{four}-{five}")
    }

    fn workflow(&self) -> String {
        format!("f{}", &self.id()[1..])
    }

    fn render(&self) -> Value {
        let vcs = match &self.tag {
            Some(tag) => json!({ "tag": tag, "provider_name": "GitHub" }),
            None => json!({ "branch": self.branch, "provider_name": "GitHub" }),
        };
        // What it was started with is not shown.
        json!({ "id": self.id(), "number": self.number, "project_slug": self.project.slug, "created_at": iso(self.at_ms),
            "state": if self.project.error.is_some() { "errored" } else { "created" },
            "errors": self.project.error.iter().map(|message| json!({ "type": "config", "message": message })).collect::<Vec<_>>(),
            "trigger": { "type": self.trigger, "received_at": iso(self.at_ms), "actor": { "login": self.actor, "avatar_url": Value::Null } },
            "vcs": vcs })
    }

    /// How its workflow stands; `None`: there is none yet.
    fn status(&self, now_ms: i64) -> Option<&str> {
        let began = self.at_ms + SETUP_MS;
        if now_ms < began || self.project.error.is_some() {
            return None;
        }
        let works_since = match (&self.project.hold, self.approved_ms) {
            (Some(_), None) => return Some("on_hold"),
            (Some(_), Some(approved)) => approved,
            (None, _) => began,
        };
        Some(if now_ms < works_since + self.project.seconds * 1000 {
            "running"
        } else {
            &self.project.status
        })
    }

    fn jobs(&self, now_ms: i64) -> Value {
        let status = self.status(now_ms).unwrap_or("not_run");
        let build = match status {
            "on_hold" => "blocked",
            status => status,
        };
        let hold = self.project.hold.as_ref().map(|name| {
            let status = if self.approved_ms.is_some() { "success" } else { "on_hold" };
            json!({ "id": "h", "name": name, "type": "approval", "status": status, "approval_request_id": "a1f9e2d4-0000-4000-8000-000000000001" })
        });
        let jobs = hold
            .into_iter()
            .chain([json!({ "id": "b", "name": "build", "type": "build", "status": build, "job_number": 7 })]);
        json!({ "items": jobs.collect::<Vec<_>>(), "next_page_token": Value::Null })
    }
}

fn iso(at_ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn refuse(status: u16, words: &str) -> Told {
    Told::of(status, CircleCi::refusal(status, words))
}

impl Api for CircleCi {
    fn name(asked: &Asked) -> Option<&'static str> {
        let (get, post) = (asked.is("GET"), asked.is("POST"));
        match asked.parts().as_slice() {
            ["api", "v2", "project", _, _, _, "pipeline"] if get => Some("pipelines_list"),
            ["api", "v2", "project", _, _, _, "pipeline", "mine"] if get => Some("pipelines_mine"),
            ["api", "v2", "project", _, _, _, "pipeline"] if post => Some("trigger"),
            ["api", "v2", "pipeline", _] if get => Some("pipeline_info"),
            ["api", "v2", "pipeline", _, "workflow"] if get => Some("workflows_list"),
            ["api", "v2", "workflow", _, "job"] if get => Some("jobs_list"),
            ["api", "v2", "workflow", _, "approve", _] if post => Some("approve"),
            _ => None,
        }
    }

    fn answer(&mut self, name: &str, asked: &Asked) -> Told {
        if !matches!(&asked.shown, Shown::Token(secret) if Shown::is_good(secret)) {
            return refuse(401, "You must log in first.");
        }
        let now_ms = asked.now_ms;
        if matches!(name, "pipelines_list" | "pipelines_mine" | "trigger") {
            let slug = asked.path.get(3..6).unwrap_or_default().join("/");
            if name == "trigger" {
                return self.trigger(&slug, asked);
            }
            let newest = self
                .pipelines
                .iter()
                .rev()
                .filter(|one| one.project.slug == slug && (name == "pipelines_list" || one.actor == OWN))
                .take(20);
            return Told::ok(
                json!({ "items": newest.map(Pipeline::render).collect::<Vec<_>>(), "next_page_token": Value::Null }),
            );
        }
        let id = asked.path.get(3).cloned().unwrap_or_default();
        let Some(pipeline) = self.find(&id, matches!(name, "jobs_list" | "approve")) else {
            return refuse(404, "Not found");
        };
        match name {
            "pipeline_info" => Told::ok(pipeline.render()),
            "workflows_list" => {
                let shown = pipeline.status(now_ms).map(|status| {
                    json!({ "id": pipeline.workflow(), "name": "deploy", "status": status, "created_at": iso(pipeline.at_ms), "pipeline_number": pipeline.number })
                });
                Told::ok(json!({ "items": shown.into_iter().collect::<Vec<_>>(), "next_page_token": Value::Null }))
            }
            "jobs_list" => Told::ok(pipeline.jobs(now_ms)),
            _ if pipeline.status(now_ms) == Some("on_hold") => {
                pipeline.approved_ms = Some(now_ms);
                Told::of(202, json!({ "message": "Accepted." }))
            }
            _ => refuse(400, "Job is not on hold"),
        }
    }

    fn refusal(_: u16, words: &str) -> Value {
        json!({ "message": words })
    }
}
