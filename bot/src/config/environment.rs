//! `[service.NAME.environment.NAME]`.

use commands::catalog::{Approvers, CheckName, Environment, Pattern, People, Pipeline, Tier};
use commands::check::MAINTENANCE_ASKED;
use commands::ids::EnvironmentId;
use std::collections::BTreeSet;

use super::account::{self, Account};
use super::functions;
use super::maintenance;
use super::people;
use super::section::{Place, Section, Value, closest};

/// An environment and the places of what is judged when all of them are known.
pub(super) struct Draft<'a> {
    pub(super) environment: Environment,
    pub(super) place: Place<'a>,
    pub(super) promotes_from: Option<Place<'a>>,
    pub(super) refs: Option<Place<'a>>,
    pub(super) pipeline: Place<'a>,
    pub(super) functions: Option<Place<'a>>,
}

/// What all environments of a service have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared<'s> {
    /// The account of whoever names none.
    pub(super) aws: &'s Account,
    /// The checks of this version.
    pub(super) known_checks: &'s [&'s str],
    /// The servers that it may speak to.
    pub(super) hosts: &'s BTreeSet<String>,
    /// Whether the service has runbooks: then an environment may do without a pipeline.
    pub(super) operated: bool,
}

/// Reads an environment. What could not be read is replaced by something harmless: with a complaint on file nobody gets to see it. Nothing when it has
/// no name.
pub(super) fn read<'a>((name, value): (&str, Value<'a>), shared: Shared<'_>) -> Option<Draft<'a>> {
    let mut section = value.section()?;
    let place = section.place.clone();
    let id = id(name, &place);
    let tier = section
        .take("tier")
        .and_then(|value| value.one_of(&[("standard", Tier::Standard), ("production", Tier::Production)]));
    let refs = section.take("refs");
    let from = section.take("promotes_from");
    let example = "{ name = \"…\", stage = \"…\", action = \"…\" }";
    let gate = if shared.operated {
        section.take("pipeline")
    } else {
        section.need("pipeline", example)
    };
    let pipeline_place = gate.as_ref().map_or_else(|| place.clone(), |value| value.place.clone());
    let aws_table = section.take("aws");
    let aws_place = aws_table
        .as_ref()
        .map_or_else(|| place.clone(), |value| value.place.clone());
    let aws = aws_table
        .and_then(Value::section)
        .map(account::read)
        .unwrap_or_default();
    let approvers = approvers(&mut section);
    let operators = section.take("operators").and_then(people::people);
    let overriders = section.take("override").and_then(people::people).unwrap_or_default();
    let checks = section
        .take("checks")
        .map(|value| checks(&value, shared.known_checks))
        .unwrap_or_default();
    let alarms = alarms(&mut section, &checks);
    let (functions_place, functions) = section.take("functions").and_then(functions::read).unzip();
    let maintenance = section
        .take("maintenance")
        .and_then(|value| maintenance::read(&value, shared.hosts));
    asked(&checks, maintenance.is_some(), &place);
    let environment = id.map(|id| Environment {
        id,
        tier: tier.unwrap_or_default(),
        refs: refs.as_ref().map(patterns).unwrap_or_default(),
        promotes_from: from.as_ref().and_then(|value| value.name(EnvironmentId::parse)),
        pipeline: gate.and_then(Value::section).map_or_else(|| NO_PIPELINE, pipeline),
        approvers,
        operators,
        overriders,
        aws: aws.or(shared.aws).target(&aws_place),
        checks,
        alarms,
        functions,
        maintenance,
    });
    section.finish();
    Some(Draft {
        environment: environment?,
        place,
        promotes_from: from.map(|value| value.place),
        refs: refs.map(|value| value.place),
        pipeline: pipeline_place,
        functions: functions_place,
    })
}

const NO_PIPELINE: Pipeline = Pipeline {
    name: String::new(),
    stage: String::new(),
    action: String::new(),
};

/// `freeze all` means every environment, so none may be called that.
fn id(text: &str, place: &Place<'_>) -> Option<EnvironmentId> {
    let id = place.name(text, EnvironmentId::parse)?;
    if text == "all" {
        place.complain("`all` means every environment in the commands: give it another name");
        return None;
    }
    Some(id)
}

fn pipeline(mut section: Section<'_>) -> Pipeline {
    let place = section.place.clone();
    let mut part = |key: &'static str| {
        let value = section.take(key);
        if value.is_none() {
            place.complain(format!("`{key}` is missing: an approval stands in a pipeline's stage and action, so write all of `name`, `stage` and `action`"));
        }
        value.and_then(|value| value.text()).unwrap_or_default().to_owned()
    };
    let pipeline = Pipeline {
        name: part("name"),
        stage: part("stage"),
        action: part("action"),
    };
    section.finish();
    pipeline
}

/// An environment without approvers is one that the bot only watches.
fn approvers(section: &mut Section<'_>) -> Approvers {
    let nobody = Approvers {
        people: People::default(),
        required: 1,
        all_of: Vec::new(),
        self_approval: false,
    };
    let Some(value) = section.take("approvers") else {
        section.place.warn(
            "has no `approvers`, so nobody may decide here through the bot: add `approvers = { groups = [\"S…\"] }`",
        );
        return nobody;
    };
    people::approvers(value).unwrap_or(nobody)
}

fn patterns(value: &Value<'_>) -> Vec<Pattern> {
    let texts = value.texts();
    if texts.is_empty() {
        value
            .place
            .complain("is an empty list: name branches or tags, or leave it out where all refs go here");
    }
    for (item, text) in &texts {
        // What git allows in no ref; most of it comes from regular expressions.
        if let Some(odd) = text.chars().find(|c| c.is_whitespace() || "^~:?[\\".contains(*c)) {
            item.place.complain(format!("`{text}` fits no ref because of `{odd}`: write `*` for anything within a part, `**` for anything at all"));
        }
    }
    if !texts.is_empty() && texts.iter().all(|(_, text)| text.starts_with('!')) {
        value
            .place
            .complain("only leaves refs out: say first which go here, such as `\"**\"`");
    }
    texts.into_iter().map(|(_, text)| Pattern(text.to_owned())).collect()
}

fn checks(value: &Value<'_>, known: &[&str]) -> Vec<CheckName> {
    let mut names = Vec::new();
    for (item, text) in value.texts() {
        if known.contains(&text) {
            names.push(CheckName(text.to_owned()));
        } else {
            let guess = closest(text, known.iter().copied())
                .map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
            item.place.complain(format!(
                "`{text}` is no check of this version.{guess} It has: {}",
                known.join(", ")
            ));
        }
    }
    names
}

/// A card can only ask for a maintenance mode that is there.
fn asked(checks: &[CheckName], has_maintenance: bool, place: &Place<'_>) {
    if !has_maintenance && checks.iter().any(|check| check.0 == MAINTENANCE_ASKED) {
        place.complain(
            "has the check `maintenance-asked` and no maintenance mode: add `maintenance = { … }`, or delete the check",
        );
    }
}

fn alarms(section: &mut Section<'_>, checks: &[CheckName]) -> Vec<String> {
    let Some(value) = section.take("alarms") else {
        return Vec::new();
    };
    if !checks.iter().any(|check| check.0 == "alarms-quiet") {
        value
            .place
            .complain("stands without the check that reads it: add `alarms-quiet` to `checks`, or delete this");
    }
    let texts = value.texts();
    if texts.is_empty() {
        value
            .place
            .complain("is an empty list: name alarms, or leave it out where all of the account count");
    }
    for (item, text) in &texts {
        if text.trim_end_matches('*').contains('*') || text.ends_with("**") {
            item.place.complain(format!(
                "`{text}`: a `*` may stand at the end only, for all alarms that begin so"
            ));
        }
    }
    texts.into_iter().map(|(_, text)| text.to_owned()).collect()
}
