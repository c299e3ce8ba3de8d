//! AWX's API: job templates and their jobs.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Asked, Told};

/// The templates by number, and their jobs.
#[derive(Debug, Default)]
pub(super) struct Awx {
    templates: BTreeMap<u64, Template>,
    jobs: Vec<Job>,
}

/// A job template.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    id: u64,
    name: String,
    /// Whether it takes variables at launch.
    #[serde(default = "yes")]
    asks: bool,
    #[serde(default = "seconds")]
    seconds: i64,
    #[serde(default = "successful")]
    status: String,
    /// What its jobs write.
    #[serde(default)]
    lines: Vec<String>,
}

const fn yes() -> bool {
    true
}

const fn seconds() -> i64 {
    20
}

fn successful() -> String {
    "successful".to_owned()
}

#[derive(Debug)]
struct Job {
    id: u64,
    template: Template,
    variables: Value,
    at_ms: i64,
}

/// What people do in AWX.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A template is there, or is changed.
    Template(Template),
}

impl Awx {
    pub(super) fn act(&mut self, deed: Deed) {
        let Deed::Template(template) = deed;
        self.templates.insert(template.id, template);
    }

    pub(super) fn snapshot(&self) -> Value {
        let jobs = self.jobs.iter();
        jobs.map(|job| json!({ "id": job.id, "template": job.template.name, "extra_vars": job.variables }))
            .collect()
    }

    fn launch(&mut self, id: u64, asked: &Asked) -> Told {
        let Some(template) = self.templates.get(&id) else {
            return refuse(404);
        };
        let given = asked.json["extra_vars"].clone();
        // Without asking for them it ignores them, and says so.
        let (variables, ignored) = if template.asks {
            (given, json!({}))
        } else {
            (json!({}), json!({ "extra_vars": given }))
        };
        let job = Job {
            id: 40 + u64::try_from(self.jobs.len()).unwrap_or_default(),
            template: template.clone(),
            variables,
            at_ms: asked.now_ms,
        };
        let mut told = job.render(asked.now_ms);
        told["job"] = json!(job.id);
        told["ignored_fields"] = ignored;
        self.jobs.push(job);
        Told::of(201, told)
    }
}

impl Template {
    fn render(&self) -> Value {
        json!({ "id": self.id, "type": "job_template", "name": self.name, "ask_variables_on_launch": self.asks, "status": "successful" })
    }
}

impl Job {
    fn render(&self, now_ms: i64) -> Value {
        let status = match now_ms - self.at_ms {
            ..2_000 => "pending",
            passed if passed < self.template.seconds * 1000 => "running",
            _ => self.template.status.as_str(),
        };
        let failed = matches!(status, "failed" | "error" | "canceled");
        json!({ "id": self.id, "type": "job", "job_template": self.template.id, "name": self.template.name, "status": status, "failed": failed,
            "extra_vars": self.variables.to_string(), "job_explanation": if failed { "the sandbox was told to fail it" } else { "" } })
    }
}

fn page(items: Vec<Value>) -> Told {
    Told::ok(json!({ "count": items.len(), "next": Value::Null, "previous": Value::Null, "results": items }))
}

fn refuse(status: u16) -> Told {
    let words = match status {
        401 => "Authentication credentials were not provided. To establish a login session, visit /api/login/.",
        _ => "The requested resource could not be found.",
    };
    Told::of(status, Awx::refusal(status, words))
}

impl Api for Awx {
    fn name(asked: &Asked) -> Option<&'static str> {
        let (get, post) = (asked.is("GET"), asked.is("POST"));
        match asked.parts().as_slice() {
            ["api", "v2", "job_templates"] if get => Some("templates_list"),
            ["api", "v2", "job_templates", _] if get => Some("template_info"),
            ["api", "v2", "job_templates", _, "launch"] if post => Some("launch"),
            ["api", "v2", "job_templates", _, "jobs"] if get => Some("jobs_list"),
            ["api", "v2", "jobs", _] if get => Some("job_info"),
            ["api", "v2", "jobs", _, "stdout"] if get => Some("stdout"),
            _ => None,
        }
    }

    fn answer(&mut self, name: &str, asked: &Asked) -> Told {
        if !asked.shown.bearer() {
            return refuse(401);
        }
        let id = asked
            .path
            .get(3)
            .and_then(|id| id.parse::<u64>().ok())
            .unwrap_or_default();
        let now_ms = asked.now_ms;
        match name {
            "templates_list" => {
                let wanted = asked.parameter("name");
                let fits = |template: &&Template| wanted.is_none_or(|wanted| template.name == wanted);
                page(self.templates.values().filter(fits).map(Template::render).collect())
            }
            "template_info" => self
                .templates
                .get(&id)
                .map_or_else(|| refuse(404), |template| Told::ok(template.render())),
            "launch" => self.launch(id, asked),
            "jobs_list" => {
                let size = asked
                    .parameter("page_size")
                    .and_then(|size| size.parse().ok())
                    .unwrap_or(25);
                let mut jobs: Vec<&Job> = self.jobs.iter().filter(|job| job.template.id == id).collect();
                if asked.parameter("order_by") == Some("-id") {
                    jobs.reverse();
                }
                page(jobs.into_iter().take(size).map(|job| job.render(now_ms)).collect())
            }
            "stdout" => match self.jobs.iter().find(|job| job.id == id) {
                Some(job) if asked.parameter("format") == Some("txt") => Told::text(job.template.lines.join("\r\n")),
                _ => refuse(404),
            },
            _ => {
                let job = self.jobs.iter().find(|job| job.id == id);
                job.map_or_else(|| refuse(404), |job| Told::ok(job.render(now_ms)))
            }
        }
    }

    fn refusal(_: u16, words: &str) -> Value {
        json!({ "detail": words })
    }
}
