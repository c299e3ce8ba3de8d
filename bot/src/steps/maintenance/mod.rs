//! `maintenance`: whichever way the environment has is turned, and read back. What cannot be read is unknown, and never off.

mod red;
mod redis_key;
mod truth;

use async_trait::async_trait;
use commands::credential::Auth;
use commands::effect::{StepCall, StepOutcome};
use commands::step::{Flag, FlagWay, Lambda, LambdaWay, LogLevel, Maintenance, ReadBack, VariableWay, Way};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::listed::{Body, Servers, Trouble, as_text, at_path};
use super::{Answer, At, Executor, Probe, StepError, acted, already, finished, found, http as web, pending};

pub(super) use red::red_step;
pub(crate) use red::{Red, red};
pub(crate) use truth::{Truth, maintenance_truth};

/// How its calls are named in metrics.
const NAME: &str = "maintenance";

/// Whether it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    On,
    Off,
    /// Some of it is; or it is something that is neither.
    Mixed(String),
    /// Nothing is configured that tells.
    Unread,
}

const fn word(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

impl State {
    /// As a memo keeps it.
    const fn word(&self) -> &'static str {
        match self {
            Self::On => word(true),
            Self::Off => word(false),
            Self::Mixed(_) => "mixed",
            Self::Unread => "unread",
        }
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    state: State,
    /// In words.
    words: String,
    /// What an undo needs.
    memo: Value,
}

impl Seen {
    fn new(state: State, words: impl Into<String>) -> Self {
        Self {
            state,
            words: words.into(),
            memo: Value::Null,
        }
    }

    fn is(&self, on: bool) -> bool {
        self.state == if on { State::On } else { State::Off }
    }
}

fn way(step: &Maintenance) -> Result<&Way, StepError> {
    step.way.as_deref().ok_or_else(|| {
        StepError::failed(
            "no_way",
            "the environment does not say how it goes into maintenance mode",
        )
    })
}

/// A way that another kind of step knows already.
fn other(step: &Maintenance) -> Option<Box<dyn Executor + Send>> {
    let on = step.on?;
    match step.way.as_deref()? {
        Way::Flag(way) => Some(Box::new(flag(way, Some(on)))),
        Way::EnvVar(way) => Some(Box::new(variable(way, Some(on)))),
        Way::Lambda(_) | Way::RedisKey(_) | Way::Http(_) => None,
    }
}

fn flag(way: &FlagWay, on: Option<bool>) -> Flag {
    Flag {
        value: on.map(|on| if on { way.on.clone() } else { way.off.clone() }),
        expected: None,
        choices: Vec::new(),
        missing: way.flag.missing.clone().or_else(|| Some(way.off.clone())),
        ..way.flag.clone()
    }
}

fn variable(way: &VariableWay, on: Option<bool>) -> LogLevel {
    LogLevel {
        functions: way.functions.clone(),
        key: way.key.clone(),
        level: on.map(|on| if on { way.on.clone() } else { way.off.clone() }),
        ..LogLevel::default()
    }
}

fn told(way: &LambdaWay, on: bool) -> Lambda {
    Lambda {
        function: way.function.clone(),
        payload: if on { way.on.clone() } else { way.off.clone() },
        repeatable: true,
    }
}

#[async_trait]
impl Executor for Maintenance {
    async fn prepare(&self, at: At<'_>) -> Answer {
        if let Some(other) = other(self) {
            return other.prepare(at).await;
        }
        let seen = match read(self, at).await {
            // Whoever asks wants to know now.
            Err(StepError::Later(why)) if self.on.is_none() => return Err(StepError::failed("unknown", why)),
            read => read?,
        };
        let Some(on) = self.on else {
            let state = match seen.state {
                State::Mixed(words) => words,
                State::Unread => return Err(StepError::failed("unknown", seen.words)),
                known => known.word().to_owned(),
            };
            return Ok(already(BTreeMap::from([("state".to_owned(), state)]), seen.words));
        };
        // A function that tells people has to be told in every region; a key is written anew, for it says who and until when.
        let again = matches!(way(self)?, Way::Lambda(_)) || (on && matches!(way(self)?, Way::RedisKey(_)));
        if seen.is(on) && !again {
            return Ok(already(BTreeMap::new(), format!("{} already", seen.words)));
        }
        let memo = match way(self)? {
            Way::Lambda(_) | Way::Http(_) => json!({ "was": seen.state.word() }),
            Way::Flag(_) | Way::RedisKey(_) | Way::EnvVar(_) => seen.memo,
        };
        Ok(found(memo, vec![seen.words]))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        match other(self) {
            Some(other) => Ok(to_be_read_back(other.act(at).await?, at)),
            None => turn(self, at, self.on == Some(true)).await,
        }
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        if let Some(other) = other(self) {
            return Ok(match other.probe(at).await? {
                Probe::Done(came) => Probe::Done(to_be_read_back(came, at)),
                probe => probe,
            });
        }
        // Telling it again is as good as once, but people would read it twice. What was so before, or became so in another region, tells nothing.
        let (on, way) = (self.on == Some(true), way(self)?);
        let tells = matches!(way, Way::Lambda(_)) && !self.several && at.call.memo["was"] != word(on);
        Ok(if tells && reads(self, at, on).await {
            Probe::Done(acted(at.call.memo.clone()))
        } else {
            Probe::NotDone
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        if let Way::EnvVar(way) = way(self)? {
            return variable(way, self.on).watch(at).await;
        }
        look(self, at, self.on == Some(true)).await
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        if let Some(other) = other(self) {
            return other.undo(at).await;
        }
        if let Way::RedisKey(way) = way(self)? {
            return redis_key::put_back(way, at).await;
        }
        let back = self.on != Some(true);
        // Where several are told, one of them that was told already makes it read as if all were.
        if was_so(self, at) || (!self.several && reads(self, at, back).await) {
            return Ok(acted(at.call.memo.clone()));
        }
        turn(self, at, back).await
    }

    async fn undo_watch(&self, at: At<'_>) -> Answer {
        match way(self)? {
            Way::EnvVar(way) => variable(way, self.on).undo_watch(at).await,
            // Both are what they were: the call said so.
            Way::RedisKey(_) | Way::Flag(_) => Ok(finished("it is as it was")),
            Way::Lambda(_) | Way::Http(_) if was_so(self, at) => {
                Ok(finished(format!("it was {} before, and stays so", word(self.stood))))
            }
            Way::Lambda(_) | Way::Http(_) => look(self, at, self.on != Some(true)).await,
        }
    }
}

/// What has answered that it is done is read back where it takes effect before it counts.
fn to_be_read_back(came: StepOutcome, at: At<'_>) -> StepOutcome {
    match came {
        StepOutcome::Finished { .. } => acted(at.call.memo.clone()),
        came => came,
    }
}

/// Whether it was as the step wants it before the run, by what was read and by what was known here. What was read alone may be an earlier try's doing,
/// or another region's.
fn was_so(step: &Maintenance, at: At<'_>) -> bool {
    step.on == Some(step.stood) && at.call.memo["was"] == word(step.stood)
}

/// Whether it is seen to be so; not, where it cannot be read.
async fn reads(step: &Maintenance, at: At<'_>, on: bool) -> bool {
    read(step, at).await.is_ok_and(|seen| seen.is(on))
}

/// Reads until it is so.
async fn look(step: &Maintenance, at: At<'_>, on: bool) -> Answer {
    let seen = read(step, at).await?;
    Ok(if seen.is(on) || seen.state == State::Unread {
        finished(seen.words)
    } else {
        pending(at.call.memo.clone(), seen.words)
    })
}

async fn turn(step: &Maintenance, at: At<'_>, on: bool) -> Answer {
    match way(step)? {
        Way::Lambda(way) => drop(told(way, on).act(at).await?),
        Way::RedisKey(way) => redis_key::set(way, step.told.as_ref(), at).await?,
        Way::Http(way) => post(at, if on { &way.on } else { &way.off }, way.secret_env.as_deref()).await?,
        Way::Flag(_) | Way::EnvVar(_) => {}
    }
    Ok(acted(at.call.memo.clone()))
}

async fn read(step: &Maintenance, at: At<'_>) -> Result<Seen, StepError> {
    match way(step)? {
        Way::Flag(way) => flag_seen(&flag(way, None), (&way.on, Some(way.off.as_str())), at).await,
        Way::Lambda(way) => match &way.read {
            Some(from) => read_back(from, at).await,
            None => Ok(Seen::new(
                State::Unread,
                "it answered; nothing is configured that tells whether it is on: add `read_flag` or `read_url`",
            )),
        },
        Way::RedisKey(way) => redis_key::read(way, (step.on, step.told.as_ref()), at).await,
        Way::EnvVar(way) => variable_seen(way, at).await,
        Way::Http(way) => read_back(&way.read, at).await,
    }
}

async fn read_back(from: &ReadBack, at: At<'_>) -> Result<Seen, StepError> {
    match from {
        ReadBack::Url { url, json } => {
            let found = json_at(at, url, json).await?;
            let on = matches!(found.to_lowercase().as_str(), "true" | "on" | "1" | "enabled");
            let state = if on { State::On } else { State::Off };
            let found: String = found.chars().take(60).collect();
            Ok(Seen::new(state, format!("{json} is {found}")))
        }
        ReadBack::Flag { flag, on, region } => {
            let mut call: StepCall = at.call.clone();
            if let Some(region) = region {
                call.aws.region.clone_from(region);
            }
            flag_seen(flag, (on, None), At { call: &call, ..at }).await
        }
    }
}

async fn flag_seen(flag: &Flag, (on, off): (&str, Option<&str>), at: At<'_>) -> Result<Seen, StepError> {
    let read = Flag {
        missing: flag.missing.clone().or_else(|| Some("not there".to_owned())),
        ..flag.clone()
    };
    let StepOutcome::Prepared { outputs, evidence, .. } = read.prepare(at).await? else {
        return Err(StepError::failed("bug", "a flag was not read"));
    };
    let value = outputs.get("value").map_or("", String::as_str);
    let state = match off {
        _ if value == on => State::On,
        Some(off) if value != off => State::Mixed(format!("{value}, which is neither on nor off")),
        _ => State::Off,
    };
    Ok(Seen::new(state, evidence.join(", ")))
}

async fn variable_seen(way: &VariableWay, at: At<'_>) -> Result<Seen, StepError> {
    let StepOutcome::Prepared { outputs, .. } = variable(way, None).prepare(at).await? else {
        return Err(StepError::failed("bug", "a variable was not read"));
    };
    let on = outputs.values().filter(|value| **value == way.on).count();
    let words = format!("{} is on for {on} of {}", way.key, outputs.len());
    let state = match on {
        0 => State::Off,
        all if all == outputs.len() => State::On,
        _ => State::Mixed("on for some functions only".to_owned()),
    };
    Ok(Seen::new(state, words))
}

/// Turns it by its own interface. Said twice it is as good as once, so what may have been done is simply tried again.
async fn post(at: At<'_>, address: &str, secret: Option<&str>) -> Result<(), StepError> {
    let url = web::listed(at, address)?;
    let servers = Servers::new(at, NAME, secret.map(|name| (name, Auth::Bearer)))?;
    drop(servers.json(Method::POST, &url, Body::Json("{}".to_owned())).await?);
    Ok(())
}

/// What stands at a place of the JSON that an address answers with.
async fn json_at(at: At<'_>, address: &str, path: &str) -> Result<String, StepError> {
    let url = web::listed(at, address)?;
    let answer = Servers::new(at, NAME, None)?.get(&url).await;
    let body = answer.map_err(|trouble| match trouble {
        // What is being turned on or off may answer anything for a while.
        Trouble::Refused(_, why) => StepError::Later(why),
        trouble => trouble.into(),
    })?;
    let found = at_path(&body, path).map(as_text);
    found.ok_or_else(|| StepError::Later(format!("it answers without {path}")))
}

/// What a Redis that is not ours is kept with from one call to the next.
fn memo(was: Option<&str>, new: Option<&str>) -> Value {
    json!({ "was": was, "new": new })
}
