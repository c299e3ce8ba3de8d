//! SIGKILL of the real process at each point at which it is known to be somewhere: before and after every commit, when it has claimed work, and while a
//! call of its own is under way or done without its knowing. At each point of the store also SIGKILL of Redis alone, while the process lives on.

#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use std::collections::BTreeMap;
use std::fmt;

use commands::ids::ServiceId;
use futures::future::join_all;
use sandbox::faults::{Fault, FaultKind};
use sandbox::slack::Message;
use serde_json::json;
use state::Store as _;
use state::audit::Key;
use state::redis::Redis;
use tests::process::{AUDIT_KEY, Town, cards};
use tests::scenario::{DEPLOYS, text_of};
use tests::tap::Side;
use tests::witness::marked;

/// What the process does outside of its store.
const CALLS: [&str; 5] = [
    "aws.PutApprovalResult",
    "slack.chat.postMessage",
    "slack.chat.update",
    "slack.conversations.open",
    "slack.response_url",
];

/// What a process that lives has claimed and does not know of, because the answer was lost, is free after so many seconds: a short lease.
const LEASE: u32 = 3;

/// A place in the life of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A commit, or a claim on an effect, on its way through the tap.
    Store(Side),
    /// A call has arrived and is carried out when the process is dead already.
    UnderWay,
    /// A call is done, and the process has not heard so.
    Done,
}

/// Who is killed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Bot,
    /// The process goes on without it.
    Redis,
}

/// One of them: the `nth` thing of a name in one release.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Point {
    name: String,
    nth: usize,
    place: Place,
    victim: Victim,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {} #{} {:?}", self.victim, self.name, self.nth, self.place)
    }
}

fn point(victim: Victim, name: &str, place: Place) -> Point {
    let name = name.to_owned();
    Point {
        name,
        nth: 1,
        place,
        victim,
    }
}

/// What is tried each time; `scripts/soak` tries everything that came by.
fn handful() -> Vec<Point> {
    vec![
        point(Victim::Bot, "commit block_actions", Place::Store(Side::After)),
        point(Victim::Bot, "claim answer", Place::Store(Side::After)),
        point(Victim::Bot, "aws.PutApprovalResult", Place::UnderWay),
        point(Victim::Bot, "aws.PutApprovalResult", Place::Done),
        point(Victim::Bot, "commit answer", Place::Store(Side::Before)),
        point(Victim::Bot, "slack.chat.postMessage", Place::Done),
        point(Victim::Redis, "commit block_actions", Place::Store(Side::After)),
        point(Victim::Redis, "claim answer", Place::Store(Side::After)),
        point(Victim::Redis, "commit answer", Place::Store(Side::Before)),
        point(Victim::Redis, "commit answer", Place::Store(Side::After)),
    ]
}

/// Every point of one release that went well.
fn all(seen: &BTreeMap<String, usize>, calls: &BTreeMap<String, usize>) -> Vec<Point> {
    let mut points = Vec::new();
    let mut add = |name: &String, count: usize, places: &[Place]| {
        for nth in 1..=count {
            for place in places {
                let of = |victim| Point {
                    name: name.clone(),
                    nth,
                    place: place.clone(),
                    victim,
                };
                points.push(of(Victim::Bot));
                // Redis is known to be somewhere only where it is spoken to.
                points.extend(matches!(place, Place::Store(_)).then(|| of(Victim::Redis)));
            }
        }
    };
    for (name, count) in seen {
        if name.starts_with("claim") {
            add(name, *count, &[Place::Store(Side::After)]);
        } else {
            add(name, *count, &[Place::Store(Side::Before), Place::Store(Side::After)]);
        }
    }
    for (name, count) in calls {
        add(name, *count, &[Place::UnderWay, Place::Done]);
    }
    points
}

/// A town whose gate is free and whose pipeline is quick.
async fn town() -> Town {
    let town = Town::tapped().await;
    town.card(&["waits for 2 of 2"]).await;
    for stage in ["Source", "Build", "Deploy"] {
        let quick = json!({ "pipeline": "wallet-service", "stage": stage, "seconds": 0 });
        town.control("aws/duration", quick).await;
    }
    let no = json!({ "pipeline": "wallet-service", "status": "Rejected" });
    town.control("aws/decide", no).await;
    town.card(&["rejected"]).await;
    rests(&town).await;
    town
}

/// One release to testnet, killed at a point, if one is given. Says whether it came by, and what is wrong.
async fn release(town: &Town, at: Option<&Point>) -> (bool, Vec<String>) {
    let world = town.sandbox.world();
    let since = world.log.newest();
    arm(town, at);
    let push =
        json!({ "pipeline": "wallet-service", "author": "carla", "message": "feat: one more", "files": ["README.md"] });
    let pushed = town.control("aws/push", push).await;
    let execution = pushed["execution"].as_str().unwrap_or_default();
    let killed = tokio::select! {
        () = undertaker(town, at) => true,
        () = story(town, execution) => false,
    };
    if killed {
        story(town, execution).await;
    }
    world.faults.clear(None);
    let mut violations = Vec::new();
    let mut count = |what: &str, found: usize| {
        if found != 1 {
            violations.push(format!("{what}: {found} instead of 1"));
        }
    };
    let answers = world.aws().approval_results();
    count(
        "answers that CodePipeline took",
        answers.iter().filter(|answer| answer.execution == execution).count(),
    );
    let puts = world.log.since(since);
    count(
        "answers that reached CodePipeline",
        puts.iter().filter(|entry| entry.call == CALLS[0]).count(),
    );
    count("cards", of(&cards(world), execution).len());
    for ((channel, marker), times) in marked(world).into_iter().filter(|((_, marker), _)| marker != "none") {
        count(&format!("messages `{marker}` in {channel}"), times);
    }
    (killed || at.is_none(), violations)
}

fn of<'a>(cards: &'a [Message], execution: &str) -> Vec<&'a Message> {
    cards.iter().filter(|card| text_of(card).contains(execution)).collect()
}

/// Says where the world is to stop.
fn arm(town: &Town, at: Option<&Point>) {
    let tap = town.tap.as_ref().expect("a tap");
    let fault = |kind| at.map(|point| Fault::once(&point.name, kind, u32::try_from(point.nth - 1).unwrap_or_default()));
    let mut stop = None;
    let fault = match at.map(|point| &point.place) {
        None => None,
        Some(Place::Store(side)) => {
            stop = at.map(|point| (point.name.clone(), point.nth, *side));
            None
        }
        Some(Place::UnderWay) => fault(FaultKind::HoldBefore),
        Some(Place::Done) => fault(FaultKind::HoldAfter),
    };
    tap.begin(stop);
    if let Some(fault) = fault {
        town.sandbox.world().faults.set(fault);
    }
}

/// Waits until the process has come to the point, kills it or its Redis there, lets what was on its way arrive, and starts another.
async fn undertaker(town: &Town, at: Option<&Point>) {
    let Some(point) = at else {
        return std::future::pending().await;
    };
    let (tap, world) = (town.tap.as_ref().expect("a tap"), town.sandbox.world());
    let calls = |world: &sandbox::World| {
        let log = world.log.since(0);
        log.iter().filter(|entry| entry.call == point.name).count()
    };
    if matches!(point.place, Place::Store(_)) {
        tap.reached().await;
        if point.victim == Victim::Redis {
            town.redis().restart();
            tap.release();
            town.ready().await;
            // What it claimed without knowing so; what it knows of, it is done with sooner.
            return town.redis().shorten_leases(LEASE);
        }
        town.kill();
    } else {
        world.faults.wait_held().await;
        town.kill();
        let before = calls(world);
        world.faults.clear(None);
        town.sees("the call's end", |world| (calls(world) > before).then_some(()))
            .await;
    }
    tap.release();
    town.redis().end_all_leases();
    town.spawn();
    town.ready().await;
}

/// From the push to the end, as people see it; told anew it goes on where it is.
async fn story(town: &Town, execution: &str) {
    let evidence = ["1 alarm quiet", "*migrations-touched*: no migrations"];
    let waits = |card: &Message| text_of(card).contains("waits for");
    let card = town
        .sees("a card with its evidence", |world| {
            let cards = cards(world);
            let card = *of(&cards, execution).first()?;
            let ready = evidence.iter().all(|word| text_of(card).contains(word));
            (ready || !waits(card)).then(|| card.clone())
        })
        .await;
    // Somebody whose press is not heard presses again; once it is decided there is no such button.
    let click = json!({ "user": "U0ANN", "channel": DEPLOYS, "ts": card.ts, "action_id": "approve" });
    town.until("an ear", async || {
        let heard = town.control("slack/click", click.clone()).await;
        (heard["status"] == 200 || heard["error"] == "no_such_button").then_some(())
    })
    .await;
    town.card(&[execution, "released"]).await;
    rests(town).await;
}

/// Returns when nothing is owed.
async fn rests(town: &Town) {
    let store = Redis::open(&town.redis().url()).expect("a store");
    let wallet = wallet();
    town.until("nothing that is owed", async || {
        store.outbox(&wallet).await.ok()?.is_empty().then_some(())
    })
    .await;
}

fn wallet() -> ServiceId {
    ServiceId::parse("wallet").expect("a name")
}

/// Kills at each of these points, one after the other. Says which did not come by, and what is wrong.
async fn kill_at(town: &Town, points: &[Point]) -> (Vec<String>, Vec<String>) {
    let (mut missed, mut wrong) = (Vec::new(), Vec::new());
    for point in points {
        let (reached, violations) = release(town, Some(point)).await;
        if !reached {
            missed.push(point.to_string());
        }
        wrong.extend(violations.iter().map(|violation| format!("{point}: {violation}")));
    }
    let store = Redis::open(&town.redis().url()).expect("a store");
    let key = Key::new(AUDIT_KEY.as_bytes()).expect("a key");
    let report = state::audit::verify(&store, &[wallet()], &key, &[])
        .await
        .expect("a report");
    wrong.extend(report.findings.iter().map(ToString::to_string));
    (missed, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_the_process_answers_once() {
    let everything = std::env::var_os("SIGNALBOX_KILLS").is_some_and(|which| which == "all");
    let town = town().await;
    let (points, towns) = if everything {
        let since = town.sandbox.world().log.newest();
        let (_, wrong) = release(&town, None).await;
        assert_eq!(wrong, [""; 0]);
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for entry in town.sandbox.world().log.since(since) {
            if CALLS.contains(&entry.call.as_str()) {
                *calls.entry(entry.call).or_default() += 1;
            }
        }
        let seen = town.tap.as_ref().expect("a tap").seen();
        (all(&seen, &calls), vec![town, self::town().await])
    } else {
        (handful(), vec![town])
    };
    let share = points.len().div_ceil(towns.len());
    let parts = points
        .chunks(share)
        .zip(&towns)
        .map(|(points, town)| kill_at(town, points));
    let results = join_all(parts).await;
    let missed: Vec<&String> = results.iter().flat_map(|(missed, _)| missed).collect();
    let wrong: Vec<&String> = results.iter().flat_map(|(_, wrong)| wrong).collect();
    println!(
        "{} of {} kill points were reached and survived, {} did not come by: {missed:?}",
        points.len() - missed.len(),
        points.len(),
        missed.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        everything || missed.is_empty(),
        "these come by in every release: {missed:?}"
    );
}
