//! A program beside the bot.

use std::collections::BTreeMap;

use commands::effect::StepOutcome;
use commands::step::Command;
use commands::time::Timestamp;
use serde_json::{Value, json};

use super::super::lines::shown;
use super::super::listed::cut;
use super::super::{Answer, At, Probe, StepError, acted, pending, told_by_log};
use crate::programs::{State, Wanted};

pub(super) fn prepare(name: &str, at: At<'_>) -> Answer {
    let argv = allowed(name, at)?;
    Ok(StepOutcome::Prepared {
        memo: Value::Null,
        outputs: BTreeMap::new(),
        evidence: vec![format!("{name} is {}", cut(&argv.join(" ")))],
        done: false,
    })
}

fn allowed<'a>(name: &str, at: At<'a>) -> Result<&'a [String], StepError> {
    at.engine.programs.allowed(name).ok_or_else(|| {
        let why =
            format!("the configuration does not allow a program {name}: add it to `[commands]`, and restart the bot");
        StepError::failed("not_allowed", why)
    })
}

pub(super) fn act(step: &Command, name: &str, at: At<'_>) -> Answer {
    allowed(name, at)?;
    let marker = at.marker();
    let wanted = Wanted {
        marker: &marker,
        name,
        variables: &step.variables,
        limit: step.limit,
    };
    match at.engine.programs.start(wanted) {
        Ok(()) => Ok(acted(memo(step, at))),
        Err(why) => Err(StepError::failed(
            "not_started",
            format!("{name} was not started: {why}"),
        )),
    }
}

fn memo(step: &Command, at: At<'_>) -> Value {
    json!({ "host": at.engine.programs.host(), "ends": at.now + step.limit })
}

/// Only the bot that started it knows.
pub(super) fn probe(step: &Command, at: At<'_>) -> Probe {
    if at.engine.programs.state(&at.marker()).is_some() {
        return Probe::Done(acted(memo(step, at)));
    }
    Probe::CannotTell("a bot was to start the program and is gone: it may or may not have begun".to_owned())
}

pub(super) fn watch(at: At<'_>) -> Answer {
    let memo = &at.call.memo;
    match at.engine.programs.state(&at.marker()) {
        Some(State::Runs) => Ok(pending(memo.clone(), "it runs")),
        Some(State::Ended(Some(0), said)) => Ok(StepOutcome::Finished {
            outputs: BTreeMap::from([("output".to_owned(), last(&said))]),
            evidence: vec![format!("it ended well: {}", last(&said))],
        }),
        Some(State::Ended(Some(code), said)) => Err(failed(
            at,
            (&format!("exit_{code}"), &format!("it ended with {code}")),
            said,
        )),
        Some(State::Ended(None, said)) => Err(failed(at, ("killed", "something ended it"), said)),
        Some(State::TooLong(said)) => Err(failed(at, ("too_long", "it took too long and was ended"), said)),
        None => elsewhere(at),
    }
}

/// A failure with how the program's output ends, and what else of it tells.
fn failed(at: At<'_>, (code, how): (&str, &str), said: String) -> StepError {
    let message = format!("{how}: {}", last(&said));
    told_by_log::explained(at, (code.to_owned(), message), &[said])
}

/// Another replica may have it, or the bot that had it is gone and took it along.
fn elsewhere(at: At<'_>) -> Answer {
    let memo = &at.call.memo;
    let ends: Timestamp = serde_json::from_value(memo["ends"].clone()).unwrap_or_default();
    let here = memo["host"] == at.engine.programs.host();
    if here || at.now >= ends {
        let why = "the bot that ran it is gone: nobody knows how far it came. Look before it is tried again";
        return Err(StepError::failed("end_unseen", why));
    }
    Ok(pending(
        memo.clone(),
        "it runs beside another replica, or that one is gone; its limit tells",
    ))
}

/// The end of what it said: why something failed stands there.
fn last(said: &str) -> String {
    let lines: Vec<String> = said.lines().map(shown).filter(|line| !line.is_empty()).collect();
    match lines.get(lines.len().saturating_sub(3)..).unwrap_or_default() {
        [] => "it said nothing".to_owned(),
        last => cut(&last.join(" / ")),
    }
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn the_end_of_what_a_program_said_is_shown() {
        assert_eq!(last("one\n\n two\nthree\nfour\n"), "two / three / four");
        assert_eq!(last("\n"), "it said nothing");
        assert_eq!(
            last("connects\nexport DB_PASSWORD=hunter2\n\u{1b}[31mdone"),
            "connects / export DB_PASSWORD=… / done"
        );
    }
}
