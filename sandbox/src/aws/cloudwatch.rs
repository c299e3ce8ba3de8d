//! CloudWatch: alarms with a state that is set by hand. The metrics beside them do not move it.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::metrics;
use super::page;
use super::pipeline::{ACCOUNT, REGION};
use super::service::{QueryDialect, Request, Service};
use super::value::timestamp;

/// CloudWatch on the wire: its clients speak three protocols.
pub(crate) const SERVICE: Service = Service {
    target: "GraniteServiceVersion20100801",
    query: Some(QueryDialect {
        version: "2010-08-01",
        namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
        ec2: false,
    }),
    rest: None,
    call,
};

const STATES: Rule = Rule::one_of(&["OK", "ALARM", "INSUFFICIENT_DATA"]);
const ALARM_NAME: Rule = Rule::length(1, 255);

/// A metric alarm.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) updated_ms: i64,
    pub(crate) created_ms: i64,
}

/// The account's alarms by name.
#[derive(Debug, Default)]
pub(crate) struct Alarms(pub(crate) BTreeMap<String, Alarm>);

impl Alarms {
    /// Sets an alarm's state, making the alarm when it is new.
    pub(crate) fn set(&mut self, name: &str, state: &str, reason: &str, now_ms: i64) {
        let new = Alarm {
            state: String::new(),
            reason: String::new(),
            updated_ms: now_ms,
            created_ms: now_ms,
        };
        let alarm = self.0.entry(name.to_owned()).or_insert(new);
        alarm.reason = reason.to_owned();
        if alarm.state != state {
            alarm.state = state.to_owned();
            alarm.updated_ms = now_ms;
        }
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    Some(match request.operation {
        "DescribeAlarms" => describe_alarms(account, args),
        "SetAlarmState" => set_alarm_state(account, args),
        "GetMetricData" => metrics::get_data(account.region(&request.place), args),
        "GetMetricStatistics" => metrics::get_statistics(account.region(&request.place), args),
        _ => return None,
    })
}

/// `DescribeAlarms`: by names or by prefix, by state, in pages.
fn describe_alarms(account: &Account, args: Args<'_>) -> Result<Value, AwsError> {
    let names = args.texts("AlarmNames")?;
    let prefix = args.text("AlarmNamePrefix", &ALARM_NAME)?;
    let state = args.text("StateValue", &STATES)?;
    let types = args.texts("AlarmTypes")?;
    if names.len() > 100 {
        return Err(AwsError::validation(
            "a list",
            "AlarmNames",
            "have length less than or equal to 100",
        ));
    }
    if !names.is_empty() && prefix.is_some() {
        let message = "AlarmNames and AlarmNamePrefix cannot be used together";
        return Err(AwsError::new("InvalidParameterCombination", message));
    }
    let metric = types.is_empty() || types.contains(&"MetricAlarm");
    let fits = |(name, alarm): &(&String, &Alarm)| {
        metric
            && (names.is_empty() || names.contains(&name.as_str()))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
            && state.is_none_or(|state| state == alarm.state)
    };
    let fitting: Vec<_> = account.alarms.0.iter().filter(fits).collect();
    let size = args.number("MaxRecords", 1, 100)?.unwrap_or(50);
    let token = args.text("NextToken", &Rule::length(0, 1024))?;
    let bad_token = || AwsError::new("InvalidNextToken", "The next token is not valid");
    let (fitting, next) = page::forward(&fitting, size, token).ok_or_else(bad_token)?;
    let mut answer = json!({
        "MetricAlarms": fitting.iter().map(|(name, alarm)| render(name, alarm)).collect::<Vec<_>>(),
        "CompositeAlarms": [],
    });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// `SetAlarmState`.
fn set_alarm_state(account: &mut Account, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("AlarmName", &ALARM_NAME)?;
    let state = args.need("StateValue", &STATES)?;
    let reason = args.need("StateReason", &Rule::length(0, 1023))?;
    if !account.alarms.0.contains_key(name) {
        let error = AwsError::new("ResourceNotFoundException", format!("alarm {name} does not exist"));
        return Err(error
            .with_status(StatusCode::NOT_FOUND)
            .with_query_code("ResourceNotFound"));
    }
    account.set_alarm(name, state, reason);
    Ok(json!({}))
}

fn render(name: &str, alarm: &Alarm) -> Value {
    json!({
        "AlarmName": name,
        "AlarmArn": format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"),
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.created_ms),
        "ActionsEnabled": true,
        "OKActions": [],
        "AlarmActions": [format!("arn:aws:sns:{REGION}:{ACCOUNT}:alerts")],
        "InsufficientDataActions": [],
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": timestamp(alarm.updated_ms),
        "StateTransitionedTimestamp": timestamp(alarm.updated_ms),
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "Statistic": "Sum",
        "Dimensions": [],
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 5,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    })
}
