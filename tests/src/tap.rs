//! A tap on the wire between the binary and its Redis: it knows each commit by what it is made for, and stops the world before one or after it.
//!
//! It reads the protocol as far as it must: where a request and its reply end, and the words of both.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// On which side of the store's work the world stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The request never reaches the store.
    Before,
    /// The store has done it, and its answer never comes.
    After,
}

/// The tap.
pub struct Tap {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    store: String,
    inner: Mutex<Inner>,
    released: Condvar,
    reached: Notify,
    /// How many requests and replies came by.
    passed: watch::Sender<u64>,
    /// How many connections there are.
    open: watch::Sender<usize>,
}

#[derive(Default)]
struct Inner {
    /// How often each name came by since the last [`Tap::begin`].
    seen: BTreeMap<String, usize>,
    armed: Option<(String, usize, Side)>,
    /// Who waits at a stop waits for the next of these.
    releases: u64,
}

impl Tap {
    /// Listens before the store at this address.
    #[must_use]
    pub fn on(store: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            store: store.to_owned(),
            inner: Mutex::default(),
            released: Condvar::new(),
            reached: Notify::new(),
            passed: watch::Sender::new(0),
            open: watch::Sender::new(0),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&accepting);
                shared.open.send_modify(|open| *open += 1);
                // It ends with its connection.
                std::thread::spawn(move || {
                    shared.serve(stream);
                    shared.open.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { address, shared }
    }

    /// The store's URL through here.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Counts anew, and stops the world when the `nth` thing of a name comes by, if one is given.
    pub fn begin(&self, stop: Option<(String, usize, Side)>) {
        let mut inner = self.shared.lock();
        inner.seen.clear();
        inner.armed = stop;
    }

    /// Returns when the world has stopped.
    pub async fn reached(&self) {
        self.shared.reached.notified().await;
    }

    /// Returns when so many more requests and replies came by.
    pub async fn after(&self, count: u64) {
        let mut passed = self.shared.passed.subscribe();
        let until = *passed.borrow() + count;
        // The sender lives as long as this.
        let _ = passed.wait_for(|passed| *passed >= until).await;
    }

    /// Returns when nobody is connected: what a process that was killed had asked for has arrived by then.
    pub async fn nobody(&self) {
        // The sender lives as long as this.
        let _ = self.shared.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Ends the connections that stand still; everything passes from now on.
    pub fn release(&self) {
        let mut inner = self.shared.lock();
        inner.armed = None;
        inner.releases += 1;
        self.shared.released.notify_all();
    }

    /// What came by since the last [`Tap::begin`], and how often.
    #[must_use]
    pub fn seen(&self) -> BTreeMap<String, usize> {
        self.shared.lock().seen.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request after the other, each with its reply, until somebody hangs up.
    fn serve(&self, mut client: TcpStream) {
        let Ok(mut store) = TcpStream::connect(&self.store) else {
            return;
        };
        let (mut requests, mut replies) = (Vec::new(), Vec::new());
        while let Some(request) = next(&mut client, &mut requests) {
            self.passed.send_modify(|passed| *passed += 1);
            let words = words(&request);
            let name = commit(&words);
            if self.stops(name.as_deref(), Side::Before) {
                return;
            }
            if store.write_all(&request).is_err() {
                return;
            }
            let Some(reply) = next(&mut store, &mut replies) else {
                return;
            };
            self.passed.send_modify(|passed| *passed += 1);
            let claim = is_poll(&words).then(|| claimed(&reply)).flatten();
            if self.stops(name.as_deref().or(claim.as_deref()), Side::After) || client.write_all(&reply).is_err() {
                return;
            }
        }
    }

    /// Counts what comes by, once, and stands still where the world is to stop; says whether it did.
    fn stops(&self, name: Option<&str>, side: Side) -> bool {
        let Some(name) = name else { return false };
        let mut inner = self.lock();
        // A commit is counted on its way there, a claim on its way back.
        if (side == Side::Before) == name.starts_with("commit") {
            *inner.seen.entry(name.to_owned()).or_default() += 1;
        }
        let nth = inner.seen.get(name).copied().unwrap_or_default();
        if inner
            .armed
            .as_ref()
            .is_none_or(|armed| *armed != (name.to_owned(), nth, side))
        {
            return false;
        }
        self.reached.notify_one();
        let until = inner.releases + 1;
        while inner.releases < until {
            inner = self.released.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }
}

/// The next whole request or reply; nothing when the other side has hung up.
fn next(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = end(buffer) {
            return Some(buffer.drain(..end).collect());
        }
        let mut bytes = [0; 65_536];
        let read = stream.read(&mut bytes).ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&bytes[..read]);
    }
}

/// Where the first value in the buffer ends, if it is there in whole.
fn end(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|two| two == b"\r\n")?;
    let head = line + 2;
    let number = || std::str::from_utf8(&bytes[1..line]).ok()?.parse::<i64>().ok();
    match bytes[0] {
        b'$' => {
            let length = usize::try_from(number()?).ok();
            let end = length.map_or(head, |length| head + length + 2);
            (bytes.len() >= end).then_some(end)
        }
        b'*' => (0..number()?).try_fold(head, |at, _| Some(at + end(&bytes[at..])?)),
        _ => Some(head),
    }
}

/// The texts in a value, in order.
fn words(bytes: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(line) = bytes[at..].windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&bytes[at + 1..at + line])
            .ok()
            .and_then(|text| text.parse::<usize>().ok());
        let head = at + line + 2;
        at = match (bytes[at], length) {
            (b'$', Some(length)) => {
                let end = head + length;
                words.push(String::from_utf8_lossy(&bytes[head..end]).into_owned());
                end + 2
            }
            _ => head,
        };
    }
    words
}

/// The arguments of a script.
fn arguments(words: &[String]) -> Option<&[String]> {
    let verb = words.first()?;
    let keys: usize = words.get(2)?.parse().ok()?;
    ["EVAL", "EVALSHA"]
        .contains(&verb.as_str())
        .then(|| words.get(3 + keys..))
        .flatten()
}

/// What a commit is made for, if this is one: its arguments begin with its id, for how long that is remembered, and the deadline.
fn commit(words: &[String]) -> Option<String> {
    let [id, remember, deadline, ..] = arguments(words)? else {
        return None;
    };
    remember.parse::<i64>().ok()?;
    deadline.parse::<i64>().ok()?;
    let name: String = id
        .chars()
        .take_while(|c| c.is_ascii_alphabetic() || *c == '_')
        .collect();
    (!name.is_empty()).then(|| format!("commit {name}"))
}

/// A poll has five numbers.
fn is_poll(words: &[String]) -> bool {
    arguments(words).is_some_and(|all| all.len() == 5 && all.iter().all(|word| word.parse::<i64>().is_ok()))
}

/// The first effect that a poll's reply hands out: its key is the only word with a colon behind letters.
fn claimed(reply: &[u8]) -> Option<String> {
    words(reply).iter().find_map(|word| {
        let (kind, _) = word.split_once(':')?;
        let letters = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase());
        letters.then(|| format!("claim {kind}"))
    })
}
