//! `alarms`: CloudWatch alarms are quiet, in several looks in a row.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, RED_IN_MAINTENANCE, Spec, span_text};
use crate::time::Span;

/// The code of the failure when one rings.
pub const RINGS: &str = "alarm";
/// The same where maintenance mode may be why, and nothing tells whether it is on but who turned it on.
pub const RINGS_UNTOLD: &str = "alarm_untold";

/// Alarms that have to be quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarms {
    /// Which: names, and prefixes such as `wallet-*`. Every one of them has to fit something.
    pub alarms: Vec<String>,
    /// In how many looks in a row.
    #[serde(default = "samples")]
    pub samples: u32,
    /// How far apart the looks are.
    #[serde(default = "pause", with = "span_text")]
    pub every: Span,
    /// What an alarm without data counts as.
    #[serde(default, skip_serializing_if = "NoData::is_unknown")]
    pub unknown: NoData,
    /// Whether maintenance mode makes them ring: then that is no failure while it is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub red_in_maintenance: bool,
}

/// What an alarm without data counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoData {
    /// Nobody can tell, so it is not quiet.
    #[default]
    Unknown,
    /// It is quiet: nothing happened that it could measure.
    Ok,
}

impl NoData {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
    fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

const fn samples() -> u32 {
    3
}

const fn pause() -> Span {
    Span::seconds(60)
}

impl Kind for Alarms {
    const SPEC: Spec = Spec {
        kind: "alarms",
        summary: "Waits until CloudWatch alarms were quiet in several looks in a row, and fails when one rings",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(self.every)
    }

    fn plan(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "waits until {} were OK in {} looks, {} apart; fails when one rings",
            self.alarms.join(", "),
            self.samples,
            self.every
        )];
        lines.push(match self.unknown {
            NoData::Ok => "an alarm without data counts as OK".to_owned(),
            NoData::Unknown => "an alarm without data is not OK: it is waited for".to_owned(),
        });
        lines.extend(self.red_in_maintenance.then(|| RED_IN_MAINTENANCE.to_owned()));
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.alarms.is_empty() {
            return Err("`alarms` is empty: name at least one, or a prefix such as `wallet-*`".to_owned());
        }
        if let Some(wide) = self.alarms.iter().find(|name| name.trim_end_matches('*').is_empty()) {
            return Err(format!("`{wide}` would be every alarm of the account: write a prefix"));
        }
        if self.samples == 0 {
            return Err("`samples` is 0: one look is the least".to_owned());
        }
        Ok(())
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            alarms: vec!["wallet-mainnet-5xx".to_owned(), "wallet-mainnet-db-*".to_owned()],
            samples: 3,
            every: pause(),
            unknown: NoData::Ok,
            red_in_maintenance: true,
        }]
    }
}
