use std::sync::Mutex as StdMutex;

use commands::catalog::Pipeline;
use commands::effect::Outcome;
use commands::ids::UserId;
use commands::round::Round;
use commands::run::{Ballot, StageState as State};
use commands::time::{Span, Timestamp};
use commands::watch::{Ended, Observation};
use serde_json::{Value, json};

use super::*;
use crate::door::{Call, Destination, Lease, Outgoing};
use crate::secret::Secret;
use crate::testing::{Answer, StillClock, Wire, answer, lost};

const NOW: Timestamp = Timestamp(1_795_226_400_000);
const TOKEN: &str = "11111111-canary-token";
const COMMIT: &str = "4f2c1d9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const MARKER: &str = "[signalbox 0123456789ab #1]";

/// What CodePipeline does with an answer.
#[derive(Clone, Copy, PartialEq)]
enum Put {
    Take,
    TakeAndLoseTheAnswer,
    LoseTheRequest,
    Throttle,
    Deny,
}

/// A pipeline with one gate, as one server sees it.
struct World {
    token: Option<String>,
    /// Approvals that are over: status, who, summary, error code.
    over: Vec<Value>,
    put: Put,
    taken: usize,
    parallel: bool,
    status: &'static str,
    deploy: Option<&'static str>,
    source: Value,
    metadata: Vec<(&'static str, &'static str)>,
    denied: &'static str,
}

impl Default for World {
    fn default() -> Self {
        Self {
            token: Some(TOKEN.to_owned()),
            over: Vec::new(),
            put: Put::Take,
            taken: 0,
            parallel: false,
            status: "InProgress",
            deploy: None,
            source: json!({"provider": "CodeStarSourceConnection", "configuration": {"BranchName": "master", "FullRepositoryId": "acme/wallet"}}),
            metadata: Vec::new(),
            denied: "",
        }
    }
}

fn approval(status: &str, by: &str, summary: &str, code: &str) -> Value {
    let error = if code.is_empty() {
        json!(null)
    } else {
        json!({"code": code, "message": "words"})
    };
    json!({"pipelineExecutionId": "e1", "actionExecutionId": format!("a-{status}"), "stageName": "Approve", "actionName": "Approval", "status": status,
        "startTime": 1_795_226_100.5, "lastUpdateTime": 1_795_226_390.0, "updatedBy": by,
        "input": {"actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}},
        "output": {"executionResult": {"externalExecutionSummary": summary, "errorDetails": error}}})
}

impl World {
    fn reply(&mut self, call: &Call) -> Answer {
        let operation = call.name.rsplit('.').next().unwrap();
        if operation == self.denied {
            return refuse("AccessDeniedException");
        }
        let body: Value = serde_json::from_slice(call.request.body()).unwrap_or_default();
        let value = match operation {
            "GetPipeline" => self.definition(),
            "GetPipelineState" => self.state(),
            "GetPipelineExecution" => {
                json!({"pipelineExecution": {"pipelineExecutionId": body["pipelineExecutionId"], "status": self.status,
                "trigger": {"triggerType": "StartPipelineExecution", "triggerDetail": "arn:aws:sts::1:assumed-role/dev/slack-U0DANA"},
                "artifactRevisions": [{"name": "Source", "revisionId": COMMIT, "revisionUrl": "https://github.com/acme/wallet/commit/4f2c1d9",
                    "revisionSummary": r#"{"ProviderType":"GitHub","CommitMessage":"retry tx\n\nmore"}"#}]}})
            }
            "ListActionExecutions" => json!({"actionExecutionDetails": self.actions()}),
            "ListPipelineExecutions" => json!({"pipelineExecutionSummaries": [
                {"pipelineExecutionId": "e1", "status": self.status, "lastUpdateTime": 1_795_226_300.0},
                {"pipelineExecutionId": "e0", "status": "Succeeded", "lastUpdateTime": 1_795_220_000.0}]}),
            "PutApprovalResult" => return self.put(&body),
            "RetryStageExecution" | "StopPipelineExecution" => {
                self.taken += 1;
                json!({"pipelineExecutionId": "e1"})
            }
            "HeadObject" => {
                let mut head = http::Response::builder().status(200);
                for (name, value) in &self.metadata {
                    head = head.header(*name, *value);
                }
                return Ok(head.body(bytes::Bytes::new()).unwrap());
            }
            other => panic!("an unexpected call: {other}"),
        };
        answer(200, &value.to_string())
    }

    fn definition(&self) -> Value {
        let action = |name: &str, category: &str, extra: Value| {
            let mut action = json!({"name": name, "actionTypeId": {"category": category, "owner": "AWS", "provider": "Manual", "version": "1"}});
            action
                .as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            action
        };
        let source = json!({"configuration": self.source["configuration"], "outputArtifacts": [{"name": "Source"}],
            "actionTypeId": {"category": "Source", "owner": "AWS", "provider": self.source["provider"], "version": "1"}});
        json!({"pipeline": {"name": "wallet", "roleArn": "arn", "executionMode": if self.parallel { "PARALLEL" } else { "SUPERSEDED" }, "stages": [
            {"name": "Source", "actions": [action("Source", "Source", source)]},
            {"name": "Approve", "actions": [action("Approval", "Approval", json!({"timeoutInMinutes": 60}))]},
            {"name": "Deploy", "actions": [action("Deploy", "Build", json!({}))]}]}})
    }

    fn state(&self) -> Value {
        // A parallel pipeline shows no token here.
        let token = self.token.as_ref().filter(|_| !self.parallel);
        let latest = match token {
            Some(token) => {
                json!({"actionExecutionId": "a1", "status": "InProgress", "token": token, "lastStatusChange": 1_795_226_100.5})
            }
            None => json!({"actionExecutionId": "a1", "status": "Succeeded"}),
        };
        let stage = |status: &str| json!({"pipelineExecutionId": "e1", "status": status});
        json!({"pipelineName": "wallet", "stageStates": [
            {"stageName": "Source", "latestExecution": stage("Succeeded"), "actionStates": []},
            {"stageName": "Approve", "latestExecution": stage(if self.token.is_some() { "InProgress" } else { "Succeeded" }),
             "inboundExecutions": [{"pipelineExecutionId": "e2", "status": "InProgress"}], "actionStates": [{"actionName": "Approval", "latestExecution": latest}]},
            {"stageName": "Deploy", "latestExecution": stage(self.deploy.unwrap_or("InProgress")), "actionStates": [{"actionName": "Deploy"}]}]})
    }

    fn actions(&self) -> Vec<Value> {
        let mut actions: Vec<Value> = Vec::new();
        if let Some(token) = &self.token {
            let mut open = approval("InProgress", "", "", "");
            open["startTime"] = json!(1_795_226_200.0);
            open["output"]["executionResult"] =
                json!({"externalExecutionId": if self.parallel { token.as_str() } else { "" }});
            actions.push(open);
        }
        actions.extend(self.over.iter().rev().cloned());
        if let Some(status) = self.deploy {
            actions.insert(0, json!({"pipelineExecutionId": "e1", "actionExecutionId": "d1", "stageName": "Deploy", "actionName": "Deploy", "status": status,
                "startTime": 1_795_226_395.0, "output": {"executionResult": {"externalExecutionUrl": "https://console.aws.amazon.com/log",
                "errorDetails": {"code": "JobFailed", "message": "exit 1"}}}}));
        }
        actions
    }

    fn put(&mut self, body: &Value) -> Answer {
        match self.put {
            Put::Throttle => return refuse("ThrottlingException"),
            Put::Deny => return refuse("AccessDeniedException"),
            Put::LoseTheRequest => return lost(),
            Put::Take | Put::TakeAndLoseTheAnswer => {}
        }
        if self.token.as_deref() != body["token"].as_str() {
            return refuse("InvalidApprovalTokenException");
        }
        self.token = None;
        self.taken += 1;
        let status = if body["result"]["status"] == "Approved" {
            "Succeeded"
        } else {
            "Failed"
        };
        self.over.push(approval(
            status,
            "arn:aws:sts::1:assumed-role/signalbox/slack-U0ANN",
            body["result"]["summary"].as_str().unwrap(),
            "",
        ));
        if self.put == Put::TakeAndLoseTheAnswer {
            return lost();
        }
        answer(200, r#"{"approvedAt": 1795226391.25}"#)
    }
}

fn refuse(code: &str) -> Answer {
    answer(400, &json!({"__type": code, "message": "no"}).to_string())
}

struct Desk {
    pipelines: CodePipeline,
    wire: Arc<Wire>,
    world: Arc<StdMutex<World>>,
    clock: Arc<StillClock>,
}

fn desk(world: World) -> Desk {
    let world = Arc::new(StdMutex::new(world));
    let seen = Arc::clone(&world);
    let wire = Wire::new(move |call| {
        assert_eq!(call.destination, Destination::Aws);
        seen.lock().unwrap().reply(call)
    });
    let clock = StillClock::at(NOW);
    let door = Arc::clone(&wire) as Arc<dyn Outgoing>;
    let endpoint = "http://aws.test/aws".parse().unwrap();
    let clients = Clients::with_keys(
        door,
        Arc::clone(&clock) as Arc<dyn Clock>,
        endpoint,
        "id",
        &Secret::new("key"),
    );
    Desk {
        pipelines: CodePipeline::new(Arc::new(clients), Arc::clone(&clock) as Arc<dyn Clock>),
        wire,
        world,
        clock,
    }
}

fn target() -> AwsTarget {
    AwsTarget {
        region: "eu-central-1".to_owned(),
        ..AwsTarget::default()
    }
}

fn round() -> Round {
    let gate = Pipeline {
        name: "wallet".to_owned(),
        stage: "Approve".to_owned(),
        action: "Approval".to_owned(),
    };
    Round {
        gate,
        execution: "e1".to_owned(),
        token_hash: commands::digest::full(TOKEN.as_bytes()),
    }
}

impl Desk {
    async fn read(&self, prime: bool) -> Observation {
        let (aws, following) = (target(), ["e1".to_owned()]);
        let request = ReadRequest {
            pipeline: "wallet",
            aws: &aws,
            following: &following,
            prime,
            as_of: 7,
            lease: Lease::NONE,
        };
        self.pipelines.read_pipeline(&request).await.unwrap()
    }

    async fn answer(&self, attempt: u32) -> Result<Outcome, AwsError> {
        self.answer_on(attempt, COMMIT).await
    }

    async fn answer_on(&self, attempt: u32, revision: &str) -> Result<Outcome, AwsError> {
        let (aws, round, actor) = (target(), round(), UserId::parse("U0ANN").unwrap());
        let summary = format!("Approved by U0ANN {MARKER}");
        let answer = ApprovalAnswer {
            round: &round,
            aws: &aws,
            actor: &actor,
            ballot: Ballot::Approve,
            summary: &summary,
            marker: MARKER,
            good_until: NOW + Span::minutes(10),
            revision,
            attempt,
            lease: Lease::NONE,
        };
        self.pipelines.answer_approval(&answer).await
    }

    fn taken(&self) -> usize {
        self.world.lock().unwrap().taken
    }
}

#[tokio::test]
async fn a_waiting_request_is_seen_whole_and_without_its_token() {
    let desk = desk(World::default());
    let seen = desk.read(true).await;
    let waiting = &seen.waiting[0];
    assert_eq!(waiting.round, round());
    assert_eq!(waiting.since, Timestamp(1_795_226_100_500));
    assert_eq!(waiting.gives_up_at, waiting.since + Span::minutes(60));
    assert_eq!(waiting.revision.commit.as_deref(), Some(COMMIT));
    assert_eq!(waiting.revision.git_ref.as_deref(), Some("refs/heads/master"));
    assert_eq!(
        (waiting.revision.summary.as_str(), &waiting.revision.unknown),
        ("retry tx", &None)
    );
    assert_eq!(waiting.starter.user.as_ref().unwrap().as_str(), "U0DANA");
    assert_eq!((seen.as_of, seen.at), (7, NOW));
    assert_eq!(
        (seen.inbound[0].stage.as_str(), seen.inbound[0].execution.as_str()),
        ("Approve", "e2")
    );
    assert_eq!(seen.successes.len(), 1);
    assert_eq!(seen.successes[0].execution, "e0");
    let printed = format!("{seen:?} {}", serde_json::to_string(&seen).unwrap());
    assert!(!printed.contains("canary"), "{printed}");
}

#[tokio::test]
async fn what_does_not_change_is_asked_once() {
    let desk = desk(World::default());
    desk.read(false).await;
    desk.read(false).await;
    assert_eq!(desk.wire.count("CodePipeline.GetPipelineState"), 2);
    assert_eq!(desk.wire.count("CodePipeline.GetPipeline"), 1);
    // The followed execution's status is asked each time, what the waiting and the queued one carry once.
    assert_eq!(desk.wire.count("CodePipeline.GetPipelineExecution"), 4);
    desk.clock.pass(Span::minutes(4));
    desk.read(false).await;
    assert_eq!(desk.wire.count("CodePipeline.GetPipeline"), 2);
}

#[tokio::test]
async fn a_parallel_pipeline_shows_its_tokens_elsewhere() {
    let desk = desk(World {
        parallel: true,
        ..World::default()
    });
    let seen = desk.read(false).await;
    assert!(seen.parallel);
    assert_eq!(seen.waiting[0].round, round());
    assert!(matches!(desk.answer(1).await.unwrap(), Outcome::AnswerTaken { .. }));
    assert_eq!(desk.taken(), 1);
}

#[tokio::test]
async fn an_execution_is_followed_to_its_failure() {
    let over = vec![approval("Succeeded", "arn:aws:iam::1:user/x", "go", "")];
    let desk = desk(World {
        token: None,
        over,
        status: "Failed",
        deploy: Some("Failed"),
        ..World::default()
    });
    let seen = desk.read(false).await;
    let run = &seen.executions[0];
    let stages: Vec<_> = run
        .stages
        .iter()
        .map(|stage| (stage.name.as_str(), stage.state))
        .collect();
    assert_eq!(
        stages,
        [
            ("Source", State::Succeeded),
            ("Approve", State::Succeeded),
            ("Deploy", State::Failed)
        ]
    );
    assert_eq!(run.ended, Some(Ended::Failed));
    assert_eq!(
        (run.failures.len(), run.failures[0].message.as_str()),
        (1, "JobFailed: exit 1")
    );
    assert_eq!(
        (run.answered[0].ballot, run.answered[0].summary.as_str()),
        (Some(Ballot::Approve), "go")
    );
}

#[tokio::test]
async fn an_object_says_by_its_metadata_what_it_was_made_from() {
    let source =
        json!({"provider": "S3", "configuration": {"S3Bucket": "artifacts", "S3ObjectKey": "wallet/source.zip"}});
    let metadata = vec![
        ("x-amz-meta-git-ref", "refs/tags/v1.4.2"),
        ("x-amz-meta-git-commit", COMMIT),
        ("x-amz-meta-codepipeline-artifact-revision-summary", "fix"),
    ];
    let desk = desk(World {
        source: source.clone(),
        metadata,
        ..World::default()
    });
    let revision = desk.read(false).await.waiting.remove(0).revision;
    assert_eq!(
        (revision.git_ref.as_deref(), revision.commit.as_deref()),
        (Some("refs/tags/v1.4.2"), Some(COMMIT))
    );
    assert_eq!((revision.summary.as_str(), revision.unknown), ("fix", None));
    let address = desk
        .wire
        .addresses()
        .into_iter()
        .find(|address| address.contains("artifacts"))
        .unwrap();
    assert_eq!(
        address,
        format!("http://aws.test/aws/artifacts/wallet/source.zip?versionId={COMMIT}")
    );

    let silent = self::desk(World {
        source,
        ..World::default()
    });
    let revision = silent.read(false).await.waiting.remove(0).revision;
    assert_eq!((revision.git_ref, revision.commit), (None, None));
    assert!(revision.unknown.unwrap().contains("neither"));
}

#[tokio::test]
async fn without_the_right_to_read_the_definition_the_request_is_still_seen() {
    let desk = desk(World {
        denied: "GetPipeline",
        ..World::default()
    });
    let waiting = desk.read(false).await.waiting.remove(0);
    assert_eq!(waiting.round, round());
    assert_eq!(waiting.gives_up_at, waiting.since + Span::days(7));
    assert!(waiting.revision.unknown.is_some());
}

#[tokio::test]
async fn a_decision_is_answered_once_in_the_persons_name() {
    let desk = desk(World::default());
    let at = Timestamp(1_795_226_391_250);
    assert_eq!(desk.answer(1).await, Ok(Outcome::AnswerTaken { at }));
    let (_, body) = desk
        .wire
        .calls()
        .into_iter()
        .find(|(name, _)| name.ends_with("PutApprovalResult"))
        .unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["token"], TOKEN);
    assert!(body["result"]["summary"].as_str().unwrap().contains(MARKER));
    // Delivered again, it finds its own answer.
    assert!(matches!(desk.answer(2).await, Ok(Outcome::AnswerTaken { .. })));
    assert_eq!(desk.taken(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading() {
    let desk = desk(World {
        put: Put::TakeAndLoseTheAnswer,
        ..World::default()
    });
    assert!(matches!(desk.answer(1).await, Ok(Outcome::AnswerTaken { .. })));
    assert_eq!(
        (desk.taken(), desk.wire.count("CodePipeline.PutApprovalResult")),
        (1, 1)
    );
}

#[tokio::test]
async fn a_lost_request_is_unknown_and_the_next_try_looks_first() {
    let desk = desk(World {
        put: Put::LoseTheRequest,
        ..World::default()
    });
    assert!(matches!(desk.answer(1).await, Err(AwsError::Unknown { .. })));
    desk.world.lock().unwrap().put = Put::Take;
    assert!(matches!(desk.answer(2).await, Ok(Outcome::AnswerTaken { .. })));
    assert_eq!(desk.taken(), 1);
}

#[tokio::test]
async fn what_changes_something_is_tried_once_per_call() {
    let desk = desk(World {
        put: Put::Throttle,
        ..World::default()
    });
    let error = desk.answer(1).await.unwrap_err();
    assert_eq!(
        (error.code(), desk.wire.count("CodePipeline.PutApprovalResult")),
        (Some("ThrottlingException"), 1)
    );
    desk.world.lock().unwrap().put = Put::Deny;
    assert!(matches!(desk.answer(1).await, Ok(Outcome::Refused { code, .. }) if code == "AccessDeniedException"));
}

#[tokio::test]
async fn an_answer_from_elsewhere_is_theirs() {
    let over = vec![approval("Failed", "arn:aws:iam::1:user/carla", "not today", "")];
    let desk = desk(World {
        token: None,
        over,
        ..World::default()
    });
    for attempt in [1, 2] {
        let Ok(Outcome::AnsweredElsewhere { answered }) = desk.answer(attempt).await else {
            panic!("not told")
        };
        assert_eq!(
            (answered.ballot, answered.by.as_str()),
            (Some(Ballot::Reject), "arn:aws:iam::1:user/carla")
        );
    }
    assert_eq!(desk.wire.count("CodePipeline.PutApprovalResult"), 0);
}

#[tokio::test]
async fn an_expired_request_is_no_longer_current() {
    let over = vec![approval("Failed", "", "", "JobTimedOut")];
    let desk = desk(World {
        token: None,
        over,
        ..World::default()
    });
    assert!(matches!(desk.answer(1).await, Ok(Outcome::NotCurrent { why }) if why.contains("expired")));
}

#[tokio::test]
async fn a_new_request_of_the_same_execution_is_not_answered_with_the_old_decision() {
    let over = vec![approval("Failed", "", "", "JobTimedOut")];
    let desk = desk(World {
        token: Some("another-token".to_owned()),
        over,
        ..World::default()
    });
    for attempt in [1, 2] {
        assert!(matches!(desk.answer(attempt).await, Ok(Outcome::NotCurrent { .. })));
    }
    assert_eq!(desk.wire.count("CodePipeline.PutApprovalResult"), 0);
}

#[tokio::test]
async fn the_answer_of_an_earlier_request_does_not_settle_this_one() {
    // The gate was rejected in the console, the stage was retried, and this decision is about the new request.
    let over = vec![approval("Failed", "arn:aws:iam::1:user/carla", "not today", "")];
    let desk = desk(World {
        over,
        ..World::default()
    });
    assert!(matches!(desk.answer(2).await, Ok(Outcome::AnswerTaken { .. })));
    assert_eq!(desk.taken(), 1);
}

#[tokio::test]
async fn another_revision_is_not_answered() {
    let desk = desk(World::default());
    assert!(matches!(desk.answer_on(1, "91be03").await, Ok(Outcome::NotCurrent { why }) if why.contains("revision")));
    assert_eq!(desk.taken(), 0);
}

#[tokio::test]
async fn an_old_decision_is_not_carried_out_but_recognized() {
    let desk = desk(World::default());
    desk.clock.pass(Span::minutes(11));
    assert_eq!(desk.answer(1).await, Ok(Outcome::TooLate));
    assert_eq!(desk.taken(), 0);
    desk.world.lock().unwrap().over = vec![approval("Succeeded", "arn", MARKER, "")];
    assert!(matches!(desk.answer(2).await, Ok(Outcome::AnswerTaken { .. })));
}

#[tokio::test]
async fn a_failed_stage_is_retried_and_a_running_one_is_left_alone() {
    let (aws, actor) = (target(), UserId::parse("U0ANN").unwrap());
    let request = RetryRequest {
        pipeline: "wallet",
        stage: "Deploy",
        execution: "e1",
        aws: &aws,
        actor: &actor,
        lease: Lease::NONE,
    };
    for (deploy, retries) in [("Failed", 1), ("InProgress", 0), ("Succeeded", 0)] {
        let desk = desk(World {
            deploy: Some(deploy),
            ..World::default()
        });
        assert_eq!(
            desk.pipelines.retry_stage(&request).await,
            Ok(Outcome::Done),
            "{deploy}"
        );
        assert_eq!(desk.taken(), retries, "{deploy}");
    }
}

#[tokio::test]
async fn a_stop_abandons_and_an_ended_execution_needs_none() {
    let (aws, actor) = (target(), UserId::parse("U0ANN").unwrap());
    let request = StopRequest {
        pipeline: "wallet",
        execution: "e1",
        aws: &aws,
        actor: &actor,
        reason: "wrong revision",
        lease: Lease::NONE,
    };
    let desk = desk(World::default());
    assert_eq!(desk.pipelines.stop_execution(&request).await, Ok(Outcome::Done));
    let (_, body) = desk.wire.calls().pop().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["abandon"], true);
    desk.world.lock().unwrap().status = "Stopped";
    assert_eq!(desk.pipelines.stop_execution(&request).await, Ok(Outcome::Done));
    assert_eq!(desk.taken(), 1);
}

const SESSION: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-11-21T03:00:00Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

#[tokio::test]
async fn a_role_is_taken_in_the_persons_name_for_acting_and_in_the_bots_for_reading() {
    let world = Arc::new(StdMutex::new(World::default()));
    let wire = Wire::new(move |call| match call.name.as_str() {
        "aws.AssumeRole" => answer(200, SESSION),
        _ => world.lock().unwrap().reply(call),
    });
    let clock = StillClock::at(NOW);
    let door = Arc::clone(&wire) as Arc<dyn Outgoing>;
    let endpoint = "http://aws.test/aws".parse().unwrap();
    let clients = Clients::with_keys(
        door,
        Arc::clone(&clock) as Arc<dyn Clock>,
        endpoint,
        "id",
        &Secret::new("key"),
    );
    let pipelines = CodePipeline::new(Arc::new(clients), Arc::clone(&clock) as Arc<dyn Clock>);
    let aws = AwsTarget {
        role_arn: Some("arn:aws:iam::1:role/signalbox".to_owned()),
        external_id: Some("wallet-7".to_owned()),
        ..target()
    };
    let actor = UserId::parse("U0ANN").unwrap();
    let stop = StopRequest {
        pipeline: "wallet",
        execution: "e1",
        aws: &aws,
        actor: &actor,
        reason: "x",
        lease: Lease::NONE,
    };
    pipelines.stop_execution(&stop).await.unwrap();
    pipelines.stop_execution(&stop).await.unwrap();
    let asked: Vec<_> = wire
        .calls()
        .into_iter()
        .filter(|(name, _)| name == "aws.AssumeRole")
        .map(|(_, body)| body)
        .collect();
    assert_eq!(asked.len(), 2, "one session for reading, one for acting");
    for (body, name) in asked.iter().zip(["signalbox", "slack-U0ANN"]) {
        for part in [
            format!("RoleSessionName={name}"),
            format!("SourceIdentity={name}"),
            "ExternalId=wallet-7".to_owned(),
            "DurationSeconds=900".to_owned(),
        ] {
            assert!(body.contains(&part), "{part} is not in {body}");
        }
    }
    clock.pass(Span::minutes(14));
    pipelines.stop_execution(&stop).await.unwrap();
    assert_eq!(wire.count("aws.AssumeRole"), 4);
}
