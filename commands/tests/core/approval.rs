//! Votes, decisions, answers.

use commands::decision::Reply;
use commands::effect::{Effect, Outcome};
use commands::facts::{Standing, Via};
use commands::reason::Reason;
use commands::run::{Ballot, DECISION_STANDS, Status};
use commands::time::Span;
use commands::watch::Answered;
use commands::watch::Observation;

use crate::world::{World, env, gate, user, words};

#[test]
fn one_vote_suffices_on_testnet_and_is_carried_out_once() {
    let mut world = World::new();
    let run = world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy approve testnet");
    assert_eq!(world.status(), Status::Answering);
    assert_eq!(world.claims.get("testnet"), Some(&run));
    assert_eq!(world.owed("answer_approval"), 1);
    let again = world.says("U0BRUNO", "/deploy approve testnet");
    assert!(
        again.contains("u0ann approved this"),
        "the loser is told who was first: {again}"
    );
    assert_eq!(world.refusals, [Reason::AlreadyDecided]);
    let effect = world.hears("answer_approval", Outcome::AnswerTaken { at: world.now });
    let Effect::AnswerApproval { summary, marker, .. } = effect else {
        panic!("another effect")
    };
    assert!(
        summary.contains("u0ann (U0ANN)") && summary.ends_with(&marker),
        "{summary}"
    );
    assert_eq!(world.status(), Status::Following);
}

#[test]
fn mainnet_wants_two_different_people() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    let first = world.says("U0ANN", "/deploy approve mainnet");
    assert!(first.contains("1 of 2"), "{first}");
    world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(
        (world.status(), world.refusals.as_slice()),
        (Status::Waiting, [Reason::AlreadyVoted].as_slice())
    );
    world.says("U0BRUNO", "/deploy approve mainnet ship it");
    assert_eq!(world.status(), Status::Answering);
    let decision = world.run().decision.clone().expect("a decision");
    assert_eq!(decision.by, [user("U0ANN"), user("U0BRUNO")]);
}

#[test]
fn rights_are_judged_again_at_the_deciding_vote() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    world.says("U0ANN", "/deploy approve mainnet");
    world.people.get_mut("U0ANN").expect("Ann").standing = Standing::Deactivated;
    let reply = world.says("U0BRUNO", "/deploy approve mainnet");
    assert_eq!(
        world.status(),
        Status::Waiting,
        "a leaver's vote does not count: {reply}"
    );
    assert_eq!(world.run().votes.len(), 1);
}

#[test]
fn who_wrote_it_does_not_approve_it() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    world.says("U0DANA", "/deploy approve mainnet");
    assert_eq!(world.refusals, [Reason::SelfApproval]);
    world.environment("mainnet").approvers.self_approval = true;
    world.says("U0DANA", "/deploy approve mainnet");
    assert_eq!(world.run().votes.len(), 1);
}

#[test]
fn an_unknown_author_stops_production_unless_config_allows() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "");
    world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(world.refusals, [Reason::UnknownAuthor]);
    world.service().unknown_author = commands::catalog::UnknownAuthor::Allow;
    world.says("U0ANN", "/deploy approve mainnet");
    assert_eq!(world.run().votes.len(), 1);
}

#[test]
fn nothing_is_approved_before_its_authors_are_known() {
    let mut world = World::new();
    world.observe(commands::watch::Observation {
        waiting: vec![world.waiting("e1", "refs/heads/master", "t1")],
        ..Default::default()
    });
    world.hears(
        "draw_card",
        Outcome::Drawn {
            posted: Some((crate::world::channel("C0DEPLOYS"), "1.1".into())),
        },
    );
    world.passes(Span::seconds(20));
    world.says("U0ANN", "/deploy approve testnet");
    assert_eq!(world.refusals, [Reason::UnknownAuthor]);
}

#[test]
fn one_no_is_enough_even_in_a_freeze() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    world.says("U0BRUNO", "/deploy freeze mainnet for 1h incident");
    world.says("U0ANN", "/deploy reject mainnet not today");
    assert_eq!(
        world.run().decision.as_ref().map(|decision| decision.ballot),
        Some(Ballot::Reject)
    );
    assert!(world.claims.is_empty(), "a no changes nothing, so it claims nothing");
}

#[test]
fn a_button_asks_for_a_reason_before_it_rejects() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    let reply = world.presses("U0ANN", "reject");
    assert!(
        matches!(&reply, Reply::Form(form) if form.form == "reject"),
        "{}",
        words(&reply)
    );
    let reply = world.presses("U0RITA", "reject");
    assert!(!matches!(reply, Reply::Form(_)), "no form for those who may not");
    assert_eq!(world.refusals, [Reason::Role]);
}

#[test]
fn breaking_the_glass_passes_what_it_may_and_is_loud() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0CARLA");
    world.says("U0BRUNO", "/deploy freeze mainnet incident");
    world.says("U0ANN", "/deploy approve mainnet --override site is down");
    assert_eq!(world.refusals, [Reason::Role], "only those whom config names");
    world.says("U0CARLA", "/deploy approve mainnet --override site is down");
    assert_eq!(world.status(), Status::Answering);
    assert!(
        world
            .run()
            .decision
            .as_ref()
            .is_some_and(|decision| decision.overridden)
    );
    assert_eq!(world.owed("post"), 1, "the channel is told");
    let everything = [Reason::Role, Reason::SelfApproval, Reason::Frozen, Reason::Quorum];
    let overridden = world.journal[&world.run().id].iter().any(|stored| {
        matches!(&stored.event, commands::run::Event::Decided { overridden: Some(passed), .. } if *passed == everything)
    });
    assert!(overridden, "the journal names what was passed");
    let decision = world.run().decision.clone().expect("a decision");
    assert_eq!(decision.passed, everything, "and so does the card");
    // A record of an earlier version knows only that the glass was broken.
    let mut old = serde_json::to_value(&decision).expect("JSON");
    old.as_object_mut().expect("an object").remove("passed");
    let old: commands::run::Decision = serde_json::from_value(old).expect("an old decision");
    assert!(old.overridden && old.passed.is_empty());
}

#[test]
fn what_the_card_calls_a_revision_names_it() {
    let mut world = World::new();
    let mut waiting = world.waiting("e1", "refs/heads/master", "t1");
    waiting.revision.id = "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY".into();
    waiting.revision.commit = None;
    world.observe(Observation {
        waiting: vec![waiting],
        ..Observation::default()
    });
    world.gathers("U0DANA");
    // Its card is not up yet: words that do not name it would only ask.
    world.says("U0ANN", "/deploy approve testnet 3sL4kqX it works");
    assert!(world.run().votes.is_empty(), "another word is only a reason");
    world.says("U0ANN", "/deploy approve testnet 3sL4kqt it works");
    assert_eq!(
        world.run().votes[0].reason,
        "it works",
        "the name is not a part of the reason"
    );
}

#[test]
fn a_broken_glass_never_passes_round_claim_channel_or_identity() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    world.claims.insert(
        env("mainnet"),
        commands::ids::RecordId::parse("run/mainnet/other").expect("an id"),
    );
    world.says("U0CARLA", "/deploy approve mainnet --override now");
    assert_eq!(world.refusals, [Reason::Claimed]);
    world.claims.clear();
    let mut elsewhere = world.speaker("U0CARLA", Via::Command);
    elsewhere.channel = crate::world::channel("C0RANDOM");
    world.says_as(&elsewhere, "/deploy wallet approve mainnet --override now");
    world.says_as(&elsewhere, "/deploy approve wallet mainnet --override now");
    assert_eq!(world.refusals, [Reason::WrongChannel]);
    world.people.get_mut("U0CARLA").expect("Carla").standing = Standing::Guest;
    world.says("U0CARLA", "/deploy approve mainnet --override now");
    assert_eq!(world.refusals, [Reason::Identity]);
}

#[test]
fn words_act_at_once_only_when_it_is_clear_what_they_mean() {
    let mut world = World::new();
    let card_ts = format!("{}.1", world.now.seconds());
    world.observe(commands::watch::Observation {
        waiting: vec![world.waiting("e1", "refs/heads/master", "t1")],
        ..Default::default()
    });
    world.gathers("U0DANA");
    world.hears(
        "draw_card",
        Outcome::Drawn {
            posted: Some((crate::world::channel("C0DEPLOYS"), card_ts.clone())),
        },
    );
    let fresh = world.says("U0ANN", "/deploy approve testnet");
    assert!(fresh.contains('['), "a fresh card is confirmed by a button: {fresh}");
    assert_eq!(world.status(), Status::Waiting);
    let other = world.says("U0ANN", "/deploy approve testnet 0badc0de");
    assert!(other.contains("4f2c1d9"), "it says what waits instead: {other}");
    let mut thread = world.speaker("U0ANN", Via::Mention);
    thread.thread = Some(card_ts);
    world.says_as(&thread, "/deploy approve testnet");
    assert_eq!(world.status(), Status::Answering, "in the card's thread it is clear");
}

#[test]
fn a_decision_that_comes_too_late_goes_back_to_people() {
    let mut world = World::new();
    world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy approve testnet");
    world.passes(DECISION_STANDS);
    world.hears("answer_approval", Outcome::TooLate);
    assert_eq!(world.status(), Status::Waiting);
    assert!(world.run().votes.is_empty() && world.claims.is_empty());
    world.says("U0BRUNO", "/deploy approve testnet");
    assert_eq!(
        world.run().decision.as_ref().map(|decision| decision.number),
        Some(2),
        "an old answer of ours is not taken for the new one"
    );
}

#[test]
fn somebody_elses_answer_is_recorded_and_announced_when_out_of_turn() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    world.says("U0BRUNO", "/deploy freeze mainnet incident");
    world.says("U0ANN", "/deploy approve mainnet");
    let seen = world.seen(
        "e1",
        [commands::run::StageState::Succeeded, commands::run::StageState::Running],
        Some((Ballot::Approve, "by hand")),
        None,
    );
    world.observe(commands::watch::Observation {
        executions: vec![seen],
        ..Default::default()
    });
    let answer = world.run().answer.clone().expect("an answer");
    assert!(
        answer.elsewhere.is_some() && answer.out_of_turn.contains(&Reason::Frozen),
        "{answer:?}"
    );
    assert_eq!(world.status(), Status::Following);
    assert_eq!(world.owed("answer_approval"), 0);
}

#[test]
fn what_aws_refuses_is_shown_and_can_be_told_again_while_it_stands() {
    let mut world = World::new();
    world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy approve testnet");
    world.hears(
        "answer_approval",
        Outcome::Refused {
            code: "AccessDeniedException".into(),
            message: "no".into(),
        },
    );
    assert!(world.run().trouble.is_some());
    world.says("U0ANN", "/deploy retry testnet");
    assert_eq!(world.owed("answer_approval"), 1);
    world.hears(
        "answer_approval",
        Outcome::AnsweredElsewhere {
            answered: Answered {
                gate: gate(),
                ballot: Some(Ballot::Reject),
                at: world.now,
                by: "arn:aws:iam::1:user/zoe".into(),
                summary: "no".into(),
            },
        },
    );
    assert_eq!(
        world.run().answer.as_ref().map(|answer| answer.ballot),
        Some(Ballot::Reject),
        "reality is never refused"
    );
}

#[test]
fn one_operating_system_user_is_one_voter() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    let cli = |confined| Via::CommandLine {
        os_user: "root".into(),
        confined,
    };
    let ann = world.speaker("U0ANN", cli(true));
    world.says_as(&ann, "/deploy approve mainnet");
    assert_eq!(world.refusals, [Reason::Identity], "production has to be allowed");
    let ann = world.speaker("U0ANN", cli(false));
    world.says_as(&ann, "/deploy approve mainnet");
    let bruno = world.speaker("U0BRUNO", cli(false));
    world.says_as(&bruno, "/deploy approve mainnet");
    assert_eq!(
        (world.refusals.as_slice(), world.run().votes.len()),
        ([Reason::AlreadyVoted].as_slice(), 1)
    );
}
