//! `alarms-quiet`: no alarm rings in the environment's account.
//!
//! An alarm that tells nobody when it rings, or that has no data, is not quiet but mute: that is said, and does not stop anybody.

use async_trait::async_trait;
use commands::catalog::CheckName;
use commands::check::{Level, Verdict};
use commands::time::Timestamp;

use super::{Ask, Check};
use crate::aws::AwsError;
use crate::aws::cloudwatch::{Alarm, AlarmState, Alarms};

const NAME: &str = "alarms-quiet";

/// The check.
pub(super) struct AlarmsQuiet;

#[async_trait]
impl Check for AlarmsQuiet {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "no CloudWatch alarm of the environment rings"
    }

    fn reddens_in_maintenance(&self) -> bool {
        true
    }

    async fn gather(&self, ask: &Ask<'_>) -> Result<Verdict, AwsError> {
        judge(&fetch(ask).await, ask.now)
    }
}

async fn fetch(ask: &Ask<'_>) -> Result<Alarms, AwsError> {
    let environment = ask.environment;
    let cloudwatch = &ask.engine.alarms;
    cloudwatch
        .alarms(&environment.aws, &environment.alarms, ask.lease)
        .await
}

fn judge(read: &Result<Alarms, AwsError>, now: Timestamp) -> Result<Verdict, AwsError> {
    let verdict = |level, reason: String, evidence| Verdict {
        check: CheckName(NAME.to_owned()),
        level,
        reason,
        evidence,
        as_of: now,
    };
    let alarms = match read {
        Ok(alarms) => alarms,
        Err(AwsError::Fatal { code, message }) => {
            return Ok(verdict(
                Level::Unknown,
                format!("CloudWatch refuses: {code}: {message}"),
                vec![],
            ));
        }
        Err(error) => return Err(error.clone()),
    };
    let named = |wanted: fn(&Alarm) -> bool| -> Vec<String> {
        let fitting = alarms.found.iter().filter(|alarm| wanted(alarm));
        fitting.map(|alarm| alarm.name.clone()).collect()
    };
    let ringing = named(|alarm| alarm.state == AlarmState::Ringing);
    let odd = named(|alarm| alarm.state == AlarmState::Unknown);
    let mute = named(|alarm| alarm.state == AlarmState::NoData || !alarm.actions_enabled);
    Ok(if !ringing.is_empty() {
        verdict(Level::Bad, format!("{} in alarm", count(ringing.len())), ringing)
    } else if !alarms.missing.is_empty() {
        let reason = "alarms that config names do not exist".to_owned();
        verdict(Level::Unknown, reason, alarms.missing.clone())
    } else if alarms.found.is_empty() {
        verdict(Level::Unknown, "the role sees no alarms".to_owned(), vec![])
    } else if alarms.cut || !odd.is_empty() {
        verdict(Level::Unknown, "not all alarms could be read".to_owned(), odd)
    } else if !mute.is_empty() {
        let reason = format!(
            "none rings, but {} no data or {} actions off",
            have(mute.len()),
            its(mute.len())
        );
        verdict(Level::Notice, reason, mute)
    } else {
        verdict(Level::Good, format!("{} quiet", count(alarms.found.len())), vec![])
    })
}

fn count(number: usize) -> String {
    if number == 1 {
        "1 alarm".to_owned()
    } else {
        format!("{number} alarms")
    }
}

fn have(number: usize) -> String {
    if number == 1 {
        "1 has".to_owned()
    } else {
        format!("{number} have")
    }
}

const fn its(number: usize) -> &'static str {
    if number == 1 { "its" } else { "their" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(name: &str, state: AlarmState, actions_enabled: bool) -> Alarm {
        Alarm {
            name: name.to_owned(),
            state,
            actions_enabled,
            since: None,
        }
    }

    fn judged(found: Vec<Alarm>, missing: &[&str]) -> (Level, String, Vec<String>) {
        let missing = missing.iter().map(|name| (*name).to_owned()).collect();
        let alarms = Alarms {
            found,
            missing,
            cut: false,
        };
        let verdict = judge(&Ok(alarms), Timestamp(7)).unwrap();
        assert_eq!(verdict.as_of, Timestamp(7));
        (verdict.level, verdict.reason, verdict.evidence)
    }

    #[test]
    fn a_ringing_alarm_stops_and_is_named() {
        let alarms = vec![
            alarm("5xx", AlarmState::Ringing, true),
            alarm("cpu", AlarmState::Ok, true),
        ];
        assert_eq!(
            judged(alarms, &["gone"]),
            (Level::Bad, "1 alarm in alarm".to_owned(), vec!["5xx".to_owned()])
        );
    }

    #[test]
    fn nothing_to_look_at_is_not_quiet() {
        assert_eq!(judged(vec![], &[]).0, Level::Unknown);
        let alarms = vec![alarm("cpu", AlarmState::Ok, true)];
        assert_eq!(judged(alarms, &["db-*"]).0, Level::Unknown);
        assert_eq!(
            judged(vec![alarm("cpu", AlarmState::Unknown, true)], &[]).0,
            Level::Unknown
        );
    }

    #[test]
    fn a_mute_alarm_is_worth_knowing() {
        let alarms = vec![alarm("cpu", AlarmState::Ok, false), alarm("db", AlarmState::Ok, true)];
        let (level, reason, evidence) = judged(alarms, &[]);
        assert_eq!((level, evidence), (Level::Notice, vec!["cpu".to_owned()]));
        assert_eq!(reason, "none rings, but 1 has no data or its actions off");
    }

    #[test]
    fn quiet_is_good_and_an_outage_is_tried_again() {
        let alarms = vec![alarm("cpu", AlarmState::Ok, true), alarm("db", AlarmState::Ok, true)];
        assert_eq!(judged(alarms, &[]), (Level::Good, "2 alarms quiet".to_owned(), vec![]));
        let outage = judge(&Err(AwsError::retryable("Throttling", "slow down")), Timestamp(7));
        assert!(outage.is_err());
        let refused = judge(&Err(AwsError::fatal("AccessDenied", "no")), Timestamp(7)).unwrap();
        assert_eq!(refused.level, Level::Unknown);
    }
}
