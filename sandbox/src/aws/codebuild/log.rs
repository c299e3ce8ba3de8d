//! The log of a build: where it is, and what CodeBuild itself writes into it.

use serde_json::{Value, json};

use super::Build;
use crate::aws::events::iso;

/// The phases in which there is no container yet that could write anything.
const BEFORE: &[&str] = &["SUBMITTED", "QUEUED", "PROVISIONING"];

/// Where the log is, as `BatchGetBuilds` names it.
pub(super) fn place(build: &Build) -> Value {
    if !build.logged {
        return json!({"cloudWatchLogs": {"status": "DISABLED"}});
    }
    let (group, stream, region) = (build.log_group(), build.log_stream(), &build.place.region);
    let link = format!(
        "https://console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}/log-events/{stream}",
        group.replace('/', "$252F")
    );
    json!({"groupName": group, "streamName": stream, "deepLink": link, "cloudWatchLogs": {"status": "ENABLED"}})
}

/// What stands at the end of the log of a build that fails: that it did, and nothing of why.
pub(super) fn failing(phase: &str, outcome: &str, (message, at_ms): (&str, i64)) -> Vec<String> {
    if BEFORE.contains(&phase) {
        return Vec::new();
    }
    let at = iso(at_ms).replace('-', "/").replace('T', " ");
    let said = |words: String| format!("[Container] {} {words}", at.trim_end_matches('Z'));
    vec![
        said(format!("Phase complete: {phase} State: {outcome}")),
        said(format!(
            "Phase context status code: COMMAND_EXECUTION_ERROR Message: {message}"
        )),
    ]
}
