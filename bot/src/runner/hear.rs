//! Somebody speaks: from a delivery to a reply.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use commands::decision::{Decision, Reply};
use commands::facts::{Needs, Speaker, Standing, Via};
use commands::gate;
use commands::grammar::Scope;
use commands::ids::{EnvironmentId, ServiceId};
use commands::operation;
use commands::reason::Reason;
use commands::run::{self, Illegal};
use commands::verb::press::{self, Press};
use commands::verb::{self, Command, Parsed};
use commands::view::{self, Message};

use super::commit::{Cause, REMEMBER_DELIVERY};
use super::decide::{Matter, Settled};
use super::engine::{Crowd, Engine};
use crate::aws::events::Hint;
use crate::http::{Answer, Heard, Inbound, Kind, Notice};

/// What somebody wants, of one service.
#[derive(Debug, Clone)]
enum Wish {
    /// A verb.
    Command(Command),
    /// To be told when an environment is free.
    TellMe(ServiceId, EnvironmentId),
    /// A note for the run in whose thread it was said.
    Note {
        service: ServiceId,
        parent: String,
        text: String,
    },
}

/// The bot, as HTTP sees it.
pub struct Ears(pub Arc<Engine>);

#[async_trait]
impl Inbound for Ears {
    async fn hear(&self, heard: Heard) -> Answer {
        let engine = &self.0;
        let started = engine.clock.monotonic();
        let (kind, answer) = (heard.kind.name(), engine.answer(heard).await);
        let took = engine.clock.monotonic().saturating_sub(started);
        metrics::histogram!("signalbox_answer_seconds", "kind" => kind).record(took.as_secs_f64());
        answer
    }

    async fn notice(&self, notice: Notice) {
        match notice {
            Notice::GroupChanged(group) => self.0.people.forget_group(&group),
            Notice::PersonChanged(user) => self.0.people.forget_person(&user),
            Notice::ChannelChanged(channel) => self.0.people.forget_channel(&channel),
        }
    }

    async fn hint(&self, hint: Hint) {
        self.0.look_at(&hint).await;
    }
}

impl Kind {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Command { .. } => "command",
            Self::Press { .. } => "press",
            Self::Form { .. } => "form",
            Self::FormClosed { .. } => "form_closed",
            Self::Mention { .. } => "mention",
            Self::ThreadReply { .. } => "thread_reply",
        }
    }
}

impl Engine {
    async fn answer(self: &Arc<Self>, heard: Heard) -> Answer {
        let standing = self.people.belongs(&heard.who).await;
        let Some(channel) = heard.channel.clone().or_else(|| self.home_of(&heard)) else {
            return Answer::Empty;
        };
        let team = heard.who.team.clone().or_else(|| heard.who.enterprise.clone());
        let Some(team) = standing.as_ref().ok().cloned().or(team) else {
            return Answer::Empty;
        };
        let thread = match &heard.kind {
            // The card is itself the parent of its thread.
            Kind::Mention { .. } | Kind::ThreadReply { .. } => heard.thread_ts.clone(),
            _ => None,
        };
        let via = match heard.kind {
            Kind::Command { .. } => Via::Command,
            Kind::Press { .. } => Via::Button,
            Kind::Form { .. } | Kind::FormClosed { .. } => Via::Form,
            Kind::Mention { .. } | Kind::ThreadReply { .. } => Via::Mention,
        };
        let speaker = Speaker {
            user: heard.who.user.clone(),
            team,
            channel,
            thread,
            via,
            delivery: heard.delivery.clone(),
        };
        let wishes = match self.understand(&heard, &speaker) {
            Ok(wishes) => wishes,
            Err(message) => {
                let message = self.unless_outsider(&speaker, standing.err(), message).await;
                return self.deliver(&heard, &speaker, Reply::Private(message)).await;
            }
        };
        let standing = standing.err();
        if let (Kind::Command { .. }, [Wish::Command(command)]) = (&heard.kind, wishes.as_slice()) {
            match self.look(command, &speaker, standing.as_ref()).await {
                Ok(Some(body)) => return Answer::Drawn(body),
                Ok(None) => {}
                Err(trouble) => {
                    let reply = self.explain(trouble, &speaker);
                    return self.deliver(&heard, &speaker, reply).await;
                }
            }
        }
        let (reply, _) = self.fulfill(&speaker, wishes, standing).await;
        self.deliver(&heard, &speaker, reply).await
    }

    /// An answer that rests on no record, for those who may use the bot: help and the mending of words name environments too.
    async fn unless_outsider(&self, speaker: &Speaker, standing: Option<Standing>, answer: Message) -> Message {
        let standing = match standing {
            Some(standing) => standing,
            None => self.people.person(&speaker.user).await.standing,
        };
        gate::outsider(&standing).map_or(answer, |refusal| view::refusal(&[refusal]))
    }

    /// A form that was opened outside of a channel belongs to the home channel of its service.
    fn home_of(&self, heard: &Heard) -> Option<commands::ids::ChannelId> {
        let Kind::Form { about, .. } = &heard.kind else {
            return None;
        };
        let (service, _) = about.split_once(' ')?;
        Some(self.catalog.services.get(service)?.channel.clone())
    }

    fn understand(&self, heard: &Heard, speaker: &Speaker) -> Result<Vec<Wish>, Message> {
        let unknown = || {
            Message::sentence(
                "This button or form is not known to this version of Signalbox. /deploy status shows what is there.",
            )
        };
        match &heard.kind {
            Kind::Command { command, text } => self.read(&format!("{command} {text}"), speaker),
            Kind::Mention { text, .. } => self.read(&verb::of_mention(text), speaker),
            Kind::Press { action, value, .. } => {
                match press::button(&self.catalog, action, value).ok_or_else(unknown)? {
                    Press::Command(command) => Ok(vec![Wish::Command(command)]),
                    Press::TellMe(service, environment) => Ok(vec![Wish::TellMe(service, environment)]),
                }
            }
            Kind::Form { form, about, fields } => {
                let reason = fields.get("reason").map_or("", String::as_str);
                press::form(&self.catalog, form, about, reason)
                    .map(|command| vec![Wish::Command(command)])
                    .ok_or_else(unknown)
            }
            Kind::FormClosed { .. } => Ok(Vec::new()),
            Kind::ThreadReply { text, parent, .. } => {
                let services = self.catalog.at_home_in(&speaker.channel).into_iter();
                Ok(services
                    .map(|service| Wish::Note {
                        service: service.id.clone(),
                        parent: parent.clone(),
                        text: text.clone(),
                    })
                    .collect())
            }
        }
    }

    fn read(&self, text: &str, speaker: &Speaker) -> Result<Vec<Wish>, Message> {
        match verb::parse(
            text.trim(),
            &Scope {
                catalog: &self.catalog,
                channel: &speaker.channel,
            },
        ) {
            Ok(Parsed::Commands(commands)) => Ok(commands.into_iter().map(Wish::Command).collect()),
            Ok(Parsed::Answer(message)) => Err(message),
            Err(error) => Err(error.message()),
        }
    }

    /// Says a text in the name of somebody: the command line's way in. The reply, and whether what they want was done: a question is done when it is
    /// answered, anything else when something is recorded.
    pub async fn say(self: &Arc<Self>, text: &str, speaker: &Speaker) -> (Reply, bool) {
        let scope = Scope {
            catalog: &self.catalog,
            channel: &speaker.channel,
        };
        match verb::parse(text.trim(), &scope) {
            Ok(Parsed::Commands(commands)) => {
                let wishes = commands.into_iter().map(Wish::Command).collect();
                self.fulfill(speaker, wishes, None).await
            }
            Ok(Parsed::Answer(message)) => (Reply::Private(message), true),
            Err(error) => (Reply::Private(error.message()), false),
        }
    }

    /// Carries wishes out: the reply, and whether all of them were done. `standing` is what the delivery itself says of the speaker, when it says that
    /// they do not belong here.
    async fn fulfill(
        self: &Arc<Self>,
        speaker: &Speaker,
        wishes: Vec<Wish>,
        standing: Option<Standing>,
    ) -> (Reply, bool) {
        let mut replies = Vec::new();
        let mut all_done = true;
        for wish in wishes {
            let (reply, done) = self.fulfill_one(speaker, &wish, standing.clone()).await;
            replies.push(reply);
            all_done &= done;
        }
        (merge(replies), all_done)
    }

    async fn fulfill_one(
        self: &Arc<Self>,
        speaker: &Speaker,
        wish: &Wish,
        standing: Option<Standing>,
    ) -> (Reply, bool) {
        let Some(service) = self.catalog.services.get(wish.service()) else {
            return (Reply::None, false);
        };
        let _turn = match wish.turn() {
            Some(key) => Some(self.queues.enter(&key).await),
            None => None,
        };
        let actor = actor(speaker);
        let matter = Matter {
            service,
            needs: wish.needs(service),
            records: Vec::new(),
            delivery: Some(speaker.delivery.clone()),
            people: BTreeSet::from([speaker.user.clone()]),
            cause: Cause {
                id: speaker.delivery.to_string(),
                actor: &actor,
                channel: speaker.channel.as_str(),
                remember: REMEMBER_DELIVERY,
            },
            finish: None,
        };
        let amend = |crowd: &mut Crowd| {
            if let Some(standing) = &standing {
                crowd.stands(&speaker.user, standing);
            }
        };
        match self.settle(matter, amend, |facts, _| wish.decide(facts, speaker)).await {
            Ok(Settled::Done(reply)) => (reply, true),
            Ok(Settled::Nothing(reply)) => (reply, wish.is_question()),
            Ok(Settled::Refused(reply)) => (reply, false),
            Ok(Settled::Stale) => (Reply::None, false),
            Err(trouble) => (self.explain(trouble, speaker), false),
        }
    }
}

/// Who stands in the journal for a speaker.
fn actor(speaker: &Speaker) -> String {
    match &speaker.via {
        Via::CommandLine { os_user, .. } => format!("{} (os:{os_user})", speaker.user),
        _ => speaker.user.to_string(),
    }
}

impl Wish {
    const fn service(&self) -> &ServiceId {
        match self {
            Self::Command(command) => &command.service,
            Self::TellMe(service, _) | Self::Note { service, .. } => service,
        }
    }

    fn needs(&self, service: &commands::catalog::Service) -> Needs {
        match self {
            Self::Command(command) => command.request.needs(service),
            Self::TellMe(..) => Needs::default(),
            Self::Note { .. } => Needs {
                every_open: true,
                ..Needs::default()
            },
        }
    }

    /// Whether it asks to be told something, and not that something be done.
    fn is_question(&self) -> bool {
        matches!(self, Self::Command(command) if command.request.spec().act == gate::Act::Read)
    }

    /// The queue in which this wish stands; questions stand in none.
    fn turn(&self) -> Option<String> {
        match self {
            Self::Command(_) if self.is_question() => None,
            Self::Command(command) => {
                let needs = command.request.run();
                Some(needs.map_or_else(
                    || command.service.to_string(),
                    |run| format!("{} {run}", command.service),
                ))
            }
            Self::TellMe(service, _) | Self::Note { service, .. } => Some(service.to_string()),
        }
    }

    fn decide(&self, facts: &commands::facts::Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        match self {
            Self::Command(command) => command.request.decide(facts, speaker),
            Self::TellMe(_, environment) => verb::tell_me(facts, speaker, environment),
            Self::Note { parent, text, .. } => note(facts, speaker, parent, text),
        }
    }
}

/// Words in a run's thread become part of its record; words elsewhere are nobody's business.
fn note(facts: &commands::facts::Facts<'_>, speaker: &Speaker, parent: &str, text: &str) -> Result<Decision, Illegal> {
    let mut plan = commands::plan::Plan::new(facts);
    let run = facts
        .runs
        .values()
        .find(|run| run.card.as_ref().is_some_and(|card| card.ts == parent))
        .map(|run| run.id.clone());
    let operation = facts
        .operations
        .values()
        .find(|one| one.card.as_ref().is_some_and(|card| card.ts == parent))
        .map(|one| one.id.clone());
    let note = run::Note {
        user: speaker.user.clone(),
        at: facts.now,
        text: text.chars().take(2000).collect(),
    };
    match (run, operation, facts.standing(&speaker.user)) {
        (Some(id), _, Standing::Member) => plan.tell(&id, run::Event::Noted { note }, Reason::Note)?,
        (None, Some(id), Standing::Member) => {
            plan.tell_operation(&id, operation::Event::Noted { note }, Reason::Note)?;
        }
        _ => {}
    }
    Ok(plan.finish(Reply::None))
}

/// Several services answer with one message.
fn merge(replies: Vec<Reply>) -> Reply {
    let mut messages = Vec::new();
    for reply in replies {
        match reply {
            Reply::Private(message) => messages.push(message),
            Reply::None => {}
            other => return other,
        }
    }
    match messages.len() {
        0 => Reply::None,
        1 => messages.pop().map_or(Reply::None, Reply::Private),
        _ => {
            let fallback = messages
                .iter()
                .map(|message| message.fallback.clone())
                .collect::<Vec<_>>()
                .join(" · ");
            Reply::Private(Message {
                fallback,
                blocks: messages.into_iter().flat_map(|message| message.blocks).collect(),
            })
        }
    }
}
