//! Steps that do not begin, or do not go on, before something is certain: a name that is typed, a snapshot that is young enough, a second person.

use std::collections::BTreeMap;

use commands::effect::{CallPhase, Outcome, StepOutcome};
use commands::facts::Via;
use commands::ids::StepName;
use commands::operation::{Phase, Progress, Status};
use commands::reason::Reason;
use commands::runbook::{NeedsSnapshot, Step};
use commands::step::{SNAPSHOT_CREATED, SNAPSHOT_ID};
use commands::time::Span;
use serde_json::json;

use crate::runbook::{prepared, refused, replayed, step};
use crate::world::World;

fn came(came: StepOutcome) -> Outcome {
    Outcome::Step { came }
}

fn partly(deleted: u64) -> Outcome {
    came(StepOutcome::Pending {
        memo: json!({ "deleted": deleted }),
        progress: Progress {
            words: format!("{deleted} are deleted"),
            ..Progress::default()
        },
    })
}

fn gone() -> Outcome {
    came(StepOutcome::Finished {
        outputs: BTreeMap::new(),
        evidence: vec!["it is gone".into()],
    })
}

fn raze() -> Step {
    step("raze", json!({ "kind": "bucket_delete", "bucket": "old-documents" }))
}

/// A run that has shown what would go.
fn shown() -> World {
    let mut world = World::with(vec![raze()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("raze", CallPhase::Prepare, &prepared());
    assert_eq!(world.phase("raze"), Phase::Confirming);
    world
}

fn owes_a_call(world: &World) -> bool {
    world.owed("step") > 0
}

#[test]
fn what_deletes_for_good_wants_its_name_typed() {
    let mut world = shown();
    assert!(!owes_a_call(&world), "nothing is owed before");
    insta::assert_snapshot!("typed", world.card());
    assert_eq!(world.clicks("U0CARLA", "Type its name"), "form confirm");
    for wrong in ["yes", "old-document", "Old-Documents", "old-documents and more"] {
        let said = world.says("U0CARLA", &format!("/deploy confirm mainnet {wrong}"));
        assert!(said.contains("Type old-documents exactly"), "{said}");
        assert_eq!(world.refusals, [Reason::NotTyped]);
    }
    world.says("U0RITA", "/deploy confirm mainnet old-documents");
    assert_eq!(world.refusals, [Reason::Role]);
    assert!(!owes_a_call(&world));
    let said = world.says("U0CARLA", "/deploy confirm mainnet old-documents");
    assert!(said.contains("typed old-documents"), "{said}");
    assert_eq!(world.call().phase, CallPhase::Act);
    assert_eq!(world.call().memo, json!({ "old": "blue" }), "what was shown goes along");
    world.comes_back("raze", CallPhase::Act, &gone());
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Succeeded)
    );
    replayed(&world);
}

#[test]
fn a_try_after_a_failure_is_shown_and_typed_anew() {
    let mut world = shown();
    world.says("U0CARLA", "/deploy confirm mainnet old-documents");
    world.comes_back("raze", CallPhase::Act, &refused("something came in"));
    world.clicks("U0CARLA", "Try again");
    world.comes_back("raze", CallPhase::Prepare, &prepared());
    assert_eq!(world.phase("raze"), Phase::Confirming);
    assert!(!owes_a_call(&world));
}

#[test]
fn what_is_not_typed_can_be_left_out_aborted_or_runs_out() {
    let mut world = shown();
    world.says("U0CARLA", "/deploy skip mainnet it stays");
    assert_eq!(world.phase("raze"), Phase::Skipped);
    let mut world = shown();
    world.says("U0CARLA", "/deploy abort mainnet it stays");
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Undone)
    );
    let mut world = shown();
    world.wakes(Span::hours(1));
    assert_eq!(world.phase("raze"), Phase::Failed);
    replayed(&world);
}

#[test]
fn what_is_done_in_parts_is_owed_until_it_is_whole_or_nobody_wants_it() {
    let begun = || {
        let mut world = shown();
        world.says("U0CARLA", "/deploy confirm mainnet old-documents");
        world.comes_back("raze", CallPhase::Act, &partly(5000));
        assert_eq!(
            (world.call().phase, world.phase("raze")),
            (CallPhase::Act, Phase::Acting)
        );
        assert_eq!(world.call().memo, json!({ "deleted": 5000 }), "it goes on where it was");
        assert!(world.card().contains("5000 are deleted"), "{}", world.card());
        world
    };
    let mut world = begun();
    world.comes_back("raze", CallPhase::Act, &partly(7000));
    world.comes_back("raze", CallPhase::Act, &gone());
    assert_eq!(world.phase("raze"), Phase::Done);
    replayed(&world);

    let mut world = begun();
    world.says("U0CARLA", "/deploy abort mainnet enough");
    world.comes_back("raze", CallPhase::Act, &partly(7000));
    assert!(!owes_a_call(&world), "no further part");
    assert_eq!(world.phase("raze"), Phase::Failed);
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Undone)
    );

    let mut world = begun();
    world.passes(Span::hours(2));
    world.comes_back("raze", CallPhase::Act, &partly(7000));
    assert!(
        world.card().contains("given up on the way: 7000 are deleted"),
        "{}",
        world.card()
    );
    replayed(&world);
}

/// A step that needs a snapshot which is an hour old at most, behind one that takes it and a pause.
fn risky() -> World {
    let mut risky = step(
        "risky",
        json!({ "kind": "event_source", "function": "streams", "enabled": false }),
    );
    risky.needs_snapshot = Some(NeedsSnapshot {
        step: StepName::parse("snapshot").expect("a name"),
        younger: Span::hours(1),
    });
    let mut world = World::with(vec![
        step("snapshot", json!({ "kind": "snapshot", "instance": "wallet" })),
        step("look", json!({ "kind": "manual", "instructions": "Look." })),
        risky,
    ]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world
}

fn taken(world: &mut World, created: &str) {
    world.comes_back("snapshot", CallPhase::Prepare, &prepared());
    let acted = StepOutcome::Acted { memo: json!({}) };
    world.comes_back("snapshot", CallPhase::Act, &came(acted));
    let outputs = [(SNAPSHOT_ID, "s1"), (SNAPSHOT_CREATED, created)];
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let finished = StepOutcome::Finished {
        outputs: outputs.into(),
        evidence: vec![],
    };
    world.comes_back("snapshot", CallPhase::Watch, &came(finished));
}

fn now(world: &World) -> String {
    world.now.utc().to_rfc3339()
}

#[test]
fn a_step_that_needs_a_young_snapshot_begins_with_one() {
    let mut world = risky();
    let created = now(&world);
    taken(&mut world, &created);
    world.passes(Span::minutes(59));
    world.says("U0CARLA", "/deploy confirm mainnet");
    assert_eq!(world.phase("risky"), Phase::Preparing);
}

#[test]
fn without_one_it_refuses_and_trying_again_takes_a_new_one_first() {
    let mut world = risky();
    let created = now(&world);
    taken(&mut world, &created);
    world.passes(Span::minutes(61));
    world.says("U0CARLA", "/deploy confirm mainnet");
    assert_eq!(
        (world.phase("risky"), world.operation().status),
        (Phase::Failed, Status::Stopped)
    );
    insta::assert_snapshot!("no_young_snapshot", world.card());
    world.clicks("U0CARLA", "Try again");
    assert_eq!(world.phase("risky"), Phase::Ahead);
    let created = now(&world);
    taken(&mut world, &created);
    assert_eq!(world.phase("risky"), Phase::Preparing);
    replayed(&world);
}

#[test]
fn what_nobody_knows_is_no_snapshot() {
    for unknown in ["left out", "yesterday"] {
        let mut world = risky();
        if unknown == "left out" {
            world.comes_back("snapshot", CallPhase::Prepare, &refused("RDS is away"));
            world.says("U0CARLA", "/deploy skip mainnet there is no time");
        } else {
            taken(&mut world, unknown);
        }
        world.says("U0CARLA", "/deploy confirm mainnet");
        assert_eq!(world.phase("risky"), Phase::Failed, "{unknown}");
        assert!(world.card().contains("knows of none"), "{}", world.card());
    }
}

#[test]
fn what_nothing_is_known_for_fails_once_and_stops() {
    let mut build = step("build", json!({ "kind": "codebuild", "project": "{step.color.other}" }));
    build.retries = 3;
    let mut world = World::with(vec![
        step("color", json!({ "kind": "flag", "parameter": "/color" })),
        build,
    ]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    let read = StepOutcome::Prepared {
        memo: json!(null),
        outputs: BTreeMap::from([("value".into(), "blue".into())]),
        evidence: vec![],
        done: true,
    };
    world.comes_back("color", CallPhase::Prepare, &came(read));
    assert_eq!(
        (world.phase("build"), world.operation().status),
        (Phase::Failed, Status::Stopped)
    );
    assert!(world.card().contains("nothing is known for"), "{}", world.card());
}

/// Whatever names they give: at a command line the operating system knows better.
#[test]
fn one_operating_system_user_is_one_person() {
    let agree = |required| json!({ "kind": "approval", "question": "Switch?", "required": required });
    let root = || Via::CommandLine {
        os_user: "root".into(),
        confined: false,
    };
    let mut world = World::with(vec![step("agree", agree(2))]);
    let says = |world: &mut World, who: &str, via: Via, text: &str| {
        let speaker = world.speaker(who, via);
        world.says_as(&speaker, text);
        std::mem::take(&mut world.refusals)
    };
    says(&mut world, "U0CARLA", root(), "/deploy run switch mainnet");
    let own = says(&mut world, "U0ANN", root(), "/deploy confirm mainnet");
    assert_eq!(own, [Reason::SelfApproval], "who started it has another name");
    let other = Via::CommandLine {
        os_user: "ann".into(),
        confined: false,
    };
    assert_eq!(says(&mut world, "U0ANN", other.clone(), "/deploy confirm mainnet"), []);
    let twice = says(&mut world, "U0BRUNO", other, "/deploy confirm mainnet");
    assert_eq!(twice, [Reason::AlreadyVoted]);
    assert_eq!(world.phase("agree"), Phase::Asking);
    assert_eq!(says(&mut world, "U0BRUNO", Via::Button, "/deploy confirm mainnet"), []);
    assert_eq!(world.phase("agree"), Phase::Done);
}
