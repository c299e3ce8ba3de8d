//! The operations of the three teams at a terminal beside the bot, as `signalbox say` asks it: nothing of them needs Slack's page but a second person's yes.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use std::path::{Path, PathBuf};

use bot::cli::{Ask, socket};
use serde_json::json;
use tests::scenario::{Scenario, options, shared_store};

/// Somebody at a terminal, and the world they look at.
struct Terminal {
    town: Scenario,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Terminal {
    /// Beside the bot of a team: its configuration and its account.
    async fn of(config: &str, account: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("account.toml"), account).expect("a file");
        let mut options = options(shared_store());
        config.clone_into(&mut options.config);
        options.sandbox.aws_seed = Some(place("account.toml"));
        options.socket = Some(place("signalbox.sock"));
        Self {
            socket: place("signalbox.sock"),
            town: Scenario::with(options).await,
            _folder: folder,
        }
    }

    /// What is answered to somebody, and whether it is good.
    async fn says(&self, user: &str, text: &str) -> (String, bool) {
        let ask = Ask::Say {
            text: text.to_owned(),
            user: user.to_owned(),
        };
        let mut said = Vec::new();
        let good = socket::ask(Path::new(&self.socket), &ask, |line| said.push(line)).await;
        (said.join("\n"), good.expect("an answer"))
    }

    /// The same, which has to be done.
    async fn does(&self, user: &str, text: &str) -> String {
        let (said, good) = self.says(user, text).await;
        assert!(good, "{text}: {said}");
        said
    }

    /// Waits until a card in Slack says all of this; then the terminal says it too.
    async fn sees(&self, text: &str, words: &[&str]) -> String {
        self.town.card_in_time(words).await;
        let (said, _) = self.says("U0RITA", text).await;
        for words in words {
            assert!(said.contains(words), "{words} is not in the answer to {text}:\n{said}");
        }
        said
    }

    /// A plan or another look, by what is said to be typed for it; it is there once a card says all of this.
    async fn plans(&self, text: &str, words: &[&str]) -> String {
        let said = self.does("U0CARLA", text).await;
        let show = said.lines().find_map(|line| line.strip_prefix("Anywhere else: "));
        self.sees(show.expect("what to type"), words).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_and_a_switch_are_done_at_a_terminal() {
    let terminal = Terminal::of(
        include_str!("../../runbooks/ef-cms.toml"),
        include_str!("../../sandbox/seeds/ef-cms.toml"),
    )
    .await;
    plans(&terminal).await;
    migrates(&terminal).await;
    switches(&terminal).await;
    thinks_better_of_switching_back(&terminal).await;
    terminal.does("U0CARLA", "/maintenance on stg for 30m a restore").await;
    terminal
        .sees("/deploy show stg", &["maintenance on · ef-cms → stg · done"])
        .await;
    terminal
        .plans("/maintenance status stg", &["maintenance · ef-cms → stg · it is on"])
        .await;
    terminal.does("U0CARLA", "/maintenance off stg").await;
    terminal
        .sees("/deploy show stg", &["maintenance off · ef-cms → stg · done"])
        .await;
    terminal.town.ends().await;
}

/// A plan fills in later: what to type for it is said at once.
async fn plans(terminal: &Terminal) {
    let plan = terminal
        .plans(
            "/migrate plan stg --source alpha --destination beta",
            &["changes nothing"],
        )
        .await;
    for words in [
        "current-color",
        "is derived: efcms-stg-alpha",
        "efcms-stg-beta in us-west-1",
    ] {
        assert!(plan.contains(words), "{words} is not in\n{plan}");
    }
}

/// Two messages die, and are put back.
async fn migrates(terminal: &Terminal) {
    terminal
        .does("U0CARLA", "/migrate start stg source=alpha destination=beta")
        .await;
    terminal
        .sees(
            "/migrate status stg",
            &["step 21 of 25", "visible", "migration_failure_queue_stg: empty"],
        )
        .await;
    let died =
        json!({ "region": "us-east-1", "sqs": { "put": { "queue": "migration_segments_dl_queue_stg", "count": 2 } } });
    terminal.town.control("aws/deed", died).await;
    terminal
        .sees(
            "/migrate status stg",
            &["a person decides", "Known as “segments that failed ten times”"],
        )
        .await;
    let (refused, good) = terminal.says("U0RITA", "/migrate retry stg").await;
    assert!(!good && refused.contains("You may not operate stg"), "{refused}");
    terminal.does("U0BRUNO", "/migrate retry stg").await;
    terminal.town.passes(900);
    terminal
        .sees(
            "/deploy show stg",
            &["migrate · ef-cms → stg · done", "Remedy: Put the dead letters back"],
        )
        .await;
}

/// At a terminal, another name is not another person: the yes comes from Slack.
async fn switches(terminal: &Terminal) {
    terminal.does("U0CARLA", "/switch-colors stg").await;
    terminal.sees("/deploy show stg", &["from blue to green?"]).await;
    let (refused, good) = terminal.says("U0BRUNO", "/deploy confirm stg").await;
    assert!(
        !good && refused.contains("This operating-system user started this run"),
        "{refused}"
    );
    let said = terminal.town.says("U0BRUNO", "/deploy confirm stg").await;
    assert!(said.text.contains("says yes"), "{}", said.text);
    terminal
        .sees("/deploy show stg", &["switch · ef-cms → stg · done"])
        .await;
}

async fn thinks_better_of_switching_back(terminal: &Terminal) {
    terminal.does("U0CARLA", "/switch-colors back stg").await;
    terminal.sees("/deploy show stg", &["would be lost"]).await;
    terminal.does("U0CARLA", "/deploy abort stg it is fine as it is").await;
    terminal.sees("/deploy show stg", &["aborted after"]).await;
    let history = terminal.does("U0RITA", "/deploy history stg").await;
    for words in ["migrate · done", "switch · done", "switch-back · aborted"] {
        assert!(history.contains(words), "{words} is not in\n{history}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_migrated_and_levels_are_lent_at_a_terminal() {
    let terminal = Terminal::of(
        include_str!("../../runbooks/hathor.toml"),
        include_str!("../../sandbox/seeds/hathor.toml"),
    )
    .await;
    // What is live is told with the first request for approval.
    terminal.town.card(&["v1.4.2", "mainnet"]).await;
    let card = terminal.does("U0RITA", "/deploy show mainnet").await;
    assert!(card.contains("v1.4.2"), "{card}");
    terminal
        .plans(
            "/migrate plan mainnet ref=v1.4.2",
            &["changes nothing", "1 migration is pending on wallet-service-mainnet"],
        )
        .await;
    terminal.does("U0CARLA", "/migrate start mainnet ref=v1.4.2").await;
    terminal
        .sees(
            "/migrate status mainnet",
            &["step 3 of 4", "Run the migrations of v1.4.2 on mainnet?"],
        )
        .await;
    let said = terminal.town.says("U0BRUNO", "/deploy confirm mainnet").await;
    assert!(said.text.contains("says yes"), "{}", said.text);
    terminal.town.card_in_time(&["migrate · wallet → mainnet · done"]).await;
    let history = terminal.does("U0RITA", "/deploy history mainnet").await;
    assert!(history.contains("migrate · done"), "{history}");

    terminal
        .does("U0CARLA", "/loglevel mainnet loadWalletAsync info for 30m slow loads")
        .await;
    terminal.town.card_in_time(&["loadWalletAsync", "set to info"]).await;
    terminal
        .plans("/loglevel mainnet", &["log levels · wallet → mainnet", " functions, "])
        .await;
    let plan = "/deploy run rollback mainnet version=v1.4.1 --plan";
    terminal.plans(plan, &["Migrations are not taken back"]).await;
    terminal.town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_planned_and_begun_at_a_terminal() {
    let terminal = Terminal::of(
        include_str!("../../runbooks/balrog.toml"),
        include_str!("../../sandbox/seeds/balrog.toml"),
    )
    .await;
    let push = "push production version=v2.11 schema=before";
    terminal
        .plans(
            &format!("/deploy run {push} --plan"),
            &["plan of push", "changes nothing"],
        )
        .await;
    terminal.does("U0CARLA", &format!("/deploy run {push}")).await;
    terminal
        .sees("/deploy show production", &["Now is a good time", "waits for a person"])
        .await;
    let (asked, good) = terminal.says("U0CARLA", "/deploy confirm production").await;
    assert!(!good && asked.contains("Say why"), "evidence is wanted: {asked}");
    terminal
        .does("U0CARLA", "/deploy confirm production Rita is on duty")
        .await;
    terminal
        .sees("/deploy show production", &["Roll v2.11 out to stage"])
        .await;
    terminal
        .does("U0CARLA", "/deploy abort production not today after all")
        .await;
    terminal
        .sees("/deploy show production", &["push · balrog → production · "])
        .await;
    terminal.town.ends().await;
}
