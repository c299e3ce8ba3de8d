//! Lists, refusals, forms, notes and receipts, as their readers see them.

use crate::decision::Refusal;
use crate::desk::{Conducted, Event as DeskEvent, Lock};
use crate::gate::{self, Act, tally};
use crate::ids::{ChannelId, RecordId};
use crate::reason::Reason;
use crate::run::{Ballot, Event, Run};
use crate::time::Span;
use crate::view::fixtures::{
    World, answered, approved, at, behind, clock, decided, env, evidence, failure, finished, group, pinned, run_of,
    user, vote,
};
use crate::view::picture::{picture, picture_of_form};
use crate::view::{self, HelpRow, Place};

fn waiting() -> Run {
    run_of(pinned(), evidence())
}

fn half_approved() -> Run {
    let mut events = evidence();
    events.push(vote("U0ANN", Ballot::Approve, "17:41:00", ""));
    run_of(pinned(), events)
}

/// Two open runs, a lock, and a freeze: a busy afternoon.
fn busy() -> World {
    let mut world = World::new();
    let run = half_approved();
    world.runs.insert(run.id.clone(), run);
    let mut opened = pinned();
    opened.round.execution = "e-2".to_owned();
    opened.waiting_since = clock("17:30:00");
    let run = run_of(opened, approved());
    world.claims.insert(env("mainnet"), run.id.clone());
    world.runs.insert(run.id.clone(), run);
    let lock = Lock {
        owner: user("U0RITA"),
        reason: "load test".to_owned(),
        since: clock("12:00:00"),
        until: Some(clock("20:00:00")),
    };
    world.desk.apply(&DeskEvent::Locked {
        environment: env("testnet"),
        lock,
        stolen_from: None,
    });
    world
}

#[test]
fn status_and_runs() {
    let world = busy();
    insta::assert_snapshot!("status_all", picture(&view::status(&world.facts(), None)));
    insta::assert_snapshot!(
        "status_one",
        picture(&view::status(&world.facts(), Some(&env("mainnet"))))
    );
    insta::assert_snapshot!(
        "status_locked",
        picture(&view::status(&world.facts(), Some(&env("testnet"))))
    );
    insta::assert_snapshot!("runs", picture(&view::runs(&world.facts())));
    insta::assert_snapshot!("runs_none", picture(&view::runs(&World::new().facts())));
    let nowhere = view::status(&world.facts(), Some(&env("moon")));
    assert_eq!(
        nowhere.fallback,
        "wallet has no environment moon. It has: testnet, mainnet."
    );
}

#[test]
fn a_frozen_weekend_shows_in_the_status() {
    let mut world = World::new();
    world.now = at("2026-11-20T19:00:00Z");
    insta::assert_snapshot!(
        "status_frozen",
        picture(&view::status(&world.facts(), Some(&env("mainnet"))))
    );
}

#[test]
fn history() {
    let mut world = World::new();
    let mut failed = finished("51be03fa7d", Reason::Failed, clock("10:00:00"), Some(Span::minutes(4)));
    failed.overridden = true;
    world.desk.apply(&DeskEvent::RunEnded {
        environment: env("mainnet"),
        finished: failed,
    });
    let mut rejected = finished("41be03fa7d", Reason::Rejected, clock("11:00:00"), None);
    rejected.by = vec![user("U0ANN")];
    rejected.card = None;
    world.desk.apply(&DeskEvent::RunEnded {
        environment: env("mainnet"),
        finished: rejected,
    });
    for (what, reason, at, by) in [
        ("migrate", Reason::Undone, "10:30:00", Some("U0ANN")),
        ("maintenance off", Reason::Succeeded, "12:00:00", None),
    ] {
        world.desk.apply(&DeskEvent::OperationEnded {
            environment: env("mainnet"),
            conducted: Conducted {
                aborted: false,
                run: RecordId::parse(&format!("run/mainnet/x-{}", at.len())).unwrap(),
                what: what.to_owned(),
                reason,
                at: clock(at),
                took: Span::minutes(90),
                by: by.map(user),
                card: Some((ChannelId::parse("C0DEPLOYS").unwrap(), "1763000000.000200".to_owned())),
            },
        });
    }
    insta::assert_snapshot!("history", picture(&view::history(&world.facts(), &env("mainnet"))));
    insta::assert_snapshot!("history_none", picture(&view::history(&world.facts(), &env("testnet"))));
}

#[test]
fn why() {
    let mut world = World::new();
    let environment = world.environment("mainnet").clone();
    let run = half_approved();
    let facts = world.facts();
    let told = |who: &str, run: Option<&Run>| picture(&view::why(&facts, &world.speaker(who), &environment, run));
    insta::assert_snapshot!("why_can", told("U0BRUNO", Some(&run)));
    insta::assert_snapshot!("why_has_voted", told("U0ANN", Some(&run)));
    insta::assert_snapshot!("why_author", told("U0DANA", Some(&run)));
    insta::assert_snapshot!("why_no_rights", told("U0RITA", Some(&run)));
    insta::assert_snapshot!("why_no_run", told("U0RITA", None));
    insta::assert_snapshot!("why_decided", told("U0BRUNO", Some(&run_of(pinned(), approved()))));
}

#[test]
fn why_for_someone_who_may_break_the_glass() {
    let mut world = World::new();
    world.now = at("2026-11-20T19:00:00Z");
    let environment = world.environment("mainnet").clone();
    let run = half_approved();
    insta::assert_snapshot!(
        "why_frozen",
        picture(&view::why(
            &world.facts(),
            &world.speaker("U0CARLA"),
            &environment,
            Some(&run)
        ))
    );
}

#[test]
fn refusals() {
    let mut world = World::new();
    world.now = at("2026-11-20T19:00:00Z");
    let run = waiting();
    let several = gate::evaluate_run(&world.facts(), Some(&world.speaker("U0RITA")), Act::Approve, &run);
    insta::assert_snapshot!("refusal_several", picture(&view::refusal(&several)));
    let one: Vec<Refusal> = several
        .into_iter()
        .filter(|refusal| refusal.reason == Reason::Frozen)
        .collect();
    insta::assert_snapshot!("refusal_one", picture(&view::refusal(&one)));
    let lock = Lock {
        owner: user("U0RITA"),
        reason: "load test".to_owned(),
        since: clock("12:00:00"),
        until: None,
    };
    world.desk.apply(&DeskEvent::Locked {
        environment: env("mainnet"),
        lock,
        stolen_from: None,
    });
    let locked = gate::evaluate_run(&world.facts(), Some(&world.speaker("U0CARLA")), Act::Approve, &run);
    let place = Place {
        service: &run.pinned.service,
        environment: run.home(),
        may_override: true,
    };
    insta::assert_snapshot!("refusal_with_ways_out", picture(&view::refusal_at(&locked, place)));
}

#[test]
fn forms() {
    let mut events = evidence();
    events.push(behind(&[("7d3f2a1b", "bump fee")]));
    let run = run_of(pinned(), events);
    insta::assert_snapshot!("form_reject", picture_of_form(&view::reject_form(&run, false)));
    insta::assert_snapshot!("form_reject_wait", picture_of_form(&view::reject_form(&run, true)));
    insta::assert_snapshot!("form_approve", picture_of_form(&view::approve_form(&run)));
}

#[test]
fn receipts() {
    let mut world = World::new();
    let run = half_approved();
    let told =
        |world: &World, run: &Run| picture(&view::voted(run, &tally::count(&world.facts(), run), &world.facts()));
    insta::assert_snapshot!("voted", told(&world, &run));
    world.environment("mainnet").approvers.all_of = vec![group("S0WALLET"), group("S0OPS")];
    insta::assert_snapshot!("voted_group_missing", told(&world, &run));
    world.groups.insert(group("S0WALLET"), None);
    insta::assert_snapshot!("voted_groups_unknown", told(&world, &run));

    insta::assert_snapshot!("decided", picture(&view::decided(&run)));
    let mut events = evidence();
    events.push(behind(&[("7d3f2a1b", "bump fee")]));
    insta::assert_snapshot!(
        "rejected_for_newest",
        picture(&view::rejected(&run_of(pinned(), events), true))
    );
}

#[test]
fn losers_of_a_race() {
    let mut world = World::new();
    let mut events = approved();
    events.pop();
    let run = run_of(pinned(), events.clone());
    let mut told = |time: &str, run: &Run, who: &str| {
        world.now = clock(time);
        view::lost_race(run, &world.facts(), &user(who)).fallback
    };
    assert_eq!(
        told("17:56:00", &run, "U0CARLA"),
        "Bruno Lima approved 2 s before you; nothing was sent twice."
    );
    assert_eq!(
        told("17:55:58", &run, "U0CARLA"),
        "Bruno Lima approved this a moment before you; nothing was sent twice."
    );
    assert_eq!(
        told("18:05:00", &run, "U0CARLA"),
        "Bruno Lima approved this at 17:55:58 UTC; nothing was sent twice."
    );
    assert_eq!(
        told("17:56:00", &run, "U0BRUNO"),
        "You approved this already at 17:55:58 UTC; nothing was sent twice."
    );
    events.push(answered(
        Ballot::Approve,
        "17:55:59",
        Some("arn:aws:iam::1:user/eve"),
        &[],
    ));
    let run = run_of(pinned(), events);
    assert_eq!(
        told("17:56:00", &run, "U0CARLA"),
        "eve approved this outside of Signalbox at 17:55:59 UTC. Nothing was sent from here."
    );
}

#[test]
fn picking_one() {
    let world = World::new();
    let one = waiting();
    let mut opened = pinned();
    opened.round.execution = "e-2".to_owned();
    opened.revision.git_ref = None;
    let other = run_of(opened, Vec::new());
    insta::assert_snapshot!("pick_one_fresh", picture(&view::pick_one(&[&one], &world.facts())));
    insta::assert_snapshot!(
        "pick_one_of_two",
        picture(&view::pick_one(&[&one, &other], &world.facts()))
    );
}

#[test]
fn notes() {
    let mut world = World::new();
    world.now = clock("18:10:00");
    let mut events = approved();
    events.push((Event::FailureSeen { failure: failure() }, clock("18:07:00")));
    events.push((Event::Ended { reason: Reason::Failed }, clock("18:07:02")));
    let failed = run_of(pinned(), events);
    insta::assert_snapshot!("note_failure", picture(&view::failure_note(&failed, &failure())));
    insta::assert_snapshot!("note_ended_failed", picture(&view::ended_note(&failed, &world.facts())));
    let mut events = approved();
    events.push((
        Event::Ended {
            reason: Reason::Succeeded,
        },
        clock("18:07:02"),
    ));
    insta::assert_snapshot!(
        "note_ended",
        picture(&view::ended_note(&run_of(pinned(), events), &world.facts()))
    );
    let override_note = view::override_note(
        &waiting(),
        &user("U0CARLA"),
        &[Reason::Frozen, Reason::Checks],
        "site is down",
    );
    insta::assert_snapshot!("note_override", picture(&override_note));
    let stolen = view::lock_stolen_note(&env("mainnet"), &user("U0BRUNO"), "emergency fix");
    insta::assert_snapshot!("note_lock_stolen", picture(&stolen));
    insta::assert_snapshot!("note_free", picture(&view::free_note(&env("mainnet"))));
    let mut events = evidence();
    let console = Some("arn:aws:sts::444455556666:assumed-role/Admin/eve@example.org");
    events.push(answered(Ballot::Approve, "17:56:02", console, &[Reason::Frozen]));
    insta::assert_snapshot!(
        "note_elsewhere",
        picture(&view::answered_elsewhere_note(&run_of(pinned(), events)))
    );
    let mut events = evidence();
    events.push(vote("U0ANN", Ballot::Approve, "17:41:00", ""));
    events.push(decided(Ballot::Approve, &["U0ANN"], "17:41:00", None));
    insta::assert_snapshot!("note_lapsed", picture(&view::lapsed_note(&run_of(pinned(), events))));
}

#[test]
fn help() {
    let row = |name, usage, summary, detail| HelpRow {
        command: "/deploy",
        name,
        usage,
        summary,
        detail,
    };
    let rows = [
        row("status", "[env]", "What is live and what waits", ""),
        row(
            "approve",
            "<env> [revision] [reason]",
            "Vote yes",
            "Acts at once when it is clear what is meant.",
        ),
    ];
    insta::assert_snapshot!("help", picture(&view::help(&rows, None)));
    insta::assert_snapshot!("help_one", picture(&view::help(&rows, Some("approve"))));
    assert_eq!(
        view::help(&rows, Some("aprove")).fallback,
        "There is no verb “aprove”. Did you mean approve?"
    );
    assert_eq!(view::help(&rows, Some("moon")).fallback, "There is no verb “moon”.");
    assert_eq!(view::help(&rows, Some("/deploy")), view::help(&rows, None));
}

#[test]
fn who_may_say_what() {
    insta::assert_snapshot!(
        "who_may_say_what",
        crate::verb::roles::lines(&World::new().service).join("\n")
    );
}
