//! Run Command of Systems Manager.

use std::collections::BTreeMap;

use commands::digest;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::Command;
use serde_json::{Value, json};

use super::super::lines::shown;
use super::super::listed::cut;
use super::super::{Answer, At, Probe, StepError, acted, blind, told_by_log};
use crate::aws::AwsError;
use crate::aws::api::SSM;
use crate::aws::signed::Ask;

/// The document whose own limit we know how to set.
const SHELL: &str = "AWS-RunShellScript";
/// How long an instance may take to fetch a command, in seconds.
const DELIVERY: u32 = 600;
/// How many pages of commands are looked through.
const PAGES: usize = 10;
/// How much of a comment Systems Manager takes.
const COMMENT: usize = 100;

pub(super) async fn act(step: &Command, at: At<'_>) -> Answer {
    let (document, mut parameters) = step.script();
    if document == SHELL {
        parameters.insert("executionTimeout".to_owned(), vec![(step.limit.0 / 1000).to_string()]);
    }
    let mut ask = json!({
        "DocumentName": document,
        "Parameters": parameters,
        "Comment": comment(at),
        "TimeoutSeconds": DELIVERY,
    });
    if step.tags.is_empty() {
        ask["InstanceIds"] = json!(step.instances);
    } else {
        let targets: Vec<Value> = step
            .tags
            .iter()
            .map(|(name, value)| json!({ "Key": format!("tag:{name}"), "Values": [value] }))
            .collect();
        ask["Targets"] = json!(targets);
    }
    let told = at.aws(SSM, Ask::target("SendCommand", ask)).await?;
    let id = told.body.pointer("/Command/CommandId").and_then(Value::as_str);
    id.map_or_else(
        || Err(StepError::Later("Systems Manager did not name the command".to_owned())),
        |id| Ok(acted(json!({ "id": id }))),
    )
}

/// What marks the command: readable, and unlike any other.
fn comment(at: At<'_>) -> String {
    let marker = at.marker();
    let digest = digest::short(marker.as_bytes());
    let room = COMMENT.saturating_sub(digest.len() + 1);
    let readable: String = marker.chars().take(room).collect();
    format!("{digest} {readable}")
}

pub(super) async fn probe(step: &Command, at: At<'_>) -> Result<Probe, StepError> {
    Ok(match find(step, &comment(at), at).await? {
        Some(id) => Probe::Done(acted(json!({ "id": id }))),
        None => Probe::NotDone,
    })
}

async fn find(step: &Command, comment: &str, at: At<'_>) -> Result<Option<String>, StepError> {
    let (document, _) = step.script();
    let mut ask = json!({ "MaxResults": 50, "Filters": [{ "key": "DocumentName", "value": document }] });
    for _ in 0..PAGES {
        let told = at.aws(SSM, Ask::target("ListCommands", ask.clone())).await?;
        let commands = told.body["Commands"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(ours) = commands.iter().find(|command| command["Comment"] == comment) {
            return Ok(ours["CommandId"].as_str().map(str::to_owned));
        }
        match told.body["NextToken"].as_str() {
            Some(token) => ask["NextToken"] = json!(token),
            None => return Ok(None),
        }
    }
    Ok(None)
}

pub(super) async fn watch(at: At<'_>) -> Answer {
    let id = at.call.memo["id"].as_str().unwrap_or_default();
    let told = match at
        .aws(SSM, Ask::target("ListCommands", json!({ "CommandId": id })))
        .await
    {
        Ok(told) => told,
        Err(AwsError::Fatal { code, message }) => return Err(StepError::Failed { code, message }),
        // A command goes on whether it can be seen or not.
        Err(error) => return Ok(blind(at.call.memo.clone(), &error.to_string())),
    };
    let Some(command) = told.body["Commands"].get(0) else {
        return Ok(waits(at, "is not listed yet".to_owned(), None));
    };
    let number = |name: &str| command[name].as_u64().unwrap_or(0);
    let (targets, completed) = (number("TargetCount"), number("CompletedCount"));
    let status = command["Status"].as_str().unwrap_or("in an unknown state");
    if matches!(status, "Pending" | "InProgress" | "Cancelling") {
        let words = format!("{status}, ended on {completed} of {targets}");
        return Ok(waits(at, words, (completed * 100).checked_div(targets)));
    }
    if targets == 0 {
        return Err(StepError::failed(
            "no_instance",
            "no instance has these tags: it ran nowhere",
        ));
    }
    let seen = outputs(at, id).await?;
    let link = format!("{id} in {}", at.call.aws.region);
    if status == "Success" {
        let said = seen.first().map(|one| one.said.clone()).unwrap_or_default();
        return Ok(StepOutcome::Finished {
            outputs: BTreeMap::from([("id".to_owned(), id.to_owned()), ("output".to_owned(), said)]),
            evidence: seen
                .iter()
                .take(5)
                .map(Invocation::words)
                .chain([format!("it ran on {targets}: {link}")])
                .collect(),
        });
    }
    let bad = || seen.iter().filter(|one| one.status != "Success").take(3);
    let words: Vec<String> = bad().map(Invocation::words).collect();
    let said: Vec<String> = bad().map(|one| one.output.clone()).collect();
    let message = format!(
        "{}. It failed on {} of {targets}: {link}",
        words.join("; "),
        number("ErrorCount").max(1)
    );
    let code = format!("command_{}", status.to_lowercase());
    Err(told_by_log::explained(at, (code, message), &said))
}

fn waits(at: At<'_>, words: String, percent: Option<u64>) -> StepOutcome {
    StepOutcome::Pending {
        memo: at.call.memo.clone(),
        progress: Progress {
            words,
            percent: percent.and_then(|percent| u8::try_from(percent.min(100)).ok()),
            ..Progress::default()
        },
    }
}

/// How the command ended on an instance.
struct Invocation {
    instance: String,
    status: String,
    /// What it wrote, errors at the end; Systems Manager keeps the first 2,500 characters.
    output: String,
    said: String,
}

impl Invocation {
    fn words(&self) -> String {
        format!("{} {}: {}", self.instance, self.status, self.said)
    }
}

/// What the first page of instances said; those that failed are on it when they are few.
async fn outputs(at: At<'_>, id: &str) -> Result<Vec<Invocation>, StepError> {
    let ask = json!({ "CommandId": id, "Details": true, "MaxResults": 50 });
    let told = at.aws(SSM, Ask::target("ListCommandInvocations", ask)).await?;
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let invocations = told.body["CommandInvocations"].as_array().into_iter().flatten();
    let seen = invocations.map(|one| {
        let plugins = one["CommandPlugins"].as_array().into_iter().flatten();
        let output: Vec<String> = plugins.map(|plugin| text(plugin, "Output")).collect();
        let said = shown(&output.join("\n"));
        Invocation {
            instance: text(one, "InstanceId"),
            status: text(one, "StatusDetails"),
            output: output.join("\n"),
            said: if said.is_empty() {
                "it said nothing".to_owned()
            } else {
                cut(&said)
            },
        }
    });
    Ok(seen.collect())
}
