//! The connection: where to, how long to wait, and what a failure means.
//!
//! What matters is whether a request *may* have reached the server. A request that found no connection was certainly not taken; a request that
//! was handed to a connection and got no answer may have been carried out. The library's own manager hides which it was: here they are two steps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::sentinel::SentinelClient;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerError, ServerErrorKind,
    Value,
};
use tokio::sync::Mutex;

use super::address::{cluster, nodes, sentinel};
use crate::store::StoreError;

/// How long the store waits, within the two seconds that a reply to Slack leaves it.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the answer to a request.
    pub answer: Duration,
    /// For everything that one call does.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(700),
            answer: Duration::from_millis(1300),
            total: Duration::from_millis(2000),
        }
    }
}

/// The server behind a URL. It holds the password, so it is never printed.
pub(super) enum Server {
    Single(Box<Client>),
    Cluster(Box<ClusterClient>),
    Sentinel(Box<Mutex<SentinelClient>>),
}

/// How a request is written: a script by its hash or in full. Other commands have one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Short,
    Full,
}

/// What is sent in one trip.
pub(super) enum Packet {
    /// One command.
    One(Cmd),
    /// Commands that see the same moment; their answers come as one list, or as nothing when the server refused one.
    Together(Pipeline),
}

/// Why there is no answer.
enum Failure {
    /// The server certainly got nothing.
    NotSent(StoreError),
    /// The connection went away; the request may have been carried out.
    Dropped,
    /// No answer in time, or none that can be understood; the request may have been carried out.
    Silent,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

struct Current {
    connection: Option<Connection>,
    /// Counts attempts to connect, so that those who waited for one share its failure instead of each trying again.
    attempts: u64,
    failure: Option<StoreError>,
}

pub(super) struct Link {
    server: Server,
    /// Made from a single server that turned out to be a node of a cluster.
    cluster: Option<Box<ClusterClient>>,
    clustered: AtomicBool,
    timeouts: Timeouts,
    current: Mutex<Current>,
    attempts: std::sync::atomic::AtomicU64,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Understands the URL; does not connect yet.
    pub(super) fn new(url: &str, timeouts: Timeouts) -> Result<Self, StoreError> {
        // One provider for the whole program. An error means that it has been installed before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let bad = |error: RedisError| StoreError::Refused(format!("REDIS_URL cannot be used: {}", error.category()));
        let Some((scheme, rest)) = url.trim().split_once("://") else {
            return Err(StoreError::Refused(
                "REDIS_URL cannot be used: it must begin with redis:// or rediss://".to_owned(),
            ));
        };
        let (plain, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let (server, cluster) = match kind {
            "cluster" => (
                Server::Cluster(Box::new(cluster(&nodes(plain, rest), timeouts).map_err(bad)?)),
                None,
            ),
            "sentinel" => (sentinel(plain, rest)?, None),
            _ => {
                let client = Client::open(url.trim()).map_err(bad)?;
                let cluster = cluster(&[url.trim().to_owned()], timeouts).ok().map(Box::new);
                (Server::Single(Box::new(client)), cluster)
            }
        };
        let clustered = AtomicBool::new(matches!(server, Server::Cluster(_)));
        let current = Mutex::new(Current {
            connection: None,
            attempts: 0,
            failure: None,
        });
        Ok(Self {
            server,
            cluster,
            clustered,
            timeouts,
            current,
            attempts: 0.into(),
        })
    }

    /// Sends a request, once or, where that is harmless, twice: every request may be repeated, because a commit is known by its id.
    pub(super) async fn ask(
        &self,
        request: &(impl Fn(Form) -> Packet + Sync),
    ) -> Result<Result<Value, ServerError>, StoreError> {
        let sent = AtomicBool::new(false);
        let asking = async {
            let first = self.send(&request(Form::Short), &sent).await;
            match first {
                Ok(Err(error)) if error.code() == "NOSCRIPT" => self.send(&request(Form::Full), &sent).await,
                // The connection had died, perhaps while nobody used it. What the second answer says is true of the first request as well; but
                // a second failure leaves the first one open.
                Err(Failure::Dropped) => match self.send(&request(Form::Full), &sent).await {
                    Ok(Ok(value)) => Ok(Ok(value)),
                    Ok(Err(_)) | Err(_) => Err(Failure::Silent),
                },
                answer => answer,
            }
        };
        let answer = tokio::time::timeout(self.timeouts.total, asking).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failure::NotSent(error))) => Err(error),
            Err(_) if !sent.load(Ordering::Acquire) => {
                Err(StoreError::Refused("Redis cannot be reached in time".to_owned()))
            }
            Ok(Err(Failure::Dropped | Failure::Silent)) | Err(_) => Err(StoreError::Unknown),
        }
    }

    async fn send(&self, packet: &Packet, sent: &AtomicBool) -> Result<Result<Value, ServerError>, Failure> {
        let mut connection = self.connection().await.map_err(Failure::NotSent)?;
        sent.store(true, Ordering::Release);
        let result = match (packet, &mut connection) {
            (Packet::One(command), Connection::Single(connection)) => connection.req_packed_command(command).await,
            (Packet::One(command), Connection::Cluster(connection)) => connection.req_packed_command(command).await,
            (Packet::Together(commands), Connection::Single(connection)) => together(connection, commands).await,
            (Packet::Together(commands), Connection::Cluster(connection)) => together(connection, commands).await,
        };
        let error = match result {
            Ok(Value::ServerError(error)) => RedisError::from(error),
            Ok(value) => return Ok(Ok(value)),
            Err(error) => error,
        };
        // One server that answers for a part of the slots only: go on as a client of the cluster.
        if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) && self.join_cluster(&connection).await {
            return Box::pin(self.send(packet, sent)).await;
        }
        self.sort(&error, &connection).await.map(Err)
    }

    /// Sends commands that are not one transaction; they must all be of one slot.
    pub(super) async fn ask_all(&self, pipeline: &Pipeline) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let result: RedisResult<()> = match &mut connection {
            Connection::Single(connection) => pipeline.exec_async(connection).await,
            Connection::Cluster(connection) => pipeline.exec_async(connection).await,
        };
        match result {
            Ok(()) => Ok(()),
            Err(error) => Err(self
                .sort(&error, &connection)
                .await
                .map_or(StoreError::Unknown, |said| cause(&said))),
        }
    }

    async fn connection(&self) -> Result<Connection, StoreError> {
        let seen = self.attempts.load(Ordering::Acquire);
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok(connection.clone());
        }
        if current.attempts > seen
            && let Some(failure) = &current.failure
        {
            return Err(failure.clone());
        }
        let connected = self.connect().await;
        current.attempts += 1;
        self.attempts.store(current.attempts, Ordering::Release);
        match connected {
            Ok(connection) => {
                current.connection = Some(connection.clone());
                current.failure = None;
                Ok(connection)
            }
            Err(error) => {
                let failure = not_connected(&error);
                current.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeouts.connect))
            .set_response_timeout(Some(self.timeouts.answer))
            .set_pipeline_buffer_size(1024);
        let joined = self.cluster.as_ref().filter(|_| self.clustered.load(Ordering::Acquire));
        Ok(match (&self.server, joined) {
            (Server::Cluster(client), _) | (_, Some(client)) => {
                Connection::Cluster(client.get_async_connection().await?)
            }
            (Server::Single(client), None) => {
                Connection::Single(client.get_multiplexed_async_connection_with_config(&config).await?)
            }
            (Server::Sentinel(client), None) => {
                Connection::Single(client.lock().await.get_async_connection_with_config(&config).await?)
            }
        })
    }

    async fn join_cluster(&self, used: &Connection) -> bool {
        if self.cluster.is_none() || matches!(used, Connection::Cluster(_)) {
            return false;
        }
        if !self.clustered.swap(true, Ordering::AcqRel) {
            self.current.lock().await.connection = None;
        }
        true
    }

    /// What the server said in its error; else what its silence means.
    async fn sort(&self, error: &RedisError, used: &Connection) -> Result<ServerError, Failure> {
        let single = matches!(used, Connection::Single(_));
        let stale = matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
                | ErrorKind::Io
                | ErrorKind::Parse
        );
        // The cluster's connection mends itself; a single one is made anew, which also finds the new master behind a name or a sentinel.
        if stale && single {
            self.current.lock().await.connection = None;
        }
        let Some(said) = said(error) else {
            return Err(if single && error.is_connection_dropped() {
                Failure::Dropped
            } else {
                Failure::Silent
            });
        };
        // The cluster's client sends again by itself when a node goes away, so that what the last node says does not tell what the first one did.
        let moving = [
            "CLUSTERDOWN",
            "MASTERDOWN",
            "READONLY",
            "TRYAGAIN",
            "LOADING",
            "MOVED",
            "ASK",
        ];
        if !single && moving.contains(&said.code()) {
            return Err(Failure::Silent);
        }
        Ok(said)
    }
}

/// Sends a transaction, and takes the last of its answers: the one that holds all others. Nothing, when the server refused one of the commands: it
/// then says no more than that.
async fn together(connection: &mut impl ConnectionLike, commands: &Pipeline) -> RedisResult<Value> {
    match connection.req_packed_commands(commands, commands.len() + 1, 1).await {
        Ok(answers) => Ok(answers.into_iter().next_back().unwrap_or(Value::Nil)),
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ExecAbort) => Ok(Value::Nil),
        Err(error) => Err(error),
    }
}

/// The server's own words in an error, if it holds any.
fn said(error: &RedisError) -> Option<ServerError> {
    use std::error::Error as _;
    if let Some(said) = error.source().and_then(|source| source.downcast_ref::<ServerError>()) {
        return Some(said.clone());
    }
    None
}

/// What a server's error means for the caller. Only the code is passed on: the rest of the text may quote what was sent.
pub(super) fn cause(error: &ServerError) -> StoreError {
    let text = format!("{} {}", error.code(), error.details().unwrap_or_default());
    // Before 7.0 a refusal inside a script comes wrapped, with the code somewhere in the text.
    let codes: [(&str, &str); 13] = [
        ("READONLY", "Redis is a read-only replica"),
        ("LOADING", "Redis is still loading its data"),
        ("OOM", "Redis is out of memory"),
        ("MISCONF", "Redis cannot save to its disk"),
        ("NOAUTH", "Redis wants a password"),
        ("WRONGPASS", "Redis refused the password"),
        ("NOPERM", "the Redis user may not run the commands that the store needs"),
        ("CLUSTERDOWN", "the Redis cluster is down"),
        ("MASTERDOWN", "the Redis master is down"),
        ("NOREPLICAS", "Redis has too few replicas to accept writes"),
        ("BUSY", "Redis is busy with another script"),
        ("CROSSSLOT", "the Redis cluster does not keep a service's keys together"),
        ("MOVED", "Redis is a cluster: write redis+cluster:// in REDIS_URL"),
    ];
    match codes
        .iter()
        .find(|(code, _)| text.split([' ', '-', ':']).any(|word| word == *code))
    {
        Some((code, words)) => StoreError::Refused(format!("{words} ({code})")),
        None => StoreError::Corrupt(format!("Redis answered {}", error.code())),
    }
}

/// Nothing was sent. The text names no address: a URL may hold a password.
fn not_connected(error: &RedisError) -> StoreError {
    if let Some(said) = said(error) {
        return match cause(&said) {
            StoreError::Corrupt(text) => StoreError::Refused(text),
            known => known,
        };
    }
    let words = match error.kind() {
        _ if error.is_connection_refusal() => "Redis refuses connections",
        _ if error.is_timeout() => "Redis cannot be reached in time",
        ErrorKind::AuthenticationFailed => "Redis refused the password",
        ErrorKind::MasterNameNotFoundBySentinel => "the sentinels know no master of that name",
        _ => return StoreError::Refused(format!("Redis cannot be reached ({})", error.category())),
    };
    StoreError::Refused(words.to_owned())
}
