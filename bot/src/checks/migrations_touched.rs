//! `migrations-touched`: whether what would go out changes the database's shape.
//!
//! It never stops anybody by itself: it makes sure that people see it. When not all files are known it cannot tell, which is not the same as none.

use async_trait::async_trait;
use commands::catalog::{CheckName, Pattern};
use commands::check::{Level, Verdict};
use commands::round::Change;
use commands::time::Timestamp;

use super::{Ask, Check};
use crate::aws::AwsError;

const NAME: &str = "migrations-touched";
/// A card has no room for more.
const SHOWN: usize = 10;

/// The check.
pub(super) struct MigrationsTouched;

#[async_trait]
impl Check for MigrationsTouched {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "whether files that fit the service's `migrations` patterns would go out"
    }

    async fn gather(&self, ask: &Ask<'_>) -> Result<Verdict, AwsError> {
        match fetch(ask) {
            Some(change) => Ok(judge(change, &ask.service.migrations, ask.now)),
            None => Err(AwsError::retryable(
                "NotYet",
                "what would go out is still being gathered",
            )),
        }
    }
}

fn fetch<'a>(ask: &Ask<'a>) -> Option<&'a Change> {
    ask.change
}

/// The files that fit.
pub(super) fn touched<'c>(change: &'c Change, patterns: &[Pattern]) -> Vec<&'c String> {
    let fits = |file: &&String| patterns.iter().any(|pattern| pattern.fits(file));
    change.files.iter().filter(fits).collect()
}

fn judge(change: &Change, patterns: &[Pattern], now: Timestamp) -> Verdict {
    let touched = touched(change, patterns);
    let (level, reason) = match (touched.len(), change.files_complete) {
        _ if patterns.is_empty() => (Level::Unknown, "no `migrations` patterns are configured".to_owned()),
        (0, true) => (Level::Good, "no migrations".to_owned()),
        (0, false) => {
            let why = change.unknown.as_deref().unwrap_or("the list of files is not whole");
            (Level::Unknown, format!("cannot tell: {why}"))
        }
        (1, true) => (Level::Notice, "1 migration".to_owned()),
        (number, true) => (Level::Notice, format!("{number} migrations")),
        (number, false) => (
            Level::Notice,
            format!("at least {number} migrations; the list of files is not whole"),
        ),
    };
    Verdict {
        check: CheckName(NAME.to_owned()),
        level,
        reason,
        evidence: touched.into_iter().take(SHOWN).cloned().collect(),
        // Two commits do not change any more: what was read of them long ago is as true as what is read now.
        as_of: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(files: &[&str], files_complete: bool, patterns: &[&str]) -> (Level, String) {
        let change = Change {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            files_complete,
            ..Change::default()
        };
        let patterns: Vec<_> = patterns.iter().map(|pattern| Pattern((*pattern).to_owned())).collect();
        let verdict = judge(&change, &patterns, Timestamp(9));
        assert_eq!(verdict.as_of, Timestamp(9));
        (verdict.level, verdict.reason)
    }

    #[test]
    fn files_that_fit_are_counted() {
        let patterns = ["db/migrations/**"];
        let one = judged(&["src/a.rs", "db/migrations/2026/1.sql"], true, &patterns);
        assert_eq!(one, (Level::Notice, "1 migration".to_owned()));
        assert_eq!(
            judged(&["src/a.rs"], true, &patterns),
            (Level::Good, "no migrations".to_owned())
        );
    }

    #[test]
    fn a_list_that_is_not_whole_proves_nothing() {
        let patterns = ["db/migrations/**"];
        assert_eq!(judged(&["src/a.rs"], false, &patterns).0, Level::Unknown);
        assert_eq!(judged(&["db/migrations/1.sql"], false, &patterns).0, Level::Notice);
        assert_eq!(judged(&["db/migrations/1.sql"], true, &[]).0, Level::Unknown);
    }
}
