//! A Redis that belongs to somebody else: one key of it is read, and set where it still is what was read.

use ::redis::{Cmd, Value};

use super::link::{Link, Packet, Timeouts};
use crate::store::StoreError;
use commands::time::Span;

/// Sets the key from one value to another. An empty flag before a value says that there is none.
const SWAP: &str = "local now = redis.call('GET', KEYS[1])
local from = false
if ARGV[1] == '1' then from = ARGV[2] end
if now ~= from then
  if now then return {0, now} end
  return {0}
end
if ARGV[3] ~= '1' then redis.call('DEL', KEYS[1])
elseif ARGV[5] == '0' then redis.call('SET', KEYS[1], ARGV[4])
else redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) end
return {1}";

/// A Redis that belongs to somebody else.
#[derive(Debug)]
pub struct Foreign {
    link: Link,
}

/// What a swap came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swapped {
    /// It was done.
    Done,
    /// Something else was there; nothing was done.
    Other(Option<String>),
}

impl Foreign {
    /// Understands the address; does not connect yet.
    ///
    /// # Errors
    /// When it is none.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            link: Link::new(url, Timeouts::default())?,
        })
    }

    /// What is in the key.
    ///
    /// # Errors
    /// When the server does not answer, or says no.
    pub async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let get = |_| {
            let mut command = Cmd::new();
            command.arg("GET").arg(key);
            Packet::One(command)
        };
        let answer = self.link.ask(&get).await?;
        text(&answer.map_err(|_| refused())?)
    }

    /// Sets the key from one value to another (nothing: it is not there), for good or for a while.
    ///
    /// # Errors
    /// When the server does not answer, or says no; it may have been done.
    pub async fn swap(
        &self,
        key: &str,
        (from, to): (Option<&str>, Option<&str>),
        ttl: Option<Span>,
    ) -> Result<Swapped, StoreError> {
        let flag = |value: Option<&str>| if value.is_some() { "1" } else { "0" };
        let swap = |_| {
            let mut command = Cmd::new();
            command.arg("EVAL").arg(SWAP).arg(1).arg(key);
            command.arg(flag(from)).arg(from.unwrap_or_default());
            command.arg(flag(to)).arg(to.unwrap_or_default());
            command.arg(ttl.map_or(0, |ttl| ttl.0.max(1)));
            Packet::One(command)
        };
        let Value::Array(answer) = self.link.ask(&swap).await?.map_err(|_| refused())? else {
            return Err(StoreError::Unknown);
        };
        match answer.as_slice() {
            [Value::Int(1)] => Ok(Swapped::Done),
            [Value::Int(0)] => Ok(Swapped::Other(None)),
            [Value::Int(0), now] => Ok(Swapped::Other(text(now)?)),
            _ => Err(StoreError::Unknown),
        }
    }
}

/// The server's own words may name keys and addresses.
fn refused() -> StoreError {
    StoreError::Refused("the Redis said no".to_owned())
}

fn text(value: &Value) -> Result<Option<String>, StoreError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(String::from_utf8_lossy(bytes).into_owned())),
        Value::SimpleString(text) => Ok(Some(text.clone())),
        _ => Err(StoreError::Unknown),
    }
}
