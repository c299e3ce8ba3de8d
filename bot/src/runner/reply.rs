//! Replies: how a speaker learns what came of their words, whatever came of them.
//!
//! A reply is not an effect. What was said is durable before anything is answered, and the card shows it whether or not the reply arrives.

use std::sync::Arc;

use commands::decision::Reply;
use commands::facts::Speaker;
use commands::view::{Message, Modal};

use super::decide::Trouble;
use super::engine::Engine;
use crate::http::{Answer, Heard, Kind};
use crate::slack::SlackError;

impl Engine {
    /// What people are told when nothing, or nobody knows what, came of their words.
    pub(super) fn explain(self: &Arc<Self>, trouble: Trouble, speaker: &Speaker) -> Reply {
        let reference = self.ids.reference();
        let words = match trouble {
            Trouble::NotRecorded(why) => {
                tracing::error!(reference, why, user = %speaker.user, "not recorded");
                format!(
                    "Not recorded, nothing was done: {why}. What waits still waits; try again, or use the AWS console. Reference {reference}."
                )
            }
            Trouble::Unknown(commit) => {
                tracing::error!(reference, user = %speaker.user, "the store did not answer a commit");
                self.look_later(*commit, speaker.clone(), reference.clone());
                format!(
                    "I cannot confirm yet whether this was recorded. Nothing was sent to AWS. You will be told within some seconds. Reference {reference}."
                )
            }
            Trouble::Fault(why) => {
                tracing::error!(reference, why, user = %speaker.user, "a fault");
                format!(
                    "Something is wrong in Signalbox itself, so nothing was done. Tell its operators the reference {reference}."
                )
            }
        };
        Reply::Private(Message::sentence(words))
    }

    /// Finds out what became of a commit whose answer was lost, and tells the speaker.
    fn look_later(self: &Arc<Self>, commit: state::Commit, speaker: Speaker, reference: String) {
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            let words = loop {
                match engine.store.commit(commit.clone()).await {
                    // Sent again under the same id: `Done` says that it is recorded now, whichever try it was.
                    Ok(state::Committed::Done { .. }) => {
                        engine.poke(&commit.slot);
                        break format!("It is recorded after all. Reference {reference}.");
                    }
                    Ok(_) => {
                        break format!("It was not recorded, and nothing was done. Try again. Reference {reference}.");
                    }
                    Err(error) => tracing::warn!(reference, %error, "the store still does not answer"),
                }
                tokio::select! {
                    () = engine.clock.sleep(commands::time::Span::seconds(1)) => {}
                    () = engine.stop.cancelled() => return,
                }
            };
            let message = Message::sentence(words);
            if let Err(error) = engine
                .slack
                .whisper(&speaker.channel, speaker.thread.as_deref(), &speaker.user, &message)
                .await
            {
                tracing::warn!(%error, "a speaker could not be told");
            }
        });
    }

    /// Brings the reply to the speaker: commands and forms are answered in the acknowledgement, buttons by their `response_url`, mentions in their thread.
    pub(super) async fn deliver(self: &Arc<Self>, heard: &Heard, speaker: &Speaker, reply: Reply) -> Answer {
        match (&heard.kind, reply) {
            (_, Reply::None) => {
                if matches!(heard.kind, Kind::Form { .. }) {
                    Answer::CloseForms
                } else {
                    Answer::Empty
                }
            }
            (_, Reply::Form(modal)) => self.open_form(heard, speaker, &modal).await,
            (Kind::Form { .. }, Reply::FormErrors(errors)) => Answer::FormErrors(errors),
            (_, Reply::FormErrors(errors)) => {
                Answer::Private(Message::sentence(errors.into_values().collect::<Vec<_>>().join(" ")))
            }
            (Kind::Command { .. }, Reply::Private(message)) => Answer::Private(message),
            (Kind::Command { .. }, Reply::Public(message)) => Answer::Public(message),
            (Kind::Form { .. }, reply) => {
                self.speak_later(heard, speaker, reply);
                Answer::CloseForms
            }
            (_, reply) => {
                self.speak_later(heard, speaker, reply);
                Answer::Empty
            }
        }
    }

    async fn open_form(self: &Arc<Self>, heard: &Heard, speaker: &Speaker, modal: &Modal) -> Answer {
        let opened = match &heard.trigger_id {
            Some(trigger) => self.slack.open_view(trigger, modal).await.map(drop),
            None => Err(SlackError::NotSent("this delivery cannot open a form".to_owned())),
        };
        if let Err(error) = opened {
            tracing::warn!(%error, "a form could not be opened");
            let what = if matches!(error, SlackError::Unknown(_)) {
                "Slack did not say whether the form opened. Nothing was done; if there is none, press again or"
                    .to_owned()
            } else {
                format!("The form could not be opened ({error}). Nothing was done; press again or")
            };
            let words = format!("{what} say it with words: `/deploy help` lists them.");
            self.speak_later(heard, speaker, Reply::Private(Message::sentence(words)));
        }
        Answer::Empty
    }

    /// Best effort: what was said is durable, and the card shows it whether or not this arrives.
    fn speak_later(self: &Arc<Self>, heard: &Heard, speaker: &Speaker, reply: Reply) {
        let (message, public) = match reply {
            Reply::Private(message) => (message, false),
            Reply::Public(message) => (message, true),
            Reply::None | Reply::Form(_) | Reply::FormErrors(_) => return,
        };
        let (engine, speaker, url) = (Arc::clone(self), speaker.clone(), heard.response_url.clone());
        // What all may read goes under the mention. What only the speaker may read goes there only if the thread exists: Slack shows nobody an
        // ephemeral message in a thread that has no reply yet.
        let thread = match &heard.kind {
            Kind::Mention { ts, .. } if public => Some(heard.thread_ts.clone().unwrap_or_else(|| ts.clone())),
            Kind::Mention { .. } => heard.thread_ts.clone(),
            _ => None,
        };
        self.tasks.spawn(async move {
            let told = match url {
                Some(url) => engine.slack.respond(&url, &message, public).await,
                None if public => engine.slack.speak(&speaker.channel, thread.as_deref(), &message).await,
                None => {
                    engine
                        .slack
                        .whisper(&speaker.channel, thread.as_deref(), &speaker.user, &message)
                        .await
                }
            };
            if let Err(error) = told {
                tracing::warn!(%error, user = %speaker.user, "a reply did not arrive");
            }
        });
    }
}
