//! A domain over HTTP, without a server.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{act, routes};
use crate::aws::place::Place;
use crate::clock::Clock;
use crate::world::World;

async fn ask(router: &Router, path: &str, signed: bool) -> (u16, Value) {
    let mut request = Request::get(path);
    if signed {
        request = request.header("authorization", "Basic eDp5");
    }
    let response = router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_reindex_makes_progress_and_is_a_task_until_it_is_done() {
    let world = World::new(Clock::frozen(1_795_269_600_000));
    let router = Router::new().nest_service("/opensearch", routes(&world));
    {
        let mut account = world.aws();
        let region = account.region(&Place::home());
        let seed = json!({"name": "search-beta", "indices": {"efcms-case": 0, "efcms-user": 7}});
        region.plant_search(&serde_json::from_value(seed).unwrap());
        let deed = json!({"reindex": {"domain": "search-beta", "index": "efcms-case", "until": 100, "per_second": 10}});
        act(region, &serde_json::from_value(deed).unwrap()).unwrap();
    }
    world.clock.jump(4_000);
    let at = |path: &str| format!("/opensearch/search-beta/{path}");
    assert_eq!(ask(&router, &at("efcms-case/_count"), true).await.1["count"], 40);
    assert_eq!(ask(&router, &at("efcms-*/_count"), true).await.1["count"], 47);
    let tasks = ask(&router, &at("_tasks?actions=*reindex"), true).await.1;
    assert_eq!(
        tasks["nodes"]["n1"]["tasks"]["n1:0"]["action"],
        "indices:data/write/reindex"
    );
    world.clock.jump(60_000);
    assert_eq!(ask(&router, &at("efcms-case/_count"), true).await.1["count"], 100);
    assert_eq!(
        ask(&router, &at("_tasks?actions=*reindex"), true).await.1,
        json!({"nodes": {}})
    );
    assert_eq!(ask(&router, &at("_cluster/health"), true).await.1["status"], "green");
    assert_eq!(
        ask(&router, &at("_cat/indices?format=json"), true).await.1[1]["docs.count"],
        "7"
    );
    for (path, signed, status) in [
        (at("none/_count"), true, 404),
        (at("_count"), false, 403),
        ("/opensearch/none/_count".to_owned(), true, 404),
        (at("_search"), true, 400),
    ] {
        assert_eq!(ask(&router, &path, signed).await.0, status, "{path}");
    }
}
