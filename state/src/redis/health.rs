//! What the server says about itself: which it is, whether its writes survive power loss, and whether it may throw keys away.

use std::collections::BTreeMap;

use ::redis::{Cmd, Value, cmd};

use super::codec::Answer;
use super::{Redis, keys::Keys};
use crate::store::{Health, StoreError};

/// The settings that decide, as far as they can be read.
#[derive(Debug, Default)]
struct Settings(BTreeMap<String, String>);

impl Settings {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every commit is on disk before it is answered only with an append-only file that is synced always.
    fn durable(&self) -> Option<bool> {
        match (self.get("appendonly")?, self.get("appendfsync")) {
            ("yes", fsync) => fsync.map(|fsync| fsync == "always"),
            _ => Some(false),
        }
    }

    fn evicts(&self) -> Option<bool> {
        self.get("maxmemory-policy").map(|policy| policy != "noeviction")
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.durable() {
            Some(true) => notes.push("appendonly yes, appendfsync always: a commit is on disk before it is answered.".to_owned()),
            Some(false) => notes.push(format!(
                "appendonly {}, appendfsync {}: power loss can take the last second or more. Mend it with `CONFIG SET appendonly yes`, \
                 `CONFIG SET appendfsync always` and `CONFIG REWRITE`.",
                self.get("appendonly").unwrap_or("?"),
                self.get("appendfsync").unwrap_or("?"),
            )),
            None => notes.push(
                "Unproven: the server does not let its settings be read (CONFIG GET). On a managed service, check in its console that every \
                 write is durable before it is answered (for example MemoryDB, or append-only with fsync always), or allow this user \
                 `+config|get`."
                    .to_owned(),
            ),
        }
        match self.evicts() {
            Some(true) => notes.push(format!(
                "maxmemory-policy {}: Redis may throw away the bot's keys. Mend it with `CONFIG SET maxmemory-policy noeviction` and \
                 `CONFIG REWRITE`.",
                self.get("maxmemory-policy").unwrap_or("?"),
            )),
            Some(false) => {}
            None => notes.push("Unproven: check in the service's console that maxmemory-policy is noeviction.".to_owned()),
        }
        notes
    }
}

pub(super) async fn health(redis: &Redis) -> Result<Health, StoreError> {
    let info = redis.ask(cmd("INFO").arg("server")).await?;
    let info = texts(&info);
    let persistence = texts(&redis.ask(cmd("INFO").arg("persistence")).await?);
    let mut settings = Settings::default();
    for name in ["appendonly", "appendfsync", "maxmemory-policy"] {
        // Denied or renamed on managed services: then it stays unproven.
        if let Ok(value) = redis.ask(cmd("CONFIG").arg("GET").arg(name)).await
            && let Some(found) = setting(value, name)
        {
            settings.0.insert(name.to_owned(), found);
        }
    }
    let mut notes = settings.notes();
    let field = |texts: &[String], name: &str| {
        texts.iter().flat_map(|text| text.lines()).find_map(|line| {
            line.strip_prefix(name)?
                .strip_prefix(':')
                .map(|value| value.trim().to_owned())
        })
    };
    if field(&persistence, "aof_last_write_status").is_some_and(|status| status != "ok") {
        notes.push("The last write of the append-only file failed: look at the server's disk.".to_owned());
    }
    let server = match (field(&info, "valkey_version"), field(&info, "redis_version")) {
        (Some(version), _) => format!("valkey {version}"),
        (None, Some(version)) => format!("redis {version}"),
        (None, None) => "redis of an unknown version".to_owned(),
    };
    let outbox = outbox(redis).await?;
    Ok(Health {
        server,
        durable: settings.durable(),
        evicts: settings.evicts(),
        notes,
        outbox,
    })
}

/// How many effects are due or leased, over the slots asked about.
async fn outbox(redis: &Redis) -> Result<u64, StoreError> {
    let asked = redis.asked().clone();
    let mut sum = 0;
    for (slot, now) in asked {
        let keys = Keys::of(&slot);
        sum += count(redis, cmd("ZCOUNT").arg(keys.due()).arg("-inf").arg(now.0)).await?;
        sum += count(redis, cmd("ZCARD").arg(keys.leases())).await?;
    }
    Ok(sum)
}

async fn count(redis: &Redis, command: &Cmd) -> Result<u64, StoreError> {
    match redis.ask(command).await? {
        Value::Int(count) => Ok(count.unsigned_abs()),
        _ => Err(StoreError::Corrupt(
            "Redis counted something that is not a number".to_owned(),
        )),
    }
}

/// The value of one setting. A cluster answers with one value for each node; the worst of them counts.
fn setting(value: Value, name: &str) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        let Value::Map(pairs) = value else {
            let texts = Answer::of(value).ok()?.texts().ok()?;
            found.extend(
                texts
                    .chunks(2)
                    .filter(|pair| pair[0] == name)
                    .filter_map(|pair| pair.get(1).cloned()),
            );
            continue;
        };
        for (key, value) in pairs {
            match value {
                Value::BulkString(text) => found.extend(String::from_utf8(text).ok()),
                Value::SimpleString(text) => found.push(text),
                nested => {
                    drop(key);
                    pending.push(nested);
                }
            }
        }
    }
    let good = ["yes", "always", "noeviction"];
    found
        .iter()
        .find(|value| !good.contains(&value.as_str()))
        .or(found.first())
        .cloned()
}

/// Every text in an answer: one for a server, one for each node of a cluster.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Map(pairs) => pairs.iter().flat_map(|(_, value)| texts(value)).collect(),
        _ => Vec::new(),
    }
}
