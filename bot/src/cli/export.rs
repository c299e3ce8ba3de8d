//! The journal as evidence, written out while it is read: it may be larger than memory.

use std::collections::HashMap;

use commands::ids::{RecordId, ServiceId};
use serde::{Deserialize, Serialize};
use state::StoreError;
use state::audit::Row;

use super::ask::{Answer, Out, PAGE, slots};
use crate::runner::Engine;

/// How the journal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
}

/// Writes the journal as it is read, page by page. What is left to say is why it could not be read to its end.
pub(super) async fn export(engine: &Engine, (format, service): (Format, Option<&str>), out: &Out) -> Answer {
    if format == Format::Csv {
        let head = "service,record,seq,at,actor,channel,cause,reason,config,event,prev,mac";
        // Nobody reads any more: the next line finds that out as well.
        let _ = out.send(head.to_owned()).await;
    }
    for slot in slots(engine, service) {
        match export_of(engine, &slot, format, out).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                return Answer {
                    lines: vec![format!("THIS IS NOT ALL: {error}")],
                    good: false,
                };
            }
        }
    }
    Answer {
        lines: Vec::new(),
        good: true,
    }
}

/// The same of one service. Says whether somebody still reads.
async fn export_of(engine: &Engine, slot: &ServiceId, format: Format, out: &Out) -> Result<bool, StoreError> {
    // The ledger's order is the order in which things were committed, over all records of the service.
    let mut after = 0;
    let mut told: HashMap<RecordId, u64> = HashMap::new();
    loop {
        let ledger = engine.store.ledger(slot, after, PAGE).await?;
        let Some(last) = ledger.last() else {
            return Ok(true);
        };
        after = last.seq;
        for entry in ledger {
            let rows = match entry.refusal {
                Some(refusal) => vec![refusal],
                None => {
                    let seen = told.entry(entry.record.clone()).or_default();
                    let mut rows = engine.store.journal(slot, &entry.record, *seen, PAGE).await?;
                    let end = rows.iter().position(|row| row.mac == entry.mac);
                    rows.truncate(end.map_or(rows.len(), |end| end + 1));
                    *seen = rows.last().map_or(*seen, |row| row.seq);
                    rows
                }
            };
            for row in &rows {
                if out.send(write(slot, row, format)).await.is_err() {
                    return Ok(false);
                }
            }
        }
    }
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
