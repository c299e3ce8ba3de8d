//! Runbooks as their users meet them: started, planned, answered, stuck, mended, undone.

use std::collections::BTreeMap;

use commands::effect::{CallPhase, Effect, Outcome, StepCall, StepOutcome};
use commands::facts::Via;
use commands::ids::{RecordId, RunbookName, StepName};
use commands::operation::{self, Operation, Phase, Status};
use commands::reason::Reason;
use commands::runbook::{Asks, Condition, Expected, OnFailure, Runbook, Step, StepSpec, Then, built_in};
use commands::step::Action;
use commands::time::Span;
use commands::verb::press::{self, Press};
use commands::wake;
use serde_json::json;

use crate::world::{World, text_of, words};

pub fn step(name: &str, action: serde_json::Value) -> Step {
    Step {
        name: StepName::parse(name).expect("a name"),
        title: name.replace('-', " "),
        action: serde_json::from_value(action).expect("an action"),
        region: None,
        group: None,
        asks: false,
        when: None,
        deadline: Span::hours(1),
        usual: None,
        retries: 0,
        expect: vec![],
        keep: false,
        only_looks: false,
        remedy: false,
        needs_snapshot: None,
        moves: None,
    }
}

pub fn runbook(name: &str, steps: Vec<Step>) -> Runbook {
    let spec = |step| StepSpec {
        step,
        asks_in: Asks::Never,
    };
    Runbook {
        name: RunbookName::parse(name).expect("a name"),
        title: String::new(),
        command: None,
        starters: None,
        text: String::new(),
        environments: vec![],
        parameters: vec![],
        on_failure: OnFailure::Stop,
        steps: steps.into_iter().map(spec).collect(),
    }
}

/// A runbook that lets a minute pass.
pub fn pause(name: &str) -> Runbook {
    runbook(name, vec![step("pause", json!({ "kind": "wait", "for": "1m" }))])
}

pub fn color(value: &str) -> serde_json::Value {
    json!({ "kind": "flag", "parameter": "/color", "value": value })
}

fn source(enabled: bool) -> serde_json::Value {
    json!({ "kind": "event_source", "function": "streams", "enabled": enabled })
}

impl World {
    pub fn with(steps: Vec<Step>) -> Self {
        let mut world = Self::new();
        world.service().runbooks = vec![runbook("switch", steps)];
        world
    }

    pub fn operation(&self) -> &Operation {
        self.operations
            .values()
            .max_by_key(|operation| operation.pinned.started_at)
            .expect("an operation")
    }

    pub fn phase(&self, step: &str) -> Phase {
        let step = StepName::parse(step).expect("a name");
        self.operation().step(&step).expect("a step").1.phase
    }

    /// The call that is owed.
    pub fn call(&self) -> StepCall {
        let calls = self.effects.values().filter_map(|effect| match effect {
            Effect::Step(call) => Some((**call).clone()),
            _ => None,
        });
        let calls: Vec<_> = calls.collect();
        match calls.as_slice() {
            [one] => one.clone(),
            calls => panic!("{} calls are owed", calls.len()),
        }
    }

    /// The owed call of a phase comes back.
    pub fn comes_back(&mut self, step: &str, phase: CallPhase, outcome: &Outcome) {
        let found = self.effects.values().find_map(|effect| match effect {
            Effect::Step(call) if call.step.as_str() == step && call.phase == phase => Some(effect.clone()),
            _ => None,
        });
        let effect = found.unwrap_or_else(|| panic!("no {phase:?} of {step} is owed"));
        self.effects.remove(&effect.key());
        self.hears_of(&effect, outcome);
    }

    pub fn hears_of(&mut self, effect: &Effect, outcome: &Outcome) {
        let watch = self.watch.clone();
        let decision = self
            .decide(|facts| commands::outcome::hear(facts, effect, outcome, Some(&watch), crate::world::PACE))
            .expect("a legal decision");
        self.commit(decision);
    }

    pub fn wakes(&mut self, span: Span) {
        self.passes(span);
        let id = self.operation().id.clone();
        let decision = self.decide(|facts| wake::run(facts, &id)).expect("a legal decision");
        self.commit(decision);
    }

    /// Somebody presses a button of the card as it is drawn now.
    pub fn clicks(&mut self, who: &str, label: &str) -> String {
        let card = self.decide(|facts| commands::view::operation_card(self.operation(), facts));
        let buttons = card.blocks.iter().filter_map(|block| match block {
            commands::view::Block::Actions(buttons) => Some(buttons.clone()),
            _ => None,
        });
        let button = buttons
            .flatten()
            .find(|button| button.label.starts_with(label))
            .unwrap_or_else(|| panic!("no button {label} on\n{}", text_of(&card)));
        self.presses_value(who, &button.action, &button.value)
    }

    pub fn presses_value(&mut self, who: &str, action: &str, value: &str) -> String {
        let speaker = self.speaker(who, Via::Button);
        let Some(Press::Command(command)) = press::button(&self.catalog, action, value) else {
            panic!("{action} {value} is no button")
        };
        let decision = self
            .decide(|facts| command.request.decide(facts, &speaker))
            .expect("a legal decision");
        words(&self.commit(decision))
    }

    /// The newest message in the run's thread.
    pub fn last_note(&self) -> String {
        let notes = self.effects.values().filter_map(|effect| match effect {
            Effect::PostInThread { name, message, .. } => Some((name.starts_with("stopped/"), message)),
            _ => None,
        });
        let (_, note) = notes.max_by_key(|(stopped, _)| *stopped).expect("a note");
        crate::world::text_of(note)
    }

    pub fn card(&self) -> String {
        text_of(&self.decide(|facts| commands::view::operation_card(self.operation(), facts)))
    }
}

pub fn prepared() -> Outcome {
    Outcome::Step {
        came: StepOutcome::Prepared {
            memo: json!({ "old": "blue" }),
            outputs: BTreeMap::new(),
            evidence: vec!["is blue now".into()],
            done: false,
        },
    }
}

pub fn acted() -> Outcome {
    Outcome::Step {
        came: StepOutcome::Acted {
            memo: json!({ "old": "blue", "new": "green" }),
        },
    }
}

pub fn finished() -> Outcome {
    Outcome::Step {
        came: StepOutcome::Finished {
            outputs: BTreeMap::from([("value".to_owned(), "blue".to_owned())]),
            evidence: vec!["seen".into()],
        },
    }
}

pub fn refused(message: &str) -> Outcome {
    Outcome::Refused {
        code: "ValidationException".into(),
        message: message.into(),
    }
}

#[test]
fn a_runbook_goes_from_start_to_end() {
    let mut world = World::with(vec![
        step("off", source(false)),
        step("settle", json!({ "kind": "wait", "for": "90s" })),
        step(
            "look",
            json!({ "kind": "manual", "instructions": "Look at it.", "evidence": "what you saw" }),
        ),
        step(
            "agree",
            json!({ "kind": "approval", "question": "Switch?", "required": 2 }),
        ),
        step("flip", color("green")),
    ]);
    let said = world.says("U0BRUNO", "/deploy run switch mainnet because the migration is done");
    assert!(said.contains("Recorded"), "{said}");
    assert_eq!(world.claims.len(), 1);
    world.comes_back("off", CallPhase::Prepare, &prepared());
    world.comes_back("off", CallPhase::Act, &acted());
    world.comes_back("off", CallPhase::Watch, &finished());
    world.wakes(Span::seconds(89));
    assert_eq!(world.phase("settle"), Phase::Watching);
    world.wakes(Span::seconds(1));
    assert_eq!(world.phase("look"), Phase::Asking);
    assert_eq!(world.clicks("U0CARLA", "It is done"), "form confirm");
    let said = world.says("U0CARLA", "/deploy confirm mainnet all green");
    assert!(said.contains("says that it is done"), "{said}");
    // Who started it does not agree to it; who may not approve neither.
    world.clicks("U0BRUNO", "Yes");
    assert_eq!(world.refusals, [Reason::SelfApproval]);
    world.clicks("U0CARLA", "Yes");
    assert_eq!(world.refusals, [Reason::Role]);
    world.clicks("U0ANN", "Yes");
    world.clicks("U0ANN", "Yes");
    assert_eq!(world.refusals, [Reason::AlreadyVoted]);
    assert_eq!(world.phase("agree"), Phase::Asking);
    world.clicks("U0DANA", "Yes");
    world.comes_back("flip", CallPhase::Prepare, &prepared());
    assert_eq!(
        world.call().memo,
        json!({ "old": "blue" }),
        "what undo needs is known before anything changes"
    );
    world.comes_back("flip", CallPhase::Act, &acted());
    assert!(matches!(
        world.operation().status,
        Status::Ended {
            reason: Reason::Succeeded,
            ..
        }
    ));
    assert!(world.claims.is_empty());
    let card = world.card();
    let answered = |title: &str| card.lines().find(|line| line.contains(title)).unwrap_or_default();
    assert!(answered("3. look").contains("by "), "who ticked it: {card}");
    assert!(answered("4. agree").contains(" and "), "both who said yes: {card}");
    assert!(!answered("5. flip").contains("by "), "nobody was asked: {card}");
}

#[test]
fn a_plan_reads_everything_and_changes_nothing() {
    let mut world = World::with(vec![
        step(
            "color",
            json!({ "kind": "flag", "parameter": "/color", "choices": ["blue", "green"] }),
        ),
        step("flip", color("{step.color.other}")),
        step("agree", json!({ "kind": "approval", "question": "Go on?" })),
        step(
            "build",
            json!({ "kind": "codebuild", "project": "p", "variables": { "FROM": "{step.flip.build}" } }),
        ),
    ]);
    // Every member may look, wherever the environment stands.
    world.says("U0RITA", "/deploy run switch mainnet --plan");
    assert!(world.claims.is_empty());
    let read = Outcome::Step {
        came: StepOutcome::Prepared {
            memo: json!(null),
            outputs: BTreeMap::from([("value".into(), "blue".into()), ("other".into(), "green".into())]),
            evidence: vec!["is blue".into()],
            done: true,
        },
    };
    world.comes_back("color", CallPhase::Prepare, &read);
    world.comes_back("flip", CallPhase::Prepare, &prepared());
    assert!(matches!(
        world.operation().status,
        Status::Ended {
            reason: Reason::Planned,
            ..
        }
    ));
    assert!(
        world.effects.values().all(|effect| !matches!(effect, Effect::Step(_))),
        "nothing more is owed"
    );
    let card = world.card();
    for words in [
        "sets parameter /color to green",
        "is blue now",
        "asks an approver: Go on?",
        "known only when",
    ] {
        assert!(card.contains(words), "{words} is not on\n{card}");
    }
}

#[test]
fn a_plan_goes_on_where_nothing_can_be_read_yet() {
    let mut world = World::with(vec![
        step("drain", json!({ "kind": "queue_drain", "queues": ["not-there-yet"] })),
        step("flip", color("green")),
    ]);
    world.says("U0RITA", "/deploy run switch mainnet --plan");
    world.comes_back("drain", CallPhase::Prepare, &refused("the queue does not exist"));
    world.comes_back("flip", CallPhase::Prepare, &prepared());
    let card = world.card();
    for words in [
        "changes nothing",
        "1 step cannot be told yet",
        "the queue does not exist",
        "is blue now",
    ] {
        assert!(card.contains(words), "{words} is not on\n{card}");
    }
    replayed(&world);
}

#[test]
fn a_failure_stops_and_a_person_decides() {
    let steps = || vec![step("off", source(false)), step("flip", color("green")), pause_step()];
    let stuck = || {
        let mut world = World::with(steps());
        world.says("U0BRUNO", "/deploy run switch mainnet");
        world.comes_back("off", CallPhase::Prepare, &prepared());
        world.comes_back("off", CallPhase::Act, &acted());
        world.comes_back("off", CallPhase::Watch, &finished());
        world.comes_back("flip", CallPhase::Prepare, &prepared());
        world.comes_back("flip", CallPhase::Act, &refused("it is red"));
        assert_eq!(world.operation().status, Status::Stopped);
        assert!(world.card().contains("ValidationException: it is red"));
        world
    };
    let mut world = stuck();
    world.clicks("U0RITA", "Try again");
    assert_eq!(world.refusals, [Reason::Role]);
    world.clicks("U0CARLA", "Try again");
    world.comes_back("flip", CallPhase::Prepare, &prepared());
    world.comes_back("flip", CallPhase::Act, &acted());
    assert_eq!(world.phase("pause"), Phase::Watching);

    let mut world = stuck();
    assert_eq!(world.clicks("U0CARLA", "Leave it out"), "form skip");
    world.says("U0CARLA", "/deploy skip mainnet it is red already");
    assert_eq!(
        (world.phase("flip"), world.phase("pause")),
        (Phase::Skipped, Phase::Watching)
    );

    let mut world = stuck();
    world.says("U0CARLA", "/deploy abort mainnet wrong color");
    // In reverse: the step that failed may have changed something.
    world.comes_back("flip", CallPhase::Undo, &acted());
    assert_eq!(world.call().memo, json!({ "old": "blue", "new": "green" }));
    world.comes_back("off", CallPhase::Undo, &acted());
    world.comes_back("off", CallPhase::UndoWatch, &finished());
    assert!(matches!(
        world.operation().status,
        Status::Ended {
            reason: Reason::Undone,
            ..
        }
    ));
    assert!(world.claims.is_empty());

    let mut world = stuck();
    world.clicks("U0CARLA", "End it as it is");
    assert!(matches!(
        world.operation().status,
        Status::Ended {
            reason: Reason::Stopped,
            ..
        }
    ));
    let card = world.card();
    assert!(card.contains("off stays done: it was not undone."), "{card}");
}

pub fn pause_step() -> Step {
    step("pause", json!({ "kind": "wait", "for": "1m" }))
}

#[test]
fn a_failed_undo_waits_for_a_person() {
    let mut world = World::with(vec![step("flip", color("green")), pause_step()]);
    world.service().runbooks[0].on_failure = OnFailure::Undo;
    world.service().runbooks[0].steps[1] = StepSpec {
        step: step("more", color("red")),
        asks_in: Asks::Never,
    };
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("flip", CallPhase::Prepare, &prepared());
    world.comes_back("flip", CallPhase::Act, &acted());
    world.comes_back("more", CallPhase::Prepare, &refused("no such flag"));
    assert_eq!(world.operation().status, Status::Undoing, "the runbook says so");
    world.comes_back("flip", CallPhase::Undo, &refused("somebody changed it since"));
    assert_eq!(
        (world.operation().status, world.phase("flip")),
        (Status::Stopped, Phase::UndoFailed)
    );
    world.clicks("U0CARLA", "Try again");
    world.comes_back("flip", CallPhase::Undo, &acted());
    assert!(matches!(
        world.operation().status,
        Status::Ended {
            reason: Reason::Undone,
            ..
        }
    ));
}

/// A build goes on whatever becomes of the run: nothing else begins before it is known how it ended.
#[test]
fn an_abort_waits_for_what_is_under_way_and_has_no_way_back() {
    let build = step("build", json!({ "kind": "codebuild", "project": "migrate" }));
    let under_way = || {
        let mut world = World::with(vec![step("flip", color("green")), build.clone()]);
        world.says("U0BRUNO", "/deploy run switch mainnet");
        world.comes_back("flip", CallPhase::Prepare, &prepared());
        world.comes_back("flip", CallPhase::Act, &acted());
        world.comes_back("build", CallPhase::Prepare, &prepared());
        world.comes_back("build", CallPhase::Act, &acted());
        world.says("U0CARLA", "/deploy abort mainnet wrong version");
        assert_eq!(world.operation().status, Status::Undoing);
        assert_eq!(world.claims.len(), 1, "the environment is not free yet");
        let card = world.decide(|facts| commands::view::operation_card(world.operation(), facts));
        let card = text_of(&card);
        assert!(
            card.contains("is being undone, after the end of step 2 of 2: build"),
            "{card}"
        );
        assert!(card.contains("has no way back, so its end is waited for"), "{card}");
        world
    };
    let ends = |world: &mut World| {
        world.comes_back("flip", CallPhase::Undo, &acted());
        assert_eq!(
            world.operation().ended().map(|(reason, _)| reason),
            Some(Reason::Undone)
        );
        assert!(world.claims.is_empty());
        replayed(world);
        let card = world.decide(|facts| commands::view::operation_card(world.operation(), facts));
        text_of(&card)
    };
    let mut world = under_way();
    world.comes_back("build", CallPhase::Watch, &finished());
    let card = ends(&mut world);
    assert!(
        card.contains("undone after") && card.contains("build stays done"),
        "{card}"
    );

    let mut world = under_way();
    world.comes_back("build", CallPhase::Watch, &refused("exit status 1"));
    let card = ends(&mut world);
    assert!(card.contains("what it did before it failed stays"), "{card}");

    // Who cannot wait ends it as it is, and reads what goes on.
    let mut world = under_way();
    world.clicks("U0CARLA", "End it as it is");
    let card = world.decide(|facts| commands::view::operation_card(world.operation(), facts));
    let card = text_of(&card);
    assert!(card.contains("build was under way and goes on"), "{card}");

    // Nobody waits for ever.
    let mut world = under_way();
    world.wakes(Span::hours(2));
    assert_eq!(world.phase("build"), Phase::Failed);
    ends(&mut world);
}

/// A run that had done nothing by then is not called undone.
#[test]
fn an_abort_before_anything_was_done_is_no_undo() {
    let mut world = World::with(vec![step("flip", color("green"))]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.says("U0CARLA", "/deploy abort mainnet not today");
    let card = world.decide(|facts| commands::view::operation_card(world.operation(), facts));
    let card = text_of(&card);
    assert!(
        card.contains("aborted after") && !card.contains("undone after"),
        "{card}"
    );
    let history = world.says("U0RITA", "/deploy history mainnet");
    assert!(history.contains("switch · aborted ·"), "{history}");
}

/// What people say beside their yes is evidence: it stands with the step, with their names.
#[test]
fn words_beside_a_yes_are_kept() {
    let asked = Step {
        asks: true,
        ..step("flip", color("green"))
    };
    let agree = step(
        "agree",
        json!({ "kind": "approval", "question": "Go on?", "required": 2 }),
    );
    let mut world = World::with(vec![agree, asked]);
    world.service().runbooks[0].steps[1].asks_in = Asks::Everywhere;
    world.says("U0CARLA", "/deploy run switch mainnet");
    world.says("U0ANN", "/deploy confirm mainnet the diff is *small*");
    world.says("U0BRUNO", "/deploy confirm mainnet");
    let (_, agreed) = world.operation().all().next().expect("a step");
    assert_eq!((agreed.phase, agreed.evidence.len()), (Phase::Done, 1));
    assert!(
        agreed.evidence[0].ends_with(": the diff is *small*"),
        "{:?}",
        agreed.evidence
    );
    world.says("U0CARLA", "/deploy confirm mainnet the traffic is low");
    let notes: Vec<_> = world.operation().notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes, ["the traffic is low"]);
    replayed(&world);
}

/// What was under way together does not rest on each other: one that cannot be undone does not hold up the others of its group, only what is before it.
#[test]
fn a_failed_undo_does_not_hold_up_its_group() {
    let grouped = |name: &str| Step {
        group: Some("regions".to_owned()),
        ..step(name, color("green"))
    };
    let steps = ["west", "middle", "east"].map(grouped);
    let mut world = World::with([step("first", color("green"))].into_iter().chain(steps).collect());
    world.says("U0BRUNO", "/deploy run switch mainnet");
    for name in ["first", "west", "middle", "east"] {
        world.comes_back(name, CallPhase::Prepare, &prepared());
        if name != "east" {
            world.comes_back(name, CallPhase::Act, &acted());
        }
    }
    world.comes_back("east", CallPhase::Act, &refused("not now"));
    world.says("U0CARLA", "/deploy abort mainnet enough");
    world.comes_back("east", CallPhase::Undo, &refused("nobody is there"));
    assert_eq!(world.operation().status, Status::Undoing, "the others are tried");
    world.comes_back("middle", CallPhase::Undo, &acted());
    world.comes_back("west", CallPhase::Undo, &refused("nobody is there either"));
    let phases = ["first", "west", "middle", "east"].map(|name| world.phase(name));
    assert_eq!(
        (world.operation().status, phases),
        (
            Status::Stopped,
            [Phase::Done, Phase::UndoFailed, Phase::Undone, Phase::UndoFailed]
        )
    );
    let card = world.card();
    assert!(
        card.starts_with("switch · wallet → mainnet · “west” and 1 more could not be undone"),
        "{card}"
    );
    insta::assert_snapshot!(world.last_note());
    // Left as they are one after the other; then what is before them is undone.
    world.says("U0CARLA", "/deploy skip mainnet nobody works there");
    assert_eq!(world.operation().status, Status::Stopped);
    world.says("U0CARLA", "/deploy skip mainnet nor there");
    world.comes_back("first", CallPhase::Undo, &acted());
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Undone)
    );
    replayed(&world);
}

/// The word of a person brings no outputs: what they say was started is looked for, and has its own time for it.
#[test]
fn what_a_person_says_was_started_is_found_and_followed() {
    let job = json!({
        "kind": "job", "secret_env": "KEY",
        "circleci": { "url": "https://ci.example.org", "project": "gh/acme/wallet" },
    });
    let mut world = World::with(vec![step("start", job)]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("start", CallPhase::Prepare, &prepared());
    let why = "the answer was lost".to_owned();
    world.comes_back("start", CallPhase::Act, &Outcome::Unknown { why });
    world.passes(Span::days(1));
    world.says("U0CARLA", "/deploy confirm mainnet CircleCI shows it");
    assert_eq!(world.phase("start"), Phase::Watching);
    world.wakes(Span::minutes(1));
    world.comes_back("start", CallPhase::Watch, &finished());
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Succeeded)
    );
    replayed(&world);
}

#[test]
fn what_nobody_can_know_is_asked() {
    let mut world = World::with(vec![
        step("tell", json!({ "kind": "lambda", "function": "f" })),
        pause_step(),
    ]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("tell", CallPhase::Prepare, &prepared());
    let lost = Outcome::Unknown {
        why: "no answer came".into(),
    };
    world.comes_back("tell", CallPhase::Act, &lost);
    assert_eq!(
        (world.operation().status, world.phase("tell")),
        (Status::Stopped, Phase::Unknown)
    );
    assert!(world.card().contains("nobody knows"));
    assert_eq!(world.clicks("U0CARLA", "It was done"), "form confirm");
    world.says("U0CARLA", "/deploy confirm mainnet the log says so");
    assert_eq!(world.phase("pause"), Phase::Watching);
}

#[test]
fn known_failures_go_on_or_have_a_remedy() {
    let known = |then| Expected {
        name: "role exists".into(),
        words: vec!["already exists".into()],
        then,
        say: "The role is left from the last migration.".into(),
    };
    let fail = |then| {
        let mut build = step("build", json!({ "kind": "codebuild", "project": "p" }));
        build.expect = vec![known(then)];
        let mut remedy = step("delete-role", color("none"));
        remedy.remedy = true;
        let mut world = World::with(vec![build, remedy, pause_step()]);
        world.says("U0BRUNO", "/deploy run switch mainnet");
        world.comes_back("build", CallPhase::Prepare, &prepared());
        world.comes_back("build", CallPhase::Act, &refused("Role x ALREADY exists"));
        world
    };
    let world = fail(Then::GoOn);
    assert_eq!(
        (world.phase("build"), world.phase("pause")),
        (Phase::Skipped, Phase::Watching)
    );

    let mut world = fail(Then::Remedy(StepName::parse("delete-role").expect("a name")));
    assert!(world.card().contains("left from the last migration"));
    for round in 0..2 {
        world.clicks("U0CARLA", "Do the remedy");
        world.comes_back("delete-role", CallPhase::Prepare, &prepared());
        world.comes_back("delete-role", CallPhase::Act, &acted());
        world.comes_back("build", CallPhase::Prepare, &prepared());
        if round == 0 {
            world.comes_back("build", CallPhase::Act, &refused("it already exists again"));
        }
    }
    world.comes_back("build", CallPhase::Act, &acted());
    world.comes_back("build", CallPhase::Watch, &finished());
    assert_eq!(world.phase("pause"), Phase::Watching);
}

/// Whoever makes a call that may fail with a log is told what to look for, and the line that tells is what people read of it.
#[test]
fn what_a_known_failure_is_told_by_goes_with_the_call_and_its_line_names_the_record() {
    let mut build = step("build", json!({ "kind": "codebuild", "project": "p" }));
    build.expect = built_in()
        .iter()
        .flat_map(|known| known.expected(&Then::Ask).collect::<Vec<_>>())
        .collect();
    let words: Vec<Vec<String>> = build.expect.iter().map(|expected| expected.words.clone()).collect();
    let fails = |message: &str| {
        let mut world = World::with(vec![build.clone(), pause_step()]);
        world.says("U0BRUNO", "/deploy run switch mainnet");
        assert!(world.call().known.is_empty(), "a look has no log");
        world.comes_back("build", CallPhase::Prepare, &prepared());
        assert_eq!(world.call().known, words);
        world.comes_back("build", CallPhase::Act, &acted());
        assert_eq!(world.call().known, words);
        world.comes_back("build", CallPhase::Watch, &refused(message));
        world.card()
    };
    let card = fails(
        "BUILD: Error while executing command: bash -c 'make' don't. Reason: exit status 1\nInvalidChangeBatch: [can't create [name='_x.example.org.', type='CNAME'] but it already exists]",
    );
    assert!(
        card.contains("Known as “a certificate's validation record is there already”"),
        "{card}"
    );
    assert!(card.contains("It names _x.example.org., CNAME"), "{card}");
    let card = fails("BUILD: exit status 1\nInvalidChangeBatch\nit already exists");
    assert!(!card.contains("Known as"), "{card}");
    // A call that an older version owed has no words, and is read all the same.
    let mut started = World::with(vec![build]);
    started.says("U0BRUNO", "/deploy run switch mainnet");
    let old = serde_json::to_value(started.call()).expect("JSON");
    assert!(old.get("known").is_none(), "nothing is written where there is none");
    assert!(serde_json::from_value::<StepCall>(old).is_ok());
}

#[test]
fn an_undone_run_says_what_failed_by_its_whole_title_and_with_its_lines() {
    let mut off = step("off", source(false));
    off.title = "Turn {step.look.value} off".into();
    let mut world = World::with(vec![step("look", color("green")), off]);
    world.service().runbooks[0].on_failure = OnFailure::Undo;
    world.says("U0BRUNO", "/deploy run switch mainnet");
    let looked = Outcome::Step {
        came: StepOutcome::Prepared {
            memo: json!({}),
            outputs: BTreeMap::from([("value".to_owned(), "blue".to_owned())]),
            evidence: vec![],
            done: true,
        },
    };
    world.comes_back("look", CallPhase::Prepare, &looked);
    world.comes_back("off", CallPhase::Prepare, &prepared());
    world.comes_back("off", CallPhase::Act, &acted());
    world.comes_back("off", CallPhase::Watch, &refused("it failed\nits log says why"));
    world.comes_back("off", CallPhase::Undo, &finished());
    let card = world.card();
    let why = "Undone because “Turn blue off” failed: ValidationException: it failed\n› its log says why";
    assert!(card.contains(why), "{card}");
}

#[test]
fn neighbors_of_a_group_are_done_at_the_same_time() {
    let grouped = |name: &str| Step {
        group: Some("both".into()),
        ..step(name, source(false))
    };
    let mut world = World::with(vec![grouped("east"), grouped("west"), pause_step()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    for name in ["west", "east"] {
        world.comes_back(name, CallPhase::Prepare, &prepared());
        world.comes_back(name, CallPhase::Act, &acted());
    }
    world.comes_back("west", CallPhase::Watch, &finished());
    assert_eq!(world.phase("pause"), Phase::Ahead);
    // One fails while the other is under way: the run waits for both before it asks.
    let mut failed = World::with(vec![grouped("east"), grouped("west"), pause_step()]);
    failed.says("U0BRUNO", "/deploy run switch mainnet");
    failed.comes_back("east", CallPhase::Prepare, &refused("no"));
    assert_eq!(failed.operation().status, Status::Running);
    failed.comes_back("west", CallPhase::Prepare, &refused("no"));
    assert_eq!(failed.operation().status, Status::Stopped);
    world.comes_back("east", CallPhase::Watch, &finished());
    assert_eq!(world.phase("pause"), Phase::Watching);
}

#[test]
fn time_ends_what_takes_too_long_and_says_what_is_slow() {
    let mut drain = step("drain", json!({ "kind": "queue_drain", "queues": ["q"] }));
    drain.usual = Some(Span::minutes(10));
    drain.deadline = Span::minutes(30);
    let mut world = World::with(vec![drain]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.comes_back("drain", CallPhase::Prepare, &prepared());
    let left = Outcome::Step {
        came: StepOutcome::Pending {
            memo: json!({}),
            progress: operation::Progress {
                words: "3 messages are left".into(),
                ..operation::Progress::default()
            },
        },
    };
    world.comes_back("drain", CallPhase::Watch, &left);
    world.wakes(Span::minutes(11));
    assert_eq!(world.owed("post_in_thread"), 1, "people are told once");
    assert!(world.card().contains("longer than usual"));
    world.wakes(Span::minutes(1));
    assert_eq!(world.owed("post_in_thread"), 1);
    world.wakes(Span::minutes(18));
    assert_eq!(world.operation().status, Status::Stopped);
    let why = "not done within 30 min; seen last: 3 messages are left";
    assert!(world.card().contains(why), "{}", world.card());
}

#[test]
fn conditions_and_questions_depend_on_what_is_there() {
    let mut flip = step("flip", color("green"));
    flip.when = Some(Condition {
        value: "{step.color.value}".into(),
        is: Some("blue".into()),
        is_not: None,
    });
    let color = || step("color", json!({ "kind": "flag", "parameter": "/color" }));
    let run = |value: &str| {
        let mut world = World::with(vec![color(), flip.clone()]);
        world.service().runbooks[0].steps[1].asks_in = Asks::In(vec![crate::world::env("mainnet")]);
        world.says("U0BRUNO", "/deploy run switch mainnet");
        let read = Outcome::Step {
            came: StepOutcome::Prepared {
                memo: json!(null),
                outputs: BTreeMap::from([("value".into(), value.into())]),
                evidence: vec![],
                done: true,
            },
        };
        world.comes_back("color", CallPhase::Prepare, &read);
        world
    };
    let world = run("green");
    assert_eq!(world.phase("flip"), Phase::Skipped);
    assert!(world.operation().ended().is_some());
    let card = world.card();
    assert!(card.contains("2. flip · left out"), "{card}");
    assert!(
        !card.contains("note 2. flip"),
        "what the runbook means is no warning: {card}"
    );
    let mut world = run("blue");
    assert_eq!(world.phase("flip"), Phase::Asking);
    world.clicks("U0CARLA", "Begin");
    assert_eq!(world.phase("flip"), Phase::Preparing);
}

#[test]
fn a_button_is_about_the_try_it_was_drawn_for() {
    let mut world = World::with(vec![step("flip", color("green"))]);
    world.service().runbooks[0].steps[0].asks_in = Asks::Everywhere;
    world.says("U0BRUNO", "/deploy run switch mainnet");
    let value = format!("wallet {} flip 0", world.operation().id);
    world.presses_value("U0CARLA", "confirm", &value);
    world.comes_back("flip", CallPhase::Prepare, &refused("no"));
    let said = world.presses_value("U0CARLA", "skip", &value);
    assert!(said.contains("has gone on"), "{said}");
}

#[test]
fn an_environment_has_one_run_that_changes_it() {
    let mut world = World::with(vec![pause_step()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.says("U0CARLA", "/deploy run switch mainnet");
    assert_eq!(world.refusals, [Reason::Claimed]);
    world.says("U0CARLA", "/deploy freeze mainnet");
    world.wakes(Span::minutes(1));
    assert!(world.operation().ended().is_some(), "what runs is not held up");
    world.says("U0CARLA", "/deploy run switch mainnet");
    assert_eq!(world.refusals, [Reason::Frozen]);
}

#[test]
fn parameters_are_asked_for_and_checked() {
    let fresh = || {
        let mut world = World::with(vec![step("flip", color("{parameter.color}"))]);
        world.service().runbooks[0].parameters = vec![commands::runbook::Parameter {
            name: "color".into(),
            summary: "the color to go to".into(),
            default: None,
            choices: vec!["blue".into(), "green".into()],
        }];
        world
    };
    let mut world = fresh();
    for (text, why) in [
        ("", "Say color=… (the color to go to)"),
        ("color=red", "color cannot be red"),
        ("shade=blue color=blue", "no parameter shade"),
        ("color=blue color=green", "said twice"),
        ("--color blue color=green", "said twice"),
        ("--color=red", "color cannot be red"),
        (
            "now --color",
            "--color needs a value, one of blue, green: write --color blue",
        ),
        ("--color --plan", "needs a value"),
        ("--color={x}", "braces"),
        ("color=", "said without a value"),
        // Behind the reason it would not count, and nobody would see that.
        ("now color=blue", "stands behind words of the reason"),
        (
            "color=blue now color=green",
            "Did you mean /deploy run switch mainnet color=blue now --color=green?",
        ),
    ] {
        let said = world.says("U0BRUNO", &format!("/deploy run switch mainnet {text}"));
        assert!(said.contains(why), "{said}");
    }
    let said = world.says("U0BRUNO", "/deploy run swich mainnet");
    assert!(said.contains("switch mainnet"), "{said}");
    let unknown = [
        "switch mainnet --colr green now",
        "switch mainnet \u{2014}colr=green now",
        "switch mainnet -color green",
        "switch mainnet --pln",
    ];
    let told = unknown.map(|text| world.says("U0BRUNO", &format!("/deploy run {text}")));
    insta::assert_snapshot!(told.join("\n\n"));
    // The same flag, however and wherever it is typed.
    for said in [
        "switch mainnet --color green now",
        "switch --color green mainnet now",
        "switch mainnet now \u{2014}color=green",
        "--Color=green switch mainnet now",
    ] {
        let mut world = fresh();
        world.says("U0BRUNO", &format!("/deploy run {said} --plan"));
        let pinned = &world.operation().pinned;
        assert_eq!(
            (pinned.parameters["color"].as_str(), pinned.reason.as_str()),
            ("green", "now"),
            "{said}"
        );
    }
    let mut quoted = fresh();
    quoted.says("U0BRUNO", "/deploy run switch mainnet color=blue \"now color=green\"");
    assert_eq!(quoted.operation().pinned.parameters["color"], "blue");
    world.says("U0BRUNO", "/deploy run switch mainnet color=green now");
    assert_eq!(
        world.call().action,
        serde_json::from_value::<Action>(color("green")).expect("an action")
    );
    assert_eq!(world.operation().pinned.reason, "now");
}

/// What comes back from a call when all goes well.
fn good(call: &StepCall) -> Outcome {
    let came = match call.phase {
        CallPhase::Prepare => return prepared(),
        CallPhase::Act | CallPhase::Undo => return acted(),
        CallPhase::Watch | CallPhase::UndoWatch => StepOutcome::Finished {
            outputs: BTreeMap::new(),
            evidence: vec![],
        },
    };
    Outcome::Step { came }
}

/// What an outside world would have seen: each act and undo, by step.
type Deeds = Vec<(StepName, CallPhase)>;

/// Goes on until the operation is over, answering every call with `answer`; each call is heard `times` times. What was acted is told.
fn conduct(world: &mut World, times: usize, answer: impl Fn(&StepCall) -> Outcome) -> Deeds {
    let mut deeds = Deeds::new();
    for _ in 0..2_000 {
        let owed = world
            .effects
            .values()
            .find(|effect| matches!(effect, Effect::Step(_)))
            .cloned();
        if let Some(effect) = owed {
            world.effects.remove(&effect.key());
            let Effect::Step(call) = &effect else { continue };
            let outcome = answer(call);
            if matches!(call.phase, CallPhase::Act | CallPhase::Undo) {
                deeds.push((call.step.clone(), call.phase));
            }
            for _ in 0..times {
                world.hears_of(&effect, &outcome);
            }
            continue;
        }
        match world.operation().status {
            Status::Ended { .. } => return deeds,
            Status::Stopped => {
                world.says("U0CARLA", "/deploy retry mainnet");
            }
            Status::Running | Status::Undoing => answer_people(world),
        }
    }
    panic!("it does not come to an end:\n{}", world.card());
}

fn answer_people(world: &mut World) {
    let operation = world.operation();
    let asking = operation.all().find(|(_, state)| state.phase.is_asking());
    if let Some((step, _)) = asking {
        let words = step.action.typed().unwrap_or_else(|| "seen".into());
        for who in ["U0CARLA", "U0ANN", "U0DANA"] {
            world.says(who, &format!("/deploy confirm mainnet {words}"));
        }
    } else {
        world.wakes(Span::minutes(10));
    }
}

fn all_kinds() -> Vec<Step> {
    let samples = Action::samples().into_iter().enumerate();
    samples
        .map(|(index, action)| step(&format!("s{index}"), serde_json::to_value(action).expect("JSON")))
        .collect()
}

pub fn replayed(world: &World) {
    for (id, history) in &world.operation_journal {
        let folded = operation::replay(id, history.clone()).expect("a legal history");
        assert_eq!(
            folded.as_ref(),
            world.operations.get(id),
            "the fold is that of the history"
        );
    }
}

/// How many kinds are tried beside each other where each is tried in many ways. What a step goes through depends on itself and its neighbors, not on how
/// many there are; with all of them in each run, the proofs would grow with the cube of their number.
const BESIDE: usize = 5;

fn began(steps: &[Step]) -> World {
    let mut world = World::with(steps.to_vec());
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world
}

#[test]
fn every_kind_is_done_once_however_often_its_outcome_is_heard() {
    let steps = all_kinds();
    let once = conduct(&mut began(&steps), 1, good);
    assert!(once.len() >= 5, "{once:?}");
    for times in [2, 3] {
        let mut world = began(&steps);
        assert_eq!(conduct(&mut world, times, good), once);
        replayed(&world);
    }
}

/// The calls that a run makes when all goes well.
fn calls_of(steps: &[Step]) -> Vec<(StepName, CallPhase)> {
    let calls = std::cell::RefCell::new(Vec::new());
    conduct(&mut began(steps), 1, |call| {
        calls.borrow_mut().push((call.step.clone(), call.phase));
        good(call)
    });
    calls.into_inner()
}

#[test]
fn every_kind_may_fail_at_every_call_and_is_mended_by_trying_again() {
    let mut tried = 0;
    for steps in all_kinds().chunks(BESIDE) {
        for (step, phase) in calls_of(steps) {
            for outcome in [refused("no"), Outcome::Unknown { why: "lost".into() }] {
                let mut world = began(steps);
                let failed = std::cell::Cell::new(false);
                conduct(&mut world, 1, |call| {
                    if call.step == step && call.phase == phase && !failed.replace(true) {
                        outcome.clone()
                    } else {
                        good(call)
                    }
                });
                let ended = world.operation().ended().map(|(reason, _)| reason);
                assert_eq!(ended, Some(Reason::Succeeded), "{step} at {phase:?} of {steps:?}");
                replayed(&world);
                tried += usize::from(failed.get());
            }
        }
    }
    let whole = calls_of(&all_kinds()).len();
    assert_eq!(tried, 2 * whole, "each call of each kind failed in both ways");
}

/// Goes on until a step has begun, then a person aborts: what was done by then is undone in reverse, and nothing else.
fn aborts_at(steps: &[Step], stop: &Step) {
    let mut world = began(steps);
    let mut done: Deeds = Vec::new();
    for _ in 0..2_000 {
        if world.operation().step(&stop.name).expect("a step").1.phase != Phase::Ahead {
            break;
        }
        let owed = world
            .effects
            .values()
            .find(|effect| matches!(effect, Effect::Step(_)))
            .cloned();
        match owed {
            Some(effect) => {
                world.effects.remove(&effect.key());
                let Effect::Step(call) = &effect else { continue };
                if call.phase == CallPhase::Act {
                    done.push((call.step.clone(), CallPhase::Undo));
                }
                world.hears_of(&effect, &good(call));
            }
            None => answer_people(&mut world),
        }
    }
    world.says("U0CARLA", "/deploy abort mainnet enough");
    let undone = conduct(&mut world, 1, good);
    let can = |step: &StepName| {
        let step = steps.iter().find(|one| one.name == *step).expect("a step");
        operation::calls::calls(step).is_some_and(|calls| calls.undo)
    };
    done.retain(|(step, _)| can(step));
    done.reverse();
    assert_eq!(undone, done, "aborted at {:?}", stop.action);
    let ended = world.operation().ended().map(|(reason, _)| reason);
    assert_eq!(ended, Some(Reason::Undone));
    replayed(&world);
}

#[test]
fn an_abort_after_any_step_undoes_exactly_what_was_done_in_reverse() {
    let all = all_kinds();
    for steps in all.chunks(BESIDE) {
        steps.iter().for_each(|stop| aborts_at(steps, stop));
    }
    // And once with everything before it.
    aborts_at(&all, all.last().expect("a kind"));
}

#[test]
fn a_run_goes_on_as_it_was_written_when_it_began() {
    let mut world = World::with(vec![pause_step(), step("flip", color("green"))]);
    world.service().runbooks[0].text = "what the file said".into();
    world.says("U0BRUNO", "/deploy run switch mainnet");
    // The file is written anew while it runs.
    world.service().runbooks = vec![runbook("switch", vec![step("flip", color("red"))])];
    world.wakes(Span::minutes(1));
    let pinned: Action = serde_json::from_value(color("green")).expect("an action");
    assert_eq!(world.call().action, pinned);
    assert_eq!(world.operation().pinned.text, "what the file said");
    world.service().runbooks.clear();
    conduct(&mut world, 1, good);
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Succeeded)
    );
}

/// What changed something is in the history, also what a span's end did; what only looked is not.
#[test]
fn the_history_tells_of_runbooks_and_errands_beside_releases() {
    let mut world = World::with(vec![pause_step()]);
    world.service().runbooks.push(pause("copy"));
    world.says("U0BRUNO", "/deploy run switch mainnet");
    world.wakes(Span::minutes(1));
    world.passes(Span::minutes(1));
    world.says("U0RITA", "/deploy run copy mainnet --plan");
    world.passes(Span::minutes(1));
    world.says("U0CARLA", "/deploy run copy mainnet");
    world.says("U0CARLA", "/deploy abort mainnet wrong day");
    assert_eq!(world.desk, commands::desk::Desk::replay(world.desk_journal.clone()));
    let told = world.says("U0RITA", "/deploy history mainnet");
    insta::assert_snapshot!(told, @r"
    wallet mainnet: the last 2 runs
    wallet mainnet: the last 2 runs
    note copy · aborted · Fri, Nov 20 at 18:03 UTC · by u0carla · run copy-f451a617
    ok switch · done · Fri, Nov 20 at 18:01 UTC · took 1 min · by u0bruno · run switch-8b53639f
    ");
    let status = world.says("U0RITA", "/deploy status mainnet");
    assert!(status.contains("Last run: note copy · aborted"), "{status}");
    let elsewhere = world.says("U0RITA", "/deploy history testnet");
    assert!(elsewhere.contains("no finished run yet"), "{elsewhere}");
}

#[test]
fn a_run_is_named_by_its_runbook() {
    let mut world = World::with(vec![pause_step()]);
    world.says("U0BRUNO", "/deploy run switch mainnet");
    let id: RecordId = world.operation().id.clone();
    assert!(id.is_operation() && id.short().starts_with("switch-"), "{id}");
    let said = world.says("U0CARLA", &format!("/deploy stop mainnet {} enough", id.short()));
    assert!(said.contains("stops switch"), "{said}");
    let listed = world.says("U0RITA", "/deploy runs wallet");
    assert!(listed.contains("no open run"), "{listed}");
}

/// Shortcuts start, plan and steer what is kept under them, and nothing else.
#[test]
fn a_shortcut_is_the_runbook_that_is_kept_under_it() {
    let mut world = World::new();
    world.service().runbooks = vec![
        Runbook {
            command: Some("/migrate start".to_owned()),
            ..pause("copy")
        },
        Runbook {
            command: Some("/switch-colors".to_owned()),
            ..pause("switch")
        },
    ];
    world.service().runbooks[0].parameters = vec![commands::runbook::Parameter {
        name: "source".into(),
        summary: "the live table".into(),
        default: Some("alpha".into()),
        choices: vec![],
    }];
    let told = [
        "/migrate skip mainnet",
        "/migrate status mainnet",
        "/migrate plan mainnet --sourse beta",
        "/migrate plan mainnet --source beta",
        "/migrate abort mainnet nothing to undo",
        "/migrate abort mainnet --plan",
        "/migrate start mainnet",
        "/switch-colors retry mainnet",
        "/switch-colors mainnet",
        "/migrate status mainnet",
        "/migrate abort mainnet wrong day",
        "/migrate sart mainnet",
        "/migrate help",
    ]
    .map(|text| format!("> {text}\n{}\n", world.says("U0CARLA", text)));
    insta::assert_snapshot!(told.join("\n"), @r#"
    > /migrate skip mainnet
    wallet keeps no runbook for mainnet under /migrate skip: write command = "/migrate skip" into one of its runbooks, or start one by its name with /deploy run
    wallet keeps no runbook for mainnet under /migrate skip: write command = "/migrate skip" into one of its runbooks, or start one by its name with /deploy run
    /migrate skip mainnet
                          ^

    > /migrate status mainnet
    Nothing was done: no run of copy is under way on mainnet.
    no Nothing was done: no run of copy is under way on mainnet.

    > /migrate plan mainnet --sourse beta
    plan has no flag --sourse, only --source
    plan has no flag --sourse, only --source
    /migrate plan mainnet --sourse beta
                          ^^^^^^^^
    Did you mean /migrate plan mainnet --source beta?

    > /migrate plan mainnet --source beta
    plan of copy · wallet → mainnet: Looking at every step; the card fills in. Nothing is changed.
    plan of copy · wallet → mainnet: Looking at every step; the card fills in. Nothing is changed.
    Anywhere else: /deploy show mainnet copy-af327a64

    > /migrate abort mainnet nothing to undo
    Nothing was done: no migration is under way on mainnet. To give one up that is over, write command = "/migrate abort" into the runbook that takes down what it left; /deploy run lists all of them.
    no Nothing was done: no migration is under way on mainnet. To give one up that is over, write command = "/migrate abort" into the runbook that takes down what it left; /deploy run lists all of them.

    > /migrate abort mainnet --plan
    wallet keeps no runbook for mainnet under /migrate abort: write command = "/migrate abort" into one of its runbooks, or start one by its name with /deploy run
    wallet keeps no runbook for mainnet under /migrate abort: write command = "/migrate abort" into one of its runbooks, or start one by its name with /deploy run
    /migrate abort mainnet --plan
                                  ^

    > /migrate start mainnet
    copy · wallet → mainnet: Recorded. The card shows how it goes.
    copy · wallet → mainnet: Recorded. The card shows how it goes.
    Anywhere else: /deploy show mainnet copy-82396aa3

    > /switch-colors retry mainnet
    there is no environment retry: known are testnet, mainnet
    there is no environment retry: known are testnet, mainnet
    /switch-colors retry mainnet
                   ^^^^^

    > /switch-colors mainnet
    mainnet is being changed by run copy-82396aa3 just now. Wait for its end, or look at it with /deploy show mainnet copy-82396aa3.
    no mainnet is being changed by run copy-82396aa3 just now. Wait for its end, or look at it with /deploy show mainnet copy-82396aa3.

    > /migrate status mainnet
    copy · wallet → mainnet · step 1 of 1: pause
    running copy · wallet → mainnet · step 1 of 1: pause
    source: alpha
    running 1. pause · watched
    [Abort and undo…]
    production · started by u0carla Fri, Nov 20 at 18:00 UTC · run copy-82396aa3

    > /migrate abort mainnet wrong day
    @U0CARLA aborts copy, which is undone in reverse: wrong day
    @U0CARLA aborts copy, which is undone in reverse: wrong day

    > /migrate sart mainnet
    there is no verb sart; /migrate help lists them
    there is no verb sart; /migrate help lists them
    /migrate sart mainnet
             ^^^^
    Did you mean /migrate start mainnet?

    > /migrate help
    What you can tell Signalbox with /migrate
    What you can tell Signalbox with /migrate
    /migrate plan <env> [name=value …]  See what a migration would do, and whether everything it needs is there
    /migrate start <env> [--plan] [name=value …] [reason]  Start the migration
    /migrate retry <env>  Try the step again at which the migration stopped
    /migrate restart <env> [--plan] [name=value …] [reason]  Empty the destination, so that a migration can start anew
    /migrate abort <env> [--plan] <reason>  End the migration and undo what it did, in reverse; or give one up that is over
    /migrate skip <env> [--plan] [name=value …] [reason]  Let the next deploy go out without a migration
    /migrate status <env>  See how far the migration is
    /migrate help [verb]  This list, or more about one verb
    More about one: /migrate help plan. In a thread, mention the bot instead of typing a slash.
    A service name may stand before the environment; it is needed only where a channel is home to several services.
    A word that begins with -- is a flag; in a reason, put quotation marks around it.
    "#);
}

/// What is over is given up by the same word that undoes what is under way, and never the one for the other.
#[test]
fn abort_undoes_what_is_under_way_and_else_gives_up_what_is_over() {
    let mut world = World::new();
    let kept = |name: &str, command: &str| Runbook {
        command: Some(command.to_owned()),
        ..pause(name)
    };
    world.service().runbooks = vec![kept("copy", "/migrate start"), kept("give-up", "/migrate abort")];
    let mut told = vec![];
    let mut says = |world: &mut World, who: &str, text: &str| {
        told.push(format!("> {text}\n{}\n", world.says(who, text)));
        world.passes(Span::minutes(1));
    };
    says(&mut world, "U0RITA", "/migrate abort mainnet not mine to say");
    assert_eq!(world.refusals, [Reason::Role]);
    says(&mut world, "U0CARLA", "/migrate abort mainnet");
    says(&mut world, "U0RITA", "/migrate abort mainnet --plan");
    assert!(world.operation().is_plan());
    says(&mut world, "U0CARLA", "/migrate start mainnet");
    let copy = world.operation().id.clone();
    says(&mut world, "U0CARLA", "/migrate abort mainnet --plan");
    says(
        &mut world,
        "U0CARLA",
        &format!("/migrate abort mainnet {} --plan", copy.short()),
    );
    says(&mut world, "U0CARLA", "/migrate abort mainnet wrong day");
    assert!(world.operations[&copy].undone_by.is_some(), "it is undone");
    says(&mut world, "U0CARLA", "/migrate abort mainnet the script is wrong");
    let given_up = world.operation();
    assert_eq!(
        (given_up.pinned.runbook.as_str(), given_up.pinned.reason.as_str()),
        ("give-up", "the script is wrong")
    );
    // Said twice, it does not undo what it began; by its name, it does.
    let id = given_up.id.clone();
    says(&mut world, "U0CARLA", "/migrate abort mainnet the script is wrong");
    assert!(world.operations[&id].undone_by.is_none());
    says(
        &mut world,
        "U0CARLA",
        &format!("/migrate abort mainnet {} after all", id.short()),
    );
    assert!(world.operations[&id].undone_by.is_some());
    insta::assert_snapshot!(told.join("\n"));
}
