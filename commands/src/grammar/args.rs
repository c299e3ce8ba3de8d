//! The words of a command, read from left to right.

use super::error::{ParseError, closest};
use crate::catalog::{Catalog, Service};
use crate::ids::{ChannelId, EnvironmentId, ServiceId};
use crate::time::Span;

/// Where a command was said: what need not be spelled out.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Everything that is configured.
    pub catalog: &'a Catalog,
    /// The channel.
    pub channel: &'a ChannelId,
}

/// The words that are left.
#[derive(Debug, Clone)]
pub struct Args<'a> {
    /// The whole text, command included: `/deploy approve mainnet`.
    text: &'a str,
    pub(super) words: Vec<Word<'a>>,
    pub(super) next: usize,
}

/// A word and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    /// In characters from the start of the text.
    pub(super) at: usize,
    pub(super) word: &'a str,
    /// Whether it stands between quotation marks, where nothing is a flag.
    pub(super) quoted: bool,
}

impl<'a> Args<'a> {
    /// Splits a text at white space.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let mut words = Vec::new();
        let mut start: Option<(usize, usize)> = None;
        let mut take = |at, word| {
            words.push(Word {
                at,
                word,
                quoted: false,
            });
        };
        for (place, (byte, c)) in text.char_indices().enumerate() {
            match (c.is_whitespace(), start) {
                (false, None) => start = Some((place, byte)),
                (true, Some((at, from))) => {
                    take(at, &text[from..byte]);
                    start = None;
                }
                _ => {}
            }
        }
        if let Some((at, from)) = start {
            take(at, &text[from..]);
        }
        mark_quoted(&mut words);
        Self { text, words, next: 0 }
    }

    /// The next word, without taking it.
    #[must_use]
    pub fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(|known| known.word)
    }

    /// Takes the next word.
    #[expect(
        clippy::should_implement_trait,
        reason = "it is no iterator: words are also looked at and put together"
    )]
    pub fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.next += 1;
        Some(word)
    }

    /// Takes the next word if it is this one.
    pub fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        if found {
            self.next += 1;
        }
        found
    }

    /// Takes all the words that are left, with single spaces between them.
    pub fn rest(&mut self) -> String {
        let words: Vec<&str> = self.words.iter().skip(self.next).map(|known| known.word).collect();
        self.next = self.words.len();
        words.join(" ")
    }

    /// An error at the next word, or at the end.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.next, message)
    }

    pub(super) fn error_at(&self, index: usize, message: impl Into<String>) -> ParseError {
        let place = match self.words.get(index) {
            Some(known) => (known.at, known.word.chars().count()),
            None => (self.text.trim_end().chars().count() + 1, 0),
        };
        self.error_over(place, message)
    }

    /// An error over a part of the text: where it starts and how long it is, in characters.
    #[must_use]
    pub fn error_over(&self, (at, len): (usize, usize), message: impl Into<String>) -> ParseError {
        ParseError {
            text: self.text.to_owned(),
            at,
            len,
            message: message.into(),
            suggestion: None,
        }
    }

    /// The same error, with the word replaced as the suggestion.
    #[must_use]
    pub fn suggesting(&self, error: ParseError, instead: Option<&str>) -> ParseError {
        let Some(instead) = instead else { return error };
        let head: String = self.text.chars().take(error.at).collect();
        let tail: String = self.text.chars().skip(error.at + error.len).collect();
        ParseError {
            suggestion: Some(format!("{head}{instead}{tail}")),
            ..error
        }
    }

    /// Refuses words that are left over.
    ///
    /// # Errors
    /// When there are any.
    pub fn end(&self) -> Result<(), ParseError> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(self.error(format!("`{word}` is one word too many here"))),
        }
    }

    /// Takes `for 2h`, if the next words say so, or the last ones: whoever ends their reason with it means it as well.
    ///
    /// # Errors
    /// When `for` is not followed by a span of time, or an hour is named where only a span is read.
    pub fn take_for(&mut self) -> Result<Option<Span>, ParseError> {
        if self.names("until") {
            return Err(self.error("an end is not read here: write how long, such as `for 2h`"));
        }
        if !self.names("for") {
            return Ok(self.take_last_for());
        }
        self.next += 1;
        let span = self
            .peek()
            .and_then(Span::parse)
            .ok_or_else(|| self.error("this is not a span of time: write `30m`, `2h`, `1h30m` or `3d`"))?;
        self.next += 1;
        Ok(Some(span))
    }

    /// Whether this word comes next, and a number after it.
    fn names(&self, word: &str) -> bool {
        let number = |known: &Word<'_>| known.word.starts_with(|c: char| c.is_ascii_digit());
        self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word))
            && self.words.get(self.next + 1).is_some_and(number)
    }

    /// Takes `for 2h` from the end.
    fn take_last_for(&mut self) -> Option<Span> {
        let open = self.words.get(self.next..)?;
        let [.., word, span] = open else { return None };
        let meant = word.word.eq_ignore_ascii_case("for") && !word.quoted && !span.quoted;
        let span = Span::parse(span.word).filter(|_| meant)?;
        self.words.truncate(self.words.len() - 2);
        Some(span)
    }

    /// Takes `[service] environment`.
    ///
    /// # Errors
    /// When there is none, or more than one service could be meant.
    pub fn environment(&mut self, scope: &Scope<'_>) -> Result<(ServiceId, EnvironmentId), ParseError> {
        match self.optional_environment(scope)? {
            (service, Some(environment)) => Ok((service.clone(), environment)),
            (_, None) => {
                let known = environment_names(scope);
                Err(self.error(format!("say which environment: {}", known.join(", "))))
            }
        }
    }

    /// Takes `[service] [environment]`; without any, the service that is at home in the channel.
    ///
    /// # Errors
    /// When a word fits nothing, or more than one service could be meant.
    pub fn optional_environment<'s>(
        &mut self,
        scope: &Scope<'s>,
    ) -> Result<(&'s ServiceId, Option<EnvironmentId>), ParseError> {
        let Some(first) = self.peek() else {
            return Ok((self.only_service(scope)?, None));
        };
        if let Some(service) = scope
            .catalog
            .services
            .values()
            .find(|service| service.id.as_str().eq_ignore_ascii_case(first))
        {
            let here = candidates(scope, first).iter().any(|known| known.id == service.id);
            let followed = self
                .words
                .get(self.next + 1)
                .and_then(|known| find(service, known.word))
                .is_some();
            if !here || followed {
                self.next += 1;
                let environment = self
                    .peek()
                    .map(|word| find(service, word).ok_or_else(|| self.no_such(&[service], word)));
                let environment = environment.transpose()?;
                self.next += usize::from(environment.is_some());
                return Ok((&service.id, environment));
            }
        }
        let found = candidates(scope, first);
        match found.as_slice() {
            [service] => {
                self.next += 1;
                Ok((&service.id, find(service, first)))
            }
            [] => {
                let home = scope.catalog.at_home_in(scope.channel);
                let all: Vec<&Service> = if home.is_empty() {
                    scope.catalog.services.values().collect()
                } else {
                    home
                };
                Err(self.no_such(&all, first))
            }
            [one, ..] => {
                let names: Vec<String> = found
                    .iter()
                    .map(|service| format!("`{} {first}`", service.id))
                    .collect();
                let error = self.error(format!(
                    "more than one service has `{first}`: write {}",
                    names.join(" or ")
                ));
                Err(self.suggesting(error, Some(&format!("{} {first}", one.id))))
            }
        }
    }

    fn only_service<'s>(&self, scope: &Scope<'s>) -> Result<&'s ServiceId, ParseError> {
        let home = scope.catalog.at_home_in(scope.channel);
        let all: Vec<&'s Service> = if home.is_empty() {
            scope.catalog.services.values().collect()
        } else {
            home
        };
        match all.as_slice() {
            [one] => Ok(&one.id),
            [] => Err(self.error("no service is configured: add one to signalbox.toml")),
            several => {
                let names: Vec<&str> = several.iter().map(|service| service.id.as_str()).collect();
                Err(self.error(format!("say which service: {}", names.join(", "))))
            }
        }
    }

    fn no_such(&self, services: &[&Service], word: &str) -> ParseError {
        let names: Vec<&str> = services
            .iter()
            .flat_map(|service| service.environments.iter().map(|environment| environment.id.as_str()))
            .collect();
        let error = self.error(format!(
            "there is no environment `{word}`: known are {}",
            names.join(", ")
        ));
        self.suggesting(error, closest(word, names.into_iter()))
    }
}

/// The services that a bare environment name can mean: those at home in the channel first, else any.
fn candidates<'s>(scope: &Scope<'s>, word: &str) -> Vec<&'s Service> {
    let home: Vec<&Service> = scope
        .catalog
        .at_home_in(scope.channel)
        .into_iter()
        .filter(|service| find(service, word).is_some())
        .collect();
    if home.is_empty() {
        scope
            .catalog
            .services
            .values()
            .filter(|service| find(service, word).is_some())
            .collect()
    } else {
        home
    }
}

fn find(service: &Service, word: &str) -> Option<EnvironmentId> {
    service
        .environments
        .iter()
        .find(|environment| environment.id.as_str().eq_ignore_ascii_case(word))
        .map(|environment| environment.id.clone())
}

fn environment_names(scope: &Scope<'_>) -> Vec<String> {
    let home = scope.catalog.at_home_in(scope.channel);
    let all: Vec<&Service> = if home.is_empty() {
        scope.catalog.services.values().collect()
    } else {
        home
    };
    all.iter()
        .flat_map(|service| {
            service
                .environments
                .iter()
                .map(|environment| environment.id.to_string())
        })
        .collect()
}

/// Marks the words from an opening quotation mark to the next closing one; a mark that is never closed quotes nothing.
fn mark_quoted(words: &mut [Word<'_>]) {
    const MARKS: [char; 5] = ['"', '\u{201c}', '\u{201d}', '\u{201e}', '\u{ff02}'];
    let mut from = 0;
    while from < words.len() {
        let opens = words[from].word.starts_with(MARKS);
        let closes = |(index, known): (usize, &Word<'_>)| {
            let inner = if index == 0 {
                known.word.trim_start_matches(MARKS)
            } else {
                known.word
            };
            inner.contains(MARKS)
        };
        let last = opens
            .then(|| words[from..].iter().enumerate().position(closes))
            .flatten();
        for known in words.iter_mut().skip(from).take(last.map_or(0, |last| last + 1)) {
            known.quoted = true;
        }
        from += last.map_or(1, |last| last + 1);
    }
}
