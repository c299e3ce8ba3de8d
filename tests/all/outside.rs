//! Steps that look and speak outside: logs, search domains, name servers, other services' APIs, build servers, commands. Through the real edges, each
//! with a bad day.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use std::collections::BTreeMap;

use bot::secret::Secret;
use sandbox::slack::Message;
use serde_json::{Value, json};
use tests::scenario::{Scenario, options, shared_store, text_of};

/// What nobody may ever see.
const KEY: &str = "hunter2-hunter2-hunter2";
/// The key as it stands in headers: by itself, and behind the users `AC1`, `api` and `signalbox`.
const SHOWN: [&str; 4] = [
    KEY,
    "QUMxOmh1bnRlcjItaHVudGVyMi1odW50ZXIy",
    "YXBpOmh1bnRlcjItaHVudGVyMi1odW50ZXIy",
    "c2lnbmFsYm94Omh1bnRlcjItaHVudGVyMi1odW50ZXIy",
];

/// A town whose wallet service has these runbooks, each of steps in TOML.
async fn town(runbooks: &[(&str, &str)]) -> Scenario {
    let mut options = options(shared_store());
    let listed = "hosts = [\"{sandbox}\"] #";
    options.config = options.config.replace("# hosts  =", listed);
    options.config.push_str("\n[commands]\nallow = { hello = [\"/bin/sh\", \"-c\", \"echo hello $STAGE\"], never = [\"/bin/sleep\", \"100000\"] }\n");
    for (name, steps) in runbooks {
        options
            .config
            .push_str(&format!("\n[service.wallet.runbook.{name}]\ntitle = \"{name}\"\n"));
        for step in steps.split("---") {
            options
                .config
                .push_str(&format!("\n[[service.wallet.runbook.{name}.step]]\n{step}\n"));
        }
    }
    options.secrets = BTreeMap::from([("SERVICE_KEY".to_owned(), Secret::new(KEY))]);
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    options.sandbox.resolvers = vec![loopback, loopback];
    Scenario::with(options).await
}

trait Outside {
    async fn aws(&self, deed: Value);
    async fn services(&self, deed: Value);
    async fn fault(&self, target: &str, kind: &str);
    async fn runs(&self, runbook: &str) -> String;
    async fn ended(&self, runbook: &str, how: &str) -> Message;
    fn service(&self, name: &str) -> Value;
    async fn ends_silent(self);
}

impl Outside for Scenario {
    async fn aws(&self, deed: Value) {
        self.control("aws/deed", deed).await;
    }

    async fn services(&self, deed: Value) {
        self.control("services/deed", deed).await;
    }

    async fn fault(&self, target: &str, kind: &str) {
        let fault = json!({ "target": target, "kind": kind, "times": 1, "retry_after": 1 });
        self.control("faults", fault).await;
    }

    async fn runs(&self, runbook: &str) -> String {
        self.says("U0CARLA", &format!("/deploy run {runbook} mainnet"))
            .await
            .text
    }

    async fn ended(&self, runbook: &str, how: &str) -> Message {
        let title = format!("{runbook} · wallet → mainnet · {how}");
        self.card_in_time(&[&title]).await
    }

    fn service(&self, name: &str) -> Value {
        sandbox::services::snapshot(&self.rig.sandbox().world().services())[name].clone()
    }

    /// The end of a scenario in which nobody has seen the key: not Slack, not the journal, not the sandbox's log of calls.
    async fn ends_silent(self) {
        let engine = self.rig.engine().await.expect("a bot");
        let mut seen = self.transcript();
        for slot in engine.catalog.services.keys() {
            let rows = engine.store.ledger(slot, 0, 100_000).await.expect("a ledger");
            let owed = engine.store.outbox(slot).await.expect("an outbox");
            seen.push_str(&format!("{rows:?}{owed:?}"));
            let records = engine.store.records(slot, "", None, 1000).await.expect("records");
            for record in records.rows {
                let history = engine
                    .store
                    .journal(slot, &record.id, 0, 10_000)
                    .await
                    .expect("a journal");
                seen.push_str(&format!("{record:?}{history:?}"));
            }
        }
        let world = self.rig.sandbox().world();
        seen.push_str(&format!("{:?}", world.log.since(0)));
        assert!(!SHOWN.iter().any(|hidden| seen.contains(hidden)), "the key was seen");
        assert!(seen.contains("SERVICE_KEY"), "its name is no secret");
        self.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_found_over_empty_pages_and_missed_only_after_a_while() {
    let town = town(&[
        ("appears", "name = \"line\"\nkind = \"log_match\"\nlog_group = \"/app\"\npattern = '\"all done\"'"),
        (
            "absent",
            "name = \"quiet\"\nkind = \"log_match\"\nlog_group = \"/app\"\npattern = \"ERROR\"\nwant = \"absent\"\nfor = \"2m\"",
        ),
        ("nowhere", "name = \"line\"\nkind = \"log_match\"\nlog_group = \"/none\"\npattern = \"x\""),
    ])
    .await;
    town.aws(json!({ "seed": { "log_group": [{ "name": "/app", "lines": ["ERROR of yesterday"] }] } }))
        .await;
    town.aws(json!({ "logs": { "empty_pages": { "group": "/app", "pages": 8 } } }))
        .await;
    town.passes(60);
    town.runs("appears").await;
    town.card_in_time(&["no such line in /app yet"]).await;
    town.fault("aws.FilterLogEvents", "throttle").await;
    town.aws(json!({ "logs": { "append": { "group": "/app", "lines": ["migration: all done <!channel>"] } } }))
        .await;
    let card = town.ended("appears", "done").await;
    assert!(
        text_of(&card).contains("found 1, first: migration: all done &lt;!channel&gt;"),
        "{}",
        text_of(&card)
    );

    // The error of yesterday is older than the run.
    town.runs("absent").await;
    let card = town.ended("absent", "done").await;
    assert!(text_of(&card).contains("none was found"), "{}", text_of(&card));
    town.runs("absent").await;
    town.card_in_time(&["none so far"]).await;
    town.aws(json!({ "logs": { "append": { "group": "/app", "lines": ["ERROR again"] } } }))
        .await;
    town.card_in_time(&["line_found", "first: ERROR again"]).await;
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.runs("nowhere").await;
    town.card_in_time(&["no_log_group", "there is no log group /none in eu-central-1"])
        .await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_domains_are_equal_when_counts_are_and_nothing_is_reindexed() {
    let parity = "name = \"same\"\nkind = \"search_parity\"\nfrom = \"{sandbox}/opensearch/alpha\"\nto = \"{sandbox}/opensearch/beta\"\nindices = [\"case\", \"user\"]\nsamples = 2\nevery = \"30s\"";
    let empty =
        "name = \"none\"\nkind = \"search_parity\"\nto = \"{sandbox}/opensearch/beta\"\nempty = true\nsamples = 1";
    let typo = "name = \"typo\"\nkind = \"search_parity\"\nfrom = \"{sandbox}/opensearch/alpha\"\nto = \"{sandbox}/opensearch/beta\"\nindices = [\"cases\"]";
    let town = town(&[("parity", parity), ("empty", empty), ("typo", typo)]).await;
    let domains = [
        json!({ "name": "alpha", "indices": { "case": 1000, "user": 10 } }),
        json!({ "name": "beta", "indices": { ".kibana": 3 } }),
    ];
    town.aws(json!({ "seed": { "search": domains } })).await;
    town.runs("empty").await;
    town.ended("empty", "done").await;
    town.aws(json!({ "opensearch": { "count": { "domain": "beta", "index": "user", "docs": 10 } } }))
        .await;
    town.aws(
        json!({ "opensearch": { "reindex": { "domain": "beta", "index": "case", "until": 1000, "per_second": 2.0 } } }),
    )
    .await;
    town.runs("empty").await;
    town.card_in_time(&["there are "]).await;
    town.says("U0CARLA", "/deploy abort mainnet it is not empty").await;
    town.ended("empty", "aborted").await;
    town.control(
        "faults",
        json!({ "target": "opensearch.tasks", "kind": "fail", "times": 3 }),
    )
    .await;
    town.runs("parity").await;
    town.card_in_time(&["cannot be read just now"]).await;
    town.card_in_time(&["of 1010 documents", "a reindex runs"]).await;
    let card = town.ended("parity", "done").await;
    assert!(
        text_of(&card).contains("1010 of 1010 documents, 0 apart, no reindex runs, in 2 looks"),
        "{}",
        text_of(&card)
    );
    town.runs("typo").await;
    town.card_in_time(&["no_index", "has no index cases"]).await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_moved_when_every_resolver_says_so() {
    let record = |value: &str| {
        format!(
            "name = \"moved\"\nkind = \"dns\"\nrecord = \"app.example.org\"\ntype = \"CNAME\"\nvalues = [\"{value}\"]\nttl_at_most = 60\nresolvers = [\"{{resolver.0}}\", \"{{resolver.1}}\"]"
        )
    };
    let text = "name = \"text\"\nkind = \"dns\"\nrecord = \"long.example.org\"\ntype = \"TXT\"\nttl_at_most = 300\nresolvers = [\"{resolver.0}\"]";
    let (blue, green) = (record("d-blue.example.net"), record("d-green.example.net."));
    let town = town(&[("stays", &blue), ("moves", &green), ("text", text)]).await;
    let long = format!("\"{}\" \"{}\"", "x".repeat(250), "y".repeat(250));
    let zone = |to: &str| {
        json!({ "name": "example.org", "record": [
        { "name": "app.example.org", "type": "CNAME", "ttl": 60, "values": [to] },
        { "name": "long.example.org", "type": "TXT", "values": [long] },
    ] })
    };
    town.aws(json!({ "seed": { "zone": [zone("d-blue.example.net")] } }))
        .await;
    town.control("dns/keep", json!({ "resolver": 1, "seconds": 120 })).await;
    town.runs("stays").await;
    let card = town.ended("stays", "done").await;
    assert!(
        text_of(&card).contains("all 2 resolvers say d-blue.example.net, for at most 60 s"),
        "{}",
        text_of(&card)
    );
    town.aws(json!({ "seed": { "zone": [zone("d-green.example.net")] } }))
        .await;
    town.control("faults", json!({ "target": "dns.0", "kind": "fail", "times": 2 }))
        .await;
    town.runs("moves").await;
    town.card_in_time(&["does not tell: Server Failure"]).await;
    // One of them still has what it knew.
    town.card_in_time(&["says d-blue.example.net"]).await;
    let card = town.ended("moves", "done").await;
    assert!(
        text_of(&card).contains("all 2 resolvers say d-green.example.net"),
        "{}",
        text_of(&card)
    );
    // An answer that does not fit into a datagram comes by TCP.
    town.runs("text").await;
    town.ended("text", "done").await;
    town.ends().await;
}

const HEROKU: &str = r#"
name = "scale"
kind = "api_call"
base = "{sandbox}/services/heroku"
secret_env = "SERVICE_KEY"
heroku = { app = "wallet", process = "web", quantity = 0 }
"#;
const TWILIO: &str = r#"
name = "calls"
kind = "api_call"
base = "{sandbox}/services/twilio"
secret_env = "SERVICE_KEY"
twilio = { account = "AC1", number = "PN1", voice_url = "https://new.example.org/call" }
"#;
const MAILGUN: &str = r#"
name = "mail"
kind = "api_call"
base = "{sandbox}/services/mailgun"
secret_env = "SERVICE_KEY"
mailgun = { route = "r1", forward = "https://new.example.org/mail" }
"#;
const PINGDOM: &str = r#"
name = "checks"
kind = "api_call"
base = "{sandbox}/services/pingdom"
secret_env = "SERVICE_KEY"
pingdom = { check = 12, paused = true }
"#;
/// Nothing is known before and after it.
const UNREAD: &str = r#"
name = "blind"
kind = "api_call"
url = "{sandbox}/services/pingdom/api/3.1/checks/12"
method = "PUT"
body = '{"paused":false}'
secret_env = "SERVICE_KEY"
auth = "bearer"
"#;
const FAILS: &str = r#"
name = "fails"
kind = "api_call"
base = "{sandbox}/services/heroku"
secret_env = "SERVICE_KEY"
heroku = { app = "nothing", process = "web", quantity = 1 }
"#;

/// A day before a launch: the old system serves.
async fn launch() -> Scenario {
    let all = [HEROKU, TWILIO, MAILGUN, PINGDOM].join("---");
    let undone = [&all, FAILS].join("---");
    let unset = HEROKU.replace("SERVICE_KEY", "UNSET_KEY");
    let town = town(&[
        ("launch", &all),
        ("back", &undone),
        ("blind", UNREAD),
        ("unset", &unset),
    ])
    .await;
    town.services(json!([
        { "heroku": { "formation": { "app": "wallet", "type": "web", "quantity": 2 } } },
        { "twilio": { "number": { "sid": "PN1", "account": "AC1", "voice_url": "https://old.example.org/call?a=\"b\"" } } },
        { "mailgun": { "route": { "id": "r1", "actions": ["forward(\"https://old.example.org/mail\")", "stop()"] } } },
        { "pingdom": { "check": { "id": 12, "name": "wallet", "status": "up" } } },
    ]))
    .await;
    town
}

/// What the four services hold.
fn held(town: &Scenario) -> [Value; 4] {
    [
        town.service("heroku")[0]["quantity"].clone(),
        town.service("twilio")[0]["voice_url"].clone(),
        town.service("mailgun")[0]["actions"].clone(),
        town.service("pingdom")[0]["status"].clone(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn other_services_are_called_once_and_read_back() {
    let town = launch().await;
    let before = held(&town);
    let said = town.says("U0RITA", "/deploy run launch mainnet --plan").await;
    assert!(said.text.contains("Nothing is changed"), "{}", said.text);
    let card = town
        .card_in_time(&["plan of launch", "changes nothing", "check.status is up"])
        .await;
    for words in ["quantity is 2", "with the secret in SERVICE_KEY", "PUT http"] {
        assert!(text_of(&card).contains(words), "{words} is not on\n{}", text_of(&card));
    }
    assert_eq!(held(&town), before);

    // The answer of one is lost, another is busy, the third breaks halfway.
    town.fault("heroku.formation_update", "lose_answer").await;
    town.fault("twilio.number_update", "throttle").await;
    town.fault("mailgun.route_update", "fail").await;
    town.fault("pingdom.check_get", "fail").await;
    town.runs("launch").await;
    let card = town.ended("launch", "done").await;
    assert!(text_of(&card).contains("quantity is 0"), "{}", text_of(&card));
    let after = [
        json!(0),
        json!("https://new.example.org/call"),
        json!(["forward(\"https://new.example.org/mail\")"]),
        json!("paused"),
    ];
    assert_eq!(held(&town), after);
    assert_eq!(
        town.done("heroku.formation_update"),
        1,
        "what was done is not done again"
    );
    // Once more: there is nothing left to do.
    town.runs("launch").await;
    town.ended("launch", "done").await;
    assert_eq!(town.done("heroku.formation_update"), 1);
    town.ends_silent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_services_are_set_back_unless_somebody_else_has_changed_them() {
    let town = launch().await;
    let before = held(&town);
    town.runs("back").await;
    let card = town.card_in_time(&["Couldn't find that app"]).await;
    assert!(text_of(&card).contains("http_404"), "{}", text_of(&card));
    town.fault("mailgun.route_update", "lose_answer").await;
    town.says("U0CARLA", "/deploy abort mainnet wrong day").await;
    town.ended("back", "undone").await;
    let [quantity, call, actions, status] = held(&town);
    assert_eq!(
        [quantity, call, actions].as_slice(),
        &before[..3],
        "as it was, to the letter"
    );
    assert_eq!(status, json!("unknown"), "it looks again");
    assert_eq!(town.done("mailgun.route_update"), 2, "there and back, once each");

    town.runs("back").await;
    town.in_time("the last step", |town| (held(town)[3] == "paused").then_some(()))
        .await;
    town.services(json!({ "heroku": { "formation": { "app": "wallet", "type": "web", "quantity": 7 } } }))
        .await;
    town.says("U0CARLA", "/deploy abort mainnet wrong day again").await;
    town.card_in_time(&["changed_since", "quantity is 7, which this step did not set"])
        .await;
    assert_eq!(held(&town)[0], json!(7));
    town.ends_silent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nothing_tells_of_is_a_question_to_people() {
    let town = launch().await;
    town.fault("pingdom.check_modify", "lose_answer").await;
    town.runs("blind").await;
    town.card_in_time(&["nobody knows"]).await;
    assert_eq!(town.done("pingdom.check_modify"), 1);
    town.says("U0CARLA", "/deploy confirm mainnet it is on their page")
        .await;
    town.ended("blind", "done").await;
    town.runs("unset").await;
    town.card_in_time(&["no_secret", "UNSET_KEY is not set in the bot's environment"])
        .await;
    assert_eq!(town.done("heroku.formation_info"), 0);
    town.ends_silent().await;
}

const JENKINS: &str = r#"
name = "deploy"
kind = "job"
secret_env = "SERVICE_KEY"
jenkins = { url = "{sandbox}/services/jenkins", user = "signalbox", job = "wallet/deploy", parameters = { STAGE = "{environment}" } }
"#;
const AWX: &str = r#"
name = "zappa"
kind = "job"
secret_env = "SERVICE_KEY"
awx = { url = "{sandbox}/services/awx", template = "Deploy wallet", variables = { stage = "prod", times = 2 } }
"#;
const PIPELINE: &str = r#"
name = "pipeline"
kind = "job"
secret_env = "SERVICE_KEY"
circleci = { url = "{sandbox}/services/circleci", project = "gh/acme/wallet", branch = "staging", parameters = { migrate = true }, until_hold = "wait-for-reindex" }
---
name = "agree"
kind = "approval"
question = "Go on with {step.pipeline.pipeline}?"
---
name = "go-on"
kind = "job"
secret_env = "SERVICE_KEY"
circleci = { url = "{sandbox}/services/circleci", project = "gh/acme/wallet", pipeline = "{step.pipeline.pipeline}", approve_hold = "wait-for-reindex" }
"#;

async fn builders() -> Scenario {
    let both = [JENKINS, AWX].join("---");
    let town = town(&[("jobs", &both), ("pipeline", PIPELINE)]).await;
    town.services(json!([
        { "jenkins": { "job": { "name": "wallet/deploy", "parameters": ["STAGE", "SIGNALBOX_RUN"] } } },
        { "awx": { "template": { "id": 9, "name": "Deploy wallet" } } },
        { "circleci": { "project": { "slug": "gh/acme/wallet", "parameters": ["migrate"], "hold": "wait-for-reindex" } } },
    ]))
    .await;
    town
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_started_once_and_followed_to_their_end() {
    let town = builders().await;
    town.fault("jenkins.build", "lose_answer").await;
    town.fault("awx.launch", "lose_answer").await;
    town.fault("jenkins.build_info", "fail").await;
    town.runs("jobs").await;
    let card = town.ended("jobs", "done").await;
    for words in [
        "build #1 succeeded.",
        "/job/wallet/job/deploy/1/console",
        "job 40 succeeded.",
    ] {
        assert!(text_of(&card).contains(words), "{words} is not on\n{}", text_of(&card));
    }
    let (jenkins, awx) = (town.service("jenkins"), town.service("awx"));
    assert_eq!(
        (jenkins.as_array().map(Vec::len), awx.as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
    assert_eq!(jenkins[0]["parameters"]["STAGE"], "mainnet");
    assert_eq!(
        (
            awx[0]["extra_vars"]["times"].clone(),
            awx[0]["extra_vars"]["stage"].clone()
        ),
        (json!(2), json!("prod"))
    );

    // What fails says where to look; what would lose the marker is not started.
    town.services(json!({ "jenkins": { "job": { "name": "wallet/deploy", "parameters": ["STAGE", "SIGNALBOX_RUN"], "result": "FAILURE" } } }))
        .await;
    town.runs("jobs").await;
    town.card_in_time(&["build_failure", "build #2 ended as FAILURE", "/console"])
        .await;
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.services(json!({ "jenkins": { "job": { "name": "wallet/deploy", "parameters": ["STAGE"] } } }))
        .await;
    town.runs("jobs").await;
    town.card_in_time(&["no_parameter", "has no parameter SIGNALBOX_RUN"])
        .await;
    assert_eq!(town.service("jenkins").as_array().map(Vec::len), Some(2));
    town.ends_silent().await;
}

/// What Jenkins and AWX say of a job that failed is that it did; why stands in its log.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_known_by_its_log() {
    let known = "known = { role-exists = \"ask\" }\n";
    let town = town(&[
        ("jenkins", &format!("{JENKINS}{known}")),
        ("awx", &format!("{AWX}{known}")),
    ])
    .await;
    let role = "\u{1b}[31mError: EntityAlreadyExists: Role with name wallet already exists.\u{1b}[0m";
    let lines = json!([role, "Error: password=hunter2 is wrong", "x".repeat(400_000), "bye"]);
    town.services(json!([
        { "jenkins": { "job": { "name": "wallet/deploy", "parameters": ["STAGE", "SIGNALBOX_RUN"], "result": "FAILURE", "lines": ["EntityAlreadyExists: role of long ago", "x".repeat(300_000), role, "Error: password=hunter2 is wrong"] } } },
        { "awx": { "template": { "id": 9, "name": "Deploy wallet", "status": "failed", "lines": lines } } },
    ]))
    .await;
    town.fault("jenkins.log", "fail").await;
    town.fault("awx.stdout", "throttle").await;
    for (runbook, failed) in [("jenkins", "build #1 ended as FAILURE"), ("awx", "job 40 is failed")] {
        town.runs(runbook).await;
        let card = town.card_in_time(&["a person decides", failed]).await;
        let shown = text_of(&card);
        for words in [
            "Known as “an IAM role is there already”",
            "Error: EntityAlreadyExists: Role with name wallet already exists.",
            "Error: password=… is wrong",
        ] {
            assert!(shown.contains(words), "{words} is not on\n{shown}");
        }
        town.says("U0CARLA", "/deploy stop mainnet enough").await;
        town.card_in_time(&[runbook, "stopped after"]).await;
    }
    // What lies further back than what is read is not known, and what cannot be read is said.
    town.services(json!({ "jenkins": { "job": { "name": "wallet/deploy", "parameters": ["STAGE", "SIGNALBOX_RUN"], "result": "FAILURE", "lines": [role, "x".repeat(300_000)] } } }))
        .await;
    town.runs("jenkins").await;
    let card = town
        .card_in_time(&["a person decides", "build #2 ended as FAILURE"])
        .await;
    assert!(!text_of(&card).contains("Known as"), "{}", text_of(&card));
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.control(
        "faults",
        json!({ "target": "jenkins.log", "kind": "refuse", "error": "403", "times": 9 }),
    )
    .await;
    town.runs("jenkins").await;
    town.card_in_time(&[
        "build #3 ended as FAILURE",
        "cannot tell what its log says: it answers 403",
    ])
    .await;
    town.ends_silent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_waits_at_its_hold_until_it_is_approved_here() {
    let town = builders().await;
    town.runs("pipeline").await;
    let card = town
        .card_in_time(&["Go on with ", "it waits at wait-for-reindex"])
        .await;
    assert_eq!(town.service("circleci")[0]["parameters"], json!({ "migrate": true }));
    town.fault("circleci.approve", "lose_answer").await;
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    let card = town.ended("pipeline", "done").await;
    assert!(text_of(&card).contains("deploy is success"), "{}", text_of(&card));
    assert_eq!((town.done("circleci.trigger"), town.done("circleci.approve")), (1, 1));

    // A lost answer: whether it was started, CircleCI does not tell.
    town.fault("circleci.trigger", "lose_answer").await;
    town.runs("pipeline").await;
    town.card_in_time(&["nobody knows", "does not tell who started #2"])
        .await;
    assert_eq!(town.done("circleci.trigger"), 2);
    // A person has looked: the one that our token has started since is it, whatever others start, and its hold can be approved.
    for start in [
        json!({ "project": "gh/acme/wallet", "push": true }),
        json!({ "project": "gh/acme/wallet", "branch": "staging" }),
        json!({ "project": "gh/acme/wallet", "own": true }),
    ] {
        town.services(json!({ "circleci": { "start": start } })).await;
    }
    town.says("U0CARLA", "/deploy confirm mainnet CircleCI shows it").await;
    let card = town
        .card_in_time(&[
            "Go on with ",
            "it waits at wait-for-reindex",
            "/pipelines/gh/acme/wallet/2",
        ])
        .await;
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    town.card_in_time(&["pipeline · wallet → mainnet · done", "/pipelines/gh/acme/wallet/2"])
        .await;
    assert_eq!((town.done("circleci.trigger"), town.done("circleci.approve")), (2, 2));

    // Another run has started one with the same token: which of them it is, nobody can tell.
    town.fault("circleci.trigger", "lose_answer").await;
    town.runs("pipeline").await;
    town.card_in_time(&["nobody knows", "does not tell who started #6"])
        .await;
    let other = json!({ "project": "gh/acme/wallet", "own": true, "branch": "staging" });
    town.services(json!({ "circleci": { "start": other } })).await;
    town.says("U0CARLA", "/deploy confirm mainnet CircleCI shows it").await;
    town.card_in_time(&["which_pipeline", "it may be any of #7, #6", "leave this step out"])
        .await;
    town.says("U0CARLA", "/deploy abort mainnet enough").await;
    // One that certainly was not: only somebody's push is there.
    town.control(
        "faults",
        json!({ "target": "circleci.trigger", "kind": "drop", "times": 1 }),
    )
    .await;
    town.runs("pipeline").await;
    town.services(json!({ "circleci": { "start": { "project": "gh/acme/wallet", "push": true } } }))
        .await;
    town.in_time("another start", |town| {
        (town.done("circleci.trigger") == 4).then_some(())
    })
    .await;
    town.ends_silent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_once_on_instances_and_beside_the_bot() {
    let remote =
        "name = \"restart\"\nkind = \"command\"\nrun = [\"sudo systemctl restart web\"]\ntags = { Role = \"web\" }";
    let nowhere = "name = \"restart\"\nkind = \"command\"\nrun = [\"true\"]\ntags = { Role = \"none\" }";
    let hello = "name = \"hello\"\nkind = \"command\"\nlocal = \"hello\"\nvariables = { STAGE = \"{environment}\" }";
    let never = "name = \"never\"\nkind = \"command\"\nlocal = \"never\"\nlimit = \"10m\"";
    let town = town(&[
        ("remote", remote),
        ("nowhere", nowhere),
        ("hello", hello),
        ("never", never),
    ])
    .await;
    town.aws(json!({ "seed": { "instance": [
        { "id": "i-1", "tags": { "Role": "web" }, "next": [{ "output": "restarted\n" }] },
        { "id": "i-2", "tags": { "Role": "web" }, "next": [{ "output": "restarted" }, { "status": "Failed", "code": 5, "error": "no such unit" }] },
        { "id": "i-3", "tags": { "Role": "db" } },
    ] } }))
    .await;
    town.fault("aws.SendCommand", "lose_answer").await;
    town.runs("remote").await;
    let card = town.ended("remote", "done").await;
    assert!(text_of(&card).contains("i-1 Success: restarted"), "{}", text_of(&card));
    assert!(text_of(&card).contains("it ran on 2"), "{}", text_of(&card));
    assert_eq!(town.done("aws.SendCommand"), 1);
    town.runs("remote").await;
    town.card_in_time(&["command_failed", "i-2 Failed: no such unit", "failed on 1 of 2"])
        .await;
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.runs("nowhere").await;
    town.card_in_time(&["no_instance", "it ran nowhere"]).await;
    town.says("U0CARLA", "/deploy stop mainnet enough").await;

    town.runs("hello").await;
    let card = town.ended("hello", "done").await;
    assert!(
        text_of(&card).contains("it ended well: hello mainnet"),
        "{}",
        text_of(&card)
    );
    // What takes too long is ended; what a bot took along when it died is a question.
    town.runs("never").await;
    town.card_in_time(&["it runs"]).await;
    town.passes(601);
    town.card_in_time(&["too_long", "it took too long and was ended"]).await;
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.runs("never").await;
    town.card_in_time(&["it runs"]).await;
    town.rig.restart().await.expect("a restart");
    town.passes(601);
    town.card_in_time(&["end_unseen", "nobody knows how far it came"]).await;
    town.ends().await;
}
