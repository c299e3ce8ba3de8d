//! Run Command of Systems Manager: scripts on managed instances, which end as they were told to.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{Args, Rule};
use super::deed::Directed;
use super::error::AwsError;
use super::events::iso;
use super::ids;
use super::page;
use super::region::Region;
use super::value::{structure, timestamp};

const ANY: Rule = Rule::length(0, usize::MAX);
/// How long after a command was sent its invocation cannot be read yet, in milliseconds.
const UNSEEN_MS: i64 = 500;

/// What a command does on an instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    /// `Success`, `Failed`, `TimedOut`.
    #[serde(default = "success")]
    status: String,
    #[serde(default = "seconds")]
    seconds: i64,
    #[serde(default)]
    output: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    code: i64,
    /// What it does to the account when it ends well.
    #[serde(default)]
    effects: Vec<Directed>,
}

fn success() -> String {
    "Success".to_owned()
}

const fn seconds() -> i64 {
    5
}

impl Default for Script {
    fn default() -> Self {
        Self {
            status: success(),
            seconds: seconds(),
            output: String::new(),
            error: String::new(),
            code: 0,
            effects: Vec::new(),
        }
    }
}

/// A command on one instance.
#[derive(Debug)]
struct Invocation {
    command: String,
    instance: String,
    document: String,
    comment: String,
    started_ms: i64,
    script: Script,
    effects_done: bool,
}

impl Invocation {
    const fn ends_ms(&self) -> i64 {
        self.started_ms + self.script.seconds * 1000
    }

    fn status(&self, now_ms: i64) -> &str {
        if now_ms < self.ends_ms() {
            "InProgress"
        } else {
            &self.script.status
        }
    }
}

/// A command, wherever it runs.
#[derive(Debug)]
struct Sent {
    id: String,
    document: String,
    comment: String,
    at_ms: i64,
}

/// A managed instance, with what its next commands do.
#[derive(Debug, Default)]
struct Instance {
    tags: BTreeMap<String, String>,
    next: VecDeque<Script>,
}

/// The managed instances of a region, and the commands.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    instances: BTreeMap<String, Instance>,
    sent: Vec<Sent>,
    invocations: Vec<Invocation>,
}

impl Commands {
    /// When the next command ends that changes the account.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let open = self.invocations.iter().filter(|one| !one.effects_done);
        open.map(Invocation::ends_ms).min()
    }
}

/// Does what ended commands do to the account.
pub(crate) fn settle(region: &mut Region) {
    let now_ms = region.now_ms;
    for one in &mut region.commands.invocations {
        if !one.effects_done && one.ends_ms() <= now_ms {
            one.effects_done = true;
            if one.script.status == "Success" {
                region.outbox.extend(one.script.effects.iter().cloned());
            }
        }
    }
}

/// The instances that a command goes to: by id, or all that have every one of some tags.
fn targets(region: &Region, args: Args<'_>) -> Result<Vec<String>, AwsError> {
    let ids = args.texts("InstanceIds")?;
    let targets = args.0["Targets"].as_array().cloned().unwrap_or_default();
    if ids.is_empty() == targets.is_empty() {
        let message = "the sandbox sends commands to InstanceIds or to Targets";
        return Err(AwsError::new("ValidationException", message));
    }
    let known = &region.commands.instances;
    if let Some(unknown) = ids.iter().find(|id| !known.contains_key(**id)) {
        let account = &region.place.account;
        let message = format!("Instances [[{unknown}]] not in a valid state for account {account}");
        return Err(AwsError::new("InvalidInstanceId", message));
    }
    if targets.is_empty() {
        return Ok(ids.into_iter().map(str::to_owned).collect());
    }
    let fits = |instance: &Instance| {
        targets.iter().all(|target| {
            let tag = target["Key"]
                .as_str()
                .and_then(|key| instance.tags.get(key.strip_prefix("tag:")?));
            let values = target["Values"].as_array();
            tag.is_some_and(|tag| values.is_some_and(|values| values.iter().any(|value| value == tag)))
        })
    };
    let found = known.iter().filter(|(_, instance)| fits(instance));
    Ok(found.map(|(id, _)| id.clone()).collect())
}

/// `SendCommand`.
pub(crate) fn send(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let document = args.need("DocumentName", &ANY)?;
    if !["AWS-RunShellScript", "AWS-RunPowerShellScript"].contains(&document) {
        return Err(AwsError::new(
            "InvalidDocument",
            format!("Document with name {document} does not exist."),
        ));
    }
    let instances = targets(region, args)?;
    let script = args
        .structure("Parameters")?
        .map_or(&[][..], |parameters| parameters.list("commands").unwrap_or_default());
    if script.is_empty() {
        let message = "Document parameter commands is missing or empty";
        return Err(AwsError::new("InvalidParameters", message));
    }
    let command = ids::uuid();
    let comment = args.text("Comment", &Rule::length(0, 100))?.unwrap_or_default();
    region.commands.sent.push(Sent {
        id: command.clone(),
        document: document.to_owned(),
        comment: comment.to_owned(),
        at_ms: now_ms,
    });
    for instance in &instances {
        let known = region.commands.instances.get_mut(instance);
        let next = known.and_then(|instance| instance.next.pop_front());
        region.commands.invocations.push(Invocation {
            command: command.clone(),
            instance: instance.clone(),
            document: document.to_owned(),
            comment: comment.to_owned(),
            started_ms: now_ms,
            script: next.unwrap_or_default(),
            effects_done: false,
        });
    }
    Ok(json!({"Command": {
        "CommandId": command,
        "DocumentName": document,
        "Comment": comment,
        "InstanceIds": instances,
        "RequestedDateTime": timestamp(now_ms),
        "Status": "Pending",
        "StatusDetails": "Pending",
        "TargetCount": instances.len(),
        "CompletedCount": 0,
        "ErrorCount": 0,
    }}))
}

/// `GetCommandInvocation`.
pub(crate) fn get(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let (command, instance) = (args.need("CommandId", &ANY)?, args.need("InstanceId", &ANY)?);
    let mut all = region.commands.invocations.iter();
    let found = all.find(|one| one.command == command && one.instance == instance);
    // Just after it was sent, the service does not know a command yet: that is no proof that it was not sent.
    let found = found.filter(|one| now_ms >= one.started_ms + UNSEEN_MS);
    let found = found.ok_or_else(|| AwsError::new("InvocationDoesNotExist", ""))?;
    let ended = now_ms >= found.ends_ms();
    let script = &found.script;
    Ok(json!({
        "CommandId": found.command,
        "InstanceId": found.instance,
        "Comment": found.comment,
        "DocumentName": found.document,
        "PluginName": "aws:runShellScript",
        "ResponseCode": if ended { script.code } else { -1 },
        "ExecutionStartDateTime": iso(found.started_ms),
        "ExecutionEndDateTime": if ended { iso(found.ends_ms()) } else { String::new() },
        "Status": if ended { script.status.as_str() } else { "InProgress" },
        "StatusDetails": if ended { script.status.as_str() } else { "InProgress" },
        "StandardOutputContent": if ended { script.output.as_str() } else { "" },
        "StandardErrorContent": if ended { script.error.as_str() } else { "" },
    }))
}

/// `ListCommands`: newest first.
pub(crate) fn list(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let id = args.text("CommandId", &ANY)?;
    let filters = args.0["Filters"].as_array().cloned().unwrap_or_default();
    let document = filters.iter().find(|filter| filter["key"] == "DocumentName");
    let document = document.and_then(|filter| filter["value"].as_str());
    let fits = |sent: &&Sent| {
        now_ms >= sent.at_ms + UNSEEN_MS
            && id.is_none_or(|id| sent.id == id)
            && document.is_none_or(|document| sent.document == document)
    };
    let found: Vec<&Sent> = region.commands.sent.iter().rev().filter(fits).collect();
    if found.is_empty() && id.is_some_and(|id| !region.commands.sent.iter().any(|sent| sent.id == id)) {
        return Err(AwsError::new("InvalidCommandId", ""));
    }
    let size = args.number("MaxResults", 1, 50)?.unwrap_or(50);
    let page = page::forward(&found, size, args.text("NextToken", &ANY)?);
    let (found, next) = page.ok_or_else(|| AwsError::new("InvalidNextToken", ""))?;
    let commands = found.into_iter().map(|sent| region.commands.summary(sent, now_ms));
    Ok(structure([
        ("Commands", Some(commands.collect())),
        ("NextToken", next.map(Value::from)),
    ]))
}

/// `ListCommandInvocations`.
pub(crate) fn list_invocations(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let id = args.need("CommandId", &ANY)?;
    let details = args.flag("Details")?;
    let seen = |one: &&Invocation| one.command == id && now_ms >= one.started_ms + UNSEEN_MS;
    let found: Vec<&Invocation> = region.commands.invocations.iter().filter(seen).collect();
    let size = args.number("MaxResults", 1, 50)?.unwrap_or(50);
    let page = page::forward(&found, size, args.text("NextToken", &ANY)?);
    let (found, next) = page.ok_or_else(|| AwsError::new("InvalidNextToken", ""))?;
    let shown = found.into_iter().map(|one| {
        let output = if now_ms >= one.ends_ms() { one.script.output.clone() + &one.script.error } else { String::new() };
        let plugin = json!({"Name": "aws:runShellScript", "Status": one.status(now_ms), "ResponseCode": one.script.code, "Output": output});
        json!({"CommandId": one.command, "InstanceId": one.instance, "Comment": one.comment, "DocumentName": one.document,
            "Status": one.status(now_ms), "StatusDetails": one.status(now_ms), "CommandPlugins": if details { vec![plugin] } else { vec![] }})
    });
    Ok(structure([
        ("CommandInvocations", Some(shown.collect())),
        ("NextToken", next.map(Value::from)),
    ]))
}

impl Commands {
    fn summary(&self, sent: &Sent, now_ms: i64) -> Value {
        let own: Vec<&Invocation> = self.invocations.iter().filter(|one| one.command == sent.id).collect();
        let ended = own.iter().filter(|one| now_ms >= one.ends_ms()).count();
        let errors = own
            .iter()
            .filter(|one| now_ms >= one.ends_ms() && one.script.status != "Success")
            .count();
        let status = match (ended < own.len(), errors) {
            (true, _) => "InProgress",
            (false, 0) => "Success",
            (false, _) => "Failed",
        };
        let details = if own.is_empty() { "NoInstancesInTag" } else { status };
        json!({"CommandId": sent.id, "DocumentName": sent.document, "Comment": sent.comment, "RequestedDateTime": timestamp(sent.at_ms),
            "Status": status, "StatusDetails": details, "TargetCount": own.len(), "CompletedCount": ended, "ErrorCount": errors})
    }
}

/// A managed instance that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceSeed {
    id: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// What its next commands do, one after the other.
    #[serde(default)]
    next: Vec<Script>,
}

impl Region {
    /// Adds a managed instance, or says what its next commands do.
    pub(crate) fn plant_instance(&mut self, seed: &InstanceSeed) {
        let instance = Instance {
            tags: seed.tags.clone(),
            next: seed.next.iter().cloned().collect(),
        };
        self.commands.instances.insert(seed.id.clone(), instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    #[test]
    fn a_command_is_unseen_then_runs_then_has_ended_as_it_was_told_to() {
        let mut region = Region::new(Place::home(), 0);
        let seed = json!({"id": "i-1", "next": [{"status": "Failed", "code": 3, "error": "no such table"}]});
        region.plant_instance(&serde_json::from_value(seed).unwrap());
        let args =
            json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-1"], "Parameters": {"commands": ["make"]}});
        let sent = send(&mut region, Args(&args)).unwrap();
        let asked = json!({"CommandId": sent["Command"]["CommandId"], "InstanceId": "i-1"});
        for (at_ms, shown) in [
            (0, Err("InvocationDoesNotExist")),
            (1_000, Ok("InProgress")),
            (5_000, Ok("Failed")),
        ] {
            region.now_ms = at_ms;
            let found = get(&mut region, Args(&asked)).map_err(|error| error.code);
            let found = found.map(|found| found["Status"].as_str().unwrap().to_owned());
            assert_eq!(found.as_deref().map_err(String::as_str), shown, "{at_ms}");
        }
        let nowhere =
            json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-2"], "Parameters": {"commands": ["make"]}});
        assert_eq!(send(&mut region, Args(&nowhere)).unwrap_err().code, "InvalidInstanceId");
    }
}
