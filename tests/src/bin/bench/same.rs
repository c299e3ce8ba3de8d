//! Whether both servers do the same job: the same delivery, on two stores that were filled alike, must give the same answer and leave the same behind.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use commands::ids::{RecordId, ServiceId};
use commands::time::Timestamp;
use serde_json::{Value, json};
use state::redis::Redis;
use state::testing::RedisServer;
use state::{Load, Store as _, Wanted};

use super::data::{self, Open};
use super::drive;
use super::servers::{self, Places, Side};
use super::slack::{self, Delivery};
use super::stub::Stub;
use super::wire::Connection;

/// What must be equal, by what it is.
type Seen = Vec<(&'static str, Value)>;

/// Compares, prints what differs, and fails when something does.
///
/// # Errors
/// When a server does not start, or something differs.
pub(crate) async fn compare(places: &Places) -> Result<()> {
    let now = Timestamp(i64::try_from(drive::epoch().as_millis())?);
    let ours = seen(places, Side::Bot, now).await?;
    let theirs = seen(places, Side::Bolt, now).await?;
    let mut failed = 0;
    for ((what, one), (_, other)) in ours.iter().zip(&theirs) {
        if one == other {
            println!("ok      {what}");
        } else {
            failed += 1;
            println!("FAILED  {what}\n  signalbox: {one}\n  bolt-js:   {other}");
        }
    }
    println!("same answers: {} passed, {failed} failed", ours.len() - failed);
    if failed > 0 {
        bail!("the two servers do not do the same job")
    } else {
        Ok(())
    }
}

async fn seen(places: &Places, side: Side, now: Timestamp) -> Result<Seen> {
    let redis = RedisServer::start();
    data::fill(&redis.url(), 100, now).await?;
    let open = data::open(&redis.url(), 200, now).await?;
    let stub = Stub::start().await?;
    let server = servers::start(places, side, &redis.url(), stub.address).await?;
    let status = ask(server.address, &slack::status(1, stub.address)).await?;
    let click = open.first().context("no run waits")?;
    let pressed = ask(
        server.address,
        &slack::approve(&click.service, &click.run, 1, stub.address),
    )
    .await?;
    let reply = reply(&stub).await?;
    let stored = stored(&redis.url(), click).await?;
    // The same delivery again must be told the same and change nothing.
    let again = ask(
        server.address,
        &slack::approve(&click.service, &click.run, 1, stub.address),
    )
    .await?;
    let told_again = self::reply(&stub).await?;
    let still = self::stored(&redis.url(), click).await?;
    Ok(vec![
        ("the answer to /deploy status", status),
        ("the acknowledgement of a click", pressed),
        ("the reply to a click", reply.clone()),
        ("what a click leaves in the store", stored.clone()),
        ("the acknowledgement of the same click again", again),
        (
            "the reply to the same click again is the first one",
            json!(told_again == reply),
        ),
        ("the same click again changes nothing", json!(still == stored)),
    ])
}

/// The status and the body, read as JSON when it is some.
async fn ask(server: SocketAddr, delivery: &Delivery) -> Result<Value> {
    let mut connection = Connection::open(server).await?;
    let answer = connection
        .ask(&delivery.request(server, drive::epoch().as_secs())?)
        .await?;
    let body = String::from_utf8(answer.body)?;
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    Ok(json!({"status": answer.status, "body": body}))
}

/// What came by `response_url`, when it came: after the acknowledgement.
async fn reply(stub: &Stub) -> Result<Value> {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(5));
    for _ in 0..1000 {
        tick.tick().await;
        let reply = std::mem::take(&mut stub.replies().last);
        if !reply.is_empty() {
            return Ok(serde_json::from_slice(&reply)?);
        }
    }
    bail!("no reply came")
}

/// The run, its newest journal row and what is owed, without what differs from one moment or one key to the next.
async fn stored(url: &str, open: &Open) -> Result<Value> {
    let store = Redis::open(url)?;
    let (slot, id) = (ServiceId::parse(&open.service)?, RecordId::parse(&open.run)?);
    let load = Load {
        slot: slot.clone(),
        records: vec![Wanted {
            id: id.clone(),
            known: 0,
        }],
        open_under: None,
        held: Vec::new(),
        delivery: None,
    };
    let loaded = store.load(load).await?;
    let record = loaded.records.first().context("the run is gone")?;
    let rows = store.journal(&slot, &id, record.rows - 1, 1).await?;
    let row = rows.first().context("its journal is empty")?;
    let effects = store.outbox(&slot).await?;
    // What the bot owes to AWS and for the card by itself is no part of a click.
    let owed: Vec<Value> = effects
        .iter()
        .filter(|effect| effect.key.as_str().contains(id.as_str()))
        .map(|effect| Ok(json!({"key": effect.key.as_str(), "body": serde_json::from_str::<Value>(&effect.body)?})))
        .collect::<Result<_>>()?;
    let mut fold: Value = serde_json::from_str(record.fold.as_deref().context("no fold")?)?;
    let mut event: Value = serde_json::from_str(&row.event)?;
    blank(&mut fold, "/changed_at");
    blank(&mut fold, "/votes/0/at");
    blank(&mut event, "/vote/at");
    Ok(
        json!({"version": record.version, "rows": record.rows, "fold": fold, "event": event, "actor": row.actor, "channel": row.channel,
        "cause": row.cause, "reason": row.reason, "owed": owed}),
    )
}

fn blank(value: &mut Value, pointer: &str) {
    if let Some(found) = value.pointer_mut(pointer) {
        *found = Value::Null;
    }
}
