//! `functions = { prefix = "…", level_key = "LOG_LEVEL", baseline = "info", levels = ["…"] }` of an environment.

use commands::catalog::Functions;

use super::section::{Place, Section, Value, closest};

/// Reads it, and where it stands. What is missing is complained about; nothing comes of it then.
pub(super) fn read(value: Value<'_>) -> Option<(Place<'_>, Functions)> {
    let place = value.place.clone();
    let mut section = value.section()?;
    let prefix = text(&mut section, "prefix", "\"wallet-service-mainnet-\"");
    let but = section.take("but").map(|value| but(&value, prefix.as_deref()));
    let level_key = text(&mut section, "level_key", "\"LOG_LEVEL\"");
    let levels: Vec<String> = section
        .need("levels", "[\"error\", \"warn\", \"info\", \"debug\"]")
        .map(|value| {
            if value.is_empty_list() {
                value
                    .place
                    .complain("is an empty list: name the levels that the service's own logger knows");
            }
            value.texts().into_iter().map(|(_, text)| text.to_owned()).collect()
        })
        .unwrap_or_default();
    let baseline = section.need("baseline", "\"info\"").and_then(|value| {
        let text = value.text()?;
        if !levels.is_empty() && !levels.iter().any(|level| level == text) {
            let guess = closest(text, levels.iter().map(String::as_str))
                .map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
            value.place.complain(format!(
                "`{text}` is none of the `levels`: {}.{guess}",
                levels.join(", ")
            ));
        }
        Some(text.to_owned())
    });
    let level_file = section.take("level_file").and_then(|value| {
        let text = value.text()?;
        let line = text.rsplit_once(':').filter(|(file, _)| !file.is_empty());
        if line
            .and_then(|(_, line)| line.parse::<std::num::NonZeroU32>().ok())
            .is_none()
        {
            value.place.complain(format!(
                "`{text}` does not say on which line: write file and line, such as `serverless.yml:31`"
            ));
        }
        Some(text.to_owned())
    });
    if let Some(odd) = levels
        .iter()
        .find(|level| level.contains(char::is_whitespace) || level.contains(['{', '}']))
    {
        section.place.complain(format!(
            "`{odd}` cannot be typed as one word: write the levels as the logger knows them"
        ));
    }
    section.finish();
    let functions = Functions {
        prefix: prefix?,
        but: but.unwrap_or_default(),
        level_key: level_key?,
        baseline: baseline?,
        levels,
        level_file,
    };
    Some((place, functions))
}

/// The beginnings of names that are left out: each goes on where `prefix` ends.
fn but(value: &Value<'_>, prefix: Option<&str>) -> Vec<String> {
    let texts = value.texts();
    if texts.is_empty() {
        value.place.complain("is an empty list: delete it");
    }
    for (item, text) in &texts {
        if prefix.is_some_and(|prefix| !text.starts_with(prefix) || *text == prefix) {
            item.place.complain(format!(
                "`{text}` leaves nothing out: write what goes on where the `prefix` ends, such as `{}stg-`",
                prefix.unwrap_or_default()
            ));
        }
    }
    texts.into_iter().map(|(_, text)| text.to_owned()).collect()
}

fn text(section: &mut Section<'_>, key: &'static str, example: &str) -> Option<String> {
    let value = section.need(key, example)?;
    let text = value.text()?;
    if text.contains(['{', '}']) {
        value
            .place
            .complain("holds braces, but nothing is filled in here: write the name as it is");
    }
    Some(text.to_owned())
}
