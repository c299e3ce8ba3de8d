//! Cuts the bot off at a named point: before a call or a commit, after its work, after its answer.
//!
//! The points are not listed by hand. The layers here stand between the bot and everything outside of it, so a run without a cut enumerates them; each
//! further run is cut at one of them. From the cut on nothing leaves that bot any more, so killing it a moment later is as good as killing it there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bot::door::{Call, DoorError, Outgoing};
use bytes::Bytes;
use commands::ids::EffectKey;
use demo::Options;
use http::Method;
use state::{Commit, Committed, Load, Loaded, Poll, Polled, Store, StoreError};
use tokio::sync::{Notify, watch};

use crate::layer::{Layer, Layered, beneath};

/// Operations that only read, by their first words.
const READING: [&str; 8] = ["BatchGet", "Describe", "Filter", "Get", "Head", "List", "Query", "Scan"];
/// Calls that change nothing that anybody sees: what is lost with them is read again. Hints that were taken from a queue are among them.
const READS: [&str; 13] = [
    "CodePipeline.Get",
    "CodePipeline.List",
    "GraniteServiceVersion20100801.",
    "AmazonSQS.",
    "aws.Assume",
    "aws.Describe",
    "auth.",
    "conversations.history",
    "conversations.replies",
    "users.",
    "usergroups.",
    "team.",
    "github.",
];

/// Whether a call changes nothing that anybody sees.
fn reads(call: &Call) -> bool {
    let name = call.name.as_str();
    let (service, operation) = name.split_once('.').unwrap_or_default();
    // What steps say to servers that a service lists is named by the kind alone.
    let looks = service == "step" && [Method::GET, Method::HEAD].contains(call.request.method());
    looks || READS.iter().any(|read| name.starts_with(read)) || READING.iter().any(|word| operation.starts_with(word))
}

/// One thing that the bot does to the outside, in the order in which it does things of this name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// `chat.postMessage`, or `commit draw`.
    pub name: String,
    /// From 1.
    pub nth: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.name, self.nth)
    }
}

/// Where exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The bot dies before anything leaves it.
    Before,
    /// The work is done, and the bot dies without hearing so.
    Done,
    /// The work is done, the answer is lost, and the bot lives.
    Lost,
    /// The bot hears the answer and dies before its next move.
    Replied,
}

impl Moment {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Before, Self::Done, Self::Lost, Self::Replied];
}

/// A point and a moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// What is cut.
    pub point: Point,
    /// When.
    pub moment: Moment,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.point, self.moment)
    }
}

#[derive(Debug, Default)]
struct Inner {
    cut: Option<Cut>,
    seen: BTreeMap<String, usize>,
    /// Bots are counted; one that was cut off makes no further move.
    bots: usize,
    dead: BTreeSet<usize>,
    /// Dies at its next move.
    doomed: Option<usize>,
    struck: bool,
    /// The effects that each bot has claimed and not reported about.
    held: BTreeMap<usize, BTreeSet<EffectKey>>,
}

/// Counts the points and strikes at one of them.
#[derive(Debug, Default)]
pub struct Cutter {
    inner: Mutex<Inner>,
    fell: Notify,
    commits: watch::Sender<u64>,
}

impl Cutter {
    /// One that strikes there, or only counts.
    #[must_use]
    pub fn new(cut: Option<Cut>) -> Arc<Self> {
        let inner = Mutex::new(Inner {
            cut,
            ..Inner::default()
        });
        Arc::new(Self {
            inner,
            fell: Notify::new(),
            commits: watch::Sender::new(0),
        })
    }

    /// Puts the layers between a bot and everything else; what is there already stays nearer to the outside.
    pub fn stand_between(self: &Arc<Self>, options: &mut Options) {
        let (cutter, inner) = (Arc::clone(self), options.store.take());
        options.store = Some(Arc::new(move |store| {
            // The store is wrapped first, so here a new bot comes into being.
            let bot = cutter.born();
            let side = Side {
                cutter: Arc::clone(&cutter),
                bot,
            };
            Arc::new(Layered {
                store: beneath(inner.as_ref(), &store),
                layer: Arc::new(side),
            })
        }));
        let (cutter, inner) = (Arc::clone(self), options.door.take());
        options.door = Some(Arc::new(move |door| {
            let door = inner
                .as_ref()
                .map_or_else(|| Arc::clone(&door), |wrap| wrap(Arc::clone(&door)));
            let bot = cutter.lock().bots;
            Arc::new(CutDoor {
                door,
                side: Side {
                    cutter: Arc::clone(&cutter),
                    bot,
                },
            })
        }));
    }

    /// Every point that was passed, by name.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        let inner = self.lock();
        let of = |(name, count): (&String, &usize)| -> Vec<Point> {
            (1..=*count)
                .map(|nth| Point {
                    name: name.clone(),
                    nth,
                })
                .collect()
        };
        inner.seen.iter().flat_map(of).collect()
    }

    /// Whether it has struck.
    #[must_use]
    pub fn struck(&self) -> bool {
        self.lock().struck
    }

    /// Returns when a bot was cut off: which, counted from 1 in the order in which they came into being.
    pub async fn fell(&self) -> usize {
        self.fell.notified().await;
        self.lock().dead.last().copied().unwrap_or_default()
    }

    /// The effects that a bot had claimed when it was cut off.
    #[must_use]
    pub fn held_by(&self, bot: usize) -> BTreeSet<EffectKey> {
        self.lock().held.get(&bot).cloned().unwrap_or_default()
    }

    /// Changes with every commit that the store has answered.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn born(&self) -> usize {
        let mut inner = self.lock();
        inner.bots += 1;
        inner.bots
    }
}

/// One bot's side of the cutter.
struct Side {
    cutter: Arc<Cutter>,
    bot: usize,
}

impl Side {
    /// Whether this bot may make a move; the one that is doomed may not.
    async fn breathe(&self) {
        let lives = {
            let mut inner = self.cutter.lock();
            if inner.doomed == Some(self.bot) {
                inner.doomed = None;
                inner.dead.insert(self.bot);
                self.cutter.fell.notify_one();
            }
            !inner.dead.contains(&self.bot)
        };
        if !lives {
            std::future::pending::<()>().await;
        }
    }

    /// Counts a point; tells what happens there.
    async fn reach(&self, name: &str) -> Option<Moment> {
        let moment = {
            let mut inner = self.cutter.lock();
            let count = inner.seen.entry(name.to_owned()).or_default();
            *count += 1;
            let nth = *count;
            let cut = inner
                .cut
                .as_ref()
                .filter(|cut| cut.point.name == name && cut.point.nth == nth);
            let moment = cut.map(|cut| cut.moment);
            inner.struck |= moment.is_some();
            moment
        };
        if moment == Some(Moment::Before) {
            self.die().await;
        }
        moment
    }

    /// What a bot hears after the work was done.
    async fn after<T>(&self, moment: Option<Moment>, answer: T, lost: T) -> T {
        match moment {
            None | Some(Moment::Before) => answer,
            Some(Moment::Lost) => lost,
            Some(Moment::Replied) => {
                self.cutter.lock().doomed = Some(self.bot);
                answer
            }
            Some(Moment::Done) => {
                self.die().await;
                lost
            }
        }
    }

    async fn die(&self) {
        self.cutter.lock().dead.insert(self.bot);
        self.cutter.fell.notify_one();
        std::future::pending::<()>().await;
    }
}

struct CutDoor {
    door: Arc<dyn Outgoing>,
    side: Side,
}

#[async_trait]
impl Outgoing for CutDoor {
    async fn send(&self, call: Call) -> Result<http::Response<Bytes>, DoorError> {
        self.side.breathe().await;
        let moment = if reads(&call) {
            None
        } else {
            self.side.reach(&call.name).await
        };
        let answer = self.door.send(call).await;
        // Nobody hears what comes after the end.
        self.side
            .after(moment, answer, Err(DoorError::Unknown("the answer is lost".to_owned())))
            .await
    }
}

/// What a commit is made for: the beginning of its id.
fn occasion(commit: &Commit) -> String {
    let word: String = commit
        .id
        .chars()
        .take_while(|c| c.is_ascii_alphabetic() || *c == '_')
        .collect();
    format!("commit {word}")
}

#[async_trait]
impl Layer for Side {
    async fn load(&self, store: &dyn Store, load: Load) -> Result<Loaded, StoreError> {
        self.breathe().await;
        store.load(load).await
    }

    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        self.breathe().await;
        let moment = self.reach(&occasion(&commit)).await;
        let reported = commit.finish.as_ref().map(|finish| finish.key.clone());
        let answer = store.commit(commit).await;
        if let (Some(key), Ok(_)) = (reported, &answer) {
            self.cutter.lock().held.entry(self.bot).or_default().remove(&key);
        }
        self.cutter.commits.send_modify(|count| *count += 1);
        self.after(moment, answer, Err(StoreError::Unknown)).await
    }

    async fn poll(&self, store: &dyn Store, poll: Poll) -> Result<Polled, StoreError> {
        self.breathe().await;
        let polled = store.poll(poll).await?;
        let claimed = polled.effects.iter().map(|effect| effect.key.clone());
        self.cutter.lock().held.entry(self.bot).or_default().extend(claimed);
        Ok(polled)
    }
}
