//! `maintenance`: turns an environment's maintenance mode on or off, or reads it, in whichever way the environment has.
//!
//! The way is the environment's own (`maintenance = { … }` of its configuration) and is filled in when a run is started: a runbook says only on or off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Flag, Kind, Spec};
use crate::effect::Class;
use crate::time::{Span, Timestamp};

/// How often it is read back until it is so.
const LOOK: Span = Span::seconds(5);

/// Maintenance mode, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// What it should be; without it, it is only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    /// How it is turned and read. Filled in from the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Box<Way>>,
    /// Who wants it, why, and until when, for ways that can say so. Filled in when it is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// Whether it was on when the run was started, as far as was known here: its undo does not take away what others had turned on. Filled in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stood: bool,
    /// Whether it is turned in several regions: one place tells for all of them, so it does not tell which of them has heard of it. Filled in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub several: bool,
}

/// What those who meet maintenance mode may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Who.
    pub by: String,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether it ends by itself then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends: bool,
}

/// How an environment goes into maintenance mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Way {
    /// A flag of its own.
    Flag(FlagWay),
    /// A function that is told, and something that tells whether it is so.
    Lambda(LambdaWay),
    /// A key in the service's own Redis.
    RedisKey(RedisWay),
    /// A variable of its functions.
    EnvVar(VariableWay),
    /// Its own HTTP interface.
    Http(HttpWay),
}

/// A flag, and what it is when maintenance is on and off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagWay {
    /// Where it is.
    pub flag: Flag,
    /// On.
    #[serde(default = "yes")]
    pub on: String,
    /// Off.
    #[serde(default = "no")]
    pub off: String,
}

/// A function, what it is told, and how what it did is read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LambdaWay {
    /// Its name.
    pub function: String,
    /// What it is told to turn maintenance on: JSON.
    pub on: String,
    /// And off.
    pub off: String,
    /// What tells whether it is so; without it nobody can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadBack>,
}

/// A key in a Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisWay {
    /// The key: there is something in it while maintenance is on.
    pub key: String,
    /// The environment variable of the bot that holds the address.
    pub url_env: String,
}

/// A variable of functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableWay {
    /// The functions.
    pub functions: Vec<String>,
    /// The variable.
    pub key: String,
    /// On.
    #[serde(default = "yes")]
    pub on: String,
    /// Off.
    #[serde(default = "no")]
    pub off: String,
}

/// Addresses that are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpWay {
    /// Called with `POST` to turn it on; twice is as good as once.
    pub on: String,
    /// And off.
    pub off: String,
    /// What tells whether it is so.
    pub read: ReadBack,
    /// The environment variable of the bot that holds a token for the calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_env: Option<String>,
}

/// What tells whether maintenance is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReadBack {
    /// A place in the JSON that an address answers with: `true` or `on` is on, anything else is off.
    Url {
        /// The address.
        url: String,
        /// The place: `maintenance.enabled`.
        json: String,
    },
    /// A flag: this value is on, any other is off.
    Flag {
        /// Where it is.
        flag: Flag,
        /// On.
        #[serde(default = "yes")]
        on: String,
        /// The region in which it is read. Filled in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
    },
}

fn yes() -> String {
    "true".to_owned()
}

fn no() -> String {
    "false".to_owned()
}

impl Way {
    /// Where it is, as people read it.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Flag(way) => way.flag.place(),
            Self::Lambda(way) => way.function.clone(),
            Self::RedisKey(way) => format!("the key {}", way.key),
            Self::EnvVar(way) => format!("{} of {}", way.key, way.functions.join(", ")),
            Self::Http(way) => way.on.split('?').next().unwrap_or_default().to_owned(),
        }
    }

    /// The variable of the bot's environment that it needs, after the key that names it.
    #[must_use]
    pub fn secret(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::RedisKey(way) => Some(("redis_url_env", &way.url_env)),
            Self::Http(way) => Some(("secret_env", way.secret_env.as_ref()?)),
            Self::Flag(_) | Self::Lambda(_) | Self::EnvVar(_) => None,
        }
    }

    /// Whether anything tells if it is on.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        !matches!(self, Self::Lambda(LambdaWay { read: None, .. }))
    }

    /// Every address that it speaks to.
    #[must_use]
    pub fn addresses(&self) -> Vec<&str> {
        let read = match self {
            Self::Lambda(way) => way.read.as_ref(),
            Self::Http(way) => Some(&way.read),
            Self::Flag(_) | Self::RedisKey(_) | Self::EnvVar(_) => None,
        };
        let mut all: Vec<&str> = match read {
            Some(ReadBack::Url { url, .. }) => vec![url],
            _ => Vec::new(),
        };
        if let Self::Http(way) = self {
            all.extend([way.on.as_str(), way.off.as_str()]);
        }
        all
    }
}

impl Kind for Maintenance {
    const SPEC: Spec = Spec {
        kind: "maintenance",
        summary: "Turns the environment's maintenance mode on or off, and reads it back",
        undo: "Turns it back, unless it was so before the run already",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(match self.on {
            Some(_) => Calls::acts(Class::Set).watched(LOOK).undone(true),
            None => Calls::READS,
        })
    }

    fn plan(&self) -> Vec<String> {
        let place = self
            .way
            .as_ref()
            .map_or_else(String::new, |way| format!(": {}", way.place()));
        vec![match self.on {
            Some(true) => format!("turns maintenance on{place}"),
            Some(false) => format!("turns maintenance off{place}"),
            None => format!("reads whether maintenance is on{place}"),
        }]
    }

    fn check(&self) -> Result<(), String> {
        if *self
            != (Self {
                on: self.on,
                ..Self::default()
            })
        {
            return Err("all but `on` is filled in: write only that, and `maintenance` at the environment".to_owned());
        }
        Ok(())
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(if self.on.is_none() { vec!["state"] } else { Vec::new() })
    }

    fn samples() -> Vec<Self> {
        let flag = Flag {
            table: None,
            key: BTreeMap::new(),
            attribute: None,
            parameter: Some("/wallet/maintenance".to_owned()),
            value: None,
            expected: None,
            kind: None,
            choices: Vec::new(),
            missing: Some(no()),
        };
        let way = Way::Flag(FlagWay {
            flag: flag.clone(),
            on: yes(),
            off: no(),
        });
        let read = Self {
            way: Some(Box::new(way)),
            ..Self::default()
        };
        let redis = Way::RedisKey(RedisWay {
            key: "walletsvc:maintenance".to_owned(),
            url_env: "WALLET_REDIS_URL".to_owned(),
        });
        let told = Told {
            by: "ann".to_owned(),
            reason: "migration".to_owned(),
            since: Timestamp(0),
            until: Some(Timestamp(1)),
            ends: true,
        };
        let lambda = Way::Lambda(LambdaWay {
            function: "notify_prod_blue".to_owned(),
            on: "{\"on\": true}".to_owned(),
            off: "{\"on\": false}".to_owned(),
            read: Some(ReadBack::Flag {
                flag,
                on: yes(),
                region: None,
            }),
        });
        let on = Self {
            on: Some(true),
            way: Some(Box::new(redis)),
            told: Some(told),
            stood: true,
            several: false,
        };
        let off = Self {
            on: Some(false),
            way: Some(Box::new(lambda)),
            told: None,
            stood: true,
            several: true,
        };
        vec![read, on, off]
    }
}
