//! `command`: by Systems Manager, found again by its comment; or a program beside the bot, which nobody finds again when the bot is gone.

mod local;
mod remote;

use async_trait::async_trait;
use commands::step::Command;
use serde_json::Value;

use super::earlier::names;
use super::{Answer, At, Executor, Probe, StepError};

#[async_trait]
impl Executor for Command {
    async fn prepare(&self, at: At<'_>) -> Answer {
        match &self.local {
            Some(name) => local::prepare(name, at),
            None => Ok(super::prepared(Value::Null)),
        }
    }

    async fn act(&self, at: At<'_>) -> Answer {
        match &self.local {
            Some(name) => local::act(self, name, at),
            None => remote::act(self, at).await,
        }
    }

    fn began(&self, memo: &Value) -> Option<bool> {
        Some(names(memo, &["id", "host"]))
    }

    fn comes_late(&self) -> bool {
        self.local.is_none()
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        match &self.local {
            Some(_) => Ok(local::probe(self, at)),
            None => remote::probe(self, at).await,
        }
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        match &self.local {
            Some(_) => local::watch(at),
            None => remote::watch(at).await,
        }
    }
}
