//! Draws cards: posts a run's card once, and edits it in place from then on.

use std::collections::BTreeSet;
use std::sync::Arc;

use commands::catalog::Service;
use commands::effect::Outcome;
use commands::facts::Facts;
use commands::ids::{ChannelId, RecordId, UserId};
use commands::operation::{self, Operation};
use commands::run::{CardRef, Run, Status};
use commands::time::{Span, Timestamp};
use commands::view::{self, Message};

use super::{Done, Try, load_carded, slack_failure};
use crate::runner::drawings::Versions;
use crate::runner::engine::{Engine, owners};
use crate::slack::client::Search;
use crate::slack::render::{self, Drawn};
use crate::slack::{Post, SlackError};

/// How often a card in an archived channel is tried again.
const ARCHIVED: Span = Span::minutes(15);
/// How long what people decide on lets ends go first, and progress lets both; less than Slack's pause between two calls.
const DECISIONS: Span = Span(200);
const PROGRESS: Span = Span(400);

/// What has a card: an approval's run, or one of a runbook.
#[derive(Debug)]
pub(super) enum Carded {
    Run(Box<Run>),
    Operation(Box<Operation>),
}

impl Carded {
    const fn id(&self) -> &RecordId {
        match self {
            Self::Run(run) => &run.id,
            Self::Operation(operation) => &operation.id,
        }
    }

    /// Its card, once it is posted.
    pub(super) const fn card(&self) -> Option<&CardRef> {
        match self {
            Self::Run(run) => run.card.as_ref(),
            Self::Operation(operation) => operation.card.as_ref(),
        }
    }

    /// How long it lets others go first.
    fn patience(&self) -> Span {
        match self {
            Self::Run(run) => patience(run),
            Self::Operation(operation) => match operation.status {
                operation::Status::Ended { .. } => Span(0),
                operation::Status::Stopped => DECISIONS,
                _ if operation.steps.iter().any(|step| step.phase.is_asking()) => DECISIONS,
                _ => PROGRESS,
            },
        }
    }

    /// How often a deleted card was posted again.
    pub(super) const fn reposts(&self) -> u32 {
        match self {
            Self::Run(run) => run.reposts,
            Self::Operation(operation) => operation.reposts,
        }
    }

    const fn channel(&self) -> &ChannelId {
        match self {
            Self::Run(run) => &run.pinned.channel,
            Self::Operation(operation) => &operation.pinned.channel,
        }
    }

    /// Before this no card of it can have been posted.
    fn since(&self) -> Timestamp {
        match self {
            Self::Run(run) => run.changed_at.min(run.pinned.waiting_since),
            Self::Operation(operation) => operation.pinned.started_at,
        }
    }

    /// The marker of its card. A card that was deleted and posted again has another one.
    fn marker(&self) -> String {
        match self.reposts() {
            0 => format!("card:{}", self.id()),
            times => format!("card:{}:{times}", self.id()),
        }
    }

    /// Everybody whom the card names.
    fn named(&self) -> BTreeSet<UserId> {
        match self {
            Self::Run(run) => {
                let voters = run.votes.iter().map(|vote| &vote.user);
                let deciders = run.decision.iter().flat_map(|decision| &decision.by);
                voters
                    .chain(deciders)
                    .chain(&run.pinned.starter.user)
                    .cloned()
                    .collect()
            }
            Self::Operation(operation) => {
                let answered = operation.steps.iter().flat_map(|step| step.yes.iter().chain(&step.by));
                answered.chain([&operation.pinned.starter]).cloned().collect()
            }
        }
    }

    fn picture(&self, facts: &Facts<'_>) -> Message {
        match self {
            Self::Run(run) => view::card(run, facts),
            Self::Operation(operation) => view::operation_card(operation, facts),
        }
    }
}

/// Draws a run's card as the run stands now: whatever asked for it, the newest state is what people see.
pub(super) async fn draw(engine: &Arc<Engine>, service: &Service, id: &RecordId, this: Try<'_>) -> Done {
    let (snapshot, run) = match load_carded(engine, service, id).await {
        Ok(loaded) => loaded,
        Err(why) => return Done::later(why),
    };
    let groups = service
        .environments
        .iter()
        .flat_map(commands::catalog::Environment::groups)
        .collect();
    let mut people = run.named();
    people.extend(owners(&snapshot.desk));
    let crowd = engine.crowd(people, &groups).await;
    let card = run.picture(&engine.facts(service, &snapshot, &crowd, engine.clock.now()));
    let version = |id: &RecordId| snapshot.positions.get(id).map_or(0, |position| position.version);
    let picture = Picture {
        drawn: render::message(&card),
        versions: (version(id), version(&RecordId::desk())),
    };
    match run.card() {
        Some(card) => edit(engine, &run, card, &picture, this).await,
        None if run.reposts() > 1 => Done::Outcome(Outcome::Done),
        None => post(engine, &run, &picture, this).await,
    }
}

/// A drawing, and what it was drawn from.
struct Picture {
    drawn: Drawn,
    versions: Versions,
}

async fn edit(engine: &Engine, run: &Carded, card: &CardRef, picture: &Picture, this: Try<'_>) -> Done {
    let (id, CardRef { channel, ts, .. }) = (run.id(), card);
    let Picture { drawn, versions } = picture;
    if engine.drawings.is(id, ts, &drawn.digest, *versions) {
        return Done::Outcome(Outcome::Drawn { posted: None });
    }
    if let Some(done) = too_early(engine, ("chat.update", channel), run.patience()).await {
        return done;
    }
    match engine.slack.update(channel, ts, drawn, this.lease).await {
        Ok(()) => {
            engine.drawings.set(id, ts, &drawn.digest, *versions);
            Done::Outcome(Outcome::Drawn { posted: None })
        }
        Err(SlackError::Refused { code }) if matches!(code.as_str(), "message_not_found" | "cant_update_message") => {
            Done::Outcome(Outcome::CardGone)
        }
        // The card is owed until it shows how the run stands: a channel that comes back shows the end, and not what was true when it went.
        Err(SlackError::Refused { code }) if code == "is_archived" => Done::Later {
            after: Some(ARCHIVED),
            why: code,
        },
        Err(error @ SlackError::RateLimited { .. }) => slack_failure(error),
        Err(error) => {
            // It may show this or what it showed before.
            engine.drawings.forget(id);
            slack_failure(error)
        }
    }
}

async fn post(engine: &Engine, run: &Carded, picture: &Picture, this: Try<'_>) -> Done {
    let (channel, marker) = (run.channel(), run.marker());
    // Before the look: a card that waits for its turn does not search the channel each time it is put off.
    if let Some(done) = too_early(engine, ("chat.postMessage", channel), run.patience()).await {
        return done;
    }
    if this.attempt > 1 {
        match earlier(engine, run, &marker, this).await {
            Ok(Some(ts)) => return adopt(engine, run, ts, (picture, this)).await,
            Ok(None) => {}
            // Posting without knowing could make a second card.
            Err(error) => return Done::later(error.to_string()),
        }
    }
    match engine
        .slack
        .post(
            Post {
                channel,
                thread: None,
                drawn: &picture.drawn,
                marker: &marker,
            },
            this.lease,
        )
        .await
    {
        Ok(ts) => posted(engine, run, ts, picture),
        Err(error) => slack_failure(error),
    }
}

/// Takes the card that an earlier try posted for ours. It shows the run as it was then, so it is drawn anew.
async fn adopt(engine: &Engine, run: &Carded, ts: String, (picture, this): (&Picture, Try<'_>)) -> Done {
    let slack = &engine.slack;
    match slack.update(run.channel(), &ts, &picture.drawn, this.lease).await {
        Ok(()) => posted(engine, run, ts, picture),
        // Deleted since the look: the next one does not find it.
        Err(SlackError::Refused { code }) if code == "message_not_found" => Done::later(code),
        Err(error) => slack_failure(error),
    }
}

fn posted(engine: &Engine, run: &Carded, ts: String, picture: &Picture) -> Done {
    engine
        .drawings
        .set(run.id(), &ts, &picture.drawn.digest, picture.versions);
    Done::Outcome(Outcome::Drawn {
        posted: Some((run.channel().clone(), ts)),
    })
}

/// The card that an earlier try posted, if one did. If two did, the younger is removed.
async fn earlier(engine: &Engine, run: &Carded, marker: &str, this: Try<'_>) -> Result<Option<String>, SlackError> {
    let home = engine.people.home().await?.clone();
    let search = Search {
        channel: run.channel(),
        thread: None,
        marker,
        since: run.since(),
    };
    let mut found = engine.slack.find(search, &home, this.lease).await?.into_iter();
    let oldest = found.next().map(|message| message.ts);
    for younger in found {
        engine.slack.delete(run.channel(), &younger.ts, this.lease).await?;
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
    let Ok((_, run)) = load_carded(engine, service, id).await else {
        return;
    };
    let known = run.card();
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
    let at = engine.slack.limiter().ready_at(method, Some(channel.as_str()), now)?;
    Some(at + patience(run))
}

/// How long a card lets others go first when Slack has no room for all: ends come before what people decide on, and that before progress.
const fn patience(run: &Run) -> Span {
    match run.status {
        Status::Ended { .. } => Span(0),
        Status::Waiting | Status::Answering => DECISIONS,
        Status::Following => PROGRESS,
    }
}

/// Takes the turn of a call. Slack would say no just now: the effect waits in the outbox, where a newer drawing takes its place, and lets others go first
/// for a while.
pub(super) async fn too_early(engine: &Engine, (method, channel): (&str, &ChannelId), patience: Span) -> Option<Done> {
    let now = engine.clock.now();
    let limiter = engine.slack.limiter();
    let at = limiter.turn(method, Some(channel.as_str()), now).await?;
    Some(Done::Later {
        after: Some(at + patience - now),
        why: "Slack's pace".to_owned(),
    })
}
