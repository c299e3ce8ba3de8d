//! What was loaded, in the core's terms, and what of it is kept between loads.
//!
//! A record is read again with every delivery, but sent by the store only when it has changed: the cache holds the parsed fold of the version that
//! was seen last, and the store answers "still that one".

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use commands::desk::Desk;
use commands::facts::Needs;
use commands::ids::{DeliveryId, EnvironmentId, RecordId, ServiceId};
use commands::operation::Operation;
use commands::run::Run;
use commands::watch::Watch;
use state::{Load, Loaded, Store, StoreError, StoreTime, Stored, Wanted};

/// How many folds a generation keeps. A run's fold is some kilobytes: two generations are some megabytes at most.
const GENERATION: usize = 512;
/// Of how many open runs of a service the versions are sent along. No team has so many that wait.
const HELD: usize = 64;

/// What the ids of runs begin with.
const RUNS: &str = "run/";

/// A record's fold.
#[derive(Debug, Clone)]
enum Fold {
    Desk(Arc<Desk>),
    Run(Arc<Run>),
    Operation(Arc<Operation>),
    Watch(Arc<Watch>),
}

/// The newest folds that were seen, in two generations: what is asked for again moves to the young one, and when that is full, the old one is forgotten.
#[derive(Debug, Default)]
pub struct Cache {
    folds: Mutex<Generations>,
    /// The open runs of each service, as they were seen last.
    open: Mutex<HashMap<ServiceId, Vec<RecordId>>>,
}

/// Folds by record, each with its version: held on to while the store is asked, for meanwhile the cache may forget them.
type Kept = BTreeMap<RecordId, (u64, Fold)>;

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<(ServiceId, RecordId), (u64, Fold)>,
    old: HashMap<(ServiceId, RecordId), (u64, Fold)>,
}

impl Generations {
    fn get(&mut self, key: &(ServiceId, RecordId)) -> Option<&(u64, Fold)> {
        if let Some(kept) = self.old.remove(key) {
            self.put(key.clone(), kept);
        }
        self.young.get(key)
    }

    fn put(&mut self, key: (ServiceId, RecordId), fold: (u64, Fold)) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        // The newer fold must not be overtaken by the older one of the same record.
        self.old.remove(&key);
        self.young.insert(key, fold);
    }
}

/// Where a record's journal stands: what the next row continues.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// The record's version; 0: it does not exist.
    pub version: u64,
    /// How many rows its journal has.
    pub rows: u64,
    /// The MAC of the newest.
    pub head: String,
}

/// One slot as it was loaded.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The service.
    pub slot: ServiceId,
    /// The store's time before the load.
    pub now: StoreTime,
    /// The desk; an empty one when there is none yet.
    pub desk: Arc<Desk>,
    /// The runs that exist.
    pub runs: BTreeMap<RecordId, Run>,
    /// The runs of runbooks that exist.
    pub operations: BTreeMap<RecordId, Operation>,
    /// The watches that exist.
    pub watches: BTreeMap<RecordId, Arc<Watch>>,
    /// Every record that was asked for or found, with its position.
    pub positions: BTreeMap<RecordId, Position>,
    /// Records whose fold this version of the program cannot read: a newer one runs them.
    pub newer: Vec<RecordId>,
    /// Who holds which environment.
    pub claims: BTreeMap<EnvironmentId, RecordId>,
    /// The reply this delivery was given before.
    pub answered: Option<String>,
}

impl Cache {
    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.folds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<ServiceId, Vec<RecordId>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept of these records, and with `open` of the runs that were open last.
    fn kept(&self, slot: &ServiceId, wanted: &[RecordId], open: bool) -> Kept {
        let open = if open {
            self.open().get(slot).cloned().unwrap_or_default()
        } else {
            Vec::new()
        };
        let mut folds = self.lock();
        let one = |id: &RecordId| Some((id.clone(), folds.get(&(slot.clone(), id.clone()))?.clone()));
        wanted.iter().chain(&open).filter_map(one).collect()
    }

    /// Remembers which runs are open.
    fn saw_open(&self, slot: &ServiceId, records: &[Stored]) {
        let runs = records
            .iter()
            .filter(|one| one.next_wake.is_some() && one.id.as_str().starts_with(RUNS));
        let runs = runs.map(|one| one.id.clone()).take(HELD).collect();
        self.open().insert(slot.clone(), runs);
    }

    /// Parses a fold and keeps it. `None`: it cannot be read.
    fn parse(&self, slot: &ServiceId, stored: &Stored, text: &str) -> Option<Fold> {
        let fold = match parse(&stored.id, text) {
            Ok(fold) => fold,
            Err(error) => {
                tracing::warn!(record = %stored.id, %error, "a record cannot be read by this version; it is left alone");
                return None;
            }
        };
        self.lock()
            .put((slot.clone(), stored.id.clone()), (stored.version, fold.clone()));
        Some(fold)
    }
}

fn parse(id: &RecordId, text: &str) -> Result<Fold, serde_json::Error> {
    if id.is_operation() {
        return Ok(Fold::Operation(Arc::new(serde_json::from_str(text)?)));
    }
    let id = id.as_str();
    Ok(if id == "desk" {
        Fold::Desk(Arc::new(serde_json::from_str(text)?))
    } else if id.starts_with("watch/") {
        Fold::Watch(Arc::new(serde_json::from_str(text)?))
    } else {
        Fold::Run(Arc::new(serde_json::from_str(text)?))
    })
}

/// What to load.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The service.
    pub slot: &'a ServiceId,
    /// What the core asked for.
    pub needs: &'a Needs,
    /// Watches and other records beside it.
    pub records: &'a [RecordId],
    /// The delivery, when somebody spoke.
    pub delivery: Option<&'a DeliveryId>,
}

/// Loads a slot, in one trip; in two when what ended last in an environment is wanted, for the desk names it.
///
/// # Errors
/// When the store does not answer.
pub async fn load(store: &dyn Store, cache: &Cache, request: Request<'_>) -> Result<Snapshot, StoreError> {
    let mut wanted: Vec<RecordId> = vec![RecordId::desk()];
    wanted.extend(request.needs.runs.iter().cloned());
    wanted.extend(request.records.iter().cloned());
    let open = request.needs.every_open || !request.needs.open_in.is_empty() || !request.needs.newest_of.is_empty();
    let snapshot = trip(store, cache, &request, wanted.clone(), open).await?;
    let newest = request
        .needs
        .newest_of
        .iter()
        .flat_map(|environment| snapshot.desk.newest(environment));
    let newest: Vec<RecordId> = newest
        .filter(|id| !snapshot.positions.contains_key(*id))
        .cloned()
        .collect();
    if newest.is_empty() {
        return Ok(snapshot);
    }
    wanted.extend(newest);
    trip(store, cache, &request, wanted, open).await
}

async fn trip(
    store: &dyn Store,
    cache: &Cache,
    request: &Request<'_>,
    wanted: Vec<RecordId>,
    open: bool,
) -> Result<Snapshot, StoreError> {
    let slot = request.slot;
    let kept = cache.kept(slot, &wanted, open);
    // By name the store is asked in a way that cannot compare versions: a run that another replica has changed would take a second trip. Only the
    // desk, which is large and changes seldom, is worth that.
    let one = |id: &RecordId| Wanted {
        id: id.clone(),
        known: kept
            .get(id)
            .filter(|_| open || *id == RecordId::desk())
            .map_or(0, |(version, _)| *version),
    };
    let load = Load {
        slot: slot.clone(),
        records: wanted.iter().map(one).collect(),
        open_under: open.then(|| RUNS.to_owned()),
        held: kept.keys().filter(|id| !wanted.contains(id)).map(one).collect(),
        delivery: request.delivery.cloned(),
    };
    let loaded = store.load(load).await?;
    if open {
        cache.saw_open(slot, &loaded.records);
    }
    understand(cache, slot, (&wanted, kept), loaded)
}

fn understand(
    cache: &Cache,
    slot: &ServiceId,
    (wanted, mut kept): (&[RecordId], Kept),
    loaded: Loaded,
) -> Result<Snapshot, StoreError> {
    let mut snapshot = Snapshot {
        slot: slot.clone(),
        now: loaded.now,
        desk: Arc::default(),
        runs: BTreeMap::new(),
        operations: BTreeMap::new(),
        watches: BTreeMap::new(),
        positions: wanted.iter().map(|id| (id.clone(), Position::default())).collect(),
        newer: Vec::new(),
        claims: loaded
            .claims
            .into_iter()
            .filter_map(|(name, holder)| Some((EnvironmentId::parse(&name).ok()?, holder)))
            .collect(),
        answered: loaded.answered,
    };
    for stored in loaded.records {
        let position = Position {
            version: stored.version,
            rows: stored.rows,
            head: stored.head.clone(),
        };
        snapshot.positions.insert(stored.id.clone(), position);
        let kept = kept
            .remove(&stored.id)
            .filter(|(version, _)| *version == stored.version);
        let fold = match (kept, &stored.fold) {
            (Some((_, fold)), _) => Some(fold),
            (None, Some(text)) => cache.parse(slot, &stored, text),
            (None, None) => return Err(StoreError::Corrupt("a record came without its fold".to_owned())),
        };
        match fold {
            Some(Fold::Desk(desk)) => snapshot.desk = desk,
            Some(Fold::Run(run)) => drop(snapshot.runs.insert(stored.id, (*run).clone())),
            Some(Fold::Operation(operation)) => drop(snapshot.operations.insert(stored.id, (*operation).clone())),
            Some(Fold::Watch(watch)) => drop(snapshot.watches.insert(stored.id, watch)),
            None => snapshot.newer.push(stored.id),
        }
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> (ServiceId, RecordId) {
        (
            ServiceId::parse("wallet").unwrap(),
            RecordId::parse(&format!("run/mainnet/{number}")).unwrap(),
        )
    }

    #[test]
    fn folds_are_kept_in_bounds_and_never_go_back() {
        let mut folds = Generations::default();
        let fold = || Fold::Desk(Arc::default());
        for number in 0..GENERATION {
            folds.put(key(number), (1, fold()));
        }
        folds.put(key(GENERATION), (1, fold()));
        // It is in the old generation, and is written anew.
        folds.put(key(0), (2, fold()));
        assert_eq!(folds.get(&key(0)).map(|(version, _)| *version), Some(2));
        // What is asked for stays, what is not goes.
        for number in 0..4 * GENERATION {
            folds.put(key(10_000 + number), (1, fold()));
            assert!(folds.get(&key(0)).is_some());
        }
        assert!(folds.get(&key(1)).is_none());
        assert!(folds.young.len() + folds.old.len() <= 2 * GENERATION);
    }
}
