//! What must be true when one approval has come to its end, whatever happened on the way: what everybody can count from outside, and what the bot believes.

use std::collections::BTreeMap;

use commands::ids::{RecordId, ServiceId};
use commands::operation::{self, Operation};
use commands::reason::Reason;
use commands::run::{self, Run, Status, StoredEvent};
use sandbox::World;
use state::audit::Key;
use state::{Load, Store};
use tokio::sync::watch;

use crate::scenario::Scenario;

/// The key under which the demo's bot chains its journal.
pub(crate) const AUDIT_KEY: &[u8] = b"the sandbox's audit key";

/// Looks at a town in which one execution was released through the wallet's gate.
pub struct Witness<'a> {
    /// The sandbox and its bots.
    pub town: &'a Scenario,
    /// The bots' store.
    pub store: &'a dyn Store,
    /// How many votes it took.
    pub votes: usize,
    /// How often CodePipeline was asked to take the answer; it takes the first.
    pub asked: usize,
}

impl Witness<'_> {
    /// Returns when nothing is owed any more; `commits` changes with each.
    pub async fn rest(&self, commits: watch::Receiver<u64>) {
        rest(self.store, &wallet(), commits).await;
    }

    /// What everybody can count.
    #[must_use]
    pub fn outside(&self) -> Vec<String> {
        let mut violations = Vec::new();
        let mut count = |what: &str, expected: usize, found: usize| {
            if found != expected {
                violations.push(format!("{what}: {found} instead of {expected}"));
            }
        };
        count("answers that CodePipeline took", 1, self.town.answers().len());
        let reached = self.town.asked("aws.PutApprovalResult");
        count("answers that reached CodePipeline", self.asked, reached);
        count("cards", 1, self.town.cards().len());
        for ((channel, marker), times) in marked(self.town.rig.sandbox().world()) {
            count(&format!("messages `{marker}` in {channel}"), 1, times);
        }
        violations
    }

    /// What the bot itself believes.
    pub async fn inside(&self) -> Vec<String> {
        let (slot, store) = (wallet(), self.store);
        let mut violations = sound(store, &slot, AUDIT_KEY).await;
        let runs = store.records(&slot, "run/", None, 100).await.expect("records").rows;
        for stored in &runs {
            let run: Run = serde_json::from_str(stored.fold.as_deref().unwrap_or_default()).expect("a run");
            violations.extend(self.believed(&run, &self.history(&stored.id).await));
        }
        if runs.len() != 1 {
            violations.push(format!("{} runs instead of 1", runs.len()));
        }
        violations
    }

    async fn history(&self, record: &RecordId) -> Vec<StoredEvent> {
        let rows = self
            .store
            .journal(&wallet(), record, 0, 10_000)
            .await
            .expect("a journal");
        rows.iter()
            .map(|row| StoredEvent {
                at: row.at,
                event: serde_json::from_str(&row.event).expect("an event"),
            })
            .collect()
    }

    fn believed(&self, run: &Run, history: &[StoredEvent]) -> Vec<String> {
        let mut violations = Vec::new();
        if !matches!(
            run.status,
            Status::Ended {
                reason: Reason::Succeeded,
                ..
            }
        ) {
            violations.push(format!("the run ended as {:?}", run.status));
        }
        if run.answer.as_ref().is_none_or(|answer| answer.elsewhere.is_some()) {
            violations.push(format!("our own answer is not known as ours: {:?}", run.answer));
        }
        let mut voted: Vec<&str> = run.votes.iter().map(|vote| vote.user.as_str()).collect();
        voted.sort_unstable();
        voted.dedup();
        if (voted.len(), run.votes.len()) != (self.votes, self.votes) {
            violations.push(format!("votes: {:?}", run.votes));
        }
        let decisions = history
            .iter()
            .filter(|stored| matches!(stored.event, run::Event::Decided { .. }))
            .count();
        if decisions != 1 {
            violations.push(format!("{decisions} decisions instead of 1"));
        }
        match run::replay(&run.id, history.iter().cloned()) {
            Ok(Some(replayed)) if replayed == *run => {}
            other => violations.push(format!("the history does not tell of this state: {other:?}")),
        }
        violations
    }
}

/// Returns when a service owes nothing any more; `commits` changes with each.
pub(crate) async fn rest(store: &dyn Store, slot: &ServiceId, mut commits: watch::Receiver<u64>) {
    loop {
        commits.mark_unchanged();
        if store.outbox(slot).await.expect("an outbox").is_empty() {
            return;
        }
        commits.changed().await.expect("somebody commits");
    }
}

/// What is wrong with a service whose runs are over: a journal that does not verify, an environment that is still held.
pub async fn sound(store: &dyn Store, slot: &ServiceId, key: &[u8]) -> Vec<String> {
    let key = Key::new(key).expect("a key");
    let report = state::audit::verify(store, std::slice::from_ref(slot), &key, &[])
        .await
        .expect("a report");
    let mut violations: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    let loaded = store
        .load(Load {
            slot: slot.clone(),
            records: Vec::new(),
            open_under: None,
            held: Vec::new(),
            delivery: None,
        })
        .await
        .expect("an answer");
    if !loaded.claims.is_empty() {
        violations.push(format!("claims are left: {:?}", loaded.claims));
    }
    violations.extend(untrue_operations(store, slot).await);
    violations
}

/// Runs of runbooks whose history does not tell of the state that is kept beside it.
async fn untrue_operations(store: &dyn Store, slot: &ServiceId) -> Vec<String> {
    let mut violations = Vec::new();
    let runs = store.records(slot, "run/", None, 1_000).await.expect("records").rows;
    for stored in runs.iter().filter(|stored| stored.id.is_operation()) {
        let kept: Operation = serde_json::from_str(stored.fold.as_deref().unwrap_or_default()).expect("a run");
        let rows = store.journal(slot, &stored.id, 0, 100_000).await.expect("a journal");
        let history = rows.iter().map(|row| operation::StoredEvent {
            at: row.at,
            event: serde_json::from_str(&row.event).expect("an event"),
        });
        match operation::replay(&stored.id, history) {
            Ok(Some(told)) if told == kept => {}
            other => violations.push(format!("the history of {} tells of {other:?}", stored.id)),
        }
    }
    violations
}

/// How often each marker stands in each channel.
pub fn marked(world: &World) -> BTreeMap<(String, String), usize> {
    let mut marked: BTreeMap<(String, String), usize> = BTreeMap::new();
    for channel in &world.slack().channels {
        let said = channel.messages.values();
        for message in said.filter(|message| message.is_bots() && !message.tombstone) {
            let metadata = message.metadata.as_ref();
            let marker = metadata.and_then(|metadata| metadata["event_payload"]["key"].as_str());
            let marker = marker.unwrap_or("none").to_owned();
            *marked.entry((channel.id.clone(), marker)).or_default() += 1;
        }
    }
    marked
}

/// The demo's service whose first execution waits from the beginning.
pub(crate) fn wallet() -> ServiceId {
    ServiceId::parse("wallet").expect("a name")
}
