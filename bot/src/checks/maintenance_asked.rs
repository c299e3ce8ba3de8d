//! `maintenance-asked`: whether people have to be asked if maintenance mode is to be on: migrations would go out, and it is off.
//!
//! It never stops anybody by itself: the card asks, and whoever approves says which.

use async_trait::async_trait;
use commands::catalog::{CheckName, Pattern};
use commands::check::{Level, MAINTENANCE_ASKED, Verdict};
use commands::round::Change;
use commands::time::Timestamp;

use super::migrations_touched::touched;
use super::{Ask, Check};
use crate::aws::AwsError;

/// The check.
pub(super) struct MaintenanceAsked;

#[async_trait]
impl Check for MaintenanceAsked {
    fn name(&self) -> &'static str {
        MAINTENANCE_ASKED
    }

    fn about(&self) -> &'static str {
        "whether maintenance mode is on when migrations would go out"
    }

    async fn gather(&self, ask: &Ask<'_>) -> Result<Verdict, AwsError> {
        let Some(change) = ask.change else {
            return Err(AwsError::retryable(
                "NotYet",
                "what would go out is still being gathered",
            ));
        };
        let on = ask.environment.maintenance.is_some().then_some(ask.maintenance);
        Ok(judge((change, &ask.service.migrations), on, ask.now))
    }
}

/// `on`: whether maintenance was turned on from here; nothing, where there is no maintenance mode.
fn judge((change, patterns): (&Change, &[Pattern]), on: Option<bool>, now: Timestamp) -> Verdict {
    let migrations = !touched(change, patterns).is_empty();
    let (level, reason) = match (migrations, on) {
        _ if on.is_none() => (
            Level::Unknown,
            "the environment has no `maintenance` in the configuration",
        ),
        (true, Some(true)) => (Level::Good, "maintenance is on, and this run touches migrations"),
        (true, _) => (Level::Notice, "maintenance: off. This run touches migrations"),
        (false, _) if change.files_complete => (Level::Good, "no migrations, so it is not needed"),
        // Migrations are asked about by their own check; without the files nobody can tell.
        (false, _) => (
            Level::Notice,
            "cannot tell whether migrations are touched. Maintenance: not turned on from here",
        ),
    };
    Verdict {
        check: CheckName(MAINTENANCE_ASKED.to_owned()),
        level,
        reason: reason.to_owned(),
        evidence: Vec::new(),
        as_of: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(files: &[&str], files_complete: bool, on: Option<bool>) -> Level {
        let change = Change {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            files_complete,
            ..Change::default()
        };
        let patterns = [Pattern("db/migrations/**".to_owned())];
        judge((&change, &patterns), on, Timestamp(9)).level
    }

    #[test]
    fn people_are_asked_when_migrations_go_out_while_it_is_off() {
        let one = ["db/migrations/1.sql"];
        assert_eq!(judged(&one, true, Some(false)), Level::Notice);
        assert_eq!(judged(&one, true, Some(true)), Level::Good);
        assert_eq!(judged(&["src/a.rs"], true, Some(false)), Level::Good);
        assert_eq!(
            judged(&["src/a.rs"], false, Some(false)),
            Level::Notice,
            "nobody knows all files"
        );
        assert_eq!(judged(&one, true, None), Level::Unknown);
    }
}
