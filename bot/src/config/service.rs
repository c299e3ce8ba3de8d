//! `[service.NAME]`.

use std::collections::BTreeMap;

use commands::catalog::Service;
use commands::ids::{ChannelId, ServiceId, UserId};
use commands::runbook::Runbook;
use commands::verb;

use super::defaults::{Defaults, migrations, strangers, zone};
use super::known::KnownFailures;
use super::section::{Place, Section, Value};
use super::{environment, freezes, hosts, runbook, task};

/// A service and the places of what is judged later.
pub(super) struct Draft<'a> {
    pub(super) environments: Vec<environment::Draft<'a>>,
    service: Option<Service>,
}

impl Draft<'_> {
    /// The service; nothing if there was a complaint without which it cannot be made.
    pub(super) fn finish(self) -> Option<Service> {
        let environments = self.environments.into_iter().map(|draft| draft.environment).collect();
        self.service.map(|service| Service {
            environments,
            ..service
        })
    }
}

/// Reads a service. Nothing when it is not even a table.
pub(super) fn read<'a>(
    (name, value): (&str, Value<'a>),
    defaults: &Defaults,
    (known_checks, programs): (&[&str], &BTreeMap<String, Vec<String>>),
) -> Option<Draft<'a>> {
    let mut section = value.section()?;
    let id = id(name, &section.place);
    let channel = section
        .need("channel", "\"C012ABC\"")
        .and_then(|value| value.name(ChannelId::parse));
    let github = section.take("github").and_then(|value| repository(&value));
    let authors = section
        .take("authors")
        .and_then(Value::section)
        .map(authors)
        .unwrap_or_default();
    let mut unknown_author = defaults.unknown_author;
    strangers(&mut section, &mut unknown_author);
    let mut timezone = defaults.timezone;
    zone(&mut section, &mut timezone);
    let mut patterns = defaults.migrations.clone();
    migrations(&mut section, &mut patterns);
    let hosts = hosts::read(&mut section);
    let shared = environment::Shared {
        aws: &defaults.aws,
        known_checks,
        hosts: &hosts,
        operated: section.has("runbook") || section.has("task"),
    };
    let tables = section.take("environment").and_then(Value::section);
    let environments = tables.map(|tables| environments(&tables, shared)).unwrap_or_default();
    if environments.is_empty() {
        section.place.complain(format!(
            "has no environment: add a table `[{}.environment.NAME]`",
            section.place.key
        ));
    }
    let names: Vec<&str> = environments.iter().map(|draft| draft.environment.id.as_str()).collect();
    let windows = section.tables("freeze").into_iter();
    let windows = windows.filter_map(|window| freezes::read(window, &names)).collect();
    let failures = KnownFailures::read(section.take("known").and_then(Value::section));
    let known = runbook::Known {
        environments: &names,
        hosts: &hosts,
        programs,
        repository: github.is_some(),
        migrations: !patterns.is_empty(),
        failures: &failures,
    };
    let runbooks = runbooks(&mut section, known);
    section.finish();
    let service = id.zip(channel).map(|(id, channel)| Service {
        id,
        channel,
        github,
        authors,
        unknown_author,
        timezone,
        environments: Vec::new(),
        freezes: windows,
        migrations: patterns,
        runbooks,
        hosts,
    });
    Some(Draft { environments, service })
}

/// Reads the runbooks and the tasks.
fn runbooks(section: &mut Section<'_>, known: runbook::Known<'_>) -> Vec<Runbook> {
    let (books, tasks) = (section.take("runbook"), section.take("task"));
    let books = books
        .and_then(Value::section)
        .map(|tables| runbook::read(&tables, known));
    let tasks = tasks.and_then(Value::section).map(|tables| task::read(&tables, known));
    books.into_iter().chain(tasks).flatten().collect()
}

/// The name of a service stands where a verb or `all` could stand, so it may be neither.
fn id(text: &str, place: &Place<'_>) -> Option<ServiceId> {
    let id = place.name(text, ServiceId::parse)?;
    let verbs = verb::specs().map(|spec| spec.name);
    if verbs.chain(["help", "all"]).any(|word| word == text) {
        place.complain(format!(
            "`{text}` is a word of the commands and cannot be told from a service: give it another name"
        ));
        return None;
    }
    Some(id)
}

fn environments<'a>(tables: &Section<'a>, shared: environment::Shared<'_>) -> Vec<environment::Draft<'a>> {
    let mut seen: BTreeMap<String, Place<'a>> = BTreeMap::new();
    let mut drafts = Vec::new();
    for (name, value) in tables.entries() {
        if let Some(first) = seen.get(&name.to_lowercase()) {
            value.place.complain(format!(
                "differs from the name in {} only in upper and lower case: give it another name",
                first.at()
            ));
            continue;
        }
        seen.insert(name.to_lowercase(), value.place.clone());
        drafts.extend(environment::read((name, value), shared));
    }
    drafts
}

fn repository(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let good = text
        .split_once('/')
        .is_some_and(|(owner, name)| plain(owner) && plain(name));
    if !good {
        value.place.complain(format!(
            "`{text}` is not a repository: write `owner/name`, without the address of GitHub"
        ));
    }
    good.then(|| text.to_owned())
}

fn authors(section: Section<'_>) -> BTreeMap<String, UserId> {
    let mut seen: BTreeMap<String, Place<'_>> = BTreeMap::new();
    let mut authors = BTreeMap::new();
    for (email, value) in section.entries() {
        if !email.contains('@') {
            value.place.complain(format!(
                "`{email}` is not an e-mail address: write `\"dev@example.org\" = \"U…\"`"
            ));
        }
        if let Some(first) = seen.insert(email.to_lowercase(), value.place.clone()) {
            value.place.complain(format!(
                "differs from the address in {} only in upper and lower case: delete one",
                first.at()
            ));
        }
        if let Some(user) = value.name(UserId::parse) {
            authors.insert(email.to_owned(), user);
        }
    }
    authors
}
