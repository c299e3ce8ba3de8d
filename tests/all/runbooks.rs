//! Runbooks through the real edges: typed in Slack, done in the sandbox's account, seen there.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use demo::Stored;
use sandbox::slack::Message;
use serde_json::{Value, json};
use tests::scenario::{Scenario, options, shared_store, text_of};

/// A color switch as a small team would have it.
const SWITCH: &str = r#"
[service.wallet.runbook.switch]
title = "Sends the traffic to the other color"
on_failure = "undo"

[[service.wallet.runbook.switch.step]]
name      = "color"
title     = "See which color is live"
kind      = "flag"
table     = "wallet-deploy"
key       = { pk = "current-color", sk = "current-color" }
attribute = "current"
choices   = ["blue", "green"]
missing   = "green"

[[service.wallet.runbook.switch.step]]
name     = "drained"
title    = "Wait until the queue is empty"
kind     = "queue_drain"
queues   = ["wallet-work"]
failures = ["wallet-dead"]
samples  = 2
every    = "60s"

[[service.wallet.runbook.switch.step]]
name     = "off"
title    = "Turn {step.color.value}'s stream off"
kind     = "event_source"
function = "streams_{step.color.value}"
enabled  = false

[[service.wallet.runbook.switch.step]]
name     = "agree"
title    = "A second person agrees"
kind     = "approval"
question = "Send {environment} to {step.color.other}?"

[[service.wallet.runbook.switch.step]]
name      = "traffic"
title     = "Move the traffic"
kind      = "codebuild"
project   = "wallet-switch"
variables = { FROM = "{step.color.value}", TO = "{step.color.other}" }

[[service.wallet.runbook.switch.step]]
name     = "on"
title    = "Turn {step.color.other}'s stream on"
kind     = "event_source"
function = "streams_{step.color.other}"
enabled  = true

[[service.wallet.runbook.switch.step]]
name      = "flip"
title     = "Write down that {step.color.other} is live"
kind      = "flag"
table     = "wallet-deploy"
key       = { pk = "current-color", sk = "current-color" }
attribute = "current"
value     = "{step.color.other}"
expected  = "{step.color.value}"

[[service.wallet.runbook.switch.step]]
name     = "tell"
title    = "Tell the notifier"
kind     = "lambda"
function = "notify"
payload  = '{"color": "{step.color.other}"}'

[[service.wallet.runbook.switch.step]]
name = "say"
kind = "announce"
text = "{environment} is on {step.color.other} now."
"#;

/// What the account holds before.
fn account() -> Value {
    json!({ "seed": {
        "table": [{ "name": "wallet-deploy", "item": [
            { "pk": { "S": "current-color" }, "sk": { "S": "current-color" }, "current": { "S": "blue" } },
        ]}],
        "queue": [{ "name": "wallet-dead" }, { "name": "wallet-work", "dead_letters": "wallet-dead", "messages": 40 }],
        "function": [{ "name": "streams_blue" }, { "name": "streams_green" }, { "name": "notify" }],
        "event_source": [
            { "function": "streams_blue", "source": "queue:wallet-work" },
            { "function": "streams_green", "source": "queue:wallet-work", "enabled": false },
        ],
        "project": [{ "name": "wallet-switch" }],
    }})
}

async fn town() -> Scenario {
    town_on(shared_store()).await
}

async fn town_on(stored: Stored) -> Scenario {
    let mut options = options(stored);
    options.config.push_str(SWITCH);
    let town = Scenario::with(options).await;
    town.deed(account()).await;
    town
}

/// What a test looks at and does in the sandbox's account.
trait Aws {
    async fn deed(&self, deed: Value);
    fn place(&self) -> Value;
    fn live(&self) -> String;
    fn streams(&self) -> [bool; 2];
    async fn run_card(&self, with: &[&str]) -> Message;
}

impl Aws for Scenario {
    async fn deed(&self, deed: Value) {
        self.control("aws/deed", deed).await;
    }

    /// What the account has where it is at home.
    fn place(&self) -> Value {
        let shown = sandbox::aws::snapshot(&self.rig.sandbox().world().aws());
        let places = shown["places"].as_array().cloned().unwrap_or_default();
        let home = places
            .into_iter()
            .find(|place| place["region"] == shown["region"] && place["account"] == shown["account"]);
        home.expect("a place")
    }

    fn live(&self) -> String {
        let place = self.place();
        let tables = place["tables"].as_array().cloned().unwrap_or_default();
        let table = tables
            .iter()
            .find(|table| table["name"] == "wallet-deploy")
            .expect("the table");
        let item = table["first"].get(0).expect("the item");
        item["current"]["S"].as_str().unwrap_or("nothing").to_owned()
    }

    /// Whether blue's and green's streams are on.
    fn streams(&self) -> [bool; 2] {
        let place = self.place();
        let mappings = place["event_sources"].as_array().cloned().unwrap_or_default();
        ["streams_blue", "streams_green"].map(|function| {
            let mapping = mappings
                .iter()
                .find(|mapping| mapping["function"] == function)
                .expect("a mapping");
            mapping["state"] == "Enabled"
        })
    }

    async fn run_card(&self, with: &[&str]) -> Message {
        self.in_time(&format!("a card with {with:?}"), |town| town.cards_with(with).pop())
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_the_values_and_changes_nothing() {
    let town = town().await;
    let said = town.says("U0RITA", "/deploy run switch mainnet --plan").await;
    assert!(said.text.contains("Nothing is changed"), "{}", said.text);
    let card = town.run_card(&["plan of switch", "changes nothing"]).await;
    let text = text_of(&card);
    for words in [
        "wallet-deploy current-color/current-color current is blue",
        "wallet-work holds 40",
        "turns the event source mapping of streams_blue off",
        "with TO=green",
        "sets wallet-deploy current-color/current-color current to green",
    ] {
        assert!(text.contains(words), "{words} is not on\n{text}");
    }
    assert_eq!((town.live().as_str(), town.streams()), ("blue", [true, false]));
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_goes_from_slack_to_the_account_and_back_to_the_card() {
    let town = town().await;
    town.says("U0CARLA", "/deploy run switch mainnet the migration is done")
        .await;
    let card = town.run_card(&["step 2 of 9", "40 left"]).await;
    assert_eq!((town.live().as_str(), town.streams()), ("blue", [true, false]));
    town.deed(json!({ "sqs": { "drain": { "queue": "wallet-work", "per_second": 1.0 } } }))
        .await;
    let card_now = town.run_card(&["Send mainnet to green?", "0 of 1 said yes"]).await;
    assert_eq!(card.ts, card_now.ts, "one card, edited in place");
    assert_eq!(town.streams(), [false, false]);
    let own = town.says("U0CARLA", "/deploy confirm mainnet").await;
    assert!(
        own.text.contains("may not") || own.text.contains("somebody else"),
        "{}",
        own.text
    );
    town.writes("U0RITA", "the clerk's office knows", Some(&card.ts)).await;
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    town.run_card(&["switch · wallet → mainnet · done"]).await;
    assert_eq!((town.live().as_str(), town.streams()), ("green", [false, true]));
    let record = town.journal("wallet").await;
    assert!(record.contains("the clerk's office knows"), "a note is in the record");
    let history = town.says("U0RITA", "/deploy history mainnet").await;
    assert!(history.text.contains("switch · done"), "{}", history.text);
    town.hears_in_time("mainnet is on green now.").await;
    assert_eq!(town.done("aws.StartBuild"), 1);
    assert_eq!(town.done("aws.Invoke"), 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_undone_in_reverse() {
    let town = town().await;
    town.deed(json!({ "sqs": { "clear": { "queue": "wallet-work" } } }))
        .await;
    town.deed(json!({ "codebuild": { "next": { "project": "wallet-switch", "plan": { "outcome": "FAILED" } } } }))
        .await;
    town.says("U0CARLA", "/deploy run switch mainnet").await;
    let card = town.run_card(&["Send mainnet to green?"]).await;
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    let card = town.run_card(&["switch · wallet → mainnet · undone"]).await;
    assert!(text_of(&card).contains("build_failed"), "{}", text_of(&card));
    assert_eq!((town.live().as_str(), town.streams()), ("blue", [true, false]));
    let again = town.says("U0CARLA", "/deploy run switch mainnet").await;
    assert!(
        again.text.contains("Recorded"),
        "the environment is free: {}",
        again.text
    );
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_end_it_before_anything_is_changed() {
    let town = town().await;
    town.deed(json!({ "sqs": { "fail": { "queue": "wallet-work", "count": 1 } } }))
        .await;
    town.says("U0CARLA", "/deploy run switch mainnet").await;
    let card = town.run_card(&["wallet-dead holds 1"]).await;
    assert!(text_of(&card).contains("failures_collect"), "{}", text_of(&card));
    assert_eq!((town.live().as_str(), town.streams()), ("blue", [true, false]));
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_a_crash_between_any_two_steps() {
    // Who opens the file is alone with it: leases of a bot that was killed are over.
    let folder = tempfile::tempdir().expect("a folder");
    let town = town_on(Stored::File(folder.path().join("store"))).await;
    town.deed(json!({ "sqs": { "clear": { "queue": "wallet-work" } } }))
        .await;
    town.says("U0CARLA", "/deploy run switch mainnet").await;
    town.run_card(&["step 2 of 9"]).await;
    town.rig.restart().await.expect("a restart");
    let card = town.run_card(&["Send mainnet to green?"]).await;
    town.rig.restart().await.expect("a restart");
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    town.run_card(&["Move the traffic", "watched"]).await;
    town.rig.restart().await.expect("a restart");
    town.run_card(&["switch · wallet → mainnet · done"]).await;
    assert_eq!((town.live().as_str(), town.streams()), ("green", [false, true]));
    assert_eq!((town.done("aws.StartBuild"), town.done("aws.Invoke")), (1, 1));
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hathor_migrates_its_schema_and_goes_back_a_version() {
    let files = (
        include_str!("../../runbooks/hathor.toml"),
        include_str!("../../sandbox/seeds/hathor.toml"),
    );
    let town = Scenario::of_team(files.0, files.1).await;
    // What is live is told with the first request for approval.
    town.card(&["v1.4.2", "mainnet"]).await;
    town.says("U0CARLA", "/migrate plan mainnet ref=v1.4.2").await;
    town.run_card(&[
        "plan of migrate · wallet → mainnet · changes nothing",
        "v1.4.1 is live; v1.4.2 brings 4 commits",
        "1 migration is pending on wallet-service-mainnet",
        "db/migrations/20261117101500-add-tx-proposal-attempts.sql",
    ])
    .await;
    town.says("U0CARLA", "/migrate start mainnet ref=v1.4.2").await;
    let card = town
        .run_card(&[
            "migrate · wallet → mainnet · step 3 of 4",
            "Run the migrations of v1.4.2 on mainnet? Pending: 1.",
            "is 5 h old",
        ])
        .await;
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    town.run_card(&["migrate · wallet → mainnet · done"]).await;
    town.says("U0CARLA", "/migrate start mainnet ref=v1.4.1").await;
    town.run_card(&["v1.4.1 is live already, and its schema has to go before it"])
        .await;
    town.says("U0CARLA", "/deploy stop mainnet it was run before").await;
    town.says("U0CARLA", "/deploy run rollback mainnet version=v1.4.1")
        .await;
    let card = town.run_card(&["Deploy v1.4.1 to mainnet again?"]).await;
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    town.hears_in_time("mainnet is back on v1.4.1").await;
    assert_eq!(town.done("aws.StartBuild"), 2);
    town.ends().await;
}
