//! Step kinds: what a runbook can be made of. One file each; this table is what the configuration reads, what `--plan` shows, and what the proofs
//! go over.
//!
//! A kind says in its type how it is conducted ([`Conduct`]): by the clock, by people, or by calls. A call goes through up to three phases, each an
//! effect of its own. `prepare` reads and never changes anything: it finds the old value that an undo will need, and whether anything is left to do.
//! `act` changes, once. `watch` reads until it is seen to be done. What `prepare` found is durable before `act` is owed.

mod alarms;
mod announce;
mod api_call;
mod approval;
mod bucket_delete;
mod bucket_parity;
mod codebuild;
mod command;
mod dns;
mod event_source;
mod flag;
mod http;
mod job;
mod lambda;
mod log_level;
mod log_match;
mod maintenance;
mod manual;
mod mapping;
mod posture;
mod queue_drain;
mod redrive;
mod require;
mod restore;
mod route53;
mod schedule;
mod schema;
mod search_parity;
mod snapshot;
mod table;
mod wait;

use serde::{Deserialize, Serialize};

pub use alarms::{Alarms, NoData, RINGS, RINGS_UNTOLD};
pub use announce::Announce;
pub use api_call::{ApiCall, Field, Guarded, Heroku, Mailgun, Pingdom, Request, Twilio, WAS, Wanted, Write};
pub use approval::Approval;
pub use bucket_delete::BucketDelete;
pub use bucket_parity::{BucketParity, Side};
pub use codebuild::{Codebuild, MARKER, Reverse};
pub use command::{Command, ScriptParameters};
pub use dns::{Dns, RecordType};
pub use event_source::EventSource;
pub use flag::{Flag, FlagType};
pub use http::{Http, Method};
pub use job::{Awx, CircleCi, Jenkins, Job};
pub use lambda::Lambda;
pub use log_level::{Leveled, Levels, LogLevel, NO_FUNCTION, Stage};
pub use log_match::{LogMatch, Presence};
pub use maintenance::{FlagWay, HttpWay, LambdaWay, Maintenance, ReadBack, RedisWay, Told, VariableWay, Way};
pub use manual::Manual;
pub use mapping::Mapping;
pub use posture::{PortClosed, Posture, Want};
pub use queue_drain::{ErrorRatio, QueueDrain};
pub use redrive::Redrive;
pub use require::Require;
pub use restore::Restore;
pub use route53::{Alias, Route53};
pub use schedule::Schedule;
pub use schema::{CANNOT_TELL, First, PENDING, Schema, Unknown, WRONG_ORDER};
pub use search_parity::SearchParity;
pub use snapshot::{SNAPSHOT_CREATED, SNAPSHOT_ID, Snapshot};
pub use table::{Table, TableState};
pub use wait::Wait;

use crate::effect::Class;
use crate::time::Span;

/// How a plan says that maintenance mode is known to make something red.
const RED_IN_MAINTENANCE: &str = "red while maintenance is on is no failure";

/// What a kind is, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Its name in a runbook.
    pub kind: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What undoing it means; or why there is none.
    pub undo: &'static str,
}

/// How a step is conducted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conduct {
    /// The clock ends it.
    Timer(Span),
    /// A person says that it is done, with evidence.
    Tick,
    /// So many different people say yes; who started the run is not one of them where self-approval is not allowed.
    Votes(usize),
    /// Calls to the outside.
    Calls(Calls),
}

impl Conduct {
    /// It reads, and looks again every so often until what it sees is good; there is nothing to undo.
    const fn looks(every: Span) -> Self {
        Self::Calls(Calls::READS.watched(every))
    }

    /// It changes something, once; there is nothing to watch and nothing to undo.
    const fn acts(class: Class) -> Self {
        Self::Calls(Calls::acts(class))
    }
}

/// The calls of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// Why doing `act` again is harmless; `None`: it only reads.
    pub act: Option<Class>,
    /// How often `watch` looks; `None`: when `act` has answered, it is done.
    pub watch: Option<Span>,
    /// Whether it can be undone.
    pub undo: bool,
    /// Whether `watch` finds what was started when only a person knows that it was: their word alone brings no outputs.
    pub found: bool,
}

impl Calls {
    /// It reads, and that is all.
    const READS: Self = Self {
        act: None,
        watch: None,
        undo: false,
        found: false,
    };

    /// It changes something.
    const fn acts(class: Class) -> Self {
        Self {
            act: Some(class),
            ..Self::READS
        }
    }

    /// And is watched until that is seen, with so long between two looks.
    const fn watched(self, every: Span) -> Self {
        Self {
            watch: Some(every),
            ..self
        }
    }

    /// And can be undone, where that is so.
    const fn undone(self, undo: bool) -> Self {
        Self { undo, ..self }
    }

    /// And is found by its watch once a person has said that it was done, where that is so.
    const fn found(self, found: bool) -> Self {
        Self { found, ..self }
    }
}

/// A step kind.
pub trait Kind: Sized {
    /// What it is.
    const SPEC: Spec;

    /// How it is conducted.
    fn conduct(&self) -> Conduct;

    /// What a person has to type between `prepare` and `act`, after they have seen what `prepare` found; `None`: nothing.
    fn typed(&self) -> Option<String> {
        None
    }

    /// What it would do, with the very values: one line each.
    fn plan(&self) -> Vec<String>;

    /// What is wrong with it, as far as the configuration alone can tell.
    ///
    /// # Errors
    /// What to write instead.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// The addresses of servers that it speaks to beside AWS's and Slack's: the service has to list them.
    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }

    /// The environment variables that hold the secrets it shows to them.
    fn secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// What later steps can name of it; `None`: only what comes of it tells.
    fn finds(&self) -> Option<Vec<&str>> {
        Some(Vec::new())
    }

    /// Examples, one for each way of conducting it: the proofs go over them.
    fn samples() -> Vec<Self>;
}

macro_rules! kinds {
    ($($module:ident => $name:ident),* $(,)?) => {
        /// What a step does.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum Action {
            $(#[doc = concat!("`", stringify!($module), "`")] $name($name),)*
        }

        /// All kinds, in the order of the documentation. A test compares this table with the folder.
        pub const SPECS: &[Spec] = &[$(<$name as Kind>::SPEC),*];

        impl Action {
            /// What it is.
            #[must_use]
            pub const fn spec(&self) -> &'static Spec {
                match self { $(Self::$name(_) => &<$name as Kind>::SPEC),* }
            }

            /// How it is conducted.
            #[must_use]
            pub fn conduct(&self) -> Conduct {
                match self { $(Self::$name(kind) => kind.conduct()),* }
            }

            /// What a person has to type before it is done.
            #[must_use]
            pub fn typed(&self) -> Option<String> {
                match self { $(Self::$name(kind) => kind.typed()),* }
            }

            /// What it would do, with the very values: one line each.
            #[must_use]
            pub fn plan(&self) -> Vec<String> {
                match self { $(Self::$name(kind) => kind.plan()),* }
            }

            /// What is wrong with it, as far as the configuration alone can tell.
            ///
            /// # Errors
            /// What to write instead.
            pub fn check(&self) -> Result<(), String> {
                match self { $(Self::$name(kind) => kind.check()),* }
            }

            /// The addresses of servers that it speaks to beside AWS's and Slack's: the service has to list them.
            #[must_use]
            pub fn addresses(&self) -> Vec<String> {
                match self { $(Self::$name(kind) => kind.addresses()),* }
            }

            /// The environment variables that hold the secrets it shows to them.
            #[must_use]
            pub fn secrets(&self) -> Vec<&str> {
                match self { $(Self::$name(kind) => kind.secrets()),* }
            }

            /// What later steps can name of it; `None`: only what comes of it tells.
            #[must_use]
            pub fn finds(&self) -> Option<Vec<&str>> {
                match self { $(Self::$name(kind) => kind.finds()),* }
            }

            /// Examples of every kind.
            #[must_use]
            pub fn samples() -> Vec<Self> {
                let mut samples = Vec::new();
                $(samples.extend($name::samples().into_iter().map(Self::$name));)*
                samples
            }
        }
    };
}

kinds! {
    wait => Wait, manual => Manual, approval => Approval, announce => Announce, http => Http,
    flag => Flag, event_source => EventSource, lambda => Lambda, codebuild => Codebuild, queue_drain => QueueDrain,
    require => Require, table => Table,
    redrive => Redrive, schedule => Schedule, snapshot => Snapshot, restore => Restore, route53 => Route53, mapping => Mapping,
    alarms => Alarms, posture => Posture, bucket_parity => BucketParity, bucket_delete => BucketDelete,
    log_match => LogMatch, search_parity => SearchParity, dns => Dns, api_call => ApiCall, job => Job, command => Command,
    log_level => LogLevel, maintenance => Maintenance, schema => Schema,
}

impl Action {
    /// The action with every text filled.
    ///
    /// # Errors
    /// What `fill` says, or that the filled texts no longer make an action.
    pub fn fill(&self, fill: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        let mut value = serde_json::to_value(self).map_err(|error| error.to_string())?;
        fill_texts(&mut value, &fill)?;
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// Every text of it, for the configuration to look at.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let texts = std::cell::RefCell::new(Vec::new());
        let note = |text: &str| {
            texts.borrow_mut().push(text.to_owned());
            Ok(text.to_owned())
        };
        // A text that is given back as it was makes the same action.
        let _ = self.fill(note);
        texts.into_inner()
    }
}

fn fill_texts(value: &mut serde_json::Value, fill: &impl Fn(&str) -> Result<String, String>) -> Result<(), String> {
    use serde_json::Value;
    match value {
        Value::String(text) => *text = fill(text)?,
        Value::Array(values) => values.iter_mut().try_for_each(|value| fill_texts(value, fill))?,
        Value::Object(fields) => fields.values_mut().try_for_each(|value| fill_texts(value, fill))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

/// A span of time as people write it, `30s` or `2h`, for serde.
pub(crate) mod span_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::time::Span;

    pub(crate) fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}s", span.0 / 1000))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is no span of time: write `30s`, `10m`, `2h` or `1h30m`"
            ))
        })
    }

    /// The same for a span that may be left out.
    pub(crate) mod option {
        use serde::{Deserializer, Serializer};

        use crate::time::Span;

        pub(crate) fn serialize<S: Serializer>(span: &Option<Span>, serializer: S) -> Result<S::Ok, S::Error> {
            match span {
                Some(span) => super::serialize(span, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_file_is_in_the_table() {
        let files = crate::test_support::files_of("src/step", &[]);
        let mut table: Vec<_> = SPECS.iter().map(|spec| spec.kind.to_owned()).collect();
        table.sort();
        assert_eq!(files, table);
    }

    /// In a table that says so: rows behind a paragraph are no rows.
    #[test]
    fn every_kind_is_explained() {
        let page = include_str!("../../../docs/steps.md");
        let mut rows = Vec::new();
        let mut inside = false;
        for line in page.lines() {
            inside = line.starts_with("| kind | keys |") || (inside && line.starts_with('|'));
            let kind = line.strip_prefix("| `").and_then(|row| row.split('`').next());
            rows.extend(kind.filter(|_| inside));
        }
        rows.sort_unstable();
        let mut all: Vec<_> = SPECS.iter().map(|spec| spec.kind).collect();
        all.sort_unstable();
        assert_eq!(rows, all, "the tables of docs/steps.md");
    }

    #[test]
    fn every_kind_has_samples_that_survive_being_stored() {
        let samples = Action::samples();
        for spec in SPECS {
            assert!(
                samples.iter().any(|sample| sample.spec() == spec),
                "{} has no sample",
                spec.kind
            );
        }
        for sample in samples {
            let text = serde_json::to_string(&sample).expect("a sample is JSON");
            let kind = format!("\"kind\":\"{}\"", sample.spec().kind);
            assert!(text.contains(&kind), "{text} is not tagged {kind}");
            assert_eq!(serde_json::from_str::<Action>(&text).expect("JSON is a sample"), sample);
            assert!(!sample.plan().is_empty(), "{text} plans nothing");
        }
    }

    #[test]
    fn what_can_not_be_repeated_or_undone_says_so() {
        for sample in Action::samples() {
            if let Conduct::Calls(calls) = sample.conduct() {
                assert!(
                    !calls.undo || calls.act.is_some(),
                    "{}: there is nothing to undo",
                    sample.spec().kind
                );
            }
            assert!(!sample.spec().undo.is_empty());
            let acts = matches!(sample.conduct(), Conduct::Calls(calls) if calls.act.is_some());
            assert!(
                acts || sample.typed().is_none(),
                "{}: nothing is typed for what only reads",
                sample.spec().kind
            );
        }
    }
}
