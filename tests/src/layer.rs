//! A layer between a bot and its store: it sees and changes what passes. Only what changes things, or decides what is done next, can be met with one.

use std::sync::Arc;

use async_trait::async_trait;
use commands::ids::{RecordId, ServiceId};
use demo::{Options, StoreWrap};
use state::audit::{LedgerRow, Row};
use state::{
    Commit, Committed, Effect, Health, Load, Loaded, Page, Poll, Polled, Store, StoreError, Stored, Turn, Turned,
};

/// What is done with the requests on their way to the store; left alone, they pass.
#[async_trait]
pub trait Layer: Send + Sync + 'static {
    /// A load passes.
    async fn load(&self, store: &dyn Store, load: Load) -> Result<Loaded, StoreError> {
        store.load(load).await
    }

    /// A commit passes.
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        store.commit(commit).await
    }

    /// A poll passes.
    async fn poll(&self, store: &dyn Store, poll: Poll) -> Result<Polled, StoreError> {
        store.poll(poll).await
    }
}

/// A store behind a layer.
pub struct Layered<L> {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What stands before it.
    pub layer: Arc<L>,
}

/// Puts a layer before the store of every bot of a rig; what stands there already stays nearer to the store.
pub fn put<L: Layer>(options: &mut Options, layer: L) {
    let (layer, inner) = (Arc::new(layer), options.store.take());
    options.store = Some(Arc::new(move |store| {
        Arc::new(Layered {
            store: beneath(inner.as_ref(), &store),
            layer: Arc::clone(&layer),
        })
    }));
}

/// A store with what stands before it already.
pub(crate) fn beneath(inner: Option<&StoreWrap>, store: &Arc<dyn Store>) -> Arc<dyn Store> {
    inner.map_or_else(|| Arc::clone(store), |wrap| wrap(Arc::clone(store)))
}

#[async_trait]
impl<L: Layer> Store for Layered<L> {
    async fn load(&self, load: Load) -> Result<Loaded, StoreError> {
        self.layer.load(&*self.store, load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.layer.commit(&*self.store, commit).await
    }

    async fn poll(&self, poll: Poll) -> Result<Polled, StoreError> {
        self.layer.poll(&*self.store, poll).await
    }

    async fn journal(
        &self,
        slot: &ServiceId,
        record: &RecordId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.store.journal(slot, record, after, limit).await
    }

    async fn ledger(&self, slot: &ServiceId, after: u64, limit: usize) -> Result<Vec<LedgerRow>, StoreError> {
        self.store.ledger(slot, after, limit).await
    }

    async fn records(
        &self,
        slot: &ServiceId,
        prefix: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Stored>, StoreError> {
        self.store.records(slot, prefix, cursor, limit).await
    }

    async fn outbox(&self, slot: &ServiceId) -> Result<Vec<Effect>, StoreError> {
        self.store.outbox(slot).await
    }

    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        self.store.turn(turn).await
    }

    async fn health(&self) -> Result<Health, StoreError> {
        self.store.health().await
    }
}
