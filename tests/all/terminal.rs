//! The operations of ef-cms at a terminal beside the bot, as `signalbox say` asks it, from the plan to the way back: nothing of it needs Slack's page.
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
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("account.toml"), include_str!("../../sandbox/seeds/ef-cms.toml")).expect("a file");
        let mut options = options(shared_store());
        include_str!("../../runbooks/ef-cms.toml").clone_into(&mut options.config);
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_and_a_switch_are_done_at_a_terminal() {
    let terminal = Terminal::start().await;
    plans(&terminal).await;
    migrates(&terminal).await;
    switches(&terminal).await;
    thinks_better_of_switching_back(&terminal).await;
    terminal.does("U0CARLA", "/maintenance on stg for 30m a restore").await;
    terminal
        .sees("/deploy show stg", &["maintenance on · ef-cms → stg · done"])
        .await;
    terminal.does("U0CARLA", "/maintenance off stg").await;
    terminal
        .sees("/deploy show stg", &["maintenance off · ef-cms → stg · done"])
        .await;
    terminal.town.ends().await;
}

/// A plan fills in later: what to type for it is said at once.
async fn plans(terminal: &Terminal) {
    let said = terminal
        .does("U0CARLA", "/migrate plan stg source=alpha destination=beta")
        .await;
    let show = said
        .lines()
        .find_map(|line| line.strip_prefix("Anywhere else: "))
        .expect("what to type");
    let plan = terminal.sees(show, &["changes nothing"]).await;
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
    terminal.sees("/deploy show stg", &["undone after"]).await;
    let history = terminal.does("U0RITA", "/deploy history stg").await;
    for words in ["migrate · done", "switch · done", "switch-back · undone"] {
        assert!(history.contains(words), "{words} is not in\n{history}");
    }
}
