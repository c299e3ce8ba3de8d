//! `require`: a comparison. Nothing is called for it; it stands in a run like any other step, so that its answer is in the record.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::step::Require;

use super::{Answer, At, Executor, StepError, already, finished};

#[async_trait]
impl Executor for Require {
    async fn prepare(&self, _: At<'_>) -> Answer {
        judge(self)?;
        Ok(already(BTreeMap::new(), self.words()))
    }

    async fn watch(&self, _: At<'_>) -> Answer {
        judge(self)?;
        Ok(finished(self.words()))
    }
}

fn judge(step: &Require) -> Result<(), StepError> {
    if step.holds() {
        return Ok(());
    }
    Err(StepError::failed("required", step.otherwise.clone()))
}
