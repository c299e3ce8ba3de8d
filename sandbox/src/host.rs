//! What the program that embeds the sandbox lends to the page: a bot to kill and a journal to read.
//!
//! The sandbox knows nothing of the bot. Started alone it has no host, and the page grays these controls and says why.

use async_trait::async_trait;
use serde_json::Value;

/// What an embedding program can do for the page.
#[async_trait]
pub trait Host: Send + Sync {
    /// Kills the bot as a crash would (no draining) and starts it again on the same data.
    async fn kill_and_restart(&self) -> anyhow::Result<()>;

    /// The newest rows of the bot's journal, newest last, as flat JSON objects for display.
    async fn journal(&self, limit: usize) -> anyhow::Result<Vec<Value>>;

    /// The command registry for the composer's completion: `[{"command":"/deploy","usage":"approve <env> [revision] [reason]","summary":"…"}]`.
    fn commands(&self) -> Vec<Value>;
}
