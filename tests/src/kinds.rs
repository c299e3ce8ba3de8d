//! Every kind of step, with an account in which it can be done: one runbook is made of all of them, and what holds for that runbook holds for each kind.
//!
//! A kind that is added to [`commands::step::SPECS`] is added to [`crate::stages`] too, or a test says so.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bot::secret::Secret;
use demo::Options;
use sandbox::faults::Fault;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::operations::Play;
use crate::stages::{Stage, stages};

/// A team that may do all of it. `HEALTH` is a server that it may speak to.
pub const TEAM: &str = r#"
[defaults]
aws = { region = "eu-central-1", role_arn = "arn:aws:iam::111122223333:role/signalbox" }

[service.works]
channel    = "C0DEPLOYS"
github     = "acme/wallet-service"
migrations = ["db/migrations/**"]
hosts      = ["HEALTH", "{sandbox}"]

[service.works.environment.prod]
tier      = "production"
approvers = { groups = ["S0WALLET"], required = 1 }
operators = { groups = ["S0OPS"] }
maintenance = { flag = { parameter = "/works/maintenance" } }
"#;

/// The runbook of every kind, and a server for those that ask one; it ends with this.
pub struct Everything {
    /// What is played.
    pub play: Play,
    _server: JoinSet<()>,
}

impl Everything {
    /// Makes the runbook of every kind and starts the server.
    pub async fn new() -> Self {
        Self::of(|_| true).await
    }

    /// The same of some kinds.
    pub async fn of(wanted: impl Fn(&str) -> bool) -> Self {
        let stages: Vec<&Stage> = stages().filter(|stage| wanted(stage.kind)).collect();
        let (address, server) = healthy().await;
        let health = format!("http://{address}");
        let mut config = TEAM.to_owned();
        for step in stages.iter().flat_map(|stage| stage.steps.split("---\n")) {
            config.push_str("\n[[service.works.runbook.everything.step]]\n");
            config.push_str(step);
        }
        let places = stages.iter().filter(|stage| !stage.account.is_empty());
        let account = places.map(|stage| format!("[[place]]\n{}\n", stage.account)).collect();
        let play = Play {
            service: "works",
            headline: "everything · works → prod",
            config: config.replace("HEALTH", &health),
            account,
            start: "/deploy run everything prod",
            answer,
            world,
            deeds: vec![("services/deed", services())],
            faults: Vec::<Fault>::new(),
            never: |_| None,
        };
        Self { play, _server: server }
    }
}

/// Two resolvers, and the key of every service.
fn world(options: &mut Options) {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    options.sandbox.resolvers = vec![loopback, loopback];
    options.secrets = BTreeMap::from([("SERVICE_KEY".to_owned(), Secret::new("works"))]);
}

/// What is in the other services: a pipeline waits at its hold already.
fn services() -> Value {
    json!([
        { "heroku": { "formation": { "app": "works", "type": "web", "quantity": 2 } } },
        { "twilio": { "number": { "sid": "PN1", "account": "AC1", "voice_url": "https://old.works.example/call" } } },
        { "mailgun": { "route": { "id": "r1", "actions": ["forward(\"https://old.works.example/mail\")", "stop()"] } } },
        { "pingdom": { "check": { "id": 12, "name": "works", "status": "up" } } },
        { "pingdom": { "check": { "id": 13, "name": "blind", "status": "up" } } },
        { "jenkins": { "job": { "name": "works/deploy", "parameters": ["STAGE", "SIGNALBOX_RUN"], "seconds": 2 } } },
        { "circleci": { "project": { "slug": "gh/acme/works", "seconds": 2 } } },
        { "circleci": { "project": { "slug": "gh/acme/held", "hold": "wait", "seconds": 2 } } },
        { "circleci": { "start": { "project": "gh/acme/held" } } },
        { "awx": { "template": { "id": 7, "name": "works", "seconds": 3 } } },
    ])
}

/// What people say when the run asks them; about what nobody knows they look for themselves.
fn answer(shown: &Value, headline: &str) -> (&'static str, &'static str) {
    match headline {
        asked if asked.contains(": agree ·") => ("U0BRUNO", "/deploy confirm prod"),
        asked if asked.contains(": raze ·") => ("U0CARLA", "/deploy confirm prod works-old"),
        asked if asked.contains("waits for a person") => ("U0CARLA", "/deploy confirm prod it is right"),
        stuck if was_done(shown, stuck) => ("U0CARLA", "/deploy confirm prod it was done"),
        _ => ("U0CARLA", "/deploy retry prod"),
    }
}

/// Whether the step of which nobody knows was done, as people can see where it would be.
fn was_done(shown: &Value, headline: &str) -> bool {
    let any = |list: &Value, fits: &dyn Fn(&Value) -> bool| list.as_array().is_some_and(|all| all.iter().any(fits));
    let services = &shown["services"];
    match headline {
        stuck if stuck.contains("“tell”") => any(&shown["places"], &|place| {
            any(&place["functions"], &|function| {
                let told = function["invocations"].as_array().is_some_and(|told| !told.is_empty());
                function["name"] == "works-tell" && told
            })
        }),
        stuck if stuck.contains("“pipeline”") => any(&services["circleci"], &|pipeline| {
            pipeline["project"] == "gh/acme/works"
        }),
        stuck if stuck.contains("“blind”") => any(&services["pingdom"], &|check| {
            check["name"] == "blind" && check["status"] == "paused"
        }),
        _ => false,
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
