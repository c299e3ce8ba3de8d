//! Every verb, said by everyone, in every environment: the whole grid, cell by cell.

use commands::facts::Via;
use commands::reason::Reason;

use crate::world::World;

const PEOPLE: [&str; 10] = [
    "U0ANN", "U0BRUNO", "U0CARLA", "U0DANA", "U0RITA", "U0GUS", "U0EVE", "U0OLD", "U0BOT", "U0NOW",
];
const VERBS: [(&str, &str); 18] = [
    ("status", ""),
    ("approve", ""),
    ("reject", " because"),
    ("why", ""),
    ("check", ""),
    ("history", ""),
    ("runs", ""),
    ("lock", ""),
    ("unlock", ""),
    ("freeze", ""),
    ("unfreeze", ""),
    ("run", ""),
    ("confirm", ""),
    ("retry", ""),
    ("remedy", ""),
    ("skip", " because"),
    ("abort", " because"),
    ("stop", ""),
];

/// Who may, written down by hand: approvers are S0WALLET (Ann, Bruno, Dana), mainnet is operated by S0OPS (Bruno, Carla), Dana wrote what ships.
fn may(verb: &str, who: &str, environment: &str) -> Result<(), Reason> {
    let member = matches!(who, "U0ANN" | "U0BRUNO" | "U0CARLA" | "U0DANA" | "U0RITA");
    if !member {
        return Err(Reason::Identity);
    }
    let approver = matches!(who, "U0ANN" | "U0BRUNO" | "U0DANA");
    let operator = if environment == "mainnet" {
        matches!(who, "U0BRUNO" | "U0CARLA")
    } else {
        approver
    };
    match verb {
        "approve" if approver && who == "U0DANA" => Err(Reason::SelfApproval),
        "approve" | "reject" if !approver => Err(Reason::Role),
        "lock" | "unlock" | "freeze" | "unfreeze" | "retry" | "stop" | "run" | "remedy" | "skip" | "abort"
            if !operator =>
        {
            Err(Reason::Role)
        }
        _ => Ok(()),
    }
}

#[test]
fn every_cell() {
    let known: Vec<_> = commands::verb::specs()
        .filter(|spec| spec.command == "/deploy")
        .map(|spec| spec.name)
        .collect();
    assert_eq!(
        VERBS.map(|(verb, _)| verb).to_vec(),
        known,
        "the grid covers the registry"
    );
    let mut cells = 0;
    for (verb, tail) in VERBS {
        for who in PEOPLE {
            for (environment, git_ref) in [("testnet", "refs/heads/master"), ("mainnet", "refs/tags/v1")] {
                let mut world = World::new();
                world.waits("e1", git_ref, "U0DANA");
                let before = (world.runs.clone(), world.desk.clone(), world.effects.len());
                world.service().runbooks = vec![crate::runbook::pause("tidy")];
                let place = match verb {
                    "runs" => "wallet".to_owned(),
                    "run" => format!("tidy {environment}"),
                    _ => environment.to_owned(),
                };
                let speaker = world.speaker(who, Via::Command);
                world.says_as(&speaker, &format!("/deploy {verb} {place}{tail}"));
                let expected = may(verb, who, environment);
                let got = world
                    .refusals
                    .iter()
                    .copied()
                    .filter(|reason| *reason != Reason::NothingToDo)
                    .collect::<Vec<_>>();
                match expected {
                    Ok(()) => assert!(got.is_empty(), "{who} {verb} {environment}: {got:?}"),
                    Err(reason) => {
                        assert!(
                            got.contains(&reason),
                            "{who} {verb} {environment}: {got:?} lacks {reason:?}"
                        );
                        if reason == Reason::Identity {
                            assert_eq!(got, [reason], "{who} {verb}: a stranger learns nothing else");
                        }
                        assert_eq!(
                            before,
                            (world.runs.clone(), world.desk.clone(), world.effects.len()),
                            "{who} {verb} changed something"
                        );
                    }
                }
                cells += 1;
            }
        }
    }
    assert_eq!(cells, VERBS.len() * PEOPLE.len() * 2);
}

#[test]
fn a_stranger_does_not_learn_whether_anything_waits_or_is_held() {
    for waits in [false, true] {
        let mut world = World::new();
        if waits {
            world.waits("e1", "refs/heads/master", "U0DANA");
            world.says("U0ANN", "/deploy lock testnet a secret reason");
        }
        for (verb, tail) in VERBS {
            let place = if verb == "runs" { "wallet" } else { "testnet" };
            for tail in [tail, " 0123456789ab"] {
                let told = world.says("U0GUS", &format!("/deploy {verb} {place}{tail}"));
                // Words that are not understood are answered before anybody is looked up.
                if told.contains('^') {
                    continue;
                }
                for line in told.lines() {
                    let said = line.trim_start_matches("no ");
                    assert_eq!(
                        said, "Guests may not use Signalbox. Ask a full member of this workspace.",
                        "{verb}"
                    );
                }
            }
        }
    }
}

#[test]
fn when_groups_can_not_be_looked_up_nobody_has_a_role() {
    let mut world = World::new();
    world.waits("e1", "refs/heads/master", "U0DANA");
    for members in world.groups.values_mut() {
        *members = None;
    }
    for verb in ["approve testnet", "reject testnet x", "lock testnet", "freeze testnet"] {
        world.says("U0ANN", &format!("/deploy {verb}"));
        assert_eq!(world.refusals, [Reason::Role], "{verb}");
    }
}
