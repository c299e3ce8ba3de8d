//! `[service.NAME.runbook.NAME]` and its steps.

use std::collections::{BTreeMap, BTreeSet};

use commands::effect::Class;
use commands::ids::{EnvironmentId, RunbookName, StepName};
use commands::runbook::{
    Asks, Condition, DEADLINE, Expected, OnFailure, Parameter, Runbook, Step, StepSpec, Then, placeholders,
};
use commands::step::{Action, Conduct, SPECS};
use commands::time::Span;
use serde::Deserialize;

use super::freezes::no_environment;
use super::plain;
use super::section::{Place, Section, Value, closest};

/// How long a person has to answer when the runbook does not say.
const PATIENCE: Span = Span::days(7);

/// What steps may name.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    /// The service's environments.
    pub(super) environments: &'k [&'k str],
    /// The servers that they may speak to.
    pub(super) hosts: &'k BTreeSet<String>,
    /// The programs that they may run beside the bot.
    pub(super) programs: &'k BTreeMap<String, Vec<String>>,
}

/// Reads the runbooks of a service. One that cannot be made is left out; there is a complaint by then.
pub(super) fn read(tables: &Section<'_>, known: Known<'_>) -> Vec<Runbook> {
    tables
        .entries()
        .filter_map(|(name, value)| one(name, value, known))
        .collect()
}

fn one(name: &str, value: Value<'_>, known: Known<'_>) -> Option<Runbook> {
    let text = toml::to_string(&plain::value(value.raw())).unwrap_or_default();
    let mut section = value.section()?;
    let place = section.place.clone();
    let name = place.name(name, RunbookName::parse);
    let title = section
        .take("title")
        .and_then(|value| value.text())
        .unwrap_or_default()
        .to_owned();
    let environments = section
        .take("environments")
        .map(|value| environments(&value, known.environments))
        .unwrap_or_default();
    let parameters: Vec<Parameter> = section
        .take("parameter")
        .and_then(Value::section)
        .map(|tables| tables.entries().filter_map(parameter).collect())
        .unwrap_or_default();
    let words = [("stop", OnFailure::Stop), ("undo", OnFailure::Undo)];
    let on_failure = section
        .take("on_failure")
        .and_then(|value| value.one_of(&words))
        .unwrap_or_default();
    let drafts: Vec<Draft<'_>> = section
        .tables("step")
        .into_iter()
        .filter_map(|table| step(table, known))
        .collect();
    if drafts.is_empty() {
        place.complain(format!("has no step: add a table `[[{}.step]]`", place.key));
    }
    section.finish();
    judge(&drafts, &parameters);
    Some(Runbook {
        name: name?,
        title,
        text,
        environments,
        parameters,
        on_failure,
        steps: drafts.into_iter().map(|draft| draft.spec).collect(),
    })
}

fn environments(value: &Value<'_>, known: &[&str]) -> Vec<EnvironmentId> {
    let mut found = Vec::new();
    for (item, text) in value.texts() {
        if known.contains(&text) {
            found.extend(item.place.name(text, EnvironmentId::parse));
        } else {
            item.place.complain(no_environment(text, known));
        }
    }
    found
}

fn parameter((name, value): (&str, Value<'_>)) -> Option<Parameter> {
    let mut section = value.section()?;
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    {
        section
            .place
            .complain(format!("`{name}` cannot be typed: write letters, digits, dashes"));
    }
    let summary = section
        .take("summary")
        .and_then(|value| value.text())
        .unwrap_or_default()
        .to_owned();
    let choices: Vec<String> = section
        .take("choices")
        .map(|value| value.texts().into_iter().map(|(_, text)| text.to_owned()).collect())
        .unwrap_or_default();
    let default = section.take("default").and_then(|value| {
        let text = value.text()?;
        if !choices.is_empty() && !choices.iter().any(|choice| choice == text) {
            value
                .place
                .complain(format!("`{text}` is none of the choices: {}", choices.join(", ")));
        }
        Some(text.to_owned())
    });
    section.finish();
    Some(Parameter {
        name: name.to_owned(),
        summary,
        default,
        choices,
    })
}

/// A step and the place of what is judged when all of them are known.
struct Draft<'a> {
    spec: StepSpec,
    place: Place<'a>,
}

fn step<'a>(mut section: Section<'a>, known: Known<'_>) -> Option<Draft<'a>> {
    let place = section.place.clone();
    let name = section
        .need("name", "\"…\"")
        .and_then(|value| value.name(StepName::parse));
    let title = section.take("title").and_then(|value| value.text()).map(str::to_owned);
    let region = section.take("region").and_then(|value| value.text()).map(str::to_owned);
    let group = section.take("group").and_then(|value| value.text()).map(str::to_owned);
    let asks_in = section
        .take("ask")
        .map(|value| asks(&value, known.environments))
        .unwrap_or_default();
    let when = section.take("when").and_then(|value| whole::<Condition>(&value));
    let expect = section
        .take("expect")
        .and_then(|value| value.list())
        .unwrap_or_default();
    let expect = expect.iter().filter_map(whole::<Expected>).collect();
    let deadline = section.take("deadline").and_then(|value| span(&value));
    let usual = section.take("usual").and_then(|value| span(&value));
    let retries = section
        .take("retries")
        .and_then(|value| value.count())
        .unwrap_or_default();
    let keep = section
        .take("keep")
        .and_then(|value| value.boolean())
        .unwrap_or_default();
    let remedy = section
        .take("remedy")
        .and_then(|value| value.boolean())
        .unwrap_or_default();
    let action = action(section, known)?;
    let patient = !matches!(action.conduct(), Conduct::Calls(_)) || asks_in != Asks::Never;
    let name = name?;
    let step = Step {
        title: title.unwrap_or_else(|| name.to_string()),
        name,
        action,
        region,
        group,
        asks: false,
        when,
        deadline: deadline.unwrap_or(if patient { PATIENCE } else { DEADLINE }),
        usual,
        retries: u32::try_from(retries).unwrap_or(u32::MAX),
        expect,
        keep,
        remedy,
    };
    unwatched(&step, &place);
    Some(Draft {
        spec: StepSpec { step, asks_in },
        place,
    })
}

/// A command that outlives its step would end unseen.
fn unwatched(step: &Step, place: &Place<'_>) {
    if let Action::Command(command) = &step.action
        && command.limit > step.deadline
    {
        place.complain(format!(
            "runs for at most {}, but its deadline is {}: after that nobody would look at it; write a longer `deadline`",
            command.limit, step.deadline
        ));
    }
}

/// Reads `kind` and the keys that belong to it.
fn action(mut section: Section<'_>, known: Known<'_>) -> Option<Action> {
    let place = section.place.clone();
    let kinds: Vec<&str> = SPECS.iter().map(|spec| spec.kind).collect();
    let kind = section.need("kind", "\"wait\"")?;
    let word = kind.text()?;
    if !kinds.contains(&word) {
        let guess =
            closest(word, kinds.iter().copied()).map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
        kind.place.complain(format!(
            "`{word}` is no kind of step.{guess} There are: {}",
            kinds.join(", ")
        ));
        return None;
    }
    let mut table = toml::Table::from_iter([("kind".to_owned(), toml::Value::String(word.to_owned()))]);
    let rest = section.rest();
    table.extend(
        rest.iter()
            .map(|(name, value)| ((*name).to_owned(), plain::value(value.raw()))),
    );
    let action = match Action::deserialize(toml::Value::Table(table)) {
        Ok(action) => action,
        Err(error) => {
            let words = error.message().to_owned();
            // A complaint about a key stands at its line.
            let at = rest.iter().find(|(name, _)| words.contains(&format!("`{name}`")));
            at.map_or(&place, |(_, value)| &value.place)
                .complain(format!("this is no step of kind `{word}`: {words}"));
            return None;
        }
    };
    if let Err(why) = action.check() {
        place.complain(why);
    }
    unlisted(&action, known, &place);
    Some(action)
}

/// A step speaks to listed servers and runs allowed programs only; a name that is put together at run time is looked at then.
fn unlisted(action: &Action, known: Known<'_>, place: &Place<'_>) {
    for address in action.addresses() {
        let Ok(url) = address.parse::<url::Url>() else { continue };
        let host = crate::door::origin_name(&url);
        if placeholders(&host).is_empty() && !host.contains('{') && !known.hosts.contains(&host) {
            place.complain(format!(
                "speaks to {host}, which the service does not list: add it to `hosts` of the service"
            ));
        }
    }
    if let Action::Command(command) = action
        && let Some(name) = command.local.as_ref().filter(|name| placeholders(name).is_empty())
        && !known.programs.contains_key(name)
    {
        place.complain(format!(
            "runs a program `{name}`, which is not allowed: add it under `[commands]`, as `allow = {{ {name} = [\"/path\", \"…\"] }}`"
        ));
    }
}

fn asks(value: &Value<'_>, known: &[&str]) -> Asks {
    match value.raw() {
        toml::de::DeValue::Boolean(true) => Asks::Everywhere,
        toml::de::DeValue::Boolean(false) => Asks::Never,
        _ => Asks::In(environments(value, known)),
    }
}

fn span(value: &Value<'_>) -> Option<Span> {
    let text = value.text()?;
    let span = Span::parse(text);
    if span.is_none() {
        value.place.complain(format!(
            "`{text}` is no span of time: write `30s`, `10m`, `2h` or `1h30m`"
        ));
    }
    span
}

/// Reads a small table whole.
fn whole<'de, T: Deserialize<'de>>(value: &Value<'_>) -> Option<T> {
    T::deserialize(plain::value(value.raw()))
        .map_err(|error| value.place.complain(error.message().to_owned()))
        .ok()
}

/// What only shows when all steps are seen side by side.
fn judge(drafts: &[Draft<'_>], parameters: &[Parameter]) {
    let mut before: Vec<&Step> = Vec::new();
    for draft in drafts {
        let (step, place) = (&draft.spec.step, &draft.place);
        if before.iter().any(|earlier| earlier.name == step.name) {
            place.complain(format!(
                "a step `{}` stands above already: give every step a name of its own",
                step.name
            ));
        }
        if let Some(group) = &step.group {
            let apart = before
                .iter()
                .rev()
                .skip_while(|earlier| earlier.group.as_ref() == Some(group));
            if apart.clone().any(|earlier| earlier.group.as_ref() == Some(group)) {
                place.complain(format!(
                    "the steps of group `{group}` do not stand together: put them next to each other"
                ));
            }
        }
        let once = matches!(step.action.conduct(), Conduct::Calls(calls) if calls.act == Some(Class::Once));
        if once && step.retries > 0 {
            place.complain("may be done only once, so it cannot be tried again by itself: delete `retries`");
        }
        remedies(step, drafts, place);
        texts(step, &before, parameters, place);
        before.push(step);
    }
}

fn remedies(step: &Step, drafts: &[Draft<'_>], place: &Place<'_>) {
    for expected in &step.expect {
        if expected.words.is_empty() {
            place.complain(format!("`{}` would fit every failure: give it `words`", expected.name));
        }
        if let Then::Remedy(name) = &expected.then
            && !drafts
                .iter()
                .any(|other| other.spec.step.name == *name && other.spec.step.remedy)
        {
            place.complain(format!(
                "`{name}` is no remedy: add a step of that name with `remedy = true`"
            ));
        }
    }
}

/// Every placeholder stands for something that is known by then.
fn texts(step: &Step, before: &[&Step], parameters: &[Parameter], place: &Place<'_>) {
    let mut all = step.action.texts();
    all.push(step.title.clone());
    if let Some(when) = &step.when {
        all.push(when.value.clone());
        all.extend(when.is.clone());
        all.extend(when.is_not.clone());
    }
    for name in all.iter().flat_map(|text| placeholders(text)) {
        let known = match name.split_once('.') {
            // What was there before is known to the undo of a call only.
            None if name == "was" => matches!(step.action, Action::ApiCall(_)),
            None => name == "environment" || name == "service",
            Some(("parameter", rest)) => parameters.iter().any(|parameter| parameter.name == rest),
            Some(("step", rest)) => {
                let earlier = rest.split_once('.').map(|(step, _)| step);
                step.remedy || before.iter().any(|step| Some(step.name.as_str()) == earlier)
            }
            Some(_) => false,
        };
        if !known {
            place.complain(format!(
                "`{{{name}}}` stands for nothing here: there are {{environment}}, {{service}}, {{parameter.NAME}} and {{step.NAME.OUTPUT}} of an earlier step"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use commands::step::Action;

    /// A key of every step would be taken before a kind sees it.
    #[test]
    fn no_kind_has_a_key_of_every_step() {
        let common = [
            "name", "title", "region", "group", "ask", "when", "expect", "deadline", "usual", "retries", "keep",
            "remedy",
        ];
        for sample in Action::samples() {
            let value = serde_json::to_value(&sample).unwrap();
            let taken = value
                .as_object()
                .unwrap()
                .keys()
                .find(|key| common.contains(&key.as_str()));
            assert_eq!(taken, None, "{}", sample.spec().kind);
        }
    }
}
