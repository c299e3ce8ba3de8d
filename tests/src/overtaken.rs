//! A vote gets stuck on its way to the store, its bot gives up and dies, and everybody goes on without it. When it arrives after all, it must not count.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use demo::{Options, Stored};
use sandbox::clock::Clock;
use state::embedded::Embedded;
use state::{Commit, Committed, Store, StoreError};

use crate::layer::{self, Layer};
use crate::scenario::{Scenario, options};

/// Longer than a commit may take, and than any lease.
const MUCH_LATER: i64 = 60_000;

/// Lets it happen and says what is wrong afterwards, in words; `layers` come between the bot and the place where the vote gets stuck.
pub async fn overtaken(layers: impl FnOnce(&mut Options)) -> Vec<String> {
    let store_time = Clock::default();
    let time = store_time.clone();
    let store = Embedded::in_memory_with(Arc::new(move || time.now_ms())).expect("a store in memory");
    let store: Arc<dyn Store> = Arc::new(store);
    let mut options = options(Stored::Shared(Arc::clone(&store)));
    let stuck = Stuck::default();
    layer::put(&mut options, stuck.clone());
    layers(&mut options);
    let town = Scenario::with(options).await;
    town.opening().await;
    let mut violations = Vec::new();
    let told = town.says("U0ANN", "/deploy approve mainnet v1.4.2").await.text;
    if !told.contains("cannot confirm yet") {
        violations.push(format!("Ann is told: {told}"));
    }
    town.rig.kill().await;
    let late = stuck.lets_go().expect("her vote is on its way");
    store_time.jump(MUCH_LATER);
    town.rig.restart().await.expect("the bot starts again");
    let shown = town.says("U0BRUNO", "/deploy status mainnet").await.text;
    if !shown.contains("waits for 2 of 2") {
        violations.push(format!("before it arrives Bruno sees: {shown}"));
    }
    let arrived = store.commit(late).await;
    if arrived != Ok(Committed::Late) {
        violations.push(format!("what was given up is taken: {arrived:?}"));
    }
    let told = town.says("U0BRUNO", "/deploy approve mainnet v1.4.2").await.text;
    if !told.contains("1 of 2") {
        violations.push(format!("with the only vote that counts Bruno is told: {told}"));
    }
    town.rig.kill().await;
    violations
}

/// Keeps the commits that are made for commands, until they are let go.
#[derive(Clone, Default)]
struct Stuck(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    commit: Option<Commit>,
    gone: bool,
}

impl Stuck {
    /// From now on everything passes; what was kept comes out.
    fn lets_go(&self) -> Option<Commit> {
        let mut held = self.lock();
        held.gone = true;
        held.commit.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Layer for Stuck {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        {
            let mut held = self.lock();
            if !held.gone && commit.id.starts_with("command") {
                held.commit = Some(commit);
                return Err(StoreError::Unknown);
            }
        }
        store.commit(commit).await
    }
}
