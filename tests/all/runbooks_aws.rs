//! Steps over AWS through the real edges: each in a runbook that is typed in Slack, done in the sandbox's account while its calls fail once, and seen
//! there and not in the bot.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use sandbox::slack::Message;
use serde_json::{Value, json};
use tests::fault::kind;
use tests::scenario::{Scenario, options, shared_store, text_of};

/// A runbook of the wallet's whose steps are these, each with `kind` and its own keys.
fn runbook(name: &str, on_failure: &str, steps: &[(&str, &str)]) -> String {
    let steps = steps
        .iter()
        .map(|(step, keys)| format!("[[service.wallet.runbook.{name}.step]]\nname = \"{step}\"\n{keys}\n"));
    format!(
        "\n[service.wallet.runbook.{name}]\ntitle = \"Steps over AWS\"\non_failure = \"{on_failure}\"\n\n{}",
        steps.collect::<String>()
    )
}

async fn town(runbooks: &str, account: Value) -> Scenario {
    let mut options = options(shared_store());
    options.config.push_str(runbooks);
    let town = Scenario::with(options).await;
    town.deed(json!({ "seed": account })).await;
    town
}

trait Aws {
    async fn deed(&self, deed: Value);
    fn place(&self, region: &str) -> Value;
    async fn fails_once(&self, loses: &[&str], slows: &[&str]);
    async fn shows(&self, with: &[&str]) -> Message;
}

impl Aws for Scenario {
    async fn deed(&self, deed: Value) {
        self.control("aws/deed", deed).await;
    }

    /// What the account has in a region; zones and users are in the one without a name.
    fn place(&self, region: &str) -> Value {
        let mut account = self.rig.sandbox().world().aws();
        account.advance(self.rig.sandbox().world().clock.now_ms());
        let shown = sandbox::aws::snapshot(&account);
        let places = shown["places"].as_array().cloned().unwrap_or_default();
        let found = places
            .into_iter()
            .find(|place| place["region"] == region && place["account"] == shown["account"]);
        found.unwrap_or_default()
    }

    /// The next call of each of the first is done and its answer lost; of the others it is throttled.
    async fn fails_once(&self, loses: &[&str], slows: &[&str]) {
        for call in loses {
            self.breaks(&format!("aws.{call}"), &kind("lose_answer", 1, &json!({})))
                .await;
        }
        for call in slows {
            self.breaks(
                &format!("aws.{call}"),
                &kind("throttle", 1, &json!({ "retry_after": 1 })),
            )
            .await;
        }
    }

    async fn shows(&self, with: &[&str]) -> Message {
        self.card_in_time(with).await
    }
}

const HOME: &str = "eu-central-1";

/// What fails for good: nothing of it is there.
const BROKEN: (&str, &str) = ("broken", "kind = \"flag\"\nparameter = \"/not/there\"");

fn named<'v>(place: &'v Value, list: &str, name: &str) -> &'v Value {
    let all = place[list].as_array().expect("a list");
    all.iter()
        .find(|one| one["name"] == name || one["id"] == name)
        .expect("a member of the list")
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_go_back_and_a_rule_is_turned_off_and_on() {
    let rule = ("cron", "kind = \"schedule\"\nrule = \"cron\"\nenabled = false");
    let runbooks = [
        runbook(
            "back",
            "stop",
            &[
                ("letters", "kind = \"redrive\"\nqueue = \"dead\"\nper_second = 10"),
                rule,
            ],
        ),
        runbook(
            "forth",
            "undo",
            &[("cron", "kind = \"schedule\"\nrule = \"cron\"\nenabled = true"), BROKEN],
        ),
    ];
    let account = json!({
        "queue": [{ "name": "dead", "messages": 40 }, { "name": "work", "dead_letters": "dead" }],
        "rule": [{ "name": "cron", "schedule": "rate(1 minute)" }],
    });
    let town = town(&runbooks.concat(), account).await;
    town.fails_once(
        &["StartMessageMoveTask", "DisableRule"],
        &[
            "GetQueueUrl",
            "GetQueueAttributes",
            "ListMessageMoveTasks",
            "DescribeRule",
        ],
    )
    .await;
    town.says("U0CARLA", "/deploy run back mainnet").await;
    let card = town.shows(&["back · wallet → mainnet · done"]).await;
    assert!(
        text_of(&card).contains("about 40 of 40 messages of dead are back"),
        "{}",
        text_of(&card)
    );
    assert!(town.has_struck());
    assert_eq!(
        town.done("aws.StartMessageMoveTask"),
        1,
        "one task, though its answer was lost"
    );
    let place = town.place(HOME);
    assert_eq!(named(&place, "queues", "work")["visible"], 40);
    assert_eq!(named(&place, "queues", "dead")["visible"], 0);
    assert_eq!(named(&place, "rules", "cron")["state"], "DISABLED");
    town.mends();

    town.fails_once(&["EnableRule", "DisableRule"], &[]).await;
    town.says("U0CARLA", "/deploy run forth mainnet").await;
    town.shows(&["forth · wallet → mainnet · undone"]).await;
    assert!(town.has_struck(), "it was turned on and off again");
    assert_eq!(named(&town.place(HOME), "rules", "cron")["state"], "DISABLED");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_says_why_and_how_far_it_came() {
    let runbooks = runbook(
        "back",
        "stop",
        &[("letters", "kind = \"redrive\"\nqueue = \"dead\"\nper_second = 1")],
    );
    let account = json!({ "queue": [{ "name": "dead", "messages": 400 }, { "name": "work", "dead_letters": "dead" }] });
    let town = town(&runbooks, account).await;
    town.says("U0CARLA", "/deploy run back mainnet").await;
    town.shows(&["of 400 messages of dead are back"]).await;
    town.deed(json!({ "sqs": { "remove": { "queue": "work" } } })).await;
    let card = town.shows(&["a person decides"]).await;
    let text = text_of(&card);
    assert!(
        text.contains("task_failed") && text.contains("NonExistentQueue"),
        "{text}"
    );
    town.ends().await;
}

/// What stands where a flag is looked for, and what is said of it.
async fn no_flag(keys: &str, account: Value) -> String {
    let set = format!("kind = \"flag\"\n{keys}\nvalue = \"false\"");
    let read = format!("kind = \"flag\"\n{keys}\nmissing = \"false\"");
    let asked = "kind = \"require\"\nvalue = \"{step.flag.value}\"\nis = \"true\"\notherwise = \"it is off\"";
    let runbooks = [
        runbook("look", "stop", &[("flag", &read), ("so", asked)]),
        runbook("turn", "stop", &[("flag", &set)]),
    ];
    let town = town(&runbooks.concat(), account).await;
    town.says("U0CARLA", "/deploy run look mainnet").await;
    let text = text_of(&town.shows(&["look", "a person decides"]).await);
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.says("U0CARLA", "/deploy run turn mainnet").await;
    town.shows(&["turn", "a person decides", "wrong_type"]).await;
    assert_eq!(town.asked("aws.UpdateItem") + town.asked("aws.PutParameter"), 0);
    town.ends().await;
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_null_in_a_table_does_not_pass_for_true_and_is_not_replaced() {
    let item = json!({ "pk": { "S": "migrate" }, "current": { "NULL": true } });
    let said = no_flag(
        "table = \"deploy\"\nkey = { pk = \"migrate\" }\nattribute = \"current\"",
        json!({ "table": [{ "name": "deploy", "key": ["pk"], "item": [item] }] }),
    )
    .await;
    assert!(
        said.contains("deploy migrate current is null, which no flag is: make it a string, a boolean or a number"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_parameter_is_neither_shown_nor_encrypted_anew() {
    let said = no_flag(
        "parameter = \"/deploy/migrate\"",
        json!({ "parameter": [{ "name": "/deploy/migrate", "value": "true", "type": "SecureString" }] }),
    )
    .await;
    assert!(
        said.contains("parameter /deploy/migrate is a SecureString, which no flag is: it is neither decrypted nor"),
        "{said}"
    );
    assert!(!said.contains("AQICAH"), "{said}");
}

const SNAPSHOT: (&str, &str) = (
    "snapshot",
    "kind = \"snapshot\"\ninstance = \"wallet\"\nyounger = \"1h\"",
);

/// A risky step two hours behind a snapshot, and the account that it is in.
fn risk() -> (String, Value) {
    let runbooks = runbook(
        "risk",
        "stop",
        &[
            SNAPSHOT,
            ("pause", "kind = \"wait\"\nfor = \"2h\""),
            (
                "risky",
                "kind = \"schedule\"\nrule = \"cron\"\nenabled = false\nneeds_snapshot = { step = \"snapshot\", younger = \"1h\" }",
            ),
            (
                "again",
                "kind = \"restore\"\nsnapshot = \"{step.snapshot.id}\"\nto = \"wallet-restored\"\nsecurity_groups = [\"sg-1\"]",
            ),
        ],
    );
    let account = json!({
        "database": [{ "id": "wallet", "snapshots_hours_ago": [5] }],
        "rule": [{ "name": "cron", "schedule": "rate(1 minute)" }],
    });
    (runbooks, account)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_which_snapshot_there_is_and_takes_none() {
    let (runbooks, account) = risk();
    let town = town(&runbooks, account).await;
    // Copied just now, it holds what it held.
    town.deed(json!({ "rds": { "copy_snapshot": { "id": "wallet" } } }))
        .await;
    town.says("U0RITA", "/deploy run risk mainnet --plan").await;
    let plan = text_of(&town.shows(&["plan of risk", "changes nothing"]).await);
    for words in [
        "takes a snapshot of the instance wallet, unless there is one younger than 1 h",
        "wallet is available",
        "5 h old",
        "does not begin without a snapshot of step snapshot that is younger than 1 h",
    ] {
        assert!(plan.contains(words), "{words} is not on\n{plan}");
    }
    assert_eq!(town.asked("aws.CreateDBSnapshot"), 0);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_risky_step_does_not_begin_without_a_young_snapshot() {
    let (runbooks, account) = risk();
    let town = town(&runbooks, account).await;
    town.fails_once(
        &["CreateDBSnapshot", "RestoreDBInstanceFromDBSnapshot"],
        &["DescribeDBInstances", "DescribeDBSnapshots"],
    )
    .await;
    town.says("U0CARLA", "/deploy run risk mainnet").await;
    town.shows(&["step 2 of 4"]).await;
    assert_eq!(
        town.done("aws.CreateDBSnapshot"),
        1,
        "one snapshot, though its answer was lost"
    );
    town.passes(2 * 3600);
    let card = town.shows(&["a person decides"]).await;
    let text = text_of(&card);
    assert!(
        text.contains("no_snapshot") && text.contains("needs a snapshot younger than 1 h"),
        "{text}"
    );
    assert_eq!(
        named(&town.place(HOME), "rules", "cron")["state"],
        "ENABLED",
        "it never began"
    );

    // Trying again takes a new one first.
    town.clicks("U0CARLA", &card.ts, "retry").await;
    town.shows(&["step 4 of 4"]).await;
    town.passes(300);
    let card = town.shows(&["risk · wallet → mainnet · done"]).await;
    assert!(town.has_struck());
    let place = town.place(HOME);
    assert_eq!(
        place["rds"]["snapshots"].as_array().map(Vec::len),
        Some(3),
        "{}",
        place["rds"]
    );
    assert_eq!(
        place["rds"]["databases"].as_array().map(Vec::len),
        Some(2),
        "one restored, though its answer was lost"
    );
    assert!(
        text_of(&card).contains("wallet-restored is available at wallet-restored."),
        "{}",
        text_of(&card)
    );
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_saved_and_restored_and_nothing_that_is_there_is_touched() {
    let restore = |name: &'static str, to: &str| {
        (
            name,
            format!("kind = \"restore\"\nsnapshot = \"{{step.snapshot.id}}\"\nto = \"{to}\""),
        )
    };
    let (new, known) = (restore("new", "wallet-new"), restore("known", "wallet"));
    let runbooks = runbook(
        "save",
        "stop",
        &[
            ("snapshot", "kind = \"snapshot\"\ncluster = \"wallet\""),
            (new.0, &new.1),
            (known.0, &known.1),
        ],
    );
    let town = town(
        &runbooks,
        json!({ "database": [{ "id": "wallet", "cluster": true, "engine": "aurora-mysql" }] }),
    )
    .await;
    town.fails_once(
        &["CreateDBClusterSnapshot", "RestoreDBClusterFromSnapshot"],
        &["DescribeDBClusters", "DescribeDBClusterSnapshots"],
    )
    .await;
    town.says("U0CARLA", "/deploy run save mainnet").await;
    town.shows(&["step 2 of 3"]).await;
    town.passes(300);
    let card = town.shows(&["a person decides"]).await;
    let text = text_of(&card);
    assert!(
        text.contains("already_there") && text.contains("this run did not make it"),
        "{text}"
    );
    assert!(town.has_struck());
    let place = town.place(HOME);
    assert_eq!(named(&place["rds"], "databases", "wallet-new")["status"], "available");
    assert_eq!(place["rds"]["snapshots"].as_array().map(Vec::len), Some(1));
    town.mends();
    // A snapshot that RDS cannot take fails the step.
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.deed(json!({ "rds": { "fail_snapshot": { "id": "wallet" } } }))
        .await;
    town.says("U0CARLA", "/deploy run save mainnet").await;
    town.shows(&["snapshot_failed"]).await;
    town.ends().await;
}

/// What a record says now.
fn record(town: &Scenario, name: &str) -> Value {
    let global = town.place("");
    let records = named(&global, "zones", "example.org.")["records"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let found = records.into_iter().find(|record| record["Name"] == name);
    found.map_or(Value::Null, |record| {
        record["ResourceRecords"]["$ResourceRecord"][0]["Value"].clone()
    })
}

fn switch_steps(last: (&'static str, &'static str)) -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "old",
            "kind = \"route53\"\nzone = \"example.org\"\nrecord = \"app.example.org\"\ntype = \"CNAME\"\nvalues = [\"green.example.org\"]\nttl = 60",
        ),
        (
            "fresh",
            "kind = \"route53\"\nzone = \"Z0EXAMPLE\"\nrecord = \"new.example.org\"\ntype = \"TXT\"\nvalues = ['\"a & b\"']\nttl = 60",
        ),
        (
            "api",
            "kind = \"mapping\"\ndomain = \"api.example.org\"\napi_name = \"green\"\nstage = \"prod\"",
        ),
        (
            "http",
            "kind = \"mapping\"\ndomain = \"api.example.org\"\npath = \"v1\"\napi = \"green1\"\nstage = \"prod\"\nversion = 2",
        ),
        last,
    ]
}

fn switch_account() -> Value {
    json!({
        "zone": [
            { "name": "example.net", "id": "Z0OTHER" },
            { "name": "example.org", "id": "Z0EXAMPLE", "record": [{ "name": "app.example.org", "type": "CNAME", "values": ["blue.example.org"] }] },
        ],
        "api": [{ "id": "blue1", "name": "blue", "stages": ["prod"] }, { "id": "green1", "name": "green", "stages": ["prod"] }],
        "base_path": [
            { "domain": "api.example.org", "api": "blue1", "stage": "prod" },
            { "domain": "api.example.org", "path": "v1", "api": "blue1", "stage": "prod" },
        ],
    })
}

fn leads(town: &Scenario) -> Vec<Value> {
    let place = town.place(HOME);
    let all = place["base_paths"].as_array().cloned().unwrap_or_default();
    all.into_iter().map(|one| one["api"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_mappings_are_replaced_once_and_put_back() {
    let asks = ("agree", "kind = \"manual\"\ninstructions = \"Look.\"");
    let runbooks = [
        runbook("switch", "stop", &switch_steps(asks)),
        runbook(
            "doubt",
            "stop",
            &[(
                "api",
                "kind = \"mapping\"\ndomain = \"api.example.org\"\npath = \"v9\"\napi = \"green1\"\nstage = \"prod\"",
            )],
        ),
    ];
    let town = town(&runbooks.concat(), switch_account()).await;
    town.fails_once(
        &["ChangeResourceRecordSets", "UpdateBasePathMapping", "UpdateApiMapping"],
        &[
            "ListHostedZonesByName",
            "ListResourceRecordSets",
            "GetChange",
            "GetRestApis",
            "GetBasePathMapping",
            "GetApiMappings",
            "GetApiMapping",
        ],
    )
    .await;
    town.says("U0CARLA", "/deploy run switch mainnet").await;
    town.shows(&["step 5 of 5"]).await;
    assert!(town.has_struck());
    assert_eq!(record(&town, "app.example.org."), "green.example.org");
    assert_eq!(record(&town, "new.example.org."), "\"a & b\"");
    assert_eq!(leads(&town), ["green1", "green1"]);
    assert_eq!(
        (
            town.done("aws.UpdateBasePathMapping"),
            town.done("aws.UpdateApiMapping")
        ),
        (1, 1)
    );
    town.mends();

    town.fails_once(
        &["UpdateBasePathMapping", "UpdateApiMapping", "ChangeResourceRecordSets"],
        &[],
    )
    .await;
    town.says("U0CARLA", "/deploy abort mainnet it is red").await;
    town.shows(&["switch · wallet → mainnet · undone"]).await;
    assert!(town.has_struck());
    assert_eq!(record(&town, "app.example.org."), "blue.example.org");
    assert_eq!(record(&town, "new.example.org."), Value::Null);
    assert_eq!(leads(&town), ["blue1", "blue1"]);
    assert_eq!(town.asked("aws.DeleteBasePathMapping"), 0);

    town.says("U0CARLA", "/deploy run doubt mainnet").await;
    let text = text_of(&town.shows(&["no_mapping"]).await);
    assert!(text.contains("create-base-path-mapping"), "{text}");
    town.ends().await;
}

/// A try that gave up and arrives between what the next one reads and what it sends: to that one it looks as if somebody had been faster.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_as_wanted_by_now_is_waited_for_and_not_called_somebody_elses() {
    let asks = ("agree", "kind = \"manual\"\ninstructions = \"Look.\"");
    let record_alone = [switch_steps(asks)[0], asks];
    let town = town(&runbook("switch", "undo", &record_alone), switch_account()).await;
    let turns = async |to: &str, ttl: u32| {
        let faults = &town.rig.sandbox().world().faults;
        faults.wait_held().await;
        let record = json!({ "name": "app.example.org", "type": "CNAME", "values": [to], "ttl": ttl });
        town.deed(json!({ "route53": { "set": { "zone": "example.org", "record": record } } }))
            .await;
        faults.release();
    };
    let held = kind("hold_before", 1, &json!({}));
    town.breaks("aws.ChangeResourceRecordSets", &held).await;
    town.says("U0CARLA", "/deploy run switch mainnet").await;
    turns("green.example.org", 60).await;
    town.shows(&["step 2 of 2"]).await;
    assert_eq!(record(&town, "app.example.org."), "green.example.org");
    assert_eq!(town.done("aws.ChangeResourceRecordSets"), 1, "it is said again, once");

    town.breaks("aws.ChangeResourceRecordSets", &held).await;
    town.says("U0CARLA", "/deploy abort mainnet it is red").await;
    turns("blue.example.org", 300).await;
    town.shows(&["switch · wallet → mainnet · undone"]).await;
    assert_eq!(record(&town, "app.example.org."), "blue.example.org");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_meanwhile_is_not_put_back() {
    let asks = ("agree", "kind = \"manual\"\ninstructions = \"Look.\"");
    let town = town(&runbook("switch", "stop", &switch_steps(asks)), switch_account()).await;
    town.says("U0CARLA", "/deploy run switch mainnet").await;
    town.shows(&["step 5 of 5"]).await;
    let theirs = json!({ "name": "app.example.org", "type": "CNAME", "values": ["red.example.org"] });
    town.deed(json!({ "route53": { "set": { "zone": "example.org", "record": theirs } } }))
        .await;
    town.says("U0CARLA", "/deploy abort mainnet it is red").await;
    let text = text_of(&town.shows(&["could not be undone"]).await);
    assert!(
        text.contains("changed_since") && text.contains("red.example.org"),
        "{text}"
    );
    assert_eq!(record(&town, "app.example.org."), "red.example.org");
    assert_eq!(leads(&town), ["blue1", "blue1"], "the others are");
    town.ends().await;
}

/// A build is what was wanted if nobody has pushed since; else it is built again.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_has_to_be_of_the_newest_commit_of_its_branch() {
    let keys = "kind = \"codebuild\"\nproject = \"web-build\"\nsource_version = \"master\"\nhead = \"master\"";
    let project = json!({ "name": "web-build", "repository": "https://github.com/acme/wallet-service" });
    let town = town(
        &runbook("build", "stop", &[("build", keys)]),
        json!({ "project": [project] }),
    )
    .await;
    let push = async |message: &str| {
        let commit = json!({ "repository": "acme/wallet-service", "branch": "master", "message": message });
        let sha = town.control("github/commit", commit).await["sha"]
            .as_str()
            .map(str::to_owned);
        sha.expect("a commit")
    };
    let plan = async |held: bool| {
        let always = json!({ "always": { "project": "web-build", "plan": { "held": held, "seconds": 5 } } });
        town.deed(json!({ "codebuild": always })).await;
    };
    let one = push("one").await;
    town.says("U0RITA", "/deploy run build mainnet --plan").await;
    let planned = [
        "has to build the newest commit of master",
        &format!("master is at {one}"),
    ];
    town.shows(&planned).await;
    plan(true).await;
    town.says("U0CARLA", "/deploy run build mainnet").await;
    let under_way = text_of(&town.shows(&["is in BUILD"]).await);
    assert!(
        under_way.contains("|log>"),
        "what it does can be read meanwhile: {under_way}"
    );
    let two = push("two").await;
    town.deed(json!({ "codebuild": { "end": { "project": "web-build", "outcome": "SUCCEEDED" } } }))
        .await;
    let why = format!("wrong_commit: it built {one}, but master is at {two}: try again to build that");
    let card = town.shows(&[&why, "a person decides"]).await;
    plan(false).await;
    town.breaks("github.ref", &kind("fail", 1, &json!({}))).await;
    town.presses("U0CARLA", &card.ts, "retry").await;
    town.shows(&["build · wallet → mainnet · done"]).await;
    assert_eq!(town.done("aws.StartBuild"), 2);
    town.ends().await;
}

const MAJOR: &str = "wallet-service-mainnet-errors-major";

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_quiet_in_several_looks_or_named() {
    let watch = (
        "quiet",
        "kind = \"alarms\"\nalarms = [\"wallet-service-mainnet-*\"]\nsamples = 2\nevery = \"10s\"",
    );
    let gone = ("gone", "kind = \"alarms\"\nalarms = [\"no-such-*\"]");
    let runbooks = [runbook("calm", "stop", &[watch]), runbook("none", "stop", &[gone])];
    let town = town(&runbooks.concat(), json!({})).await;
    town.control("aws/alarm", json!({ "name": MAJOR, "state": "INSUFFICIENT_DATA" }))
        .await;
    town.says("U0CARLA", "/deploy run calm mainnet").await;
    town.shows(&["cannot tell", &format!("{MAJOR} has no data")]).await;
    // A refusal that the SDK does not try again by itself.
    let busy = kind("refuse", 100, &json!({ "error": "ConcurrentModificationException" }));
    town.breaks("aws.DescribeAlarms", &busy).await;
    town.shows(&["cannot be read just now"]).await;
    town.mends();
    town.control("aws/alarm", json!({ "name": MAJOR, "state": "OK" })).await;
    town.shows(&["calm · wallet → mainnet · done", "2 alarms quiet in 2 of 2 looks"])
        .await;

    town.control("aws/alarm", json!({ "name": MAJOR, "state": "ALARM" }))
        .await;
    town.says("U0CARLA", "/deploy run calm mainnet").await;
    let text = text_of(&town.shows(&["calm", "a person decides"]).await);
    assert!(text.contains(&format!("alarm: {MAJOR} rings for")), "{text}");
    town.says("U0CARLA", "/deploy stop mainnet enough").await;
    town.says("U0CARLA", "/deploy run none mainnet").await;
    town.shows(&["no_alarm: there is no alarm no-such-"]).await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posture_is_told_whole_and_what_cannot_be_read_is_unknown() {
    let posture = (
        "posture",
        r#"kind = "posture"
wants = [
  { bucket_encrypted = "backups" },
  { bucket_private = "backups" },
  { database_private = "wallet" },
  { port_closed = { group = "sg-1", port = 3306, but = ["10.0.0.0/8"] } },
  { user_absent = "old-deployer" },
  { certificate_issued = "arn:aws:acm:eu-central-1:111122223333:certificate/c1" },
]"#,
    );
    let account = json!({
        "bucket": [{ "name": "backups" }],
        "database": [{ "id": "wallet" }],
        "security_group": [{ "id": "sg-1", "name": "db", "ingress": [{ "from": 3306, "to": 3306, "cidrs": ["10.0.0.0/8"] }] }],
        "certificate": [{ "id": "c1", "domain": "example.org" }],
    });
    let town = town(&runbook("safe", "stop", &[posture]), account).await;
    let reads = [
        "GetBucketEncryption",
        "GetPublicAccessBlock",
        "DescribeDBInstances",
        "DescribeSecurityGroups",
        "GetUser",
        "DescribeCertificate",
    ];
    town.fails_once(&[], &reads).await;
    town.says("U0CARLA", "/deploy run safe mainnet").await;
    let text = text_of(&town.shows(&["safe · wallet → mainnet · done"]).await);
    assert!(town.has_struck());
    for words in [
        "bucket backups encrypts what is put into it: yes, with AES256",
        "blocks public access in all four ways: yes, all four are on",
        "database wallet has no public address: yes",
        "but 10.0.0.0/8: yes, let in: 10.0.0.0/8",
        "there is no IAM user old-deployer: yes",
        "is issued: yes, until",
    ] {
        assert!(text.contains(words), "{words} is not on\n{text}");
    }
    town.mends();

    let denied = kind("refuse", 1, &json!({ "error": "AccessDeniedException" }));
    town.breaks("aws.GetUser", &denied).await;
    town.says("U0CARLA", "/deploy run safe mainnet").await;
    let card = town.shows(&["a person decides"]).await;
    let text = text_of(&card);
    assert!(text.contains("unknown: 5 hold, 0 do not, 1 are unknown"), "{text}");
    town.mends();

    town.deed(json!({ "s3": { "block": { "bucket": "backups" } } })).await;
    town.deed(json!({ "seed": { "security_group": [{ "id": "sg-1", "name": "db", "ingress": [{ "from": 0, "to": 65535, "cidrs": ["::/0"] }] }] } }))
        .await;
    town.clicks("U0CARLA", &card.ts, "retry").await;
    let text = text_of(&town.shows(&["4 hold, 2 do not"]).await);
    for words in ["NO, nothing is blocked", "NO, open to ::/0"] {
        assert!(text.contains(words), "{words} is not on\n{text}");
    }
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_compared_key_by_key() {
    let parity = (
        "parity",
        "kind = \"bucket_parity\"\nleft = { bucket = \"left\" }\nright = { bucket = \"right\", region = \"us-west-1\" }",
    );
    let account = json!({ "bucket": [{ "name": "left", "fill": 2500 }, { "name": "right", "fill": 2500 }] });
    let town = town(&runbook("same", "stop", &[parity]), account).await;
    town.fails_once(&[], &["ListObjectsV2"]).await;
    town.says("U0CARLA", "/deploy run same mainnet").await;
    town.shows(&["same · wallet → mainnet · done", "keys compared: 2500"])
        .await;
    assert!(town.has_struck());
    town.mends();
    let extra = json!({ "key": "a & b/ü", "body": "x" });
    town.deed(json!({ "s3": { "put": { "bucket": "left", "object": extra } } }))
        .await;
    town.deed(json!({ "s3": { "put": { "bucket": "right", "object": { "key": "object-00000007", "body": "xyz" } } } }))
        .await;
    town.says("U0CARLA", "/deploy run same mainnet").await;
    let text = text_of(&town.shows(&["a person decides"]).await);
    assert!(text.contains("2501 keys compared, 2 different"), "{text}");
    assert!(
        text.contains("ü (left only)") && text.contains("object-00000007 (1024 and 3 bytes)"),
        "{text}"
    );
    town.ends().await;
}

fn objects(town: &Scenario, bucket: &str) -> usize {
    let shown = sandbox::aws::snapshot(&town.rig.sandbox().world().aws());
    let all = shown["objects"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|object| object["bucket"] == bucket).count()
}

/// Words that are not the bucket's name, and people who may not, do nothing; the form stays open before Carla.
async fn denied(town: &Scenario, card: &Message) {
    for wrong in ["yes", "old-document", "OLD-DOCUMENTS"] {
        let said = town.says("U0CARLA", &format!("/deploy confirm mainnet {wrong}")).await;
        assert!(said.text.contains("Type old-documents exactly"), "{}", said.text);
    }
    let said = town.says("U0RITA", "/deploy confirm mainnet old-documents").await;
    assert!(!said.text.contains("has it done"), "{}", said.text);
    town.clicks("U0CARLA", &card.ts, "confirm").await;
    let refused = town.submits("U0CARLA", "old documents").await;
    assert!(refused.to_string().contains("Type old-documents exactly"), "{refused}");
    assert_eq!(
        objects(town, "old-documents"),
        2501,
        "nothing is gone before it is typed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_goes_only_when_its_name_is_typed() {
    let delete = |bucket: &str| format!("kind = \"bucket_delete\"\nbucket = \"{bucket}\"");
    let runbooks = [
        runbook("raze", "stop", &[("raze", &delete("old-documents"))]),
        runbook("kept", "stop", &[("kept", &delete("kept"))]),
    ];
    let newest = json!({ "key": "a & <b>", "body": "x", "hours_ago": 1 });
    let account = json!({ "bucket": [
        { "name": "old-documents", "fill": 2500, "object": [newest] },
        { "name": "kept", "versioned": true, "object": [{ "key": "k" }] },
    ]});
    let town = town(&runbooks.concat(), account).await;
    town.says("U0RITA", "/deploy run raze mainnet --plan").await;
    let plan = text_of(&town.shows(&["plan of raze", "changes nothing"]).await);
    for words in [
        "THERE IS NO UNDO",
        "has to type old-documents first",
        "holds 2501 objects",
    ] {
        assert!(plan.contains(words), "{words} is not on\n{plan}");
    }
    town.fails_once(
        &["DeleteObjects", "DeleteBucket"],
        &["ListObjectsV2", "GetBucketVersioning"],
    )
    .await;
    town.says("U0CARLA", "/deploy run raze mainnet").await;
    let card = town
        .shows(&[
            "cannot be undone",
            "old-documents holds 2501 objects",
            "newest: object-",
        ])
        .await;
    denied(&town, &card).await;

    // What comes in after it was shown stays.
    town.passes(5);
    let late = json!({ "key": "late", "body": "x" });
    town.deed(json!({ "s3": { "put": { "bucket": "old-documents", "object": late } } }))
        .await;
    town.submits("U0CARLA", "old-documents").await;
    let card = town.shows(&["late came in after the list was shown"]).await;
    assert!(objects(&town, "old-documents") >= 1, "it stays");
    town.clicks("U0CARLA", &card.ts, "retry").await;
    town.shows(&["cannot be undone", "newest: late"]).await;
    town.says("U0CARLA", "/deploy confirm mainnet old-documents").await;
    let text = text_of(&town.shows(&["raze · wallet → mainnet · done"]).await);
    assert!(text.contains("old-documents is gone"), "{text}");
    assert!(town.has_struck());
    assert_eq!((objects(&town, "old-documents"), town.done("aws.DeleteBucket")), (0, 1));

    town.says("U0CARLA", "/deploy run kept mainnet").await;
    town.shows(&["versioned_bucket", "lifecycle rule"]).await;
    assert_eq!(objects(&town, "kept"), 1);
    town.ends().await;
}
