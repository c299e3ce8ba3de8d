//! `announce`: one message, found again by its marker.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::Announce;
use commands::view::Message;
use serde_json::Value;

use super::{Answer, At, Executor, Probe, StepError};
use crate::runner::say::{self, Said};

#[async_trait]
impl Executor for Announce {
    async fn act(&self, at: At<'_>) -> Answer {
        self.say(at, false).await
    }

    /// Looking is part of saying: what was said is not said again.
    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        self.say(at, true).await.map(Probe::Done)
    }
}

trait Say {
    async fn say(&self, at: At<'_>, again: bool) -> Answer;
}

impl Say for Announce {
    async fn say(&self, at: At<'_>, again: bool) -> Answer {
        let channel = self.channel.as_ref().unwrap_or(&at.service.channel);
        let marker = format!("say:{}:{}", at.call.run, at.call.step);
        let message = Message::sentence(self.text.clone());
        match say::in_channel(at.engine, channel, (&marker, &message), (again, at.lease)).await {
            Said::Once => Ok(StepOutcome::Acted { memo: Value::Null }),
            Said::Later(why) => Err(StepError::Later(why)),
            Said::Never(error) => Err(StepError::failed(&error, "Slack does not take the message")),
        }
    }
}
