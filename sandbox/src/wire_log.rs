//! The log of what went over the wire: every call that reached the sandbox and every signed request that it sent, newest last.
//!
//! The page shows it beside the bot's journal, so that a skeptic can count the calls; tests count them too.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// How many entries are kept.
const KEPT: usize = 20_000;

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The bot called the sandbox.
    Received,
    /// The sandbox called the bot.
    Sent,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Counts up from 1, without gaps.
    pub seq: u64,
    /// Sandbox time, Unix milliseconds.
    pub at_ms: i64,
    /// Who called whom.
    pub direction: Direction,
    /// `slack.chat.postMessage`, `aws.PutApprovalResult`, `github.compare`, `slack.command`, `slack.interaction`, `slack.event`, …
    pub call: String,
    /// The arguments as they were understood, without tokens.
    pub arguments: Value,
    /// The HTTP status of the answer; 0 when no answer was given or received.
    pub status: u16,
    /// Whether the work was done: a lost answer is `true` here.
    pub done: bool,
    /// The vendor's error code, or what the fault was.
    pub note: String,
}

/// The last calls.
#[derive(Debug, Default)]
pub struct WireLog {
    inner: Mutex<(u64, VecDeque<Entry>)>,
}

impl WireLog {
    /// Adds an entry (its `seq` is given here) and returns its number.
    pub fn push(&self, mut entry: Entry) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0 += 1;
        entry.seq = inner.0;
        inner.1.push_back(entry);
        if inner.1.len() > KEPT {
            inner.1.pop_front();
        }
        inner.0
    }

    /// How many of the entries after `seq` fit.
    #[must_use]
    pub fn count(&self, seq: u64, fits: impl Fn(&Entry) -> bool) -> usize {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = inner.1.iter().rev().take_while(|entry| entry.seq > seq);
        newest.filter(|entry| fits(entry)).count()
    }

    /// The number of the newest entry; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The entries after `seq`, oldest first.
    #[must_use]
    pub fn since(&self, seq: u64) -> Vec<Entry> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.1.iter().filter(|entry| entry.seq > seq).cloned().collect()
    }
}
