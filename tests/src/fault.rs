//! Faults of the vendors, and what a grid of them counts.

use serde_json::{Value, json};

use crate::scenario::Scenario;

/// A kind of fault as the control takes it, with how often it strikes.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Its name in the grid.
    pub name: &'static str,
    /// The control's body, without its target.
    pub body: Value,
}

/// A kind of fault that strikes so many calls.
#[must_use]
pub fn kind(name: &'static str, times: u32, details: &Value) -> Kind {
    let mut body = json!({ "kind": name, "times": times });
    if let (Some(body), Some(details)) = (body.as_object_mut(), details.as_object()) {
        body.extend(details.clone());
    }
    Kind { name, body }
}

impl Scenario {
    /// Sets a fault on a call.
    pub async fn breaks(&self, target: &str, kind: &Kind) {
        let mut body = kind.body.clone();
        body["target"] = json!(target);
        self.control("faults", body).await;
    }

    /// How often a call reached the sandbox, done or not.
    #[must_use]
    pub fn asked(&self, call: &str) -> usize {
        let log = &self.rig.sandbox().world().log;
        log.count(0, |entry| entry.call == call)
    }

    /// Whether every fault that was set has struck.
    #[must_use]
    pub fn has_struck(&self) -> bool {
        let faults = self.rig.sandbox().world().faults.list();
        faults.iter().all(|fault| fault.struck > 0)
    }

    /// Takes every fault away.
    pub fn mends(&self) {
        self.rig.sandbox().world().faults.clear(None);
    }
}
