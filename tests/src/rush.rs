//! Two replicas on one Redis: sixteen people press *Approve* at once, the replica that is to tell CodePipeline is lost on the way, the other takes over.

use std::sync::Arc;

use async_trait::async_trait;
use bot::door::{Call, DoorError, Outgoing};
use bytes::Bytes;
use demo::{Options, Stored};
use futures::future::join_all;
use sandbox::faults::{Fault, FaultKind};
use serde_json::json;
use state::redis::Redis;
use state::testing::RedisServer;
use tokio::sync::watch;

use crate::cut::{Cut, Cutter, Moment, Point};
use crate::network::Network;
use crate::scenario::{DEPLOYS, Scenario, options};
use crate::witness::{Witness, wallet};

/// Who presses, in turn.
const VOTERS: [&str; 2] = ["U0ANN", "U0BRUNO"];
const PRESSES: usize = 16;
const PUT: &str = "CodePipeline.PutApprovalResult";

/// What becomes of the replica that tells CodePipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It does its work.
    None,
    /// It is killed when everything is recorded and nothing was sent.
    Killed,
    /// Its call gets stuck on the way, and its lease ends meanwhile; later the call goes through after all.
    Stalled,
}

/// Lets the rush happen and says what is wrong afterwards, in words; `layers` come between the replicas and their store.
pub async fn rush(loss: Loss, layers: impl FnOnce(&mut Options)) -> Vec<String> {
    let redis = RedisServer::start();
    let mut options = options(Stored::Redis(redis.url()));
    options.replicas = 2;
    options.config = options.config.replace("required = 2", "required = 1");
    layers(&mut options);
    let cutter = Cutter::new((loss == Loss::Killed).then(before_the_answer));
    cutter.stand_between(&mut options);
    let (go, told) = watch::channel(false);
    wait_before_the_answer(&mut options, told);
    let town = Scenario::with(options).await;
    let _network = Network::between(&town, 1).await;
    let mut violations = everybody_presses(&town).await;
    if loss == Loss::Stalled {
        let stuck = Fault::once("aws.PutApprovalResult", FaultKind::HoldBefore, 0);
        town.rig.sandbox().world().faults.set(stuck);
    }
    go.send_replace(true);
    take_over(&town, &redis, &cutter, loss).await;
    town.until("an answer to CodePipeline", |town| {
        (!town.answers().is_empty()).then_some(())
    })
    .await;
    town.rig.sandbox().world().faults.clear(None);
    town.passes(60);
    town.card_in_time(&["released"]).await;
    town.hears("D0DANA", "").await;
    let store = Redis::open(&redis.url()).expect("a store");
    let witness = Witness {
        town: &town,
        store: &store,
        votes: 1,
        asked: if loss == Loss::Stalled { 2 } else { 1 },
    };
    witness.rest(cutter.commits()).await;
    violations.extend(witness.outside());
    violations.extend(witness.inside().await);
    town.rig.kill().await;
    violations
}

fn before_the_answer() -> Cut {
    let point = Point {
        name: PUT.to_owned(),
        nth: 1,
    };
    Cut {
        point,
        moment: Moment::Before,
    }
}

/// All presses at once; whoever was heard is told whether they decided or came too late.
async fn everybody_presses(town: &Scenario) -> Vec<String> {
    town.passes(5);
    let card = town
        .card_in_time(&["mainnet", "v1.4.2", "waits for", "2 alarms quiet", "1 migration."])
        .await;
    let http = reqwest::Client::new();
    let press = async |number: usize| {
        let user = VOTERS[number % VOTERS.len()];
        let body = json!({ "user": user, "channel": DEPLOYS, "ts": card.ts, "action_id": "approve" });
        let url = format!("{}/control/slack/click", town.rig.sandbox().url());
        let sent = http.post(url).json(&body).send().await.expect("the sandbox answers");
        sent.status().as_u16()
    };
    // Whoever comes after the card has moved on finds no button any more.
    let statuses = join_all((0..PRESSES).map(press)).await;
    let heard = statuses.iter().filter(|status| **status == 200).count();
    let told = town
        .until("a word to each", |town| {
            let told: Vec<String> = VOTERS.iter().flat_map(|user| town.whispers(user)).collect();
            (told.len() == heard).then_some(told)
        })
        .await;
    let decided = told.iter().filter(|text| text.contains("Recorded")).count();
    let late = told
        .iter()
        .filter(|text| text.contains("othing was sent twice"))
        .count();
    if (decided, late) == (1, heard - 1) {
        return Vec::new();
    }
    vec![format!("{decided} of {heard} are told that they decided: {told:#?}")]
}

/// What is lost with a replica becomes free at once, and not when its lease ends.
async fn take_over(town: &Scenario, redis: &RedisServer, cutter: &Cutter, loss: Loss) {
    match loss {
        Loss::None => {}
        Loss::Killed => {
            let bot = cutter.fell().await;
            town.rig.kill_one(bot - 1).await;
            redis.end_leases(&wallet(), &cutter.held_by(bot));
        }
        Loss::Stalled => {
            town.rig.sandbox().world().faults.wait_held().await;
            let held = [1, 2].into_iter().flat_map(|bot| cutter.held_by(bot));
            let answer = held.filter(|key| key.as_str().starts_with("answer:"));
            redis.end_leases(&wallet(), &answer.collect());
        }
    }
}

/// Waits with the answer to CodePipeline until everybody was told what they did.
struct Patient {
    door: Arc<dyn Outgoing>,
    go: watch::Receiver<bool>,
}

#[async_trait]
impl Outgoing for Patient {
    async fn send(&self, call: Call) -> Result<http::Response<Bytes>, DoorError> {
        if call.name == PUT && self.go.clone().wait_for(|go| *go).await.is_err() {
            return Err(DoorError::NotSent("the rush is over".to_owned()));
        }
        self.door.send(call).await
    }
}

fn wait_before_the_answer(options: &mut Options, go: watch::Receiver<bool>) {
    let inner = options.door.take();
    options.door = Some(Arc::new(move |door| {
        let door = inner
            .as_ref()
            .map_or_else(|| Arc::clone(&door), |wrap| wrap(Arc::clone(&door)));
        Arc::new(Patient { door, go: go.clone() })
    }));
}
