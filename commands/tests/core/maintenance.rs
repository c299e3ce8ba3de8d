//! Maintenance mode as its users meet it: on, off, read, reminded of, and asked about before migrations go out.

use std::collections::BTreeMap;

use commands::catalog::{CheckName, MaintenanceMode};
use commands::check::{Level, MAINTENANCE_ASKED, Verdict};
use commands::desk::Desk;
use commands::effect::{CallPhase, Effect, Outcome, StepOutcome};
use commands::facts::Via;
use commands::operation::{Phase, Status};
use commands::reason::Reason;
use commands::step::{Action, Flag, LambdaWay, RINGS, RINGS_UNTOLD, RedisWay, Way};
use commands::time::Span;
use commands::wake;
use serde_json::json;

use crate::runbook::{finished, prepared, refused, replayed, runbook, step};
use crate::world::{World, env, text_of};

/// A key of the service's own Redis.
pub fn key() -> MaintenanceMode {
    MaintenanceMode {
        way: Way::RedisKey(RedisWay {
            key: "walletsvc:maintenance".into(),
            url_env: "WALLET_REDIS_URL".into(),
        }),
        regions: vec![],
        color: None,
    }
}

/// A function in two regions, of the color that is live.
fn function() -> MaintenanceMode {
    let color: Flag = serde_json::from_value(json!({ "parameter": "/color", "missing": "green" })).expect("a flag");
    MaintenanceMode {
        way: Way::Lambda(LambdaWay {
            function: "notify_{environment}_{color}".into(),
            on: "{\"on\": true}".into(),
            off: "{\"on\": false}".into(),
            read: None,
        }),
        regions: vec!["us-east-1".into(), "us-west-1".into()],
        color: Some(color),
    }
}

fn world(mode: MaintenanceMode) -> World {
    let mut world = World::new();
    world.environment("mainnet").maintenance = Some(mode);
    world
}

fn came(came: StepOutcome) -> Outcome {
    Outcome::Step { came }
}

/// Answers every call as a world in which all goes well would.
fn goes_on(world: &mut World) {
    for _ in 0..50 {
        let owed = world.effects.values().find_map(|effect| match effect {
            Effect::Step(call) => Some((**call).clone()),
            _ => None,
        });
        let Some(call) = owed else { return };
        let outcome = match (&call.action, call.phase) {
            (Action::Maintenance(action), CallPhase::Prepare) if action.on.is_none() => came(StepOutcome::Prepared {
                memo: json!(null),
                outputs: BTreeMap::from([("state".into(), "off".into())]),
                evidence: vec!["walletsvc:maintenance is not there: off".into()],
                done: true,
            }),
            (Action::Flag(_), _) => came(StepOutcome::Prepared {
                memo: json!(null),
                outputs: BTreeMap::from([("value".into(), "blue".into())]),
                evidence: vec!["blue".into()],
                done: true,
            }),
            (_, CallPhase::Prepare) => came(StepOutcome::Prepared {
                memo: json!({ "was": null }),
                outputs: BTreeMap::new(),
                evidence: vec!["off".into()],
                done: false,
            }),
            (_, CallPhase::Act | CallPhase::Undo) => came(StepOutcome::Acted {
                memo: call.memo.clone(),
            }),
            _ => finished(),
        };
        world.comes_back(call.step.as_str(), call.phase, &outcome);
    }
    panic!("it does not come to an end");
}

fn desk_wakes(world: &mut World) {
    let decision = world.decide(wake::desk).expect("a legal decision");
    world.commit(decision);
}

/// The desk looks at itself whenever it wants to; what it says to the channel is told, with the minute in which it did.
fn time_passes(world: &mut World, span: Span) -> Vec<String> {
    let begin = world.now;
    let mut said = Vec::new();
    for _ in 0..50 {
        match world.desk.next_expiry() {
            Some(at) if at <= begin + span => world.now = at.max(world.now),
            _ => break,
        }
        world.effects.retain(|_, effect| !matches!(effect, Effect::Post { .. }));
        desk_wakes(world);
        let posts = world.effects.values().filter_map(|effect| match effect {
            Effect::Post { message, .. } => Some(message.fallback.clone()),
            _ => None,
        });
        let minute = begin.age(world.now).0 / 60_000;
        said.extend(posts.map(|words| format!("{minute} min: {words}")));
        goes_on(world);
    }
    world.now = begin + span;
    assert!(
        world.desk.next_expiry().is_none_or(|at| at > world.now),
        "it would go on forever"
    );
    assert_eq!(world.desk, Desk::replay(world.desk_journal.clone()));
    replayed(world);
    said
}

fn is_on(world: &World) -> bool {
    world.desk.maintenance.contains_key(&env("mainnet"))
}

#[test]
fn it_is_on_until_somebody_turns_it_off_and_nobody_forgets_it() {
    let mut world = world(key());
    world.says("U0CARLA", "/maintenance on mainnet for 30m a schema change");
    assert!(!is_on(&world), "not before it is read back");
    goes_on(&mut world);
    assert!(is_on(&world));
    insta::assert_snapshot!(time_passes(&mut world, Span::minutes(95)).join("\n"), @"
    25 min: @U0CARLA: maintenance of mainnet is to end 18:30 UTC
    30 min: @U0CARLA: maintenance of mainnet is still on, for 30 min
    60 min: @U0CARLA: maintenance of mainnet is still on, for 1 h
    90 min: @U0CARLA: maintenance of mainnet is still on, for 1 h
    ");
    assert!(is_on(&world), "it goes off by itself only if asked");
    world.says("U0BRUNO", "/maintenance off mainnet done");
    goes_on(&mut world);
    assert!(!is_on(&world));
    assert!(time_passes(&mut world, Span::hours(5)).is_empty());

    world.says("U0CARLA", "/maintenance on mainnet");
    goes_on(&mut world);
    assert_eq!(
        time_passes(&mut world, Span::minutes(65)).len(),
        2,
        "without an end: every half hour"
    );
}

#[test]
fn it_goes_off_by_itself_if_asked() {
    let mut world = world(key());
    world.says("U0CARLA", "/maintenance on mainnet for 30m --off-after");
    goes_on(&mut world);
    let told = world.operation().pinned.steps[0].action.clone();
    let Action::Maintenance(action) = told else {
        panic!("{told:?}")
    };
    assert!(action.told.expect("it is told").ends);
    let said = time_passes(&mut world, Span::minutes(40));
    assert_eq!(said.len(), 1, "one reminder: {said:?}");
    assert!(!is_on(&world) && world.desk.errands.is_empty());
    assert!(world.card().contains("By itself"), "{}", world.card());
}

#[test]
fn an_end_that_fails_is_for_people_and_they_are_told() {
    let mut world = world(key());
    world.says("U0CARLA", "/maintenance on mainnet for 30m --off-after");
    goes_on(&mut world);
    world.passes(Span::minutes(30));
    desk_wakes(&mut world);
    world.comes_back(
        "maintenance",
        CallPhase::Prepare,
        &refused("the Redis cannot be reached"),
    );
    assert_eq!(world.operation().status, Status::Stopped);
    let run = world.operation().id.clone();
    world.says("U0CARLA", &format!("/deploy stop mainnet {}", run.short()));
    assert!(is_on(&world), "what cannot be reached is not off");
    assert_eq!(time_passes(&mut world, Span::minutes(65)).len(), 2);
    assert_eq!(world.operation().id, run, "no other was begun");
}

#[test]
fn two_regions_are_told_and_one_that_is_on_is_on() {
    let mut world = world(function());
    world.says("U0CARLA", "/maintenance on mainnet");
    let names: Vec<_> = world
        .operation()
        .pinned
        .steps
        .iter()
        .map(|step| step.name.to_string())
        .collect();
    assert_eq!(
        names,
        ["maintenance-color", "maintenance-us-east-1", "maintenance-us-west-1"]
    );
    world.comes_back(
        "maintenance-color",
        CallPhase::Prepare,
        &came(StepOutcome::Prepared {
            memo: json!(null),
            outputs: BTreeMap::from([("value".into(), "blue".into())]),
            evidence: vec![],
            done: true,
        }),
    );
    let calls: Vec<_> = world
        .effects
        .values()
        .filter_map(|effect| match effect {
            Effect::Step(call) => Some((call.aws.region.clone(), call.action.clone())),
            _ => None,
        })
        .collect();
    for region in ["us-east-1", "us-west-1"] {
        let (_, action) = calls.iter().find(|(at, _)| at == region).expect("a call there");
        let text = serde_json::to_string(action).expect("JSON");
        assert!(text.contains("notify_mainnet_blue"), "{text}");
    }
    // The second fails, and a person leaves it so.
    let prepared = || {
        came(StepOutcome::Prepared {
            memo: json!(null),
            outputs: BTreeMap::new(),
            evidence: vec![],
            done: false,
        })
    };
    for region in ["east", "west"] {
        world.comes_back(&format!("maintenance-us-{region}-1"), CallPhase::Prepare, &prepared());
    }
    let acted = came(StepOutcome::Acted { memo: json!(null) });
    world.comes_back("maintenance-us-east-1", CallPhase::Act, &acted);
    world.comes_back("maintenance-us-east-1", CallPhase::Watch, &finished());
    world.comes_back("maintenance-us-west-1", CallPhase::Act, &refused("no such function"));
    world.clicks("U0CARLA", "End it as it is");
    assert!(is_on(&world), "it is on in one region");

    // And off only when it is off in both.
    world.says("U0CARLA", "/maintenance off mainnet");
    goes_on(&mut world);
    assert!(!is_on(&world));
}

#[test]
fn an_abort_turns_it_back() {
    let mut world = world(key());
    world.says("U0CARLA", "/maintenance on mainnet");
    world.comes_back(
        "maintenance",
        CallPhase::Prepare,
        &came(StepOutcome::Prepared {
            memo: json!({ "was": null }),
            outputs: BTreeMap::new(),
            evidence: vec![],
            done: false,
        }),
    );
    world.comes_back(
        "maintenance",
        CallPhase::Act,
        &came(StepOutcome::Acted {
            memo: json!({ "was": null }),
        }),
    );
    world.says("U0BRUNO", "/deploy abort mainnet wrong environment");
    goes_on(&mut world);
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Undone)
    );
    assert!(!is_on(&world) && world.desk.errands.is_empty());
}

#[test]
fn a_runbook_says_only_on_or_off() {
    let mut world = world(function());
    world.service().runbooks = vec![runbook(
        "quiet",
        vec![
            step("begin", json!({ "kind": "maintenance", "on": true })),
            step("pause", json!({ "kind": "wait", "for": "1m" })),
            step("end", json!({ "kind": "maintenance", "on": false })),
        ],
    )];
    world.says("U0CARLA", "/deploy run quiet mainnet a drill");
    goes_on(&mut world);
    assert_eq!(world.operation().pinned.steps.len(), 7);
    world.clicks("U0CARLA", "Abort and undo");
    let run = world.operation().id.clone();
    world.says("U0CARLA", &format!("/deploy stop mainnet {}", run.short()));
    assert!(is_on(&world), "it was ended before the end");
    let said = world.says("U0BRUNO", "/deploy run quiet testnet");
    assert!(said.contains("nothing is known in testnet"), "{said}");
    world.passes(Span::minutes(1));
    world.says("U0CARLA", "/deploy run quiet mainnet");
    goes_on(&mut world);
    world.wakes(Span::minutes(1));
    goes_on(&mut world);
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Succeeded)
    );
    assert!(!is_on(&world));
}

#[test]
fn a_health_check_that_is_red_because_of_it_is_no_failure() {
    for (on, said) in [(true, true), (true, false), (false, true)] {
        let mut world = world(key());
        let http = json!({ "kind": "http", "url": "https://health.example.org/", "red_in_maintenance": said });
        let mut ask = step("health", http);
        ask.deadline = Span::minutes(5);
        world.service().runbooks = vec![runbook("look", vec![ask])];
        if on {
            world.says("U0CARLA", "/maintenance on mainnet");
            goes_on(&mut world);
        }
        world.passes(Span::seconds(1));
        world.says("U0CARLA", "/deploy run look mainnet");
        let red = |memo| {
            came(StepOutcome::Pending {
                memo,
                progress: commands::operation::Progress {
                    words: "answers 400, 200 is wanted".into(),
                    untold: said,
                    ..commands::operation::Progress::default()
                },
            })
        };
        world.comes_back(
            "health",
            CallPhase::Prepare,
            &came(StepOutcome::Prepared {
                memo: json!(null),
                outputs: BTreeMap::new(),
                evidence: vec![],
                done: false,
            }),
        );
        world.comes_back("health", CallPhase::Watch, &red(json!(1)));
        world.wakes(Span::minutes(5));
        if on && said {
            assert!(world.operation().ended().is_some());
            assert!(
                world
                    .card()
                    .contains("red while maintenance is on (u0carla, since 18:00 UTC)"),
                "{}",
                world.card()
            );
        } else {
            assert_eq!(
                world.operation().status,
                Status::Stopped,
                "control: without it, or where nobody said that it makes this red, red is red"
            );
        }
    }
}

/// The looks of an alarms step: first at what is there, then at what rings.
fn rings(world: &mut World, step: &str, code: &str) {
    world.comes_back(step, CallPhase::Prepare, &prepared());
    let rings = Outcome::Refused {
        code: code.into(),
        message: "5xx rings for 2 min".into(),
    };
    world.comes_back(step, CallPhase::Watch, &rings);
}

#[test]
fn an_alarm_that_rings_because_of_it_is_no_failure() {
    for (on, said) in [(true, true), (true, false), (false, true)] {
        let mut world = world(key());
        let alarms = json!({ "kind": "alarms", "alarms": ["5xx"], "red_in_maintenance": said });
        world.service().runbooks = vec![runbook("look", vec![step("quiet", alarms)])];
        if on {
            world.says("U0CARLA", "/maintenance on mainnet");
            goes_on(&mut world);
        }
        world.passes(Span::seconds(1));
        world.says("U0CARLA", "/deploy run look mainnet");
        rings(&mut world, "quiet", if said { RINGS_UNTOLD } else { RINGS });
        let card = world.card();
        if on && said {
            assert!(world.operation().ended().is_some(), "{card}");
            let words = "red while maintenance is on (u0carla, since 18:00 UTC): 5xx rings for 2 min";
            assert!(card.contains(words), "{card}");
        } else {
            assert_eq!(
                world.operation().status,
                Status::Stopped,
                "control: without it, or where nobody said that it makes this red, red is red"
            );
            assert!(card.contains("alarm: 5xx rings"), "{card}");
        }
    }
}

/// What a runbook turns on itself counts from then on, and no longer than until it turns it off; the desk hears of either only at the end.
#[test]
fn what_a_runbook_turns_on_itself_explains_red_until_it_turns_it_off() {
    let mut world = world(key());
    let alarms = || json!({ "kind": "alarms", "alarms": ["5xx"], "red_in_maintenance": true });
    world.service().runbooks = vec![runbook(
        "quiet",
        vec![
            step("begin", json!({ "kind": "maintenance", "on": true })),
            step("during", alarms()),
            step("end", json!({ "kind": "maintenance", "on": false })),
            step("after", alarms()),
        ],
    )];
    world.says("U0CARLA", "/deploy run quiet mainnet");
    for name in ["begin", "end"] {
        world.comes_back(name, CallPhase::Prepare, &prepared());
        let acted = came(StepOutcome::Acted { memo: json!(null) });
        world.comes_back(name, CallPhase::Act, &acted);
        world.comes_back(name, CallPhase::Watch, &finished());
        if name == "begin" {
            rings(&mut world, "during", RINGS_UNTOLD);
            assert_eq!(world.phase("during"), Phase::Done, "{}", world.card());
        }
    }
    rings(&mut world, "after", RINGS_UNTOLD);
    assert_eq!(world.phase("after"), Phase::Failed, "{}", world.card());
}

/// A run that touches migrations waits on mainnet, and maintenance is off.
fn asked() -> World {
    let mut world = world(key());
    let check = CheckName(MAINTENANCE_ASKED.into());
    world.environment("mainnet").checks = vec![check.clone()];
    world.environment("mainnet").approvers.required = 1;
    world.waits("e1", "refs/tags/v1", "U0DANA");
    let verdict = Verdict {
        check,
        level: Level::Notice,
        reason: "maintenance: off. This run touches migrations".into(),
        evidence: vec![],
        as_of: world.now,
    };
    world.hears("gather_check", Outcome::Judged { verdict });
    world
}

fn run_card(world: &World) -> String {
    text_of(&world.decide(|facts| commands::view::card(world.run(), facts)))
}

#[test]
fn a_card_asks_whether_it_is_to_be_on_and_the_first_button_does_both() {
    let mut world = asked();
    let card = run_card(&world);
    assert!(card.contains("[Turn on, then approve] [Approve without]"), "{card}");
    world.presses("U0ANN", "maintenance_approve");
    assert!(world.refusals.is_empty(), "{:?}", world.refusals);
    assert!(world.run().votes.is_empty(), "not before it is on");
    goes_on(&mut world);
    let vote = world.run().votes.first().expect("a vote");
    assert_eq!(
        (vote.user.as_str(), vote.reason.as_str()),
        ("U0ANN", "maintenance was turned on first")
    );
    assert!(is_on(&world));
    assert_eq!(
        world.run().status,
        commands::run::Status::Answering,
        "one approval is enough there"
    );
    // Twice is refused like any second vote.
    world.presses("U0ANN", "maintenance_approve");
    assert!(!world.refusals.is_empty());
}

#[test]
fn rights_are_judged_again_when_it_is_on() {
    let mut world = asked();
    world.presses("U0RITA", "maintenance_approve");
    assert_eq!(world.refusals, [Reason::Role]);
    world.presses("U0BRUNO", "maintenance_approve");
    // While it is being turned on, a freeze comes.
    world.says("U0CARLA", "/deploy freeze mainnet");
    goes_on(&mut world);
    assert!(is_on(&world) && world.run().votes.is_empty(), "no vote against a rule");
    let told = world.effects.values().filter(|effect| match effect {
        Effect::Post { message, .. } | Effect::PostInThread { message, .. } => {
            text_of(message).contains("your approval was not given")
        }
        _ => false,
    });
    assert_eq!(told.count(), 2, "in the thread, and to whoever asked");
}

#[test]
fn without_maintenance_is_an_approval_with_that_choice_in_it() {
    let mut world = asked();
    world.presses("U0BRUNO", "approve_without");
    assert_eq!(
        world.run().votes.first().map(|vote| vote.reason.as_str()),
        Some("without maintenance")
    );
    assert!(!is_on(&world));

    let mut world = asked();
    world.presses("U0BRUNO", "maintenance_approve");
    world.comes_back("maintenance", CallPhase::Prepare, &refused("cannot be reached"));
    world.clicks("U0BRUNO", "End it as it is");
    assert!(world.run().votes.is_empty(), "it did not come about");
}

#[test]
fn what_people_read() {
    let mut world = world(key());
    let mut told = Vec::new();
    let say = |world: &mut World, who: &str, text: &str| {
        let said = world.says(who, text);
        let mut all = vec![format!("> {text}\n{said}")];
        if !world.effects.values().any(|effect| matches!(effect, Effect::Step(_))) {
            return all.remove(0);
        }
        goes_on(world);
        all.push(world.card());
        all.join("\n--\n")
    };
    for (who, text) in [
        ("U0CARLA", "/maintenance on testnet"),
        ("U0CARLA", "/maintenance on mainnet --off-after"),
        ("U0RITA", "/maintenance status"),
        ("U0CARLA", "/maintenance on mainnet for 30m --off-after schema {change}"),
        ("U0RITA", "/maintenance status mainnet"),
        ("U0RITA", "/deploy status mainnet"),
        ("U0BRUNO", "/maintenance off mainnet"),
        ("U0RITA", "/maintenance help"),
    ] {
        told.push(say(&mut world, who, text));
        world.passes(Span::minutes(1));
    }
    insta::assert_snapshot!("maintenance", told.join("\n\n"));
    let mut asked = asked();
    let mut told = vec![run_card(&asked)];
    let reply = asked.presses("U0BRUNO", "maintenance_approve");
    told.push(crate::world::words(&reply));
    goes_on(&mut asked);
    told.push(run_card(&asked));
    let speaker = asked.speaker("U0BRUNO", Via::Button);
    assert_eq!(speaker.via, Via::Button);
    insta::assert_snapshot!("maintenance_asked", told.join("\n\n"));
}
