//! Both backends pass one suite.

use std::sync::Arc;

use state::embedded::Embedded;
use state::redis::Redis;
use state::testing::{RedisCluster, RedisServer};
use state::{Store, contract};

#[tokio::test]
async fn embedded_in_memory() {
    contract::suite(async || Arc::new(Embedded::in_memory().expect("a store")) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn embedded_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(Embedded::open(folder.path().join("signalbox.redb")).expect("a store"));
    contract::suite(async || Arc::clone(&store)).await;
}

#[tokio::test]
async fn redis_alone() {
    let server = RedisServer::start();
    contract::suite(async || Arc::new(Redis::open(&server.url()).expect("a store")) as Arc<dyn Store>).await;
}

/// The user that docs/operations.md recommends: everything that the store needs, and nothing besides.
const USER: &str =
    "on >pw ~sb2:* resetchannels -@all +@read +@write +@scripting +@transaction +@connection +time +info +config|get";

#[tokio::test]
async fn redis_as_a_user_that_may_no_more_than_it_needs() {
    let manual = include_str!("../../docs/operations.md");
    let rules = USER.trim_start_matches("on >pw ");
    assert!(manual.contains(rules), "docs/operations.md has `{rules}`");
    let settings = ["--user", "default", "off", "--user", "signalbox"];
    let settings: Vec<&str> = settings.into_iter().chain(USER.split(' ')).collect();
    let server = RedisServer::start_with(&settings);
    let url = format!("redis://signalbox:pw@{}", server.address());
    contract::suite(async || Arc::new(Redis::open(&url).expect("a store")) as Arc<dyn Store>).await;
}

/// Every script's keys fall into one slot, else a node answers CROSSSLOT; the services spread over the three nodes.
#[tokio::test(flavor = "multi_thread")]
async fn redis_in_a_cluster() {
    let cluster = RedisCluster::start();
    contract::suite(async || Arc::new(Redis::open(&cluster.url()).expect("a store")) as Arc<dyn Store>).await;
}

/// A plain URL that turns out to name a node of a cluster is understood as such.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster() {
    let cluster = RedisCluster::start();
    let url = cluster.nodes()[1].url();
    contract::suite(async || Arc::new(Redis::open(&url).expect("a store")) as Arc<dyn Store>).await;
}
