//! Something that happens in Slack and AWS, cut at a point, and what must be true of it from outside. One approval is told here, from a waiting execution
//! to its end; the runs of runbooks are told in [`crate::operations`].

use std::sync::Arc;

use commands::ids::ServiceId;
use demo::{Options, Stored};
use sandbox::clock::Clock;
use state::Store;
use state::embedded::Embedded;
use tokio::sync::watch;

use crate::cut::{Cut, Cutter, Point};
use crate::scenario::{Scenario, options};
use crate::witness::{Witness, wallet};

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
    let world = |stored| {
        let mut options = options(stored);
        layers(&mut options);
        options
    };
    cut_off(cut, (&wallet(), world), async |teller| teller.approval().await).await
}

/// Lets something be told in a world, cut at one point; who was cut off is killed and started again. `slot` is the service it is about.
pub(crate) async fn cut_off(
    cut: Option<Cut>,
    (slot, world): (&ServiceId, impl FnOnce(Stored) -> Options),
    tell: impl AsyncFnOnce(Teller<'_>) -> Vec<String>,
) -> Proof {
    let cutter = Cutter::new(cut);
    let store_time = Clock::default();
    let time = store_time.clone();
    let store = Arc::new(Embedded::in_memory_with(Arc::new(move || time.now_ms())).expect("a store in memory"));
    let shared: Arc<dyn Store> = Arc::<Embedded>::clone(&store);
    let mut options = world(Stored::Shared(shared));
    cutter.stand_between(&mut options);
    let town = Scenario::with(options).await;
    let (revived, revivals) = watch::channel(0);
    let undertaker = async {
        loop {
            cutter.fell().await;
            town.rig.kill().await;
            // The store's writer takes one thing after the other: behind this, nothing that the dead one asked for is still to come.
            store.import(slot, Vec::new()).await.expect("an answer");
            // What it has claimed is free at once.
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
        violations = tell(teller) => violations,
        never = undertaker => never,
    };
    town.rig.kill().await;
    Proof {
        points: cutter.points(),
        struck: cutter.struck(),
        violations,
    }
}

/// Who tells it, and what they stand in.
pub(crate) struct Teller<'a> {
    pub(crate) town: &'a Scenario,
    pub(crate) store: &'a dyn Store,
    pub(crate) cutter: &'a Cutter,
    revivals: watch::Receiver<u64>,
}

impl Teller<'_> {
    async fn approval(mut self) -> Vec<String> {
        let town = self.town;
        town.passes(5);
        let card = town.card(&["mainnet", "v1.4.2", "waits for 2", "2 alarms quiet"]).await;
        town.passes(20);
        let told = self.says_until_heard("U0ANN", "/deploy approve mainnet v1.4.2").await;
        assert!(
            told.contains("1 of 2") || told.contains("already"),
            "Ann is told: {told}"
        );
        town.card(&["waits for 1 of 2"]).await;
        // Whoever says it twice counts once.
        self.says_until_heard("U0ANN", "/deploy approve mainnet v1.4.2").await;
        let mut violations = Vec::new();
        if !town.answers().is_empty() {
            violations.push("one person decided what takes two".to_owned());
        }
        let pressed = town.clicks("U0BRUNO", &card.ts, "approve").await;
        if pressed["status"] != 200 {
            self.revived().await;
            self.says_until_heard("U0BRUNO", "/deploy approve mainnet v1.4.2").await;
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
        let witness = Witness {
            town,
            store: self.store,
            votes: 2,
            asked: 1,
        };
        witness.rest(self.cutter.commits()).await;
        violations.extend(witness.outside());
        violations.extend(witness.inside().await);
        violations
    }

    /// Says something until it is answered, as a person does whose command failed.
    pub(crate) async fn says_until_heard(&mut self, user: &str, text: &str) -> String {
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
}
