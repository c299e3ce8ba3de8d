//! Every verb, said by everyone, in every environment: the whole grid, cell by cell.

use commands::facts::Via;
use commands::reason::Reason;
use commands::verb::roles;

use crate::runbook::pause;
use crate::world::World;

const PEOPLE: [&str; 10] = [
    "U0ANN", "U0BRUNO", "U0CARLA", "U0DANA", "U0RITA", "U0GUS", "U0EVE", "U0OLD", "U0BOT", "U0NOW",
];
/// Every verb as it is typed, with what stands between it and the place, and behind the place.
const VERBS: [(&str, &str, &str); 33] = [
    ("/deploy status", "", ""),
    ("/deploy approve", "", ""),
    ("/deploy reject", "", " because"),
    ("/deploy why", "", ""),
    ("/deploy check", "", ""),
    ("/deploy history", "", ""),
    ("/deploy runs", "", ""),
    ("/deploy show", "", ""),
    ("/deploy lock", "", ""),
    ("/deploy unlock", "", ""),
    ("/deploy freeze", "", ""),
    ("/deploy unfreeze", "", ""),
    ("/deploy run", "tidy", ""),
    ("/deploy confirm", "", ""),
    ("/deploy retry", "", ""),
    ("/deploy remedy", "", ""),
    ("/deploy skip", "", " because"),
    ("/deploy abort", "", " because"),
    ("/deploy stop", "", ""),
    ("/migrate plan", "", ""),
    ("/migrate start", "", ""),
    ("/migrate retry", "", ""),
    ("/migrate restart", "", ""),
    ("/migrate abort", "", " because"),
    ("/migrate skip", "", ""),
    ("/migrate status", "", ""),
    ("/switch-colors", "", ""),
    ("/switch-colors plan", "", ""),
    ("/switch-colors back", "", ""),
    ("/maintenance on", "", ""),
    ("/maintenance off", "", ""),
    ("/maintenance status", "", ""),
    ("/loglevel", "", " all debug"),
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
        "/deploy approve" if approver && who == "U0DANA" => Err(Reason::SelfApproval),
        "/deploy approve" | "/deploy reject" if !approver => Err(Reason::Role),
        "/deploy lock"
        | "/deploy unlock"
        | "/deploy freeze"
        | "/deploy unfreeze"
        | "/deploy retry"
        | "/deploy stop"
        | "/deploy run"
        | "/deploy remedy"
        | "/deploy skip"
        | "/deploy abort"
        | "/migrate start"
        | "/migrate retry"
        | "/migrate restart"
        | "/migrate abort"
        | "/migrate skip"
        | "/switch-colors"
        | "/switch-colors back"
        | "/loglevel"
        | "/maintenance on"
        | "/maintenance off"
            if !operator =>
        {
            Err(Reason::Role)
        }
        _ => Ok(()),
    }
}

/// A request for approval waits in every environment, and everything that can be typed has something to be about.
fn furnished(git_ref: &str) -> World {
    let mut world = World::new();
    world.waits("e1", git_ref, "U0DANA");
    let kept = |name: &str, command: &str| commands::runbook::Runbook {
        command: Some(command.to_owned()),
        ..pause(name)
    };
    world.service().runbooks = vec![
        pause("tidy"),
        kept("copy", "/migrate start"),
        kept("empty", "/migrate restart"),
        kept("give-up", "/migrate abort"),
        kept("without", "/migrate skip"),
        kept("switch", "/switch-colors"),
        kept("back", "/switch-colors back"),
    ];
    for environment in &mut world.service().environments {
        environment.functions = Some(crate::levels::functions());
        environment.maintenance = Some(crate::maintenance::key());
    }
    world
}

#[test]
fn every_cell() {
    let known: Vec<_> = commands::verb::specs().map(commands::verb::Spec::typed).collect();
    assert_eq!(
        VERBS.map(|(verb, ..)| verb.to_owned()).to_vec(),
        known,
        "the grid covers the registry"
    );
    let mut cells = 0;
    for (verb, before, tail) in VERBS {
        for who in PEOPLE {
            for (environment, git_ref) in [("testnet", "refs/heads/master"), ("mainnet", "refs/tags/v1")] {
                let mut world = furnished(git_ref);
                let untouched = (world.runs.clone(), world.desk.clone(), world.effects.len());
                let place = if verb == "/deploy runs" { "wallet" } else { environment };
                let speaker = world.speaker(who, Via::Command);
                let told = world.says_as(&speaker, &format!("{verb} {before} {place}{tail}"));
                assert!(!crate::world::words(&told).contains('^'), "{verb} was not understood");
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
                            untouched,
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

/// What `signalbox check` prints is what the grid above finds.
#[test]
fn the_printed_table_is_true() {
    let mut world = furnished("refs/heads/master");
    let rows = roles::table(world.service());
    let mut cells = 0;
    for row in rows
        .iter()
        .filter(|row| VERBS.iter().any(|(verb, ..)| *verb == row.verb))
    {
        for who in PEOPLE
            .into_iter()
            .filter(|who| may("/deploy status", who, "mainnet").is_ok())
        {
            let found = match may(&row.verb, who, &row.environment) {
                // The table names people; whether one of them wrote what ships is its second half.
                Err(Reason::SelfApproval) => row.who.contains("nobody who wrote"),
                // Whose questions are confirmed depends on the runbook that asks.
                _ if row.verb == "/deploy confirm" => true,
                other => other.is_ok(),
            };
            let printed = row.who == "every member" || row.verb == "/deploy confirm" || names(&row.who, who);
            assert_eq!(printed, found, "{who} {} {}: {}", row.verb, row.environment, row.who);
            cells += 1;
        }
    }
    assert_eq!(cells, VERBS.len() * 5 * 2);
}

/// Whether the table's words for people cover somebody.
fn names(words: &str, who: &str) -> bool {
    let groups: [(&str, &[&str]); 2] = [
        ("@S0WALLET", &["U0ANN", "U0BRUNO", "U0DANA"]),
        ("@S0OPS", &["U0BRUNO", "U0CARLA"]),
    ];
    let people = words.split(';').next().unwrap_or_default();
    groups
        .iter()
        .any(|(group, members)| people.contains(group) && members.contains(&who))
        || people.contains(who)
}

/// Looking is for every member, wherever the same word changes something.
#[test]
fn every_member_may_look() {
    for text in ["/loglevel mainnet", "/maintenance status mainnet"] {
        for who in PEOPLE {
            let mut world = furnished("refs/tags/v1");
            world.says(who, text);
            let member = may("/deploy status", who, "mainnet").is_ok();
            assert_eq!(world.refusals.is_empty(), member, "{who} {text}: {:?}", world.refusals);
        }
    }
}

#[test]
fn a_stranger_does_not_learn_whether_anything_waits_or_is_held() {
    for waits in [false, true] {
        let mut world = if waits {
            furnished("refs/heads/master")
        } else {
            World::new()
        };
        if waits {
            world.says("U0ANN", "/deploy lock testnet a secret reason");
        }
        for (verb, before, tail) in VERBS {
            let place = if verb == "/deploy runs" { "wallet" } else { "testnet" };
            for tail in [tail, " 0123456789ab"] {
                let told = world.says("U0GUS", &format!("{verb} {before} {place}{tail}"));
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
