//! The card in every state, as its reader sees it.

use crate::check::Level;
use crate::desk::{Event as DeskEvent, Freeze, Lock};
use crate::reason::Reason;
use crate::round::Revision;
use crate::run::{Ballot, Event, Run, StageState, Trouble};
use crate::view::card;
use crate::view::fixtures::{
    World, answered, approved, at, behind, change, clock, decided, env, evidence, failure, group, pinned, run_of,
    stages, user, verdict, vote,
};
use crate::view::picture::picture;

/// Compares a card with its picture.
macro_rules! looks {
    ($name:literal, $world:expr, $run:expr) => {
        let run: &Run = &$run;
        insta::assert_snapshot!($name, picture(&card(run, &$world.facts())));
    };
}

fn trouble(reason: Reason, text: &str) -> (Event, crate::time::Timestamp) {
    let trouble = Trouble {
        reason,
        text: text.to_owned(),
        at: clock("17:56:10"),
    };
    (Event::TroubleMet { trouble }, clock("17:56:10"))
}

#[test]
fn waiting() {
    let world = World::new();
    looks!("waiting_fresh", world, run_of(pinned(), Vec::new()));
    looks!("waiting", world, run_of(pinned(), evidence()));
    let mut events = evidence();
    events.push(vote("U0ANN", Ballot::Approve, "17:41:00", "fine after the retest"));
    events.push(behind(&[("7d3f2a1b", "bump fee"), ("8e4f2a1b", "drop debug log")]));
    looks!("waiting_one_of_two_and_newer_runs", world, run_of(pinned(), events));
}

#[test]
fn waiting_with_things_in_the_way() {
    let mut world = World::new();
    world.now = at("2026-11-20T19:00:00Z");
    world.environment("mainnet").approvers.all_of = vec![group("S0WALLET"), group("S0OPS")];
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
    let freeze = Freeze {
        environment: None,
        everywhere: false,
        by: user("U0CARLA"),
        reason: "emergency release under way".to_owned(),
        since: clock("15:00:00"),
        until: Some(at("2026-11-20T20:00:00Z")),
    };
    world.desk.apply(&DeskEvent::Frozen { freeze });
    world.desk.live.remove("testnet");
    let mut events = evidence();
    events.push((
        verdict(
            "alarms-quiet",
            Level::Bad,
            "2 alarms are firing",
            &["wallet-5xx", "wallet-lag"],
        ),
        clock("17:54:00"),
    ));
    looks!("waiting_blocked", world, run_of(pinned(), events));
}

#[test]
fn waiting_for_what_cannot_be_told() {
    let world = World::new();
    let mut opened = pinned();
    opened.revision = Revision {
        id: "3sL4kqtJlcpXroDTDmJ".to_owned(),
        unknown: Some("the S3 object names no commit in its metadata".to_owned()),
        ..Revision::default()
    };
    opened.environments[0].live = None;
    opened.starter = crate::round::Starter {
        detail: "arn:aws:sts::111122223333:assumed-role/Deploy/ann@example.org".to_owned(),
        user: None,
    };
    let mut unknown = change(0);
    unknown.unknown = Some("the commit is not known".to_owned());
    let events = vec![
        (Event::ChangeGathered { change: unknown }, clock("17:40:05")),
        (
            verdict("alarms-quiet", Level::Unknown, "CloudWatch refused: AccessDenied", &[]),
            clock("17:54:00"),
        ),
    ];
    looks!("waiting_unknown", world, run_of(opened, events));
}

#[test]
fn waiting_with_a_long_list_and_nobody_left() {
    let mut world = World::new();
    world.environment("mainnet").approvers.people.users.clear();
    let mut events = evidence();
    events.push((Event::ChangeGathered { change: change(25) }, clock("17:41:00")));
    events.push(vote("U0BRUNO", Ballot::Approve, "17:42:00", ""));
    events.push(vote("U0ANN", Ballot::Approve, "17:43:00", ""));
    world.environment("mainnet").approvers.required = 3;
    looks!("waiting_nobody_left", world, run_of(pinned(), events));
}

#[test]
fn waiting_again_after_a_lapse_in_a_second_round() {
    let mut world = World::new();
    let first = run_of(pinned(), evidence());
    let mut opened = pinned();
    opened.previous = Some(first.id.clone());
    opened.round.token_hash = "h2".to_owned();
    world.runs.insert(first.id.clone(), first);
    let mut events = evidence();
    events.extend([
        vote("U0ANN", Ballot::Approve, "17:41:00", ""),
        decided(Ballot::Approve, &["U0ANN"], "17:41:00", None),
        (Event::Lapsed, clock("17:51:00")),
    ]);
    looks!("waiting_after_lapse", world, run_of(opened, events));
}

#[test]
fn waiting_for_several_environments_and_a_step_back() {
    let world = World::new();
    let mut opened = pinned();
    let mut testnet = opened.environments[0].clone();
    testnet.environment = env("testnet");
    testnet.tier = crate::catalog::Tier::Standard;
    opened.environments.insert(0, testnet);
    let mut events = evidence();
    let mut back = change(0);
    back.backwards = true;
    events.push((Event::ChangeGathered { change: back }, clock("17:41:00")));
    looks!("waiting_two_environments", world, run_of(opened, events));
}

#[test]
fn waiting_too_long() {
    let mut world = World::new();
    world.now = pinned().gives_up_at;
    looks!("waiting_expired", world, run_of(pinned(), evidence()));
}

#[test]
fn answering() {
    let world = World::new();
    let until_decided = || {
        let mut events = approved();
        events.pop();
        events
    };
    looks!("answering", world, run_of(pinned(), until_decided()));

    let mut events = evidence();
    events.push(vote("U0ANN", Ballot::Reject, "17:55:50", "the fee is wrong"));
    events.push(decided(Ballot::Reject, &["U0ANN"], "17:55:50", None));
    looks!("answering_no", world, run_of(pinned(), events));

    let mut events = until_decided();
    events.push(trouble(
        Reason::AwsRefused,
        "AccessDeniedException: not authorized to perform codepipeline:PutApprovalResult",
    ));
    looks!("answering_refused_by_aws", world, run_of(pinned(), events));

    let mut events = until_decided();
    events.push(trouble(
        Reason::Unknown,
        "The reply was lost, and reading it back failed three times.",
    ));
    looks!("answering_unknown", world, run_of(pinned(), events.clone()));
    let mut later = World::new();
    later.now = clock("18:10:00");
    looks!("answering_unknown_for_long", later, run_of(pinned(), events));
}

#[test]
fn a_broken_glass_is_loud() {
    let world = World::new();
    let mut events = evidence();
    events.push(vote(
        "U0CARLA",
        Ballot::Approve,
        "17:55:50",
        "site is down, fix is in here",
    ));
    events.push(decided(
        Ballot::Approve,
        &["U0CARLA"],
        "17:55:50",
        Some(vec![Reason::Frozen]),
    ));
    looks!("answering_override", world, run_of(pinned(), events));
}

#[test]
fn following() {
    let mut world = World::new();
    let mut events = approved();
    looks!("following_start", world, run_of(pinned(), events.clone()));
    events.push(stages(
        &[
            ("Source", StageState::Succeeded),
            ("Build", StageState::Succeeded),
            ("Approve", StageState::Succeeded),
            ("Deploy", StageState::Running),
            ("Verify", StageState::Ahead),
        ],
        "17:57:00",
    ));
    looks!("following", world, run_of(pinned(), events.clone()));
    world.now = clock("18:20:00");
    events.push(trouble(
        Reason::AwsRefused,
        "PipelineExecutionNotStoppableException: it is stopping already",
    ));
    looks!("following_long_with_trouble", world, run_of(pinned(), events));
}

#[test]
fn answered_elsewhere() {
    let world = World::new();
    let console = Some("arn:aws:sts::444455556666:assumed-role/Admin/eve@example.org");
    let mut events = evidence();
    events.push(vote("U0ANN", Ballot::Approve, "17:41:00", ""));
    events.push(answered(Ballot::Approve, "17:56:02", console, &[]));
    looks!("elsewhere", world, run_of(pinned(), events.clone()));
    events.pop();
    events.push(answered(
        Ballot::Approve,
        "17:56:02",
        console,
        &[Reason::Frozen, Reason::Locked],
    ));
    looks!("elsewhere_out_of_turn", world, run_of(pinned(), events));
    let mut events = approved();
    events.pop();
    events.push(answered(Ballot::Reject, "17:55:59", console, &[]));
    looks!("elsewhere_before_ours", world, run_of(pinned(), events));
}

#[test]
fn ended() {
    let mut world = World::new();
    world.now = clock("18:10:00");
    let end = |reason| (Event::Ended { reason }, clock("18:07:02"));
    let mut events = approved();
    events.push(end(Reason::Succeeded));
    looks!("ended_succeeded", world, run_of(pinned(), events));

    let mut events = approved();
    events.push(stages(&[("Deploy", StageState::Failed)], "18:07:00"));
    events.push((Event::FailureSeen { failure: failure() }, clock("18:07:00")));
    events.push(end(Reason::Failed));
    looks!("ended_failed", world, run_of(pinned(), events.clone()));
    events.push(trouble(
        Reason::AwsRefused,
        "StageNotRetryableException: the stage was changed",
    ));
    looks!("ended_failed_and_not_retried", world, run_of(pinned(), events));

    let mut events = evidence();
    events.push(vote("U0ANN", Ballot::Reject, "17:55:50", "the fee is wrong"));
    events.push(decided(Ballot::Reject, &["U0ANN"], "17:55:50", None));
    events.push(answered(Ballot::Reject, "17:55:53", None, &[]));
    events.push(end(Reason::Rejected));
    looks!("ended_rejected", world, run_of(pinned(), events));

    for reason in [
        Reason::Expired,
        Reason::Superseded,
        Reason::NewRound,
        Reason::Canceled,
        Reason::Gone,
        Reason::Stopped,
    ] {
        let mut events = evidence();
        events.push(end(reason));
        let run = run_of(pinned(), events);
        insta::assert_snapshot!(format!("ended_{reason}"), picture(&card(&run, &world.facts())));
    }
}
