//! Maintenance mode in each way that an environment can have: who wants it, why, since when and until when; the reminder, the nagging, the end that is
//! asked for, and what is said when nobody can tell. A key in a Redis is in `maintenance.rs` too.
use std::collections::BTreeMap;

use bot::secret::Secret;
use serde_json::{Value, json};
use state::testing::RedisServer;
use tests::fault::kind;
use tests::kinds::TEAM;
use tests::scenario::{Scenario, options, shared_store, text_of};

const MINUTE: i64 = 60;
/// What nobody may see.
const TOKEN: &str = "hunter2-hunter2-hunter2";

/// The demo's world, in which mainnet goes into maintenance in this way, and what the account holds for it.
async fn town(way: &str, account: Value) -> Scenario {
    town_with(way, account, ("APP_TOKEN", TOKEN)).await
}

async fn town_with(way: &str, account: Value, secret: (&str, &str)) -> Scenario {
    let mut options = options(shared_store());
    for (from, to) in [
        ("# hosts  =", "hosts = [\"{sandbox}\"] #"),
        ("# maintenance =", &format!("maintenance = {way} #")),
    ] {
        assert!(options.config.contains(from), "the example has {from}");
        options.config = options.config.replace(from, to);
    }
    options.secrets = BTreeMap::from([(secret.0.to_owned(), Secret::new(secret.1))]);
    let town = Scenario::with(options).await;
    town.control("aws/deed", json!({ "seed": account })).await;
    town
}

trait Maintained {
    async fn says_of(&self, what: &str);
    async fn shows(&self, with: &[&str]) -> String;
    async fn ends_by_itself_only_if_asked(&self, on: &dyn Fn() -> bool);
    fn words(&self, said: &str) -> usize;
}

impl Maintained for Scenario {
    async fn says_of(&self, what: &str) {
        let said = self.says("U0CARLA", &format!("/maintenance {what}")).await;
        assert_eq!(said.status, 200, "{}", said.text);
    }

    async fn shows(&self, with: &[&str]) -> String {
        text_of(&self.card_in_time(with).await)
    }

    fn words(&self, said: &str) -> usize {
        self.said_with(said).len()
    }

    /// From off to off, with everything that people are told of it on the way. `on` looks where it takes effect.
    async fn ends_by_itself_only_if_asked(&self, on: &dyn Fn() -> bool) {
        self.says_of("status mainnet").await;
        self.shows(&["maintenance · wallet → mainnet · it is off", "nobody turned it on"])
            .await;
        self.says_of("on mainnet for 30m moving the <tables>").await;
        self.shows(&["maintenance on · wallet → mainnet · done"]).await;
        assert!(on(), "it is on where it takes effect");
        let status = self.says("U0RITA", "/deploy status mainnet").await.text;
        for words in [
            "maintenance is on",
            "turned on by",
            "Carla Mendes",
            "to be off",
            "moving the &lt;tables&gt;",
        ] {
            assert!(status.contains(words), "{words} is not in\n{status}");
        }
        self.says_of("status mainnet").await;
        self.shows(&[
            "maintenance · wallet → mainnet · it is on",
            "From here it was turned on",
        ])
        .await;

        self.passes(25 * MINUTE);
        self.hears_in_time("maintenance of mainnet is to end").await;
        self.passes(5 * MINUTE);
        self.hears_in_time("maintenance of mainnet is still on").await;
        self.passes(30 * MINUTE);
        self.in_time("another word", |town| {
            (town.words("maintenance of mainnet is still on") == 2).then_some(())
        })
        .await;
        assert!(on(), "nobody asked for its end");

        // Saying it again changes reason and end; this time it is asked for.
        self.says_of("on mainnet for 10m --off-after nearly there").await;
        self.in_time("another end", |town| {
            (town.cards_with(&["maintenance on · wallet → mainnet · done"]).len() == 2).then_some(())
        })
        .await;
        let status = self.says("U0RITA", "/deploy status mainnet").await.text;
        assert!(
            status.contains("off by itself") && status.contains("nearly there"),
            "{status}"
        );
        self.passes(10 * MINUTE);
        self.shows(&["maintenance off · wallet → mainnet · done"]).await;
        assert!(!on(), "it went off by itself");
        self.says_of("status mainnet").await;
        self.in_time("that it is off", |town| {
            (town.cards_with(&["maintenance · wallet → mainnet · it is off"]).len() == 2).then_some(())
        })
        .await;
    }
}

const UNKNOWN: &str = "maintenance · wallet → mainnet · nobody can tell whether it is on";

#[tokio::test(flavor = "multi_thread")]
async fn by_http_it_is_posted_and_read_back() {
    let way = r#"{ http = { on = "{sandbox}/web/app.example.org/on", off = "{sandbox}/web/app.example.org/off" }, read_url = "{sandbox}/web/app.example.org/status", read_json = "maintenance.enabled", secret_env = "APP_TOKEN" }"#;
    let status = |on: bool| json!({ "path": "/status", "json": { "maintenance": { "enabled": on } } });
    let sets = |on: bool| json!([{ "page": { "host": "app.example.org", "page": status(on) } }]);
    let pages = json!([
        status(false),
        { "path": "/on", "posted": sets(true) },
        { "path": "/off", "posted": sets(false) },
    ]);
    let town = town(way, json!({ "site": [{ "host": "app.example.org", "page": pages }] })).await;
    // It is looked at twice before it is called, and called again where the answer was lost: twice is as good as once.
    town.breaks("web.app.example.org", &kind("lose_answer", 1, &json!({ "spares": 2 })))
        .await;
    let on = || {
        let shown = sandbox::aws::snapshot(&town.rig.sandbox().world().aws());
        let pages = shown["sites"][0]["pages"].as_array().cloned().unwrap_or_default();
        pages
            .iter()
            .any(|page| page["body"].as_str().is_some_and(|body| body.contains("true")))
    };
    town.ends_by_itself_only_if_asked(&on).await;

    // What cannot be read, and what is no answer, is unknown; and nothing is turned that cannot be read.
    let broken = json!({ "site": { "status": { "host": "app.example.org", "path": "/status", "status": 503 } } });
    town.control("aws/deed", broken).await;
    town.says_of("status mainnet").await;
    town.shows(&[UNKNOWN, "503"]).await;
    let odd = json!({ "path": "/status", "json": { "maintenance": {} } });
    let odd = json!({ "site": { "page": { "host": "app.example.org", "page": odd } } });
    town.control("aws/deed", odd).await;
    town.says_of("status mainnet").await;
    town.in_time("another card of which nobody can tell", |town| {
        (town.cards_with(&[UNKNOWN]).len() == 2).then_some(())
    })
    .await;
    let seen = format!("{}{:?}", town.transcript(), town.rig.sandbox().world().log.since(0));
    assert!(!seen.contains(TOKEN), "the token was seen");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_variable_it_is_set_for_all_functions_and_for_none_but_them() {
    let way = r#"{ env_var = "MAINTENANCE", functions = ["wallet-api", "wallet-ws"], on = "yes", off = "no" }"#;
    let function = |name: &str| json!({ "name": name, "variables": { "MAINTENANCE": "no", "DB_PASS": TOKEN } });
    let account = json!({ "function": [function("wallet-api"), function("wallet-ws"), function("wallet-other")] });
    let town = town(way, account).await;
    let value = |name: &str| {
        let variables = sandbox::aws::function_variables(&town.rig.sandbox().world().aws(), name);
        assert_eq!(variables["DB_PASS"], TOKEN, "the others of {name} are as they were");
        variables["MAINTENANCE"].as_str().unwrap_or("none").to_owned()
    };
    town.breaks("aws.UpdateFunctionConfiguration", &kind("lose_answer", 1, &json!({})))
        .await;
    let on = || {
        let both = [value("wallet-api"), value("wallet-ws")];
        assert_eq!(value("wallet-other"), "no");
        assert_eq!(both[0], both[1], "the same for both");
        both[0] == "yes"
    };
    town.ends_by_itself_only_if_asked(&on).await;

    // Half of it is neither on nor off.
    let half = json!({ "MAINTENANCE": "yes", "DB_PASS": TOKEN });
    let deploy = json!({ "lambda": { "deploy": { "function": "wallet-ws", "variables": half } } });
    town.control("aws/deed", deploy).await;
    town.says_of("status mainnet").await;
    town.shows(&["maintenance · wallet → mainnet · it is on for some functions only"])
        .await;
    town.breaks("aws.GetFunctionConfiguration", &kind("fail", 20, &json!({})))
        .await;
    town.says_of("status mainnet").await;
    town.shows(&[UNKNOWN]).await;
    assert!(!town.transcript().contains(TOKEN), "another variable was seen");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_flag_its_type_is_kept_and_what_is_neither_is_said() {
    let way = r#"{ flag = { table = "wallet-flags", key = { pk = "maintenance" }, attribute = "current" } }"#;
    let item = |current: Value| json!({ "pk": { "S": "maintenance" }, "current": current });
    let account =
        json!({ "table": [{ "name": "wallet-flags", "key": ["pk"], "item": [item(json!({ "BOOL": false }))] }] });
    let town = town(way, account).await;
    town.breaks("aws.UpdateItem", &kind("lose_answer", 1, &json!({}))).await;
    let current = || {
        let shown = sandbox::aws::snapshot(&town.rig.sandbox().world().aws());
        let places = shown["places"].as_array().cloned().unwrap_or_default();
        let mut tables = places.iter().filter_map(|place| place["tables"].as_array()).flatten();
        let table = tables.find(|table| table["name"] == "wallet-flags").cloned();
        table.unwrap_or_default()["first"][0]["current"].clone()
    };
    let on = || {
        let current = current();
        assert!(current["BOOL"].is_boolean(), "its type is kept: {current}");
        current["BOOL"] == true
    };
    town.ends_by_itself_only_if_asked(&on).await;

    let odd = json!({ "dynamodb": { "put": { "table": "wallet-flags", "item": item(json!({ "S": "soon" })) } } });
    town.control("aws/deed", odd).await;
    town.says_of("status mainnet").await;
    town.shows(&["maintenance · wallet → mainnet · it is soon, which is neither on nor off"])
        .await;
    town.breaks("aws.GetItem", &kind("fail", 20, &json!({}))).await;
    town.says_of("status mainnet").await;
    town.shows(&[UNKNOWN]).await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_too_long_leaves_it_unknown_and_its_key_ends_with_the_bot_gone() {
    let mut redis = RedisServer::start();
    let way = r#"{ redis_key = "wallet:maintenance", redis_url_env = "WALLET_REDIS_URL" }"#;
    let town = town_with(way, json!({}), ("WALLET_REDIS_URL", &redis.url())).await;
    redis.kill();
    town.says_of("on mainnet for 30m --off-after moving").await;
    town.shows(&["maintenance on · wallet → mainnet", "cannot be reached"])
        .await;
    town.passes(11 * MINUTE);
    let card = town
        .shows(&["maintenance on · wallet → mainnet", "a person decides"])
        .await;
    assert!(card.contains("WALLET_REDIS_URL"), "{card}");
    let status = town.says("U0RITA", "/deploy status mainnet").await.text;
    assert!(!status.contains("maintenance is on"), "nobody knows so: {status}");
    town.says_of("status mainnet").await;
    town.shows(&[UNKNOWN]).await;

    redis.restart();
    town.says("U0CARLA", "/deploy retry mainnet").await;
    town.shows(&["maintenance on · wallet → mainnet · done"]).await;
    // What was asked for at the start holds: half an hour from then.
    let left = redis.expires("wallet:maintenance").unwrap_or_default();
    assert!(
        (1..30 * MINUTE * 1000).contains(&left),
        "the key has an end of its own: {left} ms"
    );
    town.passes(30 * MINUTE);
    town.shows(&["maintenance off · wallet → mainnet · done"]).await;
    assert_eq!(redis.expires("wallet:maintenance"), None);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_function_people_are_told_once_though_its_answer_is_lost() {
    let way = r#"{ lambda = "tell", on = '{"on": true}', off = '{"on": false}', read_flag = { table = "wallet-flags", key = { pk = "maintenance" }, attribute = "current" } }"#;
    let item = |on: bool| json!({ "pk": { "S": "maintenance" }, "current": { "BOOL": on } });
    let sets = |on: bool| {
        let put = json!({ "dynamodb": { "put": { "table": "wallet-flags", "item": item(on) } } });
        json!({ "when": { "on": on }, "answer": {}, "deeds": [put] })
    };
    let account = json!({
        "table": [{ "name": "wallet-flags", "key": ["pk"], "item": [item(false)] }],
        "function": [{ "name": "tell", "reactions": [sets(true), sets(false)] }],
    });
    let town = town(way, account).await;
    town.breaks("aws.Invoke", &kind("lose_answer", 1, &json!({}))).await;
    town.says_of("on mainnet for 30m moving").await;
    town.shows(&["maintenance on · wallet → mainnet · done"]).await;
    assert!(town.has_struck());
    assert_eq!(town.asked("aws.Invoke"), 1, "what it did was seen");

    // What was on before is told anew, for its end is another; a lost answer is then no news.
    town.breaks("aws.Invoke", &kind("drop", 1, &json!({}))).await;
    town.says_of("on mainnet for 60m longer").await;
    town.in_time("another end", |town| {
        (town.cards_with(&["maintenance on · wallet → mainnet · done"]).len() == 2).then_some(())
    })
    .await;
    assert_eq!(town.done("aws.Invoke"), 2);
    town.ends().await;
}

/// Whether the court's system is in maintenance mode.
fn court_flag(town: &Scenario) -> bool {
    let shown = sandbox::aws::snapshot(&town.rig.sandbox().world().aws());
    let places = shown["places"].as_array().cloned().unwrap_or_default();
    let mut tables = places.iter().filter_map(|place| place["tables"].as_array()).flatten();
    let table = tables.find(|table| table["name"] == "efcms-deploy-stg").cloned();
    let items = table.map(|table| table["first"].clone()).unwrap_or_default();
    let mut items = items.as_array().into_iter().flatten();
    let item = items.find(|item| item["pk"]["S"] == "maintenance-mode");
    item.is_some_and(|item| item["current"]["BOOL"] == true)
}

/// The court's notifier in the west, which works or does not; without a flag of its own.
fn west(works: bool) -> Value {
    let reaction = if works {
        json!({ "answer": {} })
    } else {
        json!({ "error": "no users to tell" })
    };
    json!({ "region": "us-west-1", "seed": { "function": [
        { "name": "send_maintenance_notifications_stg_blue", "reactions": [reaction] },
    ] } })
}

async fn court() -> Scenario {
    let files = (
        include_str!("../../runbooks/ef-cms.toml"),
        include_str!("../../sandbox/seeds/ef-cms.toml"),
    );
    Scenario::of_team(files.0, files.1).await
}

/// The court's notifiers: one region is told, the other does not work.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_regions_the_one_that_fails_is_named_and_the_other_is_turned_back() {
    let town = court().await;
    let flag = || court_flag(&town);
    town.control("aws/deed", west(false)).await;
    town.says_of("on stg for 1h copying").await;
    let card = town
        .shows(&[
            "maintenance on · ef-cms → stg",
            "us-west-1",
            "a person decides",
            "no users to tell",
        ])
        .await;
    assert!(card.contains("us-east-1"), "{card}");
    assert!(flag(), "the east was told");
    let status = town.says("U0RITA", "/deploy status stg").await.text;
    assert!(!status.contains("maintenance is on"), "not everywhere: {status}");

    // Given up, the one that fails may have been told, and cannot be told now; the other is told that it is off before anybody is asked.
    town.says("U0CARLA", "/deploy abort stg not today").await;
    town.shows(&["“Turn maintenance on in us-west-1” could not be undone · a person decides"])
        .await;
    town.hears_in_time("Undone: “Turn maintenance on in us-east-1”.").await;
    town.hears_in_time("Not undone: “Turn maintenance on in us-west-1”.")
        .await;
    town.control("aws/deed", json!([])).await;
    assert!(!flag(), "the east is told that it is off");
    town.says("U0CARLA", "/deploy skip stg nobody works there today").await;
    town.shows(&["maintenance on · ef-cms → stg · undone"]).await;

    // Mended in time, it goes on where it was.
    town.says_of("on stg for 1h copying").await;
    town.shows(&["maintenance on · ef-cms → stg", "a person decides", "no users to tell"])
        .await;
    town.control("aws/deed", west(true)).await;
    town.says("U0CARLA", "/deploy retry stg").await;
    town.shows(&["maintenance on · ef-cms → stg · done"]).await;
    town.control("aws/deed", json!([])).await;
    assert!(flag());
    let status = town.says("U0RITA", "/deploy status stg").await.text;
    assert!(
        status.contains("maintenance is on") && status.contains("copying"),
        "{status}"
    );
    town.ends().await;
}

/// To say it again and give that up takes nothing away: it was on before.
#[tokio::test(flavor = "multi_thread")]
async fn a_longer_end_that_is_given_up_leaves_on_what_was_on() {
    let town = court().await;
    town.control("aws/deed", west(true)).await;
    town.says_of("on stg for 1h copying").await;
    town.shows(&["maintenance on · ef-cms → stg · done"]).await;

    town.control("aws/deed", west(false)).await;
    town.says_of("on stg for 2h not done yet").await;
    town.shows(&["maintenance on · ef-cms → stg", "a person decides"]).await;
    town.says("U0CARLA", "/deploy abort stg never mind").await;
    let card = town.shows(&["maintenance on · ef-cms → stg · undone"]).await;
    assert!(card.contains("it was on before, and stays so"), "{card}");
    town.control("aws/deed", json!([])).await;
    assert!(court_flag(&town), "nobody was told that it is off");
    let status = town.says("U0RITA", "/deploy status stg").await.text;
    assert!(
        status.contains("maintenance is on") && status.contains("copying"),
        "{status}"
    );
    town.ends().await;
}

/// What maintenance makes red is as it should be while that is read to be on, and not while somebody only believes it.
#[tokio::test(flavor = "multi_thread")]
async fn red_is_excused_by_what_is_read_and_not_by_what_was_asked_for() {
    let look = r#"
[[service.works.runbook.look.step]]
name               = "health"
title              = "It is healthy"
kind               = "http"
url                = "{sandbox}/no-such-page"
red_in_maintenance = true
deadline           = "2m"
"#;
    let mut options = options(shared_store());
    options.config = format!("{}{look}", TEAM.replace("HEALTH", "https://health.example.org"));
    let town = Scenario::with(options).await;
    let flag = async |value: &str| {
        let parameter = json!([{ "name": "/works/maintenance", "value": value }]);
        town.control("aws/deed", json!({ "seed": { "parameter": parameter } }))
            .await;
    };
    flag("false").await;
    town.says("U0CARLA", "/maintenance on prod cleaning").await;
    town.card_in_time(&["maintenance on · works → prod · done"]).await;
    town.says("U0CARLA", "/deploy run look prod").await;
    let card = town.card_in_time(&["look · works → prod · done"]).await;
    assert!(
        text_of(&card).contains("red while maintenance is on"),
        "{}",
        text_of(&card)
    );

    // A system's own pipeline turns it off, and nobody tells the bot.
    flag("false").await;
    town.says("U0CARLA", "/deploy run look prod").await;
    let card = town.card_in_time(&["look · works → prod", "a person decides"]).await;
    assert!(text_of(&card).contains("maintenance is not why"), "{}", text_of(&card));
    town.says("U0CARLA", "/deploy stop prod enough").await;
    town.card_in_time(&["look · works → prod · stopped after"]).await;
    town.ends().await;
}
