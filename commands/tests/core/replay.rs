//! The fold beside the history is the fold of the history, whatever happened.

use commands::desk::Desk;
use commands::effect::Outcome;
use commands::run::{self, Ballot, StageState};
use commands::time::Span;
use commands::wake;
use commands::watch::{Ended, Observation};
use proptest::prelude::*;

use crate::world::World;

/// One thing that happens; which ones are possible depends on where the world is, so impossible ones are skipped.
fn step(world: &mut World, choice: u8, execution: &str) {
    let who = ["U0ANN", "U0BRUNO", "U0CARLA", "U0DANA", "U0RITA"][usize::from(choice) % 5];
    match choice % 16 {
        0 | 1 => drop(world.says(who, "/deploy approve mainnet")),
        2 => drop(world.says(who, "/deploy reject mainnet no")),
        3 => drop(world.says(who, "/deploy lock mainnet for 1h x")),
        4 => drop(world.says(who, "/deploy unlock mainnet")),
        5 => drop(world.says(who, "/deploy freeze mainnet for 2h")),
        6 => drop(world.says(who, "/deploy approve mainnet --override now")),
        7 => drop(world.says(who, "/deploy stop mainnet")),
        8 => drop(world.says(who, "/deploy retry mainnet")),
        9 if world.owed("answer_approval") > 0 => {
            drop(world.hears("answer_approval", Outcome::AnswerTaken { at: world.now }))
        }
        10 if world.owed("answer_approval") > 0 => drop(world.hears("answer_approval", Outcome::TooLate)),
        11 if world.owed("retry_stage") > 0 => drop(world.hears("retry_stage", Outcome::Done)),
        12 => {
            let answered = (choice & 16 > 0).then_some((Ballot::Approve, "by hand"));
            let seen = world.seen(
                execution,
                [StageState::Succeeded, StageState::Failed],
                answered,
                (choice & 32 > 0).then_some(Ended::Failed),
            );
            world.observe(Observation {
                executions: vec![seen],
                ..Observation::default()
            });
        }
        13 => {
            let seen = world.seen(
                execution,
                [StageState::Succeeded; 2],
                None,
                (choice & 32 > 0).then_some(Ended::Succeeded),
            );
            world.observe(Observation {
                executions: vec![seen],
                ..Observation::default()
            });
        }
        14 => {
            world.passes(Span::minutes(i64::from(choice)));
            let decision = world.decide(wake::desk).expect("a legal decision");
            world.commit(decision);
        }
        15 => {
            let id = world.run().id.clone();
            let decision = world.decide(|facts| wake::run(facts, &id)).expect("legal");
            world.commit(decision);
        }
        _ => world.passes(Span::seconds(30)),
    }
}

proptest! {
    #[test]
    fn live_and_replayed_agree(choices in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut world = World::new();
        world.waits("e1", "refs/tags/v1", "U0RITA");
        for choice in choices {
            step(&mut world, choice, "e1");
            for (id, run) in &world.runs {
                let replayed = run::replay(id, world.journal[id].clone()).expect("a legal history").expect("a run");
                prop_assert_eq!(run, &replayed);
                let text = serde_json::to_string(run).expect("JSON");
                prop_assert_eq!(run, &serde_json::from_str::<run::Run>(&text).expect("a run"));
                prop_assert_eq!(world.claims.values().any(|holder| holder == id) && run.ended().is_some(), false, "an ended run holds nothing");
            }
            prop_assert_eq!(&world.desk, &Desk::replay(world.desk_journal.clone()));
        }
    }
}
