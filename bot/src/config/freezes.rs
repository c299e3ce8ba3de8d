//! Freezes that come by themselves, as `[[service.NAME.freeze]]`.

use commands::catalog::{When, Window};
use commands::ids::EnvironmentId;

use super::section::{Section, Value, closest};

/// Reads one window. `environments` are the names the service has.
pub(super) fn read(mut section: Section<'_>, environments: &[&str]) -> Option<Window> {
    let weekly = section.take("weekly");
    let dated = section.take("dated");
    let when = match (&weekly, &dated) {
        (Some(weekly), None) => window(weekly, When::weekly),
        (None, Some(dated)) => window(dated, When::dated),
        (Some(_), Some(_)) => {
            section
                .place
                .complain("has both `weekly` and `dated`: write two freezes, each with its own header");
            None
        }
        (None, None) => {
            section.place.complain(
                "does not say when: add `weekly = \"Fri 15:00 - Mon 08:00\"` or `dated = \"2026-12-20 - 2027-01-04\"`",
            );
            None
        }
    };
    let reason = section
        .need("reason", "\"no deploys over the weekend\"")
        .and_then(|value| value.text());
    let of = section
        .take("environments")
        .map(|value| named(&value, environments))
        .unwrap_or_default();
    section.finish();
    Some(Window {
        when: when?,
        reason: reason?.to_owned(),
        environments: of,
    })
}

fn window<E: std::fmt::Display>(value: &Value<'_>, parse: fn(&str) -> Result<When, E>) -> Option<When> {
    match parse(value.text()?) {
        Ok(when) => Some(when),
        Err(error) => {
            value.place.complain(error.to_string());
            None
        }
    }
}

fn named(value: &Value<'_>, known: &[&str]) -> Vec<EnvironmentId> {
    let texts = value.texts();
    if texts.is_empty() {
        value
            .place
            .complain("is an empty list: name environments, or leave it out and freeze all of them");
    }
    let mut named = Vec::new();
    for (item, text) in texts {
        if known.contains(&text) {
            named.extend(item.place.name(text, EnvironmentId::parse));
        } else {
            item.place.complain(no_environment(text, known));
        }
    }
    named
}

/// What to say to a name that no environment of the service has.
pub(super) fn no_environment(text: &str, known: &[&str]) -> String {
    let guess =
        closest(text, known.iter().copied()).map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
    format!(
        "this service has no environment `{text}`.{guess} It has: {}",
        known.join(", ")
    )
}
