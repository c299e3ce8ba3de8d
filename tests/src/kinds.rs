//! Every kind of step, with an account in which it can be done: one runbook is made of all of them, and what holds for that runbook holds for each kind.
//!
//! A kind that is added to [`commands::step::SPECS`] is added to [`crate::stages`] too, or a test says so.

use std::net::SocketAddr;

use sandbox::faults::Fault;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::operations::Play;
use crate::stages::STAGES;

/// A team that may do all of it. `HEALTH` is a server that it may speak to.
pub const TEAM: &str = r#"
[defaults]
aws = { region = "eu-central-1", role_arn = "arn:aws:iam::111122223333:role/signalbox" }

[service.works]
channel    = "C0DEPLOYS"
github     = "acme/wallet-service"
migrations = ["db/migrations/**"]
hosts      = ["HEALTH"]

[service.works.environment.prod]
tier      = "production"
approvers = { groups = ["S0WALLET"], required = 1 }
operators = { groups = ["S0OPS"] }
"#;

/// The runbook of every kind, and a server for those that ask one; it ends with this.
pub struct Everything {
    /// What is played.
    pub play: Play,
    _server: JoinSet<()>,
}

impl Everything {
    /// Makes the runbook and starts the server.
    pub async fn new() -> Self {
        let (address, server) = healthy().await;
        let health = format!("http://{address}");
        let mut config = TEAM.to_owned();
        for step in STAGES.iter().flat_map(|stage| stage.steps.split("---\n")) {
            config.push_str("\n[[service.works.runbook.everything.step]]\n");
            config.push_str(step);
        }
        let places = STAGES.iter().filter(|stage| !stage.account.is_empty());
        let account = places.map(|stage| format!("[[place]]\n{}\n", stage.account)).collect();
        let play = Play {
            service: "works",
            headline: "everything · works → prod",
            config: config.replace("HEALTH", &health),
            account,
            start: "/deploy run everything prod",
            answer,
            deeds: Vec::new(),
            faults: Vec::<Fault>::new(),
            never: |_| None,
        };
        Self { play, _server: server }
    }
}

/// What people say when the run asks them; about what nobody knows they look into the account.
fn answer(shown: &Value, headline: &str) -> (&'static str, &'static str) {
    let places = shown["places"].as_array().into_iter().flatten();
    let mut functions = places.filter_map(|place| place["functions"].as_array()).flatten();
    let told = functions.any(|function| {
        let invocations = function["invocations"].as_array().map_or(0, Vec::len);
        function["name"] == "works-tell" && invocations > 0
    });
    match headline {
        asked if asked.contains("agree") => ("U0BRUNO", "/deploy confirm prod"),
        asked if asked.contains("waits for a person") => ("U0CARLA", "/deploy confirm prod it is right"),
        stuck if stuck.contains("“tell”") && told => ("U0CARLA", "/deploy confirm prod its log says so"),
        _ => ("U0CARLA", "/deploy retry prod"),
    }
}

/// A server that answers everything with 200.
async fn healthy() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            // Who hangs up needs no answer.
            let _ = stream.read(&mut request).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
                .await;
        }
    });
    (address, tasks)
}
