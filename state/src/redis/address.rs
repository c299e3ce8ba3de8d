//! What stands in `REDIS_URL` when it names more than one server.

use ::redis::cluster::ClusterClient;
use ::redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use ::redis::{ConnectionInfo, IntoConnectionInfo, RedisResult, TlsMode};
use tokio::sync::Mutex;

use super::link::{Server, Timeouts};
use crate::store::StoreError;

/// One URL for each node of `user:password@first:1,second:2/db`.
pub(super) fn nodes(scheme: &str, rest: &str) -> Vec<String> {
    let (user, hosts) = rest.rsplit_once('@').map_or(("", rest), |(user, hosts)| (user, hosts));
    let user = if user.is_empty() {
        String::new()
    } else {
        format!("{user}@")
    };
    let (hosts, _) = hosts.split_once('/').unwrap_or((hosts, ""));
    hosts
        .split(',')
        .map(|host| format!("{scheme}://{user}{host}"))
        .collect()
}

pub(super) fn cluster(nodes: &[String], timeouts: Timeouts) -> RedisResult<ClusterClient> {
    ClusterClient::builder(nodes.to_vec())
        .connection_timeout(timeouts.connect)
        .response_timeout(timeouts.answer)
        .retries(3)
        .max_retry_wait(200)
        .build()
}

/// `redis+sentinel://user:password@sentinel:26379,other:26379/mymaster/0`; user and password are those of the Redis servers.
pub(super) fn sentinel(scheme: &str, rest: &str) -> Result<Server, StoreError> {
    let bad = |what: &str| StoreError::Refused(format!("REDIS_URL cannot be used: {what}"));
    let (user, hosts) = rest.rsplit_once('@').map_or(("", rest), |(user, hosts)| (user, hosts));
    let (hosts, path) = hosts
        .split_once('/')
        .ok_or_else(|| bad("a sentinel's URL ends in the master's name"))?;
    let (name, database) = path.split_once('/').unwrap_or((path, "0"));
    let settings = |url: String| -> Result<ConnectionInfo, StoreError> {
        url.into_connection_info().map_err(|error| bad(error.category()))
    };
    // Parsed by the library, so that escapes in a password mean the same everywhere.
    let at = if user.is_empty() { "" } else { "@" };
    let servers = settings(format!("{scheme}://{user}{at}localhost/{database}"))?;
    let mut info = SentinelNodeConnectionInfo::default().set_redis_connection_info(servers.redis_settings().clone());
    if scheme == "rediss" {
        info = info.set_tls_mode(TlsMode::Secure);
    }
    let sentinels = hosts
        .split(',')
        .map(|host| settings(format!("{scheme}://{host}")))
        .collect::<Result<Vec<_>, _>>()?;
    let client = SentinelClient::build(sentinels, name, Some(info), SentinelServerType::Master)
        .map_err(|error| bad(error.category()))?;
    Ok(Server::Sentinel(Box::new(Mutex::new(client))))
}
