//! `maintenance-asked`: whether people have to be asked if maintenance mode is to be on: migrations would go out, and it is off.
//!
//! It is read where it takes effect; the desk only knows who turned it on from here. While it is off the check stops nobody: the card asks, and whoever
//! approves says which. What cannot be told is unknown, as everywhere.

use async_trait::async_trait;
use commands::catalog::{CheckName, Pattern};
use commands::check::{Level, MAINTENANCE_ASKED, Verdict};
use commands::round::Change;

use super::migrations_touched::touched;
use super::{Ask, Check};
use crate::aws::AwsError;
use crate::steps::{StepError, Truth, maintenance_truth};

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
        let migrations = Migrations::of(change, &ask.service.migrations);
        let (level, reason, evidence) = if migrations == Migrations::None {
            (Level::Good, "no migrations, so it is not needed".to_owned(), Vec::new())
        } else {
            judge(migrations, read(ask).await?, ask.turned_on)
        };
        Ok(Verdict {
            check: CheckName(MAINTENANCE_ASKED.to_owned()),
            level,
            reason,
            evidence,
            as_of: ask.now,
        })
    }
}

/// Whether migrations would go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Migrations {
    Some,
    None,
    /// Not all files are known.
    Unknown,
}

impl Migrations {
    fn of(change: &Change, patterns: &[Pattern]) -> Self {
        match (touched(change, patterns).is_empty(), change.files_complete) {
            (false, _) => Self::Some,
            (true, true) => Self::None,
            (true, false) => Self::Unknown,
        }
    }
}

/// Whether it is on; else why nobody can tell.
async fn read(ask: &Ask<'_>) -> Result<Result<Truth, String>, AwsError> {
    let Some(mode) = &ask.environment.maintenance else {
        return Ok(Err(
            "the environment has no `maintenance` in the configuration".to_owned()
        ));
    };
    match maintenance_truth(ask, mode).await {
        Ok(truth) => Ok(Ok(truth)),
        Err(StepError::Failed { message, .. }) => Ok(Err(message)),
        Err(StepError::Later(why)) => Err(AwsError::retryable("whether maintenance is on cannot be told", &why)),
    }
}

/// `turned_on`: from here, which is all that is known where nothing can be read.
fn judge(migrations: Migrations, read: Result<Truth, String>, turned_on: bool) -> (Level, String, Vec<String>) {
    let about = match migrations {
        Migrations::Some => "This run touches migrations",
        Migrations::None | Migrations::Unknown => "Whether this run touches migrations cannot be told",
    };
    match read {
        Ok(Truth::On(seen)) => (Level::Good, format!("maintenance: on. {about}"), vec![seen]),
        Ok(Truth::Off(seen)) if turned_on => {
            let reason = format!("maintenance: off, though it was turned on from here. {about}");
            (Level::Notice, reason, vec![seen])
        }
        Ok(Truth::Off(seen)) => (Level::Notice, format!("maintenance: off. {about}"), vec![seen]),
        Ok(Truth::Unread) => {
            let said = if turned_on {
                "turned on from here"
            } else {
                "not turned on from here"
            };
            let reason = format!("maintenance: {said}; nothing is configured that tells whether it is on. {about}");
            (Level::Notice, reason, Vec::new())
        }
        Err(why) => {
            let reason = format!("whether maintenance is on cannot be told: {why}. {about}");
            (Level::Unknown, reason, Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touches(files: &[&str], files_complete: bool) -> Migrations {
        let change = Change {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            files_complete,
            ..Change::default()
        };
        Migrations::of(&change, &[Pattern("db/migrations/**".to_owned())])
    }

    #[test]
    fn nobody_knows_what_is_not_listed() {
        assert_eq!(touches(&["db/migrations/1.sql"], false), Migrations::Some);
        assert_eq!(touches(&["src/a.rs"], true), Migrations::None);
        assert_eq!(touches(&["src/a.rs"], false), Migrations::Unknown);
    }

    #[test]
    fn what_is_there_counts_and_what_cannot_be_told_is_never_good() {
        let (on, off) = (
            Truth::On("the key is there".to_owned()),
            Truth::Off("no key".to_owned()),
        );
        let gone = Err("the Redis of X cannot be reached".to_owned());
        let cases = [
            (
                Ok(on),
                false,
                Level::Good,
                "maintenance: on. This run touches migrations",
            ),
            (
                Ok(off.clone()),
                false,
                Level::Notice,
                "maintenance: off. This run touches migrations",
            ),
            (
                Ok(off),
                true,
                Level::Notice,
                "maintenance: off, though it was turned on from here. This run touches migrations",
            ),
            (
                gone,
                true,
                Level::Unknown,
                "whether maintenance is on cannot be told: the Redis of X cannot be reached. This run touches migrations",
            ),
            (
                Ok(Truth::Unread),
                true,
                Level::Notice,
                "maintenance: turned on from here; nothing is configured that tells whether it is on. This run touches migrations",
            ),
        ];
        for (read, turned_on, level, reason) in cases {
            let judged = judge(Migrations::Some, read, turned_on);
            assert_eq!((judged.0, judged.1.as_str()), (level, reason));
        }
    }
}
