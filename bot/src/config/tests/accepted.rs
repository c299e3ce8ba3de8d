//! What is accepted, and what it means.

use std::ops::Range;

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
fn what_teams_copy_loads_without_a_warning() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../runbooks");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let loaded = load(&path, &CHECKS).unwrap_or_else(|errors| panic!("{}: {errors}", path.display()));
        assert_eq!(loaded.warnings, Vec::<String>::new(), "{}", path.display());
        count += 1;
    }
    assert!(count >= 3, "{count} files");
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

/// The example says that it shows every key. What is commented out is tried where it stands: a line instead of the line with its key, a table whole.
#[test]
fn everything_that_the_example_comments_out_is_good_too() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let units = units(&lines);
    assert!(units.len() >= 10, "the control: {units:?}");
    for unit in units {
        let instead = instead_of(&lines, &unit);
        let line = |(number, line): (usize, &&str)| match (unit.contains(&number), instead.contains(&number)) {
            (true, _) => shown(line).unwrap_or(line).to_owned(),
            (false, true) => String::new(),
            (false, false) => (*line).to_owned(),
        };
        let text: Vec<String> = lines.iter().enumerate().map(line).collect();
        let loaded = read(&text.join("\n"));
        assert!(
            loaded.is_ok(),
            "{:?}\n{}",
            lines.get(unit).unwrap(),
            loaded.unwrap_err()
        );
    }
}

/// A line of the example that is TOML behind its `#`.
fn shown(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("# ")?;
    (rest.starts_with('[') || key(rest).is_some()).then_some(rest)
}

/// The key of a line.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    Some(key.trim()).filter(|key| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}

/// The lines that are commented out: each by itself, or, from a header on, together.
fn units(lines: &[&str]) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if shown(line).is_none() {
            continue;
        }
        let last = units.last_mut().filter(|unit| unit.end == number);
        match last.filter(|unit| lines.get(unit.start).is_some_and(|line| line.starts_with("# ["))) {
            Some(table) => table.end = number + 1,
            None => units.push(number..number + 1),
        }
    }
    units
}

/// The lines of the same table that say the same key.
fn instead_of(lines: &[&str], unit: &Range<usize>) -> Vec<usize> {
    let header = |line: &&str| line.starts_with('[');
    let start = lines.iter().take(unit.start).rposition(header).unwrap_or(0);
    let key_of = |number: usize| lines.get(number).and_then(|line| key(shown(line).unwrap_or(line)));
    let same = |number: &usize| key_of(unit.start).is_some() && key_of(*number) == key_of(unit.start);
    let table = (start + 1..lines.len()).take_while(|number| !lines.get(*number).is_some_and(header));
    table
        .filter(|number| !lines.get(*number).is_some_and(|line| line.starts_with('#')))
        .filter(same)
        .collect()
}

/// Every key of the example, with a letter too many: refused on its own line, and nothing is lost on the way.
#[test]
fn every_misspelled_key_is_refused_on_its_line() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let mut tried = 0;
    for (number, line) in lines.iter().enumerate() {
        let Some(key) = key(line) else { continue };
        let mut text = lines.clone();
        let misspelled = line.replacen(key, &format!("{key}x"), 1);
        *text.get_mut(number).unwrap() = &misspelled;
        let ConfigErrors(problems) = read(&text.join("\n")).unwrap_err();
        let told = problems
            .iter()
            .any(|problem| problem.line == number + 1 && problem.key.ends_with(&format!("{key}x")));
        assert!(told, "{misspelled}: {problems:?}");
        tried += 1;
    }
    assert!(tried >= 30, "the control: {tried}");
}

proptest::proptest! {
    /// Whatever was cut from a file, it is loaded or refused in lines that it has.
    #[test]
    fn damage_is_told_in_lines_that_are_there(from in 0..EXAMPLE.len(), length in 1..200_usize) {
        let left = |(at, c): (usize, char)| (at < from || at >= from + length).then_some(c);
        let text: String = EXAMPLE.char_indices().filter_map(left).collect();
        if let Err(ConfigErrors(problems)) = read(&text) {
            let lines = text.lines().count().max(1);
            proptest::prop_assert!(!problems.is_empty() && problems.iter().all(|problem| problem.line <= lines), "{problems:?}");
        }
    }
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
            topics: Vec::new(),
            programs: std::collections::BTreeMap::new(),
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

#[test]
fn a_folder_is_read_in_the_order_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    assert!(
        load(folder.path(), &CHECKS)
            .unwrap_err()
            .to_string()
            .ends_with("the folder holds no `*.toml`: copy docs/example.toml there")
    );
    write("b.toml", SMALL);
    write("a.toml", "[defaults]\ntimezone = \"Asia/Tokyo\"\n");
    write("notes.txt", "this is no TOML");
    assert_eq!(
        service(&load(folder.path(), &CHECKS).unwrap(), "web").timezone,
        chrono_tz::Asia::Tokyo
    );
    assert!(load(&folder.path().join("b.toml"), &CHECKS).is_ok());
    write("c.toml", "[service.web]\n");
    let ConfigErrors(problems) = load(folder.path(), &CHECKS).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("one problem: {problems:?}")
    };
    assert!(
        problem.file.ends_with("c.toml") && problem.what.contains("b.toml:2"),
        "{problem}"
    );
}

#[test]
fn topics_are_named_by_their_arn_and_once() {
    let topic = |arn: &str| format!("[[aws.topics]]\narn = \"{arn}\"\n");
    let good = "arn:aws:sns:eu-central-1:111122223333:signalbox";
    let loaded = read(&format!("{}{SMALL}", topic(good))).unwrap();
    assert_eq!(loaded.settings.topics, [good]);
    for (text, why) in [
        (
            topic("arn:aws:sqs:eu-central-1:111122223333:signalbox"),
            "is not the ARN of a topic",
        ),
        (
            topic("arn:aws:sns:evil.example/:111122223333:signalbox"),
            "is not the ARN of a topic",
        ),
        (
            topic("arn:aws:sns:eu-central-1:1111:signalbox"),
            "is not the ARN of a topic",
        ),
        (format!("{0}{0}", topic(good)), "again"),
        ("[[aws.topics]]\n".to_owned(), "arn"),
    ] {
        let problems = read(&format!("{text}{SMALL}")).unwrap_err().to_string();
        assert!(problems.contains(why), "{text}: {problems}");
    }
}

#[test]
fn known_failures_are_looked_for_in_their_order() {
    let loaded = read(
        r#"[service.web]
channel = "C0DEPLOYS"
[service.web.environment.prod]
aws = { region = "eu-central-1" }
approvers = { groups = ["S0DEV"] }
operators = { groups = ["S0DEV"] }
[service.web.known.zebra]
words = ["stripes"]
[service.web.known.ape]
title = "the ape is loose"
words = ["ape", "loose"]
say = "Catch it."
[service.web.known.record-exists]
say = "Ask Ann."
[[service.web.runbook.go.step]]
name = "build"
kind = "codebuild"
project = "p"
known = { ape = "go_on", zebra = "ask", websocket-403 = "ask", record-exists = { remedy = "tidy" }, validation-record-exists = "ask" }
expect = [{ name = "its own", words = ["own"], then = "ask" }]
[[service.web.runbook.go.step]]
name = "tidy"
kind = "wait"
for = "1m"
remedy = true
"#,
    )
    .unwrap();
    let step = &service(&loaded, "web").runbooks[0].steps[0].step;
    let shown = |expected: &commands::runbook::Expected| {
        let commands::runbook::Expected { name, words, then, say } = expected;
        format!("{then:?} | {name} | {} | {} letters", words.join(" + "), say.len())
    };
    let shown: Vec<String> = step.expect.iter().map(shown).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    Ask | its own | own | 0 letters
    Ask | a certificate's validation record is there already | InvalidChangeBatch + name='_ + type='CNAME' + already exists | 135 letters
    Remedy(tidy) | a Route 53 record is there already | InvalidChangeBatch + already exists | 8 letters
    Ask | a websocket endpoint answers 403 | websocket + 403 | 132 letters
    Ask | a websocket endpoint answers 403 | unexpected server response: 403 | 132 letters
    Ask | zebra | stripes | 0 letters
    GoOn | the ape is loose | ape + loose | 9 letters
    ");
}
