//! The account of the demo: three pipelines with a past, and one run that comes to its approval a few seconds after the start.
//!
//! The past is not written down but lived through: the same engine runs it at its own times, so it cannot look unlike the present.

use std::collections::BTreeMap;

use super::account::Account;
use super::pipeline::{ACCOUNT, Action, Category, Mode, Pipeline, Source, Stage, Transition, Trigger};
use super::place::Place;
use super::s3;
use super::script::Arrival;
use crate::clock::Clock;
use crate::github::GitHub;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// How long the demo's source, build and deploy actions take, in milliseconds.
const SOURCE_MS: i64 = SECOND;
const BUILD_MS: i64 = 2 * SECOND;
const DEPLOY_MS: i64 = 20 * SECOND;

/// A pipeline without executions; `stages` begins with the source stage.
#[must_use]
pub fn pipeline(name: &str, mode: Mode, source: Source, stages: Vec<Stage>) -> Pipeline {
    Pipeline {
        name: name.to_owned(),
        mode,
        source,
        stages,
        version: 3,
        created_ms: 0,
        executions: Vec::new(),
        outbox: Vec::new(),
    }
}

/// A stage that fetches what is shipped.
#[must_use]
pub fn source_stage(source: &Source) -> Stage {
    let (provider, configuration) = match source {
        Source::S3 { bucket, key } => (
            "S3",
            settings(&[
                ("S3Bucket", bucket),
                ("S3ObjectKey", key),
                ("PollForSourceChanges", "false"),
            ]),
        ),
        Source::Connection { repository, branch } => (
            "CodeStarSourceConnection",
            settings(&[
                ("ConnectionArn", &super::script::connection_arn()),
                ("FullRepositoryId", repository),
                ("BranchName", branch),
                ("OutputArtifactFormat", "CODE_ZIP"),
            ]),
        ),
    };
    stage(
        "Source",
        SOURCE_MS,
        vec![action("Source", Category::Source, provider, configuration)],
    )
}

/// A stage of CodeBuild projects that run one after the other, each `action_ms` milliseconds long.
#[must_use]
pub fn codebuild_stage(name: &str, category: Category, action_ms: i64, projects: &[(&str, &str)]) -> Stage {
    let actions = projects
        .iter()
        .map(|(name, project)| action(name, category, "CodeBuild", settings(&[("ProjectName", project)])));
    stage(name, action_ms, actions.collect())
}

/// A stage that waits for a person; `timeout_minutes` `None` means seven days.
#[must_use]
pub fn approval_stage(name: &str, action_name: &str, timeout_minutes: Option<i64>) -> Stage {
    let configuration = settings(&[("CustomData", "Decide in #deploys")]);
    let approval = Action {
        timeout_minutes,
        ..action(action_name, Category::Approval, "Manual", configuration)
    };
    stage(name, 0, vec![approval])
}

fn stage(name: &str, action_ms: i64, actions: Vec<Action>) -> Stage {
    let open = Transition {
        enabled: true,
        changed_by: None,
        changed_ms: 0,
        reason: None,
    };
    Stage {
        name: name.to_owned(),
        actions,
        action_ms,
        held: false,
        fail_next: None,
        inbound: open.clone(),
        outbound: open,
        latest: None,
    }
}

fn action(name: &str, category: Category, provider: &'static str, configuration: BTreeMap<String, String>) -> Action {
    Action {
        name: name.to_owned(),
        category,
        provider,
        configuration,
        timeout_minutes: None,
        latest: None,
    }
}

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn pipelines(created_ms: i64) -> [Pipeline; 3] {
    let object = Source::S3 {
        bucket: s3::BUCKET.to_owned(),
        key: s3::KEY.to_owned(),
    };
    let branch = |name: &str| Source::Connection {
        repository: "acme/web-app".to_owned(),
        branch: name.to_owned(),
    };
    let build = |project: &str| codebuild_stage("Build", Category::Build, BUILD_MS, &[("Build", project)]);
    let approve = || approval_stage("Approve", "Approval", None);
    let deploy = |project: &str| codebuild_stage("Deploy", Category::Build, DEPLOY_MS, &[("Deploy", project)]);
    let wallet = vec![
        source_stage(&object),
        build("wallet-service-build"),
        approve(),
        deploy("wallet-service-deploy"),
    ];
    let web = vec![
        source_stage(&branch("main")),
        build("web-app-build"),
        approve(),
        deploy("web-app-deploy"),
    ];
    let steps = [("Migrate", "web-staging-migrate"), ("Deploy", "web-staging-deploy")];
    let staging = vec![
        source_stage(&branch("main")),
        build("web-staging-build"),
        approve(),
        codebuild_stage("Deploy", Category::Build, DEPLOY_MS / 2, &steps),
    ];
    let mut pipelines = [
        pipeline("wallet-service", Mode::Superseded, object, wallet),
        pipeline("web-app", Mode::Parallel, branch("main"), web),
        pipeline("web-staging", Mode::Queued, branch("main"), staging),
    ];
    for pipeline in &mut pipelines {
        pipeline.created_ms = created_ms;
    }
    pipelines
}

/// The demo's account at `now_ms`.
pub(super) fn account(now_ms: i64) -> Account {
    let github = GitHub::seed(&Clock::frozen(now_ms));
    let mut account = Account::empty(now_ms - 200 * DAY);
    for pipeline in pipelines(now_ms - 200 * DAY) {
        account.add_pipeline(pipeline);
    }
    for name in ALARMS {
        account.set_alarm(name, "OK", "Threshold not crossed: no errors in the last 5 minutes");
    }
    let past = [
        (6 * DAY, "wallet-service", "v1.4.1", "ann"),
        (2 * DAY, "web-app", "main", "bruno"),
        (2 * DAY - HOUR, "web-staging", "main", "ann"),
        (DAY, "wallet-service", "master", "dana"),
    ];
    for (ago, name, git_ref, approver) in past {
        live_through(
            &mut account,
            now_ms - ago,
            arrival(&github, name, git_ref, None),
            (name, approver),
        );
    }
    account.advance(now_ms);
    let dana = Trigger {
        kind: "StartPipelineExecution".to_owned(),
        detail: format!("arn:aws:iam::{ACCOUNT}:user/dana"),
    };
    // The pipelines are the ones above: nothing of this can be refused.
    drop(account.push(
        "wallet-service",
        &arrival(&github, "wallet-service", "v1.4.2", Some(dana)),
    ));
    account.region(&Place::home()).queues.purge();
    account
}

const ALARMS: [&str; 5] = [
    "wallet-service-mainnet-errors-major",
    "wallet-service-mainnet-errors-minor",
    "wallet-service-testnet-errors-major",
    "web-app-prod-5xx",
    "web-app-prod-latency",
];

fn arrival(github: &GitHub, pipeline: &str, git_ref: &str, trigger: Option<Trigger>) -> Arrival {
    let repository = if pipeline == "wallet-service" {
        "acme/wallet-service"
    } else {
        "acme/web-app"
    };
    let commit = github
        .repository(repository)
        .and_then(|repository| repository.resolve(git_ref));
    Arrival {
        commit: commit.map(|commit| commit.sha.clone()).unwrap_or_default(),
        git_ref: git_ref.to_owned(),
        message: commit.map(|commit| commit.message.clone()).unwrap_or_default(),
        author: commit.map(|commit| commit.author.name.clone()).unwrap_or_default(),
        metadata: true,
        trigger,
    }
}

/// One execution from push to success, approved in the console ten minutes after it asked.
fn live_through(account: &mut Account, at_ms: i64, arrival: Arrival, (name, approver): (&str, &str)) {
    account.advance(at_ms);
    drop(account.push(name, &arrival));
    account.advance(at_ms + 600 * SECOND);
    drop(account.approve_in_console(name, approver));
    account.advance(at_ms + 700 * SECOND);
}
