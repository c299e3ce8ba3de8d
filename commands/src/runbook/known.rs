//! Failures that are known: what each is told by, and what is done about it. Those that everybody meets who runs terraform on AWS stand here once, so
//! that a step names them instead of repeating their words.

use serde::{Deserialize, Serialize};

use crate::ids::StepName;

/// A failure that a step expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What people call it.
    pub name: String,
    /// What it is told by, in upper or lower case: see [`Expected::told_by`].
    pub words: Vec<String>,
    /// What is done.
    pub then: Then,
    /// What people are told about it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub say: String,
}

/// What is done about a known failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The run goes on as if the step had succeeded.
    GoOn,
    /// A person may press a button: this step of the runbook is done, then the failed one again.
    Remedy(StepName),
    /// People are told what it is, and decide.
    Ask,
}

impl Expected {
    /// The line of a failure that tells that it is this one: the first, where it holds all words; else the one below it that holds all those that the
    /// first does not. Words of two lines tell nothing: lines of a log have nothing to do with each other.
    #[must_use]
    pub fn told_by<'f>(&self, failure: &'f str) -> Option<&'f str> {
        let mut lines = failure.lines();
        let first = lines.next().unwrap_or_default();
        let rest = missing(&self.words, first);
        if rest.is_empty() {
            return Some(first);
        }
        lines.find(|line| missing(&rest, line).is_empty())
    }

    /// Whether a failure with these words is this one.
    #[must_use]
    pub fn fits(&self, failure: &str) -> bool {
        self.told_by(failure).is_some()
    }
}

/// Those of the words that a text does not hold, in upper or lower case.
#[must_use]
pub fn missing<'w, W: AsRef<str>>(words: &'w [W], text: &str) -> Vec<&'w str> {
    let text = text.to_lowercase();
    let words = words.iter().map(AsRef::as_ref);
    words.filter(|word| !text.contains(&word.to_lowercase())).collect()
}

/// A failure that steps may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFailure {
    /// By which steps name it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it is told by: each of these lists is enough.
    pub words: Vec<Vec<String>>,
    /// What people are told about it; may be empty.
    pub say: String,
}

impl KnownFailure {
    /// What a step expects that names it: one entry for each way to tell it.
    pub fn expected<'k>(&'k self, then: &'k Then) -> impl Iterator<Item = Expected> + 'k {
        self.words.iter().map(|words| Expected {
            name: self.title.clone(),
            words: words.clone(),
            then: then.clone(),
            say: self.say.clone(),
        })
    }
}

/// One that is built in: name, what people call it, words, what people are told.
type BuiltIn = (
    &'static str,
    &'static str,
    &'static [&'static [&'static str]],
    &'static str,
);

/// What is built in. The first that fits counts, so what is more specific stands further up. The words are those of the services, of terraform's AWS
/// provider, which passes them on, and of the clients that people test with.
const BUILT_IN: [BuiltIn; 9] = [
    (
        "validation-record-exists",
        "a certificate's validation record is there already",
        // ACM asks for a CNAME whose name begins with an underscore.
        &[&["InvalidChangeBatch", "name='_", "type='CNAME'", "already exists"]],
        "The line names the record. Such records are never deleted from chat: a certificate that is in use may need it again when it is renewed.",
    ),
    (
        "record-exists",
        "a Route 53 record is there already",
        &[&["InvalidChangeBatch", "already exists"]],
        "Look whose record it is. If it is left from before, delete it in Route 53 by hand, then try again.",
    ),
    (
        "role-exists",
        "an IAM role is there already",
        &[&["EntityAlreadyExists", "role"]],
        "Look whose role it is. If it is left from before, delete it in IAM by hand, then try again. Roles are not deleted from chat.",
    ),
    (
        "websocket-403",
        "a websocket endpoint answers 403",
        // As browsers say it, and the client `ws`.
        &[&["websocket", "403"], &["unexpected server response: 403"]],
        "API Gateway serves a websocket API as its stage was deployed last: deploy the websocket APIs again, in every region, then try again.",
    ),
    (
        "edge-first-hour",
        "the security headers are not everywhere yet",
        &[
            &["security header"],
            &["expected", "strict-transport-security"],
            &["missing", "strict-transport-security"],
        ],
        "Functions at CloudFront's edge take up to an hour to reach every location. Wait, then try again.",
    ),
    (
        "no-such-key",
        "a file is not in its bucket",
        &[
            &["NoSuchKey"],
            &["S3 Bucket", "Object", "NotFound"],
            &["S3 Bucket", "Object", "couldn't find resource"],
        ],
        "The bucket is new and empty, or the file has another name: put it there, then try again.",
    ),
    (
        "state-locked",
        "terraform's state is locked",
        &[&["Error acquiring the state lock"]],
        "Somebody else runs terraform on the same state. If nobody does, the lock is left from a run that died: unlock it by hand (`terraform force-unlock`), then try again.",
    ),
    (
        "credentials-expired",
        "the job's credentials have run out",
        &[
            &["ExpiredToken"],
            &["security token included in the request is expired"],
        ],
        "It took longer than its credentials are good for. Trying again gives it new ones; give its role longer sessions if that happens often.",
    ),
    (
        "access-denied",
        "AWS does not permit it",
        &[
            &["AccessDenied"],
            &["UnauthorizedOperation"],
            &["is not authorized to perform"],
        ],
        "The line names what is not permitted: permit it to the role of the job, then try again.",
    ),
];

/// The failures that are known without anybody writing them down, in the order in which they are looked for.
#[must_use]
pub fn built_in() -> Vec<KnownFailure> {
    let known = |(name, title, words, say): BuiltIn| KnownFailure {
        name: name.to_owned(),
        title: title.to_owned(),
        words: words
            .iter()
            .map(|all| all.iter().map(|word| (*word).to_owned()).collect())
            .collect(),
        say: say.to_owned(),
    };
    BUILT_IN.map(known).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first entry is that knows a failure of which a log has this line.
    fn known_as(line: &str) -> Option<String> {
        let failure =
            format!("build_failed: BUILD: Error while executing command: make. Reason: exit status 1\n{line}");
        let fits = |known: &KnownFailure| known.expected(&Then::Ask).any(|expected| expected.fits(&failure));
        built_in().into_iter().find(fits).map(|known| known.name)
    }

    #[test]
    fn what_is_more_specific_is_looked_for_first() {
        for (line, name) in [
            (
                "│ Error: [ERR]: Error building changeset: InvalidChangeBatch: [Tried to create resource record set [name='_243f.exp1.example.org.', type='CNAME'] but it already exists]",
                Some("validation-record-exists"),
            ),
            (
                "Error: InvalidChangeBatch: [Tried to create resource record set [name='app.exp1.example.org.', type='CNAME'] but it already exists]",
                Some("record-exists"),
            ),
            (
                "Error: InvalidChangeBatch: [Tried to create resource record set [name='_dmarc.exp1.example.org.', type='TXT'] but it already exists]",
                Some("record-exists"),
            ),
            (
                "Error: Error creating IAM Role migration_role_stg: EntityAlreadyExists: Role with name migration_role_stg already exists.",
                Some("role-exists"),
            ),
            (
                "WebSocket connection to 'wss://ws.example.org/' failed: Error during WebSocket handshake: Unexpected response code: 403",
                Some("websocket-403"),
            ),
            ("Error: Unexpected server response: 403", Some("websocket-403")),
            (
                "AssertionError: expected the security headers to be set",
                Some("edge-first-hour"),
            ),
            (
                "Error: expected headers to have property 'strict-transport-security'",
                Some("edge-first-hour"),
            ),
            (
                "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
                Some("no-such-key"),
            ),
            (
                "│ Error: reading S3 Bucket (x.lambdas) Object (api.js.zip): couldn't find resource",
                Some("no-such-key"),
            ),
            ("│ Error: Error acquiring the state lock", Some("state-locked")),
            (
                "ExpiredTokenException: The security token included in the request is expired",
                Some("credentials-expired"),
            ),
            (
                "AccessDeniedException: User: arn:aws:sts::1:x is not authorized to perform: dynamodb:CreateTable",
                Some("access-denied"),
            ),
            ("GET /public-api/search 403", None),
            ("the table already exists", None),
        ] {
            assert_eq!(known_as(line).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn words_stand_in_the_failure_or_together_in_one_line_below_it() {
        let expected = Expected {
            name: "role".into(),
            words: ["build_failed", "ROLE", "already exists"].map(Into::into).into(),
            then: Then::Ask,
            say: String::new(),
        };
        let told = |failure| expected.told_by(failure);
        assert_eq!(
            told("build_failed: the role already exists"),
            Some("build_failed: the role already exists")
        );
        assert_eq!(
            told("build_failed: no\na line\nRole x Already Exists"),
            Some("Role x Already Exists")
        );
        // What the failure itself says counts for every line.
        assert_eq!(
            told("build_failed: the role\nit already exists"),
            Some("it already exists")
        );
        for other in [
            "build_failed: no\nthe role\nalready exists",
            "build_stopped: no\nthe role already exists",
            "build_failed: no",
            "",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn the_page_lists_them_in_their_order() {
        let page = include_str!("../../../docs/runbooks.md");
        let (_, table) = page.split_once("| name | words |").unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let rows: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
        let all = built_in();
        assert_eq!(rows, all.iter().map(|known| known.name.as_str()).collect::<Vec<_>>());
        for word in all.iter().flat_map(|known| known.words.iter().flatten()) {
            assert!(table.contains(&format!("`{word}`")), "{word}");
        }
    }

    #[test]
    fn each_has_a_name_of_its_own_and_says_what_to_do() {
        let all = built_in();
        for (at, known) in all.iter().enumerate() {
            assert!(
                !all[..at].iter().any(|other| other.name == known.name),
                "{}",
                known.name
            );
            assert!(
                !known.say.is_empty() && known.words.iter().all(|words| !words.is_empty()),
                "{}",
                known.name
            );
        }
    }
}
