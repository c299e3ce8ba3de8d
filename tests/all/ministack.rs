//! The kinds of steps and the three teams' runbooks against an AWS that others wrote, for what it serves; the rest is the sandbox's. It says whether the
//! sandbox and the bot have the same misunderstanding of AWS.
//!
//! What ministack 1.5.33 does not serve, or gets wrong, so that nothing of it is proven here:
//!
//! | service | why not, or what not |
//! |---|---|
//! | CodePipeline, OpenSearch's data, Slack | not served |
//! | CodeBuild | a build is over at once, cannot fail, and loses the variables it was started with: a second try cannot find its mark |
//! | CloudWatch | metric math is empty and percentiles are wrong: the error ratio is the sandbox's, and so are alarms |
//! | SQS | no `StartMessageMoveTask`: `redrive` is the sandbox's. Counts are exact and at once, as they never are |
//! | API Gateway | `UpdateBasePathMapping` is 404: of `mapping` only the second version is tried |
//! | Lambda, RDS | an update and a snapshot are done as soon as they are asked for; reserved names and 4 KB of variables are not refused |
//! | STS | any role is given to anybody: the sandbox's is asked |
//! | Logs | patterns with brackets, `%`, `?` and `{ }` fit everything or nothing, and words in any case: only a quoted one is tried |
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use http::Method;
use serde_json::{Value, json};
use tests::court;
use tests::ministack::{At, Ministack};
use tests::scenario::{Scenario, options, shared_store, text_of};

const HOME: &str = "eu-central-1";

/// The demo's or a team's world, in which these services are ministack's.
async fn town(there: &Ministack, services: &'static [&'static str], files: (&str, Option<&str>)) -> Scenario {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options(shared_store());
    files.0.clone_into(&mut options.config);
    if let Some(account) = files.1 {
        let path = folder.path().join("account.toml");
        std::fs::write(&path, account).expect("a file");
        options.sandbox.aws_seed = Some(path);
    }
    there.serves(&mut options, services);
    Scenario::with(options).await
}

/// What each kind does there and takes back again.
const THERE_AND_BACK: &str = r#"
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
name      = "new"
kind      = "flag"
table     = "works-deploy"
key       = { pk = "new", sk = "new" }
attribute = "current"
value     = "true"
type      = "boolean"
missing   = "false"
---
name      = "level"
kind      = "flag"
parameter = "/works/level"
value     = "high"
---
name = "closed"
kind = "maintenance"
on   = true
---
name     = "stream"
kind     = "event_source"
function = "works-stream"
enabled  = false
---
name     = "drained"
kind     = "queue_drain"
queues   = ["works-queue"]
failures = ["works-dead"]
samples  = 2
every    = "1s"
---
name    = "cron"
kind    = "schedule"
rule    = "works-cron"
enabled = false
---
name   = "moved"
kind   = "route53"
zone   = "works.example"
record = "app.works.example"
type   = "CNAME"
values = ["green.works.example"]
ttl    = 60
---
name     = "api"
kind     = "mapping"
domain   = "api.works.example"
path     = "v1"
api_name = "green"
stage    = "prod"
version  = 2
---
name      = "loud"
kind      = "log_level"
functions = ["works-loud", "works-louder"]
level     = "debug"
---
name  = "empty"
kind  = "table"
table = "works-empty"
state = "empty"
---
name     = "tell"
kind     = "lambda"
function = "works-loud"
payload  = '{"color": "green"}'
---
name      = "line"
kind      = "log_match"
log_group = "/works/app"
pattern   = '"all is built"'
since     = "15m"
---
name  = "safe"
kind  = "posture"
wants = [{ bucket_encrypted = "works-left" }, { user_absent = "nobody" }]
---
name  = "same"
kind  = "bucket_parity"
left  = { bucket = "works-left" }
right = { bucket = "works-right" }
"#;

/// What cannot be taken back.
const FOR_GOOD: &str = r#"
name     = "snapshot"
kind     = "snapshot"
instance = "works"
---
name     = "restored"
kind     = "restore"
snapshot = "{step.snapshot.id}"
to       = "works-restored"
class    = "db.t3.micro"
---
name   = "raze"
kind   = "bucket_delete"
bucket = "works-old"
"#;

const FAILS: &str = r#"
name      = "fails"
kind      = "require"
value     = "one"
is        = "two"
otherwise = "It has to be undone."
"#;

fn kinds() -> String {
    let mut config = r#"
[defaults]
aws = { region = "eu-central-1", role_arn = "arn:aws:iam::111122223333:role/signalbox" }

[service.works]
channel = "C0DEPLOYS"

[service.works.environment.prod]
approvers   = { groups = ["S0WALLET"] }
operators   = { groups = ["S0OPS"] }
maintenance = { flag = { parameter = "/works/maintenance" } }

[service.works.runbook.back]
on_failure = "undo"
"#
    .to_owned();
    for (runbook, steps) in [("forth", [THERE_AND_BACK, FOR_GOOD]), ("back", [THERE_AND_BACK, FAILS])] {
        for step in steps.iter().flat_map(|steps| steps.split("---\n")) {
            config.push_str(&format!("\n[[service.works.runbook.{runbook}.step]]\n{step}"));
        }
    }
    config
}

/// The account of the kinds, in ministack; the API's ids of blue and green.
async fn works(there: &Ministack, now_ms: i64) -> [String; 2] {
    let flag = |name: &str, current: Value| json!({ "pk": { "S": name }, "sk": { "S": name }, "current": current });
    there
        .table(HOME, "works-deploy", &[flag("color", json!({ "S": "blue" }))])
        .await;
    there.table(HOME, "works-empty", &[]).await;
    for (name, value) in [("/works/level", "low"), ("/works/maintenance", "false")] {
        let parameter = json!({ "Name": name, "Value": value, "Type": "String" });
        there.target(At("ssm", HOME), "AmazonSSM.PutParameter", parameter).await;
    }
    for name in ["works-queue", "works-dead", "works-mapped"] {
        there.queue(HOME, name, json!({})).await;
    }
    for (name, level) in [
        ("works-stream", "info"),
        ("works-loud", "info"),
        ("works-louder", "warn"),
    ] {
        let variables = json!({ "LOG_LEVEL": level, "OTHER": "stays" });
        there.function(HOME, name, variables).await;
    }
    let mapped = format!("arn:aws:sqs:{HOME}:000000000000:works-mapped");
    there.mapping(HOME, "works-stream", &mapped).await;
    let rule = json!({ "Name": "works-cron", "ScheduleExpression": "rate(1 day)", "State": "ENABLED" });
    there.target(At("events", HOME), "AWSEvents.PutRule", rule).await;
    let logs = At("logs", HOME);
    let stream = json!({ "logGroupName": "/works/app", "logStreamName": "one" });
    there
        .target(
            logs,
            "Logs_20140328.CreateLogGroup",
            json!({ "logGroupName": "/works/app" }),
        )
        .await;
    there
        .target(logs, "Logs_20140328.CreateLogStream", stream.clone())
        .await;
    let mut lines = stream;
    lines["logEvents"] = json!([{ "timestamp": now_ms, "message": "today all is built" }]);
    there.target(logs, "Logs_20140328.PutLogEvents", lines).await;
    data(there).await;
    zone(there).await;
    apis(there).await
}

async fn data(there: &Ministack) {
    let s3 = At("s3", HOME);
    for bucket in ["works-left", "works-right", "works-old"] {
        let here = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
        there.put(Method::PUT, &format!("/{bucket}"), s3, here).await;
        for key in ["a", "b/c d+e"] {
            let key = key.replace(' ', "%20").replace('+', "%2B");
            there.put(Method::PUT, &format!("/{bucket}/{key}"), s3, "text").await;
        }
    }
    database(there, HOME, "works").await;
}

async fn database(there: &Ministack, region: &'static str, name: &str) {
    let database = [
        ("Action", "CreateDBInstance"),
        ("Version", "2014-10-31"),
        ("DBInstanceIdentifier", name),
        ("DBInstanceClass", "db.t3.micro"),
        ("Engine", "postgres"),
        ("MasterUsername", "works"),
        ("MasterUserPassword", "works-works"),
        ("AllocatedStorage", "20"),
    ];
    there.form(At("rds", region), &database).await;
}

/// The snapshots of a region's databases, as RDS lists them.
async fn snapshots(there: &Ministack, region: &'static str) -> String {
    let list = [("Action", "DescribeDBSnapshots"), ("Version", "2014-10-31")];
    there.form(At("rds", region), &list).await
}

const DNS: At = At("route53", "us-east-1");
const XMLNS: &str = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";

async fn zone(there: &Ministack) {
    let zone = format!(
        "<CreateHostedZoneRequest {XMLNS}><Name>works.example</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>"
    );
    let told = there.put(Method::POST, "/2013-04-01/hostedzone", DNS, &zone).await;
    let id = between(&told, "<Id>/hostedzone/", "</Id>");
    let record = "<ResourceRecordSet><Name>app.works.example</Name><Type>CNAME</Type><TTL>300</TTL><ResourceRecords><ResourceRecord><Value>blue.works.example</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
    let change = format!(
        "<ChangeResourceRecordSetsRequest {XMLNS}><ChangeBatch><Changes><Change><Action>CREATE</Action>{record}</Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    );
    there
        .put(
            Method::POST,
            &format!("/2013-04-01/hostedzone/{id}/rrset"),
            DNS,
            &change,
        )
        .await;
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let rest = text.split_once(from).map(|(_, rest)| rest).expect("it is there");
    rest.split_once(to).map(|(found, _)| found).expect("it ends")
}

async fn apis(there: &Ministack) -> [String; 2] {
    let at = At("apigateway", HOME);
    let mut ids = Vec::new();
    for name in ["blue", "green"] {
        let api = json!({ "name": name, "protocolType": "HTTP" });
        let told = there.rest(Method::POST, "/v2/apis", at, api).await;
        let id = told["apiId"].as_str().expect("an id").to_owned();
        let stage = json!({ "stageName": "prod" });
        there
            .rest(Method::POST, &format!("/v2/apis/{id}/stages"), at, stage)
            .await;
        ids.push(id);
    }
    let domain = json!({ "domainName": "api.works.example", "domainNameConfigurations": [{ "certificateArn": "arn:aws:acm:eu-central-1:000000000000:certificate/1", "endpointType": "REGIONAL" }] });
    there.rest(Method::POST, "/v2/domainnames", at, domain).await;
    let mapping = json!({ "apiId": ids[0], "stage": "prod", "apiMappingKey": "v1" });
    there
        .rest(
            Method::POST,
            "/v2/domainnames/api.works.example/apimappings",
            at,
            mapping,
        )
        .await;
    ids.try_into().expect("two")
}

/// What ministack shows of everything that can be undone.
async fn shown(there: &Ministack) -> Value {
    let parameter = async |name: &str| {
        let get = json!({ "Name": name });
        let told = there.target(At("ssm", HOME), "AmazonSSM.GetParameter", get).await;
        told["Parameter"]["Value"].clone()
    };
    let rule = json!({ "Name": "works-cron" });
    let rule = there.target(At("events", HOME), "AWSEvents.DescribeRule", rule).await;
    let zones = there
        .put(
            Method::GET,
            "/2013-04-01/hostedzonesbyname?dnsname=works.example",
            DNS,
            "",
        )
        .await;
    let id = between(&zones, "<Id>/hostedzone/", "</Id>");
    let records = format!("/2013-04-01/hostedzone/{id}/rrset");
    let records = there.put(Method::GET, &records, DNS, "").await;
    let leads = |color: &&str| records.contains(&format!("{color}.works.example"));
    let record = ["blue", "green"].into_iter().find(leads);
    let mappings = there
        .rest(
            Method::GET,
            "/v2/domainnames/api.works.example/apimappings",
            At("apigateway", HOME),
            Value::Null,
        )
        .await;
    let levels = async |name: &str| {
        let variables = there.variables(HOME, name).await;
        json!([variables["LOG_LEVEL"], variables["OTHER"]])
    };
    json!({
        "color": there.flag(HOME, "works-deploy", "color").await,
        "new": there.flag(HOME, "works-deploy", "new").await,
        "level": parameter("/works/level").await,
        "maintenance": parameter("/works/maintenance").await,
        "stream": there.feeds(HOME, "works-stream").await,
        "rule": rule["State"],
        "record": record,
        "mapping": mappings["items"][0]["apiId"],
        "levels": [levels("works-loud").await, levels("works-louder").await],
    })
}

/// What of the kinds is asked there.
const KINDS: &[&str] = &[
    "apigateway",
    "dynamodb",
    "events",
    "iam",
    "lambda",
    "logs",
    "rds",
    "route53",
    "s3",
    "sqs",
    "ssm",
];

#[tokio::test(flavor = "multi_thread")]
async fn ministack_sees_every_kind_that_it_serves_done_and_undone() {
    let there = Ministack::start();
    let town = town(&there, KINDS, (&kinds(), None)).await;
    let [blue, green] = works(&there, town.rig.sandbox().world().clock.now_ms()).await;
    let before = shown(&there).await;
    assert_eq!(before["mapping"], blue);

    town.says("U0CARLA", "/deploy run back prod").await;
    let card = town.card_in_time(&["back · works → prod · undone"]).await;
    assert!(text_of(&card).contains("It has to be undone."), "{}", text_of(&card));
    assert_eq!(shown(&there).await, before, "{}", text_of(&card));

    town.says("U0CARLA", "/deploy run forth prod").await;
    town.card_in_time(&["forth · works → prod", "cannot be undone", "works-old holds 2 objects"])
        .await;
    town.says("U0CARLA", "/deploy confirm prod works-old").await;
    let text = text_of(&town.card_in_time(&["forth · works → prod · done"]).await);
    assert!(text.contains("works-old is gone, with 2 objects"), "{text}");
    let after = json!({
        "color": { "S": "green" }, "new": { "BOOL": true }, "level": "high", "maintenance": "true", "stream": ["Disabled"], "rule": "DISABLED",
        "record": "green", "mapping": green, "levels": [["debug", "stays"], ["debug", "stays"]],
    });
    assert_eq!(shown(&there).await, after, "{text}");
    let rds = [("Action", "DescribeDBInstances"), ("Version", "2014-10-31")];
    let databases = there.form(At("rds", HOME), &rds).await;
    assert!(databases.contains("works-restored"), "{databases}");
    for operation in [
        "dynamodb.UpdateItem",
        "ssm.PutParameter",
        "lambda.UpdateEventSourceMapping",
        "lambda.Invoke",
        "events.DisableRule",
        "route53.ChangeResourceRecordSets",
        "apigateway.UpdateApiMapping",
        "logs.FilterLogEvents",
        "rds.RestoreDBInstanceFromDBSnapshot",
        "s3.DeleteBucket",
    ] {
        assert!(there.asked(operation) > 0, "nobody asked there for {operation}");
    }
    town.ends().await;
}

const EAST: &str = "us-east-1";
const WEST: &str = "us-west-1";
const SEGMENTS: usize = 20;

/// The account of the court's team, as its file for the sandbox has it.
async fn court_account(there: &Ministack) {
    let flag =
        |(name, current): &(&str, Value)| json!({ "pk": { "S": name }, "sk": { "S": name }, "current": current });
    let text = |value: &str| json!({ "S": value });
    let flags = [
        ("current-color", text("blue")),
        ("migrate", text("false")),
        ("source-table-version", text("alpha")),
        ("destination-table-version", text("beta")),
        ("pending-color-switch", json!({ "BOOL": true })),
        ("maintenance-mode", json!({ "BOOL": false })),
        ("migration-queue-is-empty", json!({ "BOOL": true })),
        ("order-search-enabled", json!({ "BOOL": true })),
    ];
    let flags: Vec<Value> = flags.iter().map(flag).collect();
    there.table(EAST, "efcms-deploy-stg", &flags).await;
    let case = json!({ "pk": { "S": "case|1" }, "sk": { "S": "case|1" } });
    for region in [EAST, WEST] {
        there
            .table(region, "efcms-stg-alpha", std::slice::from_ref(&case))
            .await;
        there.table(region, "efcms-stg-beta", &[]).await;
        for color in ["blue", "green"] {
            let variables = json!({ "FLAGS": "efcms-deploy-stg", "FLAGS_REGION": EAST });
            let name = format!("send_maintenance_notifications_stg_{color}");
            there.function(region, &name, variables).await;
        }
    }
    for (color, table) in [("blue", "efcms-stg-alpha"), ("green", "efcms-stg-beta")] {
        let name = format!("streams_stg_{color}");
        there.function(EAST, &name, json!({ "STAGE": "stg" })).await;
        let describe = json!({ "TableName": table });
        let told = there
            .target(At("dynamodb", EAST), "DynamoDB_20120810.DescribeTable", describe)
            .await;
        let stream = told["Table"]["LatestStreamArn"].as_str().expect("a stream");
        there.mapping(EAST, &name, stream).await;
        if color == "blue" {
            // What the migration's infrastructure has beside its queues: it reads the newest stream of the table that is live.
            there.function(EAST, "migration_lambda_stg", json!({})).await;
            there.mapping(EAST, "migration_lambda_stg", stream).await;
        }
    }
}

/// Waits until a build of this project was asked for.
async fn built(town: &Scenario, project: &str) {
    town.in_time(&format!("a build of {project}"), |town| {
        let log = town.rig.sandbox().world().log.since(0);
        let mut builds = log.iter().filter(|entry| entry.call == "aws.StartBuild" && entry.done);
        builds
            .any(|entry| entry.arguments["projectName"] == project)
            .then_some(())
    })
    .await;
}

/// A worker takes so many segments.
async fn works_off(there: &Ministack, url: &str, count: usize) {
    let sqs = At("sqs", EAST);
    let mut left = count;
    while left > 0 {
        let ask = json!({ "QueueUrl": url, "MaxNumberOfMessages": left.min(10) });
        let told = there.target(sqs, "AmazonSQS.ReceiveMessage", ask).await;
        for message in told["Messages"].as_array().into_iter().flatten() {
            let done = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
            there.target(sqs, "AmazonSQS.DeleteMessage", done).await;
            left -= 1;
        }
    }
}

/// The migration, from its start to its end: the builds' jobs are done by hand.
async fn migrates(there: &Ministack, town: &Scenario) {
    town.says("U0CARLA", court::MIGRATE).await;
    built(town, "ef-cms-deploy-migration").await;
    there.queue(EAST, "migration_segments_dl_queue_stg", json!({})).await;
    there.queue(EAST, "migration_failure_queue_stg", json!({})).await;
    let segments = there.queue(EAST, "migration_segments_queue_stg", json!({})).await;
    built(town, "ef-cms-start-migration").await;
    for number in 0..SEGMENTS {
        let send = json!({ "QueueUrl": segments, "MessageBody": number.to_string() });
        there.target(At("sqs", EAST), "AmazonSQS.SendMessage", send).await;
    }
    town.card_in_time(&["Every segment is copied", "20 left"]).await;
    assert_eq!(there.feeds(EAST, "streams_stg_green").await, ["Disabled"]);
    works_off(there, &segments, SEGMENTS / 2).await;
    town.card_in_time(&["Every segment is copied", "10 left", "50 %"]).await;
    works_off(there, &segments, SEGMENTS / 2).await;
    finish(town, "migrate · ef-cms → stg").await;
    assert_eq!(there.feeds(EAST, "streams_stg_green").await, ["Enabled"]);
    assert_eq!(
        there.flag(EAST, "efcms-deploy-stg", "migrate").await,
        json!({ "S": "true" }),
        "its type is kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ministack_sees_ef_cms_go_into_maintenance_migrate_and_switch() {
    let there = Ministack::start();
    court_account(&there).await;
    let account = court::account_without_migration();
    let town = town(
        &there,
        &["dynamodb", "lambda", "sqs"],
        (&court::config(), Some(&account)),
    )
    .await;

    town.says("U0CARLA", "/maintenance on stg for 1h copying").await;
    town.card_in_time(&["maintenance on · ef-cms → stg · done"]).await;
    assert_eq!(
        there.flag(EAST, "efcms-deploy-stg", "maintenance-mode").await,
        json!({ "BOOL": true })
    );

    migrates(&there, &town).await;
    town.says("U0CARLA", court::SWITCH).await;
    finish(&town, "switch · ef-cms → stg").await;
    assert_eq!(
        there.flag(EAST, "efcms-deploy-stg", "current-color").await,
        json!({ "S": "green" })
    );
    assert_eq!(
        there.flag(EAST, "efcms-deploy-stg", "migrate").await,
        json!({ "S": "false" })
    );
    assert_eq!(
        there.flag(EAST, "efcms-deploy-stg", "pending-color-switch").await,
        json!({ "BOOL": false }),
        "its type is kept"
    );
    assert_eq!(
        [
            there.feeds(EAST, "streams_stg_blue").await,
            there.feeds(EAST, "streams_stg_green").await
        ],
        [["Enabled"], ["Enabled"]],
        "after a migration the old stream stays on"
    );
    for operation in [
        "sqs.GetQueueAttributes",
        "dynamodb.Scan",
        "lambda.UpdateEventSourceMapping",
        "lambda.Invoke",
    ] {
        assert!(there.asked(operation) > 0, "nobody asked there for {operation}");
    }
    town.ends().await;
}

/// People answer what they are asked, until it is done.
async fn finish(town: &Scenario, headline: &str) {
    let mut answered = String::new();
    loop {
        let card = town
            .in_time("a question, or the end", |town| {
                let card = town.cards_with(&[headline]).pop()?;
                let asks = ["waits for a person", "a person decides"];
                let open = asks.iter().any(|words| card.text.contains(words)) && text_of(&card) != answered;
                (open || card.text.contains("done, took")).then_some(card)
            })
            .await;
        if card.text.contains("done, took") {
            return;
        }
        let answer = court::ANSWERS.iter().find(|(words, ..)| card.text.contains(words));
        let (_, user, text) = answer.expect("somebody knows what to say");
        assert!(!text.contains("retry"), "it failed: {}", text_of(&card));
        town.says(user, text).await;
        answered = text_of(&card);
    }
}

/// Of hathor's runbooks it serves the log levels, the task and the snapshot; pipelines, builds and alarms are the sandbox's, and maintenance is a Redis's.
#[tokio::test(flavor = "multi_thread")]
async fn ministack_sees_hathors_log_levels_lent_and_its_schema_migrated() {
    let there = Ministack::start();
    let prefix = "hathor-wallet-service-mainnet-";
    let numbered = (0..11).map(|number| format!("f{number:02}"));
    let names = numbered.chain(["cleanUnsentTxProposalsUtxos".to_owned()]);
    let names: Vec<String> = names.map(|name| format!("{prefix}{name}")).collect();
    for name in &names {
        there
            .function(HOME, name, json!({ "LOG_LEVEL": "info", "OTHER": "stays" }))
            .await;
    }
    there
        .function(HOME, "hathor-wallet-service-testnet-f", json!({ "LOG_LEVEL": "info" }))
        .await;
    let files = (
        include_str!("../../runbooks/hathor.toml"),
        Some(include_str!("../../sandbox/seeds/hathor.toml")),
    );
    database(&there, HOME, "wallet-service-mainnet").await;
    let town = town(&there, &["lambda", "rds"], files).await;
    let levels = async || {
        let mut levels = Vec::new();
        for name in &names {
            let variables = there.variables(HOME, name).await;
            assert_eq!(variables["OTHER"], "stays", "{name}");
            levels.push(variables["LOG_LEVEL"].as_str().unwrap_or_default().to_owned());
        }
        levels.dedup();
        levels
    };
    town.says("U0RITA", "/loglevel mainnet").await;
    town.card_in_time(&["12 functions, all at info"]).await;
    town.says("U0CARLA", "/loglevel mainnet all debug for 30m slow loads")
        .await;
    town.card_in_time(&["12 functions set to debug"]).await;
    assert_eq!(levels().await, ["debug"]);
    town.passes(1800);
    town.card_in_time(&["Back from debug to info", "12 functions set to info"])
        .await;
    assert_eq!(levels().await, ["info"]);
    assert_eq!(
        there.variables(HOME, "hathor-wallet-service-testnet-f").await["LOG_LEVEL"],
        "info"
    );

    town.says("U0CARLA", "/deploy run task:clean-utxos mainnet").await;
    town.card_in_time(&["clean-utxos", "done, took"]).await;
    assert_eq!(there.asked("lambda.Invoke"), 1);

    town.says("U0CARLA", "/migrate start mainnet ref=v1.4.2").await;
    town.card_in_time(&["Run the migrations of v1.4.2 on mainnet?"]).await;
    let taken = snapshots(&there, HOME).await;
    assert!(
        taken.contains("wallet-service-mainnet"),
        "none was young enough: {taken}"
    );
    town.says("U0BRUNO", "/deploy confirm mainnet").await;
    town.card_in_time(&["migrate · wallet → mainnet · done"]).await;
    assert!(there.asked("lambda.ListFunctions") > 0 && there.asked("lambda.UpdateFunctionConfiguration") >= 24);
    town.ends().await;
}

async fn balrog_projects(there: &Ministack, region: &'static str) {
    for project in ["balrog-upgrade-db", "balrog-rollout-stage", "balrog-rollout-production"] {
        let project = json!({
            "name": project, "source": { "type": "NO_SOURCE", "buildspec": "version: 0.2" }, "artifacts": { "type": "NO_ARTIFACTS" },
            "environment": { "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL" },
            "serviceRole": "arn:aws:iam::000000000000:role/build",
        });
        there
            .target(At("codebuild", region), "CodeBuild_20161006.CreateProject", project)
            .await;
    }
}

/// Of balrog's push it serves the snapshot, and builds, though not truly: here they are its own all the same, for a first try needs no mark.
#[tokio::test(flavor = "multi_thread")]
async fn ministack_builds_what_balrog_pushes() {
    const REGION: &str = "us-west-2";
    let there = Ministack::start();
    balrog_projects(&there, REGION).await;
    let files = (
        include_str!("../../runbooks/balrog.toml"),
        Some(include_str!("../../sandbox/seeds/balrog.toml")),
    );
    database(&there, REGION, "balrog-prod").await;
    let town = town(&there, &["codebuild", "rds"], files).await;
    // A build there changes nothing: the servers are told their version here.
    let serves = async |hosts: [&str; 2]| {
        for host in hosts {
            let page = json!({ "path": "/__version__", "json": { "version": "v2.11", "source": "https://github.com/mozilla-releng/balrog" } });
            town.control(
                "aws/deed",
                json!({ "site": { "page": { "host": host, "page": page } } }),
            )
            .await;
        }
    };
    town.says(
        "U0CARLA",
        "/deploy run push production version=v2.11 schema=before bake=no",
    )
    .await;
    town.card_in_time(&["Now is a good time · waits for a person"]).await;
    town.says("U0CARLA", "/deploy confirm production Rita is on duty").await;
    town.in_time("stage's rollout", |_| {
        (there.asked("codebuild.StartBuild") == 2).then_some(())
    })
    .await;
    serves([
        "admin.stage.balrog.nonprod.webservices.mozgcp.net",
        "stage.balrog.nonprod.webservices.mozgcp.net",
    ])
    .await;
    town.card_in_time(&["A person has verified the change in stage · waits for a person"])
        .await;
    town.says("U0CARLA", "/deploy confirm production a release blob").await;
    town.card_in_time(&["A second person agrees · waits for a person"])
        .await;
    let taken = snapshots(&there, REGION).await;
    assert!(taken.contains("balrog-prod"), "none was young enough: {taken}");
    town.says("U0BRUNO", "/deploy confirm production").await;
    town.in_time("production's rollout", |_| {
        (there.asked("codebuild.StartBuild") == 4).then_some(())
    })
    .await;
    serves(["aus4-admin.mozilla.org", "aus5.mozilla.org"]).await;
    town.card_in_time(&["A person has verified the change in production · waits for a person"])
        .await;
    town.says("U0CARLA", "/deploy confirm production the same").await;
    town.card_in_time(&["push · balrog → production · done"]).await;
    town.ends().await;
}
