//! `queue_drain`: counts what is visible, in flight and delayed, look after look.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::{ErrorRatio, QueueDrain};
use commands::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, StepError, already, errors, finished, found};
use crate::aws::api::SQS;
use crate::aws::signed::Ask;
use crate::aws::{AwsError, metrics};

/// How SQS calls a queue that is not there, in its newer and in its older protocol.
const NO_QUEUE: [&str; 2] = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];
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
                (format!("cannot be read just now: {why}"), Vec::new()),
                None,
            )),
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
        match count(at, &seen, name).await? {
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

/// What a look brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Left {
    /// How many messages are left.
    left: u64,
    /// How many percent of the calls fail, when some do, in words.
    failing: Option<String>,
    /// The newest errors, when calls fail.
    errors: Vec<String>,
}

/// How many percent of the calls fail, when some do.
async fn failing(errors: &ErrorRatio, at: At<'_>) -> Result<Option<f64>, Look> {
    let within = at.within(&at.call.aws);
    let counted = metrics::failures(&at.engine.aws, within, &errors.functions, (errors.over, at.now)).await?;
    Ok(counted.percent().filter(|percent| *percent > 0.0))
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

/// Few are shown as few: `2 %`, and less than one as that.
fn percent_words(percent: f64) -> String {
    if percent < 1.0 {
        "less than 1 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
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
        let mut wrong = self
            .errors
            .as_ref()
            .zip(failing)
            .and_then(|(errors, percent)| too_many(errors, percent));
        for name in &self.failures {
            let failed = count(at, seen, name).await?;
            if failed > 0 && wrong.is_none() {
                let why = format!("{name} holds {failed}: look at what they are before anything is tried again");
                wrong = Some(("failures_collect", why));
            }
        }
        let errors = match &self.errors {
            Some(errors) if failing.is_some() || wrong.is_some() => errors::newest(at, errors).await,
            _ => Vec::new(),
        };
        if let Some((code, why)) = wrong {
            let lines: Vec<String> = std::iter::once(why).chain(errors).collect();
            return Err(Look::Failed(StepError::failed(code, lines.join("\n"))));
        }
        let mut left = 0;
        for name in &self.queues {
            left += count(at, seen, name).await?;
        }
        let failing = failing.map(percent_words);
        Ok(Left { left, failing, errors })
    }

    fn judge(&self, mut seen: Seen, Left { left, failing, errors }: Left, now: Timestamp) -> Answer {
        if left > seen.most {
            (seen.most, seen.most_at) = (left, now);
        }
        if left > 0 {
            seen.empty = 0;
            let until = until(&seen, left, now);
            let failing = failing.map_or_else(String::new, |percent| format!(", {percent} of the calls fail"));
            return Ok(pending(
                seen,
                (format!("{left} left{failing}"), errors),
                Some((left, until)),
            ));
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
        Ok(pending(seen, (words, errors), Some((0, None))))
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

fn pending(seen: Seen, (words, errors): (String, Vec<String>), left: Option<(u64, Option<Timestamp>)>) -> StepOutcome {
    let percent = left.filter(|_| seen.most > 0).map(|(left, _)| {
        let gone = seen.most.saturating_sub(left);
        u8::try_from(gone * 100 / seen.most).unwrap_or(100)
    });
    StepOutcome::Pending {
        progress: Progress {
            words,
            percent,
            until: left.and_then(|(_, until)| until),
            seen: errors,
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
                        ..Left::default()
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
        assert_eq!(percent_words(0.2), "less than 1 %");
        assert_eq!(percent_words(50.0), "50 %");
        let errors: ErrorRatio = serde_json::from_value(json!({ "functions": ["f"] })).unwrap();
        assert_eq!(too_many(&errors, 50.0), None);
        assert_eq!(too_many(&errors, 50.1).unwrap().0, "too_many_errors");
        let left = Left {
            left: 5,
            failing: Some(percent_words(2.0)),
            errors: vec!["1 × Error".to_owned()],
        };
        let StepOutcome::Pending { progress, .. } = step().judge(Seen::default(), left, at(1)).unwrap() else {
            panic!("it goes on")
        };
        assert_eq!(progress.words, "5 left, 2 % of the calls fail");
        assert_eq!(progress.seen, ["1 × Error"]);
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
