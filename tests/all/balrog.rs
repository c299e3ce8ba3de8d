//! The push of an update server, from the files that come with the product: through stage to production, with the schema on the right side of the code.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use serde_json::{Value, json};
use tests::scenario::{Scenario, text_of};

const HOUR: i64 = 3600;
const ADMIN: &str = "admin.stage.balrog.nonprod.webservices.mozgcp.net";

async fn town() -> Scenario {
    let files = (
        include_str!("../../runbooks/balrog.toml"),
        include_str!("../../sandbox/seeds/balrog.toml"),
    );
    let town = Scenario::of_team(files.0, files.1).await;
    for project in ["balrog-upgrade-db", "balrog-rollout-stage", "balrog-rollout-production"] {
        town.deed(json!({ "region": "us-west-2", "codebuild": { "pace": { "project": project, "seconds": 5 } } }))
            .await;
    }
    town
}

/// What a test does and looks at in this town.
trait Balrog {
    async fn confirms(&self, saw: &str);
    async fn deed(&self, deed: Value);
    fn builds(&self) -> Vec<String>;
    fn version(&self, host: &str) -> String;
}

impl Balrog for Scenario {
    async fn confirms(&self, saw: &str) {
        let said = self.says("U0CARLA", &format!("/deploy confirm production {saw}")).await;
        assert!(!said.text.contains("Refused"), "{}", said.text);
    }

    async fn deed(&self, deed: Value) {
        self.control("aws/deed", deed).await;
    }

    /// Which builds were started, oldest first.
    fn builds(&self) -> Vec<String> {
        let log = self.rig.sandbox().world().log.since(0);
        let started = log.iter().filter(|entry| entry.call == "aws.StartBuild" && entry.done);
        started
            .filter_map(|entry| Some(entry.arguments["projectName"].as_str()?.to_owned()))
            .collect()
    }

    /// What a server says that it runs.
    fn version(&self, host: &str) -> String {
        let shown = sandbox::aws::snapshot(&self.rig.sandbox().world().aws());
        let sites = shown["sites"].as_array().cloned().unwrap_or_default();
        let site = sites.iter().find(|site| site["host"] == host).expect("a server");
        let pages = site["pages"].as_array().expect("pages");
        let page = pages
            .iter()
            .find(|page| page["path"] == "/__version__")
            .expect("a page");
        let body: Value = serde_json::from_str(page["body"].as_str().unwrap_or_default()).expect("JSON");
        body["version"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_goes_through_stage_to_production_with_the_schema_first() {
    let town = town().await;
    town.says("U0CARLA", "/deploy run push production version=v2.11 schema=before")
        .await;
    town.card_in_time(&["step 1 of 26: Now is a good time · waits for a person"])
        .await;
    town.confirms("Rita is on duty: nothing is under way").await;
    town.card_in_time(&["step 13 of 26: Stage runs it for a day"]).await;
    assert_eq!(
        (town.version(ADMIN), town.version("aus5.mozilla.org")),
        ("v2.11".to_owned(), "v2.10".to_owned())
    );
    town.passes(25 * HOUR);
    town.card_in_time(&["step 14 of 26: A person has verified the change in stage · waits for a person"])
        .await;
    town.confirms("a release blob of the new kind; Sentry is quiet").await;
    let card = town
        .card_in_time(&["which runs v2.10? Migrations pending: 1; schema upgrade: before."])
        .await;
    let shown = text_of(&card);
    for words in [
        "v2.10 is live; v2.11 brings 2 commits",
        "1 migration is pending on balrog-prod",
        "auslib/migrate/versions/027_add_rule_index.py",
        "signalbox-balrog-prod-",
    ] {
        assert!(shown.contains(words), "{words} is not on\n{shown}");
    }
    let own = town.says("U0CARLA", "/deploy confirm production").await;
    assert!(
        own.text.contains("may not") || own.text.contains("somebody else"),
        "{}",
        own.text
    );
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    town.card_in_time(&["step 25 of 26: A person has verified the change in production · waits for a person"])
        .await;
    for host in ["aus4-admin.mozilla.org", "aus5.mozilla.org"] {
        assert_eq!(town.version(host), "v2.11", "{host}");
    }
    town.confirms("the same, on a channel that nobody uses").await;
    let card = town.card_in_time(&["push · balrog → production · done"]).await;
    assert!(
        text_of(&card).contains("after the code · left out"),
        "{}",
        text_of(&card)
    );
    town.hears_in_time("production is on v2.11 now.").await;
    let order = [
        "balrog-upgrade-db",
        "balrog-rollout-stage",
        "balrog-upgrade-db",
        "balrog-rollout-production",
    ];
    assert_eq!(town.builds(), order);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_has_to_be_said_and_is_kept() {
    let town = town().await;
    for (said, why) in [
        ("version=v2.11", "Say schema="),
        (
            "version=v2.11 schema=during",
            "schema cannot be during: write one of before, after, none.",
        ),
        ("schema=after", "Say version="),
    ] {
        let answer = town
            .says("U0CARLA", &format!("/deploy run push production {said}"))
            .await;
        assert!(answer.text.contains(why), "{said}: {}", answer.text);
    }
    town.says(
        "U0CARLA",
        "/deploy run push production version=v2.11 schema=after bake=no",
    )
    .await;
    town.card_in_time(&["step 1 of 26: Now is a good time · waits for a person"])
        .await;
    town.confirms("Rita is on duty").await;
    let card = town
        .card_in_time(&["step 14 of 26: A person has verified the change in stage · waits for a person"])
        .await;
    assert_eq!(town.builds(), ["balrog-rollout-stage", "balrog-upgrade-db"]);
    assert!(
        text_of(&card).contains("before the code · left out"),
        "{}",
        text_of(&card)
    );
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_missing_and_a_server_that_stays_behind_hold_it_up() {
    let town = town().await;
    town.deed(json!({ "region": "us-west-2", "codebuild": { "next": { "project": "balrog-rollout-stage", "plan": { "seconds": 30 } } } }))
        .await;
    town.says(
        "U0CARLA",
        "/deploy run push production version=v2.12 schema=after bake=no",
    )
    .await;
    town.card_in_time(&["step 1 of 26: Now is a good time · waits for a person"])
        .await;
    town.confirms("Rita is on duty").await;
    town.card_in_time(&["answers 404, 200 is wanted"]).await;
    assert_eq!(
        town.builds(),
        Vec::<String>::new(),
        "nothing is rolled out before both images are there"
    );
    let tag = "/v2/namespaces/mozilla/repositories/balrogagent/tags/v2.12";
    let page = json!({ "path": tag, "json": { "name": "v2.12", "tag_status": "active" } });
    town.deed(json!({ "site": { "page": { "host": "hub.docker.com", "page": page } } }))
        .await;
    // The job said that it succeeded; the servers say otherwise.
    town.card_in_time(&["version is v2.10, v2.12 is wanted"]).await;
    town.ends().await;
}

/// A schema that was forgotten, and one whose code is live already.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_forgotten_or_late_holds_it_up() {
    let town = town().await;
    for (said, stopped) in [
        ("version=v2.11 schema=none", "schema=none was said"),
        (
            "version=v2.10 schema=before",
            "v2.10 is live already, and its schema has to go before it",
        ),
    ] {
        town.says("U0CARLA", &format!("/deploy run push production {said}"))
            .await;
        town.card_in_time(&["Now is a good time · waits for a person"]).await;
        town.confirms("Rita is on duty").await;
        town.card_in_time(&["a person decides", stopped]).await;
        assert_eq!(town.builds(), Vec::<String>::new(), "{said}");
        town.says("U0CARLA", "/deploy stop production not like this").await;
        town.card_in_time(&["push · balrog → production · stopped after", stopped])
            .await;
    }
    // The way back is an earlier version: what is pending is nothing.
    town.says(
        "U0CARLA",
        "/deploy run push production --plan version=v2.10 schema=none",
    )
    .await;
    town.card_in_time(&["plan of push", "no migration is pending on balrog-stage"])
        .await;
    town.ends().await;
}
