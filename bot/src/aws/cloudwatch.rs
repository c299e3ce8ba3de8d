//! CloudWatch alarms, as a check reads them.

use std::sync::Arc;

use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use commands::catalog::AwsTarget;
use commands::time::Timestamp;

use super::actor::Actor;
use super::clients::{Clients, Within};
use super::error::AwsError;
use crate::door::Lease;

/// Names asked for in one call.
const NAMES: usize = 100;
/// Pages of one listing; beyond this the list is not whole.
const PAGES: usize = 20;

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
    /// Whether it tells anybody when it rings.
    pub actions_enabled: bool,
    /// Since when it is in its state, if CloudWatch says.
    pub since: Option<Timestamp>,
}

/// An alarm's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmState {
    /// Quiet.
    Ok,
    /// It rings.
    Ringing,
    /// It has too little data to tell.
    NoData,
    /// Something this version does not know.
    Unknown,
}

/// The alarms that were found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alarms {
    /// Each once, by name.
    pub found: Vec<Alarm>,
    /// Names that were asked for and do not exist, and prefixes that fit nothing.
    pub missing: Vec<String>,
    /// Whether there are more than were read.
    pub cut: bool,
}

/// CloudWatch, in every account that config names.
pub struct CloudWatch {
    clients: Arc<Clients>,
}

impl CloudWatch {
    /// CloudWatch through these clients.
    #[must_use]
    pub const fn new(clients: Arc<Clients>) -> Self {
        Self { clients }
    }

    /// Reads alarms: by name, by prefix (`wallet-*`), or all of the account's when nothing is named.
    ///
    /// # Errors
    /// See [`AwsError`]; nothing was changed.
    pub async fn alarms(&self, aws: &AwsTarget, wanted: &[String], lease: Lease) -> Result<Alarms, AwsError> {
        let within = Within {
            target: aws,
            actor: &Actor::Bot,
            lease,
        };
        self.alarms_of(within, wanted).await
    }

    /// The same in somebody's name.
    ///
    /// # Errors
    /// See [`AwsError`]; nothing was changed.
    pub(crate) async fn alarms_of(&self, within: Within<'_>, wanted: &[String]) -> Result<Alarms, AwsError> {
        let (prefixes, names): (Vec<&String>, Vec<&String>) = wanted.iter().partition(|name| name.ends_with('*'));
        let mut alarms = Alarms::default();
        if wanted.is_empty() {
            self.list(within, Some(""), &[], &mut alarms).await?;
        }
        for names in names.chunks(NAMES) {
            self.list(within, None, names, &mut alarms).await?;
        }
        for prefix in &prefixes {
            self.list(within, Some(prefix.trim_end_matches('*')), &[], &mut alarms)
                .await?;
        }
        alarms.found.sort();
        alarms.found.dedup_by(|one, other| one.name == other.name);
        alarms.missing = missing(&alarms.found, wanted);
        Ok(alarms)
    }

    async fn list(
        &self,
        within: Within<'_>,
        prefix: Option<&str>,
        names: &[&String],
        alarms: &mut Alarms,
    ) -> Result<(), AwsError> {
        let client = self.clients.cloudwatch(within).await?;
        let mut token = None;
        for _ in 0..PAGES {
            let mut ask = client
                .describe_alarms()
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm)
                .max_records(100)
                .set_next_token(token);
            if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
                ask = ask.alarm_name_prefix(prefix);
            }
            for name in names {
                ask = ask.alarm_names(name.as_str());
            }
            let page = self.clients.heed(within, ask.send().await.map_err(AwsError::from))?;
            let metric = page.metric_alarms().iter().map(|alarm| Alarm {
                since: alarm.state_transitioned_timestamp().and_then(instant),
                ..one(alarm.alarm_name(), alarm.state_value(), alarm.actions_enabled())
            });
            let composite = page.composite_alarms().iter().map(|alarm| Alarm {
                since: alarm.state_transitioned_timestamp().and_then(instant),
                ..one(alarm.alarm_name(), alarm.state_value(), alarm.actions_enabled())
            });
            alarms.found.extend(metric.chain(composite));
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(());
            }
        }
        alarms.cut = true;
        Ok(())
    }
}

fn one(name: Option<&str>, state: Option<&StateValue>, actions: Option<bool>) -> Alarm {
    Alarm {
        name: name.unwrap_or_default().to_owned(),
        state: match state {
            Some(StateValue::Ok) => AlarmState::Ok,
            Some(StateValue::Alarm) => AlarmState::Ringing,
            Some(StateValue::InsufficientData) => AlarmState::NoData,
            _ => AlarmState::Unknown,
        },
        actions_enabled: actions.unwrap_or(true),
        since: None,
    }
}

fn instant(at: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    at.to_millis().ok().map(Timestamp)
}

fn missing(found: &[Alarm], wanted: &[String]) -> Vec<String> {
    let there = |name: &String| match name.strip_suffix('*') {
        Some(prefix) => found.iter().any(|alarm| alarm.name.starts_with(prefix)),
        None => found.iter().any(|alarm| alarm.name == *name),
    };
    wanted.iter().filter(|name| !there(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_and_is_not_there_is_told() {
        let found = [one(Some("wallet-5xx"), Some(&StateValue::Ok), None)];
        let wanted = ["wallet-*", "wallet-5xx", "wallet-4xx", "db-*"].map(str::to_owned);
        assert_eq!(missing(&found, &wanted), ["wallet-4xx", "db-*"]);
        assert!(found[0].actions_enabled);
    }
}
