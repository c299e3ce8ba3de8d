//! The migration and the switch of ef-cms, done by the real process, while it, its Redis, or both are killed (SIGKILL) at moments that a seed chooses, or
//! Redis does not answer until the process says that it is not ready. It ends as one that nobody disturbed: read from the sandbox, which was not killed.

#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use commands::ids::ServiceId;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use state::Store as _;
use state::redis::Redis;
use tests::court;
use tests::process::{AUDIT_KEY, SAFE, Setup, Town, cards};
use tests::scenario::text_of;
use tests::witness::{marked, sound};

/// How many kills there are each time; `scripts/soak` takes a hundred.
const KILLS: usize = 20;
/// The most kills that one migration and switch go through.
const A_ROUND: usize = 25;
/// The most requests and replies between the process and Redis from one kill to the next.
const APART: u64 = 120;
/// What a process that lives has claimed and does not know of, because the answer was lost, is free after so many seconds: a short lease.
const LEASE: u32 = 4;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Bot,
    /// The process goes on without it.
    Redis,
    Both,
    /// Nobody: Redis stands still for longer than anybody waits for it, and does then what it was asked to do.
    Answers,
}

impl Victim {
    /// How often each comes in a deck.
    const DECK: [(Self, usize); 4] = [(Self::Bot, 9), (Self::Redis, 5), (Self::Both, 4), (Self::Answers, 2)];

    /// Whether the process lives on.
    const fn spares_the_bot(self) -> bool {
        matches!(self, Self::Redis | Self::Answers)
    }
}

/// Who is next, and when, by the seed: each victim comes once in a while.
struct Fate {
    dice: StdRng,
    deck: Vec<Victim>,
}

impl Fate {
    fn of(seed: u64) -> Self {
        let dice = StdRng::seed_from_u64(seed);
        Self { dice, deck: Vec::new() }
    }

    fn next(&mut self, apart: u64) -> (u64, Victim) {
        if self.deck.is_empty() {
            let all = Victim::DECK.iter();
            self.deck = all.flat_map(|(victim, count)| vec![*victim; *count]).collect();
            self.deck.shuffle(&mut self.dice);
        }
        let victim = self.deck.pop().expect("a card");
        (self.dice.random_range(1..=apart), victim)
    }
}

fn slot() -> ServiceId {
    ServiceId::parse(court::SERVICE).expect("a name")
}

async fn town(redis: &[&str]) -> Town {
    let unsafe_store = if redis == SAFE {
        ""
    } else {
        "\n[store]\naccept_unsafe_durability = true\n"
    };
    let setup = Setup {
        config: format!("{}{unsafe_store}", court::config()),
        account: Some(court::account()),
        redis: Some(redis.iter().map(|word| (*word).to_owned()).collect()),
        tapped: true,
        ..Setup::default()
    };
    Town::with(setup).await
}

/// People start both, and answer what they are asked, until it is over.
async fn story(town: &Town) {
    for (start, headline) in [
        (court::MIGRATE, "migrate · ef-cms → stg"),
        (court::SWITCH, "switch · ef-cms → stg"),
    ] {
        heard(town, "U0CARLA", start).await;
        let mut answered = String::new();
        loop {
            let (asked, card) = town
                .sees("a question, or the end", |world| {
                    let all = cards(world);
                    let card = all.iter().rfind(|card| card.text.contains(headline))?;
                    let asks = ["waits for a person", "a person decides"];
                    let open = asks.iter().any(|words| card.text.contains(words)) && text_of(card) != answered;
                    (open || over(&card.text)).then(|| (card.text.clone(), text_of(card)))
                })
                .await;
            if over(&asked) {
                break;
            }
            let answer = court::ANSWERS.iter().find(|(words, ..)| asked.contains(words));
            let (_, user, text) = answer.expect("somebody knows what to say");
            heard(town, user, text).await;
            answered = card;
        }
    }
    let store = Redis::open(&town.redis().url()).expect("a store");
    let slot = slot();
    town.until("nothing that is owed", async || {
        store.outbox(&slot).await.ok()?.is_empty().then_some(())
    })
    .await;
}

fn over(headline: &str) -> bool {
    let ends = ["done, took", "undone after", "stopped after", "failed after"];
    ends.iter().any(|words| headline.contains(words))
}

/// Somebody says something until it is certain that it was heard.
async fn heard(town: &Town, user: &str, text: &str) {
    town.until("an ear", async || {
        let told = town.says(user, text).await;
        let lost = told.is_empty() || told.contains("Not recorded") || told.contains("cannot confirm");
        (!lost).then_some(())
    })
    .await;
}

/// Kills so many times, and starts again whoever was killed. Ends only when something that was recorded is gone: then it says what.
async fn undertaker(town: &Town, (kills, apart): (usize, u64), fate: &mut Fate, killed: &mut Vec<Victim>) -> String {
    let tap = town.tap.as_ref().expect("a tap");
    for _ in 0..kills {
        let (pause, victim) = fate.next(apart);
        if victim.spares_the_bot() {
            // Without a store a process does not start; somebody would have to start it again.
            town.ready().await;
        }
        tap.after(pause).await;
        let before = rows(town).await;
        if !victim.spares_the_bot() {
            town.kill();
            tap.nobody().await;
        }
        match victim {
            Victim::Bot => {}
            Victim::Redis | Victim::Both => town.redis().restart(),
            Victim::Answers => {
                town.redis().pause();
                town.until("a process that is not ready", async || {
                    (town.readiness().await == Some(503)).then_some(())
                })
                .await;
                town.redis().resume();
            }
        }
        killed.push(victim);
        let after = rows(town).await;
        if after < before {
            return format!("{after} rows are left of {before} that were recorded");
        }
        if victim.spares_the_bot() {
            // What it was asked before is done by the time it answers to this.
            town.ready().await;
            town.redis().shorten_leases(LEASE);
        } else {
            // What it had claimed is free at once.
            town.redis().end_all_leases();
            town.spawn();
        }
    }
    std::future::pending().await
}

/// How long the ledger is: each commit has a line there.
async fn rows(town: &Town) -> usize {
    let store = Redis::open(&town.redis().url()).expect("a store");
    let slot = slot();
    town.until("the ledger", async || {
        Some(store.ledger(&slot, 0, 1_000_000).await.ok()?.len())
    })
    .await
}

/// One migration and one switch. What is wrong after them, and what the account shows.
async fn round(kills: usize, fate: &mut Fate, killed: &mut Vec<Victim>) -> (Vec<String>, Value) {
    let town = town(&SAFE).await;
    let mut violations = Vec::new();
    tokio::select! {
        () = story(&town) => {}
        lost = undertaker(&town, (kills, APART), fate, killed) => violations.push(lost),
    }
    town.control("aws/deed", Value::Array(Vec::new())).await;
    let world = town.sandbox.world();
    let state = court::state(&sandbox::aws::snapshot(&world.aws()));
    let mut count = |what: &str, found: usize, expected: usize| {
        if found != expected {
            violations.push(format!("{what}: {found} instead of {expected}"));
        }
    };
    count("cards", cards(world).len(), 2);
    for ((channel, marker), times) in marked(world).into_iter().filter(|((_, marker), _)| marker != "none") {
        count(&format!("messages `{marker}` in {channel}"), times, 1);
        count(
            &format!("a stop `{marker}`"),
            usize::from(marker.contains("stopped")),
            0,
        );
    }
    count("announcements", said(&town, "stg is on green now."), 1);
    for (project, markers) in builds(&town) {
        count(&format!("runs that started {project}"), markers.len(), 1);
    }
    let store = Redis::open(&town.redis().url()).expect("a store");
    violations.extend(sound(&store, &slot(), AUDIT_KEY.as_bytes()).await);
    (violations, state)
}

fn said(town: &Town, words: &str) -> usize {
    let slack = town.sandbox.world().slack();
    let all = slack.messages(tests::scenario::DEPLOYS);
    all.filter(|message| message.text == words).count()
}

/// For each project, by which marks builds of it were asked for.
fn builds(town: &Town) -> BTreeMap<String, BTreeSet<String>> {
    let mut builds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in town.sandbox.world().log.since(0) {
        if entry.call != "aws.StartBuild" {
            continue;
        }
        let project = entry.arguments["projectName"].as_str().unwrap_or_default();
        let variables = entry.arguments["environmentVariablesOverride"].as_array();
        let mark = variables
            .into_iter()
            .flatten()
            .find(|one| one["name"] == "SIGNALBOX_RUN");
        let mark = mark.and_then(|one| one["value"].as_str()).unwrap_or("none");
        builds.entry(project.to_owned()).or_default().insert(mark.to_owned());
    }
    builds
}

/// A number that the environment gives.
fn given(name: &str) -> Option<u64> {
    std::env::var_os(name).and_then(|text| text.to_str()?.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_a_migration_and_a_switch_end_as_if_nothing_was() {
    let seed = given("SIGNALBOX_SEED").unwrap_or_else(rand::random);
    let kills = given("SIGNALBOX_RANDOM_KILLS").map_or(KILLS, |kills| usize::try_from(kills).expect("a number"));
    let mut fate = Fate::of(seed);
    let (mut killed, mut rounds, mut wrong, mut states) = (Vec::new(), 0, Vec::new(), Vec::new());
    let (mut quiet, mut nobody) = (Fate::of(0), Vec::new());
    let undisturbed = round(0, &mut quiet, &mut nobody);
    let disturbed = async {
        while killed.len() < kills {
            let share = (kills - killed.len()).min(A_ROUND);
            let (violations, state) = round(share, &mut fate, &mut killed).await;
            rounds += 1;
            wrong.extend(violations);
            states.push(state);
        }
    };
    let ((violations, expected), ()) = tokio::join!(undisturbed, disturbed);
    let count = |victim| killed.iter().filter(|one| **one == victim).count();
    println!(
        "{} random kills ({} of the bot, {} of Redis, {} of both, {} of answers) in {rounds} rounds, seed {seed}",
        killed.len(),
        count(Victim::Bot),
        count(Victim::Redis),
        count(Victim::Both),
        count(Victim::Answers)
    );
    if kills >= KILLS {
        for (victim, _) in Victim::DECK {
            assert!(count(victim) > 0, "seed {seed}: no {victim:?} among {kills}");
        }
    }
    assert!(violations.is_empty(), "undisturbed: {violations:#?}");
    assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    for state in states {
        assert_eq!(state, expected, "seed {seed}");
    }
}

/// The control: on a Redis that writes nothing down a kill loses what was recorded, and the proof says so.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_store_that_forgets_the_proof_fails() {
    let town = town(&["--appendonly", "no"]).await;
    let mut fate = Fate::of(0);
    let lost = async {
        heard(&town, "U0CARLA", court::MIGRATE).await;
        // Kills of the bot alone lose nothing: sooner or later it is Redis.
        undertaker(&town, (100, 5), &mut fate, &mut Vec::new()).await
    };
    let lost = lost.await;
    assert!(lost.contains("are left of"), "{lost}");
}
