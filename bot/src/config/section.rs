//! Tables and values that know their line. Whoever reads from them gets a value or nothing; the complaint has been filed by then.

use std::collections::BTreeSet;

use commands::ids::BadName;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Report};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// What people call it.
    pub(super) name: String,
    /// What it says.
    pub(super) text: String,
    /// Its place among the files.
    pub(super) order: usize,
}

impl Source {
    /// The line of a byte, counted from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        let before = self.text.as_bytes().iter().take(byte);
        1 + before.filter(|b| **b == b'\n').count()
    }
}

/// Something that a complaint can be about.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) source: &'a Source,
    pub(super) report: &'a Report,
    /// The key, with the tables it stands in.
    pub(super) key: String,
    /// The line, counted from 1.
    pub(super) line: usize,
}

impl<'a> Place<'a> {
    /// Says what is wrong and what to write instead.
    pub(super) fn complain(&self, what: impl Into<String>) {
        self.report.complain(self.problem(what.into()));
    }

    /// Says what is allowed and probably not meant.
    pub(super) fn warn(&self, what: impl Into<String>) {
        self.report.warn(self.problem(what.into()));
    }

    fn problem(&self, what: String) -> Problem {
        Problem {
            order: self.source.order,
            line: self.line,
            file: self.source.name.clone(),
            key: self.key.clone(),
            what,
        }
    }

    /// `signalbox.toml:12`, for a complaint elsewhere.
    pub(super) fn at(&self) -> String {
        format!("{}:{}", self.source.name, self.line)
    }

    fn below(&self, key: &str, byte: usize) -> Self {
        let key = if self.key.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.key)
        };
        Self {
            key,
            line: self.source.line(byte),
            ..self.clone()
        }
    }
}

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Value<'a> {
    pub(super) place: Place<'a>,
    value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    /// A string.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) if text.trim().is_empty() => {
                self.refuse("is empty: fill it in, or delete it if it is not needed")
            }
            DeValue::String(text) => Some(text),
            other => self.refuse(format!("is {}: write a string in quotes", kind(other))),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(boolean) => Some(*boolean),
            other => self.refuse(format!("is {}: write `true` or `false`, without quotes", kind(other))),
        }
    }

    /// A whole number of at least 1.
    pub(super) fn count(&self) -> Option<usize> {
        match self.value {
            DeValue::Integer(integer) => match usize::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(0) | Err(_) => self.refuse(format!("is {integer}: write a whole number, 1 or more")),
                Ok(count) => Some(count),
            },
            other => self.refuse(format!("is {}: write a whole number, without quotes", kind(other))),
        }
    }

    /// A list; each of its values is called by the key of the list.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        match self.value {
            DeValue::Array(array) => Some(array.iter().map(|item| self.item(item)).collect()),
            other => self.refuse(format!("is {}: write a list, such as `[\"…\"]`", kind(other))),
        }
    }

    /// Whether it is a list of nothing.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self.value, DeValue::Array(array) if array.is_empty())
    }

    /// A list of strings, none of them twice.
    pub(super) fn texts(&self) -> Vec<(Self, &'a str)> {
        let mut seen = BTreeSet::new();
        let mut texts = Vec::new();
        for item in self.list().unwrap_or_default() {
            let Some(text) = item.text() else { continue };
            if seen.insert(text) {
                texts.push((item, text));
            } else {
                item.place.complain(format!("`{text}` is listed twice: delete one"));
            }
        }
        texts
    }

    /// A list of names, all of one kind.
    pub(super) fn names<T>(&self, parse: impl Fn(&str) -> Result<T, BadName>) -> Vec<T> {
        let name = |(item, text): (Self, &str)| item.place.name(text, &parse);
        self.texts().into_iter().filter_map(name).collect()
    }

    /// A name.
    pub(super) fn name<T>(&self, parse: impl Fn(&str) -> Result<T, BadName>) -> Option<T> {
        self.place.name(self.text()?, &parse)
    }

    /// The value as it is, for those who read it whole.
    pub(super) const fn raw(&self) -> &'a DeValue<'a> {
        self.value
    }

    /// A table.
    pub(super) fn section(self) -> Option<Section<'a>> {
        match self.value {
            DeValue::Table(table) => Some(Section::new(self.place, table)),
            other => self.refuse(format!(
                "is {}: write a table, such as `{{ key = \"value\" }}`",
                kind(other)
            )),
        }
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<String> = words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect();
            self.place
                .complain(format!("is `{text}`: write {}", known.join(" or ")));
        }
        found.map(|(_, meaning)| *meaning)
    }

    fn item(&self, item: &'a Spanned<DeValue<'a>>) -> Self {
        let line = self.place.source.line(item.span().start);
        Self {
            place: Place {
                line,
                ..self.place.clone()
            },
            value: item.get_ref(),
        }
    }

    fn refuse<T>(&self, what: impl Into<String>) -> Option<T> {
        self.place.complain(what);
        None
    }
}

impl Place<'_> {
    /// Reads a name.
    pub(super) fn name<T>(&self, text: &str, parse: impl Fn(&str) -> Result<T, BadName>) -> Option<T> {
        match parse(text) {
            Ok(name) => Some(name),
            Err(bad) => {
                self.complain(format!(
                    "`{}` is no {}: write {}{}",
                    bad.value,
                    bad.kind,
                    bad.rule,
                    remedy(bad.kind)
                ));
                None
            }
        }
    }
}

/// What people write instead of an id, and where the id is found.
fn remedy(kind: &str) -> &'static str {
    match kind {
        "channel id" => "; it stands at the end of the channel's details in Slack, under About",
        "user id" => "; Slack shows it in the person's profile, under More (⋮), Copy member ID",
        "user group id" => "; the address of the group's page in Slack ends in it",
        "team id" => "; the address of the workspace in a browser holds it, after /client/",
        _ => "",
    }
}

/// A table that is being read; what nobody asked for is unknown.
pub(super) struct Section<'a> {
    pub(super) place: Place<'a>,
    table: &'a DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) const fn new(place: Place<'a>, table: &'a DeTable<'a>) -> Self {
        Self {
            place,
            table,
            known: Vec::new(),
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.known.push(key);
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(name, value)| self.value(name, value))
    }

    /// Whether a key is there, for what depends on it; it is read where it belongs.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref() == key)
    }

    /// The value of a key that must be there.
    pub(super) fn need(&mut self, key: &'static str, example: &str) -> Option<Value<'a>> {
        let found = self.take(key);
        if found.is_none() {
            self.place
                .complain(format!("`{key}` is missing: add `{key} = {example}`"));
        }
        found
    }

    /// The tables of `[[key]]`.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let Some(found) = self.take(key) else { return Vec::new() };
        if matches!(found.value, DeValue::Table(_)) {
            let place = &found.place;
            place.complain(format!(
                "is one table, but there may be several: write its header as `[[{}]]`",
                place.key
            ));
            return Vec::new();
        }
        found
            .list()
            .unwrap_or_default()
            .into_iter()
            .filter_map(Value::section)
            .collect()
    }

    /// Everything that nobody asked for: it is somebody else's to read and to complain about.
    pub(super) fn rest(self) -> Vec<(&'a str, Value<'a>)> {
        let known = self.known.clone();
        self.entries().filter(|(name, _)| !known.contains(name)).collect()
    }

    /// Everything in it, by keys that people choose.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let entry = |(name, value): (&'a Spanned<_>, &'a Spanned<_>)| -> (&'a str, Value<'a>) {
            let text: &'a std::borrow::Cow<'a, str> = name.get_ref();
            (text, self.value(name, value))
        };
        self.table.iter().map(entry)
    }

    /// Complains of every key that nobody asked for.
    pub(super) fn finish(self) {
        for (name, value) in self.table {
            let text: &str = name.get_ref();
            if self.known.contains(&text) {
                continue;
            }
            let place = self.value(name, value).place;
            let known = self.known.join(", ");
            let guess = closest(text, self.known.iter().copied());
            let guess = guess.map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
            place.complain(format!("is no key of this table.{guess} Known here: {known}"));
        }
    }

    fn value(&self, name: &Spanned<std::borrow::Cow<'_, str>>, value: &'a Spanned<DeValue<'a>>) -> Value<'a> {
        Value {
            place: self.place.below(name.get_ref(), name.span().start),
            value: value.get_ref(),
        }
    }
}

/// What a value is, to a person.
const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a decimal point",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The candidate that a word is probably a misspelling of.
pub(super) fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
