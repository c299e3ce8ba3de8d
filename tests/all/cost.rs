//! What watching costs, counted in the sandbox's log: a read per source and look, and an edit of the card per change.
#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use serde_json::json;
use tests::kinds::TEAM;
use tests::scenario::{Scenario, options, shared_store};

/// How often the queue is looked at while nothing changes.
const LOOKS: usize = 10;
/// How far apart the looks at the queue are, in seconds.
const APART: i64 = 20;

/// Two things are watched at the same time: a queue with its dead letters, and a build.
const WATCH: &str = r#"
[[service.works.runbook.watch.step]]
name     = "drained"
group    = "both"
kind     = "queue_drain"
queues   = ["works-queue"]
failures = ["works-dead"]
samples  = 2
every    = "20s"
deadline = "1d"

[[service.works.runbook.watch.step]]
name     = "build"
group    = "both"
kind     = "codebuild"
project  = "works-build"
deadline = "1d"
"#;

const ACCOUNT: &str = r#"
[[place]]
[[place.queue]]
name = "works-dead"

[[place.queue]]
name         = "works-queue"
dead_letters = "works-dead"
messages     = 40

[[place.project]]
name = "works-build"
plan = { seconds = 30, held = true }
"#;

async fn town() -> (Scenario, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("account.toml");
    std::fs::write(&path, ACCOUNT).expect("the account is written");
    let mut options = options(shared_store());
    options.config = format!("{}{WATCH}", TEAM.replace("HEALTH", "https://health.example.org"));
    options.sandbox.aws_seed = Some(path);
    (Scenario::with(options).await, folder)
}

/// How often each call was made since.
struct Meter<'a> {
    town: &'a Scenario,
    since: u64,
    began_ms: i64,
}

impl<'a> Meter<'a> {
    fn at(town: &'a Scenario) -> Self {
        let world = town.rig.sandbox().world();
        Self {
            town,
            since: world.log.newest(),
            began_ms: world.clock.now_ms(),
        }
    }

    fn calls(&self, name: &str) -> usize {
        let log = &self.town.rig.sandbox().world().log;
        log.count(self.since, |entry| entry.call.starts_with(name))
    }

    /// How many looks so far apart there can have been.
    fn looks(&self, apart_s: i64) -> usize {
        let passed = self.town.rig.sandbox().world().clock.now_ms() - self.began_ms;
        usize::try_from(passed / (apart_s * 1000) + 1).unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_costs_a_read_per_source_and_look_and_an_edit_per_change() {
    let (town, _account) = town().await;
    let said = town.says("U0CARLA", "/deploy run watch prod").await;
    assert!(said.text.contains("Recorded"), "{}", said.text);
    town.card_in_time(&["40 left", "is in BUILD"]).await;
    // What is drawn late, because Slack asks for a pace, is drawn by then.
    let beginning = Meter::at(&town);
    town.in_time("the first looks", |_| {
        (beginning.calls("aws.GetQueueAttributes") >= 4).then_some(())
    })
    .await;
    let meter = Meter::at(&town);
    town.in_time("looks at both", |_| {
        let looked = meter.calls("aws.GetQueueAttributes") >= 2 * LOOKS && meter.calls("aws.BatchGetBuilds") >= LOOKS;
        looked.then_some(())
    })
    .await;
    let (queues, builds) = (meter.calls("aws.GetQueueAttributes"), meter.calls("aws.BatchGetBuilds"));
    let sessions = meter.calls("aws.AssumeRole");
    assert!(queues <= 2 * meter.looks(APART), "{queues} reads of two queues");
    assert!(builds <= meter.looks(10), "{builds} reads of a build");
    assert!(sessions <= 1, "{sessions} sessions");
    assert_eq!(meter.calls("aws."), queues + builds + sessions, "nothing else is asked");
    assert_eq!(meter.calls("slack.chat."), 0, "nothing changed, so nothing is drawn");

    let put = json!({ "sqs": { "put": { "queue": "works-queue", "count": 5 } } });
    town.control("aws/deed", put).await;
    let meter = Meter::at(&town);
    town.card_in_time(&["45 left"]).await;
    town.in_time("more looks", |_| {
        (meter.calls("aws.GetQueueAttributes") >= 6).then_some(())
    })
    .await;
    assert_eq!(meter.calls("slack.chat.update"), 1, "one change is one edit");
    town.ends().await;
}
