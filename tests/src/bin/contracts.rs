//! `contracts FOLDER BODIES MANIFEST`: what the tests sent to Slack, held against what Slack says it takes.
//!
//! BODIES is a folder of JSONL files (`{"method": "chat.postMessage", "body": {…}}` a line) that the sandbox recorded while tests ran. FOLDER has
//! JSON Schemas of argument types, the documentation of methods and events, and the schema of app manifests, none of them ours. The sandbox checks
//! arguments too, but by rules that we wrote: this is the second opinion.

#![expect(clippy::print_stdout, reason = "the report is this program's output")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How many different faults of one method are told.
const TOLD: usize = 5;
/// How long a fault's text may be.
const WIDTH: usize = 400;
/// What the bot answers to a command or sends to a `response_url` may say beside its blocks.
const REPLY_FIELDS: [&str; 10] = [
    "text",
    "blocks",
    "response_type",
    "replace_original",
    "delete_original",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
    "metadata",
    "mrkdwn",
];

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let outcome = match arguments.as_slice() {
        [folder, bodies, manifest] => check(folder, bodies, manifest),
        _ => Err(anyhow::anyhow!("usage: contracts FOLDER BODIES MANIFEST")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check(folder: &Path, bodies: &Path, manifest: &Path) -> Result<bool> {
    let mut contracts = Contracts::new(folder)?;
    let mut report = Report::default();
    for Recorded { method, body } in recorded(bodies)? {
        let faults = contracts.faults(&method, &body)?;
        report.note(&method, faults);
    }
    if report.methods.is_empty() {
        bail!("no body was recorded in {}: run scripts/test first", bodies.display());
    }
    let called: BTreeSet<String> = report.methods.keys().cloned().collect();
    let manifest_faults = contracts.manifest_faults(manifest, &called)?;
    report.print();
    println!(
        "{}",
        if manifest_faults.is_empty() {
            "ok      manifest.yml"
        } else {
            "FAILED  manifest.yml"
        }
    );
    for fault in &manifest_faults {
        println!("        {fault}");
    }
    let (passed, failed) = report.totals();
    println!("contracts: {passed} passed, {} failed", failed + manifest_faults.len());
    Ok(failed == 0 && manifest_faults.is_empty())
}

/// A line of a recording.
#[derive(Deserialize)]
struct Recorded {
    method: String,
    body: Value,
}

fn recorded(folder: &Path) -> Result<Vec<Recorded>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let complete = text.rfind('\n').map_or("", |end| &text[..end]); // a process that was killed may have left half a line
        for line in complete.lines() {
            found.push(serde_json::from_str(line).with_context(|| format!("{}: {line}", path.display()))?);
        }
    }
    Ok(found)
}

/// What was found, by method.
#[derive(Default)]
struct Report {
    methods: BTreeMap<String, Tally>,
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    faults: BTreeSet<String>,
}

impl Report {
    fn note(&mut self, method: &str, faults: Vec<String>) {
        let tally = self.methods.entry(method.to_owned()).or_default();
        if faults.is_empty() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            tally.faults.extend(faults);
        }
    }

    fn totals(&self) -> (usize, usize) {
        self.methods.values().fold((0, 0), |(passed, failed), tally| {
            (passed + tally.passed, failed + tally.failed)
        })
    }

    fn print(&self) {
        for (method, tally) in &self.methods {
            let mark = if tally.failed == 0 { "ok    " } else { "FAILED" };
            println!(
                "{mark}  {:>6} {method}{}",
                tally.passed + tally.failed,
                if tally.failed == 0 {
                    String::new()
                } else {
                    format!(", {} of them wrong", tally.failed)
                }
            );
            for fault in tally.faults.iter().take(TOLD) {
                println!("        {fault}");
            }
            if tally.faults.len() > TOLD {
                println!("        … and {} other faults", tally.faults.len() - TOLD);
            }
        }
    }
}

/// A method as Slack's reference tells it.
#[derive(Deserialize)]
struct Documented {
    #[serde(default)]
    scope: BTreeMap<String, Vec<String>>,
    args: Value,
}

/// The schemas, each compiled once.
struct Contracts {
    folder: PathBuf,
    blocks: Validator,
    metadata: Validator,
    modal: Validator,
    types: BTreeMap<String, Option<(Value, Validator)>>,
}

impl Contracts {
    fn new(folder: &Path) -> Result<Self> {
        let folder = folder.join("slack");
        let compiled = |name: &str| -> Result<Validator> { compile(&json(&type_path(&folder, name))?) };
        Ok(Self {
            blocks: compiled("MessageBlocks")?,
            metadata: compiled("MessageMetadata")?,
            modal: compiled("ModalView")?,
            types: BTreeMap::new(),
            folder,
        })
    }

    fn faults(&mut self, method: &str, body: &Value) -> Result<Vec<String>> {
        let Some(fields) = body.as_object() else {
            return Ok(vec![format!("the body is not an object: {body}")]);
        };
        match method {
            "response_url" | "command_answer" => Ok(self.reply_faults(fields)),
            "view_answer" => Ok(self.view_answer_faults(fields)),
            _ => self.call_faults(method, fields),
        }
    }

    /// The parts that have a schema of their own: their faults are told precisely, where the whole would say "under none of the schemas".
    fn part_faults(&self, fields: &Map<String, Value>) -> Vec<String> {
        let parts = [
            ("blocks", &self.blocks),
            ("metadata", &self.metadata),
            ("view", &self.modal),
        ];
        let of = |(name, validator): (&str, &Validator)| {
            let parsed = fields.get(name).map(unpacked)?;
            // `{}` clears a message's metadata.
            let empty = name == "metadata" && parsed.as_object().is_some_and(Map::is_empty);
            Some(if empty {
                Vec::new()
            } else {
                told(validator, &parsed, name)
            })
        };
        parts.into_iter().filter_map(of).flatten().collect()
    }

    fn reply_faults(&self, fields: &Map<String, Value>) -> Vec<String> {
        let unknown = fields
            .keys()
            .filter(|name| !REPLY_FIELDS.contains(&name.as_str()))
            .map(|name| format!("`{name}` is not a field of a reply"));
        let mut faults: Vec<String> = unknown.collect();
        if let Some(kind) = fields
            .get("response_type")
            .filter(|kind| !matches!(kind.as_str(), Some("ephemeral" | "in_channel")))
        {
            faults.push(format!("response_type: {kind}"));
        }
        faults.extend(self.part_faults(fields));
        faults
    }

    fn view_answer_faults(&self, fields: &Map<String, Value>) -> Vec<String> {
        let mut faults = self.part_faults(fields);
        match fields.get("response_action").and_then(Value::as_str) {
            Some("clear") => {}
            Some("errors") if fields.get("errors").is_some_and(Value::is_object) => {}
            Some("update" | "push") if fields.contains_key("view") => {}
            _ => faults.push(format!(
                "not an answer to a form: {}",
                cut(&Value::Object(fields.clone()).to_string())
            )),
        }
        faults
    }

    fn call_faults(&mut self, method: &str, fields: &Map<String, Value>) -> Result<Vec<String>> {
        let Some(documented) = self.documented(method)? else {
            return Ok(vec![format!("Slack documents no method {method}")]);
        };
        let mut faults = argument_faults(&documented.args, fields);
        faults.extend(self.part_faults(fields));
        if faults.is_empty()
            && let Some((schema, validator)) = self.arguments_type(method)?
        {
            let typed = Value::Object(typed(schema, fields));
            faults.extend(told(validator, &typed, ""));
        }
        Ok(faults)
    }

    fn documented(&self, method: &str) -> Result<Option<Documented>> {
        let path = self.folder.join("methods").join(format!("{method}.json"));
        if !path.is_file() {
            return Ok(None);
        }
        Ok(Some(
            serde_json::from_value(json(&path)?).with_context(|| format!("{}", path.display()))?,
        ))
    }

    fn arguments_type(&mut self, method: &str) -> Result<Option<&(Value, Validator)>> {
        let name = type_name(method);
        if !self.types.contains_key(&name) {
            let path = type_path(&self.folder, &name);
            let compiled = if path.is_file() {
                let schema = json(&path)?;
                let validator = compile(&schema)?;
                Some((schema["definitions"][&name].clone(), validator))
            } else {
                None
            };
            self.types.insert(name.clone(), compiled);
        }
        Ok(self.types.get(&name).and_then(Option::as_ref))
    }

    fn manifest_faults(&self, path: &Path, called: &BTreeSet<String>) -> Result<Vec<String>> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        let manifest: Value = serde_saphyr::from_str(&text).with_context(|| format!("{}", path.display()))?;
        let validator = compile(&json(&self.folder.join("manifest").join("manifest.schema.2.0.0.json"))?)?;
        let mut faults = told(&validator, &manifest, "");
        let scopes = strings(&manifest, "/oauth_config/scopes/bot");
        let mut used: BTreeSet<&str> = ["commands"].into(); // the slash command itself
        for method in called {
            let Some(documented) = self.documented(method)? else {
                continue;
            };
            let fitting = documented.scope.get("bot").cloned().unwrap_or_default();
            let granted: Vec<&str> = scopes
                .iter()
                .map(String::as_str)
                .filter(|scope| fitting.iter().any(|one| one == scope))
                .collect();
            if granted.is_empty() && !fitting.is_empty() {
                faults.push(format!("{method} needs one of {}", fitting.join(", ")));
            }
            used.extend(granted);
        }
        let events = json(&self.folder.join("events.json"))?;
        for event in strings(&manifest, "/settings/event_subscriptions/bot_events") {
            let Some(known) = events
                .as_array()
                .and_then(|all| all.iter().find(|one| one["name"] == event.as_str()))
            else {
                faults.push(format!("Slack documents no event {event}"));
                continue;
            };
            let fitting: Vec<String> = strings(known, "/scopes")
                .iter()
                .map(|scope| scope.replace("app_mentions.", "app_mentions:"))
                .collect();
            let granted: Vec<&str> = scopes
                .iter()
                .map(String::as_str)
                .filter(|scope| fitting.iter().any(|one| one == scope))
                .collect();
            if granted.is_empty() && !fitting.is_empty() {
                faults.push(format!("the event {event} needs one of {}", fitting.join(", ")));
            }
            used.extend(granted);
        }
        // Least privilege: what nothing in the tests used is told, so that a person looks; a test may simply not reach it.
        for scope in scopes.iter().filter(|scope| !used.contains(scope.as_str())) {
            println!("note    nothing that was recorded needs the scope {scope}");
        }
        Ok(faults)
    }
}

/// `chat.postMessage` → `ChatPostMessageArguments`.
fn type_name(method: &str) -> String {
    let words = method.split('.').map(|word| {
        word.chars()
            .take(1)
            .flat_map(char::to_uppercase)
            .chain(word.chars().skip(1))
            .collect::<String>()
    });
    format!("{}Arguments", words.collect::<String>())
}

fn type_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("types").join(format!("{name}.schema.json"))
}

fn json(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{}", path.display()))
}

fn compile(schema: &Value) -> Result<Validator> {
    jsonschema::validator_for(schema).map_err(|error| anyhow::anyhow!("a schema cannot be used: {error}"))
}

fn told(validator: &Validator, body: &Value, under: &str) -> Vec<String> {
    validator
        .iter_errors(body)
        .map(|error| cut(&format!("{under}{}: {error}", error.instance_path())))
        .collect()
}

fn cut(text: &str) -> String {
    text.chars().take(WIDTH).collect()
}

/// A form carries JSON as text.
fn unpacked(value: &Value) -> Value {
    value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| value.clone())
}

fn strings(value: &Value, pointer: &str) -> Vec<String> {
    let all = value.pointer(pointer).and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Unknown and missing arguments, by the documentation; the token travels in a header.
fn argument_faults(args: &Value, fields: &Map<String, Value>) -> Vec<String> {
    let known = |name: &str| args.pointer("/properties").is_some_and(|all| all.get(name).is_some());
    let unknown = fields
        .keys()
        .filter(|name| !known(name))
        .map(|name| format!("`{name}` is not an argument"));
    let missing = strings(args, "/required")
        .into_iter()
        .filter(|name| name != "token" && !fields.contains_key(name))
        .map(|name| format!("`{name}` is missing"));
    unknown.chain(missing).collect()
}

/// A form has only texts: those that the type wants as something else are read as that.
fn typed(schema: &Value, fields: &Map<String, Value>) -> Map<String, Value> {
    let branches: Vec<&Value> = schema["anyOf"]
        .as_array()
        .map_or_else(|| vec![schema], |all| all.iter().collect());
    let is_text = |name: &str| {
        branches
            .iter()
            .filter_map(|one| one["properties"].get(name))
            .any(|one| one["type"] == "string" || one.get("anyOf").is_some())
    };
    let read = |(name, value): (&String, &Value)| {
        (
            name.clone(),
            if is_text(name) { value.clone() } else { unpacked(value) },
        )
    };
    fields.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Schemas of our own, as small as they can be: what is tested is that this program notices.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, value: Value| {
            let path = folder.path().join("slack").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, value.to_string()).unwrap();
        };
        let list = json!({"type": "array", "items": {"required": ["type"]}});
        write("types/MessageBlocks.schema.json", list);
        write("types/MessageMetadata.schema.json", json!({"required": ["event_type"]}));
        write("types/ModalView.schema.json", json!({"required": ["title"]}));
        let history = json!({"properties": {"channel": {"type": "string"}, "limit": {"type": "number"}}});
        write(
            "types/ConversationsHistoryArguments.schema.json",
            json!({"$ref": "#/definitions/ConversationsHistoryArguments", "definitions": {"ConversationsHistoryArguments": history}}),
        );
        let arguments = json!({"required": ["token", "channel"], "properties": {"token": {}, "channel": {}, "limit": {}, "blocks": {}}});
        for method in ["conversations.history", "chat.postMessage"] {
            write(
                &format!("methods/{method}.json"),
                json!({"scope": {"bot": ["channels:history"]}, "args": arguments}),
            );
        }
        write(
            "events.json",
            json!([{"name": "app_mention", "scopes": ["app_mentions.read"]}]),
        );
        write(
            "manifest/manifest.schema.2.0.0.json",
            json!({"required": ["oauth_config"]}),
        );
        folder
    }

    fn manifest(scopes: &[&str], events: &[&str]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = json!({"oauth_config": {"scopes": {"bot": scopes}}, "settings": {"event_subscriptions": {"bot_events": events}}});
        std::fs::write(file.path(), text.to_string()).unwrap();
        file
    }

    #[test]
    fn a_wrong_body_is_noticed_and_a_right_one_is_not() {
        let folder = folder();
        let mut contracts = Contracts::new(folder.path()).unwrap();
        let mut count = |method: &str, body: Value| contracts.faults(method, &body).unwrap().len();
        assert_eq!(
            count("conversations.history", json!({"channel": "C1", "limit": "100"})),
            0
        );
        assert_eq!(
            count("conversations.history", json!({"channel": "C1", "limit": "many"})),
            1
        );
        assert_eq!(count("conversations.history", json!({"limit": 1, "surprise": true})), 2);
        assert_eq!(
            count(
                "chat.postMessage",
                json!({"channel": "C1", "blocks": [{"type": "divider"}]})
            ),
            0
        );
        assert_eq!(count("chat.postMessage", json!({"channel": "C1", "blocks": [{}]})), 1);
        assert_eq!(count("chat.nothing", json!({})), 1);
        assert_eq!(
            count("command_answer", json!({"text": "", "response_type": "ephemeral"})),
            0
        );
        assert_eq!(count("response_url", json!({"response_type": "loud", "colors": 1})), 2);
        assert_eq!(count("view_answer", json!({"response_action": "clear"})), 0);
        assert_eq!(count("view_answer", json!({"response_action": "errors"})), 1);
    }

    #[test]
    fn a_manifest_without_a_scope_that_is_used_is_noticed() {
        let folder = folder();
        let contracts = Contracts::new(folder.path()).unwrap();
        let called = BTreeSet::from(["conversations.history".to_owned()]);
        let faults = |scopes: &[&str], events: &[&str]| {
            let file = manifest(scopes, events);
            contracts.manifest_faults(file.path(), &called).unwrap().len()
        };
        assert_eq!(faults(&["channels:history", "app_mentions:read"], &["app_mention"]), 0);
        assert_eq!(faults(&["channels:history"], &["app_mention"]), 1);
        assert_eq!(faults(&["app_mentions:read"], &["app_mention", "app_imagined"]), 2);
    }

    #[test]
    fn nothing_recorded_is_a_failure() {
        let (folder, empty) = (folder(), tempfile::tempdir().unwrap());
        let file = manifest(&[], &[]);
        assert!(check(folder.path(), empty.path(), file.path()).is_err());
        std::fs::write(
            empty.path().join("a.jsonl"),
            "{\"method\": \"command_answer\", \"body\": {\"text\": \"\"}}\n{\"method\": \"half a li",
        )
        .unwrap();
        assert!(check(folder.path(), empty.path(), file.path()).unwrap());
    }
}
