//! Slack's checks of blocks and views, as strict as Slack: a card that passes here is a card that Slack shows.
//!
//! The words of a problem follow Slack's `response_metadata.messages`: what is wrong, then where, as a JSON pointer.

mod blocks;
mod elements;
mod stored;
mod views;

use std::collections::HashSet;

use serde_json::{Map, Value};

pub(crate) use elements::{interactive, is_input};
pub(crate) use stored::stored;
pub(crate) use views::{ViewProblem, check_view};

/// Where blocks are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// A message: 50 blocks.
    Message,
    /// A modal: 100 blocks, inputs.
    Modal,
    /// The app's home tab.
    Home,
}

/// What is wrong with a message's blocks; empty when nothing is.
pub(crate) fn check_message_blocks(blocks: &[Value]) -> Vec<String> {
    let mut check = Check::new(Surface::Message);
    check.blocks(blocks, "/blocks");
    check.problems
}

/// A walk over blocks that collects problems.
pub(super) struct Check {
    problems: Vec<String>,
    surface: Surface,
    block_ids: HashSet<String>,
    markdown_chars: usize,
    tables: usize,
}

/// What a text object may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextRule {
    /// Only `plain_text`.
    plain: bool,
    /// Characters.
    max: usize,
    /// Its absence is a problem.
    required: bool,
}

impl TextRule {
    const fn plain(max: usize) -> Self {
        Self {
            plain: true,
            max,
            required: true,
        }
    }

    const fn any(max: usize) -> Self {
        Self {
            plain: false,
            max,
            required: true,
        }
    }

    const fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }
}

impl Check {
    fn new(surface: Surface) -> Self {
        Self {
            problems: Vec::new(),
            surface,
            block_ids: HashSet::new(),
            markdown_chars: 0,
            tables: 0,
        }
    }

    fn wrong(&mut self, what: impl std::fmt::Display, at: &str) {
        self.problems.push(format!("[ERROR] {what} [json-pointer:{at}]"));
    }

    /// Slack refuses properties that it does not know.
    fn only(&mut self, object: &Map<String, Value>, allowed: &[&str], at: &str) {
        for key in object
            .keys()
            .filter(|key| *key != "type" && !allowed.contains(&key.as_str()))
        {
            self.wrong(format_args!("invalid additional property: {key}"), at);
        }
    }

    /// A string property, of at most `max` characters where it is present.
    fn string(&mut self, object: &Map<String, Value>, (key, max): (&str, usize), at: &str) -> Option<String> {
        let value = object.get(key).filter(|value| !value.is_null())?;
        let at = format!("{at}/{key}");
        let Some(text) = value.as_str() else {
            self.wrong("must be a string", &at);
            return None;
        };
        if text.chars().count() > max {
            self.wrong(format_args!("must be less than {} characters", max + 1), &at);
        }
        Some(text.to_owned())
    }

    /// The same, and it must be there and not be empty.
    fn required_string(&mut self, object: &Map<String, Value>, rule: (&str, usize), at: &str) {
        if object.get(rule.0).is_none_or(Value::is_null) {
            self.wrong(format_args!("missing required field: {}", rule.0), at);
        } else if self.string(object, rule, at).is_some_and(|text| text.is_empty()) {
            self.wrong("must be more than 0 characters", &format!("{at}/{}", rule.0));
        }
    }

    /// A true-or-false property.
    fn flag(&mut self, object: &Map<String, Value>, key: &str, at: &str) {
        if object.get(key).is_some_and(|value| !value.is_boolean()) {
            self.wrong("must be a boolean", &format!("{at}/{key}"));
        }
    }

    /// A text object under `key`.
    fn text(&mut self, object: &Map<String, Value>, key: &str, rule: TextRule, at: &str) {
        match object.get(key).filter(|value| !value.is_null()) {
            Some(value) => self.text_value(value, rule, &format!("{at}/{key}")),
            None if rule.required => self.wrong(format_args!("missing required field: {key}"), at),
            None => {}
        }
    }

    fn text_value(&mut self, value: &Value, rule: TextRule, at: &str) {
        let Some(object) = value.as_object() else {
            return self.wrong("must be an object", at);
        };
        match object.get("type").and_then(Value::as_str) {
            Some("plain_text") => {
                self.only(object, &["text", "emoji"], at);
                self.flag(object, "emoji", at);
            }
            Some("mrkdwn") if !rule.plain => {
                self.only(object, &["text", "verbatim"], at);
                self.flag(object, "verbatim", at);
            }
            Some("mrkdwn") => self.wrong("must be of type plain_text", at),
            other => self.wrong(
                format_args!("unsupported type: {}", other.unwrap_or("none")),
                &format!("{at}/type"),
            ),
        }
        self.required_string(object, ("text", rule.max), at);
    }

    /// An array under `key` with between `min` and `max` items.
    fn items<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        key: &str,
        (min, max): (usize, usize),
        at: &str,
    ) -> &'a [Value] {
        let at = format!("{at}/{key}");
        let Some(items) = object.get(key).and_then(Value::as_array) else {
            self.wrong(format_args!("missing required field: {key}"), &at);
            return &[];
        };
        self.count(items.len(), (min, max), &at);
        items
    }

    fn count(&mut self, count: usize, (min, max): (usize, usize), at: &str) {
        if count > max {
            self.wrong(format_args!("no more than {max} items allowed"), at);
        }
        if count < min {
            self.wrong(format_args!("must have at least {min} items"), at);
        }
    }
}

#[cfg(test)]
mod tests;
