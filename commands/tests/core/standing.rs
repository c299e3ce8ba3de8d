//! Locks, freezes, order, checks: what stands between a person and a release.

use commands::catalog::{CheckName, When, Window};
use commands::check::{Level, Verdict};
use commands::effect::Outcome;
use commands::reason::Reason;
use commands::run::{Live, Status};
use commands::time::Span;
use commands::wake;

use crate::world::{World, env};

#[test]
fn a_lock_holds_off_others_and_its_owner_passes() {
    let mut world = World::new();
    world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy lock testnet for 2h load test");
    world.says("U0BRUNO", "/deploy approve testnet");
    assert_eq!(world.refusals, [Reason::Locked]);
    world.says("U0ANN", "/deploy approve testnet");
    assert_eq!(world.status(), Status::Answering);
}

#[test]
fn locking_again_changes_reason_and_end_but_not_its_age() {
    let mut world = World::new();
    world.says("U0ANN", "/deploy lock testnet one");
    let since = world.desk.locks[&env("testnet")].since;
    world.passes(Span::minutes(5));
    world.says("U0ANN", "/deploy lock testnet for 1h two");
    let lock = &world.desk.locks[&env("testnet")];
    assert_eq!(
        (lock.since, lock.reason.as_str(), lock.until),
        (since, "two", Some(world.now + Span::hours(1)))
    );
}

#[test]
fn stealing_needs_a_reason_and_tells_the_owner() {
    let mut world = World::new();
    world.says("U0ANN", "/deploy lock testnet");
    let reply = world.says("U0BRUNO", "/deploy lock testnet mine");
    assert!(
        world.refusals.contains(&Reason::Locked) && reply.contains("Tell me"),
        "{reply}"
    );
    let reply = world.says("U0BRUNO", "/deploy lock testnet --steal");
    assert!(reply.contains("needs a reason"), "{reply}");
    world.says("U0BRUNO", "/deploy lock testnet --steal outage");
    assert_eq!(world.desk.locks[&env("testnet")].owner, crate::world::user("U0BRUNO"));
    assert_eq!(world.owed("post"), 1);
}

#[test]
fn who_waits_is_told_when_it_is_free_by_hand_or_by_time() {
    for by_hand in [true, false] {
        let mut world = World::new();
        world.says("U0ANN", "/deploy lock testnet for 1h");
        let bruno = world.speaker("U0BRUNO", commands::facts::Via::Button);
        let decision = world
            .decide(|facts| commands::verb::tell_me(facts, &bruno, &env("testnet")))
            .expect("legal");
        world.commit(decision);
        if by_hand {
            world.says("U0ANN", "/deploy unlock testnet");
        } else {
            world.passes(Span::hours(1));
            let decision = world.decide(wake::desk).expect("a legal decision");
            world.commit(decision);
        }
        assert!(world.desk.locks.is_empty() && world.desk.waiters.is_empty());
        assert_eq!(world.owed("post"), 1, "by hand: {by_hand}");
    }
}

#[test]
fn freezes_by_the_week_and_by_hand_hold_everybody() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    // The tests' now is a Friday.
    let when = When::weekly("Fri 00:00 - Mon 08:00").expect("a window");
    world.service().freezes = vec![Window {
        when,
        reason: "weekend".into(),
        environments: vec![env("mainnet")],
    }];
    let reply = world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(world.refusals, [Reason::Frozen]);
    assert!(reply.contains("weekend"), "{reply}");
    world.service().freezes.clear();
    world.says("U0BRUNO", "/deploy freeze mainnet until 23:59 emergency release");
    world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(world.refusals, [Reason::Frozen]);
    world.says("U0BRUNO", "/deploy unfreeze mainnet");
    world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(world.run().votes.len(), 1);
}

#[test]
fn the_order_of_environments_holds_for_the_same_code() {
    let mut world = World::new();
    world.environment("mainnet").promotes_from = Some(env("testnet"));
    world.waits("e1", "refs/tags/v1", "U0DANA");
    world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(world.refusals, [Reason::Order]);
    let revision = world.run().pinned.revision.clone();
    world.desk.live.insert(
        env("testnet"),
        Live {
            revision,
            execution: "e0".into(),
            since: world.now,
        },
    );
    world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(world.run().votes.len(), 1);
}

#[test]
fn a_check_that_is_unknown_missing_old_or_bad_stops_production() {
    let alarms = CheckName("alarms-quiet".into());
    let verdict = |level, as_of| Verdict {
        check: CheckName("alarms-quiet".into()),
        level,
        reason: "words".into(),
        evidence: vec![],
        as_of,
    };
    for (level, age, stops) in [
        (Level::Good, 0, false),
        (Level::Notice, 0, false),
        (Level::Unknown, 0, true),
        (Level::Bad, 0, true),
        (Level::Good, 16, true),
    ] {
        let mut world = World::new();
        world.environment("mainnet").checks = vec![alarms.clone()];
        world.waits("e1", "refs/tags/v1", "U0DANA");
        world.says("U0ANN", "/deploy approve mainnet");
        assert_eq!(world.refusals, [Reason::Checks], "not looked at yet");
        let as_of = commands::time::Timestamp(world.now.0 - Span::minutes(age).0);
        world.hears(
            "gather_check",
            Outcome::Judged {
                verdict: verdict(level, as_of),
            },
        );
        world.says("U0ANN", "/deploy approve mainnet");
        assert_eq!(
            world.refusals == [Reason::Checks],
            stops,
            "{level:?}, {age} minutes old"
        );
        assert_eq!(
            world.owed("gather_check"),
            usize::from(age > 15),
            "old evidence is gathered again at once"
        );
    }
}

#[test]
fn one_of_each_group_and_nobody_stands_for_two() {
    let mut world = World::new();
    let groups = ["S0WALLET", "S0OPS"].map(|id| commands::ids::GroupId::parse(id).expect("a group"));
    world.environment("mainnet").approvers.all_of = groups.to_vec();
    world
        .environment("mainnet")
        .approvers
        .people
        .users
        .insert(crate::world::user("U0CARLA"));
    world.waits("e1", "refs/tags/v1", "U0RITA");
    // Bruno is in both groups, Ann and Dana in one: Ann + Dana leave ops out, Ann + Bruno cover both.
    world.says("U0ANN", "/deploy approve mainnet");
    let reply = world.says("U0DANA", "/deploy approve mainnet");
    assert_eq!(world.status(), Status::Waiting, "{reply}");
    world.says("U0BRUNO", "/deploy approve mainnet");
    assert_eq!(world.status(), Status::Answering);
}

#[test]
fn a_freeze_of_everything_is_owed_to_every_other_service() {
    let mut world = World::new();
    let mut other = world.service().clone();
    other.id = commands::ids::ServiceId::parse("web").expect("a service");
    other.channel = crate::world::channel("C0WEB");
    world.catalog.services.insert(other.id.clone(), other);
    let reply = world.says("U0BRUNO", "/deploy freeze all for 1h incident");
    assert_eq!(world.refusals, [] as [Reason; 0], "{reply}");
    assert_eq!(world.owed("spread_freeze"), 1);
    assert!(
        reply.contains("wallet has it") && reply.contains("web follows"),
        "{reply}"
    );
}
