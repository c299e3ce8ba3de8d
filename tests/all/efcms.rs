//! The runbooks of ef-cms from their start to their end: typed in Slack, done in an account like the court's, seen there and on the cards.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use sandbox::faults::{Fault, FaultKind};
use sandbox::slack::Message;
use serde_json::{Value, json};
use tests::court;
use tests::scenario::{Scenario, text_of};

const HOME: &str = "us-east-1";
const MIGRATE: &str = "stg source=alpha destination=beta";

async fn town() -> Scenario {
    let files = (
        include_str!("../../runbooks/ef-cms.toml"),
        include_str!("../../sandbox/seeds/ef-cms.toml"),
    );
    Scenario::of_team(files.0, files.1).await
}

/// What a test looks at and does in the court's account.
trait Court {
    async fn shows(&self, with: &[&str]) -> Message;
    async fn deed(&self, deed: Value);
    async fn next(&self, project: &str, plan: Value);
    async fn quick(&self, projects: &[&str]);
    async fn migrated(&self);
    async fn agrees(&self, card: &Message);
    fn flag(&self, table: &str, name: &str) -> Value;
    fn color(&self) -> Vec<&'static str>;
}

impl Court for Scenario {
    async fn shows(&self, with: &[&str]) -> Message {
        self.card_in_time(with).await
    }

    async fn deed(&self, deed: Value) {
        self.control("aws/deed", deed).await;
    }

    /// What the next build of a project does.
    async fn next(&self, project: &str, plan: Value) {
        self.deed(json!({ "region": HOME, "codebuild": { "next": { "project": project, "plan": plan } } }))
            .await;
    }

    /// Builds of these projects take seconds: a test is about what comes of them.
    async fn quick(&self, projects: &[&str]) {
        for project in projects {
            self.deed(json!({ "region": HOME, "codebuild": { "pace": { "project": project, "seconds": 5 } } }))
                .await;
        }
    }

    /// A migration is done and its search is indexed.
    async fn migrated(&self) {
        let said = self.says("U0CARLA", &format!("/migrate start {MIGRATE}")).await;
        assert!(said.text.contains("Recorded"), "{}", said.text);
        self.shows(&["step 21 of 25", " left"]).await;
        self.passes(900);
        self.shows(&["migrate · ef-cms → stg · done"]).await;
    }

    /// A second person says yes.
    async fn agrees(&self, card: &Message) {
        self.clicks("U0BRUNO", &card.ts, "confirm").await;
    }

    /// The value of a flag, as it is stored.
    fn flag(&self, table: &str, name: &str) -> Value {
        let shown = sandbox::aws::snapshot(&self.rig.sandbox().world().aws());
        let places = shown["places"].as_array().cloned().unwrap_or_default();
        let tables = places.iter().filter_map(|place| place["tables"].as_array()).flatten();
        let table = tables.into_iter().find(|one| one["name"] == table);
        let items = table.and_then(|table| table["first"].as_array()).expect("the table");
        let item = items.iter().find(|item| item["pk"]["S"] == name);
        item.map_or(Value::Null, |item| item["current"].clone())
    }

    /// The colors of everything that traffic goes through.
    fn color(&self) -> Vec<&'static str> {
        let shown = sandbox::aws::snapshot(&self.rig.sandbox().world().aws());
        let colors = court::colors(&court::state(&shown));
        let mut colors: Vec<_> = colors.into_iter().filter_map(|(_, color)| color).collect();
        colors.dedup();
        colors
    }
}

const DEPLOY_TABLE: &str = "efcms-deploy-stg";

/// What the card of a migration that is over has as evidence: what each flag was and is, what was built, what was empty.
const MIGRATED: [&str; 6] = [
    "1960 of 1960 documents, 0 apart",
    "migrate/migrate current is true (string) now; it was false (string)",
    ", the newest commit of staging",
    "migration_segments_dl_queue_stg, migration_failure_queue_stg: empty",
    "the mapping of streams_stg_green is Enabled",
    "left out, only where source is not alpha",
];

fn shows_all(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

/// Nobody has deployed since the switch: there is nothing to go forward to.
async fn nothing_waits(town: &Scenario) {
    town.says("U0CARLA", "/switch-colors plan stg").await;
    town.shows(&["plan of switch", "No deploy is waiting for the switch"])
        .await;
    town.says("U0CARLA", "/switch-colors stg once more").await;
    let words = "No deploy is waiting for the switch: pending-color-switch is false.";
    let card = town
        .shows(&["once more", "switch · ef-cms → stg · undone", words])
        .await;
    assert!(
        text_of(&card).contains("say /switch-colors back stg"),
        "{}",
        text_of(&card)
    );
    assert_eq!(town.color(), ["green"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_into_maintenance_migrates_switches_and_goes_back() {
    let town = town().await;
    town.says("U0CARLA", "/maintenance on stg for 1h copying every record")
        .await;
    let card = town.shows(&["maintenance on · ef-cms → stg · done"]).await;
    let text = text_of(&card);
    assert!(text.contains("current is true"), "read back: {text}");
    town.says("U0RITA", "/maintenance status stg").await;
    town.shows(&["maintenance · ef-cms → stg · it is on", "From here it was turned on"])
        .await;
    assert_eq!(town.done("aws.Invoke"), 2, "both regions were told");
    // What functions did is there when the account is next looked at.
    town.deed(json!([])).await;
    assert_eq!(town.flag(DEPLOY_TABLE, "maintenance-mode"), json!({ "BOOL": true }));

    town.says("U0CARLA", &format!("/migrate start {MIGRATE}")).await;
    town.shows(&["step 21 of 25", " left"]).await;
    let second = town.says("U0BRUNO", &format!("/migrate start {MIGRATE}")).await;
    assert!(second.text.contains("being changed by run migrate-"), "{}", second.text);
    // The flag was a string, and its readers look at nothing else.
    assert_eq!(town.flag(DEPLOY_TABLE, "migrate"), json!({ "S": "true" }));
    town.passes(900);
    let card = town.shows(&["migrate · ef-cms → stg · done"]).await;
    let text = text_of(&card);
    shows_all(&text, &MIGRATED);
    town.hears_in_time("Next is /switch-colors stg").await;

    town.says("U0CARLA", "/switch-colors stg").await;
    let card = town.shows(&["from blue to green? Migrated: true"]).await;
    let text = text_of(&card);
    shows_all(
        &text,
        &["what step 5 found is true, as it has to be", "elasticsearch is true"],
    );
    for words in ["All smoke", "GET"] {
        assert!(!text.contains(words), "the log is not the card's: {text}");
    }
    for words in [
        "green is healthy",
        "The search is indexed",
        "No segment and no live write has failed",
    ] {
        let line = text.lines().find(|line| line.contains(words)).unwrap_or_default();
        assert!(line.contains('✅'), "{words} is not ticked: {text}");
    }
    town.agrees(&card).await;
    let card = town.shows(&["switch · ef-cms → stg · done"]).await;
    assert!(!card.text.contains("mixed"), "{}", card.text);
    assert_eq!(town.color(), ["green"]);
    assert_eq!(town.flag(DEPLOY_TABLE, "current-color"), json!({ "S": "green" }));
    assert_eq!(town.flag(DEPLOY_TABLE, "source-table-version"), json!({ "S": "beta" }));
    assert_eq!(town.flag(DEPLOY_TABLE, "migrate"), json!({ "S": "false" }));
    assert_eq!(town.flag(DEPLOY_TABLE, "pending-color-switch"), json!({ "S": "false" }));

    nothing_waits(&town).await;

    town.says("U0CARLA", "/switch-colors back stg").await;
    let words = "blue reads efcms-stg-alpha and green writes efcms-stg-beta";
    let card = town.shows(&["would be lost", words]).await;
    town.agrees(&card).await;
    town.shows(&["switch-back · ef-cms → stg · done"]).await;
    assert_eq!(town.color(), ["blue"]);
    assert_eq!(town.flag(DEPLOY_TABLE, "current-color"), json!({ "S": "blue" }));
    assert_eq!(town.flag(DEPLOY_TABLE, "source-table-version"), json!({ "S": "alpha" }));
    town.ends().await;
}

/// A plan shows the whole flag table with types, what is derived of it, every variable, and each precondition with its evidence; it changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_every_precondition_with_its_evidence() {
    let town = town().await;
    town.says("U0CARLA", &format!("/migrate plan {MIGRATE}")).await;
    let card = town.shows(&["plan of migrate", "changes nothing"]).await;
    let text = text_of(&card);
    for words in [
        "migrate is false (string)",
        "maintenance-mode is true",
        "current-color/current-color current is blue (string); the other is green",
        "no other run changes stg",
        "efcms-stg-beta in us-west-1 is empty",
        "there is no document in",
        "migration_segments_queue_stg does not exist",
        "ENV is derived: stg",
        "ZONE_NAME is listed by the project",
        "staging is at ",
        "streams_stg_blue reads its newest stream",
        "source is alpha; it must not be beta",
    ] {
        let wanted = words.replace("maintenance-mode is true", "maintenance-mode is false (boolean)");
        assert!(text.contains(&wanted), "{wanted} is not on\n{text}");
    }
    // What speaks against it is told apart from what cannot be told yet.
    let west = json!({ "region": "us-west-1", "dynamodb": { "fill": { "table": "efcms-stg-beta", "count": 1 } } });
    town.deed(west).await;
    let count = json!({ "domain": "efcms-search-stg-beta", "index": "efcms-case", "docs": 7 });
    town.deed(json!({ "region": HOME, "opensearch": { "count": count } }))
        .await;
    let bare = json!({ "name": "ef-cms-deploy-migration", "repository": "https://github.com/acme/ef-cms" });
    town.deed(json!({ "region": HOME, "seed": { "project": [bare], "queue": [{ "name": "migration_failure_queue_stg", "messages": 2 }] } }))
        .await;
    town.says("U0CARLA", "/switch-colors stg").await;
    town.shows(&["switch · ef-cms → stg", "waits for a person"]).await;
    town.says("U0CARLA", "/migrate plan stg source=alpha destination=alpha")
        .await;
    let card = town.shows(&["plan of migrate", "7 things are in the way"]).await;
    let text = text_of(&card);
    for words in [
        "copy a table into itself",
        "alpha is the table that is live",
        "efcms-stg-alpha in us-west-1 is filled",
        "migration_failure_queue_stg holds 2",
        "missing: ZONE_NAME, EFCMS_DOMAIN, AWS_ACCOUNT_ID",
        "stg is being changed by run switch-",
    ] {
        assert!(text.contains(words), "{words} is not on\n{text}");
    }
    town.says("U0CARLA", "/switch-colors plan stg").await;
    town.shows(&["plan of switch"]).await;
    assert_eq!(town.flag(DEPLOY_TABLE, "migrate"), json!({ "S": "false" }));
    assert_eq!(town.done("aws.UpdateItem"), 0, "nothing was changed");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_stops_before_it_changes_anything_and_one_that_is_wrong_starts_anew() {
    let town = town().await;
    town.says("U0CARLA", "/migrate start stg source=alpha destination=alpha")
        .await;
    town.shows(&["copy a table into itself"]).await;
    town.says("U0CARLA", "/migrate abort stg the wrong table").await;
    town.shows(&["migrate · ef-cms → stg · aborted"]).await;
    town.says("U0CARLA", "/migrate restart stg destination=alpha").await;
    town.shows(&["emptying it would lose everything"]).await;
    town.says("U0CARLA", "/deploy stop stg not that one").await;
    town.says("U0CARLA", "/migrate skip stg").await;
    town.shows(&["skip-migration · ef-cms → stg · done", "already"]).await;
    assert_eq!(town.done("aws.UpdateItem"), 0, "nothing was changed");

    // Half a migration is aborted: the infrastructure goes with it, and the deploying color's stream is on again.
    town.says("U0CARLA", &format!("/migrate start {MIGRATE}")).await;
    town.shows(&["step 21 of 25", " left"]).await;
    town.says("U0CARLA", "/migrate abort stg the script is wrong").await;
    town.passes(600);
    town.shows(&["migrate · ef-cms → stg · undone", "destination: `beta`"])
        .await;
    assert_eq!(town.flag(DEPLOY_TABLE, "migrate"), json!({ "S": "false" }));
    let shown = sandbox::aws::snapshot(&town.rig.sandbox().world().aws()).to_string();
    assert!(!shown.contains("migration_segments_queue_stg"), "its queues are gone");
    town.says("U0CARLA", "/migrate restart stg destination=beta").await;
    let card = town.shows(&["Empty efcms-stg-beta in both regions"]).await;
    town.agrees(&card).await;
    town.passes(300);
    town.shows(&["restart-migration · ef-cms → stg · done", "there is no document in"])
        .await;
    town.hears_in_time("Next is /migrate plan stg source=alpha destination=beta")
        .await;
    town.ends().await;
}

/// The card says which is where while it is not the same everywhere, also on the way back.
#[tokio::test(flavor = "multi_thread")]
async fn a_switch_looks_first_and_says_what_is_where() {
    let town = town().await;
    town.migrated().await;
    // A search that is not indexed any more, and a write that was lost: seen before anybody is asked.
    let count = json!({ "domain": "efcms-search-stg-beta", "index": "efcms-case", "docs": 7 });
    town.deed(json!({ "region": HOME, "opensearch": { "count": count } }))
        .await;
    town.says("U0CARLA", "/switch-colors stg").await;
    town.shows(&["The search is indexed", "393 apart"]).await;
    town.passes(1000);
    let card = town.shows(&["a person decides"]).await;
    assert!(
        text_of(&card).contains("Known as “the search is still being indexed”"),
        "{}",
        text_of(&card)
    );
    assert_eq!(
        (town.color(), town.done("aws.UpdateBasePathMapping")),
        (vec!["blue"], 0)
    );
    let count = json!({ "domain": "efcms-search-stg-beta", "index": "efcms-case", "docs": 400 });
    town.deed(json!({ "region": HOME, "opensearch": { "count": count } }))
        .await;
    town.says("U0CARLA", "/deploy retry stg").await;
    let card = town.shows(&["from blue to green? Migrated: true"]).await;

    // The public API cannot be moved, and the way back of the sites takes a while.
    let error = "AccessDeniedException".to_owned();
    let refused = Fault::once("aws.UpdateBasePathMapping", FaultKind::Refuse { error }, 2);
    town.rig.sandbox().world().faults.set(refused);
    for (color, held) in [("green", false), ("blue", true)] {
        let page = json!({ "path": "/", "body": format!("<meta name=\"color\" content=\"{color}\">") });
        let moved = ["app.stg.court.example.org", "stg.court.example.org"];
        let moved = moved.map(|host| json!({ "site": { "page": { "host": host, "page": page } } }));
        town.next(
            "ef-cms-switch-ui",
            json!({ "seconds": 5, "held": held, "effects": moved }),
        )
        .await;
    }
    town.agrees(&card).await;
    let card = town
        .shows(&[
            "is being undone · step 18 of 34",
            "mixed: UI on its way to blue, API blue, public API blue, sign-in blue",
        ])
        .await;
    let asked = text_of(&card);
    assert!(asked.contains("AccessDenied"), "{asked}");
    let status = town.says("U0RITA", "/deploy status stg").await;
    assert!(status.text.contains("mixed: UI on its way to blue"), "{}", status.text);
    town.in_time("the job that takes the sites back", |town| {
        let shown = sandbox::aws::snapshot(&town.rig.sandbox().world().aws()).to_string();
        shown.contains("\"held\":true").then_some(())
    })
    .await;
    town.deed(json!({ "region": HOME, "codebuild": { "hold": { "project": "ef-cms-switch-ui", "held": false } } }))
        .await;
    let card = town.shows(&["switch · ef-cms → stg · undone"]).await;
    assert!(!card.text.contains("mixed"), "{}", card.text);
    assert_eq!(town.flag(DEPLOY_TABLE, "current-color"), json!({ "S": "blue" }));
    town.ends().await;
}

/// The migration's infrastructure carries live writes over until the switch.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_destroyed_after_the_switch_or_under_maintenance_or_given_up() {
    let town = town().await;
    town.migrated().await;
    town.says("U0CARLA", "/deploy run destroy-migration stg").await;
    let card = town
        .shows(&["destroy-migration · ef-cms → stg", "a person decides"])
        .await;
    let text = text_of(&card);
    assert!(
        text.contains("beta is not switched to yet") && text.contains("/maintenance on stg"),
        "{text}"
    );
    town.says("U0CARLA", "/deploy stop stg too early").await;

    let flagged = town
        .says("U0CARLA", "/migrate start stg --source alpha --destinaton beta")
        .await;
    assert!(
        flagged.text.contains("Did you mean") && flagged.text.contains("--destination beta"),
        "{}",
        flagged.text
    );
    town.says("U0CARLA", "/migrate abort stg --plan").await;
    town.shows(&["plan of abort-migration", "changes nothing"]).await;
    town.says("U0CARLA", "/migrate abort stg the copy is wrong").await;
    let card = town
        .shows(&["waits for a person", "Give the migration of stg to beta up?"])
        .await;
    town.agrees(&card).await;
    town.hears_in_time("the migration to beta is given up").await;
    let shown = sandbox::aws::snapshot(&town.rig.sandbox().world().aws()).to_string();
    assert!(!shown.contains("migration_segments_queue_stg"), "its queues are gone");
    assert_eq!(town.flag(DEPLOY_TABLE, "migrate"), json!({ "S": "false" }));

    town.says("U0CARLA", "/maintenance on stg for 1h the gap").await;
    town.shows(&["maintenance on · ef-cms → stg · done"]).await;
    town.says("U0CARLA", "/deploy run destroy-migration stg").await;
    let card = town
        .shows(&["maintenance is on", "has to stay on until the switch is done"])
        .await;
    town.agrees(&card).await;
    town.shows(&["destroy-migration · ef-cms → stg · done"]).await;
    town.ends().await;
}

/// A table that was made from a backup is a source like the live one, but a second person agrees to what it does not hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_can_be_the_source() {
    let town = town().await;
    town.says("U0CARLA", "/migrate plan stg --source restored --destination=beta")
        .await;
    town.shows(&["plan of migrate", "efcms-stg-restored in us-east-1 is absent"])
        .await;
    let table = |stream: bool| json!({ "region": HOME, "seed": { "table": [{ "name": "efcms-stg-restored", "fill": 900, "stream": stream }] } });
    town.deed(table(false)).await;
    town.says("U0CARLA", "/migrate start stg source=restored destination=beta")
        .await;
    let card = town
        .shows(&[
            "step 12 of 25",
            "Live is alpha: what was written there since the backup",
        ])
        .await;
    town.agrees(&card).await;
    let card = town.shows(&["a person decides"]).await;
    assert!(
        text_of(&card).contains("turn it on (new and old images)"),
        "{}",
        text_of(&card)
    );
    town.deed(table(true)).await;
    town.says("U0CARLA", "/migrate abort stg with the stream it starts anew")
        .await;
    town.shows(&["migrate · ef-cms → stg · aborted"]).await;
    town.says("U0CARLA", "/migrate start stg source=restored destination=beta")
        .await;
    let card = town
        .shows(&[
            "step 12 of 25",
            "Live is alpha: what was written there since the backup",
        ])
        .await;
    town.agrees(&card).await;
    town.shows(&["step 21 of 25", " left"]).await;
    town.passes(900);
    town.shows(&[": A person has seen that the search is indexed · waits for a person"])
        .await;
    town.says("U0CARLA", "/deploy confirm stg 900 in the backup, 900 in the domain")
        .await;
    town.shows(&["migrate · ef-cms → stg · done"]).await;
    // The live table is not what was copied from, and nobody says that it is.
    assert_eq!(town.flag(DEPLOY_TABLE, "source-table-version"), json!({ "S": "alpha" }));
    town.ends().await;
}

/// The builds of a first hour, as they fail one after the other: each says that a command failed, and its log says why.
async fn first_hour(town: &Scenario) {
    town.quick(&[
        "ef-cms-environment-specific",
        "ef-cms-deploy",
        "ef-cms-setup-s3-deploy-files",
        "ef-cms-redeploy-websockets",
        "ef-cms-smoke-tests",
    ])
    .await;
    let fails = |lines: &[&str]| json!({ "outcome": "FAILED", "seconds": 5, "lines": lines });
    let role = [
        "aws_iam_role.migration_role: Creating...",
        "\u{1b}[31m│\u{1b}[0m \u{1b}[0m\u{1b}[1m\u{1b}[31mError: \u{1b}[0mError creating IAM Role migration_role_exp1: EntityAlreadyExists: Role with name migration_role_exp1 already exists.",
        "\tstatus code: 409, request id: 7d",
    ];
    let record = [
        "│ Error: [ERR]: Error building changeset: InvalidChangeBatch: [Tried to create resource record set [name='_243f.exp1.court.example.org.', type='CNAME'] but it already exists]",
    ];
    let file = [
        "│ Error: error creating Lambda Function: InvalidParameterValueException: Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
    ];
    let socket = [
        "Error: WebSocket connection to 'wss://ws-blue.exp1.court.example.org/' failed: Unexpected response code: 403",
    ];
    for (project, lines) in [
        ("ef-cms-environment-specific", &role[..]),
        ("ef-cms-environment-specific", &record),
        ("ef-cms-deploy", &file),
        ("ef-cms-smoke-tests", &socket),
        ("ef-cms-smoke-tests", &["1 of 12 failed"]),
    ] {
        town.next(project, fails(lines)).await;
    }
}

/// Buckets that the environment's first terraform left.
const BUCKETS: [&str; 4] = [
    "exp1.court.example.org.exp1.us-east-1.lambdas",
    "app.exp1.court.example.org",
    "exp1.court.example.org",
    "app-failover.exp1.court.example.org",
];

/// Every failure of the first hour that the documents name, one after the other, each with what helps.
#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_deployed_for_the_first_time() {
    let town = town().await;
    first_hour(&town).await;
    town.says("U0CARLA", "/deploy run first-deployment exp1 version=alpha")
        .await;
    town.shows(&["Known as “the role is left from before”"]).await;
    town.says("U0CARLA", "/deploy retry exp1").await;
    town.shows(&[
        "It names `_243f.exp1.court.example.org.`, `CNAME`",
        "Known as “a certificate's validation record is there already”",
    ])
    .await;
    town.says("U0CARLA", "/deploy remedy exp1").await;
    town.shows(&["remedy: A person deletes the record by hand · waits for a person"])
        .await;
    town.says(
        "U0CARLA",
        "/deploy confirm exp1 _243f.exp1.court.example.org. CNAME _a.acm-validations.aws.",
    )
    .await;
    for bucket in BUCKETS {
        town.shows(&["cannot be undone", &format!("Type `{bucket}` to have it done")])
            .await;
        town.says("U0CARLA", &format!("/deploy confirm exp1 {bucket}")).await;
    }
    town.shows(&["Known as “the functions' files are not there yet”"]).await;
    town.says("U0CARLA", "/deploy remedy exp1").await;
    town.shows(&["Known as “a websocket endpoint answers 403”"]).await;
    town.says("U0CARLA", "/deploy remedy exp1").await;
    town.shows(&["Known as “the first hour of a new environment”"]).await;
    town.says("U0CARLA", "/deploy remedy exp1").await;
    town.shows(&["Wait until every edge location has it"]).await;
    town.passes(3700);
    town.hears_in_time("exp1 is deployed").await;
    let card = town.shows(&["first-deployment · ef-cms → exp1 · done"]).await;
    assert!(
        text_of(&card).contains("known and harmless: there is none"),
        "{}",
        text_of(&card)
    );
    let flags = [
        "migrate",
        "destination-table-version",
        "source-table-version",
        "current-color",
    ];
    let flags = flags.map(|name| town.flag("efcms-deploy-exp1", name));
    assert_eq!(
        flags,
        [
            json!({ "BOOL": false }),
            json!({ "S": "alpha" }),
            json!({ "S": "alpha" }),
            json!({ "S": "blue" })
        ]
    );
    assert_eq!((town.done("aws.DeleteBucket"), town.done("aws.StartBuild")), (4, 10));
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_table_and_search_domain_come_beside_the_old() {
    let town = town().await;
    town.says("U0CARLA", "/deploy run new-table stg version=gamma").await;
    town.shows(&[": A person has put the modules into main.tf · waits for a person"])
        .await;
    town.says("U0CARLA", "/deploy confirm stg acme/ef-cms#812").await;
    town.shows(&[": A person has seen that it works · waits for a person"])
        .await;
    town.says("U0CARLA", "/deploy confirm stg a case was opened and found")
        .await;
    let card = town.shows(&["Live is and stays alpha"]).await;
    town.agrees(&card).await;
    let card = town.shows(&["new-table · ef-cms → stg · done"]).await;
    let text = text_of(&card);
    assert!(
        text.contains("efcms-stg-gamma in us-west-1 is empty") && text.contains("there is no document"),
        "{text}"
    );
    town.ends().await;
}
