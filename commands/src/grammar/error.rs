//! Errors that point at the word and say what to type instead.

use crate::view::{Block, Message, code, prose, text};

/// Words that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The whole text.
    pub text: String,
    /// Where the word starts, in characters; at the end when something is missing.
    pub at: usize,
    /// How many characters it has; 0 when something is missing.
    pub len: usize,
    /// What is wrong, and what is expected, with what was or is to be typed between backticks.
    pub message: String,
    /// What was probably meant, as a whole command.
    pub suggestion: Option<String>,
}

impl ParseError {
    /// As people see it: the sentence, the text with the word marked, and the suggestion.
    #[must_use]
    pub fn message(&self) -> Message {
        let marked = format!("{}\n{}{}", self.text, " ".repeat(self.at), "^".repeat(self.len.max(1)));
        let mut message = Message::line(prose(&self.message)).with(Block::Verbatim(marked));
        if let Some(suggestion) = &self.suggestion {
            message = message.with(Block::Section(vec![vec![
                text("Did you mean "),
                code(suggestion.clone()),
                text("?"),
            ]]));
        }
        message
    }
}

/// The candidate that a word is probably a misspelling of.
pub(crate) fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .map(|candidate| {
            let near = strsim::damerau_levenshtein(&word, candidate);
            let starts = word.len() >= 3 && candidate.starts_with(&word);
            (if starts { 1 } else { near }, candidate)
        })
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
