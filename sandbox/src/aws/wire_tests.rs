//! The HTTP side, asked as clients ask it: three protocols, signatures, faults, the log, and a poll that waits.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{Push, cbor, push, routes, start_engine};
use crate::clock::Clock;
use crate::faults::{Fault, FaultKind};
use crate::world::{Change, World};

const START: i64 = 1_795_269_600_000;
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20261121/eu-central-1/service/aws4_request, SignedHeaders=host, Signature=0";

struct Asker {
    world: Arc<World>,
    router: Router,
}

impl Asker {
    fn new() -> Self {
        let world = World::new(Clock::frozen(START));
        let router = Router::new().nest_service("/aws", routes(&world));
        Self { world, router }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, http::HeaderMap, Vec<u8>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX)
            .await
            .map(|bytes| bytes.to_vec())
            .unwrap_or_default();
        (parts.status, parts.headers, bytes)
    }

    async fn json(&self, target: &str, arguments: Value) -> (StatusCode, Value) {
        let request = Request::post("/aws/")
            .header("authorization", SIGNED)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(Body::from(arguments.to_string()));
        let (status, headers, body) = self.send(request.unwrap()).await;
        assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn state(&self, name: &str) -> Value {
        self.json("CodePipeline_20150709.GetPipelineState", json!({"name": name}))
            .await
            .1
    }

    async fn token(&self) -> String {
        let state = self.state("wallet-service").await;
        state["stageStates"][2]["actionStates"][0]["latestExecution"]["token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn approve(&self, token: &str) -> (StatusCode, Value) {
        let place = json!({"pipelineName": "wallet-service", "stageName": "Approve", "actionName": "Approval", "token": token,
            "result": {"status": "Approved", "summary": "ok"}});
        self.json("CodePipeline_20150709.PutApprovalResult", place).await
    }

    fn fault(&self, target: &str, kind: FaultKind) {
        self.world.faults.set(Fault::once(target, kind, 0));
    }
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_in_json_and_in_cbor_with_and_without_a_slash() {
    let asker = Asker::new();
    let (_, as_json) = asker.json("CodePipeline_20150709.ListPipelines", json!({})).await;
    assert_eq!(as_json["pipelines"].as_array().unwrap().len(), 3);
    for path in ["/aws/service/CodePipeline_20150709/operation/ListPipelines"] {
        let request = Request::post(path)
            .header("authorization", SIGNED)
            .header("smithy-protocol", "rpc-v2-cbor");
        let (status, headers, body) = asker
            .send(request.body(Body::from(cbor::encode(&json!({})))).unwrap())
            .await;
        assert_eq!(
            (status, headers["smithy-protocol"].to_str().unwrap()),
            (StatusCode::OK, "rpc-v2-cbor")
        );
        assert_eq!(cbor::decode(&body).unwrap(), as_json);
    }
    for path in ["/aws", "/aws/"] {
        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        let request = Request::post(path)
            .header("authorization", SIGNED)
            .body(Body::from(form))
            .unwrap();
        let (status, _, body) = asker.send(request).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(
            text.contains("<Arn>arn:aws:iam::111122223333:user/signalbox</Arn>"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_understood_or_is_not_signed_is_refused_and_logged() {
    let asker = Asker::new();
    let (status, answer) = asker.json("CodePipeline_20150709.DeletePipeline", json!({})).await;
    assert_eq!(
        (status, &answer["__type"]),
        (StatusCode::BAD_REQUEST, &json!("UnknownOperationException"))
    );
    let broken = Request::post("/aws/service/CodePipeline_20150709/operation/ListPipelines")
        .header("authorization", SIGNED)
        .header("smithy-protocol", "rpc-v2-cbor");
    let (status, _, body) = asker.send(broken.body(Body::from("{}")).unwrap()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(cbor::decode(&body).unwrap()["__type"], "SerializationException");
    let unsigned = Request::builder()
        .method(Method::HEAD)
        .uri("/aws/wallet-releases/wallet-service.zip");
    assert_eq!(
        asker.send(unsigned.body(Body::empty()).unwrap()).await.0,
        StatusCode::FORBIDDEN
    );
    let notes: Vec<String> = asker.world.log.since(0).into_iter().map(|entry| entry.note).collect();
    assert_eq!(
        notes,
        ["UnknownOperationException", "SerializationException", "AccessDenied"]
    );
}

#[tokio::test]
async fn a_lost_answer_is_done_once_and_the_log_shows_no_token() {
    let asker = Asker::new();
    asker.world.clock.jump(5_000);
    let token = asker.token().await;
    asker.fault("aws.PutApprovalResult", FaultKind::LoseAnswer);
    let place = json!({"pipelineName": "wallet-service", "stageName": "Approve", "actionName": "Approval", "token": token,
        "result": {"status": "Approved", "summary": "mine"}});
    let request = Request::post("/aws")
        .header("authorization", SIGNED)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "CodePipeline_20150709.PutApprovalResult");
    let (_, _, body) = asker.send(request.body(Body::from(place.to_string())).unwrap()).await;
    assert!(body.is_empty(), "no answer came");
    let (status, again) = asker.approve(&token).await;
    assert_eq!(
        (status, &again["__type"]),
        (StatusCode::BAD_REQUEST, &json!("ApprovalAlreadyCompletedException"))
    );
    assert_eq!(asker.world.aws().approval_results().len(), 1);
    let log = asker.world.log.since(0);
    let puts: Vec<_> = log
        .iter()
        .filter(|entry| entry.call == "aws.PutApprovalResult")
        .collect();
    assert_eq!(
        puts.iter().map(|entry| (entry.status, entry.done)).collect::<Vec<_>>(),
        [(0, true), (400, false)]
    );
    assert!(!serde_json::to_string(&log).unwrap().contains(&token));
    assert!(puts[0].arguments["token"].as_str().unwrap().starts_with("sha256:"));
}

#[tokio::test]
async fn a_throttled_or_failed_call_does_nothing() {
    let asker = Asker::new();
    asker.world.clock.jump(5_000);
    let token = asker.token().await;
    for (kind, status, code) in [
        (
            FaultKind::Throttle { retry_after: 1 },
            StatusCode::BAD_REQUEST,
            "ThrottlingException",
        ),
        (FaultKind::Fail, StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
        (
            FaultKind::Refuse {
                error: "AccessDeniedException".into(),
            },
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
        ),
    ] {
        asker.fault("aws.Put*", kind);
        let (found, answer) = asker.approve(&token).await;
        assert_eq!((found, &answer["__type"]), (status, &json!(code)));
    }
    assert!(asker.world.aws().approval_results().is_empty());
    assert_eq!(asker.token().await, token, "the token is as good as before");
    assert_eq!(asker.approve(&token).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_long_poll_waits_for_the_first_message() {
    let asker = Asker::new();
    let poll = asker.json(
        "AmazonSQS.ReceiveMessage",
        json!({"QueueUrl": "x/signalbox-events", "WaitTimeSeconds": 20}),
    );
    tokio::pin!(poll);
    assert!(futures::poll!(&mut poll).is_pending(), "the seed leaves no message");
    asker.world.clock.jump(1_000);
    let (status, answer) = poll.await;
    assert_eq!(status, StatusCode::OK);
    let event: Value = serde_json::from_str(answer["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&event["source"], &event["detail"]["stage"]),
        (&json!("aws.codepipeline"), &json!("Source"))
    );
}

#[tokio::test]
async fn the_engine_moves_pipelines_when_the_clock_is_jumped() {
    let world = World::new(Clock::frozen(START));
    let mut changes = world.listen();
    let stop = CancellationToken::new();
    start_engine(&world, &stop);
    world.clock.jump(3_000);
    loop {
        if changes.recv().await.unwrap() == Change::Aws && world.aws().open_approval("wallet-service", None).is_ok() {
            break;
        }
    }
    stop.cancel();
}

#[tokio::test]
async fn a_push_makes_commits_and_starts_what_follows_the_ref() {
    let world = World::new(Clock::frozen(START));
    let one = push(
        &world,
        &Push::one("web-app", "main", ("ann", "New page"), &["src/Page.tsx"]),
    )
    .unwrap();
    assert!(one.execution.is_some());
    let aside = push(
        &world,
        &Push::one("web-app", "spike", ("ann", "Try it"), &["src/Try.tsx"]),
    )
    .unwrap();
    assert_eq!(aside.execution, None, "the pipeline follows main only");
    let tag = push(
        &world,
        &Push::one(
            "wallet-service",
            "v1.5.0",
            ("dana", "chore: release"),
            &["package.json"],
        ),
    )
    .unwrap();
    let again = push(&world, &Push::again("wallet-service", "v1.5.0")).unwrap();
    assert_eq!(
        (&again.head, again.commits.len()),
        (&tag.head, 0),
        "a second build of the same tag"
    );
    assert_ne!(again.execution, tag.execution);
    let github = world.github();
    let wallet = github.repository("acme/wallet-service").unwrap();
    assert_eq!(wallet.resolve("v1.5.0").unwrap().sha, tag.head);
    assert_eq!(
        wallet.resolve("master").unwrap().sha,
        tag.head,
        "the tag is on the branch that it was cut from"
    );
    assert_eq!(wallet.compare("v1.4.2", "v1.5.0").unwrap().ahead.len(), 1);
    drop(github);
    assert_eq!(
        push(&world, &Push::one("none", "v1", ("ann", ""), &[]))
            .unwrap_err()
            .code,
        "PipelineNotFoundException"
    );
}

/// A request that is signed for a service, as clients of REST and Query sign theirs.
fn signed(method: Method, path: &str, scope: &str, body: &str) -> Request<Body> {
    let authorization = SIGNED.replace("/service/", &format!("/{scope}/"));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", authorization);
    request.body(Body::from(body.to_owned())).unwrap()
}

/// Each request must be answered with this status and have this in its body.
async fn all_answered(seed: Value, asked: Vec<(Request<Body>, u16, &str)>) {
    let asker = Asker::new();
    let deed = serde_json::from_value(json!({ "seed": seed })).unwrap();
    asker.world.aws().act(&super::Place::home(), &deed).unwrap();
    for (request, status, found) in asked {
        let uri = request.uri().clone();
        let (code, _, body) = asker.send(request).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(code.as_u16(), status, "{uri}: {text}");
        assert!(text.contains(found), "{uri}: {text}");
    }
}

#[tokio::test]
async fn rest_words_its_answers_and_refusals_as_json_or_as_xml() {
    let get = |path: &str, scope: &str| signed(Method::GET, &format!("/aws/{path}"), scope, "");
    let function = |name: &str| get(&format!("2015-03-31/functions/{name}/configuration"), "lambda");
    let records = |zone: &str| get(&format!("2013-04-01/hostedzone/{zone}/rrset"), "route53");
    let seed = json!({"function": [{"name": "api"}], "zone": [{"name": "example.org", "id": "Z1"}]});
    let asked = vec![
        (function("api"), 200, "\"FunctionName\":\"api\""),
        (function("none"), 404, "\"Type\":\"User\""),
        (get("2015-03-31/nothing", "lambda"), 404, "UnknownOperationException"),
        (records("Z1"), 200, "<ResourceRecordSet><Name>example.org.</Name>"),
        (records("Z2"), 404, "<Code>NoSuchHostedZone</Code>"),
        (get("none?list-type=2", "s3"), 404, "<Code>NoSuchBucket</Code>"),
    ];
    all_answered(seed, asked).await;
}

#[tokio::test]
async fn query_and_its_ec2_dialect_word_their_answers_differently() {
    let ask = |scope: &str, form: &str| signed(Method::POST, "/aws/", scope, form);
    let groups = |id: &str| {
        let form = format!("Action=DescribeSecurityGroups&Version=2016-11-15&GroupId.1={id}");
        ask("ec2", &form)
    };
    let databases = ask("rds", "Action=DescribeDBInstances&Version=2014-10-31");
    let asked = vec![
        (groups("sg-1"), 200, "</requestId><securityGroupInfo><item>"),
        (groups("sg-2"), 400, "<Errors><Error><Code>InvalidGroup.NotFound</Code>"),
        (databases, 200, "<DescribeDBInstancesResult><DBInstances></DBInstances>"),
    ];
    all_answered(json!({"security_group": [{"id": "sg-1", "name": "db"}]}), asked).await;
}

#[tokio::test]
async fn a_lost_answer_of_rest_is_done_once_and_no_variable_is_in_the_log() {
    let asker = Asker::new();
    let seed = json!({"seed": {"function": [{"name": "api"}]}});
    asker
        .world
        .aws()
        .act(&super::Place::home(), &serde_json::from_value(seed).unwrap())
        .unwrap();
    asker.fault("aws.UpdateFunctionConfiguration", FaultKind::LoseAnswer);
    let path = "/aws/2015-03-31/functions/api/configuration";
    let body = json!({"Environment": {"Variables": {"DB": "s3cret"}}}).to_string();
    let (_, _, nothing) = asker.send(signed(Method::PUT, path, "lambda", &body)).await;
    assert!(nothing.is_empty(), "no answer came");
    let (_, _, shown) = asker.send(signed(Method::GET, path, "lambda", "")).await;
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(
        (&shown["LastUpdateStatus"], &shown["Environment"]["Variables"]["DB"]),
        (&json!("InProgress"), &json!("s3cret"))
    );
    assert!(
        !serde_json::to_string(&asker.world.log.since(0))
            .unwrap()
            .contains("s3cret")
    );
    asker.fault(
        "aws.UpdateFunctionConfiguration",
        FaultKind::Throttle { retry_after: 1 },
    );
    let (status, headers, _) = asker.send(signed(Method::PUT, path, "lambda", &body)).await;
    assert_eq!(
        (status.as_u16(), headers["x-amzn-errortype"].to_str().unwrap()),
        (429, "TooManyRequestsException")
    );
}

#[tokio::test]
async fn each_account_and_region_has_its_own() {
    let asker = Asker::new();
    let seed = json!({"account": "444455556666", "region": "us-east-1", "seed": {"function": [{"name": "api"}]}});
    asker
        .world
        .aws()
        .act(&super::Place::home(), &serde_json::from_value(seed).unwrap())
        .unwrap();
    let request = signed(Method::GET, "/aws/2015-03-31/functions/api/configuration", "lambda", "");
    assert_eq!(
        asker.send(request).await.0,
        StatusCode::NOT_FOUND,
        "the user's account has none"
    );
    let role = "RoleArn=arn:aws:iam::444455556666:role/signalbox&RoleSessionName=s1&ExternalId=wallet-7";
    let form = format!("Action=AssumeRole&Version=2011-06-15&{role}");
    let (_, _, body) = asker.send(signed(Method::POST, "/aws", "sts", &form)).await;
    let text = String::from_utf8(body).unwrap();
    let part = |name: &str| {
        text.split_once(&format!("<{name}>"))
            .unwrap()
            .1
            .split('<')
            .next()
            .unwrap()
            .to_owned()
    };
    for (region, status) in [("us-east-1", StatusCode::OK), ("eu-central-1", StatusCode::NOT_FOUND)] {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/20261121/{region}/lambda/aws4_request, Signature=0",
            part("AccessKeyId")
        );
        let request = Request::get("/aws/2015-03-31/functions/api/configuration")
            .header("authorization", authorization)
            .header("x-amz-security-token", part("SessionToken"));
        assert_eq!(
            asker.send(request.body(Body::empty()).unwrap()).await.0,
            status,
            "{region}"
        );
    }
}
