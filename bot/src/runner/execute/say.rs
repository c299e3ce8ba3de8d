//! Says things once: in a run's thread, in a channel, to a person.

use std::sync::Arc;

use commands::catalog::Service;
use commands::effect::{Outcome, Recipient};
use commands::ids::{ChannelId, EffectKey, RecordId};
use commands::time::Span;
use commands::view::Message;

use super::card::too_early;
use super::{Done, Try, load_carded, slack_failure};
use crate::door::Lease;
use crate::runner::engine::Engine;
use crate::slack::client::Search;
use crate::slack::{Post, SlackError, render};

/// How far back an earlier try is looked for: effects are tried for hours, not days.
const LOOK_BACK: Span = Span::hours(24);

/// Where something is said.
struct Place<'a> {
    channel: &'a ChannelId,
    thread: Option<&'a str>,
}

/// Says something in a run's thread. Before there is a card there is no thread: it waits.
pub(super) async fn in_thread(
    engine: &Arc<Engine>,
    service: &Service,
    (id, name, message): (&RecordId, &str, &Message),
    this: Try<'_>,
) -> Done {
    let run = match load_carded(engine, service, id).await {
        Ok((_, run)) => run,
        Err(why) => return Done::later(why),
    };
    let Some(card) = run.card() else {
        return if run.reposts() > 1 {
            Done::Outcome(Outcome::Undeliverable {
                error: "the card was deleted".to_owned(),
            })
        } else {
            Done::later("there is no card yet")
        };
    };
    let place = Place {
        channel: &card.channel,
        thread: Some(&card.ts),
    };
    once(engine, place, &format!("thread:{id}:{name}"), message, this).await
}

/// Says something in a channel or to a person.
pub(super) async fn to(
    engine: &Arc<Engine>,
    (to, marker, message): (&Recipient, &str, &Message),
    this: Try<'_>,
) -> Done {
    let direct;
    let channel = match to {
        Recipient::Channel(channel) => channel,
        Recipient::User(user) => match engine.slack.open_direct(user, this.lease).await {
            Ok(channel) => {
                direct = channel;
                &direct
            }
            Err(error) => return slack_failure(error),
        },
    };
    once(
        engine,
        Place { channel, thread: None },
        &format!("post:{marker}"),
        message,
        this,
    )
    .await
}

/// What came of saying something in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It stands there once.
    Once,
    /// Not yet; worth another try.
    Later(String),
    /// Slack will not take it: its error.
    Never(String),
}

/// Says something in a channel once, for a step. `again`: an earlier try may have said it.
pub(crate) async fn in_channel(
    engine: &Engine,
    channel: &ChannelId,
    (marker, message): (&str, &Message),
    (again, lease): (bool, Lease),
) -> Said {
    let place = Place { channel, thread: None };
    let key = EffectKey::of(&["say", marker]);
    let this = Try {
        attempt: if again { 2 } else { 1 },
        lease,
        key: &key,
    };
    match once(engine, place, marker, message, this).await {
        Done::Outcome(Outcome::Undeliverable { error }) => Said::Never(error),
        Done::Outcome(_) => Said::Once,
        Done::Later { why, .. } => Said::Later(why),
    }
}

async fn once(engine: &Engine, place: Place<'_>, marker: &str, message: &Message, this: Try<'_>) -> Done {
    // Before the look: what waits for its turn does not search the channel each time it is put off.
    if let Some(done) = too_early(engine, ("chat.postMessage", place.channel), Span(0)).await {
        return done;
    }
    if this.attempt > 1 {
        match is_there(engine, &place, marker, this).await {
            Ok(true) => return Done::Outcome(Outcome::Posted),
            Ok(false) => {}
            Err(error) => return Done::later(error.to_string()),
        }
    }
    let drawn = render::message(message);
    match engine
        .slack
        .post(
            Post {
                channel: place.channel,
                thread: place.thread,
                drawn: &drawn,
                marker,
            },
            this.lease,
        )
        .await
    {
        Ok(_) => Done::Outcome(Outcome::Posted),
        Err(error) => slack_failure(error),
    }
}

async fn is_there(engine: &Engine, place: &Place<'_>, marker: &str, this: Try<'_>) -> Result<bool, SlackError> {
    let home = engine.people.home().await?.clone();
    let now = engine.clock.now();
    let search = Search {
        channel: place.channel,
        thread: place.thread,
        marker,
        since: commands::time::Timestamp(now.0 - LOOK_BACK.0),
    };
    Ok(!engine.slack.find(search, &home, this.lease).await?.is_empty())
}
