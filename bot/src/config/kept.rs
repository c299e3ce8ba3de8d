//! Commands under which runbooks are kept: `command = "/migrate start"`.

use commands::ids::EnvironmentId;
use commands::runbook::Runbook;
use commands::verb::KEPT_UNDER;

use super::section::{Place, Value, closest};

/// The command under which a runbook is kept.
pub(super) fn command(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if KEPT_UNDER.contains(&text) {
        return Some(text.to_owned());
    }
    let guess =
        closest(text, KEPT_UNDER.iter().copied()).map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
    value.place.complain(format!(
        "`{text}` is no command under which a runbook is kept.{guess} There are: {}",
        KEPT_UNDER.join(", ")
    ));
    None
}

/// An environment has one runbook under a command at most, and one that is started by what else undoes a run is told nothing but the reason.
pub(super) fn judge(runbook: &Runbook, others: &[Runbook], (place, environments): (&Place<'_>, &[&str])) {
    let Some(command) = &runbook.command else { return };
    let meets = |other: &&Runbook| {
        let meet = |word: &&str| both_fit(other, runbook, word);
        other.command == runbook.command && environments.iter().any(meet)
    };
    if let Some(other) = others.iter().find(meets) {
        place.complain(format!(
            "is kept under `{command}`, and so is {}: no environment may have two",
            other.name
        ));
    }
    let asked = runbook.parameters.iter().find(|one| one.default.is_none());
    if let Some(parameter) = asked.filter(|_| command.ends_with(" abort")) {
        place.complain(format!(
            "is kept under `{command}`, which takes a reason and no values: give the parameter {} a `default`",
            parameter.name
        ));
    }
}

fn both_fit(one: &Runbook, other: &Runbook, environment: &str) -> bool {
    EnvironmentId::parse(environment).is_ok_and(|environment| one.fits(&environment) && other.fits(&environment))
}
