//! `queue_drain`: counts what is visible, in flight and delayed, look after look.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::{ErrorRatio, QueueDrain};
use commands::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, StepError, finished, found};
use crate::aws::signed::{Ask, SQS};
use crate::aws::{AwsError, metrics};

const COUNTS: [&str; 3] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

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
            evidence.push(format!("{name} holds {}", count(at, &seen, name).await?));
        }
        Ok(found(json!(seen), evidence))
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let seen: Seen = serde_json::from_value(at.call.memo.clone()).unwrap_or_default();
        match self.look(at, &seen).await {
            Ok(left) => self.judge(seen, left, at.now),
            Err(Look::Failed(error)) => Err(error),
            // A look that failed proves nothing: the looks in a row begin anew.
            Err(Look::Blind(why)) => Ok(pending(
                Seen { empty: 0, ..seen },
                format!("cannot be read just now: {why}"),
                None,
            )),
        }
    }
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

/// What a look brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Left {
    /// How many messages are left.
    left: u64,
    /// How many percent of the calls fail, when some do.
    failing: Option<u64>,
}

/// How many percent of the calls fail, when some do; a failure when it is too many.
async fn failing(errors: &ErrorRatio, at: At<'_>) -> Result<Option<u64>, Look> {
    let within = at.within(&at.call.aws);
    let counted = metrics::failures(&at.engine.aws, within, &errors.functions, (errors.over, at.now)).await?;
    let Some(percent) = counted.percent() else {
        return Ok(None);
    };
    if percent > f64::from(errors.above) {
        let why = format!(
            "{percent:.0} % of the calls of {} failed in the last {}: look at their logs before anything is tried again",
            errors.functions.join(" and "),
            errors.over
        );
        return Err(Look::Failed(StepError::failed("too_many_errors", why)));
    }
    let whole = format!("{percent:.0}").parse().ok();
    Ok(whole.filter(|percent| *percent > 0))
}

trait Watch {
    async fn look(&self, at: At<'_>, seen: &Seen) -> Result<Left, Look>;
    fn judge(&self, seen: Seen, left: Left, now: Timestamp) -> Answer;
}

impl Watch for QueueDrain {
    /// How much is left; a failure when anything collects where failures do.
    async fn look(&self, at: At<'_>, seen: &Seen) -> Result<Left, Look> {
        let failing = match &self.errors {
            Some(errors) => failing(errors, at).await?,
            None => None,
        };
        for name in &self.failures {
            let failed = count(at, seen, name).await?;
            if failed > 0 {
                let why = format!("{name} holds {failed}: look at what they are before anything is tried again");
                return Err(Look::Failed(StepError::failed("failures_collect", why)));
            }
        }
        let mut left = 0;
        for name in &self.queues {
            left += count(at, seen, name).await?;
        }
        Ok(Left { left, failing })
    }

    fn judge(&self, mut seen: Seen, Left { left, failing }: Left, now: Timestamp) -> Answer {
        if left > seen.most {
            (seen.most, seen.most_at) = (left, now);
        }
        if left > 0 {
            seen.empty = 0;
            let until = until(&seen, left, now);
            let failing = failing.map_or_else(String::new, |percent| format!(", {percent} % of the calls fail"));
            return Ok(pending(seen, format!("{left} left{failing}"), Some((left, until))));
        }
        if seen.empty == 0 {
            seen.empty_since = now;
        }
        seen.empty += 1;
        let lasting = seen.empty_since.age(now);
        if seen.empty >= self.samples {
            return Ok(finished(format!("empty for {lasting}, in {} looks", seen.empty)));
        }
        let words = format!("empty in {} of {} looks", seen.empty, self.samples);
        Ok(pending(seen, words, Some((0, None))))
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

fn pending(seen: Seen, words: String, left: Option<(u64, Option<Timestamp>)>) -> StepOutcome {
    let percent = left.filter(|_| seen.most > 0).map(|(left, _)| {
        let gone = seen.most.saturating_sub(left);
        u8::try_from(gone * 100 / seen.most).unwrap_or(100)
    });
    StepOutcome::Pending {
        progress: Progress {
            words,
            percent,
            until: left.and_then(|(_, until)| until),
        },
        memo: json!(seen),
    }
}

/// Everything that is in a queue, also what is in flight or delayed.
async fn count(at: At<'_>, seen: &Seen, name: &str) -> Result<u64, AwsError> {
    let ask = json!({ "QueueUrl": seen.urls.get(name), "AttributeNames": COUNTS });
    let told = at.aws(SQS, Ask::target("GetQueueAttributes", ask)).await?;
    let attributes: &Value = &told.body["Attributes"];
    COUNTS
        .iter()
        .map(|count| {
            let number = attributes[*count].as_str().and_then(|text| text.parse::<u64>().ok());
            number.ok_or_else(|| AwsError::retryable("NoCount", &format!("SQS did not say {count}")))
        })
        .sum()
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
                        left: *left,
                        failing: None,
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
    fn percent_and_time_left_come_from_the_most_that_was_seen() {
        let StepOutcome::Pending { progress, .. } = looks(&[50, 100, 75]) else {
            panic!("it goes on")
        };
        assert_eq!((progress.words.as_str(), progress.percent), ("75 left", Some(25)));
        // A minute for a quarter: three more, to the minute.
        assert_eq!(progress.until, Some(at(6)));
        let StepOutcome::Pending { progress, .. } = looks(&[50]) else {
            panic!("it goes on")
        };
        assert_eq!((progress.percent, progress.until), (Some(0), None));
    }
}
