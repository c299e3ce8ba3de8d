//! The command line as operators type it: the real binary beside a running server, on both stores.
#![expect(clippy::panic, reason = "a scenario fails by panicking")]

use std::process::Command;

use serde_json::{Value, json};
use tests::process::{Keeps, Ran, Setup, Town, binary};

/// So that the command line may decide on production too.
const PRODUCTION: (&str, &str) = ("# command_line   = \"standard\"", "command_line   = \"production\"");

async fn say(town: &Town, user: &str, text: &str) -> Ran {
    town.runs(&["say", text, "--as", user]).await
}

/// Approves from the command line as soon as the evidence is in.
async fn approves(town: &Town, user: &str) -> Ran {
    town.until("a vote", async || {
        let ran = say(town, user, "/deploy approve mainnet v1.4.2").await;
        let looking = ran.out.contains("looked up") || ran.out.contains("not looked at yet");
        (!looking).then_some(ran)
    })
    .await
}

/// The same conversation on either store: it goes to the server through its socket, or straight to Redis.
async fn a_conversation(keeps: Keeps) {
    let town = Town::serving(keeps, &[PRODUCTION]).await;
    town.card(&["waits for 2 of 2"]).await;
    for (user, text, code, words) in [
        ("U0RITA", "/deploy status mainnet", 0, "waits for 2 of 2"),
        ("U0RITA", "/deploy help", 0, "What you can tell Signalbox"),
        (
            "U0BRUNO",
            "/deploy lock testnet for 2h draining",
            0,
            "@Bruno Lima locked testnet",
        ),
        ("U0RITA", "/deploy lock testnet", 1, "You may not operate testnet"),
        ("U0GUS", "/deploy status mainnet", 1, "Guests may not use Signalbox"),
        (
            "U0BRUNO",
            "/deploy lokc testnet",
            1,
            "Did you mean /deploy lock testnet?",
        ),
        (
            "U0BRUNO",
            "/deploy lock testnet --stael x",
            1,
            "Did you mean /deploy lock testnet --steal x?",
        ),
        ("U0BRUNO", "/deploy unlock testnet", 0, "unlocked testnet"),
        ("U0BRUNO", "/deploy unlock testnet", 1, "not locked"),
        ("U0BRUNO", "/deploy stop testnet", 1, "Nothing was done"),
        ("nobody", "/deploy status", 1, "--as"),
    ] {
        let ran = say(&town, user, text).await;
        assert_eq!(ran.code, code, "{text}: {ran:?}");
        assert!(ran.out.contains(words), "{text}: {}", ran.out);
        assert!(ran.err.is_empty(), "{text}: {}", ran.err);
    }
    let ann = approves(&town, "U0ANN").await;
    assert!(ann.code == 0 && ann.out.contains("1 of 2"), "{ann:?}");
    // Two names of one operating-system user are one voter.
    let again = approves(&town, "U0BRUNO").await;
    assert!(
        again.code == 1 && again.out.contains("This operating-system user"),
        "{again:?}"
    );
    town.card(&["waits for 1 of 2"]).await;
    let bruno = town.says("U0BRUNO", "/deploy approve mainnet v1.4.2").await;
    assert!(bruno.contains("Recorded"), "{bruno}");
    let answered = || town.sandbox.world().aws().approval_results().len();
    town.until("the answer", async || (answered() == 1).then_some(())).await;
    town.sandbox.world().clock.jump(30_000);
    town.card(&["released"]).await;
    assert_eq!(answered(), 1);
    evidence(&town).await;
    doctor(&town).await;
}

/// Whoever reads only the first line, as `| head -1` does, makes no fault of the rest.
#[test]
fn a_reader_who_goes_away_is_no_fault() {
    for arguments in [&["check", "docs/example.toml"][..], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ran = Command::new(binary())
            .args(arguments)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .env_clear()
            .stdout(writer)
            .output()
            .expect("the binary runs");
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!((ran.status.code(), &*told), (Some(0), ""), "{arguments:?}");
    }
}

/// What auditors ask, beside the running server.
async fn evidence(town: &Town) {
    let open = town.runs(&["runs"]).await;
    assert!(open.code == 0 && !open.out.contains("v1.4.2"), "{open:?}");
    let all = town.runs(&["runs", "wallet", "--all"]).await;
    assert!(
        all.code == 0 && all.out.contains("succeeded") && all.out.contains("v1.4.2"),
        "{all:?}"
    );
    // Runs of runbooks and errands are runs.
    let listed = say(town, "U0RITA", "/loglevel mainnet").await;
    assert_eq!(listed.code, 0, "{listed:?}");
    let planned = async || {
        let all = town.runs(&["runs", "wallet", "--all"]).await;
        (all.out.contains("planned") && all.out.contains("plan of Read every level")).then_some(all)
    };
    let all = town.until("a list of levels among the runs", planned).await;
    assert!(!all.out.contains("newer version"), "{all:?}");
    // What is not there has no runs either, and that would be a lie about the one that was meant.
    let slip = town.runs(&["runs", "walet"]).await;
    assert!(
        slip.code == 1 && slip.out.contains("no service `walet`; there are: wallet, web"),
        "{slip:?}"
    );
    let jsonl = town.runs(&["audit", "export", "--service", "wallet"]).await;
    assert_eq!(jsonl.code, 0, "{jsonl:?}");
    let rows: Vec<Value> = jsonl
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let by_ann = |row: &&Value| {
        row["reason"] == "voted"
            && row["actor"]
                .as_str()
                .is_some_and(|actor| actor.starts_with("U0ANN (os:"))
    };
    assert_eq!(rows.iter().filter(by_ann).count(), 1, "one vote by hand: {}", jsonl.out);
    for reason in ["opened", "confirmed", "succeeded", "identity", "role", "already_voted"] {
        assert!(
            rows.iter().any(|row| row["reason"] == reason),
            "{reason} in {}",
            jsonl.out
        );
    }
    let csv = town
        .runs(&["audit", "export", "--format", "csv", "--service", "wallet"])
        .await;
    let lines: Vec<&str> = csv.out.lines().collect();
    assert!(csv.code == 0 && lines.len() > rows.len(), "{csv:?}");
    assert_eq!(
        lines[0],
        "service,record,seq,at,actor,channel,cause,reason,config,event,prev,mac"
    );
    let verified = town.runs(&["audit", "verify"]).await;
    assert!(
        verified.code == 0
            && verified.out.contains("everything adds up")
            && verified.out.contains("no seals were given"),
        "{verified:?}"
    );
}

async fn doctor(town: &Town) {
    let ran = town.runs(&["doctor"]).await;
    let well = [
        "the store",
        "Slack knows the token",
        "wallet mainnet: the pipeline wallet-service can be read",
        "all is well",
    ];
    for words in well {
        assert!(ran.out.contains(words), "{words:?} in {ran:?}");
    }
    assert_eq!(ran.code, 0, "{}", ran.out);
    // The control: a bot that was thrown out of the workspace is not well.
    let gone = town
        .runs_with(&["doctor"], &[("SLACK_BOT_TOKEN", "xoxb-revoked")])
        .await;
    assert!(
        gone.code == 1 && gone.out.contains("BAD") && gone.out.contains("SLACK_BOT_TOKEN"),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_server_that_keeps_a_file_it_speaks_through_the_socket() {
    a_conversation(Keeps::InFile).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_server_on_redis_it_speaks_to_redis() {
    a_conversation(Keeps::InRedis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_out_of_its_reach_unless_config_says_otherwise() {
    let town = Town::serving(Keeps::InFile, &[]).await;
    town.card(&["waits for 2 of 2"]).await;
    let refused = say(&town, "U0ANN", "/deploy approve mainnet v1.4.2").await;
    assert!(
        refused.code == 1
            && refused
                .out
                .contains("Production cannot be changed from the command line"),
        "{refused:?}"
    );
    let looks = say(&town, "U0ANN", "/deploy why mainnet").await;
    assert_eq!(looks.code, 0, "{looks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_fail_are_counted_for_every_environment_of_the_pipeline() {
    let town = Town::serving(Keeps::InFile, &[]).await;
    town.card(&["waits for 2 of 2"]).await;
    assert!(!town.metrics().await.contains("signalbox_watch_failures_total"));
    let denied = json!({ "target": "aws.GetPipelineState", "kind": "refuse", "error": "AccessDeniedException" });
    town.control("faults", denied).await;
    let counted = ["testnet", "mainnet"].map(|environment| {
        format!("signalbox_watch_failures_total{{service=\"wallet\",environment=\"{environment}\"}}")
    });
    town.until("failures", async || {
        let metrics = town.metrics().await;
        counted.iter().all(|line| metrics.contains(line)).then_some(())
    })
    .await;
}

/// Two secrets that the configuration names, of which the environment has none, then one that is empty, then both.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_secrets_that_are_missing_and_shows_none() {
    let config = include_str!("../../docs/example.toml")
        .replace("# maintenance = ", "maintenance = ")
        .replace("# hosts  = [\"health.example.org\"]", "hosts = [\"api.heroku.com\"]")
        + "\n[[service.wallet.runbook.launch.step]]\nname = \"scale\"\nkind = \"api_call\"\nsecret_env = \"HEROKU_API_KEY\"\n\
           heroku = { app = \"wallet\", process = \"web\", quantity = 0 }\n";
    let (names, key) = (
        ["HEROKU_API_KEY", "WALLET_REDIS_URL"],
        "service.wallet.runbook.launch.step.scale.secret_env",
    );
    let setup = Setup {
        config,
        redis: None,
        ..Setup::default()
    };
    let town = Town::with(setup).await;
    let ran = town.runs(&["doctor"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    for words in names.map(|name| format!("BAD      {name} is not set, or empty: ")) {
        assert!(ran.out.contains(&words), "{words:?} in {}", ran.out);
    }
    for words in [
        key,
        "service.wallet.environment.mainnet.maintenance.redis_url_env",
        "restart the bot",
    ] {
        assert!(ran.out.contains(words), "{words:?} in {}", ran.out);
    }
    let (secret, address) = ("a-key-nobody-sees", "redis://:a-word-nobody-sees@127.0.0.1:1/");
    let half = town
        .runs_with(&["doctor"], &[(names[0], secret), (names[1], "  ")])
        .await;
    assert!(
        half.code == 1
            && half.out.contains("ok       HEROKU_API_KEY is set")
            && half.out.contains("BAD      WALLET_REDIS_URL"),
        "{half:?}"
    );
    let whole = town
        .runs_with(&["doctor"], &[(names[0], secret), (names[1], address)])
        .await;
    assert!(whole.code == 0 && whole.out.contains("all is well"), "{whole:?}");
    for ran in [half, whole] {
        assert!(!format!("{ran:?}").contains("nobody-sees"), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_server_it_opens_the_file_and_a_store_that_was_put_back_shows() {
    let town = Town::serving(Keeps::InFile, &[]).await;
    town.card(&["waits for 2 of 2"]).await;
    // The socket stays behind, and nobody listens.
    town.kill();
    let alone = town.runs(&["runs"]).await;
    assert!(alone.code == 0 && alone.out.contains("waiting"), "{alone:?}");
    town.spawn();
    town.ready().await;
    town.tells_to_stop();
    assert!(town.ended().await.success());
    let log = town.log().display().to_string();
    let whole = town.runs(&["audit", "verify", "--seals", &log]).await;
    assert!(whole.code == 0 && whole.out.contains("everything adds up"), "{whole:?}");
    assert!(
        !whole.out.contains(" 0 seals") && !whole.out.contains("no seals"),
        "{whole:?}"
    );
    let elsewhere = format!("{log}.redb");
    let emptied = town
        .runs_with(&["audit", "verify", "--seals", &log], &[("SIGNALBOX_DATA", &elsewhere)])
        .await;
    assert!(
        emptied.code == 1 && emptied.out.contains("NOT everything adds up"),
        "{emptied:?}"
    );
    let key = ("SIGNALBOX_AUDIT_KEY", "another key that is long enough");
    let other = town.runs_with(&["audit", "verify"], &[key]).await;
    assert!(
        other.code == 1 && other.out.contains("NOT everything adds up"),
        "{other:?}"
    );
    let missing = town
        .runs_with(&["runs"], &[("SIGNALBOX_CONFIG", "/nowhere/signalbox.toml")])
        .await;
    assert!(missing.code == 2 && missing.out.is_empty(), "{missing:?}");
    assert!(missing.err.contains("/nowhere/signalbox.toml"), "{}", missing.err);
}
