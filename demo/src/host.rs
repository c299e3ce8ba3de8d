//! What the demo lends to the page: a bot to kill, and its journal.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use commands::ids::{RecordId, ServiceId};
use commands::verb;
use sandbox::host::Host;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::rig::Rig;

/// How much of the ledger is read at once.
const PAGE: usize = 500;
/// How many rows are kept for the page.
const KEPT: usize = 2_000;

/// The demo, as the page sees it.
pub struct DemoHost {
    rig: Weak<Rig>,
    read: Mutex<Read>,
}

/// How far the ledgers were read, and what was found.
#[derive(Default)]
struct Read {
    ledgers: HashMap<ServiceId, u64>,
    journals: HashMap<(ServiceId, RecordId), u64>,
    rows: Vec<Value>,
}

impl DemoHost {
    /// The host of a rig, which does not keep it alive.
    #[must_use]
    pub fn new(rig: &Arc<Rig>) -> Self {
        Self {
            rig: Arc::downgrade(rig),
            read: Mutex::new(Read::default()),
        }
    }

    fn rig(&self) -> anyhow::Result<Arc<Rig>> {
        self.rig
            .upgrade()
            .ok_or_else(|| anyhow::anyhow!("the demo is stopping"))
    }
}

#[async_trait]
impl Host for DemoHost {
    async fn kill_and_restart(&self) -> anyhow::Result<()> {
        self.rig()?.restart().await
    }

    async fn journal(&self, limit: usize) -> anyhow::Result<Vec<Value>> {
        let Some(engine) = self.rig()?.engine().await else {
            return Ok(Vec::new());
        };
        let mut read = self.read.lock().await;
        for slot in engine.catalog.services.keys() {
            loop {
                let after = read.ledgers.get(slot).copied().unwrap_or_default();
                let ledger = engine.store.ledger(slot, after, PAGE).await?;
                let Some(last) = ledger.last() else { break };
                read.ledgers.insert(slot.clone(), last.seq);
                for entry in ledger {
                    if let Some(row) = entry.refusal {
                        read.rows.push(shown(slot, &row));
                        continue;
                    }
                    let key = (slot.clone(), entry.record.clone());
                    let seen = read.journals.get(&key).copied().unwrap_or_default();
                    for row in engine.store.journal(slot, &entry.record, seen, PAGE).await? {
                        read.journals.insert(key.clone(), row.seq);
                        read.rows.push(shown(slot, &row));
                    }
                }
            }
        }
        // Ledgers are read one service after the other; the page tells one story. Rows of the same instant keep their order.
        read.rows
            .sort_by_key(|row| row.get("at_ms").and_then(Value::as_i64).unwrap_or_default());
        let surplus = read.rows.len().saturating_sub(KEPT);
        read.rows.drain(..surplus);
        Ok(read.rows[read.rows.len().saturating_sub(limit)..].to_vec())
    }

    fn commands(&self) -> Vec<Value> {
        verb::rows().into_iter().map(|row| json!({ "command": row.command, "usage": format!("{} {}", row.name, row.usage).trim(), "summary": row.summary })).collect()
    }
}

fn shown(slot: &ServiceId, row: &state::audit::Row) -> Value {
    let event: Value = serde_json::from_str(&row.event).unwrap_or_default();
    json!({
        "at_ms": row.at.0, "service": slot, "record": row.record, "seq": row.seq, "actor": row.actor, "reason": row.reason,
        "event": event.get("event").cloned().unwrap_or_default(), "mac": row.mac.get(..8),
    })
}
