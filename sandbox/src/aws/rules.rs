//! EventBridge's rules: on or off. Nothing is sent by them; CodePipeline's events go to their queue whatever rules there are.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, Rule as Length};
use super::error::AwsError;
use super::page;
use super::region::Region;
use super::service::{Request, Service};
use super::value::structure;

/// EventBridge on the wire.
pub(crate) const SERVICE: Service = Service::json("AWSEvents", call);

const NAME: Length = Length::length(1, 64);
const ANY: Length = Length::length(0, usize::MAX);

/// A rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    schedule: Option<String>,
    pattern: Option<String>,
    description: String,
    /// `ENABLED`, `DISABLED`, or the one that also hears CloudTrail's reads.
    state: String,
    /// The service whose rule it is, which is the only one that may change it.
    managed_by: Option<String>,
}

/// The rules of a region's default bus by name.
#[derive(Debug, Default)]
pub(crate) struct Rules(BTreeMap<String, Rule>);

impl Rules {
    /// The rules as the page shows them.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let rules = self.0.iter();
        rules
            .map(|(name, rule)| json!({"name": name, "state": rule.state, "schedule": rule.schedule}))
            .collect()
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let region = account.region(&request.place);
    Some(match request.operation {
        "DescribeRule" => describe(region, args),
        "EnableRule" => switch(region, args, "ENABLED"),
        "DisableRule" => switch(region, args, "DISABLED"),
        "ListRules" => list(region, args),
        _ => return None,
    })
}

fn bus(args: Args<'_>) -> Result<(), AwsError> {
    let name = args
        .text("EventBusName", &Length::length(1, 1600))?
        .unwrap_or("default");
    if name == "default" || name.ends_with("event-bus/default") {
        return Ok(());
    }
    let message = format!("Event bus {name} does not exist.");
    Err(AwsError::new("ResourceNotFoundException", message))
}

fn missing(name: &str) -> AwsError {
    let message = format!("Rule {name} does not exist on EventBus default.");
    AwsError::new("ResourceNotFoundException", message)
}

fn describe(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    bus(args)?;
    let name = args.need("Name", &NAME)?;
    let rule = region.rules.0.get(name).ok_or_else(|| missing(name))?;
    Ok(render(region, name, rule))
}

fn list(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    bus(args)?;
    let prefix = args.text("NamePrefix", &NAME)?.unwrap_or_default();
    let rules: Vec<(&String, &Rule)> = region
        .rules
        .0
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .collect();
    let size = args.number("Limit", 1, 100)?.unwrap_or(100);
    let bad_token = || AwsError::new("ValidationException", "The next token is not valid.");
    let page = page::forward(&rules, size, args.text("NextToken", &ANY)?);
    let (rules, next) = page.ok_or_else(bad_token)?;
    let shown = rules.into_iter().map(|(name, rule)| render(region, name, rule));
    Ok(structure([
        ("Rules", Some(shown.collect())),
        ("NextToken", next.map(Value::from)),
    ]))
}

/// Enabling what is enabled is no error.
fn switch(region: &mut Region, args: Args<'_>, state: &str) -> Result<Value, AwsError> {
    bus(args)?;
    let name = args.need("Name", &NAME)?;
    let rule = region.rules.0.get_mut(name).ok_or_else(|| missing(name))?;
    if let Some(service) = &rule.managed_by {
        let message = format!("Rule {name} is managed by {service}: it cannot be changed by others.");
        return Err(AwsError::new("ManagedRuleException", message));
    }
    state.clone_into(&mut rule.state);
    Ok(json!({}))
}

fn render(region: &Region, name: &str, rule: &Rule) -> Value {
    structure([
        ("Name", Some(json!(name))),
        ("Arn", Some(json!(region.place.arn("events", &format!("rule/{name}"))))),
        ("EventPattern", rule.pattern.as_ref().map(|pattern| json!(pattern))),
        (
            "ScheduleExpression",
            rule.schedule.as_ref().map(|schedule| json!(schedule)),
        ),
        ("State", Some(json!(rule.state))),
        ("Description", Some(json!(rule.description))),
        ("ManagedBy", rule.managed_by.as_ref().map(|service| json!(service))),
        ("EventBusName", Some(json!("default"))),
    ])
}

/// A rule that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSeed {
    name: String,
    #[serde(default)]
    schedule: Option<String>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default = "enabled")]
    state: String,
    #[serde(default)]
    managed_by: Option<String>,
}

fn enabled() -> String {
    "ENABLED".to_owned()
}

impl Region {
    /// Adds a rule, or replaces the one of the same name.
    pub(crate) fn plant_rule(&mut self, seed: &RuleSeed) {
        let rule = Rule {
            schedule: seed.schedule.clone(),
            pattern: seed.pattern.clone(),
            description: seed.description.clone(),
            state: seed.state.clone(),
            managed_by: seed.managed_by.clone(),
        };
        self.rules.0.insert(seed.name.clone(), rule);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    #[test]
    fn a_rule_is_switched_as_often_as_one_likes_unless_it_is_somebody_elses() {
        let mut region = Region::new(Place::home(), 0);
        for seed in [
            json!({"name": "cron", "schedule": "rate(1 minute)"}),
            json!({"name": "own", "managed_by": "codepipeline.amazonaws.com"}),
        ] {
            region.plant_rule(&serde_json::from_value(seed).unwrap());
        }
        let args = json!({"Name": "cron"});
        for state in ["DISABLED", "DISABLED", "ENABLED"] {
            switch(&mut region, Args(&args), state).unwrap();
            assert_eq!(describe(&mut region, Args(&args)).unwrap()["State"], state);
        }
        let refused = |region: &mut Region, name: &str| {
            switch(region, Args(&json!({ "Name": name })), "DISABLED")
                .unwrap_err()
                .code
        };
        assert_eq!(refused(&mut region, "own"), "ManagedRuleException");
        assert_eq!(refused(&mut region, "none"), "ResourceNotFoundException");
    }
}
