//! Maintenance mode through the real edges: a key in the service's own Redis, and the question on the card of a run with migrations.
#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what its functions share"
)]

use bot::secret::Secret;
use demo::Stored;
use serde_json::{Value, json};
use state::redis::foreign::Foreign;
use state::testing::RedisServer;
use tests::scenario::{Scenario, options, shared_store, text_of};

const CONFIG: &str = include_str!("../../runbooks/hathor.toml");
const KEY: &str = "walletsvc:maintenance";

/// A bot, and the Redis of the service that it steers.
async fn town() -> (Scenario, RedisServer) {
    town_on(shared_store()).await
}

async fn town_on(stored: Stored) -> (Scenario, RedisServer) {
    let redis = RedisServer::start();
    let mut options = options(stored);
    options.config = CONFIG.to_owned();
    options
        .secrets
        .insert("WALLET_REDIS_URL".to_owned(), Secret::new(redis.url()));
    (Scenario::with(options).await, redis)
}

/// What the service reads.
async fn key(redis: &RedisServer) -> Option<Value> {
    let text = Foreign::open(&redis.url())
        .expect("an address")
        .get(KEY)
        .await
        .expect("an answer")?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

async fn shows(town: &Scenario, with: &[&str]) -> String {
    let card = town
        .in_time(&format!("a card with {with:?}"), |town| town.cards_with(with).pop())
        .await;
    text_of(&card)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_turned_read_reminded_of_and_ended() {
    let (town, mut redis) = town().await;
    town.says("U0RITA", "/maintenance status mainnet").await;
    shows(&town, &["maintenance · wallet → mainnet · it is off"]).await;
    town.says("U0CARLA", "/maintenance on mainnet for 30m a schema {change}")
        .await;
    shows(&town, &["maintenance on · wallet → mainnet · done"]).await;
    let told = key(&redis).await.expect("it is there");
    assert_eq!(
        (&told["reason"], told["until"].is_string()),
        (&Value::from("a schema {change}"), true)
    );
    let status = town.says("U0RITA", "/deploy status mainnet").await;
    assert!(status.text.contains("maintenance is on"), "{}", status.text);

    town.passes(25 * 60);
    town.hears_in_time("maintenance of mainnet is to end").await;
    town.passes(5 * 60);
    town.hears_in_time("maintenance of mainnet is still on").await;
    assert!(key(&redis).await.is_some(), "it goes off by itself only if asked");

    // A Redis that is gone tells nothing: neither on nor off.
    redis.kill();
    town.says("U0RITA", "/maintenance status mainnet").await;
    let card = shows(
        &town,
        &["maintenance · wallet → mainnet · nobody can tell whether it is on"],
    )
    .await;
    assert!(
        card.contains("cannot be reached") && card.contains("From here it was turned on"),
        "{card}"
    );
    town.says("U0CARLA", "/maintenance off mainnet").await;
    town.card_in_time(&["maintenance off · wallet → mainnet", "looks at what is there"])
        .await;
    redis.restart();
    shows(&town, &["maintenance off · wallet → mainnet · done"]).await;
    assert_eq!(key(&redis).await, None);
    assert!(
        !town.transcript().contains(&redis.address()),
        "its address is nobody's business"
    );
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_asks_turns_it_on_approves_and_offers_to_turn_it_off() {
    let (town, redis) = town().await;
    let asked = [
        "mainnet",
        "v1.4.2",
        "waits for",
        "1 migration.",
        "This run touches migrations",
        "Turn on, then approve",
    ];
    let card = town.card_in_time(&asked).await;
    town.passes(16);
    town.presses("U0ANN", &card.ts, "maintenance_approve").await;
    town.card_in_time(&[
        "mainnet",
        "v1.4.2",
        "Approved 1 of 2",
        "maintenance was turned on first",
    ])
    .await;
    assert!(key(&redis).await.is_some());
    town.presses("U0BRUNO", &card.ts, "approve").await;
    town.card_in_time(&["wallet → mainnet", "released"]).await;
    let note = town.hears_in_time("maintenance of mainnet is still on").await;
    town.presses("U0ANN", &note.ts, "maintenance_off").await;
    shows(&town, &["maintenance off · wallet → mainnet · done"]).await;
    assert_eq!(key(&redis).await, None, "who turned it on may turn it off");
    town.ends().await;
}

/// The check goes by what the service reads, whoever put it there; what cannot be read is unknown, and stops production.
#[tokio::test(flavor = "multi_thread")]
async fn the_card_goes_by_what_is_there_and_not_by_what_was_asked_for() {
    let (town, mut redis) = town().await;
    let about = ["mainnet", "v1.4.2", "waits for"];
    let with = |words: &[&'static str]| [&about[..], words].concat();
    let card = town
        .card_in_time(&with(&["maintenance: off", "Turn on, then approve"]))
        .await;
    // Somebody turns it on by hand, and nobody tells the bot.
    let by_hand = Foreign::open(&redis.url()).expect("an address");
    by_hand
        .swap(KEY, (None, Some("by hand")), None)
        .await
        .expect("it is set");
    town.says("U0RITA", "/deploy check mainnet").await;
    let on = town
        .card_in_time(&with(&["maintenance: on. This run touches migrations"]))
        .await;
    assert!(!text_of(&on).contains("Turn on, then approve"), "{}", text_of(&on));
    redis.kill();
    town.says("U0RITA", "/deploy check mainnet").await;
    let unknown = [
        "whether maintenance is on cannot be told",
        "cannot be reached",
        "This stops an approval",
    ];
    town.card_in_time(&with(&unknown)).await;
    let refused = town.says("U0ANN", "/deploy approve mainnet v1.4.2").await;
    assert!(
        refused.text.contains("Checks are in the way: maintenance-asked"),
        "{}",
        refused.text
    );
    redis.restart();
    takes_away(&redis).await;
    town.says("U0RITA", "/deploy check mainnet").await;
    town.card_in_time(&with(&["maintenance: off", "Turn on, then approve"]))
        .await;
    // What is turned on from here, cards that wait hear of at once; what somebody takes away behind the bot's back is off.
    town.says("U0CARLA", "/maintenance on mainnet").await;
    town.card_in_time(&with(&["maintenance: on. This run touches migrations"]))
        .await;
    // It makes alarms ring while it is on, and explains nothing when it is not.
    let rings = json!({ "name": "wallet-service-mainnet-errors-major", "state": "ALARM" });
    town.control("aws/alarm", rings).await;
    town.says("U0RITA", "/deploy check mainnet").await;
    town.card_in_time(&with(&["1 alarm in alarm: red while maintenance is on"]))
        .await;
    takes_away(&redis).await;
    town.says("U0RITA", "/deploy check mainnet").await;
    town.card_in_time(&with(&[
        "maintenance: off, though it was turned on from here",
        "1 alarm in alarm: maintenance was turned on from here, but is not seen to be on",
        "This stops an approval",
    ]))
    .await;
    assert_eq!(town.card_in_time(&with(&[])).await.ts, card.ts);
    town.ends().await;
}

/// Somebody takes the key away.
async fn takes_away(redis: &RedisServer) {
    let foreign = Foreign::open(&redis.url()).expect("an address");
    let now = foreign.get(KEY).await.expect("an answer");
    foreign
        .swap(KEY, (now.as_deref(), None), None)
        .await
        .expect("it is gone");
}

/// The bot is killed while it turns maintenance on for an approval: it is turned on, and there is one vote.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_survives_a_crash_and_is_done_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (town, mut redis) = town_on(Stored::File(folder.path().join("store"))).await;
    let asked = [
        "mainnet",
        "v1.4.2",
        "waits for",
        "This run touches migrations",
        "Turn on, then approve",
    ];
    let card = town.card_in_time(&asked).await;
    town.passes(16);
    // Nothing can be turned while the Redis is gone: the bot is killed on its way.
    redis.kill();
    town.presses("U0ANN", &card.ts, "maintenance_approve").await;
    town.card_in_time(&["maintenance on · wallet → mainnet", "looks at what is there"])
        .await;
    town.rig.restart().await.expect("a restart");
    redis.restart();
    town.card_in_time(&["mainnet", "v1.4.2", "Approved 1 of 2"]).await;
    town.rig.restart().await.expect("a restart");
    assert!(key(&redis).await.is_some());
    let card = town.card_in_time(&["mainnet", "v1.4.2", "Approved 1 of 2"]).await;
    assert_eq!(text_of(&card).matches("maintenance was turned on first").count(), 1);
    shows(&town, &["maintenance on · wallet → mainnet · done"]).await;
    assert_eq!(town.cards_with(&["maintenance on · wallet → mainnet"]).len(), 1);
    town.ends().await;
}
