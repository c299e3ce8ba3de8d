//! Draws cards: posts a run's card once, and edits it in place from then on.

use std::collections::BTreeSet;
use std::sync::Arc;

use commands::catalog::Service;
use commands::effect::Outcome;
use commands::ids::{ChannelId, RecordId, UserId};
use commands::run::Run;
use commands::time::Timestamp;
use commands::view;

use super::{Done, Try, load_run, slack_failure};
use crate::runner::engine::Engine;
use crate::slack::client::Search;
use crate::slack::render::{self, Drawn};
use crate::slack::{Post, SlackError};

/// The marker of a run's card. A card that was deleted and posted again has another one.
fn marker(run: &Run) -> String {
    if run.reposts == 0 {
        format!("card:{}", run.id)
    } else {
        format!("card:{}:{}", run.id, run.reposts)
    }
}

/// Everybody whom the card names.
fn named(run: &Run) -> BTreeSet<UserId> {
    let voters = run.votes.iter().map(|vote| &vote.user);
    let deciders = run.decision.iter().flat_map(|decision| &decision.by);
    voters
        .chain(deciders)
        .chain(&run.pinned.starter.user)
        .cloned()
        .collect()
}

/// Draws a run's card as the run stands now: whatever asked for it, the newest state is what people see.
pub(super) async fn draw(engine: &Arc<Engine>, service: &Service, id: &RecordId, this: Try<'_>) -> Done {
    let (snapshot, run) = match load_run(engine, service, id).await {
        Ok(loaded) => loaded,
        Err(why) => return Done::later(why),
    };
    let groups = service
        .environments
        .iter()
        .flat_map(commands::catalog::Environment::groups)
        .collect();
    let crowd = engine.crowd(named(&run), &groups).await;
    let card = view::card(&run, &engine.facts(service, &snapshot, &crowd, engine.clock.now()));
    let drawn = render::message(&card);
    match &run.card {
        Some(card) => edit(engine, id, (&card.channel, &card.ts), &drawn, this).await,
        None if run.reposts > 1 => Done::Outcome(Outcome::Done),
        None => post(engine, &run, &drawn, this).await,
    }
}

async fn edit(
    engine: &Engine,
    id: &RecordId,
    (channel, ts): (&ChannelId, &String),
    drawn: &Drawn,
    this: Try<'_>,
) -> Done {
    if engine.drawings.is(id, ts, &drawn.digest) {
        return Done::Outcome(Outcome::Drawn { posted: None });
    }
    if let Some(done) = too_early(engine, "chat.update", channel) {
        return done;
    }
    match engine.slack.update(channel, ts, drawn, this.lease).await {
        Ok(()) => {
            engine.drawings.set(id, ts, &drawn.digest);
            Done::Outcome(Outcome::Drawn { posted: None })
        }
        Err(SlackError::Refused { code }) if matches!(code.as_str(), "message_not_found" | "cant_update_message") => {
            Done::Outcome(Outcome::CardGone)
        }
        Err(error) => slack_failure(error),
    }
}

async fn post(engine: &Engine, run: &Run, drawn: &Drawn, this: Try<'_>) -> Done {
    let (channel, marker) = (&run.pinned.channel, marker(run));
    if this.attempt > 1 {
        match earlier(engine, run, &marker, this).await {
            Ok(Some(ts)) => return found(engine, run, ts, drawn, this).await,
            Ok(None) => {}
            // Posting without knowing could make a second card.
            Err(error) => return Done::later(error.to_string()),
        }
    }
    if let Some(done) = too_early(engine, "chat.postMessage", channel) {
        return done;
    }
    match engine
        .slack
        .post(
            Post {
                channel,
                thread: None,
                drawn,
                marker: &marker,
            },
            this.lease,
        )
        .await
    {
        Ok(ts) => {
            engine.drawings.set(&run.id, &ts, &drawn.digest);
            posted(run, ts)
        }
        Err(error) => slack_failure(error),
    }
}

/// An earlier try had posted it, and it shows what was true then: it is brought up to date before it counts as drawn.
async fn found(engine: &Engine, run: &Run, ts: String, drawn: &Drawn, this: Try<'_>) -> Done {
    match edit(engine, &run.id, (&run.pinned.channel, &ts), drawn, this).await {
        Done::Outcome(Outcome::Drawn { .. }) => posted(run, ts),
        Done::Outcome(Outcome::CardGone) => Done::later("the card that an earlier try had posted is gone"),
        done => done,
    }
}

fn posted(run: &Run, ts: String) -> Done {
    Done::Outcome(Outcome::Drawn {
        posted: Some((run.pinned.channel.clone(), ts)),
    })
}

/// The card that an earlier try posted, if one did. If two did, the younger is removed.
async fn earlier(engine: &Engine, run: &Run, marker: &str, this: Try<'_>) -> Result<Option<String>, SlackError> {
    let home = engine.people.home().await?.clone();
    let since = run.changed_at.min(run.pinned.waiting_since);
    let search = Search {
        channel: &run.pinned.channel,
        thread: None,
        marker,
        since,
    };
    let mut found = engine.slack.find(search, &home, this.lease).await?.into_iter();
    let oldest = found.next().map(|message| message.ts);
    for younger in found {
        engine
            .slack
            .delete(&run.pinned.channel, &younger.ts, this.lease)
            .await?;
    }
    Ok(oldest)
}

/// Removes a card that was posted under a lease that had run out, when the run has another one.
pub(super) async fn remove_double(
    engine: &Arc<Engine>,
    service: &Service,
    id: &RecordId,
    (channel, ts): (&ChannelId, &String),
) {
    let Ok((_, run)) = load_run(engine, service, id).await else {
        return;
    };
    let known = run.card.as_ref();
    // While no card is known, whoever holds the effect now will find this one by its marker.
    if known.is_some_and(|card| card.ts != *ts)
        && let Err(error) = engine.slack.delete(channel, ts, crate::door::Lease::NONE).await
    {
        tracing::warn!(run = %id, %error, "a second card could not be removed");
    }
}

/// From when on Slack wants to hear of a run's card; `None`: at once.
pub(in crate::runner) fn ready_at(engine: &Engine, run: &Run, now: Timestamp) -> Option<Timestamp> {
    let (method, channel) = match &run.card {
        Some(card) => ("chat.update", &card.channel),
        None => ("chat.postMessage", &run.pinned.channel),
    };
    engine.slack.limiter().ready_at(method, Some(channel.as_str()), now)
}

/// Slack would say no just now: the effect waits in the outbox, where a newer drawing takes its place.
pub(super) fn too_early(engine: &Engine, method: &'static str, channel: &ChannelId) -> Option<Done> {
    let now = engine.clock.now();
    let at = engine.slack.limiter().ready_at(method, Some(channel.as_str()), now)?;
    Some(Done::Later {
        after: Some(at - now),
        why: "Slack's pace".to_owned(),
    })
}
