//! A watch: the eye on one pipeline. Level-triggered: events are hints, each wake reads the whole truth again.

mod observation;
mod observe;
mod opening;

use serde::{Deserialize, Serialize};

pub use observation::{Answered, Ended, ExecutionSeen, Inbound, LastSuccess, Observation, Waiting};

pub(crate) use observe::record_answer;
pub use observe::{Pace, gather_checks, observe};
pub use opening::{run_of, runs_of};

use crate::catalog::Site;
use crate::ids::RecordId;
use crate::time::{Span, Timestamp};

/// How often a pipeline is read when nothing hints at a change and nothing is under way.
pub const IDLE_PERIOD: Span = Span::seconds(15);
/// How often while a run of it is open.
pub const BUSY_PERIOD: Span = Span::seconds(5);
/// The least distance between two reads of one account, over all pipelines: CodePipeline throttles.
pub const PER_ACCOUNT: Span = Span::seconds(1);

/// After so many failed reads in a row the channel is told: fewer are a hiccup of AWS.
pub const FAILURES_TOLD: u32 = 5;

/// The state of a watch. Its cursor fields are bookkeeping, not history: they move without a journal row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The pipeline.
    #[serde(flatten)]
    pub site: Site,
    /// The store time just before the newest read that was taken in; anything older is dropped.
    pub as_of: i64,
    /// When the newest read was taken in.
    pub read_at: Option<Timestamp>,
    /// Since when reading fails, and why; `None` while it works.
    pub failing: Option<(Timestamp, String)>,
    /// How many reads in a row have failed.
    #[serde(default)]
    pub failures: u32,
    /// Whether the channel has been told that reading fails.
    #[serde(default)]
    pub told: bool,
    /// Whether what was live before the first read has been learned.
    pub primed: bool,
}

impl Watch {
    /// A watch that has not looked yet.
    #[must_use]
    pub const fn new(site: Site) -> Self {
        Self {
            site,
            as_of: 0,
            read_at: None,
            failing: None,
            failures: 0,
            told: false,
            primed: false,
        }
    }

    /// Its record.
    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::watch(&self.site)
    }
}

/// Something that happened to a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The pipeline is being watched.
    Started,
    /// Reading it began to fail.
    Failing {
        /// Why, without secrets.
        why: String,
    },
    /// Reading it works again.
    Recovered,
}
