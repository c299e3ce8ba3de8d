//! `[defaults]`: what all services share, and how what they may say otherwise is read.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use commands::catalog::{Pattern, UnknownAuthor};
use commands::ids::TeamId;

use super::CommandLine;
use super::account::{self, Account};
use super::section::{Section, Value, closest};

/// Where migrations are, unless configuration says otherwise: what most frameworks call the folder.
const MIGRATIONS: [&str; 4] = ["migrations/**", "**/migrations/**", "db/migrate/**", "**/db/migrate/**"];

/// What all services share.
#[derive(Debug)]
pub(super) struct Defaults {
    pub(super) timezone: Tz,
    pub(super) unknown_author: UnknownAuthor,
    pub(super) migrations: Vec<Pattern>,
    pub(super) aws: Account,
    pub(super) teams: BTreeSet<TeamId>,
    pub(super) command_line: CommandLine,
}

impl Defaults {
    /// Reads them; without a table, what goes without saying.
    pub(super) fn read(section: Option<Section<'_>>) -> Self {
        let mut defaults = Self {
            timezone: Tz::UTC,
            unknown_author: UnknownAuthor::default(),
            migrations: MIGRATIONS
                .iter()
                .map(|pattern| Pattern((*pattern).to_owned()))
                .collect(),
            aws: Account::default(),
            teams: BTreeSet::new(),
            command_line: CommandLine::default(),
        };
        let Some(mut section) = section else { return defaults };
        if let Some(teams) = section.take("teams") {
            defaults.teams = teams.names(TeamId::parse).into_iter().collect();
        }
        if let Some(word) = section.take("command_line") {
            let words = [
                ("off", CommandLine::Off),
                ("standard", CommandLine::Standard),
                ("production", CommandLine::Production),
            ];
            defaults.command_line = word.one_of(&words).unwrap_or_default();
        }
        zone(&mut section, &mut defaults.timezone);
        strangers(&mut section, &mut defaults.unknown_author);
        migrations(&mut section, &mut defaults.migrations);
        if let Some(aws) = section.take("aws").and_then(Value::section) {
            defaults.aws = account::read(aws);
        }
        section.finish();
        defaults
    }
}

/// Reads `timezone`.
pub(super) fn zone(section: &mut Section<'_>, zone: &mut Tz) {
    let Some(value) = section.take("timezone") else { return };
    let Some(text) = value.text() else { return };
    if let Ok(known) = text.parse() {
        *zone = known;
        return;
    }
    let guess = closest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    let guess = guess.map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
    value.place.complain(format!(
        "`{text}` is not a time zone: write an IANA name such as `America/Sao_Paulo`.{guess}"
    ));
}

/// Reads `unknown_author`.
pub(super) fn strangers(section: &mut Section<'_>, unknown: &mut UnknownAuthor) {
    let words = [("refuse", UnknownAuthor::Refuse), ("allow", UnknownAuthor::Allow)];
    if let Some(said) = section.take("unknown_author").and_then(|value| value.one_of(&words)) {
        *unknown = said;
    }
}

/// Reads `migrations`.
pub(super) fn migrations(section: &mut Section<'_>, patterns: &mut Vec<Pattern>) {
    let Some(value) = section.take("migrations") else {
        return;
    };
    let texts = value.texts();
    for (item, text) in &texts {
        if text.starts_with(['/', '.']) || text.contains('\\') {
            item.place.complain(format!(
                "`{text}` fits no file: paths start at the top of the repository, such as `db/migrations/**`"
            ));
        }
    }
    *patterns = texts.into_iter().map(|(_, text)| Pattern(text.to_owned())).collect();
}
