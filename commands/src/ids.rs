//! Typed names. Each is parsed once, at the edge; inside, a `UserId` cannot be mistaken for a `ChannelId`.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::Site;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a {kind}: {rule}")]
pub struct BadName {
    /// What it should have been.
    pub kind: &'static str,
    /// What was given.
    pub value: String,
    /// What such a name looks like.
    pub rule: &'static str,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $check:path, $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads a name.
            ///
            /// # Errors
            /// When it does not look like one.
            pub fn parse(value: &str) -> Result<Self, BadName> {
                if $check(value) { Ok(Self(value.into())) } else {
                    Err(BadName { kind: $kind, value: value.chars().take(80).collect(), rule: $rule })
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(value: String) -> Result<Self, BadName> { Self::parse(&value) }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self { name.0.as_ref().to_owned() }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str { &self.0 }
        }
    )*};
}

names! {
    /// A deployable product; also the slot of the store that its records share.
    ServiceId, "service name", is_slug, "lower-case letters, digits and dashes, at most 40";
    /// Where a service runs. Names are plain ASCII on purpose: no look-alikes.
    EnvironmentId, "environment name", is_slug, "lower-case letters, digits and dashes, at most 40";
    /// A Slack user (`U…` or `W…`), or an operating-system user of the command line (`os:name`).
    UserId, "user id", is_user, "a Slack id such as U012ABC";
    /// A Slack channel (`C…`, `G…` or `D…`).
    ChannelId, "channel id", is_channel, "a Slack id such as C012ABC";
    /// A Slack user group (`S…`).
    GroupId, "user group id", is_group, "a Slack id such as S012ABC";
    /// A Slack workspace (`T…`) or enterprise (`E…`).
    TeamId, "team id", is_team, "a Slack id such as T012ABC";
    /// A team's runbook, or (`task:name`) one of its tasks.
    RunbookName, "runbook name", is_runbook, "lower-case letters, digits and dashes, at most 40";
    /// A step of a runbook.
    StepName, "step name", is_slug, "lower-case letters, digits and dashes, at most 40";
    /// A record of the store: `desk`, `watch/<pipeline>`, `run/<environment>/<hash>`, `run/<environment>/<runbook>-<hash>`.
    RecordId, "record id", is_path, "letters, digits and `-_./:`, at most 200";
    /// One request that may change something; the same request delivered again has the same id.
    DeliveryId, "delivery id", is_path, "letters, digits and `-_./:`, at most 200";
    /// The key under which an effect is done once.
    EffectKey, "effect key", is_path, "letters, digits and `-_./:`, at most 200";
}

fn is_slug(value: &str) -> bool {
    (1..=40).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !value.starts_with('-')
}

/// What the name of a task begins with, where a runbook's may stand as well.
const TASK: &str = "task:";

fn is_runbook(value: &str) -> bool {
    is_slug(value.strip_prefix(TASK).unwrap_or(value))
}

impl RunbookName {
    /// The name of a task: what it is called by itself, with `task:` before it.
    ///
    /// # Errors
    /// When it does not look like one.
    pub fn task(name: &str) -> Result<Self, BadName> {
        Self::parse(&format!("{TASK}{name}")).map_err(|bad| BadName {
            kind: "task name",
            value: name.chars().take(80).collect(),
            ..bad
        })
    }

    /// Whether it is the name of a task.
    #[must_use]
    pub fn is_task(&self) -> bool {
        self.as_str().starts_with(TASK)
    }
}

fn is_upper(value: &str, first: &[u8]) -> bool {
    (2..=40).contains(&value.len())
        && value.as_bytes().first().is_some_and(|b| first.contains(b))
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn is_user(value: &str) -> bool {
    is_upper(value, b"UW")
        || value
            .strip_prefix("os:")
            .is_some_and(|name| !name.is_empty() && is_path(name))
}

fn is_channel(value: &str) -> bool {
    is_upper(value, b"CGD")
}

fn is_group(value: &str) -> bool {
    is_upper(value, b"S")
}

fn is_team(value: &str) -> bool {
    is_upper(value, b"TE")
}

fn is_path(value: &str) -> bool {
    (1..=200).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':' | b'@' | b'='))
}

impl RecordId {
    /// The one desk of a service.
    #[must_use]
    pub fn desk() -> Self {
        Self("desk".into())
    }

    /// The watch on a pipeline.
    #[must_use]
    pub fn watch(site: &Site) -> Self {
        let account = site.account.as_deref().unwrap_or("own");
        let parts = [&site.pipeline, &site.region, account].map(clean);
        Self(format!("watch/{}", parts.join("/")).into())
    }

    /// A run. `seed` is what makes it the only one of its kind (for an approval: its round).
    #[must_use]
    pub fn run(environment: &EnvironmentId, seed: &[u8]) -> Self {
        Self(format!("run/{environment}/{}", crate::digest::short(seed)).into())
    }

    /// A run of a team's runbook. `seed` is what makes it the only one of its kind: the delivery that started it.
    #[must_use]
    pub fn operation(environment: &EnvironmentId, runbook: &RunbookName, seed: &[u8]) -> Self {
        let hash: String = crate::digest::short(seed).chars().take(8).collect();
        Self(format!("run/{environment}/{}-{hash}", clean(runbook.as_str())).into())
    }

    /// Whether it is a run of a team's runbook: those have a name before their hash.
    #[must_use]
    pub fn is_operation(&self) -> bool {
        self.0.starts_with("run/") && self.short().contains('-')
    }

    /// The short name by which people call a run: the last part.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// Everything outside the alphabet of record ids becomes a dash.
fn clean(text: &str) -> String {
    text.chars()
        .take(100)
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '-'
            }
        })
        .collect()
}

impl EffectKey {
    /// Builds a key from parts that are themselves names.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        Self(
            parts
                .iter()
                .map(|part| part.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_./:".contains(c), "-"))
                .collect::<Vec<_>>()
                .join(":")
                .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_ascii() {
        assert!(EnvironmentId::parse("mainnet").is_ok());
        for bad in ["", "Mainnet", "mаinnet", "main net", "-x", "main\u{202e}net"] {
            assert!(EnvironmentId::parse(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(UserId::parse("U0ANN").is_ok());
        assert!(UserId::parse("os:ann").is_ok());
        assert!(UserId::parse("ann").is_err());
    }

    #[test]
    fn a_task_is_told_from_a_runbook() {
        let task = RunbookName::task("clean-utxos").unwrap();
        assert_eq!(task.as_str(), "task:clean-utxos");
        assert!(task.is_task() && !RunbookName::parse("clean-utxos").unwrap().is_task());
        assert_eq!(RunbookName::parse("task:clean-utxos").unwrap(), task);
        for bad in ["", "task:x", "Clean", "a b"] {
            assert!(RunbookName::task(bad).is_err(), "{bad:?} was accepted");
        }
        let run = RecordId::operation(&EnvironmentId::parse("mainnet").unwrap(), &task, b"seed");
        assert!(
            run.short().starts_with("task-clean-utxos-") && run.is_operation(),
            "{run}"
        );
    }

    #[test]
    fn a_run_has_a_short_name() {
        let environment = EnvironmentId::parse("mainnet").expect("a name");
        let run = RecordId::run(&environment, b"round");
        assert_eq!(run.as_str(), format!("run/mainnet/{}", run.short()));
    }
}
