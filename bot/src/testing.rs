//! What the tests of this crate share: a wire that answers by script, and a clock that stands still until it is moved.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use commands::time::{Span, Timestamp};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::door::{Call, DoorError, Outgoing};

/// What comes back for a call.
pub(crate) type Answer = Result<http::Response<Bytes>, DoorError>;

type Handler = Box<dyn Fn(&Call) -> Answer + Send + Sync>;

/// A way out that leads to a function, and remembers what went by.
pub(crate) struct Wire {
    handler: Handler,
    calls: Mutex<Vec<Call>>,
}

impl Wire {
    pub(crate) fn new(handler: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            handler: Box::new(handler),
            calls: Mutex::default(),
        })
    }

    /// The calls so far: name and body.
    pub(crate) fn calls(&self) -> Vec<(String, String)> {
        let calls = self.calls.lock().unwrap();
        let body = |call: &Call| String::from_utf8_lossy(call.request.body()).into_owned();
        calls.iter().map(|call| (call.name.clone(), body(call))).collect()
    }

    /// How often a call was made.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.calls().iter().filter(|(call, _)| call == name).count()
    }

    /// The addresses that were asked, in order.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|call| call.request.uri().to_string())
            .collect()
    }
}

#[async_trait]
impl Outgoing for Wire {
    async fn send(&self, call: Call) -> Answer {
        let answer = (self.handler)(&call);
        self.calls.lock().unwrap().push(call);
        answer
    }
}

/// An answer with a body.
pub(crate) fn answer(status: u16, body: &str) -> Answer {
    Ok(http::Response::builder()
        .status(status)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap())
}

/// An answer that says no more than that the call may have been carried out.
pub(crate) fn lost() -> Answer {
    Err(DoorError::Unknown("cut".to_owned()))
}

/// A clock that stands still.
pub(crate) struct StillClock {
    now: watch::Sender<i64>,
    monotonic: Mutex<Duration>,
}

impl StillClock {
    pub(crate) fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            now: watch::Sender::new(now.0),
            monotonic: Mutex::default(),
        })
    }

    /// Moves both clocks on.
    pub(crate) fn pass(&self, span: Span) {
        self.now.send_modify(|now| *now += span.0);
        *self.monotonic.lock().unwrap() += Duration::from_millis(span.0.unsigned_abs());
    }
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp(*self.now.borrow())
    }

    fn monotonic(&self) -> Duration {
        *self.monotonic.lock().unwrap()
    }

    async fn sleep_until(&self, at: Timestamp) {
        // The sender lives as long as the clock: this ends when the clock gets there.
        let _ = self.now.subscribe().wait_for(|now| *now >= at.0).await;
    }

    fn changed(&self) -> watch::Receiver<u64> {
        watch::Sender::new(0).subscribe()
    }
}
