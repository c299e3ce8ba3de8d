//! What operators ask, answered from an engine: the running server's, or one made for the question.

use std::sync::Arc;

use commands::decision::Reply;
use commands::facts::{Speaker, Via};
use commands::grammar::Scope;
use commands::ids::{DeliveryId, RecordId, ServiceId, TeamId, UserId};
use commands::operation::{self, Operation};
use commands::run::{Run, Status};
use commands::verb::{self, Parsed};
use commands::view::operation_name;
use serde::{Deserialize, Serialize};
use state::audit::{self, Seal};
use state::{StoreError, Stored};
use tokio::sync::mpsc;

use super::export::{Format, export};
use super::words::words;
use crate::runner::Engine;

/// Rows per page of a listing.
pub(super) const PAGE: usize = 500;

/// A question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    /// The runs.
    Runs {
        /// Of one service.
        service: Option<String>,
        /// Finished ones too.
        all: bool,
    },
    /// The journal.
    Export {
        /// How.
        format: Format,
        /// Of one service.
        service: Option<String>,
    },
    /// Whether the journal is whole.
    Verify {
        /// The server's output, with its seals.
        seals: String,
    },
    /// Words of a person.
    Say {
        /// The words.
        text: String,
        /// Their Slack user id.
        user: String,
    },
}

/// Where the lines of an answer go, one by one: a journal may be larger than memory. It is closed when nobody reads any more.
pub(super) type Out = mpsc::Sender<String>;

/// An answer, or what is left to say of it.
pub(super) struct Answer {
    /// What to print.
    pub(super) lines: Vec<String>,
    /// Whether all is well: decides the exit code.
    pub(super) good: bool,
}

/// Answers a question of an operating-system user, and says whether all is well. `confined` says whether production is out of their reach; `None`: they
/// may not speak at all.
pub(super) async fn answer(
    engine: &Arc<Engine>,
    ask: Ask,
    (os_user, confined): (&str, Option<bool>),
    out: Out,
) -> bool {
    let answered = match (unknown(engine, &ask), ask) {
        (Some(answer), _) => Ok(answer),
        (None, Ask::Export { format, service }) => Ok(export(engine, (format, service.as_deref()), &out).await),
        (None, Ask::Runs { service, all }) => runs(engine, service.as_deref(), all).await,
        (None, Ask::Verify { seals }) => verify(engine, &seals).await,
        (None, Ask::Say { text, user }) => Ok(say(engine, &text, &user, (os_user, confined)).await),
    };
    let answer = answered.unwrap_or_else(|error| Answer {
        lines: vec![error.to_string()],
        good: false,
    });
    for line in answer.lines {
        if out.send(line).await.is_err() {
            break;
        }
    }
    answer.good
}

/// What is said to a question about a service that there is not.
fn unknown(engine: &Engine, ask: &Ask) -> Option<Answer> {
    let (Ask::Runs { service, .. } | Ask::Export { service, .. }) = ask else {
        return None;
    };
    let name = service.as_deref()?;
    let known: Vec<&str> = engine.catalog.services.keys().map(ServiceId::as_str).collect();
    (!known.contains(&name)).then(|| Answer {
        lines: vec![format!(
            "There is no service `{name}`; there are: {}.",
            known.join(", ")
        )],
        good: false,
    })
}

/// The services that are asked about: one, or all.
pub(super) fn slots(engine: &Engine, service: Option<&str>) -> Vec<ServiceId> {
    engine
        .catalog
        .services
        .keys()
        .filter(|slot| service.is_none_or(|wanted| slot.as_str() == wanted))
        .cloned()
        .collect()
}

async fn runs(engine: &Engine, service: Option<&str>, all: bool) -> Result<Answer, StoreError> {
    let mut lines = Vec::new();
    for slot in slots(engine, service) {
        let mut cursor: Option<String> = None;
        loop {
            let page = engine.store.records(&slot, "run/", cursor.as_deref(), PAGE).await?;
            for stored in page.rows {
                match known(&stored) {
                    Some((open, line)) => lines.extend((all || open).then_some(line)),
                    None => lines.push(format!("{slot}  {}  a newer version of Signalbox runs it", stored.id)),
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    if lines.is_empty() {
        lines.push("no runs".to_owned());
    }
    Ok(Answer { lines, good: true })
}

/// Whether a run is open, and how it is listed; nothing when this version cannot read it.
fn known(stored: &Stored) -> Option<(bool, String)> {
    let fold = stored.fold.as_deref()?;
    Some(if stored.id.is_operation() {
        let operation: Operation = serde_json::from_str(fold).ok()?;
        (operation.ended().is_none(), operation_line(&operation))
    } else {
        let run: Run = serde_json::from_str(fold).ok()?;
        (run.ended().is_none(), line(&run))
    })
}

fn operation_line(operation: &Operation) -> String {
    let status = match operation.status {
        operation::Status::Running => "running".to_owned(),
        operation::Status::Stopped => "stopped".to_owned(),
        operation::Status::Undoing => "undoing".to_owned(),
        operation::Status::Ended { reason, .. } => reason.to_string(),
    };
    let plan = if operation.is_plan() { "plan of " } else { "" };
    columns(
        &operation.pinned.service,
        operation.environment().as_str(),
        (&operation.id, &status),
        &format!("{plan}{}", operation_name(operation)),
    )
}

fn line(run: &Run) -> String {
    let status = match run.status {
        Status::Waiting => "waiting".to_owned(),
        Status::Answering => "answering".to_owned(),
        Status::Following => "following".to_owned(),
        Status::Ended { reason, .. } => reason.to_string(),
    };
    let environments: Vec<&str> = run.environments().map(commands::ids::EnvironmentId::as_str).collect();
    let revision = &run.pinned.revision;
    let what = format!("{} {}", revision.short(), revision.ref_name().unwrap_or(""));
    columns(
        &run.pinned.service,
        &environments.join("+"),
        (&run.id, &status),
        what.trim_end(),
    )
}

fn columns(service: &ServiceId, environments: &str, (id, status): (&RecordId, &str), what: &str) -> String {
    let (service, id) = (service.as_str(), id.short());
    format!("{service:<12} {environments:<20} {id} {status:<18} {what}")
}

async fn verify(engine: &Engine, output: &str) -> Result<Answer, StoreError> {
    let mut lines = Vec::new();
    let mut seals = Vec::new();
    for line in output.lines() {
        match Seal::parse(line) {
            Some(Ok(seal)) => seals.push(seal),
            Some(Err(error)) => lines.push(format!("a seal cannot be read: {error}")),
            None => {}
        }
    }
    let slots = slots(engine, None);
    let report = audit::verify(&*engine.store, &slots, &engine.clerk.key, &seals).await?;
    lines.push(format!(
        "{} records, {} journal rows, {} ledger rows, {} seals",
        report.records, report.rows, report.ledger, report.seals
    ));
    if output.is_empty() {
        lines.push("no seals were given: a ledger that was cut or put back to an old state would not show".to_owned());
    }
    lines.extend(report.findings.iter().map(ToString::to_string));
    lines.push(if report.findings.is_empty() {
        "everything adds up".to_owned()
    } else {
        "NOT everything adds up".to_owned()
    });
    Ok(Answer {
        good: report.findings.is_empty(),
        lines,
    })
}

async fn say(engine: &Arc<Engine>, text: &str, user: &str, (os_user, confined): (&str, Option<bool>)) -> Answer {
    let fail = |words: String| Answer {
        lines: vec![words],
        good: false,
    };
    let Some(confined) = confined else {
        return fail("The command line is switched off by `command_line = \"off\"` in the configuration.".to_owned());
    };
    let user = match UserId::parse(user) {
        Ok(user) => user,
        Err(error) => return fail(format!("--as: {error}")),
    };
    let Some(speaker) = speaker(
        engine,
        text,
        user,
        Via::CommandLine {
            os_user: os_user.to_owned(),
            confined,
        },
    ) else {
        return fail("No service is configured.".to_owned());
    };
    let (reply, good) = engine.say(text, &speaker).await;
    match reply {
        Reply::None => Answer {
            lines: Vec::new(),
            good,
        },
        Reply::Private(message) | Reply::Public(message) => Answer {
            lines: words(&engine.people, &message).await,
            good,
        },
        Reply::Form(modal) => fail(format!(
            "Say why: this opens the form \"{}\" in Slack. Add the reason to the command.",
            modal.title
        )),
        Reply::FormErrors(errors) => fail(errors.into_values().collect::<Vec<_>>().join(" ")),
    }
}

/// A speaker in the home channel of the service that is spoken of; of the first one when the words do not tell.
fn speaker(engine: &Engine, text: &str, user: UserId, via: Via) -> Option<Speaker> {
    let first = engine.catalog.services.values().next()?;
    let meant = engine.catalog.services.values().find_map(|service| {
        match verb::parse(
            text,
            &Scope {
                catalog: &engine.catalog,
                channel: &service.channel,
            },
        ) {
            Ok(Parsed::Commands(commands)) => engine.catalog.services.get(&commands.first()?.service),
            _ => None,
        }
    });
    Some(Speaker {
        user,
        team: engine
            .catalog
            .teams
            .iter()
            .next()
            .cloned()
            .or_else(|| TeamId::parse("T0").ok())?,
        channel: meant.unwrap_or(first).channel.clone(),
        thread: None,
        via,
        delivery: DeliveryId::parse(&format!("say:{}", engine.ids.reference())).ok()?,
    })
}
