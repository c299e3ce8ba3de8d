//! `log_match`: every page of a group's lines, look after look.
//!
//! A page may be empty and still lead to another, so only a page without a token ends a look. Lines come late, so a look begins at the same instant each
//! time. A long group is read over several looks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{LogMatch, Presence};
use commands::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lines;
use super::listed::cut;
use super::logs::{self, Page, Wanted};
use super::{Answer, At, Executor, StepError, blind, pending};
use crate::aws::AwsError;

/// How many pages are read in one look; where more follow, the next look goes on.
const PAGES: usize = 6;

/// What is known from one look to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Seen {
    /// From when on lines count.
    since: Timestamp,
    /// When the step began.
    began: Timestamp,
    /// Where the look that is under way goes on, until when it looks, and what it has found so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    until: Timestamp,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
}

#[async_trait]
impl Executor for LogMatch {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let began = at.now;
        let since = match (&self.since, self.back()) {
            (None, _) => at.call.run_began,
            (Some(_), Some(back)) => Timestamp(began.0 - back.0),
            (Some(odd), None) => {
                return Err(StepError::failed(
                    "bad_span",
                    format!("`since = \"{odd}\"` is no span of time"),
                ));
            }
        };
        let seen = Seen {
            since,
            began,
            ..Seen::default()
        };
        let came = self.look(at, seen).await?;
        Ok(match came {
            StepOutcome::Finished { outputs, evidence } => StepOutcome::Prepared {
                memo: Value::Null,
                outputs,
                evidence,
                done: true,
            },
            StepOutcome::Pending { memo, progress } => StepOutcome::Prepared {
                memo,
                outputs: BTreeMap::new(),
                evidence: vec![progress.words],
                done: false,
            },
            other => other,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let seen: Seen = serde_json::from_value(at.call.memo.clone()).unwrap_or_default();
        self.look(at, seen).await
    }
}

trait Look {
    async fn look(&self, at: At<'_>, seen: Seen) -> Answer;
    fn judge(&self, seen: Seen, until: Timestamp) -> Answer;
}

impl Look for LogMatch {
    async fn look(&self, at: At<'_>, mut seen: Seen) -> Answer {
        if seen.token.is_none() {
            seen = Seen {
                since: seen.since,
                began: seen.began,
                until: at.now,
                ..Seen::default()
            };
        }
        let until = seen.until;
        for _ in 0..PAGES {
            match page(self, at, &mut seen).await {
                Ok(()) if seen.token.is_none() => return self.judge(seen, until),
                Ok(()) => {}
                Err(AwsError::Fatal { code, .. }) if code == "ResourceNotFoundException" => {
                    let region = &at.call.aws.region;
                    let why = format!(
                        "there is no log group {} in {region}: a group comes with its first line, so check the name",
                        self.group
                    );
                    return Err(StepError::failed("no_log_group", why));
                }
                // A token that is refused has grown old: the look begins anew.
                Err(AwsError::Fatal { code, .. }) if code == "InvalidParameterException" && seen.token.is_some() => {
                    seen.token = None;
                    return Ok(pending(json!(seen), "the look begins anew"));
                }
                Err(AwsError::Fatal { code, message }) => return Err(StepError::Failed { code, message }),
                // What was not read may hold the line.
                Err(error) => return Ok(blind(json!(seen), &error.to_string())),
            }
        }
        let words = format!("{} so far, still reading", seen.count);
        Ok(pending(json!(seen), words))
    }

    /// What a look that has read every page comes to.
    fn judge(&self, seen: Seen, until: Timestamp) -> Answer {
        let first = seen.first.clone().unwrap_or_default();
        match (self.want, seen.count) {
            (Presence::Appears, 0) => Ok(pending(json!(seen), format!("no such line in {} yet", self.group))),
            (Presence::Appears, count) => Ok(found(count, Some(first))),
            (Presence::Absent, 0) => {
                let quiet = seen.began.age(until);
                Ok(if quiet >= self.quiet {
                    found(0, None)
                } else {
                    pending(json!(seen), format!("none so far, in {quiet} of {}", self.quiet))
                })
            }
            (Presence::Absent, count) => {
                let lines = if count == 1 { "a line is" } else { "lines are" };
                let why = format!("{count} {lines} there that should not be, first: {first}");
                Err(StepError::failed("line_found", why))
            }
        }
    }
}

fn found(count: u64, first: Option<String>) -> StepOutcome {
    let mut outputs = BTreeMap::from([("count".to_owned(), count.to_string())]);
    let evidence = match &first {
        Some(first) => format!("found {count}, first: {first}"),
        None => "none was found".to_owned(),
    };
    outputs.extend(first.map(|first| ("first".to_owned(), first)));
    StepOutcome::Finished {
        outputs,
        evidence: vec![evidence],
    }
}

/// Reads one page.
async fn page(step: &LogMatch, at: At<'_>, seen: &mut Seen) -> Result<(), AwsError> {
    let wanted = Wanted {
        group: &step.group,
        pattern: &step.pattern,
        since: seen.since,
        until: seen.until,
    };
    let Page { events, next } = logs::page(at, wanted, seen.token.as_deref()).await?;
    seen.count += u64::try_from(events.len()).unwrap_or(u64::MAX);
    if seen.first.is_none() {
        seen.first = events.first().and_then(|event| event["message"].as_str()).map(plain);
    }
    seen.token = next;
    Ok(())
}

/// A line as people may see it, and short.
fn plain(line: &str) -> String {
    cut(&lines::shown(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(more: &Value) -> LogMatch {
        let mut step = json!({ "log_group": "g", "pattern": "ERROR" });
        for (name, value) in more.as_object().unwrap() {
            step[name] = value.clone();
        }
        serde_json::from_value(step).unwrap()
    }

    fn seen(count: u64) -> Seen {
        Seen {
            count,
            first: (count > 0).then(|| "ERROR 1".to_owned()),
            ..Seen::default()
        }
    }

    #[test]
    fn nothing_found_counts_only_after_a_while() {
        let step = step(&json!({ "want": "absent", "for": "5m" }));
        let came = step.judge(seen(0), Timestamp(299_000)).unwrap();
        assert!(matches!(came, StepOutcome::Pending { .. }));
        let came = step.judge(seen(0), Timestamp(300_000)).unwrap();
        assert!(matches!(came, StepOutcome::Finished { .. }));
        let StepError::Failed { code, message } = step.judge(seen(2), Timestamp(300_000)).unwrap_err() else {
            panic!("it failed for good")
        };
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("line_found", "2 lines are there that should not be, first: ERROR 1")
        );
    }

    #[test]
    fn a_line_is_short_and_plain() {
        assert_eq!(plain("a\tb\n\u{1b}[31mc"), "a b c");
        assert_eq!(plain("login password=hunter2 failed"), "login password=… failed");
        assert_eq!(plain(&"x".repeat(500)).chars().count(), 200);
    }
}
