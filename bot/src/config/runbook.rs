//! `[service.NAME.runbook.NAME]` and its steps.

use std::collections::{BTreeMap, BTreeSet};

use commands::catalog::People;
use commands::ids::{EnvironmentId, RunbookName, StepName};
use commands::runbook::{
    Asks, Condition, DEADLINE, Expected, Moves, NeedsSnapshot, OnFailure, Parameter, Runbook, Step, StepSpec,
    placeholders,
};
use commands::step::{Action, Conduct, SPECS, Unknown};
use commands::time::Span;
use serde::Deserialize;

use super::freezes::no_environment;
use super::known::KnownFailures;
use super::people::people;
use super::section::{Place, Section, Value, closest};
use super::sequence::{Draft, judge};
use super::step_keys::{guess, is_about};
use super::{account, hosts, kept, plain};

/// How long a person has to answer when the runbook does not say.
pub(super) const PATIENCE: Span = Span::days(7);

/// What steps may name.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    /// The service's environments.
    pub(super) environments: &'k [&'k str],
    /// The servers that they may speak to.
    pub(super) hosts: &'k BTreeSet<String>,
    /// The programs that they may run beside the bot.
    pub(super) programs: &'k BTreeMap<String, Vec<String>>,
    /// Whether the service has a repository on GitHub.
    pub(super) repository: bool,
    /// Whether it says which files are migrations.
    pub(super) migrations: bool,
    /// The failures that they may name.
    pub(super) failures: &'k KnownFailures,
}

/// What runbooks and tasks have alike.
pub(super) struct Head {
    pub(super) title: String,
    pub(super) environments: Vec<EnvironmentId>,
    pub(super) starters: Option<People>,
    pub(super) parameters: Vec<Parameter>,
}

impl Head {
    /// Takes it from the table of either.
    pub(super) fn read(section: &mut Section<'_>, known: Known<'_>) -> Self {
        let title = section.take("title").and_then(|value| value.text());
        let environments = section.take("environments");
        let parameters = section.take("parameter").and_then(Value::section);
        Self {
            title: title.unwrap_or_default().to_owned(),
            environments: environments
                .map(|value| self::environments(&value, known.environments))
                .unwrap_or_default(),
            starters: section.take("starters").and_then(people),
            parameters: parameters
                .map(|tables| tables.entries().filter_map(parameter).collect())
                .unwrap_or_default(),
        }
    }
}

/// Reads the runbooks of a service. One that cannot be made is left out; there is a complaint by then.
pub(super) fn read(tables: &Section<'_>, known: Known<'_>) -> Vec<Runbook> {
    let mut runbooks: Vec<Runbook> = Vec::new();
    for (name, value) in tables.entries() {
        let place = value.place.clone();
        let Some(runbook) = one(name, value, known) else {
            continue;
        };
        kept::judge(&runbook, &runbooks, (&place, known.environments));
        runbooks.push(runbook);
    }
    runbooks
}

fn one(name: &str, value: Value<'_>, known: Known<'_>) -> Option<Runbook> {
    let text = toml::to_string(&plain::value(value.raw())).unwrap_or_default();
    let mut section = value.section()?;
    let place = section.place.clone();
    let name = place.name(name, RunbookName::parse);
    if name.as_ref().is_some_and(RunbookName::is_task) {
        place.complain("is the name of a task: write it as a table `[service.NAME.task.NAME]`");
    }
    let head = Head::read(&mut section, known);
    let command = section.take("command").and_then(|value| kept::command(&value));
    let words = [("stop", OnFailure::Stop), ("undo", OnFailure::Undo)];
    let on_failure = section
        .take("on_failure")
        .and_then(|value| value.one_of(&words))
        .unwrap_or_default();
    let mut unread: Vec<&str> = Vec::new();
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for table in section.tables("step") {
        let called = table.entries().find(|(key, _)| *key == "name");
        match step(table, known, None) {
            Some(draft) => drafts.push(draft),
            None => unread.extend(called.and_then(|(_, value)| value.raw().as_str())),
        }
    }
    if drafts.is_empty() && unread.is_empty() {
        place.complain(format!("has no step: add a table `[[{}.step]]`", place.key));
    }
    section.finish();
    judge(&drafts, &head.parameters, &unread);
    Some(Runbook {
        name: name?,
        title: head.title,
        command,
        starters: head.starters,
        text,
        environments: head.environments,
        parameters: head.parameters,
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

/// Reads a step; with a name that it has from elsewhere, it says none.
pub(super) fn step<'a>(mut section: Section<'a>, known: Known<'_>, named: Option<StepName>) -> Option<Draft<'a>> {
    let place = section.place.clone();
    let own = || section.need("name", "\"…\"")?.name(StepName::parse);
    let name = named.or_else(own);
    let title = section.take("title").and_then(|value| value.text()).map(str::to_owned);
    let region = section.take("region").and_then(|value| account::region(&value));
    let group = section.take("group").and_then(|value| value.text()).map(str::to_owned);
    let asks_in = section
        .take("ask")
        .map(|value| asks(&value, known.environments))
        .unwrap_or_default();
    let when = section.take("when").and_then(|value| condition(&value));
    let expect = expected(&mut section, known);
    let deadline = section.take("deadline").and_then(|value| span(&value));
    let usual = section.take("usual").and_then(|value| span(&value));
    let retries = section
        .take("retries")
        .and_then(|value| value.count())
        .unwrap_or_default();
    let (keep, remedy) = (is_set(&mut section, "keep"), is_set(&mut section, "remedy"));
    let only_looks = is_set(&mut section, "only_looks");
    let needs_snapshot = section
        .take("needs_snapshot")
        .and_then(|value| whole::<NeedsSnapshot>(&value));
    let moves = section.take("moves").and_then(|value| whole::<Moves>(&value));
    let action = action(section, known)?;
    let asks = asks_in != Asks::Never || action.typed().is_some();
    let patient = asks || !matches!(action.conduct(), Conduct::Calls(_));
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
        only_looks,
        remedy,
        needs_snapshot,
        moves,
    };
    unwatched(&step, &place);
    Some(Draft {
        spec: StepSpec { step, asks_in },
        place,
    })
}

/// Reads the failures that a step expects: its own, which are more specific, then those that it names.
fn expected(section: &mut Section<'_>, known: Known<'_>) -> Vec<Expected> {
    let own = section.take("expect").and_then(|value| value.list());
    let own = own.unwrap_or_default();
    let named = section.take("known").map(|value| known.failures.expected(value));
    let own = own.iter().filter_map(whole::<Expected>);
    own.chain(named.unwrap_or_default()).collect()
}

/// Whether a key that is true or left out is true.
fn is_set(section: &mut Section<'_>, name: &'static str) -> bool {
    let value = section.take(name).and_then(|value| value.boolean());
    value.unwrap_or_default()
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
    let action = match Action::deserialize(toml::Value::Table(table.clone())) {
        Ok(action) => action,
        Err(error) => {
            let words = error.message().to_owned();
            let at = rest.iter().find(|(name, _)| is_about(name, &words, &table));
            at.map_or(&place, |(_, value)| &value.place).complain(format!(
                "this is no step of kind `{word}`: {words}{}",
                guess(&words, &rest)
            ));
            return None;
        }
    };
    if let Err(why) = action.check() {
        place.complain(why);
    }
    unlisted(&action, known, &place);
    Some(action)
}

/// A step speaks to listed servers, runs allowed programs and compares with known code only; a name that is put together at run time is looked at then.
fn unlisted(action: &Action, known: Known<'_>, place: &Place<'_>) {
    for address in action.addresses() {
        let Ok(url) = address.parse::<url::Url>() else { continue };
        hosts::judge(&url, known.hosts, place);
    }
    if let Action::Codebuild(build) = action
        && let Some(branch) = build.head.as_ref().filter(|_| !known.repository)
    {
        place.complain(format!(
            "has to build the newest commit of {branch}, but the service does not say where that is: add `github = \"owner/repository\"` to it"
        ));
    }
    if let Action::Schema(schema) = action
        && schema.unknown == Unknown::Refuse
    {
        if !known.repository {
            place.complain(
                "compares versions on GitHub, but the service names no repository: add `github = \"owner/name\"` to it",
            );
        }
        if !known.migrations {
            place.complain(
                "looks for migrations, but the service does not say which files they are: add `migrations = [\"db/migrations/**\"]` to it",
            );
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

/// Reads `true`, `false`, or a list of environments.
pub(super) fn asks(value: &Value<'_>, known: &[&str]) -> Asks {
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

/// Reads what has to hold for a step to be done.
fn condition(value: &Value<'_>) -> Option<Condition> {
    let condition = whole::<Condition>(value)?;
    if let Err(why) = condition.check() {
        value.place.complain(why);
    }
    Some(condition)
}

/// Reads a small table whole.
fn whole<'de, T: Deserialize<'de>>(value: &Value<'_>) -> Option<T> {
    T::deserialize(plain::value(value.raw()))
        .map_err(|error| value.place.complain(error.message().to_owned()))
        .ok()
}
