//! `table`: described, and read for one item, or for all of a small one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{Table, TableState};
use serde_json::{Value, json};

use super::event_source::mappings;
use super::flag::typed_words;
use super::{Answer, At, Executor, StepError};
use crate::aws::AwsError;
use crate::aws::api::DYNAMODB;
use crate::aws::signed::Ask;

/// How many items of a small table are shown.
const SHOWN: usize = 40;

#[async_trait]
impl Executor for Table {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let (outputs, evidence) = look(self, at).await?;
        Ok(StepOutcome::Prepared {
            memo: Value::Null,
            outputs,
            evidence,
            done: true,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let (outputs, evidence) = look(self, at).await?;
        Ok(StepOutcome::Finished { outputs, evidence })
    }
}

/// How the table is, when that is how it has to be.
async fn look(step: &Table, at: At<'_>) -> Result<(BTreeMap<String, String>, Vec<String>), StepError> {
    let found = describe(step, at).await?;
    let state = match &found {
        None => "absent",
        Some(_) if has_an_item(step, at).await? => "filled",
        Some(_) => "empty",
    };
    let region = &at.call.aws.region;
    let standing = format!("{} in {region} is {state}", step.table);
    let good = match step.state {
        TableState::Present => state != "absent",
        TableState::Empty => state == "empty",
        TableState::AbsentOrEmpty => state != "filled",
        TableState::Absent => state == "absent",
    };
    if !good {
        return Err(StepError::failed(
            "table_not_ready",
            format!("{standing}, and it must not be"),
        ));
    }
    let stream = found.as_ref().and_then(|table| table["LatestStreamArn"].as_str());
    let stream = stream.unwrap_or_default();
    let outputs = BTreeMap::from([
        ("state".to_owned(), state.to_owned()),
        ("stream".to_owned(), stream.to_owned()),
    ]);
    let mut evidence = standing;
    if let Some(function) = &step.read_by {
        reads(function, stream, at).await?;
        evidence.push_str(&format!(
            ", and {function} reads its newest stream, {}",
            name_of(stream)
        ));
    }
    let mut lines = vec![evidence];
    if let (Some(attribute), Some(table)) = (&step.shows, &found) {
        lines.extend(items(step, (table, attribute), at).await?);
    }
    Ok((outputs, lines))
}

/// What an attribute is in each item, sorted by the items' names.
async fn items(step: &Table, (table, attribute): (&Value, &str), at: At<'_>) -> Result<Vec<String>, StepError> {
    let keys = table["KeySchema"].as_array().into_iter().flatten();
    let hash = keys.into_iter().find(|key| key["KeyType"] == "HASH");
    let hash = hash.and_then(|key| key["AttributeName"].as_str()).unwrap_or_default();
    let ask = json!({ "TableName": step.table, "Limit": SHOWN, "ConsistentRead": true });
    let told = at.aws(DYNAMODB, Ask::target("Scan", ask)).await?;
    let items = told.body["Items"].as_array().into_iter().flatten();
    let mut lines: Vec<String> = items
        .map(|item| {
            let name = item[hash].as_object().and_then(|value| value.values().next());
            let name = name.and_then(Value::as_str).unwrap_or("an item without a name");
            match typed_words(item.get(attribute)) {
                Some(value) => format!("{name} is {value}"),
                None => format!("{name} has no {attribute}"),
            }
        })
        .collect();
    lines.sort();
    if !told.body["LastEvaluatedKey"].is_null() {
        lines.push(format!("and more than these {SHOWN}"));
    }
    Ok(lines)
}

/// What AWS says of the table; nothing when it is not there.
async fn describe(step: &Table, at: At<'_>) -> Result<Option<Value>, StepError> {
    let ask = Ask::target("DescribeTable", json!({ "TableName": step.table }));
    match at.aws(DYNAMODB, ask).await {
        Ok(told) => Ok(Some(told.body["Table"].clone())),
        Err(AwsError::Fatal { code, .. }) if code == "ResourceNotFoundException" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn has_an_item(step: &Table, at: At<'_>) -> Result<bool, StepError> {
    let ask = json!({ "TableName": step.table, "Limit": 1, "Select": "COUNT", "ConsistentRead": true });
    let told = at.aws(DYNAMODB, Ask::target("Scan", ask)).await?;
    let count = told.body["Count"].as_u64();
    count
        .map(|count| count > 0)
        .ok_or_else(|| StepError::Later("DynamoDB did not say how many items there are".to_owned()))
}

/// A stream's own name: the instant that it was made at.
fn name_of(stream: &str) -> &str {
    stream.rsplit('/').next().unwrap_or(stream)
}

/// Whether one of the function's mappings reads this stream.
async fn reads(function: &str, stream: &str, at: At<'_>) -> Result<(), StepError> {
    let mappings = mappings(function, at).await?;
    if mappings.is_empty() {
        let why = format!("{function} reads nothing, or is not there");
        return Err(StepError::failed("no_mapping", why));
    }
    if !stream.is_empty() && mappings.iter().any(|mapping| mapping["EventSourceArn"] == stream) {
        return Ok(());
    }
    Err(StepError::failed(
        "old_stream",
        format!("{function} does not read the table's newest stream: point its event source mapping to it"),
    ))
}
