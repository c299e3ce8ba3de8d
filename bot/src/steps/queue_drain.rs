//! `queue_drain`: counts what is visible, in flight and delayed, look after look.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::{ErrorRatio, QueueDrain};
use commands::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, StepError, already, blind, errors, found};
use crate::aws::AwsError;
use crate::aws::api::SQS;
use crate::aws::metrics::{self, Failures};
use crate::aws::signed::Ask;

/// How SQS calls a queue that is not there, in its newer and in its older protocol.
const NO_QUEUE: [&str; 2] = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];
const VISIBLE: &str = "ApproximateNumberOfMessages";
const IN_FLIGHT: &str = "ApproximateNumberOfMessagesNotVisible";
const DELAYED: &str = "ApproximateNumberOfMessagesDelayed";
const COUNTS: [&str; 3] = [VISIBLE, IN_FLIGHT, DELAYED];

/// What is known from one look to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The addresses of all queues, by name.
    urls: BTreeMap<String, String>,
    /// The most that was ever there, and when.
    most: u64,
    most_at: Timestamp,
    /// How many looks in a row found nothing, and since when.
    empty: u32,
    empty_since: Timestamp,
}

#[async_trait]
impl Executor for QueueDrain {
    async fn prepare(&self, at: At<'_>) -> Answer {
        if self.now {
            return empty_now(self, at).await;
        }
        let mut seen = Seen::default();
        for name in self.queues.iter().chain(&self.failures) {
            let told = at
                .aws(SQS, Ask::target("GetQueueUrl", json!({ "QueueName": name })))
                .await?;
            let url = told.body["QueueUrl"].as_str().unwrap_or_default();
            seen.urls.insert(name.clone(), url.to_owned());
        }
        let mut evidence = Vec::new();
        for name in self.queues.iter().chain(&self.failures) {
            evidence.push(format!("{name} holds {}", count(at, &seen, name).await?.all()));
        }
        Ok(found(json!(seen), evidence))
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let seen: Seen = serde_json::from_value(at.call.memo.clone()).unwrap_or_default();
        match self.look(at, &seen).await {
            Ok(left) => self.judge(seen, left, at.now),
            Err(Look::Failed(error)) => Err(error),
            // A look that failed proves nothing: the looks in a row begin anew.
            Err(Look::Blind(why)) => Ok(blind(json!(Seen { empty: 0, ..seen }), &why)),
        }
    }
}

/// The only look: what is left over from before does not go away by waiting.
async fn empty_now(step: &QueueDrain, at: At<'_>) -> Answer {
    let mut evidence = Vec::new();
    for name in step.queues.iter().chain(&step.failures) {
        let ask = Ask::target("GetQueueUrl", json!({ "QueueName": name }));
        let told = match at.aws(SQS, ask).await {
            Err(error) if error.code().is_some_and(|code| NO_QUEUE.contains(&code)) => {
                evidence.push(format!("{name} does not exist"));
                continue;
            }
            told => told?,
        };
        let url = told.body["QueueUrl"].as_str().unwrap_or_default();
        let seen = Seen {
            urls: BTreeMap::from([(name.clone(), url.to_owned())]),
            ..Seen::default()
        };
        match count(at, &seen, name).await?.all() {
            0 => evidence.push(format!("{name} is empty")),
            some => {
                let why = format!("{name} holds {some}: look at what they are, and clear it or put them back first");
                return Err(StepError::failed("queue_not_empty", why));
            }
        }
    }
    Ok(already(BTreeMap::new(), evidence.join(", ")))
}

/// Why a look brought no number.
enum Look {
    Failed(StepError),
    Blind(String),
}

impl From<AwsError> for Look {
    fn from(error: AwsError) -> Self {
        match error {
            AwsError::Fatal { code, message } => Self::Failed(StepError::Failed { code, message }),
            error => Self::Blind(error.to_string()),
        }
    }
}

/// The messages of a queue, or of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    visible: u64,
    in_flight: u64,
    delayed: u64,
}

impl Counts {
    const fn all(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }

    const fn and(self, other: Self) -> Self {
        Self {
            visible: self.visible + other.visible,
            in_flight: self.in_flight + other.in_flight,
            delayed: self.delayed + other.delayed,
        }
    }
}

/// What a look brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Left {
    /// What is left.
    counts: Counts,
    /// What else was looked at, and what of it is good; one line each.
    seen: Vec<String>,
}

/// How many of the calls fail.
async fn failing(errors: &ErrorRatio, at: At<'_>) -> Result<Failures, Look> {
    let within = at.within(&at.call.aws);
    Ok(metrics::failures(&at.engine.aws, within, &errors.functions, (errors.over, at.now)).await?)
}

/// Why the step fails with so many percent; nothing when they are few enough.
fn too_many(errors: &ErrorRatio, percent: f64) -> Option<(&'static str, String)> {
    let why = format!(
        "{percent:.0} % of the calls of {} failed in the last {}: look at why before anything is tried again",
        errors.functions.join(" and "),
        errors.over
    );
    (percent > f64::from(errors.above)).then_some(("too_many_errors", why))
}

/// `2 % of 412 calls of copy failed in the last 15 min`: few are shown as few, and what nobody counted as that.
fn ratio(errors: &ErrorRatio, counted: Failures) -> String {
    let (calls, functions, over) = (counted.calls, errors.functions.join(" and "), errors.over);
    match counted.percent() {
        None => format!("no call of {functions} was counted in the last {over}"),
        Some(percent) => {
            let share = match percent {
                0.0 => "none".to_owned(),
                few if few < 1.0 => "less than 1 %".to_owned(),
                percent => format!("{percent:.0} %"),
            };
            format!("{share} of {calls:.0} calls of {functions} failed in the last {over}")
        }
    }
}

trait Watch {
    async fn look(&self, at: At<'_>, seen: &Seen) -> Result<Left, Look>;
    fn judge(&self, seen: Seen, left: Left, now: Timestamp) -> Answer;
}

impl Watch for QueueDrain {
    /// How much is left; a failure when anything collects where failures do.
    async fn look(&self, at: At<'_>, seen: &Seen) -> Result<Left, Look> {
        let (mut wrong, mut lines) = (None, Vec::new());
        let mut fails = false;
        if let Some(errors) = &self.errors {
            let counted = failing(errors, at).await?;
            fails = counted.failed > 0.0;
            wrong = counted.percent().and_then(|percent| too_many(errors, percent));
            lines.push(ratio(errors, counted));
        }
        for name in &self.failures {
            let failed = count(at, seen, name).await?.all();
            if failed > 0 && wrong.is_none() {
                let why = format!("{name} holds {failed}: look at what they are before anything is tried again");
                wrong = Some(("failures_collect", why));
            }
        }
        let newest = match &self.errors {
            Some(errors) if fails || wrong.is_some() => errors::newest(at, errors).await,
            _ => Vec::new(),
        };
        if let Some((code, why)) = wrong {
            let lines: Vec<String> = std::iter::once(why).chain(newest).collect();
            return Err(Look::Failed(StepError::failed(code, lines.join("\n"))));
        }
        if !self.failures.is_empty() {
            lines.insert(0, format!("{}: empty", self.failures.join(", ")));
        }
        lines.extend(newest);
        let mut counts = Counts::default();
        for name in &self.queues {
            counts = counts.and(count(at, seen, name).await?);
        }
        Ok(Left { counts, seen: lines })
    }

    fn judge(&self, mut seen: Seen, Left { counts, seen: lines }: Left, now: Timestamp) -> Answer {
        let left = counts.all();
        if left > seen.most {
            (seen.most, seen.most_at) = (left, now);
        }
        if left > 0 {
            seen.empty = 0;
            let until = until(&seen, left, now);
            let Counts {
                visible,
                in_flight,
                delayed,
            } = counts;
            let words = format!("{left} left: {visible} visible, {in_flight} in flight, {delayed} delayed");
            return Ok(pending(seen, (words, lines), Some((left, until))));
        }
        if seen.empty == 0 {
            seen.empty_since = now;
        }
        seen.empty += 1;
        let lasting = seen.empty_since.age(now);
        if seen.empty >= self.samples {
            let words = format!("empty for {lasting}, in {} looks", seen.empty);
            return Ok(StepOutcome::Finished {
                outputs: BTreeMap::new(),
                evidence: std::iter::once(words).chain(lines).collect(),
            });
        }
        let long = if lasting.0 > 0 {
            format!(" for {lasting}")
        } else {
            String::new()
        };
        let words = format!("empty{long}, in {} of {} looks", seen.empty, self.samples);
        Ok(pending(seen, (words, lines), Some((0, None))))
    }
}

/// When it will be empty if it goes on as it did since the most was seen; to the minute, so that it is no news every time.
fn until(seen: &Seen, left: u64, now: Timestamp) -> Option<Timestamp> {
    let gone = seen.most.checked_sub(left).filter(|gone| *gone > 0)?;
    let took = seen.most_at.age(now).0;
    let rest = i64::try_from(u128::try_from(took).ok()? * u128::from(left) / u128::from(gone)).ok()?;
    let at = now + Span(rest);
    Some(Timestamp(at.0 / 60_000 * 60_000 + 60_000))
}

fn pending(seen: Seen, (words, lines): (String, Vec<String>), left: Option<(u64, Option<Timestamp>)>) -> StepOutcome {
    let percent = left.filter(|_| seen.most > 0).map(|(left, _)| {
        let gone = seen.most.saturating_sub(left);
        u8::try_from(gone * 100 / seen.most).unwrap_or(100)
    });
    StepOutcome::Pending {
        progress: Progress {
            words,
            percent,
            until: left.and_then(|(_, until)| until),
            seen: lines,
            ..Progress::default()
        },
        memo: json!(seen),
    }
}

/// What is in a queue.
async fn count(at: At<'_>, seen: &Seen, name: &str) -> Result<Counts, AwsError> {
    let ask = json!({ "QueueUrl": seen.urls.get(name), "AttributeNames": COUNTS });
    let told = at.aws(SQS, Ask::target("GetQueueAttributes", ask)).await?;
    let attributes: &Value = &told.body["Attributes"];
    let number = |count: &str| {
        let number = attributes[count].as_str().and_then(|text| text.parse::<u64>().ok());
        number.ok_or_else(|| AwsError::retryable("NoCount", &format!("SQS did not say {count}")))
    };
    Ok(Counts {
        visible: number(VISIBLE)?,
        in_flight: number(IN_FLIGHT)?,
        delayed: number(DELAYED)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> QueueDrain {
        serde_json::from_value(json!({ "queues": ["q"], "samples": 3 })).unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp(Span::minutes(minutes).0)
    }

    /// What a row of counts, a minute apart, comes to.
    fn looks(counts: &[u64]) -> StepOutcome {
        let mut seen = Seen::default();
        let mut last = None;
        for (minute, left) in counts.iter().enumerate() {
            let came = step()
                .judge(
                    seen.clone(),
                    Left {
                        counts: Counts {
                            visible: *left,
                            ..Counts::default()
                        },
                        seen: Vec::new(),
                    },
                    at(i64::try_from(minute).unwrap()),
                )
                .unwrap();
            if let StepOutcome::Pending { memo, .. } = &came {
                seen = serde_json::from_value(memo.clone()).unwrap();
            }
            last = Some(came);
        }
        last.unwrap()
    }

    #[test]
    fn empty_means_empty_in_several_looks_in_a_row() {
        for counts in [&[0, 0][..], &[5, 0, 0, 1, 0, 0]] {
            assert!(matches!(looks(counts), StepOutcome::Pending { .. }), "{counts:?}");
        }
        let StepOutcome::Finished { evidence, .. } = looks(&[9, 0, 1, 0, 0, 0]) else {
            panic!("three in a row are enough")
        };
        assert_eq!(evidence, ["empty for 2 min, in 3 looks"]);
    }

    #[test]
    fn some_failures_are_shown_and_too_many_end_it() {
        let errors: ErrorRatio = serde_json::from_value(json!({ "functions": ["f"] })).unwrap();
        let said = |calls, failed| ratio(&errors, Failures { calls, failed });
        assert_eq!(said(0.0, 0.0), "no call of f was counted in the last 15 min");
        assert_eq!(said(400.0, 0.0), "none of 400 calls of f failed in the last 15 min");
        assert_eq!(
            said(400.0, 1.0),
            "less than 1 % of 400 calls of f failed in the last 15 min"
        );
        assert_eq!(said(400.0, 200.0), "50 % of 400 calls of f failed in the last 15 min");
        assert_eq!(too_many(&errors, 50.0), None);
        assert_eq!(too_many(&errors, 50.1).unwrap().0, "too_many_errors");
    }

    #[test]
    fn what_is_left_is_told_apart() {
        let left = Left {
            counts: Counts {
                visible: 5,
                in_flight: 2,
                delayed: 1,
            },
            seen: vec!["dead: empty".to_owned()],
        };
        let StepOutcome::Pending { progress, .. } = step().judge(Seen::default(), left, at(1)).unwrap() else {
            panic!("it goes on")
        };
        assert_eq!(progress.words, "8 left: 5 visible, 2 in flight, 1 delayed");
        assert_eq!(progress.seen, ["dead: empty"]);
        let last = Seen {
            empty: 2,
            ..Seen::default()
        };
        let drained = Left {
            seen: vec!["dead: empty".to_owned()],
            ..Left::default()
        };
        let StepOutcome::Finished { evidence, .. } = step().judge(last, drained, at(2)).unwrap() else {
            panic!("it is done")
        };
        assert_eq!(
            evidence[1..],
            ["dead: empty"],
            "what was good at the end is the evidence"
        );
        let StepOutcome::Pending { progress, .. } = looks(&[3, 0, 0]) else {
            panic!("not yet")
        };
        assert_eq!(progress.words, "empty for 1 min, in 2 of 3 looks");
    }

    #[test]
    fn percent_and_time_left_come_from_the_most_that_was_seen() {
        let StepOutcome::Pending { progress, .. } = looks(&[50, 100, 75]) else {
            panic!("it goes on")
        };
        assert_eq!((&progress.words[..7], progress.percent), ("75 left", Some(25)));
        // A minute for a quarter: three more, to the minute.
        assert_eq!(progress.until, Some(at(6)));
        let StepOutcome::Pending { progress, .. } = looks(&[50]) else {
            panic!("it goes on")
        };
        assert_eq!((progress.percent, progress.until), (Some(0), None));
    }
}
