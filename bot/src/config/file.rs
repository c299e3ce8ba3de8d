//! The files: found, parsed, and put together into one configuration.

use std::collections::BTreeMap;
use std::path::Path;

use commands::catalog::Catalog;
use toml::Spanned;
use toml::de::DeTable;

use super::account::{self, Account};
use super::defaults::Defaults;
use super::problem::{ConfigErrors, Problem, Report};
use super::section::{Place, Section, Source, Value};
use super::{Loaded, Settings, cross, service};
use crate::aws::events::Queue;

/// Reads `signalbox.toml`, or all `*.toml` of a folder in the order of their names. `known_checks` are the checks of this version.
///
/// # Errors
/// Everything that is wrong, with lines and remedies. Where a file is no TOML at all, only that: the rest could not be judged.
pub fn load(path: &Path, known_checks: &[&str]) -> Result<Loaded, ConfigErrors> {
    read(&find(path)?, known_checks)
}

/// The files, each with its text.
fn find(path: &Path) -> Result<Vec<Source>, ConfigErrors> {
    let name = path.display().to_string();
    let fail = |what: String| about(&name, what);
    let about_it = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => fail(
            "there is no such file or folder: copy docs/example.toml there, or say in SIGNALBOX_CONFIG where it is"
                .to_owned(),
        ),
        _ => fail(format!("cannot be read: {error}")),
    };
    let mut paths = vec![path.to_path_buf()];
    if std::fs::metadata(path).map_err(about_it)?.is_dir() {
        let entries = std::fs::read_dir(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(about_it)?;
        paths = entries
            .iter()
            .map(std::fs::DirEntry::path)
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect();
        paths.sort();
        if paths.is_empty() {
            return Err(fail(
                "the folder holds no `*.toml`: copy docs/example.toml there".to_owned(),
            ));
        }
    }
    paths
        .iter()
        .enumerate()
        .map(|(order, path)| source(order, path))
        .collect()
}

fn source(order: usize, path: &Path) -> Result<Source, ConfigErrors> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Source { name, text, order }),
        Err(error) => Err(about(&name, format!("cannot be read: {error}"))),
    }
}

/// A complaint about a file as a whole.
fn about(file: &str, what: String) -> ConfigErrors {
    ConfigErrors(vec![Problem {
        order: 0,
        line: 0,
        file: file.to_owned(),
        key: String::new(),
        what,
    }])
}

/// Puts the files together.
pub(super) fn read(sources: &[Source], known_checks: &[&str]) -> Result<Loaded, ConfigErrors> {
    let tables = parse(sources)?;
    let report = Report::default();
    let places = sources.iter().map(|source| Place {
        source,
        report: &report,
        key: String::new(),
        line: 0,
    });
    let mut top = Top::default();
    for (place, table) in places.clone().zip(&tables) {
        top.add(Section::new(place, table.get_ref()));
    }
    let defaults = Defaults::read(top.defaults);
    let settings = Settings {
        command_line: defaults.command_line,
        events: queues(top.events, &defaults),
        topics: topics(top.topics),
        programs: top.commands.map(programs).unwrap_or_default(),
        accept_unsafe_store: top.store.is_some_and(accepts_unsafe_store),
    };
    if let (Some(place), true) = (places.into_iter().next(), top.services.is_empty()) {
        place.complain("no service is configured: add a table `[service.NAME]`");
    }
    let drafts = top
        .services
        .into_iter()
        .filter_map(|service| service::read(service, &defaults, (known_checks, &settings.programs)))
        .collect::<Vec<_>>();
    cross::judge(&drafts);
    let services = drafts
        .into_iter()
        .filter_map(service::Draft::finish)
        .map(|service| (service.id.clone(), service))
        .collect();
    let warnings = report.close()?;
    let text: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
    let catalog = Catalog {
        teams: defaults.teams,
        services,
        digest: commands::digest::short(text.join("\0").as_bytes()),
    };
    Ok(Loaded {
        catalog,
        settings,
        warnings,
    })
}

fn parse(sources: &[Source]) -> Result<Vec<Spanned<DeTable<'_>>>, ConfigErrors> {
    let report = Report::default();
    let mut tables = Vec::new();
    for source in sources {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            let line = source.line(error.span().map_or(0, |span| span.start));
            let place = Place {
                source,
                report: &report,
                key: String::new(),
                line,
            };
            let text = source.text.lines().nth(line - 1).unwrap_or_default().trim();
            let what = match error.message() {
                "duplicate key" => "is there already: write every table and every key once",
                other => other,
            };
            place.complain(format!("this is not TOML: `{text}`: {what}"));
        }
        tables.push(table);
    }
    report.close().map(|_| tables)
}

/// The top tables of all files.
#[derive(Default)]
struct Top<'a> {
    defaults: Option<Section<'a>>,
    store: Option<Section<'a>>,
    commands: Option<Section<'a>>,
    events: Vec<Section<'a>>,
    topics: Vec<Section<'a>>,
    services: Vec<(&'a str, Value<'a>)>,
}

impl<'a> Top<'a> {
    fn add(&mut self, mut file: Section<'a>) {
        once(&mut self.defaults, file.take("defaults"));
        once(&mut self.store, file.take("store"));
        once(&mut self.commands, file.take("commands"));
        if let Some(mut aws) = file.take("aws").and_then(Value::section) {
            self.events.extend(aws.tables("events"));
            self.topics.extend(aws.tables("topics"));
            aws.finish();
        }
        let services = file.take("service").and_then(Value::section);
        for (name, value) in services.iter().flat_map(Section::entries) {
            match self.services.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => twice(&value.place, &first.place),
                None => self.services.push((name, value)),
            }
        }
        file.finish();
    }
}

/// A table that stands in one file only.
fn once<'a>(slot: &mut Option<Section<'a>>, found: Option<Value<'a>>) {
    let Some(section) = found.and_then(Value::section) else {
        return;
    };
    match slot {
        Some(first) => twice(&section.place, &first.place),
        None => *slot = Some(section),
    }
}

fn twice(second: &Place<'_>, first: &Place<'_>) {
    second.complain(format!("stands in {} already: keep all of it in one file", first.at()));
}

fn accepts_unsafe_store(mut section: Section<'_>) -> bool {
    let accepted = section
        .take("accept_unsafe_durability")
        .and_then(|value| value.boolean());
    section.finish();
    accepted.unwrap_or_default()
}

/// Reads `[commands]`: the programs that steps may run beside the bot.
fn programs(mut section: Section<'_>) -> BTreeMap<String, Vec<String>> {
    let mut programs = BTreeMap::new();
    let allowed = section.take("allow").and_then(Value::section);
    for (name, value) in allowed.iter().flat_map(Section::entries) {
        let argv: Vec<String> = value.texts().into_iter().map(|(_, text)| text.to_owned()).collect();
        match argv.first() {
            Some(path) if path.starts_with('/') => drop(programs.insert(name.to_owned(), argv)),
            _ => value.place.complain(
                "is no program: write its whole path and its arguments, such as `[\"/usr/bin/make\", \"migrate\"]`; there is no shell",
            ),
        }
    }
    section.finish();
    programs
}

fn topics(sections: Vec<Section<'_>>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for mut section in sections {
        let place = section.place.clone();
        let value = section.need("arn", "\"arn:aws:sns:eu-central-1:111122223333:signalbox\"");
        section.finish();
        let Some(arn) = value.as_ref().and_then(account::topic) else {
            continue;
        };
        if found.contains(&arn) {
            place.complain(format!("names the topic {arn} again: delete one"));
        }
        found.push(arn);
    }
    found
}

fn queues(sections: Vec<Section<'_>>, defaults: &Defaults) -> Vec<Queue> {
    let mut found: Vec<(Place<'_>, Queue)> = Vec::new();
    for mut section in sections {
        let place = section.place.clone();
        let address = section.need(
            "url",
            "\"https://sqs.eu-central-1.amazonaws.com/111122223333/signalbox\"",
        );
        let url = address.as_ref().and_then(account::address).unwrap_or_default();
        // The role of the services is not taken over: the queue is the bot's own and often stands in another account.
        let region = defaults.aws.region.clone();
        let aws = account::read(section)
            .or(&Account { region, role: None })
            .target(&place);
        match found.iter().find(|(_, queue)| queue.url == url && !url.is_empty()) {
            Some((first, _)) => place.complain(format!("is the queue of {} again: delete one", first.at())),
            None => found.push((place, Queue { url, aws })),
        }
    }
    found.into_iter().map(|(_, queue)| queue).collect()
}
