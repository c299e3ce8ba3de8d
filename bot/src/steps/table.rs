//! `table`: described, and read for one item.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::step::{Table, TableState};
use serde_json::{Value, json};

use super::event_source::mappings;
use super::{Answer, At, Executor, StepError, already, finished};
use crate::aws::AwsError;
use crate::aws::signed::{Ask, DYNAMODB};

#[async_trait]
impl Executor for Table {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let (outputs, evidence) = look(self, at).await?;
        Ok(already(outputs, evidence))
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let (_, evidence) = look(self, at).await?;
        Ok(finished(evidence))
    }
}

/// How the table is, when that is how it has to be.
async fn look(step: &Table, at: At<'_>) -> Result<(BTreeMap<String, String>, String), StepError> {
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
    let mut outputs = BTreeMap::from([("state".to_owned(), state.to_owned())]);
    let mut evidence = standing;
    if let (Some(function), Some(table)) = (&step.read_by, &found) {
        let stream = table["LatestStreamArn"].as_str().unwrap_or_default();
        reads(function, stream, at).await?;
        evidence.push_str(&format!(", and {function} reads its newest stream"));
        outputs.insert("stream".to_owned(), stream.to_owned());
    }
    Ok((outputs, evidence))
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

/// Whether one of the function's mappings reads this stream.
async fn reads(function: &str, stream: &str, at: At<'_>) -> Result<(), StepError> {
    let mappings = mappings(function, at).await?;
    if !stream.is_empty() && mappings.iter().any(|mapping| mapping["EventSourceArn"] == stream) {
        return Ok(());
    }
    Err(StepError::failed(
        "old_stream",
        format!("{function} does not read the table's newest stream: point its event source mapping to it"),
    ))
}
