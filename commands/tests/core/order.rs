//! What a card says of a step that is in the wrong order, of what nobody can tell, and of what is seen while a step is done.

use commands::effect::{CallPhase, Outcome, StepOutcome};
use commands::ids::RunbookName;
use commands::operation::{Phase, Progress};
use commands::runbook::{Asks, Parameter, Runbook, Step, StepSpec};
use commands::step::WRONG_ORDER;
use commands::time::Span;
use serde_json::json;

use crate::runbook::{finished, prepared, runbook, step};
use crate::world::World;

fn schema(more: &serde_json::Value) -> Step {
    let mut action = json!({ "kind": "schema", "database": "db", "version": "v2", "first": "schema", "project": "p" });
    for (name, value) in more.as_object().expect("keys") {
        action[name] = value.clone();
    }
    step("migrate", action)
}

fn wrong() -> Outcome {
    Outcome::Refused {
        code: WRONG_ORDER.into(),
        message: "v2 is live already".into(),
    }
}

fn seen(evidence: &[&str]) -> Outcome {
    Outcome::Step {
        came: StepOutcome::Prepared {
            memo: json!({}),
            outputs: [("pending".to_owned(), "1".to_owned())].into(),
            evidence: evidence.iter().map(|line| (*line).to_owned()).collect(),
            done: false,
        },
    }
}

#[test]
fn a_plan_is_certain_of_the_order_only_where_nothing_is_done_before() {
    let mut world = World::with(vec![schema(&json!({}))]);
    world.says("U0RITA", "/deploy run switch mainnet --plan");
    world.comes_back("migrate", CallPhase::Prepare, &wrong());
    let card = world.card();
    assert!(
        card.contains("changes nothing · 1 thing is in the way") && card.contains("would be refused"),
        "{card}"
    );
    assert!(card.contains("wrong_order: v2 is live already"), "{card}");

    let job = step("roll", json!({ "kind": "codebuild", "project": "roll" }));
    let mut world = World::with(vec![job, schema(&json!({}))]);
    world.says("U0RITA", "/deploy run switch mainnet --plan");
    world.comes_back("roll", CallPhase::Prepare, &prepared());
    world.comes_back("migrate", CallPhase::Prepare, &wrong());
    let card = world.card();
    assert!(
        card.contains("1 step cannot be told yet") && !card.contains("would be refused"),
        "{card}"
    );
    assert!(card.contains("known only when the steps above are done"), "{card}");
}

#[test]
fn the_wrong_order_is_not_tried_again_by_itself() {
    let mut migrate = schema(&json!({}));
    migrate.retries = 3;
    let mut world = World::with(vec![migrate]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("migrate", CallPhase::Prepare, &wrong());
    assert_eq!(world.phase("migrate"), Phase::Failed);
    world.clicks("U0CARLA", "Try again");
    assert_eq!(world.phase("migrate"), Phase::Preparing, "people may");
}

#[test]
fn what_was_found_stays_on_the_card_while_it_is_done() {
    let mut migrate = schema(&json!({}));
    migrate.usual = Some(Span::minutes(5));
    let agree = step("agree", json!({ "kind": "approval", "question": "Run them?" }));
    let mut world = World::with(vec![agree, migrate]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    assert!(world.card().contains("2. migrate · usually 5 min"), "{}", world.card());
    world.clicks("U0ANN", "Yes");
    world.comes_back("migrate", CallPhase::Prepare, &seen(&["1 migration is pending on db"]));
    let card = world.card();
    assert!(card.contains("under way · usually 5 min"), "{card}");
    assert!(card.contains("› 1 migration is pending on db"), "{card}");
}

#[test]
fn what_nobody_can_tell_is_not_shown_as_good() {
    let mut world = World::with(vec![
        schema(&json!({ "look": true })),
        step("pause", json!({ "kind": "wait", "for": "1m" })),
    ]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back(
        "migrate",
        CallPhase::Prepare,
        &seen(&["cannot tell which migrations are pending, because GitHub is down"]),
    );
    assert_eq!(world.phase("migrate"), Phase::Done);
    insta::assert_snapshot!(world.card(), @r"
    switch · wallet → mainnet · step 2 of 2: pause
    running switch · wallet → mainnet · step 2 of 2: pause
    unknown 1. migrate
    unknown cannot tell which migrations are pending, because GitHub is down
    running 2. pause · watched
    [Abort and undo…]
    production · started by u0bruno Fri, Nov 20 at 18:00 UTC · run switch-8b53639f
    ");
}

#[test]
fn what_fails_beside_it_is_shown_in_lines_of_its_own() {
    let mut world = World::with(vec![step("drain", json!({ "kind": "queue_drain", "queues": ["q"] }))]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("drain", CallPhase::Prepare, &prepared());
    let pending = Outcome::Step {
        came: StepOutcome::Pending {
            memo: json!({}),
            progress: Progress {
                words: "7 left, 2 % of the calls fail".into(),
                seen: vec!["3 × case is locked".into()],
                ..Progress::default()
            },
        },
    };
    world.comes_back("drain", CallPhase::Watch, &pending);
    assert!(
        world.card().contains("2 % of the calls fail\n› 3 × case is locked"),
        "{}",
        world.card()
    );
    let failed = Outcome::Refused {
        code: "failures_collect".into(),
        message: "dead holds 3\n3 × case is locked\ncannot tell what else".into(),
    };
    world.comes_back("drain", CallPhase::Watch, &failed);
    insta::assert_snapshot!(world.card(), @r"
    switch · wallet → mainnet · “drain” failed · a person decides
    no switch · wallet → mainnet · “drain” failed · a person decides
    no 1. drain · failed
    no drain: failures_collect: dead holds 3
    › 3 × case is locked
    unknown cannot tell what else
    [Try again] [Leave it out…] [End it as it is] [Abort and undo…]
    production · started by u0bruno Fri, Nov 20 at 18:00 UTC · run switch-8b53639f
    ");
}

/// What is left out may name what nobody knows.
#[test]
fn a_condition_is_looked_at_before_everything_else() {
    let when = |is: &str| {
        Some(commands::runbook::Condition {
            value: "none".into(),
            is: Some(is.into()),
            is_not: None,
        })
    };
    let steps = |is: &str| {
        let mut tell = step(
            "tell",
            json!({ "kind": "lambda", "function": "{step.look.unheard-of}" }),
        );
        tell.when = when(is);
        vec![step("look", json!({ "kind": "wait", "for": "1m" })), tell]
    };
    let mut world = World::with(steps("after"));
    world.says("U0RITA", "/deploy run switch mainnet --plan");
    assert_eq!(world.phase("tell"), Phase::Skipped, "{}", world.card());
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.wakes(Span::minutes(1));
    assert_eq!(world.phase("tell"), Phase::Skipped);
    let mut world = World::with(steps("none"));
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.wakes(Span::minutes(1));
    assert_eq!(world.phase("tell"), Phase::Failed, "its value is missing");
}

/// An approval that is asked in some environments is no step in the others.
#[test]
fn an_approval_is_asked_where_it_is_wanted() {
    let agree = step("agree", json!({ "kind": "approval", "question": "Go on?" }));
    let tell = step("tell", json!({ "kind": "lambda", "function": "f" }));
    let spec = |step: Step, asks_in: Asks| StepSpec { step, asks_in };
    let mut world = World::new();
    world.service().runbooks = vec![Runbook {
        name: RunbookName::task("tell").expect("a name"),
        parameters: vec![Parameter {
            name: "what".into(),
            summary: String::new(),
            default: Some("x".into()),
            choices: vec![],
        }],
        steps: vec![
            spec(agree, Asks::In(vec![crate::world::env("mainnet")])),
            spec(tell, Asks::Never),
        ],
        ..runbook("tell", vec![])
    }];
    world.says("U0ANN", "/deploy run task:tell testnet");
    assert_eq!(world.operation().steps.len(), 1);
    world.comes_back("tell", CallPhase::Prepare, &prepared());
    world.comes_back("tell", CallPhase::Act, &finished());
    world.passes(Span::seconds(1));
    world.says("U0BRUNO", "/deploy run task:tell mainnet");
    assert_eq!(world.phase("agree"), Phase::Asking);
    let said = world.says("U0RITA", "/deploy run tell mainnet");
    assert!(said.contains("/deploy run task:tell mainnet"), "{said}");
}
