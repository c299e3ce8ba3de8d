//! Once a minute each service's ledger is sealed on standard output: outside the store, so that a tail that was cut off shows.

use std::io::Write;
use std::sync::Arc;

use commands::time::Span;
use state::audit::Sealer;

use super::engine::{Engine, SealSink};

/// How often.
const EVERY: Span = Span::minutes(1);

/// Standard output, whatever the logs do.
#[must_use]
pub fn to_stdout() -> SealSink {
    // Nobody may be reading any more; that must not end the task, which a later reader of the same output would miss.
    Arc::new(|line| {
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    })
}

impl Engine {
    /// Seals until it is stopped.
    pub async fn seal(self: Arc<Self>, sink: SealSink) {
        let mut sealers: Vec<Sealer> = self
            .catalog
            .services
            .keys()
            .map(|slot| Sealer::new(self.clerk.key.clone(), slot.clone(), 0))
            .collect();
        loop {
            for sealer in &mut sealers {
                match sealer.next(&*self.store).await {
                    Ok(Some(seal)) => sink(&seal.line()),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "a ledger could not be sealed; its next seal covers it"),
                }
            }
            tokio::select! {
                () = self.clock.sleep(EVERY) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }
}
