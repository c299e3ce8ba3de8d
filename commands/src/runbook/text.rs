//! Placeholders: `{environment}`, `{service}`, `{parameter.NAME}`, and `{step.NAME.OUTPUT}` for what an earlier step found. `{{` is a brace.

use std::collections::BTreeMap;

use crate::ids::{EnvironmentId, ServiceId, StepName};

/// What placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The service.
    pub service: &'a ServiceId,
    /// The environment.
    pub environment: &'a EnvironmentId,
    /// The parameters by name.
    pub parameters: &'a BTreeMap<String, String>,
    /// What the steps so far have found, by step and output.
    pub outputs: &'a BTreeMap<StepName, BTreeMap<String, String>>,
}

impl Values<'_> {
    /// Fills what is known before the first step; what steps will find stays as it is.
    ///
    /// # Errors
    /// The first placeholder that means nothing.
    pub fn fill_known(&self, text: &str) -> Result<String, String> {
        fill(
            text,
            |name| match name.strip_prefix("step.") {
                Some(_) => Some(format!("{{{name}}}")),
                None => self.known(name),
            },
            true,
        )
    }

    /// Fills everything.
    ///
    /// # Errors
    /// The first placeholder for which there is no value.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        fill(text, |name| self.known(name).or_else(|| self.found(name)), false)
    }

    fn known(&self, name: &str) -> Option<String> {
        match name {
            "environment" => Some(self.environment.to_string()),
            "service" => Some(self.service.to_string()),
            // Known only when the undo is made; until then it stands for itself.
            "was" => Some(crate::step::WAS.to_owned()),
            _ => self.parameters.get(name.strip_prefix("parameter.")?).cloned(),
        }
    }

    fn found(&self, name: &str) -> Option<String> {
        let (step, output) = name.strip_prefix("step.")?.split_once('.')?;
        self.outputs.get(step)?.get(output).cloned()
    }
}

/// The placeholders of a text, without their braces.
#[must_use]
pub fn placeholders(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    // A brace that is never closed is text.
    let _ = fill(
        text,
        |name| {
            names.push(name.to_owned());
            Some(String::new())
        },
        false,
    );
    names
}

/// Replaces placeholders. `keep` leaves doubled braces as they are, for a later filling.
fn fill(text: &str, mut value: impl FnMut(&str) -> Option<String>, keep: bool) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        filled.push_str(before);
        if let Some(tail) = after.strip_prefix("{{") {
            filled.push_str(if keep { "{{" } else { "{" });
            rest = tail;
            continue;
        }
        let inner = &after[1..];
        match inner.split_once('}').filter(|(name, _)| is_name(name)) {
            Some((name, tail)) => {
                filled.push_str(&value(name).ok_or_else(|| format!("{{{name}}}"))?);
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = inner;
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Only names stand for something: the braces of a JSON body are text.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_two_passes() {
        let service = ServiceId::parse("wallet").unwrap();
        let environment = EnvironmentId::parse("mainnet").unwrap();
        let parameters = BTreeMap::from([("table".to_owned(), "efcms-{x}".to_owned())]);
        let step = StepName::parse("color").unwrap();
        let outputs = BTreeMap::from([(step, BTreeMap::from([("value".to_owned(), "blue".to_owned())]))]);
        let values = Values {
            service: &service,
            environment: &environment,
            parameters: &parameters,
            outputs: &outputs,
        };
        let text = r#"{service}/{environment} {step.color.value} {"a":{{b}} {parameter.table}"#;
        let known = values.fill_known(text).unwrap();
        assert_eq!(known, r#"wallet/mainnet {step.color.value} {"a":{{b}} efcms-{x}"#);
        // What a parameter brought is not read as a placeholder of ours by accident: it fails loudly.
        assert_eq!(values.fill(&known), Err("{x}".to_owned()));
        assert_eq!(values.fill("{step.color.value}, {{x}").unwrap(), "blue, {x}");
        assert_eq!(values.fill("{step.color.other}"), Err("{step.color.other}".to_owned()));
        assert_eq!(
            placeholders(text),
            ["service", "environment", "step.color.value", "parameter.table"]
        );
    }
}
