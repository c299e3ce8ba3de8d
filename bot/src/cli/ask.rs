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
use state::audit::{self, Row, Seal};
use state::{StoreError, Stored};

use super::words::words;
use crate::runner::Engine;

/// Rows per page of a listing.
const PAGE: usize = 500;

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

/// How the journal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What to print.
    pub lines: Vec<String>,
    /// Whether all is well: decides the exit code.
    pub good: bool,
}

/// Answers a question of an operating-system user. `confined` says whether production is out of their reach; `None`: they may not speak at all.
pub(super) async fn answer(engine: &Arc<Engine>, ask: Ask, os_user: &str, confined: Option<bool>) -> Answer {
    if let Ask::Runs {
        service: Some(name), ..
    }
    | Ask::Export {
        service: Some(name), ..
    } = &ask
        && slots(engine, Some(name)).is_empty()
    {
        let known: Vec<&str> = engine.catalog.services.keys().map(ServiceId::as_str).collect();
        return Answer {
            lines: vec![format!(
                "There is no service `{name}`; there are: {}.",
                known.join(", ")
            )],
            good: false,
        };
    }
    let answered = match ask {
        Ask::Runs { service, all } => runs(engine, service.as_deref(), all).await,
        Ask::Export { format, service } => export(engine, format, service.as_deref()).await,
        Ask::Verify { seals } => verify(engine, &seals).await,
        Ask::Say { text, user } => return say(engine, &text, &user, (os_user, confined)).await,
    };
    answered.unwrap_or_else(|error| Answer {
        lines: vec![error.to_string()],
        good: false,
    })
}

fn slots(engine: &Engine, service: Option<&str>) -> Vec<ServiceId> {
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

async fn export(engine: &Engine, format: Format, service: Option<&str>) -> Result<Answer, StoreError> {
    let mut lines = Vec::new();
    if format == Format::Csv {
        lines.push("service,record,seq,at,actor,channel,cause,reason,config,event,prev,mac".to_owned());
    }
    for slot in slots(engine, service) {
        // The ledger's order is the order in which things were committed, over all records of the service.
        let mut after = 0;
        let mut told: std::collections::HashMap<commands::ids::RecordId, u64> = std::collections::HashMap::new();
        loop {
            let ledger = engine.store.ledger(&slot, after, PAGE).await?;
            let Some(last) = ledger.last() else { break };
            after = last.seq;
            for entry in ledger {
                if let Some(refusal) = &entry.refusal {
                    lines.push(write(&slot, refusal, format));
                    continue;
                }
                let seen = told.entry(entry.record.clone()).or_default();
                for row in engine.store.journal(&slot, &entry.record, *seen, PAGE).await? {
                    *seen = row.seq;
                    lines.push(write(&slot, &row, format));
                    if row.mac == entry.mac {
                        break;
                    }
                }
            }
        }
    }
    Ok(Answer { lines, good: true })
}

fn write(slot: &ServiceId, row: &Row, format: Format) -> String {
    match format {
        Format::Jsonl => {
            let event: serde_json::Value = serde_json::from_str(&row.event).unwrap_or_default();
            let at = row.at.utc().to_rfc3339();
            serde_json::json!({
                "service": slot, "record": row.record, "seq": row.seq, "at": at, "actor": row.actor, "channel": row.channel, "cause": row.cause,
                "reason": row.reason, "config": row.config, "event": event, "prev": row.prev, "mac": row.mac,
            })
            .to_string()
        }
        Format::Csv => {
            let seq = row.seq.to_string();
            let at = row.at.utc().to_rfc3339();
            let fields = [
                slot.as_str(),
                row.record.as_str(),
                &seq,
                &at,
                &row.actor,
                &row.channel,
                &row.cause,
                &row.reason,
                &row.config,
                &row.event,
                &row.prev,
                &row.mac,
            ];
            fields.map(quoted).join(",")
        }
    }
}

/// A field of CSV (RFC 4180). One that a spreadsheet would take for a formula is made plain text: journals hold foreign words.
fn quoted(field: &str) -> String {
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
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
