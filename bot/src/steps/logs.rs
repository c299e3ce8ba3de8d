//! The lines of a log group, page by page.

use commands::time::Timestamp;
use serde_json::{Value, json};

use super::At;
use crate::aws::AwsError;
use crate::aws::api::LOGS;
use crate::aws::signed::Ask;

/// Which lines are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The log group.
    pub group: &'a str,
    /// What they hold, as CloudWatch Logs writes patterns.
    pub pattern: &'a str,
    /// From when on.
    pub since: Timestamp,
    /// Until when, this instant with them.
    pub until: Timestamp,
}

/// A page of them, oldest first. It may be empty and still lead to another.
pub(super) struct Page {
    /// The events.
    pub events: Vec<Value>,
    /// Where it goes on; nothing at the end.
    pub next: Option<String>,
}

/// Reads the page that a token names; without one, the first.
pub(super) async fn page(at: At<'_>, wanted: Wanted<'_>, token: Option<&str>) -> Result<Page, AwsError> {
    let mut ask = json!({
        "logGroupName": wanted.group,
        "filterPattern": wanted.pattern,
        "startTime": wanted.since.0,
        // The end does not belong to it.
        "endTime": wanted.until.0 + 1,
    });
    if let Some(token) = token {
        ask["nextToken"] = json!(token);
    }
    let mut told = at.aws(LOGS, Ask::target("FilterLogEvents", ask)).await?;
    let events = match told.body["events"].take() {
        Value::Array(events) => events,
        _ => Vec::new(),
    };
    Ok(Page {
        events,
        next: told.body["nextToken"].as_str().map(str::to_owned),
    })
}
