//! What the core decides: facts to append, effects to owe, a reply to give. The shell commits it in one write, or not at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::desk;
use crate::effect::Effect;
use crate::ids::{EnvironmentId, RecordId};
use crate::operation;
use crate::reason::Reason;
use crate::run;
use crate::time::Timestamp;
use crate::view::{Message, Modal};
use crate::watch;

/// A decision. An empty one changes nothing and is not committed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// What the speaker is told.
    pub reply: Reply,
    /// The records that change, each with its new state and the events that led there.
    pub changes: Vec<Change>,
    /// What is owed from now on, each with the instant before which it is not due.
    pub effects: Vec<(Effect, Timestamp)>,
    /// Environments to claim for a run.
    pub take: Vec<(EnvironmentId, RecordId)>,
    /// Environments to free.
    pub free: Vec<(EnvironmentId, RecordId)>,
    /// If it is a refusal: every reason.
    pub refusals: Vec<Refusal>,
}

/// A record's new state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A run.
    Run {
        /// The state after the events.
        run: Box<run::Run>,
        /// The events, with their reason codes.
        events: Vec<(run::Event, Reason)>,
        /// When it wants to be woken; `None` closes it.
        next_wake: Option<Timestamp>,
    },
    /// A run of a team's runbook.
    Operation {
        /// The state after the events.
        operation: Box<operation::Operation>,
        /// The events, with their reason codes.
        events: Vec<(operation::Event, Reason)>,
        /// When it wants to be woken; `None` closes it.
        next_wake: Option<Timestamp>,
    },
    /// The desk.
    Desk {
        /// The state after the events.
        desk: Box<desk::Desk>,
        /// The events.
        events: Vec<(desk::Event, Reason)>,
        /// When it wants to be woken.
        next_wake: Option<Timestamp>,
    },
    /// A watch.
    Watch {
        /// Its id.
        id: RecordId,
        /// The state.
        watch: watch::Watch,
        /// The events; often none.
        events: Vec<(watch::Event, Reason)>,
        /// When it looks again.
        next_wake: Option<Timestamp>,
    },
}

/// What the speaker is told. It is stored with the commit, so that the same delivery again gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Nothing: nobody spoke.
    #[default]
    None,
    /// Something only they see.
    Private(Message),
    /// Something everyone in the channel sees.
    Public(Message),
    /// A form to fill in.
    Form(Modal),
    /// Errors beside the fields of the form they sent: field → what to do.
    FormErrors(BTreeMap<String, String>),
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub reason: Reason,
    /// Why, and what to do next.
    pub message: crate::view::Line,
    /// The record it is about.
    pub about: Option<RecordId>,
    /// Whether a broken glass passes it.
    pub passable: bool,
}

impl Decision {
    /// Says something and changes nothing.
    #[must_use]
    pub fn say(message: Message) -> Self {
        Self {
            reply: Reply::Private(message),
            ..Self::default()
        }
    }

    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.effects.is_empty() && self.take.is_empty() && self.free.is_empty()
    }
}
