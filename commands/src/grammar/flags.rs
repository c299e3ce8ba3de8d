//! Flags: words that begin with dashes, wherever they stand among the others.

use super::args::{Args, Word};
use super::error::{ParseError, closest};

/// `--name value` or `--name=value`, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valued<'a> {
    /// The name, without dashes.
    pub name: &'a str,
    /// What was said; `None`: nothing that could be a value follows.
    pub value: Option<&'a str>,
    /// Where dashes and name are: the start and the length, in characters.
    pub place: (usize, usize),
}

impl<'a> Args<'a> {
    /// Takes a flag, however often it is there, from anywhere among the words that are left: phones put words in odd places.
    pub fn take_flag(&mut self, flag: &str) -> bool {
        let before = self.words.len();
        let mut index = 0;
        let next = self.next;
        self.words.retain(|known| {
            let gone = index >= next && !known.quoted && dashes(known.word).eq_ignore_ascii_case(flag);
            index += 1;
            !gone
        });
        self.words.len() < before
    }

    /// Takes all flags with their values, from anywhere among the words that are left. Those that go without a value stay where they are: `bare`, with their dashes.
    pub fn take_valued(&mut self, bare: &[&str]) -> Vec<Valued<'a>> {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        let mut words = self.words.iter().copied().enumerate().peekable();
        while let Some((index, said)) = words.next() {
            let Some(mut flag) = (index >= self.next).then(|| valued(said, bare)).flatten() else {
                left.push(said);
                continue;
            };
            if flag.value.is_none() {
                let follows = |(_, next): &(usize, Word<'_>)| !next.quoted && !is_flag(next.word);
                flag.value = words.next_if(follows).map(|(_, next)| next.word);
            }
            taken.push(flag);
        }
        self.words = left;
        taken
    }

    /// Refuses words that look like flags and are none that the verb knows: one that was misspelled would silently become part of a reason.
    ///
    /// # Errors
    /// When there is one; the error points at it and suggests the flag that was probably meant.
    pub fn only_flags(&self, verb: &str, known: &[&str], reasons: bool) -> Result<(), ParseError> {
        for said in self.words.iter().skip(self.next) {
            let flag = dashes(said.word).to_lowercase();
            if said.quoted || known.contains(&flag.as_str()) {
                continue;
            }
            // One dash before a word may be a dash; two are a flag to everybody.
            let one_dash = flag.strip_prefix('-').is_some_and(starts_with_letter)
                && closest(&flag, known.iter().copied()).is_some();
            if one_dash || is_flag(&flag) {
                let place = (said.at, said.word.chars().count());
                return Err(self.no_flag((verb, known), (said.word, place), reasons));
            }
        }
        Ok(())
    }

    /// Refuses `name=value` among the words that are left, for any of these names: behind the first word of a reason it would silently become part of it,
    /// and the value would not count.
    ///
    /// # Errors
    /// When there is one that is not quoted; the error points at it and suggests the flag that may stand anywhere.
    pub fn no_value_among_words<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Result<(), ParseError> {
        for (index, said) in self.words.iter().enumerate().skip(self.next) {
            let named = |name: &str| said.word.split_once('=').is_some_and(|(word, _)| word == name);
            if said.quoted || !names.clone().any(named) {
                continue;
            }
            let message = format!(
                "`{}` stands behind words of the reason, where it would not count: write it before them, or as a flag; if it is part of the reason, put quotation marks around it",
                said.word
            );
            let error = self.error_at(index, message);
            return Err(self.suggesting(error, Some(&format!("--{}", said.word))));
        }
        Ok(())
    }

    /// That a verb has no such flag, with the one that was probably meant.
    #[must_use]
    pub fn no_flag(
        &self,
        (verb, known): (&str, &[&str]),
        (said, place): (&str, (usize, usize)),
        reasons: bool,
    ) -> ParseError {
        let mut message = match known {
            [] => format!("`{verb}` has no flags"),
            flags => format!("`{verb}` has no flag `{said}`, only {}", listed(flags)),
        };
        if reasons {
            message.push_str("; if it is part of the reason, put quotation marks around it");
        }
        let near = closest(&dashes(said).to_lowercase(), known.iter().copied());
        self.suggesting(self.error_over(place, message), near)
    }
}

/// A word as a flag with a value, unless it is quoted, or one that goes without.
fn valued<'a>(said: Word<'a>, bare: &[&str]) -> Option<Valued<'a>> {
    if said.quoted || !is_flag(said.word) {
        return None;
    }
    let (flag, value) = match said.word.split_once('=') {
        Some((flag, value)) => (flag, Some(value)),
        None => (said.word, None),
    };
    let known = bare.iter().any(|bare| dashes(flag).eq_ignore_ascii_case(bare));
    (!known || value.is_some()).then(|| Valued {
        name: flag.trim_start_matches(DASHES),
        value,
        place: (said.at, flag.chars().count()),
    })
}

/// What phones make of `-` and `--`, and those themselves.
const DASHES: [char; 3] = ['-', '\u{2013}', '\u{2014}'];

fn is_flag(word: &str) -> bool {
    dashes(word).strip_prefix("--").is_some_and(starts_with_letter)
}

fn starts_with_letter(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
}

fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => words.concat(),
    }
}

/// Phones turn `--` into a dash.
fn dashes(word: &str) -> String {
    word.replace(['\u{2014}', '\u{2013}'], "--")
}
