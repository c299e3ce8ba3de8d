//! Checks: evidence about the world. Each is one file with a thin `fetch` that asks and a pure `judge` that decides.
//!
//! A new check is one file here and one line in [`CHECKS`]; a test compares the two.

mod alarms_quiet;
mod maintenance_asked;
mod migrations_touched;

use std::sync::Arc;

use async_trait::async_trait;
use commands::catalog::{CheckName, Environment, Service};
use commands::check::{Level, Verdict};
use commands::ids::RecordId;
use commands::round::Change;
use commands::time::Timestamp;

use crate::aws::AwsError;
use crate::door::Lease;
use crate::runner::Engine;

/// A kind of evidence.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name, as configuration and people write it.
    fn name(&self) -> &'static str;

    /// What it looks at, in one sentence for `help` and for errors of configuration.
    fn about(&self) -> &'static str;

    /// Whether it turns red by maintenance mode alone.
    fn reddens_in_maintenance(&self) -> bool {
        false
    }

    /// Gathers the evidence and judges it. What cannot be found out is a verdict too: unknown, with the reason.
    ///
    /// # Errors
    /// When another try may find it out; the caller decides how often, and then calls [`unknown`].
    async fn gather(&self, ask: &Ask<'_>) -> Result<Verdict, AwsError>;
}

/// What a check is asked about, and with what it may look.
pub struct Ask<'a> {
    /// The service.
    pub service: &'a Service,
    /// The environment.
    pub environment: &'a Environment,
    /// What would go out; `None` while it has not been gathered.
    pub change: Option<&'a Change>,
    /// For which run.
    pub run: &'a RecordId,
    /// Whether maintenance mode was turned on from here.
    pub turned_on: bool,
    /// With what it looks.
    pub engine: &'a Arc<Engine>,
    /// Now, by the `Clock`.
    pub now: Timestamp,
    /// The worker's lease.
    pub lease: Lease,
}

/// Every check there is.
pub const CHECKS: &[&dyn Check] = &[
    &alarms_quiet::AlarmsQuiet,
    &migrations_touched::MigrationsTouched,
    &maintenance_asked::MaintenanceAsked,
];

/// A check by name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Check> {
    CHECKS.iter().copied().find(|check| check.name() == name)
}

/// The verdict of a check whose evidence could not be had.
#[must_use]
pub fn unknown(check: &CheckName, why: &str, now: Timestamp) -> Verdict {
    Verdict {
        check: check.clone(),
        level: Level::Unknown,
        reason: why.to_owned(),
        evidence: Vec::new(),
        as_of: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_is_in_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/checks");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| Some(entry.unwrap().path().file_stem()?.to_str()?.replace('_', "-")))
            .filter(|name| name != "mod")
            .collect();
        let table: BTreeSet<String> = CHECKS.iter().map(|check| check.name().to_owned()).collect();
        assert_eq!(files, table);
    }

    #[test]
    fn checks_are_found_by_name() {
        assert!(find("alarms-quiet").is_some());
        assert!(find("alarms_quiet").is_none());
    }
}
