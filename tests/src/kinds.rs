//! Every kind of step, with an account in which it can be done: one runbook is made of all of them, and what holds for that runbook holds for each kind.
//!
//! A kind that is added to [`commands::step::SPECS`] is added here too, or a test says so: as a stage, or in [`NOT_YET`] with the reason why it is none.

use std::net::SocketAddr;

use sandbox::faults::Fault;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::operations::Play;

/// Kinds that are in no stage, and why.
pub const NOT_YET: [(&str, &str); 20] = [
    (
        "redrive",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "schedule",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "snapshot",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "restore",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "route53",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "mapping",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "alarms",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "posture",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "bucket_parity",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    (
        "bucket_delete",
        "tests/all/runbooks_aws.rs fails each of its calls once; it is not cut yet",
    ),
    ("log_match", "tests/all/outside.rs fails its calls; it is not cut yet"),
    (
        "search_parity",
        "tests/all/outside.rs fails its calls; it is not cut yet",
    ),
    ("dns", "tests/all/outside.rs fails its calls; it is not cut yet"),
    ("api_call", "tests/all/outside.rs fails its calls; it is not cut yet"),
    ("job", "tests/all/outside.rs fails its calls; it is not cut yet"),
    ("command", "tests/all/outside.rs fails its calls; it is not cut yet"),
    ("log_level", "tests/all/levels.rs; it is not cut yet"),
    ("maintenance", "tests/all/maintenance.rs; it is not cut yet"),
    ("require", "it calls nothing"),
    ("table", "it only reads, like `queue_drain`"),
];

/// Steps of a kind, and what they need.
pub struct Stage {
    /// The kind.
    pub kind: &'static str,
    /// What of it is in the account: tables of a `[[place]]` in a file of the sandbox.
    pub account: &'static str,
    /// Its steps, as they stand below `[[….step]]`, apart by a line `---`. `HEALTH` is a server that always answers.
    pub steps: &'static str,
}

/// Every kind that can be done in the sandbox, in the order of the runbook.
pub const STAGES: [Stage; 10] = [
    Stage {
        kind: "flag",
        account: r#"
[[place.table]]
name = "works-deploy"
item = [{ pk = { S = "color" }, sk = { S = "color" }, current = { S = "blue" } }]

[[place.parameter]]
name  = "/works/level"
value = "low"
"#,
        steps: r#"
name      = "color"
kind      = "flag"
table     = "works-deploy"
key       = { pk = "color", sk = "color" }
attribute = "current"
choices   = ["blue", "green"]
---
name      = "flip"
kind      = "flag"
table     = "works-deploy"
key       = { pk = "color", sk = "color" }
attribute = "current"
value     = "{step.color.other}"
expected  = "{step.color.value}"
---
name      = "level"
kind      = "flag"
parameter = "/works/level"
value     = "high"
"#,
    },
    Stage {
        kind: "event_source",
        account: r#"
[[place.queue]]
name = "works-mapped"

[[place.function]]
name = "works-stream"

[[place.event_source]]
function = "works-stream"
source   = "queue:works-mapped"
"#,
        steps: r#"
name     = "stream"
kind     = "event_source"
function = "works-stream"
enabled  = false
"#,
    },
    Stage {
        kind: "codebuild",
        account: r#"
[[place.project]]
name = "works-build"
plan = { seconds = 2 }
"#,
        steps: r#"
name      = "build"
kind      = "codebuild"
project   = "works-build"
variables = { COLOR = "{step.color.other}" }
"#,
    },
    Stage {
        kind: "queue_drain",
        account: r#"
[[place.queue]]
name = "works-dead"

[[place.queue]]
name         = "works-queue"
dead_letters = "works-dead"
"#,
        steps: r#"
name     = "drained"
kind     = "queue_drain"
queues   = ["works-queue"]
failures = ["works-dead"]
samples  = 2
every    = "1s"
"#,
    },
    Stage {
        kind: "http",
        account: "",
        steps: r#"
name  = "health"
kind  = "http"
url   = "HEALTH/status"
times = 2
every = "1s"
"#,
    },
    Stage {
        kind: "lambda",
        account: r#"
[[place.function]]
name = "works-tell"
"#,
        steps: r#"
name     = "tell"
kind     = "lambda"
function = "works-tell"
payload  = '{"color": "green"}'
"#,
    },
    Stage {
        kind: "wait",
        account: "",
        steps: r#"
name = "pause"
kind = "wait"
for  = "1s"
"#,
    },
    Stage {
        kind: "manual",
        account: "",
        steps: r#"
name         = "look"
kind         = "manual"
instructions = "Look at it."
"#,
    },
    Stage {
        kind: "approval",
        account: "",
        steps: r#"
name     = "agree"
kind     = "approval"
question = "Is it right?"
"#,
    },
    Stage {
        kind: "announce",
        account: "",
        steps: r#"
name = "say"
kind = "announce"
text = "Everything was done."
"#,
    },
];

/// A team that may do all of it. `HEALTH` is a server that it may speak to.
pub const TEAM: &str = r#"
[defaults]
aws = { region = "eu-central-1", role_arn = "arn:aws:iam::111122223333:role/signalbox" }

[service.works]
channel = "C0DEPLOYS"
hosts   = ["HEALTH"]

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
