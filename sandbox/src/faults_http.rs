//! How a fault that is set looks to an HTTP client.
//!
//! Every vendor's handlers go through [`guarded`], so that each kind of fault is obeyed in one place and each call leaves one
//! line in the wire log, whatever became of its answer. The call runs in a task of its own: a request that has reached a vendor is
//! carried out even when the caller dies meanwhile, and a proof that kills the bot needs exactly that.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::faults::FaultKind;
use crate::wire_log::{Direction, Entry};
use crate::world::{Change, World};

/// A call that reached the sandbox.
#[derive(Debug, Clone)]
pub struct Call {
    /// What faults and the wire log name it: `slack.chat.postMessage`, `aws.PutApprovalResult`, `github.compare`.
    pub name: String,
    /// Its arguments as they were understood, without tokens.
    pub arguments: Value,
}

/// What the work came to.
#[derive(Debug)]
pub struct Answer {
    /// What the client reads.
    pub response: Response,
    /// Whether something was done (or read) rather than refused.
    pub done: bool,
    /// The vendor's error code; empty when done.
    pub note: String,
}

impl Answer {
    /// The work was done.
    #[must_use]
    pub const fn done(response: Response) -> Self {
        Self {
            response,
            done: true,
            note: String::new(),
        }
    }

    /// The call was refused with the vendor's error code.
    #[must_use]
    pub fn refused(response: Response, code: impl Into<String>) -> Self {
        Self {
            response,
            done: false,
            note: code.into(),
        }
    }
}

/// How a vendor words the failures that are not about the call itself.
pub trait Vendor: Send + Sync + 'static {
    /// The caller is too fast; `retry_after` in seconds.
    fn throttled(&self, retry_after: u64) -> Response;
    /// The vendor is broken.
    fn failed(&self) -> Response;
    /// The call is refused with a code of the vendor's.
    fn refused(&self, error: &str) -> Response;
}

/// Carries out a call under the faults that are set and writes its line in the wire log. `work` locks what it needs.
pub async fn guarded(
    world: &Arc<World>,
    call: Call,
    vendor: impl Vendor,
    work: impl FnOnce() -> Answer + Send + 'static,
) -> Response {
    let world = Arc::clone(world);
    #[expect(
        clippy::disallowed_methods,
        reason = "the call goes on when its caller hangs up; it is awaited right here"
    )]
    let carried_out = tokio::spawn(async move { carry_out(&world, call, &vendor, work).await });
    carried_out.await.unwrap_or_else(|_| no_answer())
}

async fn carry_out(world: &World, call: Call, vendor: &impl Vendor, work: impl FnOnce() -> Answer) -> Response {
    let fault = world.faults.strike(&call.name);
    if fault.is_some() {
        world.changed(Change::Faults);
    }
    match &fault {
        Some(FaultKind::Slow { ms }) => crate::clock::machine_sleep(Duration::from_millis(*ms)).await,
        Some(FaultKind::HoldBefore) => world.faults.hold(&call.name).await,
        _ => {}
    }
    let (response, done, note) = match &fault {
        Some(FaultKind::Throttle { retry_after }) => (
            Some(vendor.throttled(*retry_after)),
            false,
            "fault: throttle".to_owned(),
        ),
        Some(FaultKind::Fail) => (Some(vendor.failed()), false, "fault: fail".to_owned()),
        Some(FaultKind::Refuse { error }) => (Some(vendor.refused(error)), false, format!("fault: refuse {error}")),
        Some(FaultKind::Drop) => (None, false, "fault: drop".to_owned()),
        Some(FaultKind::LoseAnswer) => {
            let answer = work();
            (None, answer.done, "fault: lose_answer".to_owned())
        }
        Some(FaultKind::HoldAfter) => {
            let answer = work();
            world.faults.hold(&call.name).await;
            (Some(answer.response), answer.done, answer.note)
        }
        Some(FaultKind::Slow { .. } | FaultKind::HoldBefore) | None => {
            let answer = work();
            (Some(answer.response), answer.done, answer.note)
        }
    };
    world.record(Entry {
        seq: 0,
        at_ms: world.clock.now_ms(),
        direction: Direction::Received,
        call: call.name,
        arguments: call.arguments,
        status: response.as_ref().map_or(0, |response| response.status().as_u16()),
        done,
        note,
    });
    response.unwrap_or_else(no_answer)
}

/// A response that makes the server close the connection before a byte of it is written: the body fails when the head is still
/// in the server's buffer.
fn no_answer() -> Response {
    let gone =
        futures::stream::once(async { Err::<bytes::Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted)) });
    let mut response = Response::new(Body::from_stream(gone));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
