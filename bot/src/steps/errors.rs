//! The newest errors in the logs of functions, each kind of them once: what people would look for next when much fails.
//!
//! CloudWatch Logs tells the oldest lines first. Where a page is full, the look begins anew with the newest part of the time, so that a flood shows what
//! happens now; where pages are empty, they are followed.

use commands::step::{CANNOT_TELL, ErrorRatio};
use commands::time::Span;

use super::At;
use super::lines::{Kind, count};
use super::logs::{self, Page, Wanted};
use crate::aws::AwsError;

/// What lines of errors hold, whatever language wrote them.
const PATTERN: &str = r#"?ERROR ?Error ?error ?Exception ?exception ?"Task timed out""#;
/// How many pages of a group are read in one look.
const PAGES: usize = 6;
/// A page with so many lines is one of a flood.
const FLOOD: usize = 500;
/// A flood is looked at in a part of the time.
const NARROWER: i64 = 8;
/// How many different errors are shown.
const SHOWN: usize = 3;

/// What the logs of some functions hold.
#[derive(Debug, Default)]
struct Found {
    kinds: Vec<Kind>,
    /// The shortest time that was looked at.
    over: Span,
    /// Whether lines were left unread.
    cut: bool,
    /// What could not be read, and why.
    blind: Vec<String>,
}

/// The newest errors, in lines for people. What cannot be read is said.
pub(super) async fn newest(at: At<'_>, errors: &ErrorRatio) -> Vec<String> {
    let mut found = Found {
        over: errors.over,
        ..Found::default()
    };
    for group in errors.log_groups() {
        if let Err(error) = read(at, (&group, errors.over), &mut found).await {
            found.blind.push(match error {
                AwsError::Fatal { code, .. } if code == "ResourceNotFoundException" => {
                    format!("there is no log group {group}")
                }
                error => format!("{group} cannot be read: {error}"),
            });
        }
    }
    found.lines()
}

/// Reads the lines of a group.
async fn read(at: At<'_>, (group, over): (&str, Span), found: &mut Found) -> Result<(), AwsError> {
    let mut own: Vec<Kind> = Vec::new();
    let (mut over, mut token) = (over, None::<String>);
    for _ in 0..PAGES {
        let wanted = Wanted {
            group,
            pattern: PATTERN,
            since: at.now + Span(-over.0),
            until: at.now,
        };
        let Page { events, next } = logs::page(at, wanted, token.as_deref()).await?;
        token = next;
        if token.is_some() && events.len() >= FLOOD && over.0 > NARROWER * 1000 {
            (over, token) = (Span(over.0 / NARROWER), None);
            own.clear();
            continue;
        }
        for event in &events {
            let line = event["message"].as_str().unwrap_or_default();
            count(&mut own, (line, event["timestamp"].as_i64().unwrap_or_default()));
        }
        if token.is_none() {
            break;
        }
    }
    found.cut |= token.is_some();
    found.over = found.over.min(over);
    found.kinds.extend(own);
    Ok(())
}

impl Found {
    fn lines(mut self) -> Vec<String> {
        let blind = self
            .blind
            .iter()
            .map(|why| format!("{CANNOT_TELL} which errors there are: {why}"));
        let mut lines: Vec<String> = blind.collect();
        let span = format!("in the last {}", self.over);
        if self.kinds.is_empty() {
            if self.blind.is_empty() {
                lines.push(format!("no line of the logs looks like an error {span}"));
            }
            return lines;
        }
        self.kinds.sort_by_key(|kind| std::cmp::Reverse(kind.at));
        let more = self.kinds.len().saturating_sub(SHOWN);
        let rest = match more {
            0 => String::new(),
            1 => ", and 1 other".to_owned(),
            more => format!(", and {more} others"),
        };
        let cut = if self.cut { "; not all lines were read" } else { "" };
        lines.push(format!("newest errors {span}{rest}{cut}:"));
        let shown = self.kinds.iter().take(SHOWN);
        lines.extend(shown.map(|kind| format!("{} × {}", kind.times, kind.newest)));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_in_numbers_are_one_kind() {
        let mut kinds = Vec::new();
        for (line, at) in [
            ("Error: case 101-20 is locked", 1),
            ("Error: case 7-21 is locked", 5),
            ("Error: case 9-21 is gone", 3),
        ] {
            count(&mut kinds, (line, at));
        }
        let lines = Found {
            kinds,
            over: Span::minutes(15),
            ..Found::default()
        }
        .lines();
        assert_eq!(
            lines,
            [
                "newest errors in the last 15 min:",
                "2 × Error: case 7-21 is locked",
                "1 × Error: case 9-21 is gone"
            ]
        );
    }

    #[test]
    fn no_more_than_three_are_shown_and_what_is_missing_is_said() {
        let mut kinds = Vec::new();
        for (at, word) in (0..).zip(["one", "two", "three", "four", "five"]) {
            count(&mut kinds, (&format!("Error: {word}"), at));
        }
        let found = Found {
            kinds,
            over: Span::minutes(1),
            cut: true,
            blind: vec!["there is no log group g".to_owned()],
        };
        let lines = found.lines();
        assert_eq!(lines.len(), 2 + SHOWN);
        assert_eq!(lines[0], "cannot tell which errors there are: there is no log group g");
        assert_eq!(
            lines[1],
            "newest errors in the last 1 min, and 2 others; not all lines were read:"
        );
        assert_eq!(lines[2], "1 × Error: five");
        let none = Found {
            over: Span::minutes(1),
            ..Found::default()
        };
        assert_eq!(
            none.lines(),
            ["no line of the logs looks like an error in the last 1 min"]
        );
    }
}
