//! What observations mean.

use commands::effect::{Effect, Outcome};
use commands::reason::Reason;
use commands::run::{Ballot, Failure, StageState, Status};
use commands::time::Span;
use commands::watch::{Ended, ExecutionSeen, Inbound, LastSuccess, Observation};

use crate::world::{PACE, World, env, gate, site};

const DONE: [StageState; 2] = [StageState::Succeeded, StageState::Succeeded];
const HALF: [StageState; 2] = [StageState::Succeeded, StageState::Running];

fn only(seen: ExecutionSeen) -> Observation {
    Observation {
        executions: vec![seen],
        ..Observation::default()
    }
}

#[test]
fn a_request_opens_one_run_however_often_it_is_seen() {
    let mut world = World::new();
    let waiting = world.waiting("e1", "refs/tags/v1", "t1");
    for _ in 0..3 {
        world.observe(Observation {
            waiting: vec![waiting.clone()],
            ..Observation::default()
        });
    }
    assert_eq!(world.runs.len(), 1);
    assert_eq!(world.run().home(), &env("mainnet"));
    assert_eq!((world.owed("draw_card"), world.owed("gather_change")), (1, 1));
}

#[test]
fn an_old_observation_is_dropped() {
    let mut world = World::new();
    world.observe(Observation::default());
    let (watch, as_of) = (world.watch.clone(), world.watch.as_of);
    let old = Observation {
        as_of: as_of - 1,
        waiting: vec![world.waiting("e1", "refs/tags/v1", "t1")],
        ..Observation::default()
    };
    let decision = world
        .decide(|facts| commands::watch::observe(facts, &watch, &old, crate::world::PACE))
        .expect("legal");
    assert!(decision.is_empty());
}

#[test]
fn a_ref_that_cannot_be_told_gets_the_rules_of_every_environment() {
    let mut world = World::new();
    let mut waiting = world.waiting("e1", "x", "t1");
    waiting.revision.git_ref = None;
    world.observe(Observation {
        waiting: vec![waiting],
        ..Observation::default()
    });
    let environments: Vec<_> = world.run().environments().cloned().collect();
    assert_eq!(environments, [env("testnet"), env("mainnet")]);
    assert!(world.run().is_production());
}

#[test]
fn an_approved_run_is_followed_to_success_and_becomes_what_is_live() {
    let mut world = World::new();
    let run = world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy approve testnet");
    world.hears("answer_approval", Outcome::AnswerTaken { at: world.now });
    world.observe(only(world.seen("e1", HALF, None, None)));
    assert_eq!(world.status(), Status::Following);
    world.observe(only(world.seen("e1", DONE, None, Some(Ended::Succeeded))));
    assert_eq!(world.run().ended().map(|(reason, _)| reason), Some(Reason::Succeeded));
    assert!(world.claims.is_empty());
    assert_eq!(world.desk.live[&env("testnet")].execution, "e1");
    assert_eq!(world.desk.recent[&env("testnet")][0].run, run);
    assert_eq!(world.owed("post"), 1, "its author is told");
}

#[test]
fn a_failure_is_told_once_and_can_be_retried() {
    let mut world = World::new();
    world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy approve testnet");
    world.hears("answer_approval", Outcome::AnswerTaken { at: world.now });
    let failure = Failure {
        stage: "Deploy".into(),
        action: "Deploy".into(),
        action_execution: "a1".into(),
        message: "exit 1".into(),
        link: None,
    };
    let mut seen = world.seen("e1", [StageState::Succeeded, StageState::Failed], None, None);
    seen.failures = vec![failure];
    world.observe(only(seen.clone()));
    world.observe(only(seen.clone()));
    assert_eq!(world.owed("post_in_thread"), 1);
    seen.ended = Some(Ended::Failed);
    world.observe(only(seen));
    assert_eq!(world.run().ended().map(|(reason, _)| reason), Some(Reason::Failed));
    world.says("U0ANN", "/deploy retry testnet");
    assert!(
        matches!(world.hears("retry_stage", Outcome::Done), Effect::RetryStage { stage, number: 1, .. } if stage == "Deploy")
    );
    assert_eq!(world.status(), Status::Following);
    assert_eq!(world.claims.len(), 1, "it changes the environment again");
    world.observe(only(world.seen("e1", DONE, None, Some(Ended::Succeeded))));
    assert_eq!(world.desk.recent[&env("testnet")].len(), 1, "one run, its newest end");
}

#[test]
fn a_new_token_is_a_new_run_without_the_old_votes() {
    let mut world = World::new();
    let old = world.waits("e1", "refs/tags/v1", "U0DANA");
    world.says("U0ANN", "/deploy approve mainnet");
    let fresh = world.waiting("e1", "refs/tags/v1", "t2");
    world.observe(Observation {
        waiting: vec![fresh],
        executions: vec![world.seen("e1", HALF, None, None)],
        ..Observation::default()
    });
    assert_eq!(
        world.runs[&old].ended().map(|(reason, _)| reason),
        Some(Reason::NewRound)
    );
    let new = world.runs.values().find(|run| run.id != old).expect("a new run");
    assert_eq!((new.votes.len(), new.pinned.previous.as_ref()), (0, Some(&old)));
}

#[test]
fn each_way_to_end_without_an_answer_has_its_name() {
    for (ended, reason) in [
        (Ended::Superseded, Reason::Superseded),
        (Ended::Stopped, Reason::Stopped),
        (Ended::Canceled, Reason::Canceled),
        (Ended::Failed, Reason::Failed),
    ] {
        let mut world = World::new();
        world.waits("e1", "refs/tags/v1", "U0DANA");
        world.observe(only(world.seen("e1", HALF, None, Some(ended))));
        assert_eq!(world.run().ended().map(|(reason, _)| reason), Some(reason));
        world.says("U0ANN", "/deploy approve mainnet");
        assert_eq!(world.owed("answer_approval"), 0);
    }
}

#[test]
fn nobody_answered_in_time() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    world.passes(commands::time::Span::days(8));
    let mut seen = world.seen("e1", HALF, Some((Ballot::Approve, "")), Some(Ended::Failed));
    seen.answered[0].ballot = None;
    world.observe(only(seen));
    assert_eq!(world.run().ended().map(|(reason, _)| reason), Some(Reason::Expired));
}

#[test]
fn our_own_answer_whose_reply_was_lost_is_recognized() {
    let mut world = World::new();
    world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy approve testnet");
    let summary = format!("Approved {}", world.run().marker());
    world.observe(only(world.seen("e1", HALF, Some((Ballot::Approve, &summary)), None)));
    let answer = world.run().answer.clone().expect("an answer");
    assert_eq!(answer.elsewhere, None, "it is ours");
    // The effect's own report comes after that, and changes nothing.
    world.hears("answer_approval", Outcome::AnswerTaken { at: world.now });
    assert_eq!(world.status(), Status::Following);
}

#[test]
fn newer_executions_behind_are_shown_and_rejecting_makes_room() {
    let mut world = World::new();
    world.waits("e1", "refs/tags/v1", "U0DANA");
    let waiting = commands::watch::Waiting {
        since: world.run().pinned.waiting_since,
        ..world.waiting("e1", "refs/tags/v1", "t1")
    };
    let inbound = Inbound {
        stage: "Approve".into(),
        execution: "e2".into(),
        revision: waiting.revision.clone(),
    };
    world.observe(Observation {
        waiting: vec![waiting],
        inbound: vec![inbound],
        ..Observation::default()
    });
    assert_eq!(world.run().behind.len(), 1);
    let card = world.decide(|facts| crate::world::text_of(&commands::view::card(world.run(), facts)));
    assert!(card.contains("wait for the newest"), "{card}");
}

#[test]
fn what_was_live_before_the_first_run_is_learned_and_never_overwritten_by_older_news() {
    let mut world = World::new();
    let success = |execution: &str, git_ref: &str, ago| LastSuccess {
        gate: gate(),
        execution: execution.into(),
        revision: world.waiting("e0", git_ref, "t").revision,
        at: commands::time::Timestamp(world.now.0 - ago),
    };
    let successes = vec![
        success("e9", "refs/tags/v1", 10),
        success("e8", "refs/tags/v0", 20),
        success("e7", "refs/heads/master", 30),
    ];
    world.observe(Observation {
        successes,
        ..Observation::default()
    });
    assert_eq!(world.desk.live[&env("mainnet")].execution, "e9");
    assert_eq!(world.desk.live[&env("testnet")].execution, "e7");
}

/// Reads once, in vain.
fn fails(world: &mut World, why: &str) {
    world.passes(PACE.idle);
    let watch = world.watch.clone();
    let decision = world.decide(|facts| commands::wake::watch(facts, &watch, PACE));
    world.commit(decision);
    world.hears("read_pipeline", Outcome::ReadFailed { why: why.into() });
}

#[test]
fn a_pipeline_that_cannot_be_read_is_told_once_and_so_is_the_end_of_it() {
    let mut world = World::new();
    for _ in 0..4 {
        fails(&mut world, "AccessDeniedException: no");
    }
    assert_eq!(world.owed("post"), 0, "a hiccup is not worth a message");
    world.observe(Observation::default());
    assert_eq!(world.owed("post"), 0, "and neither is its end");
    for _ in 0..20 {
        fails(&mut world, "AccessDeniedException: no");
    }
    let said = |world: &mut World| match world.hears("post", Outcome::Posted) {
        Effect::Post { message, .. } => crate::world::text_of(&message),
        other => panic!("{other:?}"),
    };
    assert_eq!(world.owed("post"), 1, "told once");
    insta::assert_snapshot!(said(&mut world), @r"
    wallet: the pipeline wallet-service cannot be read since 18:05 UTC: AccessDeniedException: no.
    note wallet: the pipeline wallet-service cannot be read since 18:05 UTC: AccessDeniedException: no.
    Until it can, new requests for approval and the progress of runs do not show here for testnet and mainnet; look into the AWS console, where approvals can be given too.
    On the bot's machine, signalbox doctor says what the role lacks. You will be told here when the pipeline is read again.
    ");
    world.passes(PACE.idle);
    world.observe(Observation::default());
    assert_eq!(world.owed("post"), 1, "and its end once");
    insta::assert_snapshot!(said(&mut world), @r"
    The pipeline wallet-service is read again after 20 min; what happened meanwhile shows on the cards.
    ok The pipeline wallet-service is read again after 20 min; what happened meanwhile shows on the cards.
    ");
    world.observe(Observation::default());
    assert_eq!(world.owed("post"), 0);
}

#[test]
fn one_name_in_two_accounts_is_two_pipelines() {
    let mut world = World::new();
    let wallet = world.catalog.services.values_mut().next().expect("the wallet");
    wallet.environments[1].aws.role_arn = Some("arn:aws:iam::444455556666:role/signalbox".into());
    let sites: Vec<_> = wallet.pipelines().into_keys().collect();
    assert_eq!(sites.len(), 2, "each has its watch: {sites:?}");
    let theirs = wallet.environments[1].site();
    assert_ne!(
        commands::ids::RecordId::watch(&theirs),
        commands::ids::RecordId::watch(&site())
    );
    // What waits in testnet's account is testnet's, whatever the tag says; what waits in mainnet's is mainnet's.
    let waiting = world.waiting("e1", "refs/tags/v1", "t1");
    let seen = Observation {
        waiting: vec![waiting],
        ..Observation::default()
    };
    world.observe(seen.clone());
    assert_eq!(world.run().home(), &env("testnet"));
    let ours = std::mem::replace(&mut world.watch, commands::watch::Watch::new(theirs.clone()));
    world.observe(seen);
    let mut homes: Vec<_> = world.runs.values().map(|run| run.home().to_string()).collect();
    homes.sort();
    assert_eq!(homes, ["mainnet", "testnet"]);
    // Each watch asks about its own run only, through its own role.
    for (watch, role) in [(ours, None), (world.watch.clone(), Some("444455556666"))] {
        let looks = world.decide(|facts| commands::wake::watch(facts, &watch, PACE));
        let Some((Effect::ReadPipeline { aws, following, .. }, _)) = looks.effects.first() else {
            panic!("{looks:?}");
        };
        assert_eq!((aws.account(), following.len()), (role, 1));
    }
    assert!(theirs.fits("wallet-service", Some("eu-central-1"), Some("444455556666")));
    assert!(!theirs.fits("wallet-service", Some("eu-central-1"), Some("111122223333")));
    assert!(!theirs.fits("wallet-service", Some("us-east-1"), None));
    assert!(
        site().fits("wallet-service", None, Some("111122223333")),
        "whose account is the bot's own, nobody knows"
    );
}

#[test]
fn a_watch_that_no_environment_uses_waits_and_does_not_spin() {
    let world = World::new();
    let unknown = commands::watch::Watch::new(commands::catalog::Site {
        pipeline: "gone".into(),
        ..site()
    });
    let decision = world.decide(|facts| commands::wake::watch(facts, &unknown, PACE));
    assert!(decision.effects.is_empty());
    let [
        commands::decision::Change::Watch {
            next_wake: Some(next), ..
        },
    ] = decision.changes.as_slice()
    else {
        panic!("{decision:?}");
    };
    assert!(world.now < *next);
}

/// CodePipeline's reads lag: an executor that saw an old state and said nothing is sent again when the request is seen to wait still.
#[test]
fn an_answer_that_did_not_arrive_is_given_again() {
    let mut world = World::new();
    world.waits("e1", "refs/heads/master", "U0DANA");
    world.says("U0ANN", "/deploy approve testnet");
    let why = "the request is gone".to_owned();
    world.hears("answer_approval", Outcome::NotCurrent { why });
    let still = Observation {
        waiting: vec![world.waiting("e1", "refs/heads/master", "t1")],
        ..Observation::default()
    };
    world.observe(still.clone());
    assert_eq!(world.owed("answer_approval"), 0, "it may be on its way");
    world.passes(Span::seconds(15));
    world.observe(still.clone());
    assert_eq!(world.owed("answer_approval"), 1);
    world.effects.retain(|_, effect| effect.name() != "answer_approval");
    world.passes(Span::minutes(10));
    world.observe(still);
    assert_eq!(world.owed("answer_approval"), 0, "the decision is too old by now");
}
