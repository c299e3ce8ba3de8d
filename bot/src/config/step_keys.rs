//! Keys of steps that are misspelled or wrong: which one a complaint is about, and what was probably meant.

use commands::step::Action;
use serde::Deserialize as _;

use super::section::{Value, closest};

/// The keys that every step has.
const EVERY_STEP: &[&str] = &[
    "name",
    "title",
    "region",
    "group",
    "ask",
    "when",
    "expect",
    "known",
    "deadline",
    "usual",
    "retries",
    "keep",
    "only_looks",
    "remedy",
    "needs_snapshot",
    "moves",
];

/// Whether a complaint is about this key: without it, there would be another, or none. What is missing is about none of them.
pub(super) fn is_about(name: &str, words: &str, table: &toml::Table) -> bool {
    let mut without = table.clone();
    without.remove(name);
    let other = Action::deserialize(toml::Value::Table(without)).err();
    !words.starts_with("missing field") && other.is_none_or(|other| other.message() != words)
}

/// What was probably meant by a key that nobody knows.
pub(super) fn guess(words: &str, rest: &[(&str, Value<'_>)]) -> String {
    let unknown = words
        .strip_prefix("unknown field `")
        .and_then(|more| more.split('`').next());
    let Some(unknown) = unknown else { return String::new() };
    let known = words.split('`').skip(3).step_by(2);
    let own = rest.iter().any(|(name, _)| *name == unknown);
    let common = own.then_some(EVERY_STEP).into_iter().flatten().copied();
    let guess = closest(unknown, known.chain(common).filter(|name| *name != unknown));
    guess.map_or_else(String::new, |guess| format!(". Did you mean `{guess}`?"))
}

#[cfg(test)]
mod tests {
    use commands::step::Action;

    /// A key of every step would be taken before a kind sees it.
    #[test]
    fn no_kind_has_a_key_of_every_step() {
        for sample in Action::samples() {
            let value = serde_json::to_value(&sample).unwrap();
            let taken = value
                .as_object()
                .unwrap()
                .keys()
                .find(|key| super::EVERY_STEP.contains(&key.as_str()));
            assert_eq!(taken, None, "{}", sample.spec().kind);
        }
    }
}
