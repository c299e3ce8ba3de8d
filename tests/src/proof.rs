//! One approval from a waiting execution to its end, cut at a point, and what must be true of it from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use commands::ids::ServiceId;
use commands::run::{self, Run, Status, StoredEvent};
use commands::{ids::RecordId, reason::Reason};
use demo::{Options, Stored};
use sandbox::clock::Clock;
use state::audit::Key;
use state::embedded::Embedded;
use state::{Load, Store};
use tokio::sync::watch;

use crate::cut::{Cut, Cutter, Point};
use crate::scenario::{Scenario, options};

/// The key under which the demo's bot chains its journal.
const AUDIT_KEY: &[u8] = b"the sandbox's audit key";
/// Longer than any lease.
const AFTER_THE_LEASE: i64 = 60_000;
/// How often a person says something again that was not heard.
const PATIENCE: usize = 5;

/// What a proof came to.
#[derive(Debug)]
pub struct Proof {
    /// Every point that was passed.
    pub points: Vec<Point>,
    /// Whether the cut was reached.
    pub struck: bool,
    /// What is wrong, in words; empty when nothing is.
    pub violations: Vec<String>,
}

/// Lets an approval happen, cut at one point, with further layers of the caller's between the bot and the world.
pub async fn approval(cut: Option<Cut>, layers: impl FnOnce(&mut Options)) -> Proof {
    let cutter = Cutter::new(cut);
    let store_time = Clock::default();
    let time = store_time.clone();
    let store: Arc<dyn Store> =
        Arc::new(Embedded::in_memory_with(Arc::new(move || time.now_ms())).expect("a store in memory"));
    let mut options = options(Stored::Shared(Arc::clone(&store)));
    layers(&mut options);
    cutter.stand_between(&mut options);
    let town = Scenario::with(options).await;
    let (revived, revivals) = watch::channel(0);
    let undertaker = async {
        loop {
            cutter.fell().await;
            // What the dead one has claimed is free at once.
            store_time.jump(AFTER_THE_LEASE);
            town.rig.restart().await.expect("the bot starts again");
            revived.send_modify(|count| *count += 1);
        }
    };
    let teller = Teller {
        town: &town,
        store: &*store,
        cutter: &cutter,
        revivals,
    };
    let violations = tokio::select! {
        violations = teller.tell() => violations,
        never = undertaker => never,
    };
    town.rig.kill().await;
    Proof {
        points: cutter.points(),
        struck: cutter.struck(),
        violations,
    }
}

struct Teller<'a> {
    town: &'a Scenario,
    store: &'a dyn Store,
    cutter: &'a Cutter,
    revivals: watch::Receiver<u64>,
}

impl Teller<'_> {
    async fn tell(mut self) -> Vec<String> {
        let town = self.town;
        town.passes(5);
        let card = town.card(&["mainnet", "v1.4.2", "waits for 2", "2 alarms quiet"]).await;
        town.passes(20);
        let told = self.says_until_heard("U0ANN", "/deploy approve mainnet").await;
        assert!(
            told.contains("1 of 2") || told.contains("already"),
            "Ann is told: {told}"
        );
        town.card(&["waits for 1 of 2"]).await;
        // Whoever says it twice counts once.
        self.says_until_heard("U0ANN", "/deploy approve mainnet").await;
        let mut violations = Vec::new();
        if !town.answers().is_empty() {
            violations.push("one person decided what takes two".to_owned());
        }
        let pressed = town.clicks("U0BRUNO", &card.ts, "approve").await;
        if pressed["status"] != 200 {
            self.revived().await;
            self.says_until_heard("U0BRUNO", "/deploy approve mainnet").await;
        }
        // The card may have gone on by the time somebody looks; the answer has not.
        town.until("an answer to CodePipeline", |town| {
            (!town.answers().is_empty()).then_some(())
        })
        .await;
        town.passes(60);
        town.card(&["released"]).await;
        town.hears("D0DANA", "").await;
        let told = self.says_until_heard("U0BRUNO", "/deploy status mainnet").await;
        if !told.contains("v1.4.2") {
            violations.push(format!("the last to speak is not told what happened: {told}"));
        }
        self.rest().await;
        violations.extend(self.outside());
        violations.extend(self.inside().await);
        violations
    }

    /// Says something until it is answered, as a person does whose command failed.
    async fn says_until_heard(&mut self, user: &str, text: &str) -> String {
        for _ in 0..PATIENCE {
            let said = self.town.says(user, text).await;
            if said.status == 200 && !said.text.contains("Not recorded") {
                return said.text;
            }
            if said.status != 200 {
                self.revived().await;
            }
        }
        panic!("{user} was not heard: {text}");
    }

    /// Returns when the bot was killed and is back.
    async fn revived(&mut self) {
        self.revivals
            .wait_for(|count| *count > 0)
            .await
            .expect("somebody starts it again");
    }

    /// Returns when nothing is owed any more.
    async fn rest(&self) {
        let mut commits = self.cutter.commits();
        loop {
            commits.mark_unchanged();
            if self.store.outbox(&wallet()).await.expect("an outbox").is_empty() {
                return;
            }
            commits.changed().await.expect("somebody commits");
        }
    }

    /// What everybody can count.
    fn outside(&self) -> Vec<String> {
        let mut violations = Vec::new();
        let mut count = |what: &str, expected: usize, found: usize| {
            if found != expected {
                violations.push(format!("{what}: {found} instead of {expected}"));
            }
        };
        count("answers that CodePipeline took", 1, self.town.answers().len());
        let world = self.town.rig.sandbox().world();
        let reached = world
            .log
            .since(0)
            .iter()
            .filter(|entry| entry.call == "aws.PutApprovalResult")
            .count();
        count("answers that reached CodePipeline", 1, reached);
        count("cards", 1, self.town.cards().len());
        let mut marked: BTreeMap<(String, String), usize> = BTreeMap::new();
        for channel in &world.slack().channels {
            for message in channel
                .messages
                .values()
                .filter(|message| message.is_bots() && !message.tombstone)
            {
                let marker = message
                    .metadata
                    .as_ref()
                    .and_then(|metadata| metadata["event_payload"]["key"].as_str())
                    .unwrap_or("none");
                *marked.entry((channel.id.clone(), marker.to_owned())).or_default() += 1;
            }
        }
        for ((channel, marker), times) in marked {
            count(&format!("messages `{marker}` in {channel}"), 1, times);
        }
        violations
    }

    /// What the bot itself believes.
    async fn inside(&self) -> Vec<String> {
        let (slot, store) = (wallet(), self.store);
        let mut violations = Vec::new();
        let key = Key::new(AUDIT_KEY).expect("a key");
        let report = state::audit::verify(store, std::slice::from_ref(&slot), &key, &[])
            .await
            .expect("a report");
        violations.extend(report.findings.iter().map(ToString::to_string));
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
        let voted: Vec<&str> = run.votes.iter().map(|vote| vote.user.as_str()).collect();
        if voted != ["U0ANN", "U0BRUNO"] {
            violations.push(format!("votes of {voted:?}"));
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

/// The demo's service whose first execution waits from the beginning.
fn wallet() -> ServiceId {
    ServiceId::parse("wallet").expect("a name")
}
