//! The newest errors in the logs of functions, each kind of them once: what people would look for next when much fails.
//!
//! CloudWatch Logs tells the oldest lines first. Where a page is full, the look begins anew with the newest part of the time, so that a flood shows what
//! happens now; where pages are empty, they are followed.

use commands::step::{CANNOT_TELL, ErrorRatio};
use commands::time::Span;
use serde_json::Value;

use super::At;
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
/// How much of one is shown, in characters.
const LONGEST: usize = 130;
/// Words behind which a secret may stand.
const SECRETS: [&str; 6] = ["password", "passwd", "secret", "token", "apikey", "api_key"];

/// An error and how often it was there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    shape: String,
    newest: String,
    at: i64,
    times: usize,
}

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

fn count(kinds: &mut Vec<Kind>, (line, at): (&str, i64)) {
    let newest = message(line);
    let shape = shape(&newest);
    match kinds.iter_mut().find(|kind| kind.shape == shape) {
        Some(kind) => {
            kind.times += 1;
            if at >= kind.at {
                (kind.newest, kind.at) = (newest, at);
            }
        }
        None => kinds.push(Kind {
            shape,
            newest,
            at,
            times: 1,
        }),
    }
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

/// What a line says: without the instant, the request and the level before it, and of JSON only the error.
fn message(line: &str) -> String {
    let said = json_in(line).unwrap_or_else(|| {
        let first = line.trim().lines().next().unwrap_or_default();
        let words = first.split(|c: char| c.is_whitespace() || c.is_control());
        let words = words.filter(|word| !word.is_empty());
        words.skip_while(|word| is_preface(word)).collect::<Vec<_>>().join(" ")
    });
    cut(&without_secrets(&said))
}

/// Whether a word before the message tells nothing of the error: an instant, a request's id, a level.
fn is_preface(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    matches!(bare, "ERROR" | "Error" | "error" | "WARN" | "INFO" | "RequestId") && !word.ends_with(':')
        || bare == "RequestId"
        || shape(bare) == "#" && bare.len() > 7
}

/// The error in the JSON that a line is or ends with.
fn json_in(line: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line.get(line.find('{')?..)?.trim()).ok()?;
    let text = |name: &str| value[name].as_str().filter(|text| !text.is_empty());
    let nested = value["error"]["message"].as_str();
    let said = ["errorMessage", "message", "msg", "error"]
        .into_iter()
        .find_map(text)
        .or(nested)?;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(match text("errorType").or_else(|| text("name")) {
        Some(kind) => format!("{kind}: {said}"),
        None => said,
    })
}

/// The same error with other numbers, ids and instants has the same shape.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    let mut word = String::new();
    let end = |word: &mut String, shape: &mut String| {
        if word.chars().any(|c| c.is_ascii_digit()) {
            shape.push('#');
        } else {
            shape.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '+') {
            word.extend(c.to_lowercase());
        } else {
            end(&mut word, &mut shape);
            shape.push(c);
        }
    }
    end(&mut word, &mut shape);
    shape
}

/// Logs are other people's: what looks like a secret does not leave them.
fn without_secrets(text: &str) -> String {
    let mut hide_next = false;
    let hidden = text.split(' ').map(|word| {
        let lower = word.to_lowercase();
        let names = SECRETS.iter().any(|name| lower.contains(name));
        let keys = ["eyJ", "AKIA", "ASIA", "xox"]
            .iter()
            .any(|start| word.starts_with(start))
            && word.len() >= 16;
        if std::mem::take(&mut hide_next) || keys {
            return "…".to_owned();
        }
        hide_next = names && word.ends_with([':', '=']) || lower == "bearer";
        match word.find(['=', ':']) {
            Some(at) if names && at + 1 < word.len() => format!("{}…", &word[..=at]),
            _ => word.to_owned(),
        }
    });
    hidden.collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_says_is_found_behind_what_every_line_says() {
        for (line, said) in [
            (
                "2026-11-21T14:00:00.123Z\t4f2c1d9a-0000-4000-8000-000000000001\tERROR\tInvoke Error\t{\"errorType\":\"ValidationException\",\"errorMessage\":\"The provided key\\n does not match\",\"stack\":[\"x\"]}",
                "ValidationException: The provided key does not match",
            ),
            (
                "2026-11-21T14:00:00.123Z 4f2c1d9a-0000-4000-8000-000000000001 Task timed out after 900.00 seconds",
                "Task timed out after 900.00 seconds",
            ),
            (
                "[ERROR] ValueError: bad docket\nTraceback (most recent call last)",
                "ValueError: bad docket",
            ),
            ("{\"level\":\"error\",\"message\":\"no such case\"}", "no such case"),
            ("Error: could not lock", "Error: could not lock"),
            ("ERROR { not json", "{ not json"),
        ] {
            assert_eq!(message(line), said, "{line}");
        }
        assert_eq!(message(&"x".repeat(500)).chars().count(), LONGEST);
    }

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

    #[test]
    fn what_looks_like_a_secret_stays_in_the_log() {
        for (said, shown) in [
            (
                "login failed password=hunter2 for ann",
                "login failed password=… for ann",
            ),
            ("password: hunter2", "password: …"),
            ("Authorization Bearer abc.def", "Authorization Bearer …"),
            ("with eyJhbGciOiJIUzI1NiJ9.x", "with …"),
            ("token expired", "token expired"),
        ] {
            assert_eq!(without_secrets(said), shown);
        }
    }
}
