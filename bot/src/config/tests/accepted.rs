//! What is accepted, and what it means.

use commands::catalog::{CheckName, Service, Tier, UnknownAuthor, When};
use commands::ids::{EnvironmentId, GroupId};

use super::*;

const EXAMPLE: &str = include_str!("../../../../docs/example.toml");

fn service<'l>(loaded: &'l Loaded, name: &str) -> &'l Service {
    loaded.catalog.services.get(name).unwrap()
}

fn names(service: &Service) -> Vec<&str> {
    service
        .environments
        .iter()
        .map(|environment| environment.id.as_str())
        .collect()
}

#[test]
fn the_example_loads_without_a_warning() {
    let loaded = read(EXAMPLE).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.regions().into_iter().collect::<Vec<_>>(), ["eu-central-1"]);
    let wallet = service(&loaded, "wallet");
    assert_eq!(
        (wallet.channel.as_str(), wallet.timezone),
        ("C0DEPLOYS", chrono_tz::America::Sao_Paulo)
    );
    assert_eq!(names(wallet), ["testnet", "mainnet"]);
    let [testnet, mainnet] = wallet.environments.as_slice() else {
        panic!("two environments")
    };
    assert_eq!((testnet.tier, mainnet.tier), (Tier::Standard, Tier::Production));
    assert_eq!((testnet.approvers.required, mainnet.approvers.required), (1, 2));
    assert_eq!(mainnet.promotes_from.as_ref(), Some(&testnet.id));
    assert_eq!(testnet.pipeline, mainnet.pipeline);
    assert_eq!(
        mainnet.aws.role_arn.as_deref(),
        Some("arn:aws:iam::111122223333:role/signalbox")
    );
    let web = service(&loaded, "web");
    assert_eq!(names(web), ["prod", "staging"]);
    assert_eq!(web.timezone, chrono_tz::Europe::Berlin);
}

/// The example says that it shows every key; each line that is commented out is tried by itself, where it stands.
#[test]
fn every_commented_line_of_the_example_is_good_too() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let hidden = |line: &str| {
        line.strip_prefix("# ")
            .filter(|rest| rest.starts_with("[[") || rest.starts_with("[store") || rest.contains(" = "))
            .map(str::to_owned)
    };
    let mut tried = 0;
    for (number, line) in lines.iter().enumerate() {
        let Some(shown) = hidden(line) else { continue };
        let key = shown.split([' ', '=']).next().unwrap_or_default().to_owned();
        // A header needs what stands under it; a key that is in use already is replaced.
        let mut text: Vec<String> = Vec::new();
        let table = lines
            .get(..number)
            .unwrap()
            .iter()
            .rposition(|line| line.starts_with('[') || line.starts_with("# ["))
            .unwrap_or(0);
        let under_hidden_header = lines.get(table).is_some_and(|line| line.starts_with("# ["));
        if under_hidden_header {
            continue;
        }
        for (other, original) in lines.iter().enumerate() {
            let same_table = other > table
                && lines
                    .get(table + 1..=other)
                    .is_some_and(|between| !between.iter().any(|line| line.starts_with('[')));
            let in_block = other > number
                && shown.starts_with('[')
                && lines
                    .get(number..other)
                    .is_some_and(|block| block.iter().all(|line| line.starts_with('#')));
            text.push(match hidden(original) {
                Some(_) if other == number => shown.clone(),
                Some(inner) if in_block => inner,
                None if same_table
                    && !shown.starts_with('[')
                    && original.split([' ', '=']).next() == Some(key.as_str()) =>
                {
                    String::new()
                }
                _ => (*original).to_owned(),
            });
        }
        let loaded = read(&text.join("\n"));
        assert!(loaded.is_ok(), "{shown}\n{}", loaded.unwrap_err());
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} lines were found");
}

const SMALL: &str = r#"
[service.web]
channel = "C0DEPLOYS"

[service.web.environment.zeta]
pipeline = { name = "web", stage = "Approve", action = "Approval" }
approvers = { groups = ["S0DEV"] }
aws = { region = "eu-central-1" }
"#;

#[test]
fn little_is_needed() {
    let loaded = read(SMALL).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(
        loaded.settings,
        Settings {
            command_line: CommandLine::Standard,
            events: Vec::new(),
            accept_unsafe_store: false
        }
    );
    let web = service(&loaded, "web");
    assert_eq!(
        (web.timezone, web.unknown_author),
        (chrono_tz::Tz::UTC, UnknownAuthor::Refuse)
    );
    assert!(
        web.migrations
            .iter()
            .any(|pattern| pattern.fits("packages/api/migrations/7.sql"))
    );
    let environment = web.environments.first().unwrap();
    assert_eq!(
        (environment.approvers.required, environment.approvers.self_approval),
        (1, false)
    );
    assert_eq!(
        (&environment.operators, environment.overriders.is_empty()),
        (&None, true)
    );
}

#[test]
fn environments_stay_in_the_order_of_the_file() {
    let more = ["mid", "alpha"].map(|name| {
        format!("[service.web.environment.{name}]\npipeline = {{ name = \"{name}\", stage = \"A\", action = \"B\" }}\napprovers = {{ users = [\"U0ANN\"] }}\naws = {{ region = \"eu-west-1\" }}\n")
    });
    let loaded = read(&format!("{SMALL}{}", more.concat())).unwrap();
    assert_eq!(names(service(&loaded, "web")), ["zeta", "mid", "alpha"]);
    assert_eq!(
        loaded.regions().into_iter().collect::<Vec<_>>(),
        ["eu-central-1", "eu-west-1"]
    );
}

#[test]
fn settings_are_read() {
    let loaded = read(&format!(
        r#"
        [defaults]
        teams = ["T0ACME", "E0GRID"]
        command_line = "production"
        unknown_author = "allow"
        aws = {{ region = "us-east-1", role_arn = "arn:aws:iam::111122223333:role/x" }}
        [store]
        accept_unsafe_durability = true
        [[aws.events]]
        url = "https://sqs.us-east-1.amazonaws.com/1/a"
        [[aws.events]]
        url = "https://sqs.eu-west-1.amazonaws.com/1/b"
        region = "eu-west-1"
        role_arn = "arn:aws:iam::444455556666:role/x"
        external_id = "7"
        {SMALL}"#
    ))
    .unwrap();
    assert_eq!(loaded.catalog.teams.len(), 2);
    assert_eq!(
        (loaded.settings.command_line, loaded.settings.accept_unsafe_store),
        (CommandLine::Production, true)
    );
    let [near, far] = loaded.settings.events.as_slice() else {
        panic!("two queues")
    };
    assert_eq!((near.aws.region.as_str(), &near.aws.role_arn), ("us-east-1", &None));
    assert_eq!(
        (far.aws.region.as_str(), far.aws.external_id.as_deref()),
        ("eu-west-1", Some("7"))
    );
    let web = service(&loaded, "web");
    assert_eq!(web.unknown_author, UnknownAuthor::Allow);
    let aws = &web.environments.first().unwrap().aws;
    assert_eq!(
        (aws.region.as_str(), aws.role_arn.as_deref()),
        ("eu-central-1", Some("arn:aws:iam::111122223333:role/x"))
    );
}

#[test]
fn a_role_is_never_mixed_with_the_external_id_of_another() {
    let text = SMALL.replace(
        "aws = { region = \"eu-central-1\" }",
        "aws = { role_arn = \"arn:aws:iam::444455556666:role/y\" }",
    );
    let defaults = "[defaults]\naws = { region = \"us-east-1\", role_arn = \"arn:aws:iam::111122223333:role/x\", external_id = \"7\" }\n";
    let loaded = read(&format!("{defaults}{text}")).unwrap();
    let aws = &service(&loaded, "web").environments.first().unwrap().aws;
    assert_eq!(
        (aws.region.as_str(), aws.role_arn.as_deref(), aws.external_id.as_deref()),
        ("us-east-1", Some("arn:aws:iam::444455556666:role/y"), None)
    );
}

#[test]
fn one_of_each_group_lets_members_of_the_groups_approve() {
    let loaded = read(&SMALL.replace("groups = [\"S0DEV\"]", "all_of = [\"S0DEV\", \"S0OPS\"]")).unwrap();
    let approvers = &service(&loaded, "web").environments.first().unwrap().approvers;
    assert_eq!(approvers.required, 2);
    assert!(approvers.people.groups.contains(&GroupId::parse("S0OPS").unwrap()));
}

#[test]
fn freezes_and_checks_are_typed() {
    let freeze =
        "[[service.web.freeze]]\nweekly = \"Fri 15:00 - Mon 08:00\"\nreason = \"weekend\"\nenvironments = [\"zeta\"]\n";
    let checks = "checks = [\"alarms-quiet\"]\nalarms = [\"web-*\", \"db\"]\n";
    let loaded = read(&format!("{SMALL}{checks}{freeze}")).unwrap();
    let web = service(&loaded, "web");
    let window = web.freezes.first().unwrap();
    assert_eq!(window.when, When::weekly("Fri 15:00 - Mon 08:00").unwrap());
    assert_eq!(window.environments, [EnvironmentId::parse("zeta").unwrap()]);
    let environment = web.environments.first().unwrap();
    assert_eq!(environment.checks, [CheckName("alarms-quiet".to_owned())]);
    assert_eq!(environment.alarms, ["web-*", "db"]);
}

#[test]
fn several_files_are_one_configuration() {
    let defaults = ("a.toml", "[defaults]\ntimezone = \"Asia/Tokyo\"\n");
    let loaded = file::read(&sources(&[defaults, ("b.toml", SMALL)]), &CHECKS).unwrap();
    assert_eq!(service(&loaded, "web").timezone, chrono_tz::Asia::Tokyo);
    let other = file::read(&sources(&[("a.toml", ""), ("b.toml", SMALL)]), &CHECKS).unwrap();
    assert_ne!(loaded.catalog.digest, other.catalog.digest);
    assert_eq!(loaded.catalog.digest.len(), 12);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let loaded = read(&format!("\u{feff}{}", SMALL.replace('\n', "\r\n"))).unwrap();
    assert_eq!(loaded.catalog.services, read(SMALL).unwrap().catalog.services);
}
