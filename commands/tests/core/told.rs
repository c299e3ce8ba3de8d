//! What people are told of a runbook's run, and what they cannot get around: evidence, noise, words behind a yes, ends.

use std::collections::BTreeMap;

use commands::effect::{CallPhase, Outcome, StepOutcome};
use commands::ids::{StepName, UserId};
use commands::operation::{Phase, Progress, Status};
use commands::reason::Reason;
use commands::runbook::{Condition, Expected, Then};
use commands::time::Span;
use commands::view::{Block, Inline, operation_card};
use serde_json::json;

use crate::runbook::{acted, color, finished, pause_step, prepared, refused, runbook, step};
use crate::world::World;

fn found(value: &str) -> Outcome {
    Outcome::Step {
        came: StepOutcome::Prepared {
            memo: json!(null),
            outputs: BTreeMap::from([("value".to_owned(), value.to_owned())]),
            evidence: vec![],
            done: true,
        },
    }
}

fn asks() -> commands::runbook::Step {
    step("agree", json!({ "kind": "approval", "question": "Empty the table?" }))
}

/// What somebody presses agrees to, by the action of its button.
fn dialog(world: &World, action: &str) -> String {
    let card = world.decide(|facts| operation_card(world.operation(), facts));
    let buttons = card.blocks.iter().filter_map(|block| match block {
        Block::Actions(buttons) => Some(buttons),
        _ => None,
    });
    let button = buttons.flatten().find(|button| button.action == action);
    button
        .and_then(|button| button.confirm.as_ref())
        .map_or_else(String::new, |confirm| confirm.text.clone())
}

/// Whom nobody answers in time has still not said yes: operators cannot take the place of approvers.
#[test]
fn an_approval_that_nobody_gave_in_time_is_not_left_out() {
    let mut world = World::with(vec![asks(), pause_step()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    let said = world.says("U0CARLA", "/deploy skip mainnet nobody answers");
    assert!(said.contains("an approval cannot be left out"), "{said}");
    world.wakes(Span::hours(1));
    assert_eq!(
        (world.operation().status, world.phase("agree")),
        (Status::Stopped, Phase::Failed)
    );
    let card = world.card();
    assert!(card.contains("nobody answered within 1 h"), "{card}");
    assert!(!card.contains("Leave it out"), "{card}");
    let said = world.says("U0CARLA", "/deploy skip mainnet nobody answers");
    assert!(said.contains("an approval cannot be left out"), "{said}");
    let value = format!("wallet {} agree 0", world.operation().id);
    world.presses_value("U0CARLA", "skip", &value);
    assert_eq!(world.phase("agree"), Phase::Failed);
    world.clicks("U0CARLA", "Try again");
    assert_eq!(world.phase("agree"), Phase::Asking, "they are asked anew");
    // What is no approval may be left out, as before.
    let mut flip = World::with(vec![step("flip", color("green")), pause_step()]);
    flip.says("U0BRUNO", "/deploy run switch mainnet");
    flip.comes_back("flip", CallPhase::Prepare, &refused("no"));
    flip.says("U0CARLA", "/deploy skip mainnet it is green");
    assert_eq!(flip.phase("flip"), Phase::Skipped);
}

#[test]
fn what_is_said_with_a_yes_is_kept_beside_the_names() {
    let mut world = World::with(vec![
        step(
            "agree",
            json!({ "kind": "approval", "question": "Switch?", "required": 2 }),
        ),
        pause_step(),
    ]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    assert_eq!(dialog(&world, "confirm"), "switch on mainnet: Switch?");
    let said = world.says("U0ANN", "/deploy confirm mainnet I looked at the *logs*");
    assert!(
        said.contains("says yes (1 of 2)") && said.contains("I looked at the"),
        "{said}"
    );
    world.clicks("U0DANA", "Yes");
    let card = world.card();
    let lines: Vec<&str> = card
        .lines()
        .skip_while(|line| !line.contains("1. agree"))
        .take(2)
        .collect();
    assert!(
        lines[0].contains(" and ") && lines[1].contains("I looked at the"),
        "{card}"
    );
}

/// What a condition left out and a comparison let pass is told in words: what was looked at, and what it was.
#[test]
fn conditions_and_comparisons_say_what_was_looked_at() {
    let flag = step("pending", json!({ "kind": "flag", "parameter": "/pending" }));
    let require = |name: &str, keys: serde_json::Value| {
        let mut all = json!({ "kind": "require", "value": "{step.pending.value}", "otherwise": "No." });
        all.as_object_mut()
            .expect("keys")
            .extend(keys.as_object().expect("keys").clone());
        step(name, all)
    };
    let mut off = step("off", color("red"));
    off.when = Some(Condition {
        value: "{step.pending.value}".into(),
        is: Some("false".into()),
        is_not: None,
    });
    let mut on = step("on", color("red"));
    on.when = Some(Condition {
        value: "{step.pending.value}".into(),
        is: None,
        is_not: Some("true".into()),
    });
    let mut world = World::with(vec![
        flag,
        require("waits", json!({ "is": "true" })),
        require("differs", json!({ "is_not": "no", "what": "the flag" })),
        off,
        on,
        pause_step(),
    ]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("pending", CallPhase::Prepare, &found("true"));
    let told = |world: &World| {
        let commands::step::Action::Require(require) = world.call().action else {
            panic!("a comparison is owed")
        };
        require.words()
    };
    assert_eq!(told(&world), "what step 1 found is true, as it has to be");
    world.comes_back("waits", CallPhase::Prepare, &found(""));
    assert_eq!(told(&world), "the flag is true; it must not be no");
    world.comes_back("differs", CallPhase::Prepare, &found(""));
    let card = world.card();
    assert!(
        card.contains("4. off · left out, only where what step 1 found is false, and it is true"),
        "{card}"
    );
    assert!(
        card.contains("5. on · left out, only where what step 1 found is not true"),
        "{card}"
    );
}

/// An undo says what it left standing, and nothing of what only looked; what was never begun is one line.
#[test]
fn an_undone_run_says_what_stays_and_not_what_only_looked() {
    let build = |name: &str| step(name, json!({ "kind": "codebuild", "project": name }));
    let mut tests = build("smoke-tests");
    tests.only_looks = true;
    let mut world = World::with(vec![
        tests,
        build("copy"),
        asks(),
        pause_step(),
        step("flip", color("green")),
    ]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    for name in ["smoke-tests", "copy"] {
        world.comes_back(name, CallPhase::Prepare, &prepared());
        world.comes_back(name, CallPhase::Act, &acted());
        world.comes_back(name, CallPhase::Watch, &finished());
    }
    assert!(
        world.card().contains("5. flip"),
        "what is ahead is shown while it is ahead"
    );
    world.says("U0CARLA", "/deploy abort mainnet not now");
    assert!(matches!(
        world.operation().status,
        Status::Ended {
            reason: Reason::Undone,
            ..
        }
    ));
    let card = world.card();
    assert!(card.contains("copy stays done"), "{card}");
    assert!(!card.contains("smoke tests stays"), "{card}");
    assert!(
        card.contains("2 steps were not begun") && !card.contains("5. flip"),
        "{card}"
    );
}

/// A job that takes something back runs for minutes: whoever waits sees how far it is, and not what was seen before.
#[test]
fn an_undo_that_takes_a_while_says_how_far_it_is() {
    let job = json!({ "kind": "codebuild", "project": "p", "undo": { "project": "back" } });
    let mut build = step("build", job);
    build.usual = Some(Span::minutes(10));
    let mut world = World::with(vec![build, pause_step()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("build", CallPhase::Prepare, &prepared());
    world.comes_back("build", CallPhase::Act, &acted());
    world.comes_back("build", CallPhase::Watch, &finished());
    world.says("U0CARLA", "/deploy abort mainnet not now");
    world.comes_back("build", CallPhase::Undo, &acted());
    let on_its_way = Outcome::Step {
        came: StepOutcome::Pending {
            memo: json!({ "old": "blue", "new": "green" }),
            progress: Progress {
                words: "back:1 is in BUILD".into(),
                ..Progress::default()
            },
        },
    };
    world.comes_back("build", CallPhase::UndoWatch, &on_its_way);
    let card = world.card();
    assert!(card.contains("is being undone · back:1 is in BUILD"), "{card}");
    assert!(!card.contains("› seen") && !card.contains("usually"), "{card}");
    let changed = world.operation().changed_at;
    world.passes(Span::seconds(10));
    world.comes_back("build", CallPhase::UndoWatch, &on_its_way);
    assert_eq!(
        world.operation().changed_at,
        changed,
        "a look that brings no news is none"
    );
    world.comes_back("build", CallPhase::UndoWatch, &finished());
    assert!(!world.card().contains("is in BUILD"));
}

#[test]
fn a_remedy_is_named_before_it_is_done() {
    let mut build = step("build", json!({ "kind": "codebuild", "project": "p" }));
    build.expect = vec![Expected {
        name: "dead letters".into(),
        words: vec!["dead".into()],
        then: Then::Remedy(StepName::parse("put-back").expect("a name")),
        say: String::new(),
    }];
    let mut remedy = step("put-back", color("none"));
    remedy.remedy = true;
    let mut world = World::with(vec![build, remedy]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("build", CallPhase::Prepare, &refused("3 are dead"));
    assert_eq!(
        dialog(&world, "remedy"),
        "switch on mainnet: “put back”, then “build” again"
    );
    assert!(world.card().contains("The remedy is “put back”."), "{}", world.card());
}

/// A run that waits for people has no end of its own: to wait for it is no way out.
#[test]
fn a_refused_start_says_how_the_run_before_it_ends() {
    let mut world = World::with(vec![step("flip", color("green"))]);
    world.service().runbooks.push(runbook("copy", vec![pause_step()]));
    world.says("U0BRUNO", "/deploy run switch mainnet");
    let said = world.says("U0CARLA", "/deploy run copy mainnet");
    assert!(said.contains("Wait for its end"), "{said}");
    world.comes_back("flip", CallPhase::Prepare, &refused("no"));
    let said = world.says("U0CARLA", "/deploy run copy mainnet");
    let id = world.operation().id.short().to_owned();
    assert!(
        said.contains("which waits for a person") && !said.contains("Wait for its end"),
        "{said}"
    );
    assert!(said.contains(&format!("/deploy abort mainnet {id} <reason>")), "{said}");
    world.says("U0CARLA", &format!("/deploy abort mainnet {id} it was wrong"));
    let said = world.says("U0CARLA", "/deploy run copy mainnet");
    assert!(said.contains("Recorded"), "{said}");
}

/// Who said yes in Slack has a name there; a terminal looks it up, which it can only do for somebody whom the card names as a person.
#[test]
fn who_said_yes_is_a_person_also_where_their_name_is_not_known() {
    let mut world = World::with(vec![asks(), pause_step()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.clicks("U0DANA", "Yes");
    world.people.clear();
    let card = world.decide(|facts| operation_card(world.operation(), facts));
    let dana = UserId::parse("U0DANA").expect("a user");
    let named = card.blocks.iter().any(|block| match block {
        Block::Section(lines) => lines
            .iter()
            .flatten()
            .any(|part| *part == Inline::Mention(dana.clone())),
        _ => false,
    });
    assert!(named, "{}", world.card());
}
