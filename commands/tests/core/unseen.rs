//! What nobody saw the end of is neither done nor failed: it is looked for, followed or asked about.

use commands::effect::{CallPhase, Effect, Outcome, StepOutcome};
use commands::operation::{Phase, Progress, Status};
use commands::runbook::{Expected, OnFailure, Step, Then};
use commands::time::Span;
use serde_json::json;

use crate::runbook::{acted, finished, prepared, refused, replayed, step};
use crate::world::World;

fn build() -> Step {
    let mut build = step(
        "build",
        json!({ "kind": "codebuild", "project": "p", "undo": { "project": "q" } }),
    );
    build.deadline = Span::minutes(30);
    build
}

/// A build that is watched, in a runbook that undoes what failed.
fn watched(steps: Vec<Step>) -> World {
    let mut world = World::with(steps);
    world.service().runbooks[0].on_failure = OnFailure::Undo;
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("build", CallPhase::Prepare, &prepared());
    world.comes_back("build", CallPhase::Act, &acted());
    world
}

fn seen(progress: Progress) -> Outcome {
    let memo = json!({ "id": "p:1" });
    Outcome::Step {
        came: StepOutcome::Pending { memo, progress },
    }
}

#[test]
fn what_cannot_be_seen_when_time_is_up_is_unknown_and_nothing_is_undone_unasked() {
    let mut world = watched(vec![build()]);
    world.comes_back("build", CallPhase::Watch, &seen(Progress::blind("AWS is away")));
    let blind = "unknown 1. build · watched · cannot be read just now: AWS is away";
    assert!(world.card().contains(blind), "{}", world.card());
    world.wakes(Span::minutes(31));
    assert_eq!(
        (world.operation().status, world.phase("build")),
        (Status::Stopped, Phase::Unknown)
    );
    let card = world.card();
    assert!(
        card.contains("not seen to be done within 30 min; it cannot be read just now"),
        "{card}"
    );
    replayed(&world);

    // What was seen to be under way is too late, and that is a failure.
    let mut world = watched(vec![build()]);
    let words = "p:1 is in BUILD".to_owned();
    world.comes_back(
        "build",
        CallPhase::Watch,
        &seen(Progress {
            words,
            ..Progress::default()
        }),
    );
    world.wakes(Span::minutes(31));
    assert_eq!(world.operation().status, Status::Undoing);
}

#[test]
fn the_next_try_looks_for_what_was_given_up_before_its_end_was_seen() {
    for (given_up, looked_for) in [(true, true), (false, false)] {
        let mut world = World::with(vec![build()]);
        world.says("U0BRUNO", "/deploy run switch mainnet");
        assert!(!world.call().unseen, "the first try has none before it");
        world.comes_back("build", CallPhase::Prepare, &prepared());
        world.comes_back("build", CallPhase::Act, &acted());
        if given_up {
            world.wakes(Span::minutes(31));
            world.effects.retain(|_, effect| !matches!(effect, Effect::Step(_)));
        } else {
            world.comes_back("build", CallPhase::Watch, &refused("exit status 1"));
        }
        assert_eq!(world.phase("build"), Phase::Failed);
        world.says("U0CARLA", "/deploy retry mainnet");
        let call = world.call();
        assert_eq!(
            (call.phase, call.number, call.unseen),
            (CallPhase::Prepare, 2, looked_for)
        );
        assert_eq!(call.memo["new"], "green", "it knows what the try before it began");
        world.comes_back("build", CallPhase::Prepare, &prepared());
        assert!(!world.call().unseen, "what a look found is done, not looked for again");
        replayed(&world);
    }
}

#[test]
fn an_act_without_a_trace_is_looked_for_again_before_it_is_done_anew() {
    let mut world = World::with(vec![build()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("build", CallPhase::Prepare, &prepared());
    let unseen = Outcome::Step {
        came: StepOutcome::Unseen,
    };
    world.comes_back("build", CallPhase::Act, &unseen);
    let call = world.call();
    assert_eq!(
        (world.phase("build"), call.phase, call.unseen),
        (Phase::Acting, CallPhase::Act, true)
    );
    assert!(
        world.card().contains("looked for again after 1 min"),
        "{}",
        world.card()
    );
    // Not for ever: nobody knows, and people are asked.
    world.passes(Span::minutes(31));
    world.comes_back("build", CallPhase::Act, &unseen);
    assert_eq!(
        (world.operation().status, world.phase("build")),
        (Status::Stopped, Phase::Unknown)
    );
    replayed(&world);
}

#[test]
fn a_failure_that_counts_as_success_has_changed_something_that_is_undone() {
    let mut build = build();
    build.expect = vec![Expected {
        name: "role exists".into(),
        words: vec!["already exists".into()],
        then: Then::GoOn,
        say: String::new(),
    }];
    let pause = step("pause", json!({ "kind": "wait", "for": "1m" }));
    let mut world = watched(vec![build, pause]);
    world.comes_back("build", CallPhase::Watch, &refused("the role already exists"));
    assert_eq!(
        (world.phase("build"), world.phase("pause")),
        (Phase::Skipped, Phase::Watching)
    );
    world.says("U0CARLA", "/deploy abort mainnet because=no");
    assert_eq!(world.phase("build"), Phase::Undoing);
    world.comes_back("build", CallPhase::Undo, &finished());
    assert_eq!(world.phase("build"), Phase::Undone);
}
