//! A Redis of a test's own: started on a free port with a folder that is removed, and killed, paused and restarted at will.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is for tests only, and a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use commands::ids::{EffectKey, ServiceId};
use tempfile::TempDir;

const MISSING: &str = "redis-server could not be started: run scripts/test, which installs redis-server";

/// A Redis server, killed when it is dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    log: Receiver<String>,
    port: u16,
    folder: TempDir,
    settings: Vec<String>,
}

impl RedisServer {
    /// A server that appends every write to its file and syncs it each second.
    ///
    /// # Panics
    /// When `redis-server` is not installed.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"])
    }

    /// A server with settings of the caller's, as `redis-server` takes them.
    ///
    /// # Panics
    /// When `redis-server` is not installed, or does not accept the settings.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings)
    }

    fn start_in(folder: TempDir, settings: &[&str]) -> Self {
        let settings: Vec<String> = settings.iter().map(|word| (*word).to_owned()).collect();
        // Between looking for a free port and using it another process can take it.
        for _ in 0..20 {
            let port = free_port();
            if let Ok((process, log)) = launch(port, &folder, &settings) {
                return Self {
                    process,
                    log,
                    port,
                    folder,
                    settings,
                };
            }
        }
        panic!("{MISSING}");
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it as a power switch would: SIGKILL, nothing is saved.
    ///
    /// # Panics
    /// When the process cannot be killed.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again, on the same port with the same data.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        (self.process, self.log) =
            launch(self.port, &self.folder, &self.settings).unwrap_or_else(|log| panic!("no restart: {log}"));
    }

    /// Ends the leases of these effects of a service, as if their time had passed: who held them is dead.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn end_leases(&self, slot: &ServiceId, effects: &BTreeSet<EffectKey>) {
        let leases = crate::redis::leases(slot);
        let mut server = self.connect();
        for effect in effects {
            let ended = redis::cmd("ZADD")
                .arg(&leases)
                .arg("XX")
                .arg(0)
                .arg(effect.as_str())
                .exec(&mut server);
            ended.unwrap();
        }
    }

    /// Ends every lease: no worker is left.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn end_all_leases(&self) {
        const END: &str = "for _, leases in ipairs(redis.call('KEYS', 'sb*:x')) do
            for _, effect in ipairs(redis.call('ZRANGE', leases, 0, -1)) do redis.call('ZADD', leases, 0, effect) end
        end";
        let ended = redis::cmd("EVAL").arg(END).arg(0).exec(&mut self.connect());
        ended.unwrap();
    }

    /// Lets no lease last longer than this from now: for effects of which nobody may know that they are claimed, while their claimer lives.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn shorten_leases(&self, seconds: u32) {
        const SHORTEN: &str = "local clock = redis.call('TIME')
        local most = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1] * 1000
        for _, leases in ipairs(redis.call('KEYS', 'sb*:x')) do
            for _, effect in ipairs(redis.call('ZRANGEBYSCORE', leases, most, '+inf')) do
                redis.call('ZADD', leases, string.format('%.0f', most), effect)
            end
        end";
        let shortened = redis::cmd("EVAL")
            .arg(SHORTEN)
            .arg(0)
            .arg(seconds)
            .exec(&mut self.connect());
        shortened.unwrap();
    }

    /// In how many milliseconds a key goes away by itself; nothing when it is not there, or stays.
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    pub fn expires(&self, key: &str) -> Option<i64> {
        let left: i64 = redis::cmd("PTTL").arg(key).query(&mut self.connect()).unwrap();
        Some(left).filter(|left| *left >= 0)
    }

    fn connect(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_connection().unwrap()
    }

    /// Stops it where it stands (SIGSTOP): connections stay open, requests lie in its sockets.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn pause(&self) {
        self.signal("-STOP");
        while !self.is_paused() {
            std::thread::yield_now();
        }
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn is_paused(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('T'))
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.process.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "kill {signal} failed");
    }

    /// Waits until its log says this.
    fn wait_for(&self, words: &str) {
        assert!(
            self.log.iter().any(|line| line.contains(words)),
            "the server ended before it said `{words}`"
        );
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // A process that has ended cannot be killed, which is fine here.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A cluster of Redis servers without replicas.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Three masters that share the slots.
    ///
    /// # Panics
    /// When Redis is not installed.
    #[must_use]
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..3)
            .map(|_| RedisServer::start_with(&["--cluster-enabled", "yes"]))
            .collect();
        let mut create = Command::new("redis-cli");
        create
            .args(["--cluster", "create"])
            .args(nodes.iter().map(RedisServer::address))
            .arg("--cluster-yes");
        assert!(
            create
                .stdout(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
            "the cluster was not made"
        );
        for node in &nodes {
            node.wait_for("Cluster state changed: ok");
        }
        Self { nodes }
    }

    /// A URL that names all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "redis+cluster://{}",
            self.nodes
                .iter()
                .map(RedisServer::address)
                .collect::<Vec<_>>()
                .join(",")
        )
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }
}

/// A sentinel that watches one server under the name `signalbox`.
#[derive(Debug)]
pub struct RedisSentinel {
    server: RedisServer,
}

impl RedisSentinel {
    /// Starts it.
    ///
    /// # Panics
    /// When Redis is not installed.
    #[must_use]
    pub fn start(master: &RedisServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sentinel.conf");
        std::fs::write(
            &file,
            format!("sentinel monitor signalbox 127.0.0.1 {} 1\n", master.port),
        )
        .unwrap();
        let server = RedisServer::start_in(folder, &[&file.display().to_string(), "--sentinel"]);
        Self { server }
    }

    /// A URL that asks the sentinel for the master.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+sentinel://{}/signalbox", self.server.address())
    }
}

/// A port that is free now, and whose cluster port, 10,000 above, exists.
fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 55_000 {
            return port;
        }
    }
}

/// Starts the server and waits until it listens; else gives what it said.
fn launch(port: u16, folder: &TempDir, settings: &[String]) -> Result<(Child, Receiver<String>), String> {
    let mut command = Command::new("redis-server");
    // A file of settings, if there is one, has to come first.
    command
        .args(settings)
        .args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--port",
            &port.to_string(),
            "--dir",
        ])
        .arg(folder.path());
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|_| panic!("{MISSING}"));
    let output = BufReader::new(process.stdout.take().unwrap());
    let (tell, log) = channel();
    // The log is read to its end, so that the server never waits for a full pipe.
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            drop(tell.send(line));
        }
    });
    let mut said = String::new();
    for line in log.iter() {
        if line.contains("Ready to accept connections") || line.contains("+monitor master") {
            return Ok((process, log));
        }
        said = line;
    }
    drop(process.wait());
    Err(said)
}
