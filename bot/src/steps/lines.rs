//! Lines of logs, as people may see them: without colors, without what every line says, and without what looks like a secret. Logs are other people's.

use serde_json::Value;

/// How much of an error is shown, in characters.
const LONGEST: usize = 130;
/// Words behind which a secret may stand.
const SECRETS: [&str; 8] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "private_key",
    "credential",
];
/// How keys and tokens begin that are told by that.
const KEYS: [&str; 8] = ["eyJ", "AKIA", "ASIA", "xox", "xapp-", "ghp_", "ghs_", "github_pat_"];
/// What is shown instead of a secret.
const HIDDEN: &str = "…";

/// An error and how often it was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    shape: String,
    /// What the newest of them says.
    pub(super) newest: String,
    /// When it was there; of two, the later one is newer.
    pub(super) at: i64,
    pub(super) times: usize,
}

/// Counts a line among those of its kind.
pub(super) fn count(kinds: &mut Vec<Kind>, (line, at): (&str, i64)) {
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

/// A line without colors and control characters, its words apart by one blank.
pub(super) fn plain(line: &str) -> String {
    let line = without_colors(line);
    let words = line.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Foreign words as people may see them: in one line, without colors and without what looks like a secret.
pub(super) fn shown(text: &str) -> String {
    without_secrets(&plain(text))
}

/// A text without the escape sequences by which terminals color, move and title: terraform and test runners write them into logs as well.
fn without_colors(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let sequence = match c {
            '\u{1b}' => rest.next(),
            '\u{9b}' => Some('['),
            _ => {
                shown.push(c);
                continue;
            }
        };
        match sequence {
            // Parameters, then one letter.
            Some('[') => drop(rest.by_ref().find(|c| ('@'..='~').contains(c))),
            // A title or a link, up to a bell or a string's end.
            Some(']') => drop(rest.by_ref().find(|c| matches!(c, '\u{7}' | '\\' | '\u{9c}'))),
            _ => {}
        }
    }
    shown
}

/// What a line says: without the instant, the request and the level before it, and of JSON only the error.
pub(super) fn message(line: &str) -> String {
    let line = without_colors(line);
    let said = json_in(&line).unwrap_or_else(|| {
        let first = plain(line.trim().lines().next().unwrap_or_default());
        let words = first.split(' ');
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

/// A text without what looks like a secret: keys and tokens by how they begin, and what stands behind a word that names one.
pub(super) fn without_secrets(text: &str) -> String {
    let text = without_users(text);
    // How many of the next words are hidden, and whether the last one was a name that may yet be given a value.
    let (mut hide, mut named) = (0, false);
    let hidden = text.split(' ').map(|word| {
        if hide > 0 {
            hide -= 1;
            return HIDDEN.to_owned();
        }
        if named && matches!(word, "=" | ":" | ":=" | "=>") {
            hide = 1;
            return word.to_owned();
        }
        let lower = word.to_ascii_lowercase();
        named = SECRETS.iter().any(|name| lower.contains(name));
        hide = match lower.trim_matches(['"', '\'', ':', '=']) {
            // A scheme and what it carries.
            "authorization" if word.ends_with([':', '=']) => 2,
            "bearer" => 1,
            _ if named && word.ends_with([':', '=']) => 1,
            _ => 0,
        };
        if hide > 0 {
            return word.to_owned();
        }
        without_value(word, &lower)
    });
    hidden.collect::<Vec<_>>().join(" ")
}

/// A word without the value of the secret that it names, and without a key within it. A name that only is part of a value, such as of a record, hides
/// nothing, and neither does that of an AWS service.
fn without_value(word: &str, lower: &str) -> String {
    let bare = lower.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if bare.starts_with("arn:") || bare.starts_with("secretsmanager:") {
        return word.to_owned();
    }
    let named = SECRETS.iter().filter_map(|name| lower.find(name)).min();
    let value = named.and_then(|at| Some(at + lower.get(at..)?.find(['=', ':'])? + 1));
    if let Some(start) = value
        .and_then(|at| word.get(..at))
        .filter(|start| start.len() < word.len())
    {
        return format!("{start}{HIDDEN}");
    }
    let begins = |at: &usize| *at == 0 || word[..*at].ends_with(|c: char| !c.is_ascii_alphanumeric());
    let key = KEYS.iter().filter_map(|key| word.find(key)).filter(begins).min();
    match key.filter(|at| word.len() - at >= 16) {
        Some(at) => format!("{}{HIDDEN}", &word[..at]),
        None => word.to_owned(),
    }
}

/// A text without what stands before the hosts of its addresses: people put passwords there.
pub(super) fn without_users(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after
            .find(|c: char| c == '/' || c == '"' || c.is_whitespace())
            .unwrap_or(after.len());
        let (host, behind) = after.split_at(end);
        match host.rsplit_once('@') {
            Some((_, host)) => shown.extend(["***@", host]),
            None => shown.push_str(host),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// An error, cut.
pub(super) fn cut(text: &str) -> String {
    cut_at(text, LONGEST)
}

/// A text of at most so many characters, with `…` at the end when it had to be cut.
pub(super) fn cut_at(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
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
            (
                "\u{1b}[31mERROR\u{1b}[0m the \u{1b}]8;;x\u{7}disk is full",
                "the disk is full",
            ),
        ] {
            assert_eq!(message(line), said, "{line}");
        }
        assert_eq!(message(&"x".repeat(500)).chars().count(), LONGEST);
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
            ("db_password = hunter2 for ann", "db_password = … for ann"),
            ("{\"a\":1,\"password\":\"x\"}", "{\"a\":1,\"password\":…"),
            ("Authorization: Basic YW5uOmh1bnRlcjI= sent", "Authorization: … … sent"),
            ("key=AKIAIOSFODNN7EXAMPLE", "key=…"),
            (
                "git clone https://ann:hunter2@github.com/acme/x",
                "git clone https://***@github.com/acme/x",
            ),
            ("?access_token=abc&x=1", "?access_token=…"),
            (
                "not authorized to perform: secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:1:secret:db-x",
                "not authorized to perform: secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:1:secret:db-x",
            ),
            // A record is shown letter by letter, also one that is called like a secret.
            (
                "[name='_243f.token-service.example.org.', type='CNAME']",
                "[name='_243f.token-service.example.org.', type='CNAME']",
            ),
        ] {
            assert_eq!(without_secrets(said), shown);
        }
    }

    #[test]
    fn colors_and_control_characters_are_no_part_of_a_line() {
        for (line, shown) in [
            ("\u{1b}[1m\u{1b}[31m│\u{1b}[0m \u{1b}[0mError:\ta\u{0}b", "│ Error: a b"),
            ("\u{9b}32mgreen\u{9b}m", "green"),
            ("cut off \u{1b}[", "cut off"),
            ("cut off \u{1b}", "cut off"),
            ("[31m is no color", "[31m is no color"),
        ] {
            assert_eq!(plain(line), shown);
        }
    }
}
