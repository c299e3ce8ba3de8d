//! What is said of a runbook's parameters: `name=value` behind the environment, or `--name value` anywhere.

use std::collections::BTreeMap;

use super::Spec;
use crate::grammar::{Args, ParseError, Valued};
use crate::operation::Mode;
use crate::runbook::{Parameter, Runbook};

/// Takes `--plan`: whether it only looks.
pub(super) fn mode(args: &mut Args<'_>) -> Mode {
    if args.take_flag("--plan") {
        Mode::Plan
    } else {
        Mode::Run
    }
}

/// Takes `name=value` as long as there are any, and adds the flags that were taken before the runbook was known. Without a runbook, which is refused later, nothing is known of what it takes.
///
/// # Errors
/// When something is said twice, without a value, or as a flag that neither the verb nor the runbook has.
pub(super) fn parameters(
    args: &mut Args<'_>,
    spec: &Spec,
    (runbook, flags): (Option<&Runbook>, Vec<Valued<'_>>),
) -> Result<BTreeMap<String, String>, ParseError> {
    let declared = runbook.map_or(&[][..], |runbook| runbook.parameters.as_slice());
    let own: Vec<String> = declared
        .iter()
        .map(|one| format!("--{}", one.name.to_lowercase()))
        .collect();
    let known: Vec<&str> = spec
        .flags
        .iter()
        .copied()
        .chain(own.iter().map(String::as_str))
        .collect();
    let reasons = spec.usage.contains("reason");
    let mut found = BTreeMap::new();
    for flag in flags {
        let meant = declared.iter().find(|one| one.name.eq_ignore_ascii_case(flag.name));
        if meant.is_none() && runbook.is_some() {
            let said = format!("--{}", flag.name);
            return Err(args.no_flag((spec.called(), &known), (&said, flag.place), reasons));
        }
        let name = meant.map_or(flag.name, |one| one.name.as_str());
        let value = flag.value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| args.error_over(flag.place, bare(name, meant)))?;
        let place = |message: String| args.error_over(flag.place, message);
        add(&mut found, (name, value)).map_err(place)?;
    }
    args.only_flags(spec.called(), &known, reasons)?;
    while let Some((name, value)) = args.peek().and_then(|word| word.split_once('=')) {
        if name.is_empty()
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        {
            break;
        }
        add(&mut found, (name, value)).map_err(|message| args.error(message))?;
        args.next();
    }
    let names = declared.iter().map(|one| one.name.as_str());
    args.no_value_among_words(names)?;
    Ok(found)
}

/// That a flag stands alone, with what could follow it.
fn bare(name: &str, parameter: Option<&Parameter>) -> String {
    let choices = parameter.map_or(&[][..], |one| one.choices.as_slice());
    let example = choices.first().map_or("…", String::as_str);
    let among = match choices {
        [] => String::new(),
        choices => format!(", one of {}", choices.join(", ")),
    };
    format!("`--{name}` needs a value{among}: write `--{name} {example}`")
}

fn add(found: &mut BTreeMap<String, String>, (name, value): (&str, &str)) -> Result<(), String> {
    if value.is_empty() {
        return Err(format!("`{name}` is said without a value: write `{name}=…`"));
    }
    if value.contains(['{', '}']) {
        return Err("braces stand for placeholders and cannot be part of a value".to_owned());
    }
    match found.insert(name.to_owned(), value.to_owned()) {
        None => Ok(()),
        Some(_) => Err(format!("`{name}` is said twice")),
    }
}
