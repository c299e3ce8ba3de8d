//! A run seen from anywhere, and what people read of steps whose titles hold what was found.

use std::collections::BTreeMap;

use commands::effect::{CallPhase, Outcome, StepOutcome};
use serde_json::json;

use crate::runbook::{refused, step};
use crate::world::World;

/// A flag that is blue, and `other` is green.
fn blue() -> Outcome {
    let outputs = [("value", "blue"), ("other", "green")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    Outcome::Step {
        came: StepOutcome::Prepared {
            memo: json!({}),
            outputs: BTreeMap::from(outputs),
            evidence: vec![],
            done: true,
        },
    }
}

/// A color is read, somebody looks at the other one, and it is written down; both titles name it.
fn world() -> World {
    let mut look = step(
        "look",
        json!({ "kind": "manual", "instructions": "Look.", "evidence": "what" }),
    );
    look.title = "Look at {step.color.other}".to_owned();
    let mut write = step(
        "write",
        json!({ "kind": "flag", "parameter": "/color", "value": "{step.color.other}" }),
    );
    write.title = "Write {step.color.other} down".to_owned();
    let read = json!({ "kind": "flag", "parameter": "/color", "choices": ["blue", "green"] });
    World::with(vec![step("color", read), look, write])
}

#[test]
fn whoever_reads_of_a_step_reads_what_was_found() {
    let mut world = world();
    let mut read = vec![world.says("U0BRUNO", "/deploy run switch mainnet")];
    world.comes_back("color", CallPhase::Prepare, &blue());
    let see = |world: &mut World, read: &mut Vec<String>| {
        let looks = [
            "/deploy status",
            "/deploy status mainnet",
            "/deploy runs wallet",
            "/deploy show mainnet",
        ];
        read.extend(looks.map(|text| world.says("U0RITA", text)));
    };
    see(&mut world, &mut read);
    read.push(world.says("U0CARLA", "/deploy confirm mainnet it is green"));
    see(&mut world, &mut read);
    world.comes_back("write", CallPhase::Prepare, &refused("there is no such parameter"));
    see(&mut world, &mut read);
    read.push(world.says("U0CARLA", "/deploy skip mainnet by hand"));
    let all = read.join("\n");
    assert!(!all.contains("{step"), "{all}");
    for words in [
        "says that it is done: Look at green",
        "leaves out “Write green down”",
        "step 2 of 3: Look at green",
    ] {
        assert!(all.contains(words), "{words} is not in\n{all}");
    }
}

#[test]
fn a_run_is_shown_wherever_one_is_while_it_goes_on_and_when_it_is_over() {
    let mut world = world();
    assert!(
        world
            .says("U0RITA", "/deploy show mainnet")
            .contains("there was no run on mainnet yet")
    );
    world.waits("e1", "v1.4.2", "U0DANA");
    let release = world.run().id.short().to_owned();
    assert!(world.says("U0RITA", "/deploy show mainnet").contains("v1.4.2"));

    let said = world.says("U0RITA", "/deploy run switch mainnet --plan");
    let plan = world.operation().id.short().to_owned();
    assert!(said.contains(&format!("/deploy show mainnet {plan}")), "{said}");
    let shown = world.says("U0RITA", &format!("/deploy show mainnet {plan}"));
    assert!(shown.contains("plan of switch"), "{shown}");
    // A plan is not what people mean when they name nothing.
    assert!(world.says("U0RITA", "/deploy show mainnet").contains("v1.4.2"));

    world.passes(commands::time::Span::seconds(1));
    world.says("U0BRUNO", "/deploy run switch mainnet");
    let run = world.operation().id.short().to_owned();
    assert!(world.says("U0RITA", "/deploy show mainnet").contains("step 1 of 3"));
    world.says("U0BRUNO", "/deploy stop mainnet wrong day");
    let shown = world.says("U0RITA", &format!("/deploy show mainnet {run}"));
    assert!(shown.contains("switch · wallet → mainnet · stopped after"), "{shown}");
    let shown = world.says("U0RITA", &format!("/deploy show mainnet {release}"));
    assert!(shown.contains("v1.4.2"), "{shown}");
    assert!(
        world
            .says("U0RITA", "/deploy show mainnet switch-00000000")
            .contains("there is no such run")
    );
}
