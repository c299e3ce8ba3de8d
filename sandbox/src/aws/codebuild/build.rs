//! A build: a plan that is carried out phase by phase.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::control::Plan;
use super::log;
use crate::aws::deed::Directed;
use crate::aws::place::Place;
use crate::aws::value::{structure, timestamp};

/// The phases, and how much of a build's time each takes, in hundredths.
const PHASES: &[(&str, i64)] = &[
    ("SUBMITTED", 0),
    ("QUEUED", 1),
    ("PROVISIONING", 14),
    ("DOWNLOAD_SOURCE", 5),
    ("INSTALL", 5),
    ("PRE_BUILD", 5),
    ("BUILD", 60),
    ("POST_BUILD", 5),
    ("UPLOAD_ARTIFACTS", 3),
    ("FINALIZING", 2),
];

/// A build.
#[derive(Debug)]
pub(crate) struct Build {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) number: u64,
    pub(super) project: String,
    pub(super) repository: String,
    pub(super) source_version: Option<String>,
    /// The commit that is built.
    pub(super) commit: Option<String>,
    pub(super) variables: Vec<(String, String, String)>,
    pub(super) initiator: String,
    pub(super) started_ms: i64,
    pub(super) plan: Plan,
    /// Whether it writes its log into CloudWatch Logs.
    pub(super) logged: bool,
    /// Whether it stays in its BUILD phase until it is let go.
    pub(super) held: bool,
    /// How much longer than planned its BUILD phase took because it was held.
    pub(super) extra_ms: i64,
    pub(super) lines_written: usize,
    pub(super) effects_done: bool,
    /// How and when it ended.
    pub(super) ended: Option<(String, i64)>,
    pub(super) place: Place,
}

/// A phase of a build, by instants.
struct Phase {
    name: &'static str,
    from_ms: i64,
    until_ms: i64,
    last: bool,
}

impl Build {
    /// The phases that it goes through by its plan; a phase that fails is the last before the end.
    fn phases(&self) -> Vec<Phase> {
        let total_ms = self.plan.seconds * 1000;
        let (mut from_ms, mut sum) = (self.started_ms, 0);
        let mut phases = Vec::new();
        for (name, share) in PHASES {
            sum += share;
            let extra_ms = if phases.iter().any(|phase: &Phase| phase.name == "BUILD") || *name == "BUILD" {
                self.extra_ms
            } else {
                0
            };
            let until_ms = self.started_ms + total_ms * sum / 100 + extra_ms;
            let last = self.plan.fails() && *name == self.plan.phase;
            phases.push(Phase {
                name,
                from_ms,
                until_ms,
                last,
            });
            from_ms = until_ms;
            if last {
                break;
            }
        }
        phases
    }

    fn phase(&self, name: &str) -> Option<Phase> {
        self.phases().into_iter().find(|phase| phase.name == name)
    }

    /// When line `at` of its log is written: they are spread over the BUILD phase, or an earlier one that fails.
    fn line_ms(&self, at: usize) -> Option<i64> {
        let build = self.phase("BUILD").or_else(|| self.phases().pop())?;
        let count = i64::try_from(self.plan.lines.len()).unwrap_or(1).max(1);
        let span_ms = build.until_ms - self.extra_ms - build.from_ms;
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        (at < count).then_some(build.from_ms + span_ms * at / count)
    }

    /// When something happens to it by itself next.
    pub(super) fn next_due(&self) -> Option<i64> {
        if self.ended.is_some() {
            return None;
        }
        let line = (self.lines_written < self.plan.lines.len())
            .then(|| self.line_ms(self.lines_written))
            .flatten();
        let phases = self.phases();
        let end = phases.last().map(|phase| phase.until_ms);
        let effects = phases
            .iter()
            .find(|phase| phase.name == "BUILD")
            .map(|phase| phase.until_ms);
        let rest = [effects.filter(|_| !self.effects_done), end]
            .into_iter()
            .flatten()
            .min();
        [line, rest.filter(|_| !self.held)].into_iter().flatten().min()
    }

    /// Does what is due: lines to be written, and what the scripts do to the account.
    pub(super) fn settle(&mut self, now_ms: i64) -> (Vec<(i64, String)>, Vec<Directed>) {
        let mut lines = Vec::new();
        while let Some(at_ms) = self.line_ms(self.lines_written).filter(|at_ms| *at_ms <= now_ms) {
            if let Some(line) = self.plan.lines.get(self.lines_written) {
                lines.push((at_ms, self.filled(line)));
            }
            self.lines_written += 1;
        }
        let mut deeds = Vec::new();
        let phases = self.phases();
        let passed = |name: &str| {
            phases
                .iter()
                .any(|phase| phase.name == name && phase.until_ms <= now_ms)
        };
        if !self.held && !self.effects_done && passed("BUILD") {
            self.effects_done = true;
            if !self.plan.fails() || self.plan.effects_anyway {
                deeds = self.deeds();
            }
        }
        if let Some(end) = phases.last().filter(|phase| !self.held && phase.until_ms <= now_ms) {
            self.ended = Some((self.plan.outcome.clone(), end.until_ms));
            if end.last {
                let said = log::failing(
                    end.name,
                    &self.plan.outcome,
                    (&self.filled(&self.plan.message), end.until_ms),
                );
                lines.extend(said.into_iter().map(|line| (end.until_ms, line)));
            }
        }
        (lines, deeds)
    }

    /// The plan's deeds, with the build's variables in them.
    fn deeds(&self) -> Vec<Directed> {
        let filled = self.plan.effects.iter().map(|deed| self.fill(deed));
        let parsed = filled.map(|deed| serde_json::from_value(Value::Object(deed)));
        parsed
            .filter_map(|deed| match deed {
                Ok(deed) => Some(deed),
                Err(error) => {
                    tracing::warn!(build = %self.id, %error, "an effect of the build makes no sense with its variables");
                    None
                }
            })
            .collect()
    }

    fn fill(&self, deed: &Map<String, Value>) -> Map<String, Value> {
        let filled = deed
            .iter()
            .map(|(key, value)| (self.filled(key), self.fill_value(value)));
        filled.collect()
    }

    fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.filled(text)),
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(members) => Value::Object(self.fill(members)),
            other => other.clone(),
        }
    }

    /// A text with `${NAME}` replaced by the build's variable of that name.
    fn filled(&self, text: &str) -> String {
        let variables = self.variables.iter();
        variables.fold(text.to_owned(), |text, (name, value, _)| {
            text.replace(&format!("${{{name}}}"), value)
        })
    }

    /// Lets it go on, when it was held.
    pub(super) fn release(&mut self, now_ms: i64) {
        self.held = false;
        let until_ms = self.phase("BUILD").map_or(now_ms, |phase| phase.until_ms);
        self.extra_ms += (now_ms - until_ms).max(0);
    }

    /// The group that its lines are written to.
    pub(super) fn log_group(&self) -> String {
        format!("/aws/codebuild/{}", self.project)
    }

    /// The stream of its lines: the id without the project's name.
    pub(super) fn log_stream(&self) -> &str {
        self.id.rsplit(':').next().unwrap_or_default()
    }

    /// The phase that it is in.
    pub(super) fn current_phase(&self, now_ms: i64) -> &'static str {
        if self.ended.is_some() {
            return "COMPLETED";
        }
        let phases = self.phases();
        let open = phases
            .iter()
            .find(|phase| phase.until_ms > now_ms || (self.held && phase.name == "BUILD"));
        open.or(phases.last()).map_or("SUBMITTED", |phase| phase.name)
    }

    /// Its status as the service words it.
    pub(super) fn status(&self) -> &str {
        self.ended.as_ref().map_or("IN_PROGRESS", |(status, _)| status)
    }

    fn rendered_phases(&self, now_ms: i64) -> Vec<Value> {
        let current = self.current_phase(now_ms);
        let end_ms = self.ended.as_ref().map(|(_, at_ms)| *at_ms);
        let mut shown = Vec::new();
        for phase in self.phases() {
            if phase.from_ms > end_ms.unwrap_or(now_ms) {
                break;
            }
            if phase.name == current {
                shown.push(json!({"phaseType": phase.name, "startTime": timestamp(phase.from_ms)}));
                break;
            }
            let cut = end_ms.is_some_and(|end_ms| end_ms < phase.until_ms);
            let until_ms = if cut {
                end_ms.unwrap_or(phase.until_ms)
            } else {
                phase.until_ms
            };
            let status = if cut || phase.last { self.status() } else { "SUCCEEDED" };
            let context = if phase.last {
                json!([{"statusCode": "COMMAND_EXECUTION_ERROR", "message": self.filled(&self.plan.message)}])
            } else {
                json!([{"statusCode": "", "message": ""}])
            };
            shown.push(json!({"phaseType": phase.name, "phaseStatus": status, "startTime": timestamp(phase.from_ms), "endTime": timestamp(until_ms),
                "durationInSeconds": (until_ms - phase.from_ms) / 1000, "contexts": context}));
            if cut {
                break;
            }
        }
        if let Some(end_ms) = end_ms {
            shown.push(json!({"phaseType": "COMPLETED", "startTime": timestamp(end_ms)}));
        }
        shown
    }

    /// The build as the operations show it.
    pub(super) fn render(&self, now_ms: i64) -> Value {
        let variables: Vec<Value> = self
            .variables
            .iter()
            .map(|(name, value, kind)| json!({"name": name, "value": value, "type": kind}))
            .collect();
        let downloaded = self
            .phase("DOWNLOAD_SOURCE")
            .is_some_and(|phase| phase.until_ms <= now_ms);
        let exported: BTreeMap<&String, &String> = self.plan.exported.iter().filter(|_| self.effects_done).collect();
        let exported: Vec<Value> = exported
            .iter()
            .map(|(name, value)| json!({"name": name, "value": self.filled(value)}))
            .collect();
        structure([
            ("id", Some(json!(self.id))),
            ("arn", Some(json!(self.arn))),
            ("buildNumber", Some(json!(self.number))),
            ("startTime", Some(timestamp(self.started_ms))),
            ("endTime", self.ended.as_ref().map(|(_, at_ms)| timestamp(*at_ms))),
            ("currentPhase", Some(json!(self.current_phase(now_ms)))),
            ("buildStatus", Some(json!(self.status()))),
            (
                "sourceVersion",
                self.source_version.as_ref().map(|version| json!(version)),
            ),
            (
                "resolvedSourceVersion",
                self.commit.as_ref().filter(|_| downloaded).map(|commit| json!(commit)),
            ),
            ("projectName", Some(json!(self.project))),
            ("phases", Some(json!(self.rendered_phases(now_ms)))),
            ("source", Some(json!({"type": "GITHUB", "location": self.repository}))),
            ("artifacts", Some(json!({"location": ""}))),
            (
                "environment",
                Some(
                    json!({"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
                    "environmentVariables": variables, "privilegedMode": false}),
                ),
            ),
            ("logs", Some(log::place(self))),
            ("timeoutInMinutes", Some(json!(60))),
            ("buildComplete", Some(json!(self.ended.is_some()))),
            ("initiator", Some(json!(self.initiator))),
            ("exportedEnvironmentVariables", Some(json!(exported))),
        ])
    }
}
