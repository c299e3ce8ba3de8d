//! Log levels as their users meet them: listed, set, lent for a while, put back, and left alone where somebody else was there.

use std::collections::BTreeMap;

use commands::catalog::Functions;
use commands::desk::Desk;
use commands::effect::{CallPhase, Effect, Outcome, StepCall, StepOutcome};
use commands::operation::{Progress, Status};
use commands::reason::Reason;
use commands::step::{Action, Leveled, Levels, LogLevel, Stage};
use commands::time::Span;
use commands::wake;
use serde_json::json;

use crate::runbook::{finished, pause, refused, replayed};
use crate::world::{World, env, text_of};

const PREFIX: &str = "wallet-mainnet-";

/// Functions by name, as Lambda has them.
type Account = BTreeMap<String, Option<String>>;

fn account(levels: &[(&str, &str)]) -> Account {
    let one = |(name, level): &(&str, &str)| (format!("{PREFIX}{name}"), Some((*level).to_owned()));
    levels.iter().map(one).collect()
}

/// What the configuration says of an environment's functions.
pub fn functions() -> Functions {
    Functions {
        but: Vec::new(),
        prefix: PREFIX.into(),
        level_key: "LOG_LEVEL".into(),
        baseline: "info".into(),
        levels: ["error", "warn", "info", "verbose", "debug", "silly"]
            .map(str::to_owned)
            .to_vec(),
        level_file: Some("serverless.yml:31".into()),
    }
}

fn world() -> World {
    let mut world = World::new();
    world.environment("mainnet").functions = Some(functions());
    world
}

fn came(came: StepOutcome) -> Outcome {
    Outcome::Step { came }
}

fn action(call: &StepCall) -> &LogLevel {
    match &call.action {
        Action::LogLevel(action) => action,
        other => panic!("{other:?} is no log level"),
    }
}

/// What the shell finds before it changes anything.
fn prepared(account: &Account, call: &StepCall) -> Outcome {
    let action = action(call);
    let ours = account
        .iter()
        .filter(|(name, _)| action.functions.is_empty() || action.functions.contains(name));
    let begin = |(name, level): (&String, &Option<String>)| Leveled {
        name: name.clone(),
        before: level.clone(),
        stage: match &action.only_from {
            _ if *level == action.level => Stage::Already,
            Some(from) if level.as_ref() != Some(from) => Stage::LeftAlone,
            _ => Stage::Ahead,
        },
        stuck: None,
    };
    let functions: Vec<Leveled> = ours.clone().map(begin).collect();
    let outputs = ours.map(|(name, level)| (name.clone(), level.clone().unwrap_or_default()));
    came(StepOutcome::Prepared {
        memo: json!(Levels { functions, undo: 0 }),
        outputs: if action.sets() {
            BTreeMap::new()
        } else {
            outputs.collect()
        },
        evidence: vec![],
        done: !action.sets(),
    })
}

/// Changes as many as a lease allows.
fn bite(account: &mut Account, call: &StepCall, most: usize) -> Outcome {
    let mut levels = Levels::of(&call.memo);
    let ahead = levels.functions.iter_mut().filter(|one| one.stage == Stage::Ahead);
    for one in ahead.take(most) {
        account.insert(one.name.clone(), action(call).level.clone());
        one.stage = Stage::Sent;
    }
    let left = levels.count(&[Stage::Ahead]);
    let memo = json!(levels);
    came(if left == 0 {
        StepOutcome::Acted { memo }
    } else {
        StepOutcome::Pending {
            memo,
            progress: Progress {
                words: format!("{left} left"),
                ..Progress::default()
            },
        }
    })
}

/// Everything that is owed to Lambda is done, until nothing is.
fn goes_on(world: &mut World, account: &mut Account) {
    for _ in 0..100 {
        let owed = world.effects.values().find_map(|effect| match effect {
            Effect::Step(call) if matches!(call.action, Action::LogLevel(_)) => Some((**call).clone()),
            _ => None,
        });
        let Some(call) = owed else { return };
        let outcome = match call.phase {
            CallPhase::Prepare => prepared(account, &call),
            CallPhase::Act => bite(account, &call, 2),
            CallPhase::Watch => finished(),
            CallPhase::Undo | CallPhase::UndoWatch => panic!("nothing is undone here"),
        };
        world.comes_back(call.step.as_str(), call.phase, &outcome);
    }
    panic!("it does not come to an end");
}

fn desk_wakes(world: &mut World) {
    let decision = world.decide(wake::desk).expect("a legal decision");
    world.commit(decision);
}

/// The desk looks at itself whenever it wants to, until the span has passed.
fn time_passes(world: &mut World, account: &mut Account, span: Span) {
    let end = world.now + span;
    for _ in 0..50 {
        match world.desk.next_expiry() {
            Some(at) if at <= end => world.now = at.max(world.now),
            _ => break,
        }
        desk_wakes(world);
        goes_on(world, account);
    }
    world.now = end;
    assert!(
        world.desk.next_expiry().is_none_or(|at| at > end),
        "the desk would look at itself forever"
    );
    assert_eq!(world.desk, Desk::replay(world.desk_journal.clone()));
    replayed(world);
}

fn level<'w>(world: &'w World, name: &str) -> Option<&'w commands::desk::Level> {
    world.desk.level(&env("mainnet"), &format!("{PREFIX}{name}"))
}

#[test]
fn a_level_is_lent_and_goes_back_by_itself() {
    let mut world = world();
    let mut account = account(&[("load", "info"), ("metrics", "warn"), ("connect", "debug")]);
    let said = world.says("U0CARLA", "/loglevel mainnet all debug for 30m slow loads");
    assert!(said.contains("restarts") && said.contains("next deploy"), "{said}");
    goes_on(&mut world, &mut account);
    assert!(account.values().all(|level| level.as_deref() == Some("debug")));
    assert_eq!(world.desk.errands.len(), 0);
    let left = level(&world, "metrics").expect("it is on the desk");
    assert_eq!((left.by.as_str(), left.before.as_deref()), ("U0CARLA", Some("warn")));
    assert!(
        level(&world, "connect").is_none(),
        "nobody here set what was there already"
    );

    // Who sets another level meanwhile has not forgotten where it came from.
    world.passes(Span::minutes(10));
    world.says("U0BRUNO", "/loglevel mainnet load silly for 1h");
    goes_on(&mut world, &mut account);
    assert_eq!(
        level(&world, "load").and_then(|left| left.before.as_deref()),
        Some("info")
    );
    let status = world.says("U0RITA", "/deploy status mainnet");
    insta::assert_snapshot!(status.lines().filter(|line| line.contains("left at")).collect::<Vec<_>>().join("\n"), @"
    note 1 function left at silly by u0bruno, since Fri, Nov 20 at 18:10 UTC, back to info by itself Fri, Nov 20 at 19:10 UTC
    note 1 function left at debug by u0carla, since Fri, Nov 20 at 18:00 UTC, back to warn by itself Fri, Nov 20 at 18:30 UTC, “slow loads”
    ");

    time_passes(&mut world, &mut account, Span::minutes(21));
    let metrics = format!("{PREFIX}metrics");
    assert_eq!(
        account[&metrics].as_deref(),
        Some("warn"),
        "back where it was, not at the baseline"
    );
    assert!(level(&world, "metrics").is_none() && level(&world, "load").is_some());
    time_passes(&mut world, &mut account, Span::minutes(40));
    assert_eq!(account[&format!("{PREFIX}load")].as_deref(), Some("info"));
    assert!(world.desk.levels.is_empty());
}

/// Where the deploy leaves every function loud, quiet for a while is what is lent.
#[test]
fn the_baseline_is_lent_like_any_other_level() {
    let mut world = world();
    let mut account = account(&[("load", "debug"), ("metrics", "debug")]);
    world.says("U0CARLA", "/loglevel mainnet load info for 30m");
    goes_on(&mut world, &mut account);
    world.says("U0CARLA", "/loglevel mainnet metrics info");
    goes_on(&mut world, &mut account);
    assert!(
        level(&world, "metrics").is_none(),
        "for good, and as it should be: nothing is left standing"
    );
    let status = world.says("U0RITA", "/deploy status mainnet");
    assert!(
        status.contains("1 function left at info by u0carla") && status.contains("back to debug by itself"),
        "{status}"
    );
    time_passes(&mut world, &mut account, Span::minutes(31));
    let now = |name: &str| account[&format!("{PREFIX}{name}")].clone();
    assert_eq!(
        (now("load").as_deref(), now("metrics").as_deref()),
        (Some("debug"), Some("info"))
    );
    assert!(world.desk.levels.is_empty());
}

/// A name that is nobody's is no reason to hold up whoever types the right one.
#[test]
fn a_function_that_is_not_there_ends_the_run() {
    let mut world = world();
    let mut account = account(&[("load", "info")]);
    world.says("U0CARLA", "/loglevel mainnet laod debug");
    let missing = Outcome::Refused {
        code: commands::step::NO_FUNCTION.into(),
        message: "there is no function wallet-laod".into(),
    };
    world.comes_back("levels", CallPhase::Prepare, &missing);
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Failed)
    );
    world.says("U0CARLA", "/loglevel mainnet load debug");
    assert!(world.refusals.is_empty(), "{:?}", world.refusals);
    goes_on(&mut world, &mut account);
    // Control: what failed for another reason is for a person.
    world.says("U0CARLA", "/loglevel mainnet load silly");
    world.comes_back("levels", CallPhase::Prepare, &refused("the role may not"));
    assert_eq!(world.operation().status, Status::Stopped);
}

/// Where every function was there already, nothing goes back, and the card does not say so.
#[test]
fn what_was_there_already_does_not_go_back() {
    let mut world = world();
    let mut account = account(&[("load", "debug")]);
    let card = |world: &World| {
        let card = world.decide(|facts| commands::view::operation_card(world.operation(), facts));
        text_of(&card)
    };
    world.says("U0CARLA", "/loglevel mainnet load debug for 30m");
    goes_on(&mut world, &mut account);
    let told = card(&world);
    assert!(
        told.contains("Nothing was changed") && !told.contains("Goes back"),
        "{told}"
    );
    assert!(world.desk.levels.is_empty());
    world.says("U0CARLA", "/loglevel mainnet load silly for 30m");
    goes_on(&mut world, &mut account);
    assert!(card(&world).contains("Goes back by itself"), "{}", card(&world));
}

/// Another stage's functions begin with the same words, and are not this environment's.
#[test]
fn another_stages_functions_are_left_alone() {
    let mut world = world();
    world.environment("mainnet").functions = Some(Functions {
        but: vec![format!("{PREFIX}stg-")],
        ..functions()
    });
    let said = world.says("U0CARLA", "/loglevel mainnet stg-load debug");
    assert!(said.contains("are not this environment's"), "{said}");
    world.says("U0CARLA", "/loglevel mainnet all debug");
    assert_eq!(action(&world.call()).but, [format!("{PREFIX}stg-")]);
}

#[test]
fn what_somebody_set_since_is_left_alone() {
    let mut world = world();
    let mut account = account(&[("load", "info"), ("metrics", "info")]);
    world.says("U0CARLA", "/loglevel mainnet all debug for 30m");
    goes_on(&mut world, &mut account);
    let load = format!("{PREFIX}load");
    account.insert(load.clone(), Some("verbose".into()));
    time_passes(&mut world, &mut account, Span::minutes(31));
    assert_eq!(
        account[&load].as_deref(),
        Some("verbose"),
        "a deploy or a person wants it so"
    );
    assert_eq!(account[&format!("{PREFIX}metrics")].as_deref(), Some("info"));
    assert!(world.desk.levels.is_empty(), "it is nobody's here any more");
}

#[test]
fn a_return_that_fails_is_for_people_and_does_not_go_round_and_round() {
    let mut world = world();
    let mut account = account(&[("load", "info")]);
    world.says("U0CARLA", "/loglevel mainnet all debug for 30m");
    goes_on(&mut world, &mut account);
    world.passes(Span::minutes(30));
    desk_wakes(&mut world);
    assert!(
        world.desk.next_expiry().is_none(),
        "while it is under way, its end is waited for"
    );
    let call = world.call();
    world.comes_back(call.step.as_str(), CallPhase::Prepare, &refused("the role may not"));
    assert_eq!(world.operation().status, Status::Stopped);
    let run = world.operation().id.clone();
    world.says("U0CARLA", &format!("/deploy stop mainnet {} enough", run.short()));
    let left = level(&world, "load").expect("it is still off the baseline");
    assert_eq!(left.until, None);
    time_passes(&mut world, &mut account, Span::hours(3));
    assert_eq!(world.operation().id, run, "no other was begun");
}

#[test]
fn levels_are_set_beside_a_run_that_has_the_environment_and_one_at_a_time() {
    let mut world = world();
    world.service().runbooks = vec![pause("migrate")];
    let mut account = account(&[("load", "info")]);
    world.says("U0CARLA", "/deploy run migrate mainnet");
    world.says("U0BRUNO", "/deploy freeze mainnet");
    world.says("U0BRUNO", "/loglevel mainnet load debug");
    assert!(world.refusals.is_empty(), "{:?}", world.refusals);
    assert_eq!(world.claims.len(), 1, "it takes no claim");
    let said = world.says("U0CARLA", "/loglevel mainnet load silly");
    assert_eq!(world.refusals, [Reason::Claimed], "{said}");
    world.says("U0RITA", "/loglevel mainnet");
    assert!(
        world.refusals.is_empty(),
        "looking is never refused: {:?}",
        world.refusals
    );
    goes_on(&mut world, &mut account);
    world.says("U0CARLA", "/loglevel mainnet load silly");
    assert!(world.refusals.is_empty(), "it was over: {:?}", world.refusals);
    // Control: an end that is not written down holds everybody up.
    goes_on(&mut world, &mut account);
    let run = world.operation().id.clone();
    let matter = commands::operation::Matter::LogLevels;
    world
        .desk
        .errands
        .entry(env("mainnet"))
        .or_default()
        .insert(matter, run);
    world.says("U0CARLA", "/loglevel mainnet load warn");
    assert_eq!(world.refusals, [Reason::Claimed]);
}

#[test]
fn many_functions_are_done_in_bites_and_an_abort_between_two_puts_the_first_back() {
    let mut world = world();
    let mut account = account(&[("a", "info"), ("b", "info"), ("c", "info")]);
    world.says("U0CARLA", "/loglevel mainnet all debug");
    let call = world.call();
    world.comes_back("levels", CallPhase::Prepare, &prepared(&account, &call));
    let call = world.call();
    let first = bite(&mut account, &call, 2);
    // The first bite is still under way when somebody aborts.
    let run = world.operation().id.clone();
    world.says(
        "U0CARLA",
        &format!("/deploy abort mainnet {} wrong environment", run.short()),
    );
    world.comes_back("levels", CallPhase::Act, &first);
    let undo = world.call();
    assert_eq!(undo.phase, CallPhase::Undo, "the rest is not set any more");
    let mut levels = Levels::of(&undo.memo);
    assert_eq!((levels.count(&[Stage::Sent]), levels.count(&[Stage::Ahead])), (2, 1));
    for (number, one) in levels.functions.iter_mut().enumerate().take(2) {
        one.stage = Stage::Back;
        let memo = json!(&*one);
        assert_eq!(memo["stage"], "back", "{number}");
    }
    let part = StepOutcome::Pending {
        memo: json!(levels),
        progress: Progress {
            words: "a part".into(),
            ..Progress::default()
        },
    };
    world.comes_back("levels", CallPhase::Undo, &came(part));
    assert_eq!(world.call().memo, json!(levels), "what is back is not put back again");
    world.comes_back(
        "levels",
        CallPhase::Undo,
        &came(StepOutcome::Acted { memo: json!(levels) }),
    );
    world.comes_back("levels", CallPhase::UndoWatch, &finished());
    assert_eq!(
        world.operation().ended().map(|(reason, _)| reason),
        Some(Reason::Undone)
    );
    assert!(world.desk.levels.is_empty() && world.desk.errands.is_empty());
    replayed(&world);
}

#[test]
fn what_was_done_before_a_person_ends_it_is_remembered() {
    let mut world = world();
    let mut account = account(&[("a", "info"), ("b", "info"), ("c", "info")]);
    world.says("U0CARLA", "/loglevel mainnet all debug for 30m");
    let call = world.call();
    world.comes_back("levels", CallPhase::Prepare, &prepared(&account, &call));
    let call = world.call();
    world.comes_back("levels", CallPhase::Act, &bite(&mut account, &call, 2));
    world.comes_back("levels", CallPhase::Act, &refused("the key is gone"));
    world.clicks("U0CARLA", "End it as it is");
    assert!(level(&world, "a").is_some() && level(&world, "b").is_some() && level(&world, "c").is_none());
    time_passes(&mut world, &mut account, Span::minutes(31));
    assert!(
        account.values().all(|level| level.as_deref() == Some("info")),
        "and goes back: {account:?}"
    );
}

#[test]
fn an_environment_that_is_gone_is_said_and_forgotten() {
    let mut world = world();
    let mut account = account(&[("load", "info")]);
    world.says("U0CARLA", "/loglevel mainnet all debug for 30m");
    goes_on(&mut world, &mut account);
    world.environment("mainnet").functions = None;
    time_passes(&mut world, &mut account, Span::minutes(31));
    assert!(world.desk.levels.is_empty());
    assert_eq!(world.owed("post"), 1, "people are told");
}

#[test]
fn what_people_read() {
    let mut world = world();
    let mut account = account(&[
        ("load", "info"),
        ("metrics", "info"),
        ("connect", "debug"),
        ("send", "debug"),
    ]);
    let mut told = Vec::new();
    for text in [
        "/loglevel testnet",
        "/loglevel mainnet debug",
        "/loglevel mainnet load",
        "/loglevel mainnet load debgu",
        "/loglevel mainnet load debug --make-permanent for 30m",
        "/loglevel mainnet --make-permanent",
        "/loglevel mainnet load debug --make-permanent",
        "/loglevel help",
    ] {
        told.push(format!("> {text}\n{}\n", world.says("U0CARLA", text)));
    }
    goes_on(&mut world, &mut account);
    told.push(world.card());
    world.passes(Span::minutes(5));
    for text in [
        "/loglevel mainnet metrics DEBUG for 30m slow loads",
        "/loglevel mainnet",
    ] {
        told.push(format!("> {text}\n{}\n", world.says("U0CARLA", text)));
        world.passes(Span::seconds(1));
        if text.len() > 20 {
            told.push(world.card());
        }
        goes_on(&mut world, &mut account);
    }
    told.push(world.card());
    world.passes(Span::minutes(30));
    desk_wakes(&mut world);
    told.push(world.card());
    goes_on(&mut world, &mut account);
    told.push(world.card());
    insta::assert_snapshot!("levels", told.join("\n---\n"));
}
