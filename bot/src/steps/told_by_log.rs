//! What a log adds to a failure whose own words say little: the line by which it is known, and the newest errors.
//!
//! A script that fails says `exit status 1`; what tells stands in what it wrote. The line by which the failure is known becomes one of the failure's
//! lines, where the core finds it again ([`commands::runbook::Expected::told_by`]).

use commands::runbook::missing;

use super::lines::{self, Kind, plain, without_secrets};
use super::{At, StepError};

/// How many different errors are shown.
const SHOWN: usize = 3;
/// How much of a line is shown that tells what a failure is, in characters.
const LONGEST: usize = 700;
/// How much of it stands before the words that tell.
const BEFORE: usize = 150;
/// What lines of errors hold, in lower case.
const ERRORS: [&str; 5] = ["error", "exception", "fatal", "panicked", "timed out"];
/// What looks like an error and only says that there was one, or none.
const ECHOES: [&str; 7] = [
    "[container]",
    "make:",
    "make[",
    "npm err",
    "phase context status code",
    "error command failed with exit code",
    "info visit",
];
const NONE: [&str; 5] = ["0 error", "no error", "without error", "0 failed", "errors: 0"];

/// A log on its way from its end to its beginning.
#[derive(Debug)]
pub(super) struct Reading {
    /// The words that are looked for, of each failure that may be known, in their order; what the failure itself says is left out.
    wanted: Vec<Vec<String>>,
    /// The newest line that holds them all, for each.
    found: Vec<Option<String>>,
    /// What the failure itself says.
    failure: String,
    kinds: Vec<Kind>,
    /// How the log ends; nothing to be told where the failure itself says that.
    last: Option<Option<String>>,
    /// How many lines were read.
    read: i64,
}

impl Reading {
    /// Begins to read the log of a failure. What stands behind a failure that its own words tell is not looked for: the first that fits counts.
    pub(super) fn new(known: &[Vec<String>], (code, message): (&str, &str)) -> Self {
        let failure = format!("{code}: {message}");
        let first = failure.lines().next().unwrap_or_default();
        let rest = known.iter().map(|words| missing(words, first));
        let wanted: Vec<Vec<String>> = rest
            .take_while(|words| !words.is_empty())
            .map(|words| words.into_iter().map(str::to_lowercase).collect())
            .collect();
        Self {
            found: vec![None; wanted.len()],
            wanted,
            failure,
            kinds: Vec::new(),
            last: None,
            read: 0,
        }
    }

    /// Reads the part of a log that comes before what was read so far: its texts, oldest first.
    pub(super) fn part<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        for line in whole(texts).iter().rev() {
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        self.read += 1;
        let lower = line.to_lowercase();
        for (words, found) in self.wanted.iter().zip(&mut self.found) {
            if found.is_none() && words.iter().all(|word| lower.contains(word)) {
                *found = shown(line, words);
            }
        }
        let told = self.failure.contains(line);
        let echo = ECHOES.iter().any(|echo| lower.starts_with(echo));
        if self.last.is_none() && !echo {
            self.last = Some((!told).then(|| lines::cut(&without_secrets(line))));
        }
        let tells = ERRORS.iter().any(|word| lower.contains(word)) && !NONE.iter().any(|word| lower.contains(word));
        if tells && !echo && !told {
            // What is read later was written earlier.
            lines::count(&mut self.kinds, (line, -self.read));
        }
    }

    /// Whether nothing further up in the log could be more telling.
    pub(super) fn is_enough(&self) -> bool {
        self.found.first().map_or(self.read > 0, Option::is_some)
    }

    /// Whether the log was looked into for a known failure, and none was found.
    pub(super) fn is_in_vain(&self) -> bool {
        !self.wanted.is_empty() && self.found.iter().all(Option::is_none)
    }

    /// How many lines were read.
    pub(super) const fn len(&self) -> i64 {
        self.read
    }

    /// What is added to the failure, line by line.
    pub(super) fn lines(mut self) -> Vec<String> {
        let telling = self.found.into_iter().flatten().next();
        self.kinds.sort_by_key(|kind| std::cmp::Reverse(kind.at));
        let new = |kind: &&Kind| {
            let said = kind.newest.trim_end_matches('…');
            !telling.iter().chain([&self.failure]).any(|text| text.contains(said))
        };
        let errors = self.kinds.iter().filter(new).take(SHOWN).map(|kind| match kind.times {
            1 => kind.newest.clone(),
            times => format!("{times} × {}", kind.newest),
        });
        let errors: Vec<String> = errors.collect();
        let mut told: Vec<String> = telling.iter().cloned().collect();
        if !errors.is_empty() {
            told.push("newest errors in the log:".to_owned());
            told.extend(errors);
        } else if told.is_empty() {
            let last = self.last.flatten();
            told.extend(last.map(|last| format!("the log ends with: {last}")));
        }
        told
    }
}

/// A failure with what a log tells of it that came along with it.
pub(super) fn explained(at: At<'_>, (code, message): (String, String), log: &[String]) -> StepError {
    let mut reading = Reading::new(&at.call.known, (&code, &message));
    reading.part(log.iter().map(String::as_str));
    with((code, message), &reading.lines())
}

/// A failure with lines below it.
pub(super) fn with(error: (String, String), lines: &[String]) -> StepError {
    let (code, message) = error;
    let message = [&[message], lines].concat().join("\n");
    StepError::Failed { code, message }
}

/// The lines of some texts, in their order. Terraform folds what it says at the edge of a box: that is one line.
fn whole<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut boxed = false;
    for line in texts.flat_map(|text| text.split(['\n', '\r'])) {
        let line = plain(line);
        let inner = line.strip_prefix('│').map(str::trim);
        match (inner, lines.last_mut()) {
            (Some(inner), Some(before)) if boxed && !inner.is_empty() => {
                before.push(' ');
                before.push_str(inner);
            }
            _ => lines.push(inner.map_or_else(|| line.clone(), str::to_owned)),
        }
        boxed = inner.is_some_and(|inner| !inner.is_empty());
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// A line as people may see it: without secrets, and of a long one the part that tells. Nothing, where what tells is secret.
fn shown(line: &str, words: &[String]) -> Option<String> {
    let line = without_secrets(line);
    let holds = |text: &str| missing(words, text).is_empty();
    if line.chars().count() <= LONGEST {
        return holds(&line).then_some(line);
    }
    let first = words.iter().filter_map(|word| line.to_lowercase().find(word)).min()?;
    let before = line.to_lowercase().get(..first)?.chars().count().saturating_sub(BEFORE);
    let part: String = line.chars().skip(before).take(LONGEST).collect();
    // What lies further apart than that is shown without what is between.
    Some(if holds(&part) {
        format!("…{part}…")
    } else {
        format!("…{}…", words.join(" … "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILURE: (&str, &str) = (
        "build_failed",
        "BUILD: Error while executing command: make. Reason: exit status 1",
    );

    fn known(all: &[&[&str]]) -> Vec<Vec<String>> {
        let owned = |words: &&[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        all.iter().map(owned).collect()
    }

    fn told(all: &[&[&str]], log: &[&str]) -> Vec<String> {
        let mut reading = Reading::new(&known(all), FAILURE);
        reading.part(log.iter().copied());
        reading.lines()
    }

    #[test]
    fn the_newest_line_counts_in_which_all_words_stand_together() {
        let role: &[&[&str]] = &[&["build_failed", "ENTITYALREADYEXISTS", "role"]];
        assert_eq!(
            told(
                role,
                &["EntityAlreadyExists: role a", "EntityAlreadyExists: role b", "bye"]
            )[0],
            "EntityAlreadyExists: role b"
        );
        assert_eq!(
            told(
                role,
                &["\u{1b}[31mEntityAlready\u{1b}[0mExists:\u{1b}[1m role a\u{1b}[0m"]
            )[0],
            "EntityAlreadyExists: role a"
        );
        let apart = told(role, &["EntityAlreadyExists: x", "the role of x"]);
        assert_eq!(apart, ["the log ends with: the role of x"], "two lines are none");
        assert_eq!(
            told(role, &["EntityAlreadyExists:\nrole a"]).len(),
            1,
            "nor are two of one event"
        );
    }

    #[test]
    fn of_several_known_failures_the_first_counts_wherever_it_stands() {
        let both: &[&[&str]] = &[&["exists", "cname"], &["exists"]];
        let mut reading = Reading::new(&known(both), FAILURE);
        reading.part(["it exists"].into_iter());
        assert!(!reading.is_enough(), "the first may stand further up");
        reading.part(["cname exists"].into_iter());
        assert!(reading.is_enough() && !reading.is_in_vain());
        assert_eq!(reading.lines()[0], "cname exists");
        // What the failure itself tells needs no log, and ends the search.
        let clear = Reading::new(&known(&[&["build_failed"], &["exists"]]), FAILURE);
        assert!(!clear.is_in_vain() && clear.wanted.is_empty());
    }

    #[test]
    fn what_terraform_folds_is_one_line() {
        let log = [
            "╷",
            "│ Error: creating Route53 Record: InvalidChangeBatch: [Tried to create",
            "│ resource record set [name='_x.a.example.org.', type='CNAME'] but it already",
            "│ exists]",
            "│ ",
            "│   with aws_route53_record.validation,",
            "╵",
        ];
        assert_eq!(
            told(&[&["InvalidChangeBatch", "type='CNAME'", "already exists"]], &log)[0],
            "Error: creating Route53 Record: InvalidChangeBatch: [Tried to create resource record set [name='_x.a.example.org.', type='CNAME'] but it already exists]"
        );
    }

    #[test]
    fn the_newest_errors_are_shown_once_each_and_echoes_are_not() {
        let log = [
            "Error: case 1 is locked",
            "TypeError: x is undefined",
            "Error: case 2 is locked",
            "RangeError: password=hunter2 is too long",
            "Error: no space left",
            "12 passed, 0 errors",
            "make: *** [Makefile:3: deploy] Error 1",
            "[Container] 2026/11/21 14:00:00 Command did not exit successfully make exit status 1",
            "[Container] 2026/11/21 14:00:00 Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing",
        ];
        assert_eq!(
            told(&[], &log),
            [
                "newest errors in the log:",
                "Error: no space left",
                "RangeError: password=… is too long",
                "2 × Error: case 2 is locked"
            ]
        );
        assert_eq!(told(&[], &["all good"]), ["the log ends with: all good"]);
        assert_eq!(told(&[], &[]), [""; 0]);
        assert_eq!(
            told(&[], &["before", "exit status 1"]),
            [""; 0],
            "the failure says how it ends"
        );
        // The line by which it is known is not told twice.
        assert_eq!(
            told(&[&["locked"]], &["Error: case 2 is locked"]),
            ["Error: case 2 is locked"]
        );
    }

    #[test]
    fn long_lines_are_cut_around_what_tells_and_secrets_stay_in_the_log() {
        let long = format!("{} NoSuchKey: api.zip {}", "x".repeat(5_000), "y".repeat(5_000));
        let line = &told(&[&["nosuchkey", "api.zip"]], &[&long])[0];
        assert!(line.contains("NoSuchKey: api.zip") && line.chars().count() <= LONGEST + 2);
        let apart = format!("NoSuchKey {} api.zip", "x".repeat(5_000));
        assert_eq!(
            told(&[&["nosuchkey", "api.zip"]], &[&apart])[0],
            "…nosuchkey … api.zip…"
        );
        let secret = told(&[&["locked"]], &["the state is locked, token=abcdef"]);
        assert_eq!(secret[0], "the state is locked, token=…");
        let hidden = told(&[&["hunter2"]], &["password=hunter2"]);
        assert_eq!(hidden, ["the log ends with: password=…"], "what tells is a secret");
    }
}
