//! `[service.NAME.known.NAME]`, and the names of known failures in steps.

use commands::runbook::{Expected, KnownFailure, Then, built_in};
use serde::Deserialize;

use super::plain;
use super::section::{Section, Value, closest};

/// The failures that steps of a service may name, in the order in which they are looked for: what is built in, as the service has changed it, then its
/// own as they stand in the file.
pub(super) struct KnownFailures(Vec<KnownFailure>);

impl KnownFailures {
    /// Reads what a service adds or changes.
    pub(super) fn read(tables: Option<Section<'_>>) -> Self {
        let mut known = built_in();
        let mut tables: Vec<_> = tables.iter().flat_map(Section::entries).collect();
        tables.sort_by_key(|(_, value)| value.place.line);
        for (name, value) in tables {
            match known.iter_mut().find(|known| known.name == name) {
                Some(known) => change(known, value),
                None => known.extend(own(name, value)),
            }
        }
        Self(known)
    }

    /// What a step expects by the names that it says: `known = { role-exists = "ask" }`.
    pub(super) fn expected(&self, value: Value<'_>) -> Vec<Expected> {
        let Some(section) = value.section() else {
            return Vec::new();
        };
        let mut named: Vec<(&KnownFailure, Then)> = Vec::new();
        for (name, value) in section.entries() {
            let found = self.0.iter().find(|known| known.name == name);
            match found {
                Some(known) => named.extend(then(&value).map(|then| (known, then))),
                None => self.unknown(name, &value),
            }
        }
        let place = |name: &str| self.0.iter().position(|known| known.name == name);
        named.sort_by_key(|(known, _)| place(&known.name));
        named.iter().flat_map(|(known, then)| known.expected(then)).collect()
    }

    fn unknown(&self, name: &str, value: &Value<'_>) {
        let names: Vec<&str> = self.0.iter().map(|known| known.name.as_str()).collect();
        let guess = closest(name, names.iter().copied());
        let guess = guess.map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
        value.place.complain(format!(
            "is no known failure.{guess} There are: {}; the service adds its own as tables `known.NAME`",
            names.join(", ")
        ));
    }
}

/// What is done about it.
fn then(value: &Value<'_>) -> Option<Then> {
    let then = Then::deserialize(plain::value(value.raw()));
    if then.is_err() {
        value
            .place
            .complain("does not say what is done: write `\"go_on\"`, `\"ask\"`, or `{ remedy = \"STEP\" }`");
    }
    then.ok()
}

/// What a table says of a failure.
#[derive(Default)]
struct Said<'a> {
    title: Option<&'a str>,
    words: Option<Vec<String>>,
    say: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn read(value: Value<'a>) -> Option<Self> {
        let mut section = value.section()?;
        let mut text = |key| section.take(key).and_then(|value| value.text());
        let (title, say) = (text("title"), text("say"));
        let words = section.take("words").map(|value| {
            let words: Vec<String> = value.texts().into_iter().map(|(_, word)| word.to_owned()).collect();
            if value.is_empty_list() {
                value
                    .place
                    .complain("is empty and would fit every failure: say what it is told by");
            }
            words
        });
        section.finish();
        Some(Self { title, words, say })
    }
}

/// What is said about one that is built in is said instead; the rest stays.
fn change(known: &mut KnownFailure, value: Value<'_>) {
    let said = Said::read(value).unwrap_or_default();
    if let Some(title) = said.title {
        title.clone_into(&mut known.title);
    }
    if let Some(words) = said.words {
        known.words = vec![words];
    }
    if let Some(say) = said.say {
        say.clone_into(&mut known.say);
    }
}

/// One of the service's own.
fn own(name: &str, value: Value<'_>) -> Option<KnownFailure> {
    let place = value.place.clone();
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.bytes().all(good) {
        place.complain(format!(
            "`{name}` is no name of a failure: write lower-case letters, digits and dashes"
        ));
    }
    let said = Said::read(value)?;
    if said.words.is_none() {
        place.complain("`words` is missing: add `words = [\"…\"]`, what it is told by");
    }
    Some(KnownFailure {
        name: name.to_owned(),
        title: said.title.unwrap_or(name).to_owned(),
        words: vec![said.words.unwrap_or_default()],
        say: said.say.unwrap_or_default().to_owned(),
    })
}
