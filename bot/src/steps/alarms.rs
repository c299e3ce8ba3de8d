//! `alarms`: looks at CloudWatch alarms until they were quiet often enough.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{Alarms, NoData, RINGS, RINGS_UNTOLD};
use commands::time::Timestamp;
use serde_json::{Value, json};

use super::maintenance::{Red, red_step};
use super::{Answer, At, Executor, StepError, blind, finished, found, pending};
use crate::aws::AwsError;
use crate::aws::cloudwatch::{self, Alarm, AlarmState};

/// How many alarms are named in one line.
const NAMED: usize = 3;

#[async_trait]
impl Executor for Alarms {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let read = read(self, at).await?;
        all_there(&read)?;
        let quiet = read.found.iter().filter(|alarm| alarm.state == AlarmState::Ok).count();
        let mut evidence = vec![format!("{quiet} of {} alarms are OK", read.found.len())];
        let odd = read.found.iter().filter(|alarm| alarm.state != AlarmState::Ok);
        evidence.extend(odd.map(|alarm| told(alarm, lasting(alarm, at.now))));
        Ok(found(json!({ "quiet": 0 }), evidence))
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        match read(self, at).await {
            Ok(read) => match judge(self, &read, (&at.call.memo, at.now)) {
                Err(StepError::Failed { code, message }) if code == RINGS && self.red_in_maintenance => {
                    red_now(at, message).await
                }
                judged => judged,
            },
            Err(AwsError::Fatal { code, message }) => Err(StepError::Failed { code, message }),
            // A look that failed proves nothing: the looks in a row begin anew.
            Err(error) => Ok(blind(json!({ "quiet": 0 }), &error.to_string())),
        }
    }
}

/// Alarms that ring, which maintenance mode may be the reason of.
async fn red_now(at: At<'_>, rings: String) -> Answer {
    match red_step(at).await {
        Red::Excused(why) => Ok(finished(format!("{why}: {rings}"))),
        Red::Untold => Err(StepError::failed(RINGS_UNTOLD, rings)),
        Red::Counts(why) => Err(StepError::failed(RINGS, format!("{rings}; {why}"))),
    }
}

async fn read(step: &Alarms, at: At<'_>) -> Result<cloudwatch::Alarms, AwsError> {
    let within = at.within(&at.call.aws);
    at.engine.alarms.alarms_of(within, &step.alarms).await
}

/// An alarm that is not there cannot ring, which is not the same as quiet.
fn all_there(read: &cloudwatch::Alarms) -> Result<(), StepError> {
    if !read.missing.is_empty() {
        let why = format!("there is no alarm {}", read.missing.join(", no "));
        return Err(StepError::failed("no_alarm", why));
    }
    if read.cut {
        return Err(StepError::failed(
            "too_many_alarms",
            "not all alarms could be read: name fewer",
        ));
    }
    Ok(())
}

/// ` for 2 min`, as of a look that is the last.
fn lasting(alarm: &Alarm, now: Timestamp) -> String {
    let since = alarm.since.map(|since| format!(" for {}", since.age(now)));
    since.unwrap_or_default()
}

/// ` since Nov 20, 18:00 UTC`: the same in every look, so that nothing is new until something is.
fn beginning(alarm: &Alarm) -> String {
    let since = alarm.since.map(|since| since.utc().format(" since %b %-d, %H:%M UTC"));
    since.map(|since| since.to_string()).unwrap_or_default()
}

fn told(alarm: &Alarm, since: String) -> String {
    let state = match alarm.state {
        AlarmState::Ok => "is OK",
        AlarmState::Ringing => "rings",
        AlarmState::NoData => "has no data",
        AlarmState::Unknown => "is in a state that this version does not know",
    };
    format!("{} {state}{since}", alarm.name)
}

/// The first few by name, and how many there are besides.
fn first(mut told: Vec<String>) -> String {
    let more = told.len().saturating_sub(NAMED);
    told.truncate(NAMED);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join("; ")
}

fn judge(step: &Alarms, read: &cloudwatch::Alarms, (memo, now): (&Value, Timestamp)) -> Answer {
    all_there(read)?;
    let ringing = read.found.iter().filter(|alarm| alarm.state == AlarmState::Ringing);
    let ringing: Vec<String> = ringing.map(|alarm| told(alarm, lasting(alarm, now))).collect();
    if !ringing.is_empty() {
        return Err(StepError::failed(RINGS, first(ringing)));
    }
    let proves_nothing = |alarm: &&Alarm| match alarm.state {
        AlarmState::NoData => step.unknown == NoData::Unknown,
        state => state == AlarmState::Unknown,
    };
    let unknown = read.found.iter().filter(proves_nothing);
    let unknown: Vec<String> = unknown.map(|alarm| told(alarm, beginning(alarm))).collect();
    if !unknown.is_empty() {
        return Ok(waiting(0, format!("cannot tell: {}", first(unknown))));
    }
    let quiet = memo["quiet"].as_u64().unwrap_or_default() + 1;
    let words = format!(
        "{} quiet in {quiet} of {} looks",
        number(read.found.len()),
        step.samples
    );
    Ok(if quiet >= u64::from(step.samples) {
        finished(words)
    } else {
        waiting(quiet, words)
    })
}

fn waiting(quiet: u64, words: String) -> StepOutcome {
    pending(json!({ "quiet": quiet }), words)
}

fn number(alarms: usize) -> String {
    if alarms == 1 {
        "1 alarm".to_owned()
    } else {
        format!("{alarms} alarms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(states: &[AlarmState], unknown: &str, quiet: u64) -> Answer {
        let step = serde_json::from_value(json!({ "alarms": ["a*"], "samples": 2, "unknown": unknown })).unwrap();
        let found = states.iter().enumerate().map(|(index, state)| Alarm {
            name: format!("a{index}"),
            state: *state,
            actions_enabled: true,
            since: Some(Timestamp(0)),
        });
        let read = cloudwatch::Alarms {
            found: found.collect(),
            ..cloudwatch::Alarms::default()
        };
        judge(&step, &read, (&json!({ "quiet": quiet }), Timestamp(120_000)))
    }

    #[test]
    fn quiet_means_quiet_in_several_looks() {
        assert!(matches!(
            judged(&[AlarmState::Ok], "unknown", 0),
            Ok(StepOutcome::Pending { .. })
        ));
        let Ok(StepOutcome::Finished { evidence, .. }) = judged(&[AlarmState::Ok], "unknown", 1) else {
            panic!("twice is enough")
        };
        assert_eq!(evidence, ["1 alarm quiet in 2 of 2 looks"]);
    }

    #[test]
    fn one_that_rings_fails_with_its_name_and_since_when() {
        let StepError::Failed { code, message } = judged(&[AlarmState::Ok, AlarmState::Ringing], "ok", 1).unwrap_err()
        else {
            panic!("it failed for good")
        };
        assert_eq!((code.as_str(), message.as_str()), ("alarm", "a1 rings for 2 min"));
    }

    #[test]
    fn without_data_nobody_can_tell_unless_the_runbook_says_otherwise() {
        for state in [AlarmState::NoData, AlarmState::Unknown] {
            let Ok(StepOutcome::Pending { memo, progress }) = judged(&[state], "unknown", 1) else {
                panic!("nothing is proven")
            };
            assert_eq!(memo["quiet"], 0, "the looks in a row begin anew");
            let words = &progress.words;
            assert!(
                words.starts_with("cannot tell: a0 ") && words.ends_with(" since Jan 1, 00:00 UTC"),
                "{words}"
            );
        }
        let Ok(StepOutcome::Pending { progress, .. }) = judged(&[AlarmState::NoData; 5], "unknown", 0) else {
            panic!("nothing is proven")
        };
        assert!(
            progress.words.ends_with("; and 2 more"),
            "nothing is left unsaid: {}",
            progress.words
        );
        assert!(matches!(
            judged(&[AlarmState::NoData], "ok", 1),
            Ok(StepOutcome::Finished { .. })
        ));
        assert!(matches!(
            judged(&[AlarmState::Unknown], "ok", 1),
            Ok(StepOutcome::Pending { .. })
        ));
    }
}
