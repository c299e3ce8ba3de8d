//! `maintenance = { … }` of an environment: how it goes into maintenance mode.

use commands::catalog::MaintenanceMode;
use commands::credential::check_name;
use commands::runbook::placeholders;
use commands::step::{Flag, FlagWay, HttpWay, Kind as _, LambdaWay, ReadBack, RedisWay, VariableWay, Way};
use serde::Deserialize;
use std::collections::BTreeSet;

use super::section::{Place, Value};
use super::{hosts, plain};

/// The keys as they are written: one of the first five says which way it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    flag: Option<Flag>,
    lambda: Option<String>,
    redis_key: Option<String>,
    env_var: Option<String>,
    http: Option<Addresses>,
    on: Option<String>,
    off: Option<String>,
    redis_url_env: Option<String>,
    #[serde(default)]
    functions: Vec<String>,
    #[serde(default)]
    regions: Vec<String>,
    color: Option<Flag>,
    read_url: Option<String>,
    read_json: Option<String>,
    read_flag: Option<Flag>,
    read_on: Option<String>,
    secret_env: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Addresses {
    on: String,
    off: String,
}

/// Reads it. Nothing when it cannot be right; there is a complaint by then.
pub(super) fn read(value: &Value<'_>, hosts: &BTreeSet<String>) -> Option<MaintenanceMode> {
    let place = &value.place;
    let written = Written::deserialize(plain::value(value.raw()))
        .map_err(|error| place.complain(error.message().to_owned()))
        .ok()?;
    let mode = written.mode().map_err(|why| place.complain(why)).ok()?;
    judge(&mode, hosts, place);
    Some(mode)
}

impl Written {
    fn mode(self) -> Result<MaintenanceMode, String> {
        self.is_one_way()?;
        let read = self.read_back()?;
        let (on, off) = (self.on, self.off);
        let (yes, no) = (|| "true".to_owned(), || "false".to_owned());
        let way = if let Some(flag) = self.flag {
            Way::Flag(FlagWay {
                flag,
                on: on.unwrap_or_else(yes),
                off: off.unwrap_or_else(no),
            })
        } else if let Some(function) = self.lambda {
            Way::Lambda(LambdaWay {
                function,
                on: on.ok_or(
                    "`on` is missing: what the function is told, as JSON, such as '{\"maintenanceMode\": true}'",
                )?,
                off: off.ok_or("`off` is missing: what the function is told, as JSON")?,
                read,
            })
        } else if let Some(key) = self.redis_key {
            let url_env = self.redis_url_env;
            Way::RedisKey(RedisWay {
                key,
                url_env: url_env
                    .ok_or("`redis_url_env` is missing: the environment variable of the bot that holds the address")?,
            })
        } else if let Some(key) = self.env_var {
            if self.functions.is_empty() {
                return Err("`functions` is missing: whose variable it is".to_owned());
            }
            Way::EnvVar(VariableWay {
                functions: self.functions,
                key,
                on: on.unwrap_or_else(yes),
                off: off.unwrap_or_else(no),
            })
        } else {
            let http = self.http.ok_or("`http` is missing")?;
            Way::Http(HttpWay {
                on: http.on,
                off: http.off,
                read: read.ok_or("`read_url` and `read_json` are missing: what tells whether it is on")?,
                secret_env: self.secret_env,
            })
        };
        Ok(MaintenanceMode {
            way,
            regions: self.regions,
            color: self.color,
        })
    }

    fn is_one_way(&self) -> Result<(), String> {
        let said = [
            self.flag.is_some(),
            self.lambda.is_some(),
            self.redis_key.is_some(),
            self.env_var.is_some(),
            self.http.is_some(),
        ];
        if said.iter().filter(|said| **said).count() != 1 {
            return Err(
                "write one of `flag`, `lambda`, `redis_key`, `env_var` and `http`: how it is turned on".to_owned(),
            );
        }
        Ok(())
    }

    fn read_back(&self) -> Result<Option<ReadBack>, String> {
        match (&self.read_url, &self.read_json, &self.read_flag) {
            (None, None, None) => Ok(None),
            (Some(url), Some(json), None) => Ok(Some(ReadBack::Url {
                url: url.clone(),
                json: json.clone(),
            })),
            (None, None, Some(flag)) => Ok(Some(ReadBack::Flag {
                flag: flag.clone(),
                on: self.read_on.clone().unwrap_or_else(|| "true".to_owned()),
                region: None,
            })),
            _ => Err("write `read_url` with `read_json` (a place in its JSON), or `read_flag`".to_owned()),
        }
    }
}

fn judge(mode: &MaintenanceMode, known: &BTreeSet<String>, place: &Place<'_>) {
    let flags = match &mode.way {
        Way::Flag(way) => Some(&way.flag),
        Way::Lambda(LambdaWay {
            read: Some(ReadBack::Flag { flag, .. }),
            ..
        }) => Some(flag),
        _ => None,
    };
    for flag in flags.into_iter().chain(&mode.color) {
        if let Err(why) = flag.check() {
            place.complain(why);
        }
        if flag.value.is_some() {
            place.complain("a flag has no `value` here: `on` and `off` say what it becomes");
        }
    }
    if let Some(Err(why)) = mode.way.secret().map(|(key, name)| check_name(key, name)) {
        place.complain(why);
    }
    for address in mode.way.addresses() {
        let Ok(url) = address.parse::<url::Url>() else {
            if placeholders(address).is_empty() {
                place.complain(format!("`{address}` is no address: write `https://…`"));
            }
            continue;
        };
        hosts::judge(&url, known, place);
    }
    let texts = serde_json::to_string(&mode.way).unwrap_or_default();
    let unknown = placeholders(&texts).into_iter().find(|name| {
        let color = name == "color" && mode.color.is_some();
        !color && !matches!(name.as_str(), "environment" | "service")
    });
    if let Some(name) = unknown {
        place.complain(format!(
            "`{{{name}}}` stands for nothing here: there are {{environment}}, {{service}}, and {{color}} with `color`"
        ));
    }
    if mode.regions.len() == 1 {
        place.complain("one region is the environment's own: leave `regions` out, or name all");
    }
}
